"""Duplicates in an input: rows of equal shape, rows that overlap, and areas that differ from the declared ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import Geometries, plane_for
from lzgis.reading.area_units import AreaFit, fitting_unit

#: Names of fields of declared areas, in lower case.
AREA_FIELDS = (
    *("面积", "用地面积", "地块面积", "图斑面积", "占地面积", "总面积", "项目面积", "area", "shape_area", "st_area_sh"),
    *("mj", "dkmj", "tbmj", "zmj", "ydmj", "jsmj", "area_m2", "area_ha", "shape_ar"),
)
#: Overlaps below this (m²) are noise of the coordinates.
_NOISE_M2 = 0.01


@dataclass(frozen=True)
class Overlap:
    """Two rows that share an area; rows are counted from 1."""

    row: int
    other_row: int
    id: str
    other_id: str
    area_m2: float


@dataclass(frozen=True)
class AreaField:
    """A field of declared areas: the unit in which it agrees with the computed areas, and the rows that do not agree.

    `misfits` holds for each of these the row from 1, its id, the figure as written and the computed area in m².
    """

    field: str
    unit: str
    measured: str
    rows: int
    fitting: int
    misfits: tuple[tuple[int, str, str, float], ...]


def equal_shapes(geometries: Geometries) -> tuple[tuple[int, ...], ...]:
    """Group rows, counted from 1, that have the same shape, for any first point of its rings.

    Examples
    --------
    >>> equal_shapes(np.array([shapely.box(0, 0, 1, 1), shapely.box(0, 0, 2, 1), shapely.box(0, 0, 1, 1, ccw=False)]))
    ((1, 3),)
    """
    present = np.flatnonzero(~shapely.is_missing(geometries) & ~shapely.is_empty(geometries))
    groups: dict[bytes, list[int]] = {}
    for i, key in zip(present, shapely.to_wkb(shapely.normalize(geometries[present])), strict=True):
        groups.setdefault(key, []).append(int(i) + 1)
    return tuple(tuple(rows) for rows in groups.values() if len(rows) > 1)


def overlaps(degrees: Geometries, ids: Sequence[str]) -> tuple[Overlap, ...]:
    """List the pairs of valid polygons that share an area, the largest overlap first.

    Parameters
    ----------
    degrees : array of shapely geometries
        On CGCS2000, in degrees.
    ids : sequence of str
        The name of each row.

    Examples
    --------
    >>> squares = np.array([shapely.box(112, 25, 112.01, 25.01), shapely.box(112.005, 25, 112.015, 25.01)])
    >>> [(one.id, one.other_id, round(one.area_m2)) for one in overlaps(squares, ["a", "b"])]
    [('a', 'b', 559102)]
    """
    which = np.flatnonzero(
        (shapely.get_dimensions(degrees) == 2) & shapely.is_valid(degrees) & ~shapely.is_empty(degrees)
    )
    if len(which) < 2:
        return ()
    flat = plane_for(tuple(shapely.total_bounds(degrees[which]))).project(degrees[which])
    first, second = shapely.STRtree(flat).query(flat, predicate="intersects")
    first, second = first[first < second], second[first < second]
    areas = shapely.area(shapely.intersection(flat[first], flat[second]))
    order = [i for i in np.argsort(-areas, kind="stable") if areas[i] > _NOISE_M2]
    rows = [(int(which[first[i]]), int(which[second[i]]), float(areas[i])) for i in order]
    return tuple(Overlap(a + 1, b + 1, ids[a], ids[b], area) for a, b, area in rows)


def area_fields(
    frame: gpd.GeoDataFrame, degrees: Geometries, plane_m2: np.ndarray | None, ids: Sequence[str]
) -> tuple[AreaField, ...]:
    """Compare the fields of declared areas with the computed areas, and find their unit.

    Parameters
    ----------
    frame : GeoDataFrame
        The rows as read.
    degrees : array of shapely geometries
        Their shapes on CGCS2000, in degrees.
    plane_m2 : array of float, optional
        Their areas in the projection of the input (m²), if that is in metres.
    ids : sequence of str
        The name of each row.
    """
    names = [c for c in frame.columns if str(c).lower() in AREA_FIELDS]
    which = np.flatnonzero((shapely.get_dimensions(degrees) == 2) & np.isfinite(shapely.bounds(degrees)).all(axis=1))
    if not names or not len(which):
        return ()
    on_ellipsoid = np.full(len(frame), np.nan)
    plane = plane_for(tuple(shapely.total_bounds(degrees[which])))
    on_ellipsoid[which] = shapely.area(plane.project(degrees[which]))
    in_plane = on_ellipsoid if plane_m2 is None else plane_m2
    found = []
    for name in names:
        given = {int(i): text for i in which if (text := _text(frame[name].iloc[i]))}
        computed = {i: (float(in_plane[i]), float(on_ellipsoid[i])) for i in given}
        fits = {i: fit for i, text in given.items() if (fit := _fit(text, computed[i])) is not None}
        if not given:
            continue
        units = pd.Series([(fit.unit, fit.measured) for fit in fits.values()], dtype=object).value_counts()
        unit, measured = units.index[0] if len(units) else ("", "")
        agree = {i for i, fit in fits.items() if fit.unit == unit}
        misfits = tuple((i + 1, ids[i], text, computed[i][1]) for i, text in given.items() if i not in agree)
        found.append(AreaField(str(name), unit, measured, len(given), len(agree), misfits))
    return tuple(found)


def _text(value: Any) -> str:
    return "" if pd.isna(value) else unicodedata.normalize("NFKC", str(value)).strip()


def _fit(text: str, computed: tuple[float, float]) -> AreaFit | None:
    found = re.match(r"(\d[\d,]{0,20})(\.\d{0,20})?\s*(\D*)$", text)
    if found is None:
        return None
    decimals = max(len(found.group(2) or "") - 1, 0)
    declared = float(found.group(1).replace(",", "") + (found.group(2) or ""))
    # A number that a table stores as 1.5 may have been 1.5000, so at least two decimals are assumed.
    return (
        fitting_unit(declared, computed, decimals=max(decimals, 2), unit=found.group(3).strip()) if declared else None
    )
