"""Long thin polygons cut into sections, from corner to opposite corner, so that each section has a small window.

A cut joins two corners of the site, and for each feature only those cuts are used that do not meet its boundary. Two sections
therefore share a whole cut or nothing, no corner is added to the site, and the parts of the sections are joined exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.geometry.features import Floats, Geometries, Integers

#: Sections are at least this long, and cuts at most half as long.
_LENGTH = 500.0
#: A site is long when its outline is so many times longer than the square root of its area; that of a square is 4.
_THIN = 12.0


@dataclass(frozen=True)
class Cuts:
    """The outline of a site, and its corners that cuts join: `there[k]` and `back[k]`, the later ones nested in the former.

    The first and the last are no cuts, but the two ends of the outline.
    """

    outline: Floats
    there: Integers
    back: Integers

    def lines(self) -> Geometries:
        """Return the cuts as lines."""
        ends = [self.outline[self.there[1:-1]], self.outline[self.back[1:-1]]]
        return np.asarray(shapely.linestrings(np.stack(ends, axis=1)), dtype=object)

    def between(self, first: int, last: int) -> Floats:
        """Return the outline between two of them."""
        there, back = self.there, self.back
        if last == len(there) - 1:
            return self.outline[there[first] : back[first] + 1]
        return np.concatenate(
            [self.outline[there[first] : there[last] + 1], self.outline[back[last] : back[first] + 1]]
        )


def is_long(sites: Geometries) -> npt.NDArray[np.bool_]:
    """Tell which sites are long thin polygons without holes.

    Examples
    --------
    >>> is_long(np.array([shapely.box(0, 0, 3000, 20), shapely.box(0, 0, 3000, 3000), shapely.Point(0, 0)]))
    array([ True, False, False])
    """
    single = (shapely.get_type_id(sites) == shapely.GeometryType.POLYGON) & (shapely.get_num_interior_rings(sites) == 0)
    least = np.maximum(_THIN * np.sqrt(shapely.area(sites)), 4 * _LENGTH)
    return np.asarray(single & (shapely.length(sites) >= least))


def cuts_of(site: shapely.Geometry) -> Cuts | None:
    """Find where a long thin polygon may be cut; None where it is not one, or has holes."""
    if not is_long(np.array([site], dtype=object))[0]:
        return None
    outline = shapely.get_coordinates(site)[:-1]
    # One end is what lies farthest from the middle.
    end = int(np.argmax(np.hypot(*(outline - outline.mean(axis=0)).T)))
    outline = np.roll(outline, -end, axis=0)
    along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(outline, axis=0).T))]
    x, y = np.ascontiguousarray(outline.T)
    there, back = [0], [len(outline) - 1]
    i = int(np.searchsorted(along, _LENGTH))
    while i < back[-1] - 2:
        across, up = x[i + 2 : back[-1]] - x[i], y[i + 2 : back[-1]] - y[i]
        square = across * across + up * up
        nearest = int(square.argmin())
        # What is near along the outline is its own side; the opposite one is farther along than across.
        j = i + 2 + nearest
        if math.sqrt(square[nearest]) < min(_LENGTH, along[j] - along[i]) / 2:
            there.append(i)
            back.append(j)
            i = max(i + 1, int(np.searchsorted(along, along[i] + _LENGTH)))
        else:
            i += 1
    cuts = shapely.linestrings(np.stack([outline[there[1:]], outline[back[1:]]], axis=1))
    kept = np.r_[True, shapely.covers(site, cuts), True]
    there, back = [*there, back[-1]], [*back, back[-1]]
    found = Cuts(outline, np.array(there)[kept], np.array(back)[kept])
    return found if len(found.there) > 2 else None


def polygons_of(outlines: list[Floats]) -> Geometries:
    """Make polygons of open outlines."""
    ring = np.repeat(np.arange(len(outlines)), [len(one) for one in outlines])
    return np.asarray(shapely.polygons(shapely.linearrings(np.concatenate(outlines), indices=ring)), dtype=object)


def runs(crossed: npt.NDArray[np.bool_], met: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int, bool]]:
    """Join sections that a boundary crosses between, and those that meet none: first, last, whether they meet one.

    Parameters
    ----------
    crossed : array of bool, shape (sections + 1,)
        Whether the boundary of a feature meets each cut; the two ends count as none.
    met : array of bool, shape (sections,)
        Whether it meets each section.

    Examples
    --------
    >>> list(runs(np.array([0, 0, 1, 0, 0, 0], bool), np.array([0, 1, 1, 0, 0], bool)))
    [(0, 1, False), (1, 3, True), (3, 5, False)]
    """
    first = 0
    for last in range(1, len(met) + 1):
        joined = last < len(met) and (crossed[last] or not (met[last - 1] or met[last]))
        if not joined:
            yield first, last, bool(met[first])
            first = last
