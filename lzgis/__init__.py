"""Geospatial zoning and ecological-redline analysis.

May this be built here; what does it hit, by how many square metres, under which clause, how near is the next constraint,
and what was not checked?
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lzgis.auditing import audit
    from lzgis.avoidance import Avoidance, avoid
    from lzgis.batch import BatchOptions, screen_batch
    from lzgis.catalogue import Catalogue, measure_declared, open_catalogue
    from lzgis.comparing import diff
    from lzgis.depths import overlap_depths
    from lzgis.errors import ConfigError, ExportError, LayerError, LzgisError, SourceError
    from lzgis.exporters import export, export_projects
    from lzgis.exporters.audited import export_audit
    from lzgis.exporters.compared import export_diff
    from lzgis.exporters.coordfile import write_coordfile
    from lzgis.exporters.paper import write_maps
    from lzgis.inspecting import inspect_file
    from lzgis.layer_model import AuditReport, DiffReport, Recheck
    from lzgis.model import Report, SiteTable, State, Verdict
    from lzgis.overriding import Decision, override_entry, with_overrides
    from lzgis.rasters.change import RasterChange, raster_change
    from lzgis.rasters.stats import RasterStats, raster_declared, raster_stats
    from lzgis.rasters.surface import Surface, raster_surface, read_surface
    from lzgis.rasters.workbook import write_raster_xlsx
    from lzgis.rechecking import recheck
    from lzgis.reference import reference_city
    from lzgis.rulebook import read_rulebook
    from lzgis.screening import screen
    from lzgis.sources import ReadOptions, read_sites, sites_from_frame
    from lzgis.verifying import verify

_HOMES = {
    "AuditReport": "layer_model",
    "Avoidance": "avoidance",
    "BatchOptions": "batch",
    "Catalogue": "catalogue",
    "ConfigError": "errors",
    "Decision": "overriding",
    "DiffReport": "layer_model",
    "ExportError": "errors",
    "LayerError": "errors",
    "LzgisError": "errors",
    "RasterChange": "rasters.change",
    "RasterStats": "rasters.stats",
    "ReadOptions": "sources",
    "Recheck": "layer_model",
    "Report": "model",
    "SiteTable": "model",
    "SourceError": "errors",
    "State": "model",
    "Surface": "rasters.surface",
    "Verdict": "model",
    "audit": "auditing",
    "avoid": "avoidance",
    "diff": "comparing",
    "export": "exporters",
    "export_audit": "exporters.audited",
    "export_diff": "exporters.compared",
    "export_projects": "exporters",
    "inspect_file": "inspecting",
    "measure_declared": "catalogue",
    "open_catalogue": "catalogue",
    "overlap_depths": "depths",
    "override_entry": "overriding",
    "raster_change": "rasters.change",
    "raster_declared": "rasters.stats",
    "raster_stats": "rasters.stats",
    "raster_surface": "rasters.surface",
    "read_rulebook": "rulebook",
    "read_sites": "sources",
    "read_surface": "rasters.surface",
    "recheck": "rechecking",
    "reference_city": "reference",
    "screen": "screening",
    "screen_batch": "batch",
    "sites_from_frame": "sources",
    "verify": "verifying",
    "with_overrides": "overriding",
    "write_coordfile": "exporters.coordfile",
    "write_maps": "exporters.paper",
    "write_raster_xlsx": "rasters.workbook",
}

__all__ = [
    "AuditReport",
    "Avoidance",
    "BatchOptions",
    "Catalogue",
    "ConfigError",
    "Decision",
    "DiffReport",
    "ExportError",
    "LayerError",
    "LzgisError",
    "RasterChange",
    "RasterStats",
    "ReadOptions",
    "Recheck",
    "Report",
    "SiteTable",
    "SourceError",
    "State",
    "Surface",
    "Verdict",
    "audit",
    "avoid",
    "diff",
    "export",
    "export_audit",
    "export_diff",
    "export_projects",
    "inspect_file",
    "measure_declared",
    "open_catalogue",
    "overlap_depths",
    "override_entry",
    "raster_change",
    "raster_declared",
    "raster_stats",
    "raster_surface",
    "read_rulebook",
    "read_sites",
    "read_surface",
    "recheck",
    "reference_city",
    "screen",
    "screen_batch",
    "sites_from_frame",
    "verify",
    "with_overrides",
    "write_coordfile",
    "write_maps",
    "write_raster_xlsx",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import lzgis`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lzgis' has no attribute '{name}'")
    return getattr(import_module(f"lzgis.{_HOMES[name]}"), name)
