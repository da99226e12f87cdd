"""Layers of a city, projected to its plane and indexed."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

import numpy as np

from lzgis.city.catalogue import Catalogue
from lzgis.coordinates.plane import Plane
from lzgis.geometry import FeatureIndex
from lzgis.model.report import Layer
from lzgis.rules.for_sites.plane import PlaneLayer

#: The projected layers of opened cities. Each thread has its own: prepared geometries of GEOS belong to one thread.
_OWN = threading.local()


def in_plane(layer: Layer, city: Catalogue) -> PlaneLayer:
    """Project a layer to the plane of the city and index it; once for an opened city, or for all of a region."""
    if not hasattr(_OWN, "cities"):
        _OWN.cities = WeakKeyDictionary()
    shared = city.plane_of is not None
    layers: dict[tuple[str, int], PlaneLayer] = _OWN.cities.setdefault(city.plane if shared else city, {})
    # Cities of one plane may have layers of one id. The cache holds the frames, so their identities differ.
    key = (layer.id, id(layer.frame) if shared else 0)
    if key not in layers or layers[key].frame is not layer.frame:
        layers[key] = plane_layer(layer, city.plane)
    return layers[key]


def plane_layer(layer: Layer, plane: Plane) -> PlaneLayer:
    """Project a layer to a plane and index it."""
    geometry = plane.project(layer.frame.geometry.to_numpy())
    doubtful = tuple(plane.project(np.array(layer.doubtful, dtype=object))) if layer.doubtful else ()
    return PlaneLayer(layer.id, layer.spec, layer.frame, FeatureIndex(geometry), doubtful)
