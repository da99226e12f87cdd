"""What sites and features have in common, made only for the pairs asked for.

A feature is not overlaid whole: it is clipped to the site's surroundings first, out of windows that are cut out of larger
ones and kept, so that most overlays are of a few hundred vertices. Windows reach beyond the sites, so none of their sides
shows in what is found. Areas known from before tell which sites lie wholly inside, and whether clipping went well.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import shapely

from lzgis.geometry.answers import Areas
from lzgis.geometry.index import Floats, Geometries, Integers
from lzgis.geometry.overlay import part_of_dimension

#: Side of the smallest windows that are kept; they overlap by half. A power of two.
_SMALLEST = 2048.0
#: How many times larger the windows are that they are cut out of.
_STEP = 4
#: A feature of no more vertices is not clipped further.
_FEW = 96
#: How far a window reaches beyond a site.
_MARGIN = 1.0
#: Side of the blocks that pairs are sorted by, so that windows are used while they are kept.
_BLOCK = 16_384.0
#: Pairs that one thread works on at a time.
_PAIRS = 256

_Window = tuple[int, int, int]


def parts_of(sites: Geometries, geometries: Geometries, pairs: Areas, *, threads: int = 1) -> Geometries:
    """Make the common part of pairs of polygons that are known to overlap.

    Parameters
    ----------
    sites, geometries : array of shapely geometries
        The sites, and the features that `pairs` count.
    pairs : Areas
        Pairs to be made, as from `measure` or chosen from it; their areas hold what is made to account.
    threads : int
        How many to use; the answer is the same for any number.

    Returns
    -------
    array of shapely geometries
        One polygon or multipolygon for each pair. Its area is that of the pair within 1e-6 + 1e-9 of itself: where
        clipping would lose more, the two are overlaid whole.

    Examples
    --------
    >>> from lzgis.geometry import FeatureIndex, measure
    >>> park, site = np.array([shapely.box(0, 0, 300, 300)]), np.array([shapely.box(290, 0, 310, 10)])
    >>> pairs = measure(site, {"park": FeatureIndex(park)})["park"].areas
    >>> parts_of(site, park, pairs)[0].bounds
    (290.0, 0.0, 300.0, 10.0)
    """
    made = np.full(len(pairs.left), None, dtype=object)
    chunks = _chunks(sites, pairs)

    def work(chunk: Integers) -> Geometries:
        feature = geometries[pairs.right[chunk[0]]]
        return _of_feature(sites[pairs.left[chunk]], feature, pairs.area[chunk])

    if threads <= 1:
        done = [work(chunk) for chunk in chunks]
    else:
        with ThreadPoolExecutor(threads) as pool:
            done = list(pool.map(work, chunks))
    for chunk, found in zip(chunks, done, strict=True):
        made[chunk] = found
    return made


def _chunks(sites: Geometries, pairs: Areas) -> list[Integers]:
    """Sort pairs by feature, then place, in portions of one feature each."""
    bounds = np.nan_to_num(shapely.bounds(sites[pairs.left])).reshape(-1, 4)
    block = np.floor(bounds[:, :2] / _BLOCK)
    order = np.lexsort((block[:, 0], block[:, 1], pairs.right))
    changes = np.flatnonzero(np.diff(pairs.right[order])) + 1
    whole = np.split(order, changes) if len(order) else []
    return [run[first : first + _PAIRS] for run in whole for first in range(0, len(run), _PAIRS)]


def _of_feature(sites: Geometries, feature: shapely.Geometry, area: Floats) -> Geometries:
    made = sites.copy()
    partial = np.flatnonzero(np.abs(shapely.area(sites) - area) > 1e-6 + 1e-9 * area)
    windows = _Windows(feature)
    made[partial] = _overlaid(sites[partial], windows)
    kept = made[partial]
    off = (np.abs(shapely.area(kept) - area[partial]) > 1e-6 + 1e-9 * area[partial]) | ~shapely.is_valid(kept)
    again = partial[off]
    made[again] = part_of_dimension(shapely.intersection(sites[again], feature), np.full(len(again), 2))
    return made


def _overlaid(sites: Geometries, windows: _Windows) -> Geometries:
    """Overlay each site with the feature clipped to its surroundings."""
    around = np.full(len(sites), None, dtype=object)
    for i, bounds in enumerate(shapely.bounds(sites) + np.array([-_MARGIN, -_MARGIN, _MARGIN, _MARGIN])):
        around[i] = _clip(windows.show(_window(bounds)), bounds)
    try:
        common = shapely.intersection(sites, around)
    except shapely.errors.GEOSException:
        # Clipping does not promise a valid answer; what it spoilt is overlaid whole, as areas will tell.
        common = np.array([_tried(one, other) for one, other in zip(sites, around, strict=True)], dtype=object)
    return part_of_dimension(common, np.full(len(sites), 2))


def _tried(one: shapely.Geometry, other: shapely.Geometry) -> shapely.Geometry:
    try:
        return shapely.intersection(one, other)
    except shapely.errors.GEOSException:
        return shapely.Polygon()


def _window(bounds: Floats) -> _Window:
    """Name the smallest window that holds some bounds: level, column, row, counted in halves of its side."""
    left, low, right, high = bounds
    level = 0
    while True:
        half = _SMALLEST * float(_STEP) ** level / 2.0
        column, row = math.floor(left / half), math.floor(low / half)
        if right <= (column + 2) * half and high <= (row + 2) * half:
            return level, column, row
        level += 1


class _Windows:
    """A feature seen through windows, each cut out of the one that holds it and kept."""

    def __init__(self, feature: shapely.Geometry) -> None:
        self.feature = feature
        left, low, right, high = shapely.bounds(feature)
        self.extent = max(right - left, high - low)
        self.kept: dict[_Window, shapely.Geometry] = {}

    def show(self, window: _Window) -> shapely.Geometry:
        """Return the feature clipped to a window, or to a larger one where little is gained."""
        level, column, row = window
        side = _SMALLEST * float(_STEP) ** level
        if side >= 2.0 * self.extent:
            return self.feature
        if window not in self.kept:
            around = self.show((level + 1, column // _STEP, row // _STEP))
            if shapely.get_num_coordinates(around) <= _FEW:
                return around
            x, y = column * side / 2.0, row * side / 2.0
            self.kept[window] = _clip(around, np.array([x, y, x + side, y + side]))
        return self.kept[window]


def _clip(geometry: shapely.Geometry, window: Floats) -> shapely.Geometry:
    return shapely.clip_by_rect(geometry, *window)
