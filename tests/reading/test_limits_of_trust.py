"""Secrets in addresses, numbers and places of a city's files, formulas in CSV, and repairs that take too long."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import shapely
import toy

from lzgis.city.catalogue import open_catalogue
from lzgis.cli.result import recorded_command
from lzgis.config import checked_number
from lzgis.errors import ConfigError
from lzgis.files.csv_text import csv_bytes
from lzgis.reading.addresses import shown, without_secrets
from lzgis.reading.repair import repair_geometries

ADDRESSES = [
    "postgis://me:{}@host/db",
    "postgresql://me:{}@host:5432/db?sslmode=require",
    "https://me:{}@host/sites.gpkg",
    "postgis://host/db?password={}",
    "PG:host=h dbname=d password={}",
    "PG:host=h dbname=d password='{}'",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    "secret", ["s3cret", "s3c/ret", "s3c@ret", "s3c?ret", "s3c#ret", "s3c:ret", "s3c%2Fret", "/s3c@/ret"]
)
def test_a_password_is_never_shown(address, secret):
    whole = address.format(secret)
    for text in (shown(whole), without_secrets(whole), " ".join(recorded_command(["screen", whole]))):
        assert "s3c" not in text
        assert "ret" not in text.replace("cret", "").replace("secret", "")


@pytest.mark.parametrize("value", [True, "20", math.nan, math.inf, -math.inf, 1e308])
def test_numbers_are_numbers(value):
    for given, annotation in (
        (value, float),
        (value, float | None),
        ([1.0, value], list[float]),
        ({"a": value}, dict[str, float]),
    ):
        with pytest.raises(ValueError, match="a finite number is needed"):
            checked_number(given, annotation)


@pytest.mark.parametrize("value", ["true", '"20"', "nan", "inf", "1e308"])
def test_a_rule_book_with_a_wrong_number_is_refused(tmp_path, value):
    folder = toy.city(tmp_path / "city")
    toy.changed(folder, "rules.toml", ("distance_m = 100", f"distance_m = {value}"))
    with pytest.raises(ConfigError, match="a finite number is needed"):
        _ = open_catalogue(folder).book


def test_a_file_outside_the_city_needs_the_word_of_the_catalogue(tmp_path):
    folder = toy.city(tmp_path / "city")
    (tmp_path / "other").mkdir()
    (folder / "town.gpkg").rename(tmp_path / "other" / "town.gpkg")
    (folder / "town.gpkg").symlink_to(tmp_path / "other" / "town.gpkg")
    with pytest.raises(ConfigError, match=r"'town\.gpkg' is outside the folder of the city"):
        open_catalogue(folder)
    (folder / "town.gpkg").unlink()
    toy.changed(folder, "catalog.toml", ('"town.gpkg"', '"../other/town.gpkg"'))
    with pytest.raises(ConfigError, match=r"other/town\.gpkg' is outside the folder of the city"):
        open_catalogue(folder)
    toy.changed(folder, "catalog.toml", ("[city]\n", '[city]\noutside = ["../other"]\n'))
    assert open_catalogue(folder).exists("town")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "  =1", "\n=1", "\r=1"])
def test_a_formula_is_text_in_csv(text):
    assert csv_bytes([[text]]).decode("utf-8-sig").lstrip('"').startswith("'")


def test_a_scribble_is_refused_and_the_others_are_kept():
    random = np.random.default_rng(1).random((10_000, 2)) * 0.01
    scribble = shapely.Polygon(random + np.array([112, 25]))
    bow_tie = shapely.Polygon([(112, 25), (112.001, 25.001), (112.001, 25), (112, 25.001)])
    begun = time.monotonic()
    done = repair_geometries([scribble, shapely.box(112, 25, 112.1, 25.1), bow_tie], np.array(["1", "2", "3"]), "s")
    assert time.monotonic() - begun < 30
    assert list(done.usable) == [False, True, True]
    assert "needs more time or memory than is allowed" in str(done.problems[0])
