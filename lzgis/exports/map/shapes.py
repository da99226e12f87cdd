"""Geometry for the eye: simplified together where borders are shared, rounded, and written as TopoJSON."""

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

STEPS_M = (0.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0)
_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def is_coverage(geometries: Geometries) -> bool:
    """Whether these are polygons that touch without overlapping, so that borders between them are shared."""
    return bool(np.isin(shapely.get_type_id(geometries), _POLYGONS).all() and shapely.coverage_is_valid(geometries))


class Fitted(NamedTuple):
    """Shapes simplified to fit: by how many metres, and each group."""

    step_m: float
    groups: list[Geometries]


def _reduced(geometries: Geometries, tolerance_m: float, shared: bool) -> Geometries:
    """Drop vertices that the eye does not miss; polygons that share borders keep sharing them."""
    if not tolerance_m or not len(geometries):
        return geometries
    reduce = shapely.coverage_simplify if shared else shapely.simplify
    return np.asarray(reduce(geometries, tolerance_m), dtype=object)


def simplified_to_fit(
    groups: Sequence[Geometries],
    plane: Plane,
    *,
    vertices: int,
    steps_m: Sequence[float] = STEPS_M,
    shared: Sequence[bool] = (),
) -> Fitted:
    """Simplify by the first step that leaves at most so many vertices in all, or else by the last.

    `shared` tells the groups whose polygons share borders, as `is_coverage` finds out; none, if not given. To ask it of
    shapes that overlap takes longer than all the rest.
    """
    of = list(shared) or [False] * len(groups)
    there = [plane.project(group) if len(group) else group for group in groups]

    @cache
    def reduced(step: int) -> list[Geometries]:
        return [_reduced(one, steps_m[step], both) for one, both in zip(there, of, strict=True)]

    def fits(step: int) -> bool:
        return sum(int(shapely.get_num_coordinates(one).sum()) for one in reduced(step)) <= vertices

    # A greater step leaves fewer vertices. The first, which most often will do, is tried first, and the others by halves.
    best = 0 if len(steps_m) == 1 or fits(0) else bisect_left(range(len(steps_m) - 1), True, lo=1, key=fits)
    if not steps_m[best]:
        return Fitted(0.0, list(groups))
    return Fitted(steps_m[best], [plane.unproject(one) if len(one) else one for one in reduced(best)])


def topology(
    geometries: Geometries, properties: Sequence[dict[str, Any]], *, step_deg: float, shared: bool = False
) -> dict[str, Any]:
    """Write geometries in degrees as a TopoJSON topology with one object ``d``, rounded to `step_deg`.

    Borders are looked for only where they are `shared`: among shapes that overlap there are few, and it takes long.
    Arcs are rounded here rather than by the library, whose grid needs an extent that a single point has not.
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
    """Points are not arcs: their rounded coordinates stand in the shape itself."""
    if "coordinates" in shape:
        shape["coordinates"] = np.asarray(shape["coordinates"]).astype(int).tolist()
    return shape


def _deltas(arc: Any) -> list[list[int]]:
    points = np.asarray(arc).astype(int)
    steps: list[list[int]] = np.diff(points, axis=0, prepend=np.zeros((1, 2), int)).tolist()
    return steps
