"""`measure`: areas and distances of all sites to several layers; GEOS computes what floating point cannot decide."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely

from lzgis.geometry.answers import Measured
from lzgis.geometry.features import FeatureIndex, Geometries
from lzgis.geometry.loops.laid_out_layer import LayerIndex
from lzgis.geometry.one_pass.measured import areas_and_distances, decided_measures

#: Sites may extend this far, and lie this far from the origin, in metres.
MOST_EXTENT_M, MOST_COORDINATE_M = 1e6, 1e11


def measure(
    sites: Geometries,
    layers: Mapping[str, FeatureIndex],
    *,
    indexes: Mapping[str, LayerIndex] | None = None,
    threads: int = 1,
) -> dict[str, Measured]:
    """Find for every site and layer the common areas, and the nearest feature. Nothing is left undecided.

    Parameters
    ----------
    sites : array of shapely geometries, shape (n,)
        Polygons, lines or points, valid.
    layers : mapping of FeatureIndex
        The layers by name.
    indexes : mapping of LayerIndex, optional
        The same layers, laid out before.
    threads : int
        How many to use; the result is the same bytes for any number.

    Raises
    ------
    ValueError
        If a site extends farther than 1,000 km, or lies farther than 1e11 m from the origin.

    Examples
    --------
    >>> park = FeatureIndex(np.array([shapely.box(0, 0, 300, 300)]))
    >>> found = measure(np.array([shapely.box(290, 0, 310, 10), shapely.Point(305, 9)]), {"park": park})
    >>> found["park"].areas.area, found["park"].nearest.distance
    (array([100.]), array([0., 5.]))
    """
    bounds = np.nan_to_num(shapely.bounds(sites)).reshape(-1, 4)
    wide = np.flatnonzero(
        ((bounds[:, 2:] - bounds[:, :2]).max(axis=1, initial=0.0) > MOST_EXTENT_M)
        | (np.abs(bounds).max(axis=1, initial=0.0) > MOST_COORDINATE_M)
    )
    if len(wide):
        raise ValueError(
            f"site {wide[0]}: extends farther than {MOST_EXTENT_M:g} m or lies farther than {MOST_COORDINATE_M:g} m from the "
            "origin; use coordinates in metres, or cut it"
        )
    laid_out = indexes or {name: LayerIndex.build(layer.geometries) for name, layer in layers.items()}
    shapes = {name: layer.geometries for name, layer in layers.items()}
    found = areas_and_distances(sites, laid_out, threads=threads)
    return decided_measures(found, sites, laid_out, shapes)
