"""Changes inside the redline between two land covers: areas of the transitions, and the converted patches."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import rasterio
import shapely
from rasterio.features import shapes
from rasterio.windows import Window

from lzgis.city.catalogue import Catalogue
from lzgis.errors import ConfigError
from lzgis.files.atomic_write import write_atomic
from lzgis.geometry import part_of_dimension
from lzgis.messages import Message
from lzgis.model.report import Problem, Source
from lzgis.rasters.city import CityRaster, as_city, city_raster, city_zones
from lzgis.rasters.cover import Zones, from_grid, to_grid, zones_of
from lzgis.rasters.grid import TILE, Grid, require_same_grid
from lzgis.rasters.stats import land_cover_codes
from lzgis.rasters.tabulate import Coder, tabulate
from lzgis.screening.check import Progress

#: Patches smaller than this are counted but not drawn; it is the usual least area of a mapped parcel.
MIN_AREA_M2 = 400.0
REDLINE, FUNCTION, UNITS = "redline", "function", "control_units"


@dataclass(frozen=True, eq=False)
class RasterChange:
    """The changes between two dates inside a layer.

    Attributes
    ----------
    before, after : str
        Ids of the two rasters.
    transitions : DataFrame
        One row per zone and pair of classes that occurs, unchanged ones too: ``level``, ``zone_id``, ``zone_name``,
        ``before``, ``after`` (titles, empty where a raster has no data), ``cells``, ``area_m2`` on the ellipsoid,
        ``share`` of the zone.
    patches : GeoDataFrame
        Converted patches inside the layer, the largest first, in EPSG:4490: ``patch``, ``before``, ``after``,
        ``area_m2``, ``feature_id``, ``feature_name``, ``function``, ``unit_id``, ``unit_name`` (of the largest part).
    min_area_m2 : float
        The least area of a patch that is drawn.
    dropped : tuple
        How many smaller patches there are, and their area, m².
    problems : tuple of Problem
        Problems with the rasters.
    sources : tuple of Source
        The files of the two rasters.
    """

    before: str
    after: str
    transitions: pd.DataFrame
    patches: gpd.GeoDataFrame
    min_area_m2: float
    dropped: tuple[int, float]
    problems: tuple[Problem, ...]
    sources: tuple[Source, ...]

    def matrix(self, level: str | None = None, zone_id: str | None = None) -> pd.DataFrame:
        """Return the areas in hectares, earlier classes as rows and later ones as columns; of the whole layer by default."""
        level = self.transitions["level"].iloc[0] if level is None else level
        rows = self.transitions[self.transitions["level"] == level]
        rows = rows if zone_id is None else rows[rows["zone_id"] == zone_id]
        table = rows.pivot_table(index="before", columns="after", values="area_m2", aggfunc="sum", fill_value=0.0)
        return table / 1e4

    @property
    def converted(self) -> pd.DataFrame:
        """The rows of `transitions` in which the class changed."""
        rows = self.transitions
        return rows[(rows["before"] != rows["after"]) & (rows["before"] != "") & (rows["after"] != "")]

    def write(self, path: str | Path) -> Path:
        """Write patches and transitions as a GeoPackage.

        Raises
        ------
        ExportError
            If the file cannot be written.
        """
        path = Path(path)

        def make(made: Path) -> dict[str, int]:
            pyogrio.write_dataframe(self.patches, made, layer="patches", driver="GPKG", geometry_type="MultiPolygon")
            pyogrio.write_dataframe(self.transitions, made, layer="transitions", driver="GPKG", append=True)
            return {"patches": len(self.patches), "transitions": len(self.transitions)}

        write_atomic(path, make)
        return path


def raster_change(
    city: Catalogue | str | Path,
    before: str,
    after: str,
    *,
    within: str = REDLINE,
    min_area_m2: float = MIN_AREA_M2,
    progress: Progress | None = None,
) -> RasterChange:
    """Compare two land covers inside a layer: as a whole, by function type and by control unit.

    Parameters
    ----------
    city : Catalogue or path
        The city, or its folder.
    before, after : str
        Ids of two land-cover rasters on the same grid.
    within : str
        The layer inside which changes are counted.
    min_area_m2 : float
        The least area of a converted patch that is drawn; smaller ones are counted and summed.
    progress : callable, optional
        Called with the name of the task, the number of finished steps, and the number of all steps.

    Returns
    -------
    RasterChange
        Areas from class to class, and the patches of change.

    Raises
    ------
    ConfigError
        If a raster or the layer is not known, or the least area is negative.
    SourceError
        If a raster cannot be used, or the grids differ; nothing is resampled.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> found = raster_change(reference_city(), "landcover_2015", "landcover_2020")
    >>> found.patches.loc[0, ["before", "after"]].tolist()
    ['草地', '林地']
    """
    city = as_city(city)
    if not min_area_m2 >= 0:
        what = Message("{given!r} is not allowed", given=min_area_m2)
        raise ConfigError("min_area_m2", what, Message("give square metres, 0 or more"))
    pair = (city_raster(city, before, kind="landcover"), city_raster(city, after, kind="landcover"))
    require_same_grid(pair[1].grid, pair[0].grid)
    steps = _Steps(progress)
    zones = _zones(city, within)
    steps.next()
    transitions = _transitions(pair, zones)
    steps.next()
    patches, dropped = _patches(city, pair, within, min_area_m2)
    steps.next()
    problems = tuple(dict.fromkeys((*pair[0].problems, *pair[1].problems)))
    sources = (pair[0].source, pair[1].source)
    return RasterChange(before, after, transitions, patches, min_area_m2, dropped, problems, sources)


class _Steps:
    """Reports the three steps of a comparison to a progress callback."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress, self.done = progress, 0

    def next(self) -> None:
        """Report that a step is done."""
        self.done += 1
        if self.progress:
            self.progress("raster", self.done, 3)


def _zones(city: Catalogue, within: str) -> Zones:
    """Make zones of the layer: as a whole, by function type, and by control unit."""
    whole = city_zones(city, [f"{within}.*"])
    frame = city.load(within).layer.frame
    parts = list(zip(whole.level, whole.id, whole.name, whole.geometry, strict=True))
    if FUNCTION in frame.columns:
        by_function = city_zones(city, [f"{within}.{FUNCTION}"])
        parts += zip(by_function.level, by_function.id, by_function.name, by_function.geometry, strict=True)
    if within != UNITS and city.exists(UNITS):
        units = city_zones(city, [UNITS])
        inside = shapely.intersection(units.geometry, whole.geometry[0])
        inside = part_of_dimension(inside, np.full(len(inside), 2))
        kept = np.flatnonzero(~shapely.is_empty(inside))
        parts += [(UNITS, units.id[k], units.name[k], inside[k]) for k in kept]
    return zones_of(parts)


def _pair_coder(pair: tuple[CityRaster, CityRaster]) -> tuple[Coder, list[str], list[str]]:
    """Return a function that codes the pair of classes of each cell, and the titles of both; empty for no class."""
    coders, titles = [], []
    for one in pair:
        coder, classes = land_cover_codes(one)
        coders.append(coder)
        titles.append([*(c[1] for c in classes), "", ""])
    wide = len(titles[1])

    def code(window: Window) -> npt.NDArray[np.intp]:
        return np.asarray(coders[0](window) * wide + coders[1](window), dtype=np.intp)

    return code, titles[0], titles[1]


def _transitions(pair: tuple[CityRaster, CityRaster], zones: Zones) -> pd.DataFrame:
    grid = pair[0].grid
    code, early, late = _pair_coder(pair)
    table = tabulate(grid, to_grid(grid, zones.geometry), code, len(early) * len(late))
    rows = []
    for k, codes in zip(*np.nonzero(table.area > 0), strict=True):
        one, other = divmod(int(codes), len(late))
        area, cells = table.area[k, codes], table.cells[k, codes]
        head = (zones.level[k], zones.id[k], zones.name[k])
        rows.append((*head, early[one], late[other], cells, area, area / table.area[k].sum()))
    columns = ["level", "zone_id", "zone_name", "before", "after", "cells", "area_m2", "share"]
    frame = pd.DataFrame(rows, columns=columns)
    names = ["level", "zone_id", "zone_name", "before", "after"]
    # Unknown and missing values both have an empty title; their rows are added up.
    return frame.groupby(names, sort=False, as_index=False).sum()


def _patches(
    city: Catalogue, pair: tuple[CityRaster, CityRaster], within: str, min_area_m2: float
) -> tuple[gpd.GeoDataFrame, tuple[int, float]]:
    grid = pair[0].grid
    layer = city.load(within).layer
    features = to_grid(grid, layer.frame.geometry.to_numpy())
    region = shapely.union_all(features)
    code, early, late = _pair_coder(pair)
    blocks, codes = _polygons(grid, _changed(code, (early, late)), region)
    parts = part_of_dimension(shapely.intersection(blocks, region), np.full(len(blocks), 2))
    kept = np.flatnonzero(~shapely.is_empty(parts))
    degrees = from_grid(grid, parts[kept])
    area = shapely.area(city.plane.project(degrees)) if len(kept) else np.zeros(0)
    large = area >= min_area_m2
    dropped = (int((~large).sum()), float(area[~large].sum()))
    order = np.flatnonzero(large)[np.argsort(-area[large], kind="stable")]
    one, other = np.divmod(codes[kept][order] - 1, len(late))
    data: dict[str, Any] = {
        "patch": np.arange(1, len(order) + 1),
        "before": [early[k] for k in one],
        "after": [late[k] for k in other],
        "area_m2": area[order],
        **_owners(city, within, degrees[order]),
    }
    geometry = [g if g.geom_type == "MultiPolygon" else shapely.MultiPolygon([g]) for g in degrees[order]]
    return gpd.GeoDataFrame(data, geometry=geometry, crs="EPSG:4490"), dropped


def _changed(code: Coder, titles: tuple[list[str], list[str]]) -> Callable[[Window], npt.NDArray[np.int32]]:
    """Return a function that marks cells whose class changed by the code of the pair plus one, and others by 0."""
    early, late = (np.array(t, dtype=object) for t in titles)
    pairs = np.arange(len(early) * len(late))
    one, other = early[pairs // len(late)], late[pairs % len(late)]
    counts = np.array((one != other) & (one != "") & (other != ""), dtype=bool)

    def marks(window: Window) -> npt.NDArray[np.int32]:
        codes = code(window)
        return np.where(counts[codes], codes + 1, 0).astype(np.int32)

    return marks


def _polygons(
    grid: Grid, marks: Callable[[Window], npt.NDArray[np.int32]], region: shapely.Geometry
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    """Trace the marked cells that meet the region; cells that share an edge and a mark are one patch."""
    rows, columns = grid.shape
    profile = {"driver": "GTiff", "width": columns, "height": rows, "count": 1, "dtype": "int32", "nodata": 0}
    profile |= {"transform": grid.transform, "compress": "deflate", "tiled": True}
    profile |= {"blockxsize": 256, "blockysize": 256, "sparse_ok": True, "bigtiff": "if_safer"}
    shapely.prepare(region)
    found = []
    with tempfile.TemporaryDirectory(prefix="lzgis-") as folder:
        path = Path(folder) / "marks.tif"
        with rasterio.open(path, "w", **profile, crs=grid.crs.to_wkt()) as out:
            for window in grid.windows(TILE):
                if shapely.intersects(region, shapely.box(*grid.window_bounds(window))):
                    out.write(marks(window), 1, window=window)
        with rasterio.open(path) as source:
            for geometry, mark in shapes(rasterio.band(source, 1), connectivity=4):
                if mark:
                    rings = geometry["coordinates"]
                    block = shapely.Polygon(rings[0], rings[1:])
                    if shapely.intersects(region, block):
                        found.append((block, int(mark)))
    blocks = np.empty(len(found), dtype=object)
    blocks[:] = [block for block, _ in found]
    return blocks, np.array([mark for _, mark in found], dtype=np.intp)


def _owners(city: Catalogue, within: str, patches: npt.NDArray[np.object_]) -> dict[str, list[str]]:
    """Return the feature and the control unit that hold the largest part of each patch."""
    columns: dict[str, list[str]] = {}
    layers = {within: ("feature_id", "feature_name", FUNCTION)}
    if within != UNITS and city.exists(UNITS):
        layers[UNITS] = ("unit_id", "unit_name", "")
    for name, (id_column, name_column, extra) in layers.items():
        frame = city.load(name).layer.frame
        tree = shapely.STRtree(frame.geometry.to_numpy())
        largest = []
        for patch in patches:
            near = tree.query(patch, predicate="intersects")
            common = shapely.area(shapely.intersection(frame.geometry.to_numpy()[near], patch))
            largest.append(int(near[int(np.argmax(common))]) if len(near) else -1)
        for column, field in ((id_column, "id"), (name_column, "name"), (extra, extra)):
            if column and field in frame.columns:
                values = frame[field].fillna("").astype(str).to_numpy()
                columns[column] = [values[k] if k >= 0 else "" for k in largest]
    return columns
