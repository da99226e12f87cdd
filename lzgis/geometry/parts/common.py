"""The common parts of sites and features, as geometries, for given pairs.

A site is overlaid with the part of a feature in a window around the site, so that most overlays are of a few hundred vertices.
Long thin sites are overlaid in sections. The areas of the pairs, computed before, tell which sites lie wholly inside, and whether
a part that was clipped and joined is right.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.answers import Areas
from lzgis.geometry.features import FeatureIndex, Floats, Geometries, Integers
from lzgis.geometry.overlay import part_of_dimension
from lzgis.geometry.parts.outlines import Outlines, outlines_among
from lzgis.geometry.parts.sections import cuts_of, is_long, polygons_of, runs
from lzgis.geometry.parts.surroundings import surroundings

#: Overlays that one thread makes at a time.
_AT_ONCE = 256


def parts_of(sites: Geometries, index: FeatureIndex, pairs: Areas, *, threads: int = 1) -> Geometries:
    """Make the common part of pairs of polygons that are known to overlap.

    Parameters
    ----------
    sites : array of shapely geometries
        The sites.
    index : FeatureIndex
        The features; the outlines of those of `pairs` are cached with it.
    pairs : Areas
        The pairs, with their areas as `overlapping` measures them; what is made is compared with them.
    threads : int
        How many to use; the answer is the same for any number.

    Returns
    -------
    array of shapely geometries
        One polygon or multipolygon for each pair. Its area is that of the pair within 1e-6 + 1e-9 of itself: where
        clipping would lose more, the two are overlaid whole.

    Examples
    --------
    >>> from lzgis.geometry import Areas, FeatureIndex
    >>> park, site = FeatureIndex(np.array([shapely.box(0, 0, 300, 300)])), np.array([shapely.box(290, 0, 310, 10)])
    >>> pairs = Areas(np.array([0]), np.array([0]), np.array([100.0]), np.array([False]))
    >>> parts_of(site, park, pairs)[0].bounds
    (290.0, 0.0, 300.0, 10.0)
    """
    made = sites[pairs.left]
    unsure = np.flatnonzero(_off(made, pairs.area))
    if len(unsure) == 0:
        return made
    outlines, feature = outlines_among(index, pairs.right[unsure])
    asked = _Asked(made[unsure], pairs.right[unsure], index.geometries, feature, outlines)
    with ThreadPoolExecutor(threads) if threads > 1 and len(unsure) > _AT_ONCE else nullcontext() as pool:
        made[unsure] = _overlaid(asked, pairs.left[unsure], pool)
        valid = np.concatenate([one() for one in _begun(pool, shapely.is_valid, made[unsure])])
    again = unsure[_off(made[unsure], pairs.area[unsure]) | ~valid]
    both = shapely.intersection(sites[pairs.left[again]], index.geometries[pairs.right[again]])
    made[again] = part_of_dimension(both, np.full(len(again), 2))
    return made


def _off(made: Geometries, area: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(shapely.area(made) - area) > 1e-6 + 1e-9 * area)


@dataclass(frozen=True)
class _Asked:
    """Pairs to be overlaid: their sites, their features, and the numbers of these among the outlines."""

    sites: Geometries
    right: Integers
    geometries: Geometries
    feature: Integers
    outlines: Outlines


@dataclass(frozen=True)
class _Long:
    """Sections of long sites: of which pair, and whether the boundary of its feature meets them."""

    shapes: Geometries
    pair: Integers
    met: npt.NDArray[np.bool_]


def _overlaid(asked: _Asked, site: Integers, pool: ThreadPoolExecutor | None) -> Geometries:
    """Overlay the sites with their features, the long ones section by section; they are cut while the others are overlaid."""
    common = np.empty(len(site), dtype=object)
    may_be_long = is_long(asked.sites)
    short = np.flatnonzero(~may_be_long)
    at_work = _begun_parts(pool, asked, asked.sites[short], asked.feature[short])
    long = _sections(asked, site, np.flatnonzero(may_be_long))
    rest = np.setdiff1d(np.flatnonzero(may_be_long), long.pair)
    shapes = np.r_[asked.sites[rest], long.shapes[long.met]]
    at_work_long = _begun_parts(pool, asked, shapes, asked.feature[np.r_[rest, long.pair[long.met]]])
    common[short] = _ended(at_work)
    parts = _ended(at_work_long)
    common[rest] = parts[: len(rest)]
    common[np.unique(long.pair)] = _put_together(asked, long, parts[len(rest) :])
    return common


def _begun_parts(
    pool: ThreadPoolExecutor | None, asked: _Asked, shapes: Geometries, feature: Integers
) -> list[Callable[[], Geometries]]:
    """Start to overlay each shape with the part of its feature in its window."""
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    return [
        one
        for some, seen in surroundings(asked.outlines, feature, bounds)
        for one in _begun(pool, _overlay, shapes[some], seen)
    ]


def _begun(
    pool: ThreadPoolExecutor | None, work: Callable[..., np.ndarray], *columns: Geometries
) -> list[Callable[[], np.ndarray]]:
    """Begin to work at a few rows of the columns at a time: in threads, or here and now."""
    rows = [[column[i : i + _AT_ONCE] for column in columns] for i in range(0, len(columns[0]), _AT_ONCE)]
    if pool is not None:
        return [pool.submit(work, *some).result for some in rows]
    return [partial(np.asarray, work(*some)) for some in rows]


def _ended(at_work: list[Callable[[], Geometries]]) -> Geometries:
    return np.concatenate([np.empty(0, dtype=object), *[one() for one in at_work]])


def _overlay(shapes: Geometries, seen: Geometries) -> Geometries:
    try:
        common = shapely.intersection(shapes, seen)
    except shapely.errors.GEOSException:
        # Clipping does not guarantee a valid result; the comparison of areas finds those that must be overlaid whole.
        common = np.array([_tried(*both) for both in zip(shapes, seen, strict=True)], dtype=object)
    return part_of_dimension(common, np.full(len(common), 2))


def _tried(one: shapely.Geometry, other: shapely.Geometry) -> shapely.Geometry:
    try:
        return shapely.intersection(one, other)
    except shapely.errors.GEOSException:
        return shapely.Polygon()


def _sections(asked: _Asked, site: Integers, long: Integers) -> _Long:
    """Cut the sites of the pairs `long` for each of their features."""
    _, first, which = np.unique(site[long], return_index=True, return_inverse=True)
    found = {one: cuts for one, i in enumerate(long[first]) if (cuts := cuts_of(asked.sites[i])) is not None}
    cut = np.isin(which, list(found))
    pairs, which = long[cut], which[cut]
    if len(pairs) == 0:
        return _Long(np.empty(0, dtype=object), np.empty(0, dtype=int), np.empty(0, dtype=bool))
    feature = asked.feature[pairs]
    crossed = _met(asked.outlines, {one: cuts.lines() for one, cuts in found.items()})
    sections = {one: [cuts.between(k, k + 1) for k in range(len(cuts.there) - 1)] for one, cuts in found.items()}
    met = _met(asked.outlines, {one: polygons_of(some) for one, some in sections.items()})
    shapes, pair, meets = [], [], []
    for number, one, other in zip(pairs.tolist(), which.tolist(), feature.tolist(), strict=True):
        across = np.r_[False, crossed.get((one, other), np.zeros(len(sections[one]) - 1, dtype=bool)), False]
        touched = met.get((one, other), np.zeros(len(sections[one]), dtype=bool))
        for start, end, meet in runs(across, touched):
            shapes.append(found[one].between(start, end))
            pair.append(number)
            meets.append(meet)
    return _Long(polygons_of(shapes), np.array(pair), np.array(meets))


def _met(outlines: Outlines, shapes: dict[int, Geometries]) -> dict[tuple[int, int], npt.NDArray[np.bool_]]:
    """Return for each site and feature which of the site's shapes its boundary meets; nothing where it meets none."""
    number = np.array([len(some) for some in shapes.values()])
    one = np.repeat(list(shapes), number)
    place = np.arange(len(one)) - np.repeat(np.cumsum(number) - number, number)
    shape, feature = outlines.met_by(np.concatenate(list(shapes.values())))
    found: dict[tuple[int, int], npt.NDArray[np.bool_]] = {}
    for i, other in zip(shape.tolist(), feature.tolist(), strict=True):
        key = (int(one[i]), other)
        if key not in found:
            found[key] = np.zeros(len(shapes[key[0]]), dtype=bool)
        found[key][place[i]] = True
    return found


def _put_together(asked: _Asked, long: _Long, common: Geometries) -> Geometries:
    """Join what was found in the sections of each pair, in the order of pairs; cuts in common vanish exactly."""
    shapes = long.shapes.copy()
    shapes[long.met] = common
    kept = ~shapely.is_empty(shapes)
    free = np.flatnonzero(~long.met)
    kept[free] &= _inside(shapes[free], asked.right[long.pair[free]], asked.geometries)
    shapes, pair = shapes[kept], long.pair[kept]
    numbers = np.unique(long.pair)
    first, last = np.searchsorted(pair, numbers), np.searchsorted(pair, numbers, side="right")
    joined = np.full(len(numbers), shapely.Polygon(), dtype=object)
    for i, (start, end) in enumerate(zip(first, last, strict=True)):
        joined[i] = shapes[start] if end - start == 1 else _joined(shapes[start:end])
    return joined


def _inside(shapes: Geometries, feature: Integers, geometries: Geometries) -> npt.NDArray[np.bool_]:
    """Tell which polygons lie in their features, whose boundaries they do not meet."""
    point = shapely.point_on_surface(shapes)
    x, y = shapely.get_x(point), shapely.get_y(point)
    inside = np.zeros(len(shapes), dtype=bool)
    for one in np.unique(feature):
        who, whole = feature == one, geometries[one]
        prepared = bool(shapely.is_prepared(whole))
        shapely.prepare(whole)
        inside[who] = shapely.contains_xy(whole, x[who], y[who])
        if not prepared:
            shapely.destroy_prepared(whole)
    return inside


def _joined(shapes: Geometries) -> shapely.Geometry:
    try:
        return shapely.coverage_union_all(shapes)
    except shapely.errors.GEOSException:
        # Clipping may have spoilt one; the comparison of areas finds it.
        return shapely.Polygon()
