"""The overlay cases of JTS and GEOS, where their folder is named by LZGIS_OVERLAY_CASES.

The cases are those of ``modules/tests/src/test/resources/testxml`` in JTS and ``tests/xmltester/tests`` in GEOS. The area
of what A and B have in common, and their distance, must be what the installed GEOS finds.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely

from lzgis.geometry import FeatureIndex, measure, overlaps

FOLDER = os.environ.get("LZGIS_OVERLAY_CASES", "")


def shape(node):
    text = "".join((node.text or "").split()) if node is not None else ""
    try:
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


@pytest.mark.skipif(not FOLDER, reason="LZGIS_OVERLAY_CASES names no folder")
def test_overlay_cases():
    wrong, polygons, all_pairs = [], 0, 0
    for name, a, b in pairs():
        if "GEOMETRYCOLLECTION" in (a.geom_type + b.geom_type).upper() or shapely.is_empty([a, b]).any():
            continue
        all_pairs += 1
        sites, layer = np.array([a], dtype=object), FeatureIndex(np.array([b], dtype=object))
        found = measure(sites, {"b": layer}, compiled=True)["b"]
        try:
            expected, apart = overlaps(sites, layer).area.sum(), shapely.distance(a, b)
        except shapely.errors.GEOSException:
            continue
        polygons += bool(shapely.get_dimensions([a, b]).min() == 2)
        area = found.areas.area.sum()
        same = abs(area - expected) <= 1e-6 + 1e-9 * expected and (area > 0) == (expected > 0)
        if not same or abs(found.nearest.distance[0] - apart) > 1e-9 * (1 + apart):
            wrong.append((name, area, expected, found.nearest.distance[0], apart))
    print(f"{all_pairs} pairs, {polygons} of polygons")
    assert not wrong
    assert polygons > 100
