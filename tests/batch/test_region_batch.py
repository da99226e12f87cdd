"""Batches and clusters of several cities: the bytes of one screening, whatever the number of shards and processes."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, box
from typer.testing import CliRunner

import lzgis as lz
import lzgis.batch.gathering as gathering
from lzgis.batch import Batch, BatchOptions, screen_batch
from lzgis.batch.answers import summed_city_rules
from lzgis.city.region import Region
from lzgis.cli.app import app
from lzgis.exports.folder import export_folder
from tests.region_toy import counties
from tests.toy import AS_OF, sites

WHEN = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
FORMATS = ("json", "gpkg", "xlsx", "parquet", "verdicts")
PER_CITY = ("json", "verdicts", "parquet")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three counties and a file of 15 sites in one, two and all of them, across borders, and in none."""
    folder = tmp_path_factory.mktemp("region")
    folders = counties(folder)
    shapes = [LineString([(-13_900, 10 * at), (14_000, 10 * at)]) for at in range(4)]
    shapes += [box(-5_300, 100 * at, -4_700, 100 * at + 50) for at in range(4)]
    shapes += [box(-8_500, 0, -8_400, 100), box(100, 0, 200, 100), box(9_990, 0, 10_020, 100)]
    shapes += [box(19_000, 0, 19_100, 100), LineString([(14_000, 0), (18_000, 0)]), box(-2_000, 900, -1_900, 950)]
    shapes += [box(-9_000, -400, -8_900, -300)]
    activity = ["输电线路", "", "采石"] * 5
    sites(*shapes, activity=activity).to_file(folder / "sites.gpkg", engine="pyogrio")
    return folders


def region(folders: list[Path]) -> Region:
    return lz.open_region(*folders)


def batch(
    three: list[Path], out: Path, *, size: int = 4, workers: int = 1, formats: tuple[str, ...] = FORMATS
) -> Batch:
    chosen = BatchOptions(formats=formats, shard_size=size, made_at=WHEN, workers=workers, per_city=PER_CITY)
    return screen_batch(three[0].parent / "sites.gpkg", region(three), out, as_of=AS_OF, settings=chosen)


@pytest.fixture(scope="module")
def whole(three: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a single screening writes."""
    report = lz.screen(three[0].parent / "sites.gpkg", region(three), as_of=AS_OF, made_at=WHEN)
    out = tmp_path_factory.mktemp("whole")
    export_folder(report, out, FORMATS, per_city=PER_CITY)
    return out


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != "manifest.json"}


def of_cities(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("各市县/*/*") if p.name != "manifest.json"}


@pytest.mark.parametrize(("size", "workers"), [(4, 1), (100, 1), (5, 2)])
def test_shards_of_a_region_give_the_bytes_of_one_screening(
    three: list[Path], whole: Path, tmp_path: Path, size: int, workers: int
) -> None:
    done = batch(three, tmp_path / "out", size=size, workers=workers)

    assert content(tmp_path / "out") == content(whole)
    assert of_cities(tmp_path / "out") == of_cities(whole) and len(of_cities(whole)) == 9
    assert done.sites == 15 and sum(done.verdicts.values()) == 15


def test_a_region_in_pieces_has_the_rows_and_tables_of_one_screening(
    three: list[Path], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "WHOLE", 10)
    batch(three, tmp_path / "out")

    pieces, once = tmp_path / "out", whole
    for name in ("findings.parquet", "verdicts.parquet"):
        assert (pieces / name).read_bytes() == (once / name).read_bytes()
    one, other = (next(folder.glob("*.gpkg")) for folder in (pieces, once))
    # A file of very many sites leaves the table of findings to findings.parquet.
    assert {*gpd.list_layers(one)["name"], "findings"} == set(gpd.list_layers(other)["name"])
    for layer in ("city_rules", "stretches"):
        found, wanted = (gpd.read_file(file, layer=layer) for file in (one, other))
        pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(wanted), rtol=1e-12)
    found, wanted = (json.loads((one / "report.json").read_text("utf-8")) for one in (pieces, once))
    assert found["findings"] == wanted["findings"]
    assert found["stretches"] == wanted["stretches"]
    assert len(found["city_rules"]) == len(wanted["city_rules"])
    assert found["problems"] == wanted["problems"]


def test_cities_of_a_region_in_pieces_have_the_answers_of_one_screening(
    three: list[Path], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "WHOLE", 10)
    batch(three, tmp_path / "out")

    made, wanted = of_cities(tmp_path / "out"), of_cities(whole)
    assert set(made) == set(wanted)
    for name, data in wanted.items():
        if name.endswith(".json"):
            one, other = json.loads(made[name]), json.loads(data)
            assert one["findings"] == other["findings"] and one["verdicts"] == other["verdicts"]
        else:
            found, known = (pd.read_parquet(io.BytesIO(one)) for one in (made[name], data))
            pd.testing.assert_frame_equal(found, known)


def test_workers_of_a_cluster_give_the_bytes_of_one_screening(three: list[Path], whole: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    where = {"local_directory": str(tmp_path / "dask"), "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, **where) as one,
        distributed.Client(one) as client,
    ):
        report = lz.screen(three[0].parent / "sites.gpkg", region(three), as_of=AS_OF, made_at=WHEN, client=client)
        chosen = BatchOptions(formats=FORMATS, shard_size=4, made_at=WHEN, per_city=PER_CITY)
        file = three[0].parent / "sites.gpkg"
        screen_batch(file, region(three), tmp_path / "batch", as_of=AS_OF, client=client, settings=chosen)
    export_folder(report, tmp_path / "screen", FORMATS, per_city=PER_CITY)

    for made in ("screen", "batch"):
        assert content(tmp_path / made) == content(whole)
        assert of_cities(tmp_path / made) == of_cities(whole)


def test_sums_of_pieces_are_those_of_the_whole() -> None:
    first = pd.DataFrame(
        {
            "city": ["乙", ""],
            "rule": "r",
            "state": "涉及",
            "sites": [1, 2],
            "area_m2": [1.5, float("nan")],
            "length_m": 2.0,
        }
    )
    second = first.assign(city=["甲", "乙"], area_m2=[4.0, 2.5])

    made = summed_city_rules([first, second], ["甲", "乙"])

    assert made.to_dict("list")["city"] == ["甲", "乙", ""]
    assert list(made["sites"]) == [1, 3, 2]
    assert list(made["area_m2"][:2]) == [4.0, 4.0] and made["area_m2"].isna()[2]


def test_decisions_of_a_region_are_shown_and_those_of_its_cities_are_named(three: list[Path], tmp_path: Path) -> None:
    report = lz.screen(three[0].parent / "sites.gpkg", region(three), as_of=AS_OF)
    entry = lz.override_entry(report, "s9", "redline@甲县", decision=lz.Decision(reason="核定边界外", author="张三"))
    (tmp_path / "overrides.toml").write_text(entry, "utf-8")
    copies = counties(tmp_path)
    (copies[1] / "overrides.toml").write_text("", "utf-8")
    names = ", ".join(f'"{one.name}"' for one in copies)
    (tmp_path / "region.toml").write_text(f'[region]\nname = "三县"\ncities = [{names}]\n', "utf-8")

    decided = lz.screen(three[0].parent / "sites.gpkg", tmp_path, as_of=AS_OF)

    assert list(decided.overrides["rule"]) == ["redline@甲县"]
    assert "decisions in the folders of cities are not used: 乙县" in {str(one.what) for one in decided.problems}
    given = lz.screen(three[0].parent / "sites.gpkg", region(three), as_of=AS_OF, overrides=tmp_path / "overrides.toml")
    assert list(given.overrides["rule"]) == ["redline@甲县"]


def test_the_command_screens_a_region_as_a_batch(three: list[Path], tmp_path: Path) -> None:
    layers = [word for one in three for word in ("--layers", str(one))]
    file, out = three[0].parent / "sites.gpkg", tmp_path / "out"
    done = CliRunner().invoke(
        app,
        [*f"screen {file} --as-of {AS_OF} --shard-size 5 --out {out} --format json --per-city json".split(), *layers],
    )

    assert done.exit_code == 2, done.output
    assert "丙县" in done.output and "1.0" in done.output
    assert len(json.loads((out / "report.json").read_text("utf-8"))["stretches"]) > 15
    assert len(of_cities(out)) == 3
    assert CliRunner().invoke(app, ["verify", str(out)]).exit_code == 0
