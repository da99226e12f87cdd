"""``lzgis verify``: same, changed, damaged or no result; shown in both languages and as JSON."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
import toy
from typer.testing import CliRunner

from lzgis.audits.verify import FileState, verify
from lzgis.cli.app import app
from lzgis.cli.result import made_at
from lzgis.errors import ConfigError, ExportError
from lzgis.files.manifest import read_manifest


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The toy city and a result by the command line, to be copied."""
    root = tmp_path_factory.mktemp("verify")
    city = toy.city(root / "city")
    toy.sites(toy.square(100, 100), toy.square(-3000, -100)).to_file(city / "sites.gpkg", engine="pyogrio")
    words = ["screen", str(city / "sites.gpkg"), "--layers", str(city), "--as-of", toy.AS_OF]
    done = CliRunner().invoke(
        app, [*words, "--format", "json,gpkg", "--tianditu-key", "k3y", "--out", str(root / "out")]
    )
    assert done.exit_code == 1, done.output
    return root


@pytest.fixture
def place(written, tmp_path):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path


def check(place, *more: str):
    moved = ["--layers", str(place / "city"), "--sites", str(place / "city" / "sites.gpkg")]
    return CliRunner().invoke(app, ["verify", str(place / "out"), *moved, *more])


def states(place) -> dict[str, FileState]:
    found = verify(place / "out", layers=place / "city", sites=place / "city" / "sites.gpkg")
    return {one.name: one.state for one in (*found.files, *found.inputs) if one.state is not FileState.SAME}


def test_nothing_has_changed(place):
    done = check(place)
    assert done.exit_code == 0
    digest, said = done.output.strip().splitlines()
    assert said == "2 个成果文件完好，11 项输入未变"
    (result,) = read_manifest(place / "out").results.values()
    text = json.dumps(result.provenance, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() in digest
    assert states(place) == {}


def test_the_manifest_holds_the_command_and_no_secret(place):
    (result,) = read_manifest(place / "out").results.values()
    assert result.provenance["command"] == result.command
    assert "k3y" not in (place / "out" / "manifest.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "name", "state"),
    [
        (
            lambda city: toy.changed(city, "rules.toml", ("distance_m = 100", "distance_m = 101")),
            "rules.toml",
            "changed",
        ),
        (lambda city: toy.changed(city, "catalog.toml", ("玩具市", "另市")), "catalog.toml", "changed"),
        (lambda city: toy.write(city / "town.gpkg", [toy.square(0, 0)]), "town.gpkg", "changed"),
        (lambda city: (city / "town.gpkg").unlink(), "town.gpkg", "missing"),
        (lambda city: toy.sites(toy.square(0, 0)).to_file(city / "sites.gpkg"), "sites.gpkg", "changed"),
        (lambda city: (city / "sites.gpkg").unlink(), "sites.gpkg", "missing"),
        (lambda city: (city / "overrides.toml").write_text("", "utf-8"), "overrides.toml", "new"),
    ],
)
def test_an_input_has_changed(place, change, name, state):
    change(place / "city")
    done = check(place, "--lang", "en")
    assert done.exit_code == 1, done.output
    assert name in done.output
    assert done.output.strip().endswith("2 files are as written, but inputs have changed: screen again")
    assert states(place) == {name: state}


def test_a_result_is_damaged_or_gone(place):
    with (place / "out" / "findings.gpkg").open("r+b") as file:
        file.seek(3000)
        file.write(b"\xff")
    (place / "out" / "report.json").unlink()
    done = check(place, "--json")
    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert document["state"] == "damaged"
    assert {f["name"]: f["state"] for f in document["files"]} == {"findings.gpkg": "changed", "report.json": "missing"}
    assert {i["state"] for i in document["inputs"]} == {"same"}


def test_a_folder_without_results_is_refused(place, tmp_path):
    for folder in (place / "city", tmp_path / "nowhere"):
        with pytest.raises(ExportError, match="holds no result of lzgis; name the folder that was given with --out"):
            verify(folder)


def test_the_time_of_results_may_be_given():
    assert made_at({"SOURCE_DATE_EPOCH": "0"}).isoformat() == "1970-01-01T00:00:00+00:00"
    assert made_at({}).tzinfo is not None
    with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH: 'soon' is no number of seconds since 1970"):
        made_at({"SOURCE_DATE_EPOCH": "soon"})
