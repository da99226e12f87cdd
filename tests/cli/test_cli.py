"""The command line: exit codes, what goes to which stream, languages, consoles that lack characters."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rasterio
import toy
from command_line import run
from shapely import box

from lzgis.city.catalogue import open_catalogue
from lzgis.rules.book import read_rulebook

FREE = toy.square(-3000, -100)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The toy city without the rule whose layer is missing, and a file of sites for every outcome."""
    folder = toy.city(tmp_path_factory.mktemp("toy") / "city")
    for name, shapes in {
        "free": [FREE],
        "conflict": [FREE, toy.square(100, 100)],
        "review": [box(-100, 100, 0.5, 900)],
        "incomplete": [toy.square(100, 100), toy.square(9000, 0)],
    }.items():
        toy.sites(*shapes).to_file(folder / f"{name}.gpkg", engine="pyogrio")
    return folder


@pytest.mark.parametrize(("sites", "code"), [("free", 0), ("conflict", 1), ("review", 1), ("incomplete", 2)])
def test_the_exit_code_depends_on_the_verdicts(place, sites, code):
    done = run("screen", place / f"{sites}.gpkg", "--layers", place, "--as-of", toy.AS_OF)
    assert done.returncode == code, done.stderr
    assert "地块1" in done.stdout
    assert "示意数据" in done.stdout
    assert done.stderr == ""


def test_json_and_nothing_else_on_standard_output(place):
    done = run("screen", place / "conflict.gpkg", "--layers", place, "--as-of", toy.AS_OF, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert [v["verdict"] for v in document["verdicts"]] == ["未发现冲突", "存在禁止性冲突"]
    assert "NaN" not in done.stdout


def test_files_are_written_and_named_on_standard_error(place, tmp_path):
    out = tmp_path / "结果"
    done = run(
        "screen",
        place / "free.gpkg",
        "--layers",
        place,
        "--as-of",
        toy.AS_OF,
        "-o",
        out,
        "--format",
        "json",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((out / "report.json").read_text("utf-8"))
    assert done.stderr.strip() == str(out / "report.json")


def test_english_on_demand(place):
    done = run("screen", place / "conflict.gpkg", "--layers", place, "--as-of", toy.AS_OF, "--lang", "en")
    assert done.returncode == 1
    assert "存在禁止性冲突" not in done.stdout
    chinese = run("screen", place / "conflict.gpkg", "--layers", place, "--as-of", toy.AS_OF)
    assert "存在禁止性冲突" in chinese.stdout


@pytest.mark.parametrize("command", ["screen", "layers"])
@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_a_console_that_lacks_characters_prints_substitutes(place, command, encoding):
    sites = (place / "conflict.gpkg", "--as-of", toy.AS_OF) if command == "screen" else ()
    done = run(command, *sites, "--layers", place, encoding=encoding)
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
    assert done.stdout
    if encoding == "gbk" and command == "screen":
        assert "存在禁止性冲突" in done.stdout


@pytest.mark.parametrize(
    ("encoding", "message"),
    [("gbk", "文件不存在；请检查路径"), ("ascii", "nothing.gpkg")],
)
def test_a_console_that_lacks_characters_shows_errors_all_the_same(tmp_path, encoding, message):
    done = run("screen", tmp_path / "nothing.gpkg", encoding=encoding)
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_in_chinese_by_default(place):
    done = run("screen", place / "free.gpkg", "--layers", place, "--as-of", "soon")
    assert done.returncode == 64
    assert done.stderr.strip() == "规则时点：“soon”不是日期；请写成 2026-11-21"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("screen", "nowhere.gpkg"), "nowhere.gpkg: the file does not exist; check the path"),
        (
            ("screen", "{free}", "--layers", "nowhere"),
            "the file does not exist; make one with 'lzgis init DIR'",
        ),
        (
            ("screen", "{free}", "--layers", "{city}", "--as-of", "soon"),
            "as_of: 'soon' is not a date; write it as 2026-11-21",
        ),
        (
            ("screen", "{free}", "--layers", "{city}", "-o", "{out}", "--format", "xslx"),
            "'xslx' is not known; did you mean 'xlsx'?",
        ),
        (("layers", "--layers", "nowhere"), "the file does not exist"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error(place, tmp_path, arguments, message):
    known = {"free": place / "free.gpkg", "city": place, "out": tmp_path / "out"}
    done = run(*(a.format(**known) for a in arguments), "--lang", "en")
    assert done.returncode == (64 if "soon" in arguments or "xslx" in arguments else 3)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [("screen",), ("screen", "a.gpkg", "--lang", "fr"), ("sceen",)])
def test_a_wrong_use_of_a_command_is_code_64(arguments):
    done = run(*arguments)
    assert done.returncode == 64
    assert "Traceback" not in done.stderr


def test_help_is_given():
    done = run("--help")
    assert done.returncode == 0
    for command in ("screen", "demo", "layers", "init"):
        assert command in done.stdout


def test_layers_are_shown_with_their_problems(place):
    done = run("layers", "--layers", place)
    assert "生态保护红线" in done.stdout
    assert "1.490 km²" in done.stdout
    assert done.returncode == 0


def test_a_layer_that_is_not_there_is_shown_as_missing(tmp_path):
    folder = toy.city(tmp_path / "city")
    (folder / "town.gpkg").unlink()
    done = run("layers", "--layers", folder)
    assert "文件 town.gpkg 不存在" in done.stdout
    assert done.returncode == 2


def test_an_empty_city_is_written_and_is_sound(tmp_path):
    folder = tmp_path / "新城"
    done = run("init", folder)
    assert done.returncode == 0
    assert "catalog.toml" in done.stdout
    assert "| `distance_m` |" in (folder / "rule-keys.md").read_text("utf-8")
    held, cases = run("rules", "check", folder).stdout.splitlines()[-1].split("/")
    assert held == cases
    city = open_catalogue(folder)
    assert city.city.outline == "city"
    book = read_rulebook(folder / "rules.toml")
    assert {r.layer for r in book.rules} - set(city.layers) <= set(book.layers)


def test_a_folder_in_use_is_not_overwritten(place):
    before = (place / "catalog.toml").read_bytes()
    done = run("init", place)
    assert done.returncode == 3
    assert "已存在且不为空" in done.stderr
    assert (place / "catalog.toml").read_bytes() == before


def test_an_unknown_activity_is_reported_with_its_row(place, tmp_path):
    toy.sites(FREE, activity="核电站").to_file(tmp_path / "s.gpkg", engine="pyogrio")
    command = ["--layers", place, "--lang", "en"]
    screened = run("screen", tmp_path / "s.gpkg", *command, "--as-of", toy.AS_OF)
    assert screened.returncode != 3
    # `inspect` foresees both.
    listed = run("inspect", tmp_path / "s.gpkg", *command)
    assert listed.returncode == 0
    for shown in (screened.stdout, listed.stdout):
        assert "site 's1', activity: '核电站' is not in the vocabulary" in " ".join(shown.split())
    strict = run("screen", tmp_path / "s.gpkg", *command, "--as-of", toy.AS_OF, "--strict")
    assert strict.returncode == 3
    assert "row 1 (site 's1'), activity: '核电站' is not in the vocabulary; allowed: 住宅, 供水, 采石" in strict.stderr
    refused = run("inspect", tmp_path / "s.gpkg", *command, "--strict")
    assert refused.returncode == 2
    assert "row 1 (site 's1'), activity: '核电站' is not in the vocabulary" in " ".join(refused.stdout.split())


def test_an_elevation_raster_may_be_given_for_the_base_of_the_map(place, tmp_path):
    west, south, east, north = toy.sites(FREE).to_crs(4490).total_bounds + np.array([-0.1, -0.1, 0.1, 0.1])
    with rasterio.open(
        tmp_path / "dem.tif", "w", driver="GTiff", width=20, height=20, count=1, dtype="float32", crs="EPSG:4490",
        transform=rasterio.Affine((east - west) / 20, 0, west, 0, (south - north) / 20, north),
    ) as raster:  # fmt: skip
        raster.write(np.arange(400, dtype="float32").reshape(1, 20, 20))
    command = ["screen", place / "free.gpkg", "--layers", place, "--as-of", toy.AS_OF, "--format", "html", "--out"]
    for out, dem in (("plain", []), ("shaded", ["--dem", tmp_path / "dem.tif"])):
        assert run(*command, tmp_path / out, *dem).returncode == 0
        page = (tmp_path / out / "map.html").read_text("utf-8")
        assert ("L.imageOverlay" in page.rpartition("lzgis.start")[0].rpartition("<script>")[2]) == bool(dem)
    failed = run(*command, tmp_path / "none", "--dem", tmp_path / "none.tif", "--lang", "en")
    assert failed.returncode == 3
    assert "cannot be read as elevation" in failed.stderr
