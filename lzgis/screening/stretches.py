"""Divide sites among the cities of a region: the stretch of each site in each city, and what lies in none.

Outlines of neighbours seldom agree to the metre. What lies in a gap or an overlap that is no wider than the tolerance of the
region belongs to one city, and is reported. What lies in a wider overlap belongs to both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.city.region import EDGE_M, Region
from lzgis.geometry import mean_width, part_of_dimension
from lzgis.messages import Message
from lzgis.model.report import RESOLUTION_M, Problem
from lzgis.rules.for_sites.hits import Floats, Geometries, Integers

#: Stands for the city of what lies in none.
NO_CITY = -1


@dataclass(frozen=True, eq=False)
class Division:
    """How sites are divided, in the order of the sites; arrays with one element per stretch.

    Attributes
    ----------
    site : array of int
        Position of the site.
    city : array of int
        Position of the city that the stretch lies in, or `NO_CITY`.
    book : array of int
        Position of the city whose book it is checked by: `city`, or the nearest city.
    size : array of float
        Area (m²) or length (m) of the stretch in the plane of the region; NaN for points.
    """

    site: Integers
    city: Integers
    book: Integers
    size: Floats


@dataclass(frozen=True)
class Borders:
    """How many sites cross gaps, and how many cross overlaps, at the borders of cities, by pair of cities."""

    gaps: int = 0
    thin: Counter[tuple[int, int]] = field(default_factory=Counter)
    wide: Counter[tuple[int, int]] = field(default_factory=Counter)

    def __add__(self, other: Borders) -> Borders:
        """Return the sums of two counts."""
        return Borders(self.gaps + other.gaps, self.thin + other.thin, self.wide + other.wide)

    def problems(self, region: Region) -> Iterator[Problem]:
        """Iterate over the problems to report."""
        return _problems(region, self)


@dataclass(frozen=True, eq=False)
class Stretches(Division):
    """Parts of sites.

    Attributes
    ----------
    geometry : array of shapely geometries
        The stretch in EPSG:4490; None if the geometry of the site cannot be used.
    borders : Borders
        What was met at the borders.
    """

    geometry: Geometries
    borders: Borders


class _Piece(NamedTuple):
    site: int
    city: int
    book: int
    shape: shapely.Geometry | None


@dataclass
class _Seen:
    """The sites that were seen to cross gaps and overlaps."""

    gaps: set[int] = field(default_factory=set)
    thin: Counter[tuple[int, int]] = field(default_factory=Counter)
    wide: Counter[tuple[int, int]] = field(default_factory=Counter)


def stretches_of(geometry: Geometries, region: Region) -> Stretches:
    """Divide sites among the cities of a region.

    Parameters
    ----------
    geometry : array of shapely geometries
        The sites in EPSG:4490; None where a geometry cannot be used.
    region : Region
        The cities.
    """
    shapes = region.plane.project(geometry)
    outlines = region.outlines
    inside = np.array([shapely.contains_properly(one, shapes) for one in outlines])
    touched = np.array([shapely.intersects(one, shapes) for one in outlines])
    seen, pieces = _Seen(), []
    for at, shape in enumerate(shapes):
        if shape is None:
            pieces.append(_Piece(at, NO_CITY, 0, None))
            continue
        where = np.flatnonzero(touched[:, at])
        if len(where) == 1 and inside[where[0], at]:
            pieces.append(_Piece(at, int(where[0]), int(where[0]), shape))
            continue
        found = list(_divided(at, shape, where, region, seen))
        # A site that lies in one city is checked as it is, not as a part that was cut.
        pieces += [found[0]._replace(shape=shape)] if len(found) == 1 else found
    drawn = np.array([one.shape for one in pieces], dtype=object)
    site = np.array([one.site for one in pieces], dtype=np.intp)
    times = np.bincount(site, minlength=len(shapes))
    degrees = region.plane.unproject(drawn)
    whole = times[site] == 1
    degrees[whole] = geometry[site[whole]]
    dimension = shapely.get_dimensions(drawn)
    size = np.where(dimension == 2, shapely.area(drawn), np.where(dimension == 1, shapely.length(drawn), np.nan))
    return Stretches(
        site,
        np.array([one.city for one in pieces], dtype=np.intp),
        np.array([one.book for one in pieces], dtype=np.intp),
        size,
        degrees,
        Borders(len(seen.gaps), seen.thin, seen.wide),
    )


def closed(shape: shapely.Geometry, width_m: float) -> shapely.Geometry:
    """Return a shape in a plane with its gaps up to a width filled; nothing of the shape is lost.

    Examples
    --------
    >>> two = shapely.union(shapely.box(0, 0, 10, 10), shapely.box(11, 0, 20, 10))
    >>> [round(shapely.area(closed(two, width))) for width in (0.5, 2)]
    [190, 200]
    """
    if width_m <= 0:
        return shape
    wider = shapely.buffer(shape, width_m / 2, join_style="mitre")
    return shapely.union(shape, shapely.buffer(wider, -width_m / 2, join_style="mitre"))


def _opened(shape: shapely.Geometry, width_m: float) -> shapely.Geometry:
    """Return the parts of a shape that are wider than a width."""
    return shapely.buffer(shapely.buffer(shape, -width_m / 2, join_style="mitre"), width_m / 2, join_style="mitre")


def _divided(at: int, shape: shapely.Geometry, where: Integers, region: Region, seen: _Seen) -> Iterator[_Piece]:
    dense, width = shapely.segmentize(shape, EDGE_M), region.spec.region.tolerance_m
    dimension = int(shapely.get_dimensions(shape))
    near = np.flatnonzero(shapely.dwithin(region.outlines, shape, width))
    window = shapely.box(*shapely.bounds(shape)).buffer(4 * width + 1)
    local = {int(k): shapely.intersection(region.outlines[k], window) for k in near}
    parts = {int(k): _real(shapely.intersection(dense, local[int(k)]), dimension) for k in where}
    _settle_overlaps(parts, local, width, seen)
    outlines = shapely.union_all(list(local.values()))
    rest = _real(shapely.difference(dense, outlines), dimension)
    if rest is not None and local:
        filled = closed(outlines, width)
        for gap in shapely.get_parts([_real(shapely.intersection(rest, filled), dimension)]):
            nearest = int(near[np.argmin([shapely.distance(local[int(k)], gap) for k in near])])
            parts[nearest] = gap if parts.get(nearest) is None else shapely.union(parts[nearest], gap)
            seen.gaps.add(at)
        rest = _real(shapely.difference(rest, filled), dimension)
    for k, part in sorted(parts.items()):
        if part is not None:
            yield _Piece(at, k, k, shapely.line_merge(part) if dimension == 1 else part)
    if rest is not None:
        yield _Piece(at, NO_CITY, int(np.argmin(shapely.distance(region.outlines, shape))), rest)


def _settle_overlaps(
    parts: dict[int, shapely.Geometry | None], local: dict[int, shapely.Geometry], width: float, seen: _Seen
) -> None:
    """Take from the later of two cities what lies in an overlap of their outlines that is no wider than the tolerance."""
    order = sorted(parts)
    for first, second in ((a, b) for i, a in enumerate(order) for b in order[i + 1 :]):
        common = shapely.intersection(local[first], local[second])
        part = parts[second]
        if part is None or shapely.area(common) == 0 or not shapely.intersects(common, part):
            continue
        dimension = int(shapely.get_dimensions(part))
        wide = _opened(common, width)
        if _real(shapely.intersection(part, wide), dimension) is not None:
            seen.wide[first, second] += 1
        thin = shapely.difference(common, wide)
        if _real(shapely.intersection(part, thin), dimension) is not None:
            seen.thin[first, second] += 1
            parts[second] = _real(shapely.difference(part, thin), dimension)


def _real(shape: shapely.Geometry, dimension: int) -> shapely.Geometry | None:
    """Return the parts of a shape of a dimension that are no mere touch; None if there is none."""
    kept: shapely.Geometry | None = part_of_dimension(np.array([shape], dtype=object), np.array([dimension]))[0]
    if kept is None or shapely.is_empty(kept):
        return None
    if dimension == 0:
        return kept
    extent = mean_width(np.array([kept], dtype=object))[0] if dimension == 2 else shapely.length(kept)
    return kept if extent > RESOLUTION_M else None


def _problems(region: Region, seen: Borders) -> Iterator[Problem]:
    names, width = list(region.cities), region.spec.region.tolerance_m
    if seen.gaps:
        what = Message(
            "{count} sites cross gaps of at most {width:g} m between the outlines of cities",
            count=seen.gaps,
            width=width,
        )
        yield Problem("note", region.name, what, Message("what lies in them is screened as part of the nearest city"))
    for (first, second), count in seen.thin.items():
        what = Message(
            "{count} sites cross an overlap of the outlines of {first} and {second} of at most {width:g} m",
            count=count,
            first=names[first],
            second=names[second],
            width=width,
        )
        yield Problem(
            "note", region.name, what, Message("what lies in it is screened as part of {first}", first=names[first])
        )
    for (first, second), count in seen.wide.items():
        what = Message(
            "{count} sites lie where the outlines of {first} and {second} overlap by more than {width:g} m",
            count=count,
            first=names[first],
            second=names[second],
            width=width,
        )
        yield Problem(
            "warning", region.name, what, Message("they are screened by the rules of both; correct an outline")
        )
