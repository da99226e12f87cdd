"""A city outside China: its profile says where coordinates may be, and which datums are accepted."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest

import lzgis as lz
from lzgis.coordinates.plane import Plane
from lzgis.errors import SourceError
from tests import toy

ABROAD = Plane(-1.5, 53.8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = toy.city(tmp_path / "city", ABROAD)
    return toy.changed(made, "catalog.toml", ('name = "玩具市"', 'name = "Toytown"\nprofile = "world"'))


def test_a_city_abroad_is_screened_as_one_in_china(folder: Path) -> None:
    report = lz.screen(toy.sites(toy.square(900, 900), plane=ABROAD), folder, as_of=toy.AS_OF)

    # Half of the square of 200 m would lie in the redline; the one of 100 m lies in its corner wholly.
    row = toy.rows(report, "redline").iloc[0]
    assert row["state"] == "涉及"
    assert row["area_m2"] == pytest.approx(10_000, rel=1e-6)


def test_without_the_profile_its_layers_are_refused(tmp_path: Path) -> None:
    made = toy.city(tmp_path / "city", ABROAD)

    with pytest.raises(SourceError):
        lz.screen(toy.sites(toy.square(900, 900), plane=ABROAD), made, as_of=toy.AS_OF)


def test_sites_in_china_are_refused_nowhere_and_lie_outside_the_city(folder: Path) -> None:
    report = lz.screen(toy.sites(toy.square(900, 900)), folder, as_of=toy.AS_OF)

    assert set(toy.rows(report, "redline")["reason"]) == {"outside-city"}


def test_a_datum_of_the_profile_is_taken_with_a_remark(folder: Path) -> None:
    frame = gpd.read_file(folder / "redline.gpkg").set_crs("EPSG:4258", allow_override=True)
    frame.to_file(folder / "redline.gpkg")
    toy.changed(folder, "catalog.toml", ('source = "redline.gpkg"', 'source = "redline.gpkg"\ncrs = "EPSG:4258"'))
    loaded = lz.open_catalogue(folder).load("redline")

    assert any("European Terrestrial" in str(step) for step in loaded.transforms)
