"""What the geometry floor computes with its loops, computed by shapely alone: slow, short, and independent of the loops."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import shapely

from lzgis.geometry import FeatureIndex, SiteShapes, corridor, overlaps, sites_to_layer
from lzgis.geometry.corridor import Cases
from lzgis.geometry.distance import DWithin, Nearest
from lzgis.geometry.overlay import part_of_dimension
from lzgis.geometry.sites_to_layer import CommonParts

STEPS = 1e6


#: Segments per quarter circle of buffers; what an arc loses is far below the tolerance of tests.
SEGMENTS = 1024


def nearest(geometries: np.ndarray, index: FeatureIndex) -> Nearest:
    """Find the nearest indexed geometry for each input; of several equally near, the first."""
    right, distance = np.full(len(geometries), -1, dtype=np.intp), np.full(len(geometries), np.nan)
    if len(index) and len(geometries):
        (left, found), away = index.tree.query_nearest(geometries, all_matches=True, return_distance=True)
        order = np.lexsort((found, left))[::-1]
        right[left[order]], distance[left[order]] = found[order], away[order]
    return Nearest(right, distance)


def dwithin(geometries: np.ndarray, index: FeatureIndex, distance: float) -> DWithin:
    """Find every pair no farther apart than `distance`, with its distance."""
    if not len(index) or not len(geometries):
        none = np.zeros(0, dtype=np.intp)
        return DWithin(none, none, np.zeros(0))
    left, right = index.tree.query(geometries, predicate="dwithin", distance=distance)
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    return DWithin(left, right, shapely.distance(geometries[left], index.geometries[right]))


def overlapping(sites: SiteShapes, index: FeatureIndex, *, resolution: float = 0.0) -> CommonParts:
    found = overlaps(sites.geometries, index, resolution=resolution)
    length = shapely.length(found.part)
    own = sites.geometries[found.left]
    whole = np.array([part is site for part, site in zip(found.part, own, strict=True)], dtype=bool)
    dimension = np.asarray(shapely.get_dimensions(found.part), dtype=np.intp)
    return CommonParts(found.left, found.right, dimension, found.area, length, whole)


def common_parts(sites: SiteShapes, index: FeatureIndex, found: CommonParts, *, resolution: float = 0.0) -> np.ndarray:
    """Overlay whole features."""
    whole = overlaps(sites.geometries, index, resolution=resolution)
    part = dict(zip(zip(whole.left.tolist(), whole.right.tolist(), strict=True), whole.part, strict=True))
    keys = zip(found.left.tolist(), found.right.tolist(), strict=True)
    made = np.empty(len(found.left), dtype=object)
    made[:] = [part.get(key, shapely.GeometryCollection()) for key in keys]
    return made


def encroached_sizes(sites: SiteShapes, baselines: FeatureIndex, cases: Cases) -> np.ndarray:
    """Buffer every whole baseline, unite the buffers of a site, and cut the site with them."""
    sizes = np.zeros(len(cases.site))
    for i, site in enumerate(sites.geometries[cases.site]):
        rows = slice(cases.start[i], cases.start[i + 1])
        near = shapely.buffer(baselines.geometries[cases.feature[rows]], cases.radius[rows], quad_segs=SEGMENTS)
        flat = cases.radius[rows] <= 0
        near[flat] = baselines.geometries[cases.feature[rows]][flat]
        part = part_of_dimension(
            np.array([shapely.intersection(site, shapely.union_all(near))]), np.array([site_dimension(site)])
        )
        sizes[i] = shapely.area(part)[0] if site_dimension(site) == 2 else shapely.length(part)[0]
    return sizes


def site_dimension(site: shapely.Geometry) -> int:
    return int(shapely.get_dimensions(site))


def doubled_near(sites: SiteShapes, index: FeatureIndex) -> np.ndarray:
    """Any area may be covered twice: the answer that spares no work and is never wrong."""
    return np.full(len(sites), np.inf)


def nearest_rounded(
    sites: SiteShapes, index: FeatureIndex, *, wanted: np.ndarray | None = None, less: np.ndarray | None = None
) -> Nearest:
    """Measure every site against every feature."""
    right, distance = np.full(len(sites), -1, dtype=np.intp), np.full(len(sites), np.nan)
    for i in range(len(sites) if len(index) else 0):
        if wanted is None or wanted[i]:
            rounded = _rounded(shapely.distance(sites.geometries[i], index.geometries))
            right[i] = int(np.argmin(rounded if less is None else rounded - less))
            distance[i] = rounded[right[i]]
    return Nearest(right, distance)


def within_rounded(sites: SiteShapes, index: FeatureIndex, distance: float) -> DWithin:
    """Measure every site against every feature."""
    left, right = (one.ravel() for one in np.mgrid[: len(sites), : len(index)])
    rounded = _rounded(shapely.distance(sites.geometries[left], index.geometries[right]))
    keep = rounded <= distance
    return DWithin(left[keep], right[keep], rounded[keep])


def use(patch: pytest.MonkeyPatch) -> None:
    """Let every module of lzgis call this module in place of the loops."""
    import lzgis.screening.run  # noqa: F401 (imports every module that screens)

    names = ("overlapping", "common_parts", "doubled_near", "nearest_rounded", "within_rounded", "encroached_sizes")
    for name in names:
        product, own = getattr(corridor if name == "encroached_sizes" else sites_to_layer, name), globals()[name]
        for module in [one for key, one in sys.modules.items() if key.startswith("lzgis.")]:
            if vars(module).get(name) is product:
                patch.setattr(module, name, own)


def _rounded(distance: np.ndarray) -> np.ndarray:
    return np.rint(distance * STEPS) / STEPS
