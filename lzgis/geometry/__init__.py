"""The geometry floor: arrays of shapely geometries in one plane in, arrays out.

It knows no files, no tables, no rules and no reference systems; every length is in the unit of the plane (metres), every
area in its square.

What is fast by compiled loops (`LayerIndex`, `areas_and_distances` and their kin), or seldom asked for, is loaded when first
asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lzgis.geometry.answers import Areas, Distances, Insides, Measured
from lzgis.geometry.distance import DWithin, Nearest, dwithin, nearest
from lzgis.geometry.index import FeatureIndex
from lzgis.geometry.measure import measure
from lzgis.geometry.overlay import (
    Overlaps,
    mean_width,
    off_border,
    outside_parts,
    overlaps,
    part_of_dimension,
    united,
)
from lzgis.geometry.told import SiteShapes, crossing, overlapping, told_nearest, told_within
from lzgis.geometry.translation import Translation, shortest_translation

if TYPE_CHECKING:
    from lzgis.geometry.areas import decided, intersection_areas
    from lzgis.geometry.distances import decided_nearest, features_within, nearest_distance
    from lzgis.geometry.grid import PolygonGrid
    from lzgis.geometry.layerindex import LayerIndex
    from lzgis.geometry.lines import decided_insides, insides
    from lzgis.geometry.measured import areas_and_distances, decided_measures
    from lzgis.geometry.parts import parts_of

#: What is loaded when first asked for, and where it is.
_LATER = {
    "LayerIndex": "layerindex",
    "PolygonGrid": "grid",
    "areas_and_distances": "measured",
    "decided": "areas",
    "decided_insides": "lines",
    "decided_measures": "measured",
    "decided_nearest": "distances",
    "features_within": "distances",
    "insides": "lines",
    "intersection_areas": "areas",
    "nearest_distance": "distances",
    "parts_of": "parts",
}

__all__ = [
    "Areas",
    "DWithin",
    "Distances",
    "FeatureIndex",
    "Insides",
    "LayerIndex",
    "Measured",
    "Nearest",
    "Overlaps",
    "PolygonGrid",
    "SiteShapes",
    "Translation",
    "areas_and_distances",
    "crossing",
    "decided",
    "decided_insides",
    "decided_measures",
    "decided_nearest",
    "dwithin",
    "features_within",
    "insides",
    "intersection_areas",
    "mean_width",
    "measure",
    "nearest",
    "nearest_distance",
    "off_border",
    "outside_parts",
    "overlapping",
    "overlaps",
    "part_of_dimension",
    "parts_of",
    "shortest_translation",
    "told_nearest",
    "told_within",
    "united",
]


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
