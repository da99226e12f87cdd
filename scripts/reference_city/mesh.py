"""One noded linework for all zones, so that neighbours share every vertex."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from .frame import GRID_DEG, Frame


@dataclass(frozen=True)
class Mesh:
    """The faces of a noded linework in degrees, with one point inside each (degrees and metres)."""

    faces: np.ndarray
    inner: np.ndarray
    inner_xy: np.ndarray

    def inside(self, polygons: Any) -> np.ndarray:
        """Index of the first polygon (degrees) that holds each face, -1 for none."""
        polygons = np.atleast_1d(np.asarray(polygons, dtype=object))
        found = np.full(len(self.faces), len(polygons))
        if len(polygons):
            face, polygon = shapely.STRtree(polygons).query(self.inner, predicate="within")
            np.minimum.at(found, face, polygon)
        return np.where(found == len(polygons), -1, found)

    def hosts(self, width_m: float, degree_m: float = 1.1e5) -> np.ndarray:
        """Return the index of each face; for a face thinner than `width_m`, that of the neighbour with the longest common edge.

        Edges bend when they are projected; a face thinner than that bend would become invalid.
        """
        hosts = np.arange(len(self.faces))
        width = 2 * shapely.area(self.faces) / shapely.length(self.faces) * degree_m
        thin = np.flatnonzero(width < width_m)
        tree = shapely.STRtree(self.faces)
        order = thin[np.argsort(-width[thin], kind="stable")]
        for face in order.tolist():
            near = tree.query(self.faces[face], predicate="intersects")
            near = near[(near != face) & (width[near] >= width_m)]
            edges = shapely.length(shapely.intersection(self.faces[face], self.faces[near]))
            if len(near) and edges.max() > 0:
                hosts[face] = near[int(np.argmax(edges))]
        return hosts

    def merge(self, keys: Sequence[Hashable | None]) -> dict[Any, shapely.Geometry]:
        """Join the faces of each key; faces with the key None are left out."""
        groups: dict[Any, list[int]] = {}
        for number, key in enumerate(keys):
            if key is not None:
                groups.setdefault(key, []).append(number)
        return {key: join(self.faces[numbers]) for key, numbers in sorted(groups.items(), key=lambda kv: str(kv[0]))}


def build_mesh(frame: Frame, polygons_deg: Any) -> Mesh:
    """Node the borders of polygons (degrees, rounded) on the common grid and make faces of them."""
    lines = shapely.boundary(np.asarray(polygons_deg, dtype=object))
    noded = shapely.unary_union(lines, grid_size=GRID_DEG)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    faces = faces[shapely.area(faces) > 0]
    inner = shapely.point_on_surface(faces)
    return Mesh(faces, inner, shapely.get_coordinates(frame.metres(inner)))


def join(faces: np.ndarray) -> shapely.Geometry:
    """Join faces into one polygon or multipolygon; every vertex of the outer borders stays."""
    joined = shapely.coverage_union_all(faces)
    return shapely.orient_polygons(joined)


def stack(frame: Frame, polygons: Sequence[shapely.Polygon]) -> list[shapely.Geometry | None]:
    """Make polygons (metres) disjoint: an overlap belongs to the earlier polygon. Returned in degrees, with shared vertices."""
    degrees = frame.degrees(list(polygons))
    mesh = build_mesh(frame, degrees)
    owner = mesh.inside(degrees)
    merged = mesh.merge([int(k) if k >= 0 else None for k in owner])
    return [merged.get(k) for k in range(len(polygons))]
