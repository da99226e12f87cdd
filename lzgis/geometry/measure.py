"""Sites against layers: by the compiled loops where there are many sites and numba is installed, else by shapely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import shapely

from lzgis.geometry.answers import Areas, Distances, Measured
from lzgis.geometry.compiled import available, warm
from lzgis.geometry.distance import nearest
from lzgis.geometry.index import FeatureIndex, Geometries
from lzgis.geometry.overlay import overlaps

if TYPE_CHECKING:
    from lzgis.geometry.layerindex import LayerIndex
    from lzgis.geometry.machine import Machine

#: With fewer sites than this, importing numba and laying out layers costs more than the compiled loops gain: on six layers
#: of 1.1 million vertices 0.75 s of processor time, where shapely takes 0.8 s for 100 sites (``benchmarks/few.py``).
FEW = 100

#: The same where the loops are still to be compiled, which takes 24 s (with ``NUMBA_CACHE_DIR`` set to an empty folder).
FEW_COLD = 3500

#: Sites that extend farther, or lie farther from the origin, are left to shapely.
MOST_EXTENT, MOST_COORDINATE = 1e6, 1e11


def measure(
    sites: Geometries,
    layers: Mapping[str, FeatureIndex],
    *,
    indexes: Mapping[str, LayerIndex] | None = None,
    threads: int = 1,
    compiled: bool | None = None,
    machine: Machine | None = None,
) -> dict[str, Measured]:
    """Find for every site and layer the common areas, and the nearest feature. Nothing is left undecided.

    Parameters
    ----------
    sites : array of shapely geometries, shape (n,)
        Polygons, lines or points, valid.
    layers : mapping of FeatureIndex
        The layers by name.
    indexes : mapping of LayerIndex, optional
        The same layers laid out before, to spare doing it again.
    threads : int
        How many to use; the answer is the same bytes for any number.
    compiled : bool, optional
        Whether to use the compiled loops; by default where it pays. Either way finds the same pairs; areas differ by
        less than 1e-6 + 1e-9 of themselves, distances by less than 1e-9 + 1e-12.
    machine : Machine, optional
        The compiled loops as machine code, so that numba is not imported for `indexes` given; the same bytes.

    Examples
    --------
    >>> park = FeatureIndex(np.array([shapely.box(0, 0, 300, 300)]))
    >>> found = measure(np.array([shapely.box(290, 0, 310, 10), shapely.Point(305, 9)]), {"park": park})
    >>> found["park"].areas.area, found["park"].nearest.distance
    (array([100.]), array([0., 5.]))
    """
    if compiled is None:
        compiled = _pays(len(sites), indexes is not None, machine is not None)
    if not compiled:
        return {name: _by_shapely(sites, layer) for name, layer in layers.items()}
    from lzgis.geometry.layerindex import LayerIndex
    from lzgis.geometry.measured import areas_and_distances, decided_measures

    if _too_wide(sites):
        return {name: _by_shapely(sites, layer) for name, layer in layers.items()}
    laid_out = indexes or {name: LayerIndex.build(layer.geometries) for name, layer in layers.items()}
    shapes = {name: layer.geometries for name, layer in layers.items()}
    found = areas_and_distances(sites, laid_out, threads=threads, machine=machine)
    return decided_measures(found, sites, laid_out, shapes)


def _pays(number: int, laid_out: bool, machine: bool) -> bool:
    """Tell whether the compiled loops pay for a number of sites."""
    if laid_out and machine:
        return True
    if not available():
        return False
    return number >= FEW_COLD or (warm() and (laid_out or number >= FEW))


def _too_wide(sites: Geometries) -> bool:
    """Tell whether a site is far too large for the cells of a grid, as only nonsense or a continent is."""
    bounds = np.nan_to_num(shapely.bounds(sites)).reshape(-1, 4)
    wide = (bounds[:, 2:] - bounds[:, :2]).max(initial=0.0)
    return bool(wide > MOST_EXTENT or np.abs(bounds).max(initial=0.0) > MOST_COORDINATE)


def _by_shapely(sites: Geometries, layer: FeatureIndex) -> Measured:
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
