"""Outlines that come as lines or points: which rows enclose an area, and the polygons that they enclose.

A line encloses an area if it ends where it begins, or nearly so; several lines, if they join end to end to a ring; points, if
they are numbered one after the other, as boundary points are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from lzgis.coordinates.plane import ELLIPSOID, Coordinates, Geometries, ellipsoidal_area_m2
from lzgis.messages import Message
from lzgis.model.report import Problem, Repair
from lzgis.reading.field_names import POINT_LABELS

#: The largest gap between the ends of an outline (m), and its largest share of the length of the outline.
GAP_M, GAP_SHARE = 10.0, 0.02
#: Ends of two lines that are nearer than this (m) join.
JOIN_M = 0.5
#: The least area that is taken for enclosed (m²): a line that runs there and back encloses none.
_LEAST_M2 = 1.0
#: The most outlines that are named one by one.
_NAMED = 5
_NUMBER = re.compile(r"^\s*(?:第)?(j|jzd|p|dk|界址点|拐点|点|界址)?[-_ ]?(\d{1,6})(?:号)?(?:点)?\s*$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Outline:
    """An area that rows enclose: their positions, the polygon in degrees, the largest gap (m), and the area (m²)."""

    rows: tuple[int, ...]
    polygon: shapely.Geometry
    gap_m: float
    area_m2: float
    points: bool = False

    @property
    def done(self) -> Message:
        """What was done if the polygon is used."""
        if self.points:
            return Message("{count} numbered points were taken as the corners of a polygon", count=len(self.rows))
        if len(self.rows) == 1:
            return Message(
                "a line that encloses an area was taken as a polygon; its gap is {gap:.3f} m", gap=self.gap_m
            )
        return Message(
            "{count} lines that join end to end were taken as a polygon; the largest gap is {gap:.3f} m",
            count=len(self.rows),
            gap=self.gap_m,
        )


def outlines_of(frame: gpd.GeoDataFrame, degrees: Geometries) -> list[Outline]:
    """Return the areas that lines or points of a table enclose.

    Parameters
    ----------
    frame : GeoDataFrame
        The table; points are recognised by its column of point numbers.
    degrees : array of shapely geometries
        Its shapes in degrees on CGCS2000.

    Examples
    --------
    >>> corners = [(112.0, 25.0), (112.001, 25.0), (112.001, 25.001), (112.0, 25.001), (112.0, 25.0)]
    >>> path = np.array([shapely.LineString(corners)])
    >>> found = outlines_of(gpd.GeoDataFrame({"name": ["a"]}, geometry=path), path)
    >>> found[0].rows, round(found[0].area_m2)
    ((0,), 11182)
    """
    kinds = shapely.get_type_id(degrees)
    finite = np.isfinite(shapely.bounds(degrees)).all(axis=1)
    lines = np.flatnonzero(np.isin(kinds, (1, 2, 5)) & finite)
    if len(lines):
        alone = [one for i in lines.tolist() if (one := _of_line(degrees[i], i)) is not None]
        done = {one.rows[0] for one in alone}
        others = [i for i in lines.tolist() if i not in done and kinds[i] != 5]
        return sorted([*alone, *_chained(degrees, others)], key=lambda one: one.rows)
    if len(degrees) and (kinds[finite] == 0).all() and finite.sum() > 2:
        return _of_points(frame, degrees, np.flatnonzero(finite).tolist())
    return []


def _of_line(line: shapely.Geometry, row: int) -> Outline | None:
    """Return the area that one line encloses, which may have several parts."""
    merged = shapely.line_merge(line) if shapely.get_type_id(line) == 5 else line
    rings, gaps = [], []
    for part in shapely.get_parts(merged):
        xy = shapely.get_coordinates(part)
        gap = _metres(xy[0], xy[-1])
        if len(np.unique(xy, axis=0)) < 3 or gap > min(GAP_M, GAP_SHARE * ELLIPSOID.geometry_length(part)):
            return None
        rings.append(shapely.Polygon(xy if gap == 0 else np.vstack([xy, xy[:1]])))
        gaps.append(gap)
    return _outline((row,), rings, max(gaps)) if rings else None


def _outline(
    rows: tuple[int, ...], rings: Sequence[shapely.Polygon], gap: float, *, points: bool = False
) -> Outline | None:
    polygon = rings[0] if len(rings) == 1 else shapely.MultiPolygon(rings)
    area = float(ellipsoidal_area_m2([shapely.make_valid(polygon, method="structure")])[0])
    return Outline(rows, polygon, gap, area, points) if area >= _LEAST_M2 else None


def _metres(one: Coordinates, other: Coordinates) -> float:
    return 0.0 if (one == other).all() else float(ELLIPSOID.inv(*one, *other)[2])


def _chained(degrees: Geometries, rows: list[int]) -> list[Outline]:
    """Return rings of lines that join end to end, each end with exactly one other."""
    if len(rows) < 2:
        return []
    coordinates = [shapely.get_coordinates(degrees[i]) for i in rows]
    shortest = min(ELLIPSOID.geometry_length(degrees[i]) for i in rows)
    ends = np.array([[xy[0], xy[-1]] for xy in coordinates]).reshape(-1, 2)
    scale = 111_320.0 * np.array([np.cos(np.radians(ends[:, 1].mean())), 1.0])
    places = np.asarray(shapely.points(ends * scale), dtype=object)
    one, other = shapely.STRtree(places).query(places, predicate="dwithin", distance=min(JOIN_M, shortest / 4))
    count = np.bincount(one[one != other], minlength=len(ends))
    partner = np.full(len(ends), -1)
    partner[one[one != other]] = other[one != other]
    found, seen = [], set()
    for start in range(len(rows)):
        if start in seen:
            continue
        ring = _walk(start, partner, count)
        seen |= {end // 2 for end in ring or [2 * start]}
        if ring is None or len(ring) < 2:
            continue
        parts = [coordinates[end // 2][:: 1 if end % 2 == 0 else -1] for end in ring]
        gaps = [_metres(a[-1], b[0]) for a, b in zip(parts, [*parts[1:], parts[0]], strict=True)]
        xy = np.vstack([part if gap > 0 else part[:-1] for part, gap in zip(parts, gaps, strict=True)])
        if len(np.unique(xy, axis=0)) > 2:
            made = _outline(tuple(sorted(rows[end // 2] for end in ring)), [shapely.Polygon(xy)], max(gaps))
            found += [made] if made is not None else []
    return found


def _walk(start: int, partner: np.ndarray, count: np.ndarray) -> list[int] | None:
    """Follow lines from end to end; return the ends where each begins, None if they form no ring."""
    ring, end = [], 2 * start
    while True:
        ring.append(end)
        leaving = end ^ 1
        if count[leaving] != 1 or len(ring) > len(partner):
            return None
        end = int(partner[leaving])
        if end == 2 * start:
            return ring


def _of_points(frame: gpd.GeoDataFrame, degrees: Geometries, rows: list[int]) -> list[Outline]:
    """Return rings of points that are numbered one after the other; a number that starts again begins another ring."""
    numbers = _numbers(frame, rows)
    runs: list[list[int]] = []
    for row, number in zip(rows, numbers, strict=False):
        if not runs or number != numbers[rows.index(runs[-1][-1])] + 1:
            runs.append([])
        runs[-1].append(row)
    # The first point may stand again at the end of its ring.
    joined: list[list[int]] = []
    for run in runs:
        if len(run) == 1 and joined and shapely.equals(degrees[run[0]], degrees[joined[-1][0]]):
            joined[-1].append(run[0])
        else:
            joined.append(run)
    if not numbers or any(len(run) < 3 for run in joined):
        return []
    made = [
        _outline(tuple(run), [shapely.Polygon(shapely.get_coordinates(degrees[run]))], 0.0, points=True)
        for run in joined
    ]
    return [one for one in made if one is not None]


def _numbers(frame: gpd.GeoDataFrame, rows: list[int]) -> list[int]:
    """Return the numbers of points; empty if not every row has one."""
    names = [str(name) for name in frame.columns if name != frame.geometry.name]
    for name in sorted(names, key=lambda one: one.lower() not in POINT_LABELS):
        found = [_NUMBER.match(str(value)) for value in frame[name].iloc[rows]]
        labelled = name.lower() in POINT_LABELS
        if all(one is not None and (labelled or one[1]) for one in found):
            return [int(one[2]) for one in found if one is not None]
    return []


def outline_problem(outlines: Sequence[Outline], place: str) -> Problem:
    """Say which areas lines or points enclose, and how they can be taken as polygons."""
    rows = sum(len(one.rows) for one in outlines)
    areas = ", ".join(f"{one.area_m2:,.0f}" for one in outlines[:_NAMED]) + (" …" if len(outlines) > _NAMED else "")
    values = {"rows": rows, "count": len(outlines), "areas": areas}
    if outlines[0].points:
        what = Message("{rows} numbered points enclose {count} areas: {areas} ㎡", **values)
    elif rows == len(outlines):
        what = Message("{count} lines end where they begin and enclose areas: {areas} ㎡", count=rows, areas=areas)
    else:
        what = Message("{rows} lines, joined end to end, enclose {count} areas: {areas} ㎡", **values)
    remedy = Message("take them as polygons with --as polygons; what they are not found to touch is 未核查")
    return Problem("warning", place, what, remedy)


def as_polygons(
    frame: gpd.GeoDataFrame, degrees: Geometries, outlines: Sequence[Outline]
) -> tuple[gpd.GeoDataFrame, Geometries, list[int]]:
    """Replace the rows of each outline by one row with its polygon; return the kept rows too."""
    shapes = degrees.copy()
    dropped: set[int] = set()
    for one in outlines:
        shapes[one.rows[0]] = one.polygon
        dropped |= set(one.rows[1:])
    kept = [i for i in range(len(shapes)) if i not in dropped]
    return frame.iloc[kept].reset_index(drop=True), shapes[kept], kept


def outline_repairs(
    outlines: Sequence[Outline], kept: Sequence[int], ids: np.ndarray, place: str
) -> tuple[list[Repair], list[Problem]]:
    """List each polygon that was made of an outline."""
    at = {row: i for i, row in enumerate(kept)}
    repairs = [Repair(place, str(ids[at[one.rows[0]]]), one.done, 0.0, one.area_m2) for one in outlines]
    remedy = Message("look whether the polygon is the one that is meant")
    problems = [
        Problem("warning", Message("{place}, feature '{id}'", place=place, id=repair.feature), repair.what, remedy)
        for repair in repairs[:20]
    ]
    if len(repairs) > len(problems):
        more = Message("{count} more rows are like these", count=len(repairs) - len(problems))
        problems.append(Problem("warning", place, more, remedy))
    return repairs, problems


def no_outline(place: str) -> Problem:
    """Say that nothing encloses an area though polygons are wanted."""
    what = Message("no line and no run of numbered points encloses an area")
    return Problem("warning", place, what, Message("leave --as polygons out, or close the lines"))
