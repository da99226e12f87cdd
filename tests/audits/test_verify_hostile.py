"""``lzgis verify`` and the next run on a folder made by a stranger: nothing is written, nothing outside is touched."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
import toy
from typer.testing import CliRunner

from lzgis.audits.signature import check_signature, sign
from lzgis.audits.verify import verify
from lzgis.city.catalogue import Catalogue
from lzgis.cli.app import app
from lzgis.errors import ConfigError, ExportError
from lzgis.files.manifest import InputPaths, Manifest, Result, ResultFile, checked_name, read_manifest, state_of
from lzgis.files.result_folder import locked_folder, new_result

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")


@pytest.fixture
def home(tmp_path):
    """A folder of the user with a file, beside the folder of results."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "precious.txt").write_text("precious", "utf-8")
    return tmp_path / "home"


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    with locked_folder(folder) as place, new_result(place, "screen") as stage:
        (stage.folder / "a.txt").write_text("one", "utf-8")
        (stage.folder / "projects").mkdir()
        (stage.folder / "projects" / "b.txt").write_text("two", "utf-8")
        stage.result = Result(made_at="2026-11-21")
    return folder


def tree(root: Path) -> dict[str, tuple[str, int]]:
    """Every file below a folder, with what it holds and its time of change."""
    return {
        str(p.relative_to(root)): (str(p.readlink()) if p.is_symlink() else p.read_text("utf-8"), p.lstat().st_mtime_ns)
        for p in sorted(root.rglob("*"))
        if p.is_symlink() or p.is_file()
    }


def with_plan(out: Path, name: str = "plan.json", **plan: list[str]) -> None:
    ready = out / ".lzgis" / "ready"
    (ready / "new").mkdir(parents=True, exist_ok=True)
    stated = {"files": [], "obsolete": [], "fresh": []} | plan
    (ready / name).write_text(json.dumps(stated), "utf-8")


PLANS = {
    "a file is moved out": lambda out, home: with_plan(out, files=["../home/.bashrc"]),
    "a file is removed": lambda out, home: with_plan(out, obsolete=["../home/precious.txt"]),
    "an absolute name": lambda out, home: with_plan(out, obsolete=[str(home / "precious.txt")]),
    "a name of Windows": lambda out, home: with_plan(out, obsolete=["..\\home\\precious.txt"]),
    "undone": lambda out, home: with_plan(
        out, "undo.json", files=["../home/precious.txt"], fresh=["../home/precious.txt"]
    ),
    "a way through a link": lambda out, home: (
        (out / "way").symlink_to(home),
        with_plan(out, obsolete=["way/precious.txt"]),
    ),
    "a linked file": lambda out, home: (
        with_plan(out, files=["c.txt"]),
        (out / ".lzgis" / "ready" / "new" / "c.txt").symlink_to(home / "precious.txt"),
    ),
    "a linked folder": lambda out, home: (
        with_plan(out, files=["precious.txt"]),
        (out / ".lzgis" / "ready" / "new").rmdir(),
        (out / ".lzgis" / "ready" / "new").symlink_to(home),
    ),
    "a plan that is a link": lambda out, home: (
        with_plan(out),
        (out / ".lzgis" / "ready" / "plan.json").unlink(),
        (out / ".lzgis" / "ready" / "plan.json").symlink_to(home / "precious.txt"),
    ),
    "no JSON": lambda out, home: (with_plan(out), (out / ".lzgis/ready/plan.json").write_text("{", "utf-8")),
    "deep JSON": lambda out, home: (
        with_plan(out),
        (out / ".lzgis/ready/plan.json").write_text("[" * 100_000, "utf-8"),
    ),
    "no plan": lambda out, home: (with_plan(out), (out / ".lzgis/ready/plan.json").unlink()),
    "a list instead of a plan": lambda out, home: (with_plan(out), (out / ".lzgis/ready/plan.json").write_text("[]")),
}


@pytest.mark.parametrize("attack", PLANS.values(), ids=PLANS)
def test_a_plan_of_a_stranger_is_neither_carried_out_by_verify_nor_by_a_run(tmp_path, out, home, attack):
    attack(out, home)
    before = tree(tmp_path)
    with pytest.raises(ExportError, match="its run was interrupted"):
        verify(out)
    assert tree(tmp_path) == before
    with pytest.raises(ExportError, match="an unfinished result cannot be completed"), locked_folder(out):
        pass
    assert tree(home) == {"precious.txt": ("precious", before["home/precious.txt"][1])}


def test_a_commit_of_the_office_is_completed_by_its_next_run_only(tmp_path, out):
    with_plan(out, files=["a.txt"])
    (out / ".lzgis" / "ready" / "new" / "a.txt").write_text("new", "utf-8")
    with pytest.raises(ExportError, match="its run was interrupted"):
        verify(out)
    assert (out / "a.txt").read_text("utf-8") == "one"
    with locked_folder(out):
        assert (out / "a.txt").read_text("utf-8") == "new"


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "C:/x",
        "C:x",
        "..\\x",
        "\\\\host\\x",
        "",
        "a//b",
        "./a",
        "a\x00b",
        ".lzgis/lock",
        "manifest.json",
        "manifest.sig",
        ".LZGIS/lock",
    ],
)
def test_a_manifest_names_files_of_its_folder_only(out, name):
    with pytest.raises(ValueError, match="is not the name of a file in the folder"):
        checked_name(name)
    stated = json.loads((out / "manifest.json").read_text("utf-8"))
    stated["results"]["screen"]["files"][0]["name"] = name
    (out / "manifest.json").write_text(json.dumps(stated), "utf-8")
    for read in (verify, read_manifest):
        with pytest.raises(ExportError, match=r"manifest\.json: cannot be read"):
            read(out)
    with pytest.raises(ExportError, match=r"manifest\.json: cannot be read"), locked_folder(out):
        pass


def test_every_flipped_bit_of_a_manifest_has_a_typed_answer(tmp_path, out):
    path = out / "manifest.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in (1, 32):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            try:
                found = verify(out)
            except ExportError:
                continue
            # What is not refused is seen, except for the space between the values.
            assert found.state != "same" or json.loads(path.read_bytes()) == json.loads(whole)


def test_a_source_without_a_role_is_an_error(out):
    stated = json.loads((out / "manifest.json").read_text("utf-8"))
    for sources in ("x", [1], [{"rple": "rules", "name": "a", "sha256": ""}], {"a": 1}):
        stated["results"]["screen"]["provenance"] = {"sources": sources}
        (out / "manifest.json").write_text(json.dumps(stated), "utf-8")
        with pytest.raises(ExportError, match="is damaged: a source has no role, name or sha256"):
            verify(out)


def test_links_of_a_result_are_not_followed(tmp_path, out, home):
    (home / "a.txt").write_text("one", "utf-8")
    (out / "a.txt").unlink()
    (out / "a.txt").symlink_to(home / "a.txt")
    assert verify(out).damaged
    (out / "projects").rename(home / "projects")
    (out / "projects").symlink_to(home / "projects")
    assert {one.name: one.state for one in verify(out).files if one.state != "same"} == {
        "a.txt": "changed",
        "projects/b.txt": "changed",
        "projects": "new",
    }
    with (
        pytest.raises(ExportError, match="is a link, through which nothing is written"),
        locked_folder(out) as place,
        new_result(place, "screen") as stage,
    ):
        (stage.folder / "projects").mkdir()
        (stage.folder / "projects" / "b.txt").write_text("three", "utf-8")
        stage.result = Result(made_at="2026-11-21")
    assert (home / "projects" / "b.txt").read_text("utf-8") == "two"


def test_a_linked_manifest_is_refused_and_a_pipe_does_not_block(tmp_path, out, home):
    (out / "a.txt").unlink()
    os.mkfifo(out / "a.txt")
    assert state_of(out, ResultFile(name="a.txt", sha256="", bytes=0)) == "missing"
    (out / "manifest.json").rename(home / "manifest.json")
    (out / "manifest.json").symlink_to(home / "manifest.json")
    with pytest.raises(ExportError, match="is no manifest of lzgis"):
        verify(out)


def test_a_lock_that_is_a_link_empties_no_file(out, home):
    (out / ".lzgis").mkdir()
    (out / ".lzgis" / "lock").symlink_to(home / "precious.txt")
    with pytest.raises(ExportError, match="cannot be written"), locked_folder(out):
        pass
    (out / ".lzgis" / "lock").unlink()
    (out / ".lzgis" / "lock.json").symlink_to(home / "precious.txt")
    with locked_folder(out):
        assert (home / "precious.txt").read_text("utf-8") == "precious"


def test_a_working_folder_that_is_a_link_is_refused(out, home):
    (home / "w-1").mkdir()
    (home / "w-1" / "x").write_text("x", "utf-8")
    (out / ".lzgis").symlink_to(home)
    with pytest.raises(ExportError, match="is a link"), locked_folder(out):
        pass
    assert (home / "w-1" / "x").exists()


def test_files_that_are_not_listed_are_reported(out):
    (out / "more.txt").write_text("x", "utf-8")
    found = verify(out)
    assert (found.state, found.unlisted) == ("unlisted", ("more.txt",))
    done = CliRunner().invoke(app, ["verify", str(out), "--lang", "en"])
    assert done.exit_code == 1
    assert "a file that the manifest does not list: more.txt" in done.output


def test_an_edited_manifest_does_not_fit_its_digest(out):
    stated = json.loads((out / "manifest.json").read_text("utf-8"))
    stated["results"]["screen"]["files"] = []
    (out / "manifest.json").write_text(json.dumps(stated), "utf-8")
    found = verify(out)
    assert (found.state, found.listed) == ("damaged", "changed")
    # A manifest of lzgis 0.1 has no digest; that alone is no difference.
    del stated["sha256"]
    (out / "manifest.json").write_text(json.dumps(stated), "utf-8")
    assert verify(out).listed == "unknown"


@pytest.fixture
def keys(tmp_path):
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    for name in ("office", "other"):
        key = Ed25519PrivateKey.generate()
        (tmp_path / f"{name}.pem").write_bytes(
            key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        )
        (tmp_path / f"{name}.pub").write_bytes(
            key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        )
    return tmp_path


def test_a_signature_proves_who_wrote_a_result(out, keys):
    assert verify(out, key=keys / "office.pub").proof == "missing"
    done = CliRunner().invoke(app, ["sign", str(out), "--key", str(keys / "office.pem")])
    assert done.exit_code == 0, done.output
    assert verify(out, key=keys / "office.pub").state == "same"
    assert CliRunner().invoke(app, ["verify", str(out), "--key", str(keys / "office.pub")]).exit_code == 0
    assert verify(out, key=keys / "other.pub").proof == "changed"
    # A forger can make manifest and digest fit, but not the signature.
    (out / "a.txt").write_text("forged", "utf-8")
    before = read_manifest(out)
    forged = ResultFile(name="a.txt", sha256=hashlib.sha256(b"forged").hexdigest(), bytes=6)
    files = [forged if one.name == "a.txt" else one for one in before.results["screen"].files]
    result = before.results["screen"].model_copy(update={"files": files})
    (out / "manifest.json").write_text(Manifest(results={"screen": result}).text(), "utf-8")
    assert verify(out).state == "same"
    assert (verify(out, key=keys / "office.pub").state, verify(out, key=keys / "office.pub").proof) == (
        "damaged",
        "changed",
    )


def test_keys_of_another_kind_are_refused(out, keys):
    (keys / "no.pem").write_text("no key", "utf-8")
    for use in (
        lambda: sign(out, keys / "no.pem"),
        lambda: sign(out, keys / "office.pub"),
        lambda: check_signature(out, keys / "office.pem"),
        lambda: check_signature(out, keys / "nowhere"),
    ):
        with pytest.raises(ConfigError):
            use()


def with_places(out: Path, sources: list[dict[str, str]], **places: str) -> None:
    """Rewrite the manifest so that it states sources and the places of its inputs, and fits its own digest."""
    manifest = read_manifest(out)
    assert manifest is not None
    changed = {
        name: one.model_copy(update={"given": InputPaths(**places), "provenance": {"sources": sources}})
        for name, one in manifest.results.items()
    }
    (out / "manifest.json").write_text(manifest.model_copy(update={"results": changed}).text(), "utf-8")


def states(out: Path, **named: Path) -> dict[str, str]:
    return {one.role: str(one.state) for one in verify(out, **named).inputs}


SITES = [{"role": "sites", "name": "s.gpkg", "sha256": "0" * 64}]


@pytest.mark.parametrize("place", ["//evil/share/s.gpkg", "\\\\evil\\share\\s.gpkg", "x" * 5000, "a\0b", "/dev/zero"])
def test_places_of_inputs_that_a_stranger_states(out, place):
    with_places(out, SITES, sites=place, layers=place, overrides=place)
    assert states(out) == {"sites": "missing"}


def test_a_pipe_as_an_input_is_not_read(out, tmp_path):
    os.mkfifo(tmp_path / "s.gpkg")
    with_places(out, SITES, sites=str(tmp_path / "s.gpkg"), layers="none")
    assert states(out) == {"sites": "missing"}


def test_a_database_is_asked_only_if_the_user_names_the_city(out, tmp_path, monkeypatch):
    city = toy.city(tmp_path / "city")
    text = (city / "catalog.toml").read_text("utf-8")
    (city / "catalog.toml").write_text(text.replace('"redline.gpkg"', '"postgis://evil.example/db"'), "utf-8")
    asked = []
    monkeypatch.setattr(Catalogue, "load", lambda self, layer: asked.append(layer))
    with_places(out, [{"role": "redline", "name": "r", "sha256": "0" * 64}], layers=str(city))
    assert states(out)["redline"] == "missing"
    assert asked == []
    with pytest.raises(AttributeError):
        states(out, layers=city)
    assert asked == ["redline"]


def test_names_that_no_file_system_has():
    with pytest.raises(ValueError, match="is not the name"):
        checked_name("x" * 300)
