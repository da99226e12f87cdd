"""Layers read by the windows of the sites give the answers that the whole layers give, for every kind of rule and format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from postgis_server import database

from lzgis.city.catalogue import open_catalogue
from lzgis.coordinates.plane import Plane
from lzgis.messages import in_language
from lzgis.model.report import Report
from lzgis.screening.screen import screen

PLANE = Plane(112.5, 25.0)
HALF = 120_000.0
LAYERS = ("redline", "units", "roads", "town")
CATALOGUE = """
[city]
name = "大市"
[layer.city]
title = "市域"
role = "outline"
source = "city.fgb"
"""
LAYER = """
[layer.{name}]
title = "{name}"
source = "{source}"
{more}
"""
RULES = """
[book]
name = "规则"
version = "1"
[layers]
redline = "红线"
units = "单元"
roads = "公路"
town = "边界"
[document.made]
title = "规则"
certainty = "lore"
"""
RULE = """
[rule.{name}]
kind = "{kind}"
layer = "{layer}"
{more}
title = "{name}"
severity = "conditional"
strength = "law"
basis = [{{ document = "made" }}]
effective_from = 2020-01-01
"""
RULES += "".join(
    RULE.format(name=name, kind=kind, layer=layer, more=more)
    for name, kind, layer, more in (
        ("redline", "avoid", "redline", ""),
        ("rare", "avoid", "units", 'where.class = ["rare"]'),
        ("none", "avoid", "units", 'where.class = ["none"]'),
        ("units", "identify", "units", ""),
        ("roads", "keep_away", "roads", "distance_m = 500"),
        ("town", "stay_inside", "town", ""),
    )
)
WRITERS = {
    "fgb": lambda frame, file: frame.to_file(file, driver="FlatGeobuf"),
    "gpkg": lambda frame, file: frame.to_file(file),
    "parquet": lambda frame, file: frame.to_parquet(file, write_covering_bbox=True, row_group_size=50),
    # Without a column of boxes.
    "geoparquet": lambda frame, file: frame.to_parquet(file),
}


def layers() -> dict[str, gpd.GeoDataFrame]:
    """Return areas, a rare kind far away, a bow tie, lines of 60 km and sites in, near and far from them."""
    rng = np.random.default_rng(7)
    places = rng.uniform(-HALF * 0.9, HALF * 0.9, (400, 2))
    discs = shapely.buffer(shapely.points(places), rng.uniform(50, 3_000, 400), quad_segs=6)
    bow = shapely.Polygon([(0, 0), (4_000, 4_000), (4_000, 0), (0, 4_000)])
    redline = np.array([*discs[:200], bow], dtype=object)
    units = discs[100:]
    starts = rng.uniform(-HALF * 0.9, 0, (30, 2))
    roads = shapely.linestrings(np.stack([starts, starts + rng.uniform(-60_000, 60_000, (30, 2))], axis=1))
    town = discs[50:60]
    wanted = np.array([*places[:20] + 900, *rng.uniform(-HALF * 0.9, HALF * 0.9, (10, 2)), [2_000, 1_000]])
    sites = shapely.buffer(shapely.points(wanted), 40, quad_segs=4)
    outside = shapely.box(HALF + 5_000, 0, HALF + 6_000, 500)
    return {
        "city": made("c", [shapely.box(-HALF, -HALF, HALF, HALF)]),
        "redline": made("r", redline),
        "units": made("u", units, **{"class": np.where(np.arange(300) == 17, "rare", "common")}),
        "roads": made("w", roads),
        "town": made("t", town),
        "sites": made("s", [*sites, outside, shapely.LineString([(-90_000, 0), (-50_000, 3_000)]), shapely.Point(9, 9)]),
    }


def made(letter: str, shapes: object, **columns: object) -> gpd.GeoDataFrame:
    shapes = np.asarray(shapes, dtype=object)
    frame = pd.DataFrame({"id": [f"{letter}{at}" for at in range(len(shapes))], "name": letter, **columns})
    return gpd.GeoDataFrame(frame, geometry=PLANE.unproject(shapes), crs="EPSG:4490")


def city_in(folder: Path, sources: dict[str, str], read: str, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    described = ""
    for name, source in sources.items():
        lines = f'read = "{read}"\n{more}\n'
        if name == "roads":
            lines += 'geometry = "line"\nbaseline = "centreline"\n'
        described += LAYER.format(name=name, source=source, more=lines)
    (folder / "catalog.toml").write_text(CATALOGUE + described, "utf-8")
    (folder / "rules.toml").write_text(RULES, "utf-8")
    return folder


def same(one: Report, other: Report) -> None:
    for name in ("findings", "verdicts", "breakdown"):
        pd.testing.assert_frame_equal(pd.DataFrame(getattr(one, name)), pd.DataFrame(getattr(other, name)))


def notes(report: Report) -> str:
    with in_language("en"):
        return "\n".join(f"{one.place}: {one.what}; {one.remedy}" for one in report.problems)


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4526"])
@pytest.mark.parametrize("suffix", WRITERS)
def test_same_answers_as_the_whole_layer(tmp_path: Path, suffix: str, crs: str) -> None:
    frames = layers()
    frames["city"].to_file(tmp_path / "city.fgb", driver="FlatGeobuf")
    # FlatGeobuf orders rows by its index; every format gets the same order.
    for name in LAYERS:
        frames[name].to_file(tmp_path / f"{name}.fgb", driver="FlatGeobuf")
        frames[name] = gpd.read_file(tmp_path / f"{name}.fgb")
        WRITERS[suffix](frames[name].to_crs(crs), tmp_path / f"{name}.{suffix}")
    sources = {name: f"{name}.{suffix}" for name in LAYERS}
    reports = {}
    for read in ("whole", "window"):
        folder = city_in(tmp_path, sources, read, f'crs = "{crs}"')
        reports[read] = screen(frames["sites"], folder, as_of="2026-01-01")
    same(reports["whole"], reports["window"])
    assert len(reports["window"].layers["redline"].frame) < 201
    assert "features were read, those near the sites" in notes(reports["window"])
    assert "features were read" not in notes(reports["whole"])
