"""Land cover or slope by zone, with areas on the ellipsoid, compared with declared figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from rasterio.windows import Window

from lzgis.city.catalogue import Catalogue, area_km2
from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.model.catalogue import Declared
from lzgis.model.report import Problem, SiteTable, Source
from lzgis.rasters.city import CityRaster, as_city, as_sites, city_raster, city_zones, raster_ids, sites_without_area
from lzgis.rasters.cover import Zones, to_grid
from lzgis.rasters.grid import grid_difference
from lzgis.rasters.slope import CLASSES, NO_SLOPE, STEEP, slope_codes
from lzgis.rasters.tabulate import Coder, Table, area_outside, tabulate
from lzgis.screening.check import Progress

#: Kinds of rows of a composition: a class of the raster, or a part of the zone for which the raster has no class.
CLASS, UNKNOWN, NO_VALUE, NOT_COVERED = "class", "unknown-value", "no-value", "not-covered"
#: Layers whose area on the steepest slopes is measured.
LIMITED = ("farmland", "town_boundary", "industrial_parks")
COMPOSITION = (
    "level",
    "zone_id",
    "zone_name",
    "what",
    "value",
    "title",
    "title_en",
    "role",
    "cells",
    "area_m2",
    "share",
)


class RasterMeasured(NamedTuple):
    """A declared figure of a raster beside the measured one."""

    declared: Declared
    measured: float
    holds: bool


@dataclass(frozen=True, eq=False)
class RasterStats:
    """The composition of zones.

    Attributes
    ----------
    raster : str
        Id of the raster.
    composition : DataFrame
        One row per zone and class: ``level`` and ``zone_id`` of the zone, ``what`` (``class``, or ``unknown-value``,
        ``no-value`` and ``not-covered`` for parts without a class), ``value``, ``title``, ``role``, ``cells``
        (sum of covered shares), ``area_m2`` on the ellipsoid, ``share`` of the zone. The shares of a zone sum to one.
    declared : tuple
        Declared and measured figures.
    limits : DataFrame
        For an elevation raster: the area of farmland and building land steeper than 25°.
    problems : tuple of Problem
        Problems with the raster, the zones and the sites.
    source : Source
        The file of the raster.
    """

    raster: str
    composition: pd.DataFrame
    declared: tuple[RasterMeasured, ...]
    limits: pd.DataFrame
    problems: tuple[Problem, ...]
    source: Source

    def share(self, level: str, zone_id: str, **which: Any) -> float:
        """Return the share of a zone that the classes with this ``title``, ``role`` or ``value`` cover together."""
        rows = self.composition
        rows = rows[(rows["level"] == level) & (rows["zone_id"] == zone_id) & (rows["what"] == CLASS)]
        for column, value in which.items():
            rows = rows[rows[column].isin([value] if isinstance(value, str | int | float) else list(value))]
        return float(rows["share"].sum())


@dataclass(frozen=True, eq=False)
class _Legend:
    """The codes of a raster: its classes, then unknown values, then no value."""

    classes: list[tuple[float, str, str, str]]
    coder: Coder
    unknown: dict[int, int] = field(default_factory=dict)

    @property
    def codes(self) -> int:
        return len(self.classes) + 2


def raster_stats(
    city: Catalogue | str | Path,
    raster: str | None = None,
    *,
    by: Sequence[str] | None = None,
    sites: SiteTable | gpd.GeoDataFrame | str | Path | None = None,
    progress: Progress | None = None,
) -> RasterStats:
    """Summarise land cover, or slope, by zone.

    Every cell is weighted by the exact share that a zone covers, and by its area on the ellipsoid: the cells of a degree
    grid shrink towards the pole.

    Parameters
    ----------
    city : Catalogue or path
        The city, or its folder.
    raster : str, optional
        Id of the raster in the catalogue; the latest land cover if not given. An elevation raster gives slope classes.
    by : sequence of str, optional
        Zones: ``layer`` for each feature, ``layer.field`` for each value of a field, ``layer.*`` for a whole layer. The
        default is city, redline, its functions, control units and reserves.
    sites : SiteTable, GeoDataFrame or path, optional
        Sites, each a zone of its own at the level ``sites``.
    progress : callable, optional
        Called with the name of the task, the number of finished steps, and the number of all steps.

    Returns
    -------
    RasterStats
        Areas of the classes, of the raster and by zone.

    Raises
    ------
    ConfigError
        If the raster, a layer or a field is not known.
    SourceError
        If the raster cannot be used: missing, damaged, without reference system, rotated.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> found = raster_stats(reference_city(), "landcover_2020", by=["redline.*"])
    >>> round(found.share("redline.*", "redline", role="forest"), 2)
    0.85
    """
    city = as_city(city)
    one = city_raster(city, raster if raster is not None else _latest(city))
    table_of_sites = None if sites is None else as_sites(sites)
    zones = city_zones(city, by, sites=table_of_sites)
    legend, zones_in_grid = _legend(one), to_grid(one.grid, zones.geometry)
    step = progress or (lambda *_: None)
    step("raster", 0, 1)
    table = tabulate(one.grid, zones_in_grid, legend.coder, legend.codes)
    composition = _composition(zones, table, area_outside(one.grid, zones_in_grid, city), legend)
    limits, more = _limits(city, one) if one.spec.kind == "elevation" else (_no_limits(), ())
    no_area = () if table_of_sites is None else sites_without_area(table_of_sites)
    problems = (*one.problems, *no_area, *_value_problems(one, legend, composition), *more)
    step("raster", 1, 1)
    return RasterStats(one.id, composition, _declared(city, one, legend), limits, problems, one.source)


def raster_declared(city: Catalogue | str | Path, raster: str) -> tuple[RasterMeasured, ...]:
    """Measure the figures that are declared for a land-cover raster.

    Parameters
    ----------
    city : Catalogue or path
        The city, or its folder.
    raster : str
        Id of the raster.

    Returns
    -------
    tuple of RasterMeasured
        The declared and the measured figures, in the order of ``catalog.toml``.

    Raises
    ------
    ConfigError
        If the raster is not known, or a declared figure is not possible for a raster.
    SourceError
        If the raster cannot be used.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> [(one.declared.value, one.holds) for one in raster_declared(reference_city(), "landcover_2020")]
    [(0.6821, True), (0.6821, False)]
    """
    city = as_city(city)
    one = city_raster(city, raster)
    return _declared(city, one, _legend(one))


def _composition(zones: Zones, table: Table, outside: npt.NDArray[np.float64], legend: _Legend) -> pd.DataFrame:
    rows = []
    for k in range(len(zones)):
        total = table.area[k].sum() + outside[k]
        head = (zones.level[k], zones.id[k], zones.name[k])
        for code, (value, title, title_en, role) in enumerate(legend.classes):
            area = table.area[k, code]
            rows.append((*head, CLASS, value, title, title_en, role, table.cells[k, code], area, area / total))
        codes = zip((UNKNOWN, NO_VALUE), (-2, -1), strict=True)
        no_class = [(what, table.cells[k, at], table.area[k, at]) for what, at in codes]
        for what, cells, area in (*no_class, (NOT_COVERED, np.nan, outside[k])):
            if area > 0:
                rows.append((*head, what, np.nan, "", "", "", cells, area, area / total))
    return pd.DataFrame(rows, columns=list(COMPOSITION))


def _latest(city: Catalogue) -> str:
    known = raster_ids(city, "landcover")
    if not known:
        remedy = Message("describe one under [raster.ID] in the catalogue")
        raise ConfigError(str(city.root), Message("the city has no land-cover raster"), remedy)
    return known[-1]


def _legend(one: CityRaster) -> _Legend:
    if one.spec.kind == "elevation":
        classes = [(float(k + 1), title, title, "") for k, title in enumerate(CLASSES)]

        def slopes(window: Window) -> npt.NDArray[np.intp]:
            codes = slope_codes(one.grid, window)
            return np.where(codes == NO_SLOPE, NO_SLOPE + 1, codes)

        return _Legend(classes, slopes)
    spec = one.spec.classes
    known = sorted(spec)
    unknown: dict[int, int] = {}

    def covers(window: Window) -> npt.NDArray[np.intp]:
        values = one.grid.read(window)
        flat = values.filled(0).astype(np.int64)
        at = np.clip(np.searchsorted(known, flat), 0, len(known) - 1)
        unlisted = (np.asarray(known)[at] != flat) & ~np.ma.getmaskarray(values)
        for value, count in zip(*np.unique(flat[unlisted], return_counts=True), strict=True):
            unknown[int(value)] = unknown.get(int(value), 0) + int(count)
        return np.where(np.ma.getmaskarray(values), len(known) + 1, np.where(unlisted, len(known), at))

    classes = [(float(k), spec[k].title, spec[k].title_en, spec[k].role) for k in known]
    return _Legend(classes, covers, unknown)


def land_cover_codes(one: CityRaster) -> tuple[Coder, list[tuple[float, str, str, str]]]:
    """Return a function that codes the cells of a land-cover raster (classes, unknown, no value), and the classes."""
    legend = _legend(one)
    return legend.coder, legend.classes


def _value_problems(one: CityRaster, legend: _Legend, composition: pd.DataFrame) -> list[Problem]:
    place = Message("raster '{raster}' ({source})", raster=one.id, source=one.spec.source)
    problems = []
    for value, count in sorted(legend.unknown.items()):
        what = Message(
            "{count} cells hold the value {value}, which no class of the catalogue names", count=count, value=value
        )
        problems.append(
            Problem("warning", place, what, Message("name it under 'classes'; until then it counts as unknown"))
        )
    no_data = composition[composition["what"].isin([NO_VALUE, NOT_COVERED])]
    # Tiny parts, as of a border drawn a metre outside the raster, are not reported.
    for zone in no_data[no_data["share"] > 1e-6].itertuples():
        what = Message("has no data for {share:.4%} of {zone}", share=zone.share, zone=zone.zone_name or zone.zone_id)
        problems.append(
            Problem("warning", place, what, Message("that part is in no class; give a raster that covers it"))
        )
    return problems


def _declared(city: Catalogue, one: CityRaster, legend: _Legend) -> tuple[RasterMeasured, ...]:
    if not one.spec.declared:
        return ()
    outline = to_grid(one.grid, np.array([city.outline], dtype=object))
    area = tabulate(one.grid, outline, legend.coder, legend.codes).area[0]
    columns = {"title": 1, "role": 3}
    found = []
    for declared in one.spec.declared:
        not_allowed = [name for name in declared.where if name not in columns]
        if not_allowed or declared.what == "count":
            place = Message("{place}, raster '{raster}'", place=str(city.root), raster=one.id)
            what = Message("'{given}' is not allowed", given=not_allowed[0] if not_allowed else declared.what)
            raise ConfigError(
                place, what, Message("a raster can declare area_km2 or share_of_city, filtered by title or role")
            )
        chosen = [
            code
            for code, entry in enumerate(legend.classes)
            if all(entry[columns[name]] in values for name, values in declared.where.items())
        ]
        measured = float(area[chosen].sum()) / 1e6
        if declared.what == "share_of_city":
            whole = declared.denominator_km2 or area_km2(city, city.city.outline)
            measured /= whole
        holds = abs(measured - declared.value) <= declared.tolerance + 1e-12
        found.append(RasterMeasured(declared, measured, holds))
    return tuple(found)


def _no_limits() -> pd.DataFrame:
    columns = {
        "kind": str,
        "id": str,
        "title": str,
        "title_en": str,
        "steep_m2": float,
        "area_m2": float,
        "share": float,
    }
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})


def _limits(city: Catalogue, one: CityRaster) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """Measure the area steeper than 25° of layers, and of classes of the latest land cover if its grid is the same."""
    rows = []
    for name in LIMITED:
        if city.exists(name):
            layer = city.load(name).layer
            shape = to_grid(one.grid, np.array([shapely.union_all(layer.frame.geometry.to_numpy())], dtype=object))
            area = tabulate(one.grid, shape, lambda w: slope_codes(one.grid, w), NO_SLOPE + 1).area[0]
            rows.append(("layer", name, layer.spec.title, layer.spec.title_en, area[STEEP], area.sum()))
    problems: tuple[Problem, ...] = ()
    names = raster_ids(city, "landcover")
    if names:
        cover = city_raster(city, names[-1])
        differs = grid_difference(cover.grid, one.grid)
        if differs is not None:
            remedy = Message("bring it to the grid of the elevation yourself; classes are not compared with slope")
            problems = (Problem("warning", str(cover.grid.path), differs, remedy),)
        else:
            rows += _steep_cover(city, one, cover)
    frame = pd.DataFrame(rows, columns=["kind", "id", "title", "title_en", "steep_m2", "area_m2"])
    return frame.assign(share=frame["steep_m2"] / frame["area_m2"].where(frame["area_m2"] > 0)), problems


def _steep_cover(city: Catalogue, one: CityRaster, cover: CityRaster) -> list[tuple[Any, ...]]:
    coder, classes = land_cover_codes(cover)
    wide = len(classes) + 2
    outline = to_grid(one.grid, np.array([city.outline], dtype=object))

    def both(window: Window) -> npt.NDArray[np.intp]:
        return slope_codes(one.grid, window) * wide + coder(window)

    area = tabulate(one.grid, outline, both, (NO_SLOPE + 1) * wide).area[0].reshape(NO_SLOPE + 1, wide)
    rows: list[tuple[Any, ...]] = []
    for code, (_, title, title_en, role) in enumerate(classes):
        if role in ("farmland", "built"):
            rows.append(("class", cover.id, title, title_en, area[STEEP, code], area[:, code].sum()))
    return rows
