"""The geometry floor: arrays of shapely geometries in one plane in, arrays out.

It knows no files, no tables, no rules and no reference systems; every length is in the unit of the plane (metres), every
area in its square.
"""

from lzgis.geometry.distance import DWithin, Nearest, dwithin, nearest
from lzgis.geometry.index import FeatureIndex
from lzgis.geometry.overlay import Overlaps, mean_width, off_border, outside_parts, overlaps, part_of_dimension

__all__ = [
    "DWithin",
    "FeatureIndex",
    "Nearest",
    "Overlaps",
    "dwithin",
    "mean_width",
    "nearest",
    "off_border",
    "outside_parts",
    "overlaps",
    "part_of_dimension",
]
