"""Layers read by the windows of the sites give the answers that the whole layers give, for every kind of rule and format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from postgis_server import database, psycopg

from lzgis.batch import BatchOptions, screen_batch
from lzgis.city.catalogue import open_catalogue
from lzgis.coordinates.plane import Plane
from lzgis.model.report import Report, State
from lzgis.screening import large_layers
from lzgis.screening.screen import screen

PLANE = Plane(112.5, 25.0)
HALF = 70_000.0
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
    roads = shapely.linestrings(np.stack([starts, starts + rng.uniform(-40_000, 40_000, (30, 2))], axis=1))
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
        "sites": made(
            "s", [*sites, outside, shapely.LineString([(-90_000, 0), (-50_000, 3_000)]), shapely.Point(9, 9)]
        ),
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
        if source.startswith("postgis:"):
            lines += f'source_layer = "{name}"\n'
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
    return "\n".join(f"{one.place}: {one.what}; {one.remedy}" for one in report.problems)


def compared(folder: Path, sources: dict[str, str], more: str = "", rules: str = "") -> Report:
    """Compare the answers of whole layers and of windows; return the report of the latter."""
    reports = {}
    for read in ("whole", "window"):
        city = city_in(folder, sources, read, more)
        if rules:
            (city / "rules.toml").write_text(RULES + rules, "utf-8")
        reports[read] = screen(layers()["sites"], city, as_of="2026-01-01")
    same(reports["whole"], reports["window"])
    assert "features were read" not in notes(reports["whole"])
    return reports["window"]


@pytest.fixture
def frames(tmp_path: Path) -> dict[str, gpd.GeoDataFrame]:
    """The layers in the order of a FlatGeobuf, which orders rows by its index; each is in such a file."""
    found = layers()
    for name in ("city", *LAYERS):
        found[name].to_file(tmp_path / f"{name}.fgb", driver="FlatGeobuf")
        found[name] = gpd.read_file(tmp_path / f"{name}.fgb")
    return found


@pytest.mark.parametrize(
    ("suffix", "crs"),
    [("fgb", "EPSG:4490"), ("gpkg", "EPSG:4526"), ("parquet", "EPSG:4490"), ("geoparquet", "EPSG:4526")],
)
def test_same_answers_as_the_whole_layer(
    tmp_path: Path, frames: dict[str, gpd.GeoDataFrame], suffix: str, crs: str
) -> None:
    for name in LAYERS:
        WRITERS[suffix](frames[name].to_crs(crs), tmp_path / f"{name}.{suffix}")
    report = compared(tmp_path, {name: f"{name}.{suffix}" for name in LAYERS}, f'crs = "{crs}"')
    assert len(report.layers["redline"].frame) < 201
    assert "features were read, those near the sites" in notes(report)
    assert {State.INVOLVED, State.CLEAR, State.NOT_CHECKED} <= set(report.findings["state"])


def test_same_answers_from_a_database(tmp_path: Path, frames: dict[str, gpd.GeoDataFrame]) -> None:
    with database() as address, psycopg.connect(address.replace("postgis:", "postgresql:"), autocommit=True) as server:
        for name in LAYERS:
            frame = frames[name]
            server.execute(f"CREATE TABLE {name} (nr serial PRIMARY KEY, id text, name text, class text, g geometry)")
            kinds = frame["class"] if "class" in frame else [None] * len(frame)
            rows = zip(frame["id"], frame["name"], kinds, frame.geometry.to_wkb(hex=True), strict=True)
            insert = f"INSERT INTO {name} (id, name, class, g) VALUES (%s, %s, %s, ST_SetSRID(%s::geometry, 4490))"
            server.cursor().executemany(insert, list(rows))
            server.execute(f"CREATE INDEX ON {name} USING gist (g)")
        report = compared(tmp_path, dict.fromkeys(LAYERS, address))
        assert "features were read, those near the sites" in notes(report)


@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_a_feature_without_geometry_is_always_read(
    tmp_path: Path, frames: dict[str, gpd.GeoDataFrame], suffix: str
) -> None:
    frame = frames["redline"]
    frame.geometry = frame.geometry.where(frame["id"] != "r5")
    WRITERS[suffix](frame, tmp_path / f"redline.{suffix}")
    report = compared(tmp_path, {"redline": f"redline.{suffix}"})
    # It may lie anywhere, so that no site is clear of the layer.
    assert not (report.findings[report.findings["rule"] == "redline"]["state"] == State.CLEAR).any()
    assert len(report.layers["redline"].frame) < 200


def test_a_rule_that_finds_no_feature_reads_the_layer_to_its_end(
    tmp_path: Path, frames: dict[str, gpd.GeoDataFrame]
) -> None:
    none = RULE.format(name="none", kind="avoid", layer="units", more='where.class = ["none"]')
    report = compared(tmp_path, {"units": "units.fgb"}, rules=none)
    assert len(report.layers["units"].frame) == 300


def test_layers_of_another_place_and_without_features(tmp_path: Path, frames: dict[str, gpd.GeoDataFrame]) -> None:
    far = frames["town"].set_geometry(frames["town"].translate(5, 0))
    far.to_file(tmp_path / "town.fgb", driver="FlatGeobuf")
    frames["redline"].iloc[:0].to_file(tmp_path / "redline.gpkg")
    report = compared(tmp_path, {"town": "town.fgb", "redline": "redline.gpkg"})
    reasons = report.findings.groupby("rule")["reason"].agg(set)
    assert reasons["town"] == {"layer-elsewhere"}
    assert reasons["redline"] == {"layer-empty"}


def test_what_must_be_read_whole_is_named(tmp_path: Path, frames: dict[str, gpd.GeoDataFrame]) -> None:
    frames["redline"].to_file(tmp_path / "redline.geojson")
    both = RULE.format(
        name="both",
        kind="keep_away",
        layer="roads",
        more='distance_m = 9\nbaselines = ["units"]\nusual_baseline = "edge"',
    )
    sources = {"redline": "redline.geojson", "roads": "roads.fgb", "units": "units.fgb"}
    report = compared(tmp_path, sources, rules=both)
    said = notes(report)
    assert "layer 'redline': is read whole; its format has no index" in said
    assert "layer 'units': is read whole; rule 'both' compares it with other layers" in said


def test_a_large_file_is_read_by_window_of_itself(
    tmp_path: Path, frames: dict[str, gpd.GeoDataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    city = open_catalogue(city_in(tmp_path, {"redline": "redline.fgb"}, "whole"))
    spec = city.spec.layer["redline"].model_copy(update={"read": None})
    city = replace(city, spec=city.spec.model_copy(update={"layer": {**city.spec.layer, "redline": spec}}))
    site = frames["sites"].iloc[[0]].reset_index(drop=True)
    assert len(screen(site, city, as_of="2026-01-01").layers["redline"].frame) == 201
    monkeypatch.setattr(large_layers, "LARGE_BYTES", 1000)
    assert len(screen(site, city, as_of="2026-01-01").layers["redline"].frame) < 20


def test_the_shards_of_a_batch_read_their_own_windows(tmp_path: Path, frames: dict[str, gpd.GeoDataFrame]) -> None:
    city = city_in(tmp_path, {name: f"{name}.fgb" for name in LAYERS}, "window")
    frames["sites"].to_file(tmp_path / "sites.gpkg")
    settings = BatchOptions(formats=("parquet",), shard_size=10)
    screen_batch(tmp_path / "sites.gpkg", city, tmp_path / "out", as_of="2026-01-01", settings=settings)
    whole = screen(
        tmp_path / "sites.gpkg", city_in(tmp_path, {n: f"{n}.fgb" for n in LAYERS}, "whole"), as_of="2026-01-01"
    )
    found = pd.concat([pd.read_parquet(one) for one in sorted((tmp_path / "out").rglob("findings.parquet"))])
    assert len(found) == len(whole.findings)
    assert found["state"].tolist() == whole.findings["state"].tolist()
    np.testing.assert_allclose(found["distance_m"], whole.findings["distance_m"], rtol=1e-8)
