"""What the geometry floor computes with its loops, computed by shapely alone: slow, short, and independent of the loops."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import pytest
import shapely

from lzgis.geometry import FeatureIndex, Measured, SiteShapes, nearest, overlaps, sites_to_layer
from lzgis.geometry.answers import Areas, Distances
from lzgis.geometry.distance import DWithin, Nearest
from lzgis.geometry.overlay import Overlaps

STEPS = 1e6


def overlapping(sites: SiteShapes, index: FeatureIndex, *, resolution: float = 0.0) -> Overlaps:
    return overlaps(sites.geometries, index, resolution=resolution)


def crossing(index: FeatureIndex) -> np.ndarray:
    """All may cross: the answer that spares no work and is never wrong."""
    return np.ones(len(index), dtype=bool)


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


def measure(sites: np.ndarray, layers: Mapping[str, FeatureIndex]) -> dict[str, Measured]:
    """Overlay every pair that meets; the first feature that shares area with a site is its nearest."""
    return {name: _measured(sites, layer) for name, layer in layers.items()}


def use(patch: pytest.MonkeyPatch) -> None:
    """Let every module of lzgis call this module in place of the loops."""
    import lzgis.screening.run  # noqa: F401 (imports every module that screens)

    for name in ("overlapping", "crossing", "nearest_rounded", "within_rounded"):
        product, own = getattr(sites_to_layer, name), globals()[name]
        for module in [one for key, one in sys.modules.items() if key.startswith("lzgis.")]:
            if vars(module).get(name) is product:
                patch.setattr(module, name, own)


def _rounded(distance: np.ndarray) -> np.ndarray:
    return np.rint(distance * STEPS) / STEPS


def _measured(sites: np.ndarray, layer: FeatureIndex) -> Measured:
    found = overlaps(sites, layer)
    shared = found.area > 0
    left, features, area = found.left[shared], found.right[shared], found.area[shared]
    right, distance = np.full(len(sites), -1), np.full(len(sites), np.nan)
    right[left[::-1]], distance[left] = features[::-1], 0.0
    free = np.flatnonzero(right < 0)
    near = nearest(sites[free], layer)
    right[free], distance[free] = near.right, near.distance
    areas = Areas(left, features, area, np.zeros(len(left), dtype=bool))
    return Measured(areas, Distances(right, distance, np.zeros(len(right), dtype=bool)))
