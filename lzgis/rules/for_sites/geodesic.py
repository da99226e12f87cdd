"""Lengths, distances and corridors on the ellipsoid, for a city so large that those in its plane are not exact.

The plane of a city keeps areas everywhere, lengths in its middle alone. Here every site is measured in azimuthal equidistant
planes of its own: it is cut into pieces of at most `_EXTENT_M`, and what is near a piece is drawn by azimuth and distance from
the middle of the piece. Lengths across such a plane are off by a sixth of (r / 6,371 km)² at a distance r from its middle:
less than 10⁻⁶ up to 15 km (Snyder, Map Projections: A Working Manual, 1987, p. 191).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from lzgis.coordinates.plane import ELLIPSOID, Plane, length_error
from lzgis.geometry import FeatureIndex, SiteShapes, part_of_dimension, united
from lzgis.geometry.corridor import Cases, encroached_by_group, encroached_sizes, within_reach
from lzgis.rules.for_sites.hits import Floats, Geometries, Integers

#: The greatest extent (m) of a piece of a site that is measured in one plane.
_EXTENT_M = 15_000.0
#: From this distance (m) on, the ends of the shortest line are measured as a geodesic.
_FAR_M = 1_000.0


def lengths_m(geometries: Geometries, plane: Plane) -> Floats:
    """Return the lengths of lines, or the perimeters of polygons, on the ellipsoid; edges are taken as geodesics.

    Parameters
    ----------
    geometries : array of shapely geometries
        In the plane.
    plane : Plane
        The plane.

    Examples
    --------
    >>> plane = Plane(112.5, 25.0)
    >>> line = plane.project([shapely.LineString([(115.0, 27.0), (115.001, 27.0)])])
    >>> lengths_m(line, plane).round(4), shapely.length(line).round(4)
    (array([99.2549]), array([99.2531]))
    """
    parts, of = shapely.get_parts(geometries, return_index=True)
    dimension = shapely.get_dimensions(parts)
    polygons, lines = np.flatnonzero(dimension == 2), np.flatnonzero(dimension == 1)
    rings, of_ring = shapely.get_rings(parts[polygons], return_index=True)
    chains = np.concatenate([rings, parts[lines]])
    owner = np.concatenate([of[polygons[of_ring]], of[lines]])
    there, chain = shapely.get_coordinates(plane.unproject(chains), return_index=True)
    same = chain[1:] == chain[:-1]
    begin, end = there[:-1][same], there[1:][same]
    _, _, length = ELLIPSOID.inv(*begin.T, *end.T)
    total: Floats = np.bincount(owner[chain[1:][same]], weights=length, minlength=len(geometries)).astype(float)
    return total


@dataclass(frozen=True, eq=False)
class LocalPlanes:
    """Planes around the pieces of sites, in which what is near them is measured.

    Attributes
    ----------
    plane : Plane
        The plane of the city, in which all geometries are given.
    sites : array of shapely geometries
        The sites, in that plane.
    """

    plane: Plane
    sites: Geometries

    @cached_property
    def _cut(self) -> tuple[Geometries, Integers, Integers]:
        """The pieces of the sites, the site of each, and where the pieces of each site begin."""
        bounds = shapely.bounds(self.sites).reshape(-1, 4)
        large = np.flatnonzero(np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) > _EXTENT_M)
        small = np.setdiff1d(np.arange(len(self.sites)), large)
        made, owner = [self.sites[small]], [small]
        for site in large:
            pieces = _pieces_of(self.sites[site], bounds[site])
            made.append(pieces)
            owner.append(np.full(len(pieces), site))
        of = np.concatenate(owner)
        order = np.argsort(of, kind="stable")
        return np.concatenate(made)[order], of[order], np.searchsorted(of[order], np.arange(len(self.sites) + 1))

    @cached_property
    def _middles(self) -> np.ndarray:
        """Longitude and latitude of the middle of each piece."""
        bounds = shapely.bounds(self._cut[0]).reshape(-1, 4)
        middles = shapely.points((bounds[:, :2] + bounds[:, 2:]) / 2)
        return np.asarray(shapely.get_coordinates(self.plane.unproject(middles)))

    @cached_property
    def _local(self) -> Geometries:
        """The pieces, each in its own plane."""
        return self._drawn(self._cut[0], np.arange(len(self._cut[0])))

    @cached_property
    def slack(self) -> float:
        """By how much of itself a length near the sites may differ in the plane of the city, at most."""
        west, south, east, north = shapely.total_bounds(self.plane.unproject(self.sites))
        corners = length_error(self.plane, [west, west, east, east], [south, north, south, north])
        return 1.5 * float(corners.max(initial=0.0)) + 1e-5

    def _drawn(self, geometries: Geometries, piece: Integers) -> Geometries:
        """Draw geometries in the planes of some pieces, by azimuth and distance from their middles."""
        degrees = self.plane.unproject(geometries)
        there, of = shapely.get_coordinates(degrees, return_index=True)
        azimuth, _, distance = ELLIPSOID.inv(*self._middles[piece[of]].T, *there.T)
        angle = np.radians(azimuth)
        local = np.column_stack([distance * np.sin(angle), distance * np.cos(angle)])
        return np.asarray(shapely.set_coordinates(degrees, local), dtype=object)

    def _degrees(self, local: np.ndarray, piece: Integers) -> tuple[Floats, Floats]:
        azimuth = np.degrees(np.arctan2(local[:, 0], local[:, 1]))
        lon0, lat0 = self._middles[piece].T
        lon, lat, _ = ELLIPSOID.fwd(lon0, lat0, azimuth, np.hypot(local[:, 0], local[:, 1]))
        return lon, lat

    def _in_city(self, geometries: Geometries, piece: Integers) -> Geometries:
        """Return geometries of the planes of some pieces in the plane of the city."""
        there, of = shapely.get_coordinates(geometries, return_index=True)
        back = np.column_stack(self.plane.places(*self._degrees(there, piece[of])))
        return np.asarray(shapely.set_coordinates(geometries.copy(), back), dtype=object)

    def _rows(self, site: Integers) -> tuple[Integers, Integers]:
        """Return for sites the pieces of each, and the position in `site` that each piece belongs to."""
        starts = self._cut[2]
        count = starts[site + 1] - starts[site]
        row = np.repeat(np.arange(len(site)), count)
        return np.repeat(starts[site] - (np.cumsum(count) - count), count) + np.arange(len(row)), row

    def distances_m(self, site: Integers, index: FeatureIndex, feature: Integers, distance: Floats) -> Floats:
        """Measure the distances of sites and features that are `distance` apart in the plane of the city; 0 stays 0.

        Examples
        --------
        >>> plane = Plane(112.5, 25.0)
        >>> shapes = plane.project(shapely.points([(115.0, 27.0), (115.001, 27.0)]))
        >>> planes, index = LocalPlanes(plane, shapes[:1]), FeatureIndex(shapes[1:])
        >>> apart = shapely.distance(*shapes)
        >>> planes.distances_m(np.array([0]), index, np.array([0]), np.array([apart])).round(4)
        array([99.2549])
        """
        found = np.array(distance, dtype=float)
        apart = np.flatnonzero(found > 0)
        piece, row = self._rows(site[apart])
        reach = found[apart][row] * (1 + 2 * self.slack) + 0.01
        rims = index.geometries[feature[apart]]
        polygonal = shapely.get_dimensions(rims) == 2
        rims[polygonal] = index.borders(feature[apart][polygonal])
        near = np.flatnonzero(shapely.distance(rims[row], self._cut[0][piece]) <= reach)
        piece, row, reach = piece[near], row[near], reach[near]
        clipped = _clipped(rims[row], self._cut[0][piece], reach)
        measured = self._measured(piece, self._drawn(clipped, piece))
        exact = np.full(len(apart), np.inf)
        np.minimum.at(exact, row, measured)
        found[apart] = np.where(np.isfinite(exact), exact, found[apart])
        return found

    def _measured(self, piece: Integers, features: Geometries) -> Floats:
        """Measure distances of pieces and features that are drawn in the planes of the pieces."""
        found: Floats = np.asarray(shapely.distance(self._local[piece], features), dtype=float)
        far = np.flatnonzero(found > _FAR_M)
        ends = shapely.get_coordinates(shapely.shortest_line(self._local[piece[far]], features[far])).reshape(-1, 2, 2)
        begin, end = (self._degrees(ends[:, at], piece[far]) for at in (0, 1))
        found[far] = ELLIPSOID.inv(*begin, *end)[2]
        return found

    def encroached_sizes(self, baselines: FeatureIndex, cases: Cases) -> Floats:
        """Measure the part of each site nearer than a radius to its baselines, as `lzgis.geometry.corridor.encroached_sizes`."""
        piece, group, local, of_pieces = self._local_cases(baselines, cases)
        sizes = encroached_sizes(SiteShapes(self._local[piece]), FeatureIndex(local), of_pieces)
        total: Floats = np.bincount(group, weights=sizes, minlength=len(cases.site)).astype(float)
        return total

    def encroached_parts(self, baselines: FeatureIndex, cases: Cases) -> Geometries:
        """Cut the part of each site nearer than a radius to its baselines, as `lzgis.geometry.corridor.encroached_by_group`."""
        piece, group, local, of_pieces = self._local_cases(baselines, cases)
        parts = self._in_city(encroached_by_group(self._local[piece], local, of_pieces), piece)
        there = np.flatnonzero(~shapely.is_empty(parts))
        made = np.full(len(cases.site), shapely.Polygon(), dtype=object)
        made[np.unique(group[there])] = united(parts[there], group[there])
        return part_of_dimension(made, shapely.get_dimensions(self.sites[cases.site]))

    def _local_cases(self, baselines: FeatureIndex, cases: Cases) -> tuple[Integers, Integers, Geometries, Cases]:
        """Return the pieces of the sites of cases, the case of each, the baselines near them, drawn, and the cases of pieces."""
        piece, group = self._rows(cases.site)
        count = np.diff(cases.start)[group]
        case = np.repeat(np.arange(len(group)), count)
        row = np.repeat(cases.start[group] - (np.cumsum(count) - count), count) + np.arange(len(case))
        around = cases.radius[row] * (1 + 2 * self.slack) + 0.01
        near = within_reach(baselines.geometries[cases.feature[row]], self._cut[0][piece[case]], around)
        there = np.flatnonzero(~shapely.is_empty(near))
        case, row = case[there], row[there]
        met, start = np.unique(case, return_index=True)
        of_pieces = Cases(np.arange(len(met)), np.append(start, len(case)), np.arange(len(case)), cases.radius[row])
        return piece[met], group[met], self._drawn(near[there], piece[case]), of_pieces


def _pieces_of(site: shapely.Geometry, bounds: np.ndarray) -> Geometries:
    """Cut a site by a grid into pieces of at most `_EXTENT_M`; what they share has no area and, but for points, no length."""
    x, y = (_steps(bounds[at], bounds[at + 2]) for at in (0, 1))
    (west, south), (east, north) = np.meshgrid(x[:-1], y[:-1]), np.meshgrid(x[1:], y[1:])
    cells = shapely.box(west.ravel(), south.ravel(), east.ravel(), north.ravel())
    cut = np.asarray(shapely.intersection(site, cells), dtype=object)
    made = part_of_dimension(cut, np.full(len(cut), shapely.get_dimensions(site)))
    return np.asarray(made[~shapely.is_empty(made)], dtype=object)


def _steps(low: float, high: float) -> Floats:
    return np.linspace(low - 1.0, high + 1.0, 1 + max(1, int(np.ceil((high - low) / _EXTENT_M))))


def _clipped(rims: Geometries, pieces: Geometries, reach: Floats) -> Geometries:
    """Cut from lines and points what may lie within reach of a piece, by the box around it."""
    boxes = shapely.bounds(pieces).reshape(-1, 4) + reach[:, None] * np.array([-1, -1, 1, 1])
    boxes += np.array([-1, -1, 1, 1])
    windows = shapely.box(*boxes.T)
    inside = shapely.covers(windows, rims)
    cut = rims.copy()
    cut[~inside] = shapely.intersection(rims[~inside], windows[~inside])
    lost = shapely.is_empty(cut)
    cut[lost] = rims[lost]
    return cut
