"""What became what inside the redline: hand-made cells, and the conversions planted in the reference city."""

from __future__ import annotations

import re

import numpy as np
import pyogrio
import pytest
import shapely
import toy
from raster_fixture import NORTH, STEP, WEST, described, forest, write_raster
from rasterio import Affine

import lzgis as lz
from lzgis.coordinates.plane import ellipsoidal_area_m2

REFERENCE = lz.reference_city()


def cell_area(row):
    box = shapely.box(WEST, NORTH - (row + 1) * STEP, WEST + STEP, NORTH - row * STEP)
    return ellipsoidal_area_m2([box])[0]


@pytest.fixture
def city(tmp_path):
    """The toy city: two cells of forest built over inside the redline, one farmed, ten outside it converted."""
    folder = described(tmp_path / "city", early="", late="")
    early, late = forest(), forest()
    late[42, 51:53] = 5
    late[46, 56] = 1
    late[80, 10:20] = 5
    write_raster(folder / "early.tif", early)
    write_raster(folder / "late.tif", late)
    return folder


def test_only_changes_inside_the_redline_count(city):
    found = lz.raster_change(city, "early", "late")
    patches = found.patches
    assert patches[["before", "after"]].to_numpy().tolist() == [["林地", "建设用地"], ["林地", "耕地"]]
    assert patches["area_m2"].to_numpy() == pytest.approx([2 * cell_area(42), cell_area(46)], rel=1e-6)
    assert patches["feature_name"].tolist() == ["甲", "甲"]
    assert found.dropped == (0, 0.0)
    whole = found.converted[found.converted["level"] == "redline.*"].set_index("after")["area_m2"]
    assert whole["建设用地"] == pytest.approx(2 * cell_area(42), rel=1e-6)
    assert found.matrix().loc["林地", "耕地"] == pytest.approx(cell_area(46) / 1e4, rel=1e-6)
    assert found.transitions.groupby(["level", "zone_id"])["share"].sum().to_numpy() == pytest.approx(1)


def test_a_raster_against_itself_has_no_change(city):
    found = lz.raster_change(city, "late", "late")
    assert not len(found.patches)
    assert not len(found.converted)
    assert found.matrix().to_numpy().sum() == pytest.approx(149, rel=1e-3)


def test_backwards_is_the_mirror(city):
    forth, back = lz.raster_change(city, "early", "late"), lz.raster_change(city, "late", "early")
    assert back.matrix().to_numpy() == pytest.approx(forth.matrix().to_numpy().T)
    assert back.patches["area_m2"].tolist() == forth.patches["area_m2"].tolist()


def test_small_patches_are_counted_and_not_drawn(city):
    found = lz.raster_change(city, "early", "late", min_area_m2=15_000)
    assert len(found.patches) == 1
    assert found.dropped == (1, pytest.approx(cell_area(46), rel=1e-6))


def test_a_patch_is_cut_at_the_border(city):
    late = forest()
    late[45, 40:60] = 5  # from far west of the redline, whose border runs along the meridian between columns 49 and 50
    write_raster(city / "late.tif", late)
    found = lz.raster_change(city, "early", "late")
    assert len(found.patches) == 1
    # All ten cells east of the border but for the hole, which the row crosses.
    hole = found.patches.geometry.iloc[0].interiors if hasattr(found.patches.geometry.iloc[0], "interiors") else ()
    assert not len(hole)
    assert 9 * cell_area(45) < found.patches["area_m2"].iloc[0] < 10 * cell_area(45)


def test_no_value_is_no_change(city):
    late = forest()
    late[42, 51:53] = 0
    write_raster(city / "late.tif", late)
    found = lz.raster_change(city, "early", "late")
    assert not len(found.patches)
    assert set(found.transitions["after"]) == {"林地", ""}
    assert not len(found.converted)


@pytest.mark.parametrize("grid", [{"crs": "EPSG:4526", "transform": Affine(100, 0, 38_344_000, 0, -100, 2_775_000)}])
def test_projected_rasters_give_true_areas_too(city, grid):
    early = forest(120, 120)
    write_raster(city / "early.tif", early, **grid)
    late = early.copy()
    late[:, :] = 5
    write_raster(city / "late.tif", late, **grid)
    found = lz.raster_change(city, "early", "late")
    assert found.patches["area_m2"].sum() == pytest.approx(1_490_000, rel=1e-4)
    assert found.converted["area_m2"].iloc[0] == pytest.approx(1_490_000, rel=1e-4)


def test_mistakes_are_named(city):
    with pytest.raises(lz.ConfigError, match="raster 'lat' is not described; did you mean 'late'"):
        lz.raster_change(city, "early", "lat")
    with pytest.raises(lz.ConfigError, match="give square metres, 0 or more"):
        lz.raster_change(city, "early", "late", min_area_m2=float("nan"))
    write_raster(city / "late.tif", forest(), transform=Affine(STEP, 0, WEST + STEP / 4, 0, -STEP, NORTH))
    with pytest.raises(lz.SourceError, match=r"late\.tif: begins 0.25 cells east"):
        lz.raster_change(city, "early", "late")


def test_slope_is_no_land_cover(tmp_path):
    folder = described(tmp_path / "city", early="", dem="")
    write_raster(folder / "early.tif", forest())
    write_raster(folder / "dem.tif", np.zeros((100, 100), "int16"))
    with pytest.raises(lz.ConfigError, match="is of the kind 'elevation', not 'landcover'"):
        lz.raster_change(folder, "early", "dem")


def test_the_files_hold_what_was_found(city, tmp_path):
    found = lz.raster_change(city, "early", "late")
    path = found.write(tmp_path / "out" / "change.gpkg")
    patches = pyogrio.read_dataframe(path, layer="patches")
    assert patches["area_m2"].tolist() == found.patches["area_m2"].tolist()
    assert patches.crs.to_epsg() == 4490
    assert len(pyogrio.read_dataframe(path, layer="transitions")) == len(found.transitions)
    empty = lz.raster_change(city, "late", "late").write(tmp_path / "none.gpkg")
    assert len(pyogrio.read_dataframe(empty, layer="patches")) == 0


# --- the reference city -------------------------------------------------------------------------------------


def planted():
    """The conversions that the README promises: classes, area in the redline, function."""
    text = (REFERENCE / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (\S+) → (\S+) \| ([\d.]+) \| [\d.]+ \| (\S+) \|", text, flags=re.M)
    return sorted(((b, a, f), float(m2)) for b, a, m2, f in rows)


def test_the_planted_conversions_are_found_and_nothing_else():
    found = lz.raster_change(REFERENCE, "landcover_2015", "landcover_2020")
    rows = found.patches
    keys = zip(rows["before"], rows["after"], rows["function"], strict=True)
    measured = sorted(zip(keys, rows["area_m2"], strict=True))
    assert [key for key, _ in measured] == [key for key, _ in planted()]
    assert [area for _, area in measured] == pytest.approx([area for _, area in planted()], abs=0.06)
    assert found.dropped == (0, 0.0)
    assert len(planted()) == 5


def test_the_table_agrees_with_the_patches():
    found = lz.raster_change(REFERENCE, "landcover_2015", "landcover_2020")
    for level in ("redline.*", "redline.function", "control_units"):
        table = found.converted[found.converted["level"] == level]
        # Cells whole or in part against polygons cut: the bound is that of single-precision shares.
        assert table["area_m2"].sum() == pytest.approx(found.patches["area_m2"].sum(), rel=1e-5)
    assert toy.AS_OF
