"""Layers of a city, projected to its plane and indexed."""

from __future__ import annotations

import numpy as np

from lzgis.city.catalogue import Catalogue
from lzgis.coordinates.plane import Plane
from lzgis.geometry import FeatureIndex
from lzgis.model.report import Layer
from lzgis.rules.for_sites.plane import PlaneLayer


def in_plane(layer: Layer, city: Catalogue) -> PlaneLayer:
    """Project a layer to the plane of the city and index it."""
    return plane_layer(layer, city.plane)


def plane_layer(layer: Layer, plane: Plane) -> PlaneLayer:
    """Project a layer to a plane and index it."""
    geometry = plane.project(layer.frame.geometry.to_numpy())
    doubtful = tuple(plane.project(np.array(layer.doubtful, dtype=object))) if layer.doubtful else ()
    return PlaneLayer(layer.id, layer.spec, layer.frame, FeatureIndex(geometry), doubtful)
