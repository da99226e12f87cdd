"""An outline or a layer drawn on a shifted map is found from what lies outside, in both directions, with one remark."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import box

from lzgis.city.catalogue import open_catalogue
from lzgis.city.outline_shift import outline_problems
from lzgis.coordinates.plane import move_points
from lzgis.coordinates.shifted_maps import THERE, Shift
from tests import toy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The toy city with a redline along its whole border, whose vertices are not those of the outline."""
    made = toy.city(tmp_path / "city")
    strips = [box(x, -4_990, x + 610, 4_990) for x in range(-4_980, 4_300, 613)]
    toy.write(made / "redline.gpkg", strips, name=["红线"] * len(strips))
    toy.write(made / "units.gpkg", [box(-4_995, -4_995, 4_995, 4_995)], layout=[""])
    return made


def _shift(file: Path, shift: Shift) -> None:
    frame = gpd.read_file(file)
    moved = move_points(THERE[shift], frame.geometry.to_numpy())
    frame.set_geometry(gpd.GeoSeries(moved, crs=frame.crs)).to_file(file)


def _found(folder: Path) -> list[tuple[str, dict[str, object]]]:
    city = open_catalogue(folder)
    layers = {name: city.load(name).layer for name in city.layers}
    return [(str(p.place), p.what.values) for p in outline_problems(city, layers)]


def test_nothing_is_said_of_data_that_fit(folder: Path) -> None:
    assert _found(folder) == []


@pytest.mark.parametrize("shift", ["gcj02", "bd09"])
def test_a_shifted_outline_is_one_remark_with_both_figures(folder: Path, shift: Shift) -> None:
    _shift(folder / "city.gpkg", shift)
    ((place, values),) = _found(folder)

    assert "'city'" in place
    # Strips of 10 km by the offset lie outside; shifted back, only the zone and the river that continue to x = -6,000 do.
    assert values["before"] > 2
    assert values["after"] == pytest.approx((1000 * 30 + 1000 * 40) / 1e6, abs=1e-3)
    assert {"gcj02": 500 < values["shift"] < 800, "bd09": 700 < values["shift"] < 1700}[shift]


def test_a_shifted_layer_is_the_one_that_is_named(folder: Path) -> None:
    _shift(folder / "redline.gpkg", "gcj02")
    ((place, values),) = _found(folder)

    assert "'redline'" in place
    assert values["before"] > 1 > 0.01 > values["after"]


def test_a_layer_is_shifted_back_as_the_catalogue_says(folder: Path) -> None:
    true = gpd.read_file(folder / "redline.gpkg").geometry.to_numpy()
    _shift(folder / "redline.gpkg", "gcj02")
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', 'source = "redline.gpkg"\nfrom = "gcj02"'))
    loaded = open_catalogue(folder).load("redline")

    here = shapely.get_coordinates(loaded.layer.frame.geometry.to_numpy())
    np.testing.assert_allclose(here, shapely.get_coordinates(true), atol=1e-9)
    assert any("GCJ-02" in str(step) for step in loaded.transforms)
    assert _found(folder) == []
