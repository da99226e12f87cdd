"""Repairs by structure: shells are united, holes are subtracted, and nothing else happens."""

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

from lzgis.reading.repair import valid_by_structure

SQUARE = box(0, 0, 100, 100).exterior.coords


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        pytest.param(Polygon(SQUARE, [box(200, 0, 250, 50).exterior.coords]), 10_000, id="hole-elsewhere"),
        pytest.param(Polygon(SQUARE, [box(100, 0, 150, 50).exterior.coords]), 10_000, id="hole-touches"),
        pytest.param(Polygon(SQUARE, [box(80, 0, 150, 50).exterior.coords]), 9_000, id="hole-sticks-out"),
        pytest.param(
            MultiPolygon([Polygon(SQUARE, [box(200, 0, 250, 50).exterior.coords]), box(300, 0, 310, 10)]),
            10_100,
            id="one-part-of-two",
        ),
        pytest.param(Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), 50, id="bow"),
        pytest.param(MultiPolygon([box(0, 0, 10, 10), box(5, 0, 15, 10)]), 150, id="parts-overlap"),
    ],
)
def test_the_area_is_that_of_shells_less_holes(shape, area):
    valid = valid_by_structure(shape)
    assert valid.is_valid
    assert valid.area == pytest.approx(area, rel=1e-12)


BOXES = st.builds(lambda x, y, w, h: box(x, y, x + w, y + h), *(st.integers(0, 40),) * 2, *(st.integers(1, 30),) * 2)


@settings(max_examples=60)
@given(st.lists(BOXES, min_size=1, max_size=4))
def test_any_holes_are_subtracted(holes):
    """The oracle is an overlay of the shell and the union of the holes."""
    shell = box(10, 10, 40, 40)
    valid = valid_by_structure(Polygon(shell.exterior.coords, [one.exterior.coords for one in holes]))
    assert valid.area == pytest.approx(shell.difference(shapely.union_all(holes)).area, abs=1e-9)
