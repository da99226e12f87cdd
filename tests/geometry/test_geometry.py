"""The geometry floor against oracles without GEOS: unit cells counted, numbers worked by hand."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
import shapely
from geometry.shapely_oracle import dwithin, nearest
from shapely import LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from lzgis.geometry import (
    FeatureIndex,
    buffered,
    mean_width,
    off_border,
    outside_parts,
    overlaps,
    part_of_dimension,
)

Cells = frozenset[tuple[int, int]]

RING = Polygon(box(0, 0, 10, 10).exterior.coords, [box(2, 2, 8, 8).exterior.coords])

# Every shape has its corners on whole numbers, and all edges but those of SLANTED run along the axes.
SHAPES: dict[str, shapely.Geometry] = {
    "square": box(0, 0, 10, 10),
    "ring": RING,
    "hole in hole": MultiPolygon([RING, Polygon(box(3, 3, 7, 7).exterior.coords, [box(4, 4, 6, 6).exterior.coords])]),
    "parts touching at a point": MultiPolygon([box(0, 0, 5, 5), box(5, 5, 10, 10)]),
    "hole touching the shell": Polygon(box(0, 0, 10, 10).exterior.coords, [[(0, 5), (4, 3), (4, 7), (0, 5)]]),
    "two holes touching": Polygon(
        box(0, 0, 10, 10).exterior.coords, [box(2, 2, 5, 5).exterior.coords, box(5, 5, 8, 8).exterior.coords]
    ),
    "duplicate vertices": Polygon([(0, 0), (0, 0), (10, 0), (10, 0), (10, 10), (0, 10), (0, 10), (0, 0)]),
    "collinear border": Polygon([(0, 0), (3, 0), (7, 0), (10, 0), (10, 5), (10, 10), (4, 10), (0, 10), (0, 1)]),
    "comb": Polygon(
        [
            (0, 0),
            (10, 0),
            (10, 10),
            (9, 10),
            (9, 1),
            (7, 1),
            (7, 10),
            (5, 10),
            (5, 1),
            (3, 1),
            (3, 10),
            (0, 10),
        ]
    ),
    "far apart": MultiPolygon([box(0, 0, 1, 1), box(9, 9, 10, 10)]),
    "strip": box(0, 4, 10, 5),
}
AXIS_PARALLEL = [name for name in SHAPES if name != "hole touching the shell"]
# Worked out in the head: 100; 100-36; 64+16-4; 25+25; 100 - 4*4/2; 100-9-9; 100; 100; 100 - 9*2*2; 1+1; 10.
AREAS = dict(zip(SHAPES, (100, 64, 76, 50, 92, 82, 100, 100, 64, 2, 10), strict=True))
OFFSETS = {
    "near the origin": (0, 0),
    "with a zone prefix": (37_512_345, 2_765_432),
    "at 4e7": (40_000_000, 40_000_000),
}


@cache
def cells(shape: shapely.Geometry) -> Cells:
    """Unit cells of an axis-parallel shape, by the parity of the edges to the west of their middles."""
    edges = [
        (x1, min(y1, y2), max(y1, y2))
        for polygon in shapely.get_parts(shape)
        for ring in (polygon.exterior, *polygon.interiors)
        for (x1, y1), (x2, y2) in zip(ring.coords, ring.coords[1:], strict=False)
        if x1 == x2
    ]
    span = range(-1, 25)
    return frozenset((x, y) for x in span for y in span if sum(e[0] <= x and e[1] < y + 0.5 < e[2] for e in edges) % 2)


def gap(first: Cells, second: Cells) -> float:
    """Exact distance of two sets of unit cells."""
    a, b = np.array(sorted(first)), np.array(sorted(second))
    apart = np.maximum(np.abs(a[:, None, :] - b[None, :, :]) - 1, 0)
    return float(np.sqrt((apart**2).sum(axis=2).min()))


def moved(shape: shapely.Geometry, by: tuple[float, float]) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: xy + np.array(by))


def array(*shapes: shapely.Geometry) -> np.ndarray:
    return np.array(shapes, dtype=object)


def area_in(found_area: Iterable[float]) -> float:
    return float(np.sum(list(found_area)))


@pytest.mark.parametrize("name", SHAPES)
def test_the_shapes_are_what_their_numbers_say(name):
    assert SHAPES[name].is_valid
    assert SHAPES[name].area == AREAS[name]
    if name in AXIS_PARALLEL:
        assert len(cells(SHAPES[name])) == AREAS[name]


@pytest.mark.parametrize("second", AXIS_PARALLEL)
@pytest.mark.parametrize("first", AXIS_PARALLEL)
def test_overlap_outside_and_distance_are_those_of_counted_cells(first, second):
    ours = SHAPES[first]
    for shift, offset in product(((0, 0), (3, 2), (10, 0), (10, 10), (13, 4)), OFFSETS):
        theirs = moved(SHAPES[second], shift)
        our_cells, their_cells = cells(ours), cells(theirs)
        both = our_cells & their_cells
        sites = array(moved(ours, OFFSETS[offset]))
        index = FeatureIndex(array(moved(theirs, OFFSETS[offset])))

        found = overlaps(sites, index)
        assert area_in(found.area) == len(both)
        assert len(found.left) == (1 if both else 0)
        assert shapely.area(outside_parts(sites, index))[0] == len(our_cells - their_cells)
        assert nearest(sites, index).distance[0] == pytest.approx(gap(our_cells, their_cells), abs=1e-7)
        # The resolution of real coordinates changes nothing where whole metres overlap.
        assert area_in(overlaps(sites, index, resolution=1e-3).area) == len(both)
        assert shapely.area(outside_parts(sites, index, resolution=1e-3))[0] == len(our_cells - their_cells)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_site_equal_to_its_feature_is_all_inside(name, offset):
    site = array(moved(SHAPES[name], OFFSETS[offset]))
    index = FeatureIndex(site.copy())
    found = overlaps(site, index)
    assert found.area.tolist() == [AREAS[name]]
    assert shapely.is_empty(outside_parts(site, index))[0]
    assert nearest(site, index).distance.tolist() == [0.0]
    assert dwithin(site, index, 0.0).distance.tolist() == [0.0]


@pytest.mark.parametrize("name", SHAPES)
def test_inside_and_outside_sum_to_the_whole_against_a_slanted_cut(name):
    cut = Polygon([(-20, -3.3), (31.7, 4.9), (31.7, 40), (-20, 40)])
    site = array(SHAPES[name])
    index = FeatureIndex(array(cut))
    inside = area_in(overlaps(site, index).area)
    outside = float(shapely.area(outside_parts(site, index))[0])
    assert inside + outside == pytest.approx(AREAS[name], rel=1e-12)


def test_a_diagonal_cut_has_the_exact_fractional_area():
    # Below the line from (0, 0) to (7, 3), between x = 0 and 7: a triangle of 21/2.
    triangle = Polygon([(0, 0), (7, 0), (7, 3)])
    found = overlaps(array(box(0, 0, 7, 10)), FeatureIndex(array(triangle)))
    assert found.area.tolist() == pytest.approx([21 / 2], rel=1e-15)
    # In the strip y 1..2 it reaches from x = 7y/3 to 7: the integral of 7 - 7y/3 is 7 - 7/2 = 7/2.
    found = overlaps(array(box(0, 1, 7, 2)), FeatureIndex(array(triangle)))
    assert found.area.tolist() == pytest.approx([7 / 2], rel=1e-15)


def test_touching_is_not_overlapping():
    index = FeatureIndex(array(box(0, 0, 10, 10)))
    sites = array(box(10, 0, 20, 10), box(10, 10, 20, 20), LineString([(10, 2), (10, 8)]), Point(10, 5), Point(0, 0))
    assert len(overlaps(sites, index).left) == 0
    assert nearest(sites, index).distance.tolist() == [0.0] * 5


@pytest.mark.parametrize("resolution", [0.0, 1e-3])
def test_lines_give_crossed_length_and_none_along_a_border(resolution):
    index = FeatureIndex(array(box(0, 0, 10, 10)))
    crossing = LineString([(-5, 5), (15, 5)])
    along = LineString([(10, -5), (10, 15)])
    along_then_in = LineString([(10, 2), (10, 8), (4, 8)])
    within = LineString([(1, 1), (1, 4)])
    found = overlaps(array(crossing, along, along_then_in, within), index, resolution=resolution)
    assert found.left.tolist() == [0, 2, 3]
    assert found.length.tolist() == pytest.approx([10, 6, 3], abs=1e-9)
    assert found.area.tolist() == [0, 0, 0]


def test_a_line_that_wavers_about_a_border_by_less_than_the_resolution_runs_along_it():
    index = FeatureIndex(array(box(0, 0, 1000, 1000)))
    wave = LineString([(1000 + 4e-4 * (-1) ** i, 100.0 * i) for i in range(11)])
    assert overlaps(array(wave), index).length[0] > 400
    assert len(overlaps(array(wave), index, resolution=1e-3).left) == 0
    assert shapely.is_empty(outside_parts(array(wave), index, resolution=1e-3))[0]
    # A crossing as slant as one in ten keeps its length: 1000 to the side, 100 up, half of it inside.
    slant = LineString([(500, 950), (1500, 1050)])
    kept = overlaps(array(slant), index, resolution=1e-3).length[0]
    assert kept == pytest.approx(np.hypot(500, 50), abs=1e-9)


def test_what_runs_along_a_border_is_left_out_and_what_crosses_stays_whole():
    border = array(LineString([(0, 0), (100, 0)]))
    line = array(LineString([(10, -5), (10, 0), (60, 0), (60, 7)]))
    rest = off_border(line, line, border, 1e-3)
    # 5 below, 7 above; the 50 along the border count nothing. The corners lose at most a resolution each.
    assert shapely.length(rest)[0] == pytest.approx(12, abs=3e-3)
    across = array(LineString([(10, -5), (10, 5)]))
    assert shapely.length(off_border(across, across, border, 1e-3))[0] == 10


def test_points_lie_in_the_interior_or_not_at_all():
    index = FeatureIndex(array(RING))
    sites = array(Point(1, 1), Point(2, 5), Point(5, 5), Point(0, 0), MultiPoint([(1, 1), (50, 50)]))
    found = overlaps(sites, index)
    assert found.left.tolist() == [0, 4]
    assert found.area.tolist() == [0, 0]
    near = array(Point(1.9995, 5), Point(1.998, 5))
    assert overlaps(near, index, resolution=1e-3).left.tolist() == [1]


def test_a_polygon_overlaps_the_lines_and_points_in_its_interior():
    features = array(
        LineString([(-5, 5), (5, 5)]), LineString([(10, 0), (10, 9)]), Point(3, 3), Point(10, 5), Point(11, 5)
    )
    found = overlaps(array(box(0, 0, 10, 10)), FeatureIndex(features), resolution=1e-3)
    assert found.right.tolist() == [0, 2]
    assert found.length.tolist() == [5, 0]


def test_nothing_in_gives_nothing_out():
    nothing = np.array([], dtype=object)
    some = array(box(0, 0, 1, 1))
    for sites, features in ((nothing, some), (some, nothing), (nothing, nothing)):
        index = FeatureIndex(features)
        assert len(overlaps(sites, index).left) == 0
        assert len(dwithin(sites, index, 5.0).left) == 0
        assert len(outside_parts(sites, index)) == len(sites)
        assert len(nearest(sites, index).distance) == len(sites)
    assert nearest(some, FeatureIndex(nothing)).right.tolist() == [-1]
    assert np.isnan(nearest(some, FeatureIndex(nothing)).distance[0])
    assert outside_parts(some, FeatureIndex(nothing))[0].equals(some[0])
    assert len(mean_width(nothing)) == 0
    assert len(part_of_dimension(nothing, np.array([], dtype=int))) == 0


def test_outside_parts_of_sites_that_meet_nothing_are_the_sites():
    sites = array(box(50, 50, 60, 60), LineString([(50, 0), (60, 0)]), Point(99, 99))
    rest = outside_parts(sites, FeatureIndex(array(box(0, 0, 10, 10))))
    assert shapely.equals(rest, sites).all()


def test_a_seam_between_two_features_leaves_nothing_outside():
    index = FeatureIndex(array(box(0, 0, 5, 10), box(5, 0, 10, 10)))
    sites = array(box(2, 2, 8, 8), LineString([(2, 2), (8, 8)]), LineString([(5, 1), (5, 9)]), Point(5, 5))
    assert shapely.is_empty(outside_parts(sites, index)).all()


def test_mean_width_is_the_width_of_a_long_strip_and_nan_without_area():
    # 2 * 8 / (2 * (8 + 1)), and for the ring of width 2: 2 * 64 / (40 + 24).
    widths = mean_width(array(box(0, 0, 8, 1), RING, LineString([(0, 0), (1, 1)]), Polygon()))
    assert widths[:2].tolist() == pytest.approx([16 / 18, 2.0], rel=1e-15)
    assert np.isnan(widths[2:]).all()
    assert FeatureIndex(array(RING, Point(0, 0))).mean_widths.tolist() == [2.0, np.inf]


def test_a_spike_adds_next_to_nothing_but_is_found():
    spike = Polygon([(0, 0), (10, 0), (10, 10), (5.0005, 10), (5, 1000), (4.9995, 10), (0, 10)])
    found = overlaps(array(box(0, 900, 10, 1000)), FeatureIndex(array(spike)))
    # A triangle of base 0.001 and height 990, cut 100 below its tip: 0.001 * 990 / 2 * (100 / 990)².
    assert found.area[0] == pytest.approx(0.001 * 100**2 / 990 / 2, rel=1e-6)
    assert mean_width(found.part)[0] < 1e-4


def test_many_vertices_keep_the_area_of_the_circle():
    n, radius = 50_000, 1000.0
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    circle = Polygon(np.c_[radius * np.cos(angle), radius * np.sin(angle)])
    half = FeatureIndex(array(box(0, -2000, 2000, 2000)))
    # A regular n-gon has the area n/2 r² sin(2π/n); a cut along an axis of symmetry halves it.
    whole = n / 2 * radius**2 * np.sin(2 * np.pi / n)
    assert overlaps(array(circle), half).area[0] == pytest.approx(whole / 2, rel=1e-10)
    assert shapely.area(outside_parts(array(circle), half))[0] == pytest.approx(whole / 2, rel=1e-10)
    assert nearest(array(Point(2000, 0)), FeatureIndex(array(circle))).distance[0] == pytest.approx(1000, abs=1e-9)
    spokes = array(LineString([(-3000, 17), (3000, 17)]))
    assert overlaps(spokes, FeatureIndex(array(circle)), resolution=1e-3).length[0] == pytest.approx(
        2 * np.sqrt(radius**2 - 17**2), rel=1e-8
    )


def test_distance_within_is_exact_and_includes_the_limit():
    road = LineString([(0, 0), (300, 400)])
    index = FeatureIndex(array(road))
    # The unit normal of the road is (4, -3)/5: 20 m from its middle lies (150 + 16, 200 - 12).
    on, past = Point(166, 188), Point(166.001, 187.999)
    assert dwithin(array(on), index, 20.0).distance.tolist() == pytest.approx([20.0], abs=1e-12)
    assert len(dwithin(array(past), index, 20.0).left) == 0
    dense = shapely.points(shapely.get_coordinates(shapely.segmentize(road, 0.05)))
    assert float(shapely.distance(past, dense).min()) == pytest.approx(
        dwithin(array(past), index, 21).distance[0], abs=1e-4
    )


def test_of_several_equally_near_features_the_first_is_taken():
    index = FeatureIndex(array(Point(10, 0), Point(0, 10), Point(-10, 0), Point(0, 3)))
    found = nearest(array(Point(0, 0), Point(0, 4)), FeatureIndex(index.geometries[:3]))
    assert found.right.tolist() == [0, 1]
    assert nearest(array(Point(0, 0)), index).right.tolist() == [3]


def test_pairs_come_sorted_by_site_then_feature():
    features = array(*[box(x, 0, x + 2, 2) for x in (8, 2, 6, 0, 4)])
    sites = array(box(0, 0, 10, 1), box(3, 0, 7, 1))
    found = overlaps(sites, FeatureIndex(features))
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [
        (0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 1), (1, 2), (1, 4),
    ]  # fmt: skip
    assert found.area.tolist() == [2, 2, 2, 2, 2, 1, 1, 2]


def test_only_pieces_of_the_asked_dimension_remain():
    mixed = shapely.from_wkt(
        "GEOMETRYCOLLECTION (POINT (0 0), LINESTRING (0 0, 3 4), POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0)))"
    )
    kept = part_of_dimension(array(mixed, mixed, mixed, Point(1, 1)), np.array([0, 1, 2, 2]))
    assert [g.geom_type for g in kept[:3]] == ["Point", "LineString", "Polygon"]
    assert shapely.length(kept[1]) == 5
    assert shapely.area(kept[2]) == 4
    assert shapely.is_empty(kept[3])


def test_an_index_of_a_choice_answers_for_the_choice():
    index = FeatureIndex(array(box(0, 0, 1, 1), box(5, 0, 6, 1), box(9, 0, 10, 1)))
    chosen = index.take(np.array([2, 1]))
    assert len(chosen) == 2
    assert nearest(array(Point(4, 0)), chosen).right.tolist() == [1]


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 10), (1, 0), (0, 11), (0, 0), (0, 10)],
        [(34, 0), (62, 2), (85, -2), (103, 11), (112, -4), (103, 11), (85, -2), (62, 2), (34, 0)],
        [(0, 0), (100, 0), (100, 40), (100, 0), (200, 0)],
    ],
    ids=["zigzag", "there and back", "spur"],
)
def test_the_buffer_of_a_line_that_runs_back_is_that_of_its_segments(corners):
    line = LineString(corners)
    segments = [LineString(pair) for pair in pairwise(corners)]
    whole = shapely.union_all(shapely.buffer(segments, 30.0, quad_segs=64))
    assert buffered(np.array([line]), 30.0, quad_segs=64)[0].area == pytest.approx(whole.area, rel=1e-3)
