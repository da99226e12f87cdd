"""The overlay cases of JTS and GEOS, where their folder is named by LZGIS_OVERLAY_CASES.

The cases are those of ``modules/tests/src/test/resources/testxml`` in JTS and ``tests/xmltester/tests`` in GEOS. Whether A
and B overlap, the area of what they have in common, and their distance, must be what the installed GEOS finds; where
nearly collinear edges make GEOS snap corners, the area must be the exact one instead.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from geometry.geometry_shapes import exact_area

from lzgis.geometry import FeatureIndex, SiteShapes, nearest_rounded, overlapping, overlaps
from lzgis.geometry.sites_to_layer import MOST_COORDINATE_M

FOLDER = os.environ.get("LZGIS_OVERLAY_CASES", "")


def shape(node):
    text = "".join((node.text or "").split()) if node is not None else ""
    try:
        with np.errstate(invalid="ignore"):
            return shapely.from_wkb(text) if text[:2] in ("00", "01") else shapely.from_wkt((node.text or "").strip())
    except (shapely.errors.GEOSException, AttributeError):
        return None


def pairs():
    for file in sorted(Path(FOLDER).rglob("*.xml")) if FOLDER else []:
        try:
            cases = ElementTree.parse(file).getroot().iter("case")
        except ElementTree.ParseError:
            continue
        for number, case in enumerate(cases):
            a, b = shape(case.find("a")), shape(case.find("b"))
            if a is not None and b is not None and shapely.is_valid(a) and shapely.is_valid(b):
                yield f"{file.name} {number}", a, b


def area_is_right(area, a, b):
    """Accept the area of GEOS, or the exact one; of large pairs, GEOS's within its rounding of corners."""
    expected = overlaps(np.array([a], dtype=object), FeatureIndex(np.array([b], dtype=object))).area.sum()
    if (area > 0) != (expected > 0):
        return False
    if abs(area - expected) <= 1e-6 + 1e-9 * expected:
        return True
    if len(shapely.get_coordinates(a)) * len(shapely.get_coordinates(b)) < 100_000:
        return abs(area - float(exact_area(a, b))) <= 1e-9 * (1 + expected)
    ulp = np.spacing(np.abs(shapely.get_coordinates(a)).max())
    return abs(area - expected) <= 64 * ulp * (shapely.length(a) + shapely.length(b))


@pytest.mark.skipif(not FOLDER, reason="LZGIS_OVERLAY_CASES names no folder")
def test_overlay_cases():
    wrong, polygons = [], 0
    for name, a, b in pairs():
        if "Collection" in a.geom_type + b.geom_type or shapely.is_empty([a, b]).any():
            continue
        layer = FeatureIndex(np.array([b], dtype=object))
        site = np.array([a], dtype=object)
        if np.abs(shapely.bounds([a, b])).max() > MOST_COORDINATE_M:
            continue
        area, distance = (
            overlapping(SiteShapes(site), layer).area.sum(),
            nearest_rounded(SiteShapes(site), layer).distance[0],
        )
        try:
            right, apart = area_is_right(area, a, b), shapely.distance(a, b)
        except shapely.errors.GEOSException:
            continue
        polygons += bool(shapely.get_dimensions([a, b]).min() == 2)
        if not right or abs(distance - apart) > 5e-7 + 1e-9 * apart:
            wrong.append((name, area, distance, apart))
    assert not wrong
    assert polygons > 100
