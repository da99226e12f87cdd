"""Geometries for display: simplified with shared borders, rounded, and written as TopoJSON."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from topojson.core.topology import Topology

from lzgis.coordinates.plane import Geometries, Plane
from lzgis.geometry.threads import by_rows

STEPS_M = (0.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0)
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def is_coverage(geometries: Geometries) -> bool:
    """Whether the geometries are polygons that do not overlap, so that neighbours share borders."""
    return bool(np.isin(shapely.get_type_id(geometries), _POLYGONS).all() and shapely.coverage_is_valid(geometries))


class Fitted(NamedTuple):
    """Simplified groups of shapes, and the tolerance in metres."""

    step_m: float
    groups: list[Geometries]


def _reduced(geometries: Geometries, tolerance_m: float, shared: bool) -> Geometries:
    """Simplify by a tolerance; polygons that share borders still share them."""
    if not tolerance_m or not len(geometries):
        return geometries
    if shared:
        return np.asarray(shapely.coverage_simplify(geometries, tolerance_m), dtype=object)
    return by_rows(shapely.simplify, geometries, np.full(len(geometries), tolerance_m))


def simplified_to_fit(
    groups: Sequence[Geometries],
    plane: Plane,
    *,
    vertices: int,
    steps_m: Sequence[float] = STEPS_M,
    shared: Sequence[bool] = (),
) -> Fitted:
    """Simplify by the smallest step that leaves at most `vertices` in all groups, or else by the largest.

    Parameters
    ----------
    groups : sequence of array of geometry
        Geometries in degrees.
    plane : Plane
        The plane in which tolerances are measured.
    vertices : int
        The most vertices in all groups together.
    steps_m : sequence of float
        Tolerances to try, in metres, ascending; 0 leaves the shapes as they are.
    shared : sequence of bool
        Whether the polygons of a group share borders, as found by `is_coverage`; by default no group does. It is not
        tested here, since testing shapes that overlap takes longer than simplifying them.
    """
    coverages = list(shared) or [False] * len(groups)
    projected = [plane.project(group) if len(group) else group for group in groups]

    @cache
    def reduced(step: int) -> list[Geometries]:
        return [
            _reduced(group, steps_m[step], is_shared) for group, is_shared in zip(projected, coverages, strict=True)
        ]

    def fits(step: int) -> bool:
        return sum(int(shapely.get_num_coordinates(one).sum()) for one in reduced(step)) <= vertices

    # A larger step leaves fewer vertices: bisection, after the first step, which mostly suffices.
    best = 0 if len(steps_m) == 1 or fits(0) else bisect_left(range(len(steps_m) - 1), True, lo=1, key=fits)
    if not steps_m[best]:
        return Fitted(0.0, list(groups))
    return Fitted(steps_m[best], [plane.unproject(one) if len(one) else one for one in reduced(best)])


def topology(
    geometries: Geometries, properties: Sequence[dict[str, Any]], *, step_deg: float, shared: bool = False
) -> dict[str, Any]:
    """Write geometries in degrees as a TopoJSON topology with one object ``d``, rounded to `step_deg`.

    Shared borders are detected only if `shared`: shapes that overlap have few, and detection is slow. Coordinates are
    rounded here and not by the library, whose quantisation fails for a single point.
    """
    if len(geometries) == 0:
        return {
            "type": "Topology",
            "objects": {"d": {"type": "GeometryCollection", "geometries": []}},
            "arcs": [],
        }
    origin = np.floor(np.nanmin(shapely.bounds(geometries)[:, :2], axis=0))
    rounded = shapely.transform(geometries, lambda xy: np.rint((xy - origin) / step_deg))
    rounded = shapely.remove_repeated_points(rounded)
    frame = gpd.GeoDataFrame({"n": range(len(geometries))}, geometry=rounded)
    written: dict[str, Any] = Topology(frame, topology=shared, prequantize=False, object_name="d").to_dict()
    shapes = [_whole(shape) for shape in written["objects"]["d"]["geometries"]]
    for shape, one in zip(shapes, properties, strict=True):
        shape.pop("id", None)
        shape["properties"] = one
    return {
        "type": "Topology",
        "transform": {"scale": [step_deg, step_deg], "translate": origin.tolist()},
        "objects": {"d": {"type": "GeometryCollection", "geometries": shapes}},
        "arcs": [_deltas(arc) for arc in written["arcs"]],
    }


def _whole(shape: dict[str, Any]) -> dict[str, Any]:
    """Convert the coordinates of points to integers; they are stored in the shape itself, not in arcs."""
    if "coordinates" in shape:
        shape["coordinates"] = np.asarray(shape["coordinates"]).astype(int).tolist()
    return shape


def _deltas(arc: Any) -> list[list[int]]:
    points = np.asarray(arc).astype(int)
    steps: list[list[int]] = np.diff(points, axis=0, prepend=np.zeros((1, 2), int)).tolist()
    return steps
