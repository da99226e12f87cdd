"""Land cover and slope by zone: shares that sum to one, true areas, and what a raster does not say."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from raster_fixture import NORTH, STEP, WEST, described, forest, write_raster
from rasterio import Affine

import lzgis as lz
from lzgis.rasters.grid import open_grid
from lzgis.rasters.slope import LIMITS_DEG, slope_deg
from lzgis.rasters.tabulate import tabulate

REFERENCE = lz.reference_city()


@pytest.fixture
def city(tmp_path):
    """The toy city: forest, but farmland in the northern half of the grid; the redline lies in it."""
    folder = described(tmp_path / "city", cover="")
    values = forest()
    values[:50] = 1
    write_raster(folder / "cover.tif", values)
    return folder


def test_known_shares_and_areas(city):
    # The origin is 25 N, in the middle of the grid: the redline (y from 0 to 1000 m) lies wholly in the northern half,
    # the town boundary half in it.
    found = lz.raster_stats(city, by=["redline.*", "town"])
    assert found.share("redline.*", "redline", role="farmland") == pytest.approx(1.0, abs=2e-4)
    rows = found.composition.set_index(["zone_id", "title"])
    # A square of 1000 m less a hole of 100 m, and 500 by 1000 m.
    assert rows.loc[("redline", "耕地"), "area_m2"] == pytest.approx(1_490_000, rel=1e-4)
    assert found.share("town", "town-1", title="耕地") == pytest.approx(0.5, abs=1e-3)
    assert found.problems == ()


def test_shares_sum_to_one_and_agree_with_the_vector_areas(city):
    found = lz.raster_stats(city, by=["city.*", "redline", "units", "town"])
    sums = found.composition.groupby(["level", "zone_id"])[["share", "area_m2"]].sum()
    assert sums["share"].to_numpy() == pytest.approx(np.ones(len(sums)), abs=1e-12)
    opened = lz.open_catalogue(city)
    for (level, zone), row in sums.iterrows():
        frame = opened.load(level.partition(".")[0]).layer.frame
        shape = frame.geometry if level.endswith("*") else frame.geometry[frame["id"] == zone]
        area = shapely.area(opened.plane.project(shape.to_numpy())).sum()
        # The stated bound: edges are straight in degrees here and straight in the plane there.
        assert row["area_m2"] == pytest.approx(area, rel=1e-4)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=6),
    st.integers(0, 2**32 - 1),
    st.sampled_from([3, 7, 64]),
)
def test_cells_of_any_shape_sum_to_its_area_in_any_tiles(tmp_path_factory, corners, seed, tile):
    shape = shapely.convex_hull(shapely.MultiPoint([(WEST + x * 0.02, NORTH - y * 0.02) for x, y in corners]))
    values = np.random.default_rng(seed).integers(0, 4, (20, 20)).astype(np.uint8)
    grid = open_grid(write_raster(tmp_path_factory.mktemp("grid") / "a.tif", values, nodata=None))
    shapes = np.array([shape])
    table = tabulate(grid, shapes, lambda w: grid.read(w).filled(0).astype(np.intp), 4, tile=tile)
    expected = shape.area if shape.geom_type == "Polygon" else 0.0
    assert table.cells.sum() * STEP**2 == pytest.approx(expected, rel=1e-5, abs=1e-10)
    once = tabulate(grid, shapes, lambda w: grid.read(w).filled(0).astype(np.intp), 4)
    assert table.area == pytest.approx(once.area, rel=1e-5, abs=1)


def test_cells_without_value_are_in_no_class_and_are_reported(city):
    values = forest()
    values[:, :50] = 0
    write_raster(city / "cover.tif", values)
    found = lz.raster_stats(city, by=["units"])
    rows = found.composition[found.composition["what"] == "no-value"].set_index("zone_id")
    assert rows.loc["units-1", "share"] == pytest.approx(1, abs=1e-3)
    assert any("has no data for" in p.what and "units-1" in p.what for p in found.problems)
    assert found.share("units", "units-2", role="forest") == pytest.approx(1, abs=1e-3)


def test_the_part_outside_the_raster_is_counted_as_not_covered(city):
    write_raster(city / "cover.tif", forest(100, 50))
    found = lz.raster_stats(city, by=["city.*"])
    row = found.composition[found.composition["what"] == "not-covered"].iloc[0]
    # The toy city reaches 5000 m east of the grid's new border at the origin's meridian.
    assert row["share"] == pytest.approx(0.5, abs=1e-3)
    assert row["area_m2"] == pytest.approx(50e6, rel=1e-3)
    assert found.composition["share"].sum() == pytest.approx(1)


def test_a_value_without_a_class_is_unknown_and_counted(city):
    values = forest()
    values[:10, :10] = 77
    write_raster(city / "cover.tif", values)
    found = lz.raster_stats(city, by=["city.*"])
    assert [p.what for p in found.problems] == ["100 cells hold the value 77, which no class of the catalogue names"]
    assert (found.composition["what"] == "unknown-value").sum() == 1


def test_rasters_of_floats_and_missing_rasters_are_refused(city):
    write_raster(city / "cover.tif", forest().astype("float32"))
    with pytest.raises(
        lz.SourceError, match="holds float32 values, which are no classes; give a raster of whole numbers"
    ):
        lz.raster_stats(city)
    (city / "cover.tif").unlink()
    with pytest.raises(lz.ConfigError, match="the city has no land-cover raster"):
        lz.raster_stats(city)
    with pytest.raises(lz.SourceError, match="does not exist"):
        lz.raster_stats(city, "cover")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"raster": "covers"}, "raster 'covers' is not described; did you mean 'cover'"),
        ({"by": ["redlin"]}, "layer 'redlin' is not described"),
        ({"by": ["redline.nam"]}, "layer 'redline' has no field 'nam'; did you mean 'name'"),
        ({"by": ["roads"]}, "has no areas to measure"),
    ],
)
def test_mistakes_are_named(city, arguments, message):
    with pytest.raises(lz.LzgisError, match=message):
        lz.raster_stats(city, **arguments)


def test_catalogue_mistakes_are_named(tmp_path):
    folder = described(tmp_path / "city", cover='declared = [{ what = "count", value = 3 }]')
    write_raster(folder / "cover.tif", forest())
    with pytest.raises(lz.ConfigError, match="a raster can declare area_km2 or share_of_city"):
        lz.raster_stats(folder)
    toy.changed(folder, "catalog.toml", ("[raster.cover.classes]", "[raster.other.classes]"))
    with pytest.raises(lz.ConfigError, match="key 'title' is missing"):
        lz.raster_stats(folder)


def test_land_cover_without_classes_or_with_other_bytes(tmp_path):
    folder = described(tmp_path / "city", dem="")
    toy.changed(folder, "catalog.toml", ('kind = "elevation"', f'kind = "landcover"\nsha256 = "{"0" * 64}"'))
    write_raster(folder / "dem.tif", forest())
    with pytest.raises(lz.ConfigError, match="raster 'dem': names no classes; add a table of classes"):
        lz.raster_stats(folder, "dem")
    toy.changed(folder, "catalog.toml", ('kind = "landcover"', 'kind = "landcover"\nclasses.2.title = "林地"'))
    found = lz.raster_stats(folder, "dem", by=["city.*"])
    assert "the file is not the one the catalogue describes" in found.problems[0].what


def test_every_cell_of_a_raster_without_nodata_counts_as_data(city):
    write_raster(city / "cover.tif", forest(), nodata=None)
    assert [p.what for p in lz.raster_stats(city, by=["city.*"]).problems] == ["names no nodata value"]


def test_sites_are_zones_of_their_own(city):
    sites = toy.sites(toy.square(0, 0, 200), toy.square(0, -400, 200))
    found = lz.raster_stats(city, by=["city.*"], sites=sites)
    assert found.share("sites", "s1", role="farmland") == pytest.approx(1, abs=1e-4)
    assert found.share("sites", "s2", role="forest") == pytest.approx(1, abs=1e-4)


# --- slope --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0, 2, 6, 15, 25, 40])
@pytest.mark.parametrize("towards", [(0, 1), (1, 0), (0.6, 0.8)])
def test_a_plane_slopes_as_it_is_made(degrees, towards):
    row, column = np.mgrid[0:6, 0:7]
    rise = np.tan(np.radians(degrees))
    heights = rise * (row * 20 * towards[0] + column * 30 * towards[1])
    assert slope_deg(heights, (30, 20))[1:-1, 1:-1] == pytest.approx(degrees, abs=1e-9)


def test_missing_heights_give_no_slope_and_spoil_no_neighbour():
    heights = np.zeros((5, 5))
    heights[2, 2] = np.nan
    slopes = slope_deg(heights, (10, 10))
    assert np.isnan(slopes[2, 2])
    assert np.nansum(slopes) == 0


def test_slope_classes_and_limits(tmp_path):
    folder = described(tmp_path / "city", cover="", dem="")
    cell_m = 0.001 * 111_320 * np.cos(np.radians(25))
    # Flat in the west, 30° towards the east; farmland in the northern half.
    heights = np.tile(
        np.where(np.arange(100) < 50, 0, (np.arange(100) - 49) * cell_m * np.tan(np.radians(30))), (100, 1)
    )
    write_raster(folder / "dem.tif", heights.astype("float32"), nodata=-9999)
    values = forest()
    values[:50] = 1
    write_raster(folder / "cover.tif", values)
    found = lz.raster_stats(folder, "dem", by=["city.*"])
    assert found.share("city.*", "city", title="≤2°") == pytest.approx(0.5, abs=0.02)
    assert found.share("city.*", "city", title=">25°") == pytest.approx(0.5, abs=0.02)
    limits = found.limits.set_index("title")
    assert limits.loc["耕地", "area_m2"] == pytest.approx(50e6, rel=1e-2)
    assert limits.loc["耕地", "share"] == pytest.approx(0.5, abs=0.02)
    assert limits.loc["建设用地", "area_m2"] == 0
    assert np.isnan(limits.loc["建设用地", "share"])
    assert list(LIMITS_DEG) == [2, 6, 15, 25]


def test_classes_are_not_compared_with_slope_on_another_grid(tmp_path):
    folder = described(tmp_path / "city", cover="", dem="")
    write_raster(folder / "dem.tif", np.zeros((100, 100), "int16"), nodata=-1)
    write_raster(folder / "cover.tif", forest(), transform=Affine(STEP, 0, WEST + STEP / 3, 0, -STEP, NORTH))
    found = lz.raster_stats(folder, "dem", by=["city.*"])
    assert not len(found.limits)
    assert "cover.tif" in found.problems[-1].place
    assert "bring it to the grid of the elevation yourself" in found.problems[-1].remedy


# --- the reference city -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference():
    return lz.raster_stats(REFERENCE)


def test_forest_covers_the_share_of_the_plan_and_forest_and_grass_more(reference):
    forest_only, with_grass = reference.declared
    assert forest_only.measured == pytest.approx(0.6821, abs=5e-5)
    assert forest_only.holds
    assert with_grass.measured > 0.7
    assert not with_grass.holds
    assert reference.problems == ()


def test_the_areas_of_the_reference_city_are_those_of_its_layers(reference):
    area = reference.composition.groupby("level")["area_m2"].sum() / 1e6
    assert area["city.*"] == pytest.approx(2667.7082, abs=0.001)
    assert area["redline.*"] == pytest.approx(568.7401, abs=0.001)
    assert area["redline.function"] == pytest.approx(area["redline.*"], rel=1e-9)


def test_land_cover_fits_the_layers():
    found = lz.raster_stats(REFERENCE, by=["farmland.*", "reservoirs.*", "industrial_parks.*"])
    assert found.share("farmland.*", "farmland", role="farmland") > 0.95
    assert found.share("reservoirs.*", "reservoirs", role="water") > 0.9
    assert found.share("industrial_parks.*", "industrial_parks", role="built") > 0.5
