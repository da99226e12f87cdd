"""The exit code of every command, as the table of docs/results.md says: 0 and what else it can be, 3 and 64 for all."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pytest
import toy
import typer
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from raster_fixture import described, forest, write_raster
from shapely import Polygon

import lzgis as lz
from lzgis.cli.app import _run, app
from lzgis.cli.help import commands_below
from lzgis.exports.folder import export_folder
from lzgis.files.manifest import InputPaths
from lzgis.words import Words

RESULTS = Path(__file__).parents[2] / "docs" / "results.md"
COMMANDS = {path: one for path, one in commands_below(typer.main.get_command(app)) if not hasattr(one, "commands")}
#: Commands with the arguments that end in a code; {…} are files of the fixture.
ENDS: dict[str, dict[int, str]] = {
    "screen": {
        0: "screen {free} --layers {city} {day}",
        1: "screen {hit} --layers {city} {day}",
        2: "screen {broken} --layers {city} {day}",
        3: "screen {none} --layers {city}",
    },
    "layers": {0: "layers --layers {whole}", 2: "layers --layers {lacking}", 3: "layers --layers {none}"},
    "audit": {
        0: "audit --layers {calm} {day}",
        1: "audit --layers {overlapping} {day}",
        2: "audit --layers {lacking} {day}",
        3: "audit --layers {none}",
    },
    "diff": {0: "diff {city} {city}", 1: "diff {city} {moved}", 3: "diff {city} {none}"},
    "verify": {0: "verify {out}", 1: "verify {changed}", 3: "verify {none}"},
    "avoid": {
        0: "avoid s1 --sites {free} --layers {city} {day}",
        1: "avoid s2 --sites {hit} --layers {city} {day}",
        3: "avoid s9 --sites {hit} --layers {city} {day}",
    },
    "inspect": {
        0: "inspect {free} --layers {city}",
        2: "inspect {broken_text} --layers {city}",
        3: "inspect {free} --layers {none}",
    },
    "adopt": {2: "adopt {delivery} --out {new}/adopted", 3: "adopt {none} --out {new}/none"},
    "rules check": {0: "rules check {book}", 1: "rules check {wrong_book}", 3: "rules check {none}"},
    "raster change": {
        0: "raster change early early --layers {city}",
        1: "raster change early late --layers {city}",
        3: "raster change early never --layers {city}",
    },
    "raster stats": {0: "raster stats --layers {city}", 3: "raster stats never --layers {city}"},
    "raster surface": {
        0: "raster surface {new}/surface.tif --cell 500 --layers {city} {day}",
        3: "raster surface {new}/surface.tif --cell 0 --layers {city} {day}",
    },
    "map": {0: "map --layers {city} {day} --sites {free} --out {new}/map", 3: "map --layers {none} --out {new}/map2"},
    "init": {0: "init {new}/fresh", 3: "init {city}"},
    "override": {
        0: "override s2 redline --sites {hit} --layers {city} {day} --reason a --author b",
        3: "override s9 redline --sites {hit} --layers {city} {day} --reason a --author b",
    },
    "sign": {0: "sign {signed} --key {key}", 3: "sign {signed} --key {none}"},
    "indicators": {0: "indicators", 3: "indicators --layers {none}"},
    "rules list": {0: "rules list --layers {city}", 3: "rules list --layers {none}"},
    "rules explain": {0: "rules explain redline --layers {city}", 3: "rules explain never --layers {city}"},
    "rules activities": {0: "rules activities --layers {city}", 3: "rules activities --layers {none}"},
    "serve backup": {3: "serve backup {new}/b.zip --data {none}"},
    "serve restore": {3: "serve restore {none} --data {new}/data"},
}
#: Commands that cannot fail, that run until they are stopped, or that ask: tests/web has those of the service.
_WITHOUT_FAULT = {"rules keys": {0: "rules keys"}, "demo": {}, "serve createadmin": {}}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path | str]:
    """Make a file or folder for each end."""
    root = tmp_path_factory.mktemp("ends")
    city = described(root / "city", early="", late="")
    late = forest()
    late[42, 51:53] = 5
    write_raster(city / "early.tif", forest())
    write_raster(city / "late.tif", late)
    made = {name: toy.city(root / name) for name in ("lacking", "overlapping", "moved", "calm", "whole")}
    (made["lacking"] / "redline.gpkg").unlink()
    toy.write(made["moved"] / "redline.gpkg", [toy.square(0, 0, 900)], name=["甲"])
    toy.sites(toy.square(-3000, -100)).to_file(root / "free.gpkg", engine="pyogrio")
    toy.sites(toy.square(-3000, -100), toy.square(-60, 300)).to_file(root / "hit.gpkg", engine="pyogrio")
    bow = Polygon([(-3000, 0), (-2900, 100), (-2900, 0), (-3000, 100)])
    toy.sites(toy.square(-3000, -100), bow).to_file(root / "broken.gpkg", engine="pyogrio")
    (root / "broken.geojson").write_text("{", "utf-8")
    (root / "delivery").mkdir()
    units = gpd.GeoDataFrame({"HJGKDYBM": ["ZH1"]}, geometry=[toy.square(0, 0)], crs="EPSG:4547")
    units.set_geometry(toy.sites(toy.square(0, 0)).geometry).to_file(root / "delivery" / "a.gpkg", engine="pyogrio")
    book = city / "rules.toml"
    (root / "right.toml").write_text(book.read_text("utf-8") + CASE, "utf-8")
    (root / "wrong.toml").write_text(book.read_text("utf-8") + CASE.replace("inside", "outside"), "utf-8")
    for name in ("calm", "overlapping", "lacking"):
        other = "town" if name == "calm" else "units"
        (made[name] / "rules.toml").write_text(AUDIT.format(other=other), "utf-8")
    key = Ed25519PrivateKey.generate()
    (root / "key.pem").write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()))
    return {**made} | {
        "delivery": root / "delivery",
        "book": root / "right.toml",
        "wrong_book": root / "wrong.toml",
        "key": root / "key.pem",
        **_results(root, city, root / "free.gpkg"),
        "city": city,
        "free": root / "free.gpkg",
        "hit": root / "hit.gpkg",
        "broken": root / "broken.gpkg",
        "broken_text": root / "broken.geojson",
        "none": root / "none",
        "new": root,
        "day": f"--as-of {toy.AS_OF}",
    }


def _results(root: Path, city: Path, sites: Path) -> dict[str, Path]:
    report = lz.screen(sites, city, as_of=toy.AS_OF)
    export_folder(report, root / "out", ["json"], given=InputPaths(sites=str(sites), layers=str(city)))
    for name in ("changed", "signed"):
        shutil.copytree(root / "out", root / name)
    (root / "changed" / "report.json").write_text("{}", "utf-8")
    return {name: root / name for name in ("out", "changed", "signed")}


CASE = """
[[case]]
rule = "redline"
day = 2026-11-21
activity = "housing"
relation = [{ layer = "redline", at = "inside" }]
state = "涉及"
severity = "prohibited"
"""
AUDIT = """
[book]
name = "玩具规则"
version = "1"
[layers]
redline = "红线"
units = "单元"
town = "边界"
[document.law]
title = "法"
certainty = "read"
[rule.it]
title = "规则"
severity = "prohibited"
strength = "law"
basis = [{{ document = "law" }}]
effective_from = 2020-01-01
kind = "no_overlap"
layer = "redline"
other = "{other}"
"""


def ended(words: str, files: dict[str, Path | str], monkeypatch, capsys) -> SimpleNamespace:
    monkeypatch.setattr(sys, "argv", ["lzgis", *words.format(**files).split()])
    code = _run(Words("zh"))
    return SimpleNamespace(code=code, **capsys.readouterr()._asdict())


def stated() -> dict[str, dict[int, str]]:
    """Return what the table says of each command: the codes 1 and 2 that it has."""
    table = re.findall(r"^\| (`.*?) \| (.*?) \| (.*?) \|$", RESULTS.read_text("utf-8"), re.MULTILINE)
    found = {}
    for names, one, two in table:
        codes = {code: text for code, text in ((1, one), (2, two)) if text != "–"}
        for name in re.findall(r"`(.*?)`", names):
            found[name] = codes
    return found


def test_every_command_is_in_the_table_and_here():
    assert ENDS.keys() | _WITHOUT_FAULT.keys() == COMMANDS.keys()
    table = stated()
    named = {name for name in COMMANDS if name in table or name.startswith("serve ")}
    assert named == COMMANDS.keys()
    for name, ends in ENDS.items():
        assert ends.keys() & {1, 2} == table.get(name, {}).keys(), name
        assert 3 in ends, name


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [(name, code, words) for name, ends in (ENDS | _WITHOUT_FAULT).items() for code, words in ends.items()],
)
def test_a_command_ends_with(name, code, words, files, monkeypatch, capsys):
    done = ended(words, files, monkeypatch, capsys)
    assert done.code == code, done.out + done.err
    assert (len(done.err.strip().splitlines()) == 1) if code == 3 else True, done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_64_for_every_command(name, monkeypatch, capsys):
    done = ended(f"{name} --nonsense", {}, monkeypatch, capsys)
    assert done.code == 64
    assert len(done.err.strip().splitlines()) == 1, done.err
