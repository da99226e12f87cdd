"""JSON-FG (OGC 21-045r1): the features of `lzgis.exports.gis.geojson` with their geometry in CGCS2000.

The member ``place`` holds the geometry in the axis order of EPSG:4490: latitude before longitude. The member ``geometry``,
which would have to be in WGS 84, is null: programs that read GeoJSON only can use the GeoJSON file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import shapely

from lzgis.coordinates.plane import Geometries
from lzgis.exports.formats import ReportPieces
from lzgis.exports.gis.geojson import feature_pieces, geometry_object, head_members, write_lines
from lzgis.exports.report_text import ReportText
from lzgis.model.report import Report
from lzgis.words import Language

_CONFORMS_TO = [
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/core",
    "http://www.opengis.net/spec/json-fg-1/1.0/conf/types-schemas",
]
_CRS = "http://www.opengis.net/def/crs/EPSG/0/4490"


def write_jsonfg(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write a report as JSON-FG in CGCS2000, see `lzgis.exports.formats.ReportWriter`.

    The feature types are ``site`` and ``finding``; ids and properties are those of the GeoJSON file.
    """
    _write(report, lambda: [report], path, language)


def write_jsonfg_pieces(pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
    """Write the bytes that `write_jsonfg` gives, see `lzgis.exports.formats.PiecesWriter`."""
    _write(pieces.head, pieces.reports, path, language)


def _write(head: Report, pieces: Callable[[], Iterable[Report]], path: str | Path, language: Language) -> None:
    members = {"type": "FeatureCollection", "conformsTo": _CONFORMS_TO, "coordRefSys": _CRS}
    features = (
        {
            "type": "Feature",
            "id": name,
            "featureType": name.partition(":")[0],
            "geometry": None,
            "place": geometry_object(place),
            "properties": properties,
        }
        for some, shapes in feature_pieces(pieces, language)
        for (name, properties), place in zip(some, _latitude_first(shapes), strict=True)
    )
    write_lines(path, members | head_members(ReportText(head, language)), features)


def _latitude_first(shapes: Geometries) -> Geometries:
    return np.asarray(shapely.transform(shapes, lambda lonlat: lonlat[:, ::-1]), dtype=object)
