"""A folder of results is one unit: whole, or as it was; what stands in it can be verified."""

from __future__ import annotations

import json
import os
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lzgis.errors import ExportError
from lzgis.exports.file_names import file_stems
from lzgis.files.atomic_write import write_atomic, write_bytes_atomic
from lzgis.files.lock import Lock
from lzgis.files.manifest import Result, read_manifest, state_of
from lzgis.files.result_folder import finish, is_unfinished, locked_folder, new_result


def write(out, name="screen", *, basis="one", **files: str) -> None:
    """Write a result of text files; ``a__b`` is the file b in the folder a."""
    with locked_folder(out) as place, new_result(place, name) as stage:
        for key, text in files.items():
            write_bytes_atomic(stage.folder / f"{key.replace('__', '/')}.txt", text.encode())
        stage.result = Result(made_at="2026-11-21", provenance={"sources": basis})


def seen(out) -> dict[str, str]:
    """What a reader finds, without the manifest."""
    found = {p.relative_to(out).as_posix(): p.read_text("utf-8") for p in sorted(out.rglob("*")) if p.is_file()}
    found.pop("manifest.json", None)
    return found


def damage(out) -> list[str]:
    """Files that differ from the manifest."""
    return [f.name for r in read_manifest(out).results.values() for f in r.files if state_of(out, f) != "same"]


def test_a_result_replaces_the_one_before_and_leaves_what_is_not_its_own(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", "utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mine.txt").write_text("mine", "utf-8")
    write(tmp_path, a="1", sub__b="1")
    write(tmp_path, "map", c="map")
    write(tmp_path, basis="two", a="2")
    assert seen(tmp_path) == {"notes.txt": "mine", "sub/mine.txt": "mine", "a.txt": "2", "c.txt": "map"}
    assert damage(tmp_path) == []
    assert not (tmp_path / ".lzgis").exists()


def test_files_of_the_same_inputs_stay_together(tmp_path):
    write(tmp_path, a="1")
    write(tmp_path, b="1")
    assert sorted(seen(tmp_path)) == ["a.txt", "b.txt"]
    assert [f.name for f in read_manifest(tmp_path).results["screen"].files] == ["a.txt", "b.txt"]


def test_a_file_that_the_user_has_worked_on_is_not_removed(tmp_path):
    write(tmp_path, a="1", b="1")
    (tmp_path / "b.txt").write_text("annotated", "utf-8")
    write(tmp_path, basis="two", a="2")
    assert seen(tmp_path) == {"a.txt": "2", "b.txt": "annotated"}


def test_an_error_on_the_way_changes_nothing_and_leaves_nothing(tmp_path):
    write(tmp_path, a="1")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with (
        pytest.raises(ExportError, match="cannot be written"),
        locked_folder(tmp_path) as place,
        new_result(place, "screen") as s,
    ):
        write_bytes_atomic(s.folder / "a.txt", b"2")
        raise OSError(28, "No space left on device")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_an_error_names_the_place_of_the_file_not_where_it_was_being_made(tmp_path):
    with pytest.raises(ExportError) as caught, locked_folder(tmp_path) as place, new_result(place, "screen") as stage:
        (stage.folder / "a.txt").mkdir()
        write_bytes_atomic(stage.folder / "a.txt", b"1")
    assert caught.value.place == str(tmp_path / "a.txt")
    assert not (tmp_path / ".lzgis").exists()


def test_a_manifest_that_is_not_ours_is_not_overwritten(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a web page"}', "utf-8")
    with pytest.raises(ExportError, match="is no manifest of lzgis, and is not overwritten"):
        write(tmp_path, a="1")
    assert seen(tmp_path) == {}
    (tmp_path / "manifest.json").write_text('{"kind": "results of lzgis", "format": 99}', "utf-8")
    with pytest.raises(ExportError, match="is of another version of lzgis"):
        write(tmp_path, a="1")


class Cut(Exception):
    """Stands for the end of a process."""


def decided(out, monkeypatch, **files: str) -> None:
    """Make a result count, and be killed before a file of it is in place."""
    with monkeypatch.context() as patch:

        def killed(_):
            raise Cut

        patch.setattr(
            "lzgis.files.result_folder.finish", lambda where: killed(where) if is_unfinished(where) else False
        )
        with pytest.raises(Cut):
            write(out, **files)


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_what_was_decided_is_finished_by_the_next_run_wherever_it_was_cut(tmp_path, monkeypatch, moved):
    write(tmp_path, a="1", b="1")
    decided(tmp_path, monkeypatch, a="2", b="2")
    assert seen(tmp_path)["a.txt"] == "1"
    for name in ["a.txt", "b.txt", "manifest.json"][:moved]:
        (tmp_path / ".lzgis" / "ready" / "new" / name).replace(tmp_path / name)
    with locked_folder(tmp_path):
        pass
    assert seen(tmp_path) == {"a.txt": "2", "b.txt": "2"}
    assert damage(tmp_path) == []
    assert not (tmp_path / ".lzgis").exists()


@pytest.mark.parametrize("undone", [0, 1])
def test_what_cannot_be_put_in_place_is_taken_back_whole(tmp_path, monkeypatch, undone):
    write(tmp_path, a="1", c="1")
    decided(tmp_path, monkeypatch, basis="two", a="2", b="2", c="2")
    (tmp_path / "c.txt").unlink()
    (tmp_path / "c.txt").mkdir()  # as good as a file that another program has open
    with pytest.raises(OSError):
        finish(tmp_path)
    (tmp_path / "c.txt").rmdir()
    assert (tmp_path / "a.txt").read_text() == "1"
    assert not (tmp_path / "b.txt").exists()
    assert not is_unfinished(tmp_path)


def test_two_runs_at_once_are_kept_separate(tmp_path):
    with (
        locked_folder(tmp_path),
        pytest.raises(ExportError, match=rf"another run is writing here \(process {os.getpid()} on "),
    ):
        write(tmp_path, a="1")
    write(tmp_path, a="1")
    assert seen(tmp_path) == {"a.txt": "1"}


def test_a_lock_that_was_removed_under_its_holder_is_not_taken_twice(tmp_path):
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.take()
    first.release()
    assert second.take()
    assert not first.take()
    assert first.holder() == {"process": "?", "host": "?", "since": "?"}
    second.release()
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b'{"a": [1, 2'),
        ("a.gpkg", b"SQLite format 3\0" + b"\0" * 4000),
        ("a.xlsx", b"PK\x03\x04"),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
        ("a.html", b"<html><body>"),
        ("a.pdf", b"%PDF-1.7"),
        ("a.dxf", b"  0\r\nSECTION\r\n"),
        ("a.tif", b"II*\0"),
        ("a.parquet", b"PAR1"),
        ("a.csv", b""),
    ],
)
def test_what_cannot_be_read_back_takes_no_place(tmp_path, name, content):
    (tmp_path / name).write_bytes(b"before")
    with pytest.raises(ExportError, match="was written, but cannot be read back"):
        write_atomic(tmp_path / name, lambda made: made.write_bytes(content) and None)
    assert (tmp_path / name).read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_rows_are_counted(tmp_path):
    def make(made):
        made.write_text(json.dumps({"features": [1, 2]}))
        return {"features": 3}

    with pytest.raises(ExportError, match="holds 2 rows of 'features' instead of 3"):
        write_atomic(tmp_path / "a.json", make)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a file name there is not bytes")
@settings(max_examples=60)
@given(
    names=st.lists(
        st.text(max_size=300) | st.sampled_from(["CON", "nul.txt", "..", ".", "a", "A", "a.", "a "]), max_size=8
    )
)
def test_any_ids_give_names_that_every_system_takes(names):
    stems = file_stems(names)
    assert len(stems) == len(names)
    folded = [stem.casefold() for stem in stems]
    assert len(set(folded)) == len(folded)
    for stem in stems:
        assert 0 < len(stem.encode()) <= 255
        assert not set(stem) & set('/\\:*?"<>|')
        assert not {unicodedata.category(c) for c in stem} & {"Cc", "Cs", "Zl", "Zp"}
        assert not set(stem) & set("\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069")
        assert not stem.startswith(".") and not stem.endswith((".", " "))
        assert stem.split(".")[0].rstrip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
