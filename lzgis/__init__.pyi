"""Public names of lzgis."""

from .audits.audit import audit
from .audits.diff import diff
from .audits.recheck import recheck
from .audits.verify import verify
from .batch import BatchOptions, screen_batch
from .city.catalogue import Catalogue, measure_declared, open_catalogue
from .city.reference import reference_city
from .city.region import Region, open_region
from .errors import ConfigError, ExportError, LayerError, LzgisError, SourceError
from .exports import export, export_projects
from .exports.audit import export_audit
from .exports.diff import export_diff
from .exports.gis.boundary_points import write_coordfile
from .exports.paper import write_maps
from .exports.tables.rasters import write_raster_xlsx
from .model.audit import AuditReport, DiffReport, Recheck
from .model.report import Report, SiteTable, State, Verdict
from .rasters.change import RasterChange, raster_change
from .rasters.stats import RasterStats, raster_declared, raster_stats
from .rasters.surface import Surface, raster_surface, read_surface
from .reading import ReadOptions, read_sites, sites_from_frame
from .rules.book import read_rulebook
from .screening.avoidance import Avoidance, avoid
from .screening.city_reports import city_reports
from .screening.depths import overlap_depths
from .screening.inspect import inspect_file
from .screening.overrides import Decision, override_entry, with_overrides
from .screening.screen import screen

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
    "Region",
    "Report",
    "SiteTable",
    "SourceError",
    "State",
    "Surface",
    "Verdict",
    "audit",
    "avoid",
    "city_reports",
    "diff",
    "export",
    "export_audit",
    "export_diff",
    "export_projects",
    "inspect_file",
    "measure_declared",
    "open_catalogue",
    "open_region",
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

__version__: str
