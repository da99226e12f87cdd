"""What every kind of rule is given and gives back.

The contract: the answer for one site depends only on that site and on the features within its reach. Sites may
therefore be checked in any order, in pieces and on other machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry import FeatureIndex, Nearest, SiteShapes, mean_width, nearest_rounded
from lzgis.model import Reason, State
from lzgis.rule import Rule
from lzgis.spec import LayerSpec

Geometries = npt.NDArray[np.object_]
Integers = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Coordinates are kept to the millimetre at best: what is narrower or shorter than this is touching, not overlapping.
RESOLUTION_M = 1e-3


@dataclass(frozen=True, eq=False)
class PlaneSites:
    """The sites to check, in the plane of the city."""

    geometry: Geometries

    @cached_property
    def shapes(self) -> SiteShapes:
        """The same, to be measured against layers."""
        return SiteShapes(self.geometry)

    @cached_property
    def dimension(self) -> Integers:
        """0 for points, 1 for lines, 2 for polygons."""
        return self.shapes.dimensions

    @cached_property
    def size(self) -> Floats:
        """Area (m²) of polygons, length (m) of lines, NaN for points."""
        size = np.where(self.dimension == 2, shapely.area(self.geometry), shapely.length(self.geometry))
        return np.where(self.dimension == 0, np.nan, size)

    @cached_property
    def mean_width(self) -> Floats:
        """Mean width 2A/P (m) of polygons, infinite for others."""
        return np.where(self.dimension == 2, mean_width(self.geometry), np.inf)

    def __len__(self) -> int:
        return len(self.geometry)


@dataclass(frozen=True, eq=False)
class PlaneLayer:
    """A layer in the plane of the city: its features' fields, and their geometries indexed.

    `doubtful` holds where features that cannot be relied on may lie, None where that is not known.
    """

    id: str
    spec: LayerSpec
    frame: gpd.GeoDataFrame
    index: FeatureIndex
    doubtful: tuple[shapely.Geometry | None, ...] = ()

    @cached_property
    def called(self) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        """Name and id of each feature."""
        return self.frame["name"].to_numpy(dtype=object), self.frame["id"].to_numpy(dtype=object)

    def matching(self, where: Mapping[str, list[str]]) -> Integers:
        """Positions of the features whose fields hold one of the listed values, for every field listed."""
        keep = np.ones(len(self.frame), dtype=bool)
        for name, values in where.items():
            keep &= self.frame[name].isin(values).to_numpy()
        return np.flatnonzero(keep)

    def lacking(self, where: Mapping[str, list[str]]) -> list[str]:
        """Fields that `where` needs and the layer has not."""
        return [name for name in where if name not in self.frame.columns]


@dataclass(frozen=True, eq=False)
class Hits:
    """The answers of one rule: at least one row per site; arrays of one length. Columns as in the findings."""

    site: Integers
    layer: npt.NDArray[np.object_]
    feature: Integers
    state: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]
    geometry: Geometries
    area_m2: Floats
    area_possible_m2: Floats
    length_m: Floats
    distance_m: Floats
    required_m: Floats
    required_possible_m: Floats
    margin: Floats
    band: npt.NDArray[np.object_]
    baseline: npt.NDArray[np.object_]
    half_width_m: Floats
    mean_width_m: Floats
    unchecked_share: Floats

    def __len__(self) -> int:
        return len(self.site)

    def changed(self, **columns: Any) -> Hits:
        """Return the same rows with some columns replaced."""
        return replace(self, **columns)


def hits(site: Integers, layer: str, **columns: Any) -> Hits:
    """Make rows for `site`, all from one layer; a column not given is empty, NaN or, for `feature`, -1."""
    n = len(site)
    values: dict[str, Any] = {"site": np.asarray(site, dtype=np.intp), "layer": _full(n, layer)}
    for one in fields(Hits):
        if one.name in values:
            continue
        given = columns.pop(one.name, None)
        values[one.name] = _full(n, _EMPTY.get(one.name, np.nan) if given is None else given)
    if columns:
        raise TypeError(f"no such columns: {sorted(columns)}")
    return Hits(**values)


_EMPTY: dict[str, Any] = {
    "feature": -1,
    "state": State.CLEAR,
    "reason": Reason.NONE,
    "geometry": None,
    "band": "",
    "baseline": "",
}


def _full(n: int, value: Any) -> npt.NDArray[Any]:
    if isinstance(value, np.ndarray):
        return value
    dtype = np.intp if isinstance(value, int) else float if isinstance(value, float) else object
    array = np.empty(n, dtype=dtype)
    array[:] = value
    return array


def concatenated(parts: list[Hits]) -> Hits:
    """Put rows together, ordered by site; rows of one site keep their order."""
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Hits)}
    order = np.argsort(columns["site"], kind="stable")
    return Hits(**{name: values[order] for name, values in columns.items()})


@dataclass(frozen=True)
class Check:
    """What a kind's check is given: the sites, the layers by id, and the width below which an overlap is a sliver."""

    sites: PlaneSites
    layers: Mapping[str, PlaneLayer]
    sliver_width_m: float
    cache: dict[Any, Any] = field(default_factory=dict)

    def layer_where(self, layer: str, where: Mapping[str, list[str]]) -> tuple[PlaneLayer, Integers, FeatureIndex]:
        """Return a layer, the positions of the features that match, and an index of those."""
        whole = self.layers[layer]
        which = whole.matching(where)
        if len(which) == len(whole.frame):
            return whole, which, whole.index
        # Cached with the layer, for the next sites that are checked against it.
        cached, key = whole.index.cached, f"where {hashlib.sha256(which.tobytes()).hexdigest()}"
        if key not in cached:
            cached[key] = whole.index.take(which)
        chosen: FeatureIndex = cached[key]
        return whole, which, chosen

    def remember(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made for `key` before, or make it: rules that ask the same thing share the work."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def nearest_to(self, key: Any, index: FeatureIndex, which: Integers) -> Nearest:
        """Nearest feature of `index` for the sites `which`, found once for all rules that name the same `key`."""
        wanted = np.zeros(len(self.sites), dtype=bool)
        wanted[which] = True
        found: Nearest = self.remember(
            ("nearest", key, wanted.tobytes()), lambda: nearest_rounded(self.sites.shapes, index, wanted=wanted)
        )
        return found


def overlap_states(
    check: Check, site: Integers, parts: Geometries, feature_width: Floats
) -> tuple[Flags, Flags, Floats]:
    """Tell touching from overlapping, and slivers from conflicts.

    Returns
    -------
    real : array of bool
        The part is wider (or, for lines, longer) than coordinates can tell; points always are.
    sliver : array of bool
        It is real, yet its mean width 2A/P is below the tolerance and below half that of the site and of the feature:
        a 4 m lane that crosses a redline is no sliver, though 4 m wide.
    width : array of float
        The mean width (m) of polygonal parts, NaN for others. Where it is below the tolerance, that of the widest piece:
        a real bite beside a long ragged border is no error.
    """
    dimension = shapely.get_dimensions(parts)
    tolerance = check.sliver_width_m
    width = mean_width(parts)
    thin = np.flatnonzero(width < tolerance)
    width[thin] = _widest_piece(_without_hairs(parts[thin]))
    length = shapely.length(parts)
    real = np.where(
        dimension == 2, width > RESOLUTION_M, np.where(dimension == 1, length > RESOLUTION_M, dimension == 0)
    )
    narrow = width < np.minimum(tolerance, 0.5 * np.minimum(check.sites.mean_width[site], feature_width))
    short = (length < tolerance) & (length < 0.5 * shapely.length(check.sites.geometry[site]))
    sliver = real & np.where(dimension == 2, narrow, np.where(dimension == 1, short, False))
    return real.astype(bool), sliver.astype(bool), width


def _widest_piece(polygons: Geometries) -> Floats:
    pieces, owner = shapely.get_parts(polygons, return_index=True)
    widest = np.zeros(len(polygons))
    np.maximum.at(widest, owner, np.nan_to_num(mean_width(pieces)))
    return widest


def _without_hairs(polygons: Geometries) -> Geometries:
    """Leave out what is narrower than coordinates can tell: along a common border it would add length, but no width."""
    half = RESOLUTION_M / 2
    shrunk = shapely.buffer(polygons, -half, join_style="mitre")
    return np.asarray(shapely.buffer(shrunk, half, join_style="mitre"), dtype=object)


def sizes(check: Check, site: Integers, parts: Geometries) -> tuple[Floats, Floats]:
    """Area (m²) of the parts of polygon sites and length (m) of those of line sites; NaN where the site is neither."""
    dimension = check.sites.dimension[site]
    area = np.where(dimension == 2, shapely.area(parts), np.nan)
    length = np.where(dimension == 1, shapely.length(parts), np.nan)
    return area, length


def obstacle_rows(layer: str, feature: Integers, geometry: Geometries) -> Hits:
    """Make one 涉及 row for each piece of ground that the site 0 must not overlap."""
    site = np.zeros(len(feature), dtype=np.intp)
    return hits(site, layer, feature=feature, state=State.INVOLVED, geometry=geometry)


def clear_rows(check: Check, rule: Rule, missing: Integers) -> Hits:
    """Make the 不涉及 rows of the sites `missing`, each with its distance to the nearest matching feature."""
    layer, which, index = check.layer_where(rule.layer, rule.where)
    found = check.nearest_to((layer.id, which.tobytes()), index, missing)
    right = found.right[missing]
    feature = np.where(right >= 0, which[right] if len(which) else -1, -1)
    return hits(missing, layer.id, feature=feature, distance_m=found.distance[missing])
