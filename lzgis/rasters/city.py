"""Open the rasters of a city, and make the zones by which they are summarised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue, open_catalogue
from lzgis.config import nearest
from lzgis.errors import ConfigError, LayerError, SourceError
from lzgis.messages import Message
from lzgis.model.catalogue import RasterSpec
from lzgis.model.report import Problem, SiteTable, Source
from lzgis.rasters.cover import Zones, zones_of
from lzgis.rasters.grid import Grid, open_grid
from lzgis.reading import read_sites, sha256_of, sites_from_frame

#: The default zones; those that a city lacks are skipped.
DEFAULT_ZONES = ("city.*", "redline.*", "redline.function", "control_units", "protected_areas.reserve")
SITES = "sites"


@dataclass(frozen=True, eq=False)
class CityRaster:
    """A raster of a city: its description in the catalogue, its opened file, its source, and the problems found."""

    id: str
    spec: RasterSpec
    grid: Grid
    source: Source
    problems: tuple[Problem, ...]


def as_city(city: Catalogue | str | Path) -> Catalogue:
    """Return a city, opening it if a path is given."""
    return open_catalogue(city) if isinstance(city, str | Path) else city


def raster_ids(city: Catalogue, kind: str) -> list[str]:
    """Return the ids of the rasters of a kind whose files exist, by date, the latest last."""
    found = [n for n, s in city.spec.raster.items() if s.kind == kind and (city.root / s.source).exists()]
    return sorted(found, key=lambda name: str(city.spec.raster[name].date or ""))


def city_raster(city: Catalogue, raster_id: str, *, kind: str | None = None) -> CityRaster:
    """Open a raster of a city's catalogue.

    Raises
    ------
    ConfigError
        If the catalogue does not describe the raster, or as another kind than `kind`, or as land cover without
        classes.
    SourceError
        If the file cannot be used.
    """
    place = str(city.root / CATALOGUE_FILE)
    if raster_id not in city.spec.raster:
        what = Message("raster '{raster}' is not described", raster=raster_id)
        raise ConfigError(place, what, nearest(raster_id, city.spec.raster))
    spec = city.spec.raster[raster_id]
    here = Message("{place}, raster '{raster}'", place=place, raster=raster_id)
    if kind is not None and spec.kind != kind:
        what = Message("is of the kind '{kind}', not '{wanted}'", kind=spec.kind, wanted=kind)
        raise ConfigError(here, what, nearest(kind, raster_ids(city, kind)))
    if spec.kind == "landcover" and not spec.classes:
        raise ConfigError(here, Message("names no classes"), Message("add a table of classes"))
    path = city.root / spec.source
    grid = open_grid(path, band=spec.band)
    if spec.kind == "landcover" and not np.issubdtype(np.dtype(grid.dtype), np.integer):
        what = Message("holds {dtype} values, which are no classes", dtype=grid.dtype)
        raise SourceError(str(path), what, Message("give a raster of whole numbers"))
    digest = sha256_of(path)
    problems = []
    if spec.sha256 and spec.sha256 != digest:
        what = Message("the file is not the one the catalogue describes (sha256 {digest}…)", digest=digest[:12])
        remedy = Message("check the file, or correct 'sha256' in the catalogue")
        problems.append(Problem("warning", here, what, remedy))
    if grid.nodata is None:
        what = Message("names no nodata value")
        problems.append(Problem("note", here, what, Message("every cell counts as data")))
    source = Source(raster_id, spec.source, digest, spec.version, str(spec.date or ""), grid.crs.name, "rasterio")
    return CityRaster(raster_id, spec, grid, source, tuple(problems))


def as_sites(sites: SiteTable | gpd.GeoDataFrame | str | Path) -> SiteTable:
    """Return sites as a table, reading them if a path is given."""
    table = sites_from_frame(sites) if isinstance(sites, gpd.GeoDataFrame) else sites
    return table if isinstance(table, SiteTable) else read_sites(table)


def sites_without_area(sites: SiteTable) -> tuple[Problem, ...]:
    """Report the sites that cannot be zones: points, lines, and sites without a usable geometry."""
    count = int((shapely.get_dimensions(sites.frame.geometry.to_numpy()) != 2).sum())
    if not count:
        return ()
    what = Message("{count} sites have no area and are left out", count=count)
    return (Problem("warning", sites.source.name, what, Message("give them as polygons")),)


def city_zones(
    city: Catalogue,
    by: Sequence[str] | None = None,
    *,
    sites: SiteTable | gpd.GeoDataFrame | str | Path | None = None,
) -> Zones:
    """Make zones: ``layer`` for each feature, ``layer.field`` for each value of a field, ``layer.*`` for the whole layer.

    Each site, if sites are given, is added as a zone of the level ``sites``.

    Raises
    ------
    ConfigError
        If a layer or field is not known.
    LayerError
        If a layer does not consist of polygons.
    """
    names = [n for n in DEFAULT_ZONES if _available(city, n)] if by is None else list(by)
    parts: list[tuple[str, str, str, shapely.Geometry]] = []
    for name in names:
        parts += _zones_by(city, name)
    if sites is not None:
        table = as_sites(sites)
        frame = table.frame[shapely.get_dimensions(table.frame.geometry.to_numpy()) == 2]
        parts += [(SITES, *row) for row in zip(frame["id"], frame["name"], frame.geometry, strict=True)]
    return zones_of(parts)


def _available(city: Catalogue, name: str) -> bool:
    layer_id, _, field = name.partition(".")
    layer_id = city.city.outline if layer_id == "city" else layer_id
    return city.exists(layer_id) and (field in ("", "*") or field in city.load(layer_id).layer.frame.columns)


def _zones_by(city: Catalogue, name: str) -> list[tuple[str, str, str, shapely.Geometry]]:
    layer_id, _, field = name.partition(".")
    layer_id = city.city.outline if layer_id == "city" else layer_id
    layer = city.load(layer_id).layer
    frame = layer.frame
    if layer.spec.geometry != "polygon":
        place = Message("layer '{layer_id}'", layer_id=layer_id)
        raise LayerError(place, Message("has no areas to measure"), Message("name a layer of polygons"))
    if not field:
        return [(name, *row) for row in zip(frame["id"], frame["name"], frame.geometry, strict=True)]
    if field == "*":
        return [(name, layer_id, layer.spec.title, shapely.union_all(frame.geometry.to_numpy()))]
    if field not in frame.columns:
        what = Message("layer '{layer}' has no field '{field}'", layer=layer_id, field=field)
        raise ConfigError(name, what, nearest(field, [str(c) for c in frame.columns if c != "geometry"]))
    values = frame[field].fillna("").astype(str)
    groups = [(v, shapely.union_all(frame.geometry[values == v].to_numpy())) for v in sorted(set(values))]
    return [(name, value, value, geometry) for value, geometry in groups]
