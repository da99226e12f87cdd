"""All rules in one raster: no cell is free that a constraint covers, and distances keep their bound."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import shapely
import toy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rasterio._env import get_gdal_config

import lzgis as lz
from lzgis.files.geotiff import CACHE_BYTES
from lzgis.geometry.loops import cell_gaps
from lzgis.geometry.raster_cells import cells_within
from lzgis.model.rules import Severity
from lzgis.rasters.burn import Piece, touched

# Rounded to the micrometre: these tests do not concern degenerate shapes.
AT = st.floats(-60, 160, allow_nan=False).map(lambda at: round(at, 6)) | st.integers(-6, 16).map(lambda k: k * 10.0)
PIECE = Piece(0.0, 100.0, 10.0, (10, 10))


def squares(piece):
    rows, columns = piece.shape
    row, column = np.mgrid[0:rows, 0:columns]
    west, north = piece.west + column * piece.cell_m, piece.north - row * piece.cell_m
    return shapely.box(west, north - piece.cell_m, west + piece.cell_m, north)


# --- burning ------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@example([(0.0, 10.0), (1.0, 0.0), (0.0, 11.0), (0.0, 0.0), (0.0, 10.0)], "line", 30.0)
@given(
    st.lists(st.tuples(AT, AT), min_size=1, max_size=6),
    st.sampled_from(["polygon", "line", "points"]),
    st.sampled_from([0.0, 0.5, 7.0, 30.0, 200.0]),
)
def test_no_cell_is_free_that_a_constraint_covers_and_none_marked_far_from_it(corners, kind, reach):
    points = shapely.MultiPoint(corners)
    shape = points if kind == "points" else points.convex_hull
    if kind == "line" and len(corners) > 1:
        shape = shapely.LineString(corners)
    marks = touched(PIECE, np.array([shape]), reach)
    distance = shapely.distance(squares(PIECE), shape)
    assert marks[distance < reach].all()
    assert marks[shapely.intersects(squares(PIECE), shape)].all()
    # The documented bound: 1 mm, and 0.03 % by which buffers may be too wide.
    assert not marks[distance > (reach + 0.001) * 1.0004 + 1e-6].any()


@settings(max_examples=60)
@given(st.lists(st.tuples(AT, AT, st.floats(1, 60)), min_size=1, max_size=4))
def test_cells_in_polygons_are_those_whose_centres_they_hold(discs):
    # With holes, overlapping, and reaching beyond the grid.
    rings = [shapely.Point(x, y).buffer(r) - shapely.Point(x, y).buffer(r / 2) for x, y, r in discs]
    row, column = np.mgrid[0:30, 0:45]
    centres = shapely.points(column + 0.5, row + 0.5)
    clear = np.min([shapely.distance(shapely.boundary(ring), centres) for ring in rings], axis=0) > 1e-9
    expected = np.any([shapely.contains(ring, centres) for ring in rings], axis=0)
    found = cells_within(np.array([*rings[1:], rings[0].reverse()], dtype=object), (30, 45))
    assert (found == expected)[clear].all()


@pytest.mark.parametrize("reach", [0.0, 7.0, 40.0])
def test_lines_and_borders_of_many_vertices_are_burnt_whole(reach):
    # Widened in stretches: nothing is lost between two of them, nor within the polygon.
    rng = np.random.default_rng(11)
    along = np.linspace(20, 400, 700)
    line = shapely.LineString(np.c_[along, 150 + np.cumsum(rng.normal(0, 3, 700))])
    turn = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    radius = 60 + np.cumsum(rng.normal(0, 0.3, 500))
    blob = shapely.Polygon(np.c_[220 + radius * np.cos(turn), 140 + radius * np.sin(turn)]).buffer(0)
    piece = Piece(0.0, 400.0, 10.0, (40, 42))
    for shape in (line, blob, shapely.GeometryCollection([line, shapely.Point(30, 30)])):
        marks = touched(piece, np.array([shape]), reach)
        distance = shapely.distance(squares(piece), shape)
        assert marks[distance <= reach].all()
        assert not marks[distance > (reach + 0.001) * 1.0004 + 1e-6].any()
        assert marks.any()
        assert not marks.all()


def test_a_corner_of_a_cell_is_enough():
    marks = touched(PIECE, np.array([shapely.box(9.999, 0, 20.001, 10)]), 0.0)
    assert marks[9, :3].tolist() == [True, True, True]
    assert marks.sum() == 6


def test_distances_to_cells_are_those_of_all_pairs_with_and_without_the_compiled_loops():
    rng = np.random.default_rng(5)
    for share in (0.0, 0.01, 0.2):
        marked = rng.random((30, 45)) < share
        far = np.full(45, cell_gaps.FAR, np.int32)
        down = cell_gaps.gaps_below(marked, far)
        up = cell_gaps.gaps_below(marked[::-1], far)[::-1]
        gaps = np.minimum(down, up)
        found = cell_gaps.cell_distances(gaps)
        rows, columns = np.nonzero(marked)
        row, column = np.mgrid[0:30, 0:45]
        every = np.hypot(row[..., None] - rows, column[..., None] - columns)
        expected = every.min(axis=2) if len(rows) else np.full(marked.shape, np.inf)
        assert found == pytest.approx(expected)
        wide = gaps.astype(np.int64)
        assert (rows_by_columns(wide) == cell_gaps._rows(wide)).all()


# --- memory -------------------------------------------------------------------------------------------------


def test_gdal_never_holds_more_of_a_surface_than_is_stated(folder, tmp_path, monkeypatch):
    # By default GDAL caches up to 5 % of the memory of the machine; a value of 64 would mean bytes, which makes it slow.
    held = []
    for name in ("open", "shutil.copy"):
        place, _, own = name.rpartition(".")
        module = rasterio.shutil if place else rasterio
        real = getattr(module, own)

        def spied(*given, real=real, **more):
            held.append(get_gdal_config("GDAL_CACHEMAX"))
            return real(*given, **more)

        monkeypatch.setattr(module, own, spied)
    monkeypatch.setattr("lzgis.rasters.surface.copy_raster", rasterio.shutil.copy)
    made = lz.raster_surface(folder, tmp_path / "all.tif", cell_m=200, as_of=toy.AS_OF)
    made.severity()
    # The draft, its copy, the check after writing, and reading.
    assert held == [CACHE_BYTES] * 4
    assert 16 * 2**20 <= CACHE_BYTES <= 256 * 2**20


def rows_by_columns(gaps):
    """Do as the loop by whole arrays: each step looks one column farther, until none can be nearer."""
    own = gaps**2
    best = own.copy()
    for step in range(1, gaps.shape[1]):
        if step * step >= best.max(initial=0):
            break
        np.minimum(best[:, step:], own[:, :-step] + step * step, out=best[:, step:])
        np.minimum(best[:, :-step], own[:, step:] + step * step, out=best[:, :-step])
    return np.minimum(best, cell_gaps.FAR**2)


@pytest.mark.parametrize(("band", "block", "measured"), [(16, 32, 100), (50, 1024, 2**20)])
def test_the_pieces_that_it_is_worked_in_leave_no_trace(surface, folder, tmp_path, monkeypatch, band, block, measured):
    monkeypatch.setattr("lzgis.rasters.surface.BAND", band)
    monkeypatch.setattr("lzgis.rasters.surface.BLOCK", block)
    monkeypatch.setattr("lzgis.rasters.surface._MEASURED", measured)
    again = lz.raster_surface(folder, tmp_path / "all.tif", cell_m=40, as_of=toy.AS_OF)
    with rasterio.open(surface.path) as one, rasterio.open(again.path) as two:
        assert np.array_equal(one.read(), two.read(), equal_nan=True)


# --- the toy city -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return toy.city(tmp_path_factory.mktemp("toy") / "city")


@pytest.fixture(scope="module")
def surface(folder):
    return lz.raster_surface(folder, folder.parent / "all.tif", cell_m=40, as_of=toy.AS_OF)


def truth():
    """The constraints of the toy city in the plane, by rule."""
    square = shapely.Polygon(
        shapely.box(0, 0, 1000, 1000).exterior.coords, [shapely.box(400, 400, 500, 500).exterior.coords]
    )

    def roads(*rows, first=-6000):
        return shapely.union_all([shapely.LineString([(first, y), (6000, y)]).buffer(r) for y, r in rows])

    river = shapely.box(-6000, 3000, 0, 3040).buffer(20) | shapely.LineString([(0, 3020), (6000, 3020)]).buffer(30)
    zone = shapely.box(-6000, -4015, 0, -3985)
    g3 = shapely.LineString([(0, -4000), (6000, -4000)]).buffer(25)
    return {
        "redline": square | shapely.box(1000, 0, 1500, 1000),
        "town": shapely.box(-5000, -5000, 5000, 5000) - shapely.box(-4000, -1000, -2000, 1000),
        "road": shapely.union_all([roads((-2000, 26), (-3000, 29)), zone, g3]),
        "river": river,
        "quarry": roads((-2000, 106), (-3000, 105), (-4000, 105)),
    }


def test_the_bits_are_those_of_the_vector_truth(surface):
    with rasterio.open(surface.path) as source:
        move, shape = source.transform, source.shape
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert source.descriptions[0].startswith("rules: redline=1, units=2, town=4")
        assert source.tags()["LZGIS_NOTICE"] == "示意数据"
    cells = squares(Piece(move.c, move.f, 40.0, shape))
    city = shapely.box(-5000, -5000, 5000, 5000)
    inside = shapely.intersects(cells, city)
    assert (np.isnan(surface.severity()) == ~inside).mean() > 0.98
    for rule, area in truth().items():
        marks = surface.covered(rule)
        covered = shapely.area(shapely.intersection(cells, shapely.intersection(area, city))) > 1e-6
        assert marks[covered].all(), rule
        far = shapely.distance(cells, area) > 0.2
        assert not marks[far].any(), rule


def test_severity_is_that_of_the_gravest_rule_and_possible_bands_are_conditional(surface):
    at = {"free": (-3000, 0), "redline": (200, 200), "hole": (450, 450), "river": (2000, 3045)}
    levels = {name: level_at(surface, *where) for name, where in at.items()}
    # Without an activity quarrying only informs; every place outside the town boundary is at least a notice.
    assert levels == {"free": 1, "redline": 3, "hole": 1, "river": 2}
    # G2 has an assumed half-width of 9 m: what only that reaches may be caught, no more.
    fine = lz.raster_surface(
        surface.path.parent / "city", surface.path.with_name("fine.tif"), cell_m=4, as_of=toy.AS_OF
    )
    assert level_at(fine, 2002, -2982) == 3
    assert level_at(fine, 2002, -2974) == 2


def level_at(surface, x, y):
    with rasterio.open(surface.path) as source:
        row, column = source.index(x, y)
        return float(next(source.sample([(x, y)], indexes=source.count - 2))[0]) if row >= 0 <= column else None


def test_distances_keep_their_bound(surface):
    with rasterio.open(surface.path) as source:
        move, shape = source.transform, source.shape
    city = shapely.box(-5000, -5000, 5000, 5000)
    forbidden = shapely.intersection(shapely.union_all([truth()["redline"], truth()["road"]]), city)
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]]
    centres = shapely.points(move.c + (column + 0.5) * 40, move.f - (row + 0.5) * 40)
    found = surface.distance_m()
    inside = ~np.isnan(found)
    exact = shapely.distance(centres, forbidden)
    # The road band that needs an assumed half-width is not prohibited, so nearer than here by up to 9 m.
    assert np.abs(found - exact)[inside].max() <= 40 * np.sqrt(0.5) + 9.1
    wider = surface.distance_m(to=Severity.CONDITIONAL)
    assert (wider[inside] <= found[inside]).all()


def test_an_activity_leaves_out_what_does_not_concern_it_and_takes_its_exceptions(folder):
    quarry = lz.raster_surface(folder, folder.parent / "q.tif", cell_m=40, as_of=toy.AS_OF, activity="采石")
    assert level_at(quarry, 2000, -2090) == 3
    assert any("rule 'caves'" in str(p) and "layer 'caves'" in str(p) for p in quarry.problems)
    water = lz.raster_surface(folder, folder.parent / "w.tif", cell_m=40, as_of=toy.AS_OF, activity="供水")
    assert not water.covered("quarry").any()
    assert level_at(water, 200, 200) == 2
    assert level_at(water, 2000, 3045) == 1


def test_a_surface_is_read_again(surface):
    again = lz.read_surface(surface.path)
    assert again.rules.to_dict("records") == surface.rules.to_dict("records")
    lon, lat = shapely.get_coordinates(toy.PLANE.unproject([shapely.Point(200, 200)]))[0]
    assert again.at(lon, lat)["rule"].tolist() == ["redline", "units", "town"]
    assert not len(again.at(0.0, 0.0))
    unchecked = again.rules[~again.rules["checked"]]
    assert unchecked["rule"].tolist() == ["caves"]


def test_the_same_city_gives_the_same_bytes(folder, surface):
    again = lz.raster_surface(folder, folder.parent / "again.tif", cell_m=40, as_of=toy.AS_OF)
    assert again.path.read_bytes() == surface.path.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell_m": 0}, "give metres above 0"),
        ({"cell_m": float("nan")}, "give metres above 0"),
        ({"as_of": "yesterday"}, "'yesterday' is not a date"),
        ({"activity": "采矿石"}, "'采矿石' is not in the vocabulary; did you mean '采石'"),
        ({"path": "surface.png"}, "'.png' is no GeoTIFF"),
    ],
)
def test_mistakes_are_named(folder, tmp_path, arguments, message):
    path = tmp_path / arguments.pop("path", "surface.tif")
    with pytest.raises(lz.LzgisError, match=message):
        lz.raster_surface(folder, path, **{"cell_m": 100, **arguments})
    assert not path.exists()


def test_other_files_are_not_read_as_a_surface(tmp_path, surface):
    with pytest.raises(lz.SourceError, match="does not exist"):
        lz.read_surface(tmp_path / "none.tif")
    with pytest.raises(lz.SourceError, match="is no constraint surface"):
        lz.read_surface(lz.reference_city() / "dem.tif")
    with pytest.raises(lz.ConfigError, match="holds no rule 'redlin'; did you mean 'redline'"):
        surface.covered("redlin")


MEASURE = """
import resource, sys
from pathlib import Path
import lzgis as lz
for cell in (40.0, float(sys.argv[2])):
    lz.raster_surface(sys.argv[1], Path(sys.argv[1]).parent / "m.tif", cell_m=cell, as_of="2026-11-21")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in kilobytes on Linux only")
def test_memory_does_not_grow_with_the_grid(folder):
    # 5000 by 5000 cells of 20 bytes: 500 MB, were they held at once.
    command = [sys.executable, "-c", MEASURE, str(folder), "2"]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, cwd=Path(__file__).parents[2])
    small, large = (int(line) for line in run.stdout.split())
    assert large - small < 250, (small, large)


def test_the_reference_city_at_100_metres(tmp_path):
    surface = lz.raster_surface(lz.reference_city(), tmp_path / "s.tif", cell_m=100, as_of=toy.AS_OF)
    severity = surface.severity()
    cells = np.count_nonzero(surface.covered("redline"))
    # Cells that are touched are more than the area, by those of the border.
    assert 568.74 < cells * 0.01 < 568.74 * 1.3
    assert set(np.unique(severity[~np.isnan(severity)])) == {1.0, 2.0, 3.0}
    # Every rule has a layer.
    assert surface.problems == ()
    assert surface.path.stat().st_size < 3e6
