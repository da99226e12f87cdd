"""Names of files for projects, and the formats of one file per project on the command line."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import toy
from dossier_fixture import city_report, only
from report_fixture import HOSTILE, toy_report

from lzgis.cli import options as cli_output
from lzgis.errors import ConfigError, ExportError
from lzgis.exports import FORMATS, export, export_projects
from lzgis.exports.dossier import processes, write_projects
from lzgis.exports.file_names import file_stems

RUN = [sys.executable, "-W", "error", "-c", "from lzgis.cli.app import main; main()"]
PDF = importlib.util.find_spec("typst") is not None


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("P37", "P37"),
        ("地块（一）", "地块（一）"),
        ('a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j"),
        ("..", "_"),
        (".hidden", "_.hidden"),
        ("end. . ", "end"),
        ("nul.txt", "_nul.txt"),
        ("LPT1", "_LPT1"),
        ("COM²", "_COM²"),
        ("", "_"),
        ("a\u202eb\x00c\nd", "a_b_c_d"),
        ("长" * 300, "长" * 60),
        ("../../etc/passwd", "_.._.._etc_passwd"),
    ],
)
def test_a_file_name_is_valid_on_every_system(name: str, stem: str) -> None:
    assert file_stems([name]) == [stem]


def test_names_that_are_equal_to_a_file_system_are_numbered() -> None:
    stems = file_stems(["a", "A", "a-2", "Ａ", "e\u0301", "é", "长" * 61, "长" * 62])
    assert len({stem.casefold() for stem in stems}) == len(stems)
    assert stems[:3] == ["a", "A-2", "a-2-2"]


def test_hostile_names_make_files(tmp_path: Path) -> None:
    for stem in file_stems(HOSTILE):
        path = tmp_path / f"{stem}.docx"
        path.write_bytes(b"")
        assert path.parent == tmp_path
    assert len(list(tmp_path.iterdir())) == len(HOSTILE)


def test_documents_of_all_projects_are_in_one_folder(tmp_path: Path) -> None:
    written = export_projects(toy_report(), tmp_path, ["docx", "htmldoc"], options={"mode": "internal", "mu": True})
    assert len(written) == 10
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in written}
    assert (tmp_path / "S1.docx").is_file()


def test_a_document_named_by_suffix_is_of_one_project(tmp_path: Path) -> None:
    assert export(only(city_report(), "T01"), tmp_path / "one.docx") == tmp_path / "one.docx"
    assert (tmp_path / "one.docx").stat().st_size > 50_000
    with pytest.raises(ExportError, match="is of one project, but 5 were checked"):
        export(toy_report(), tmp_path / "all.docx")


@pytest.mark.skipif(not PDF, reason="typst (extra pdf) is not installed")
def test_the_command_line_writes_them(tmp_path: Path) -> None:
    folder = toy.city(tmp_path / "city")
    toy.sites(toy.square(-3000, -100), toy.square(100, 100)).to_file(folder / "s.gpkg", engine="pyogrio")
    arguments = ["screen", folder / "s.gpkg", "--layers", folder, "--as-of", toy.AS_OF, "-o", tmp_path / "out"]
    done = subprocess.run(
        [*RUN, *map(str, arguments), "--format", "docx,pdf,htmldoc", "--mu"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 1, done.stderr
    names = {p.name for p in (tmp_path / "out" / "projects").iterdir()}
    assert names == {f"{site}{suffix}" for site in ("s1", "s2") for suffix in (".docx", ".pdf", ".html")}


def test_a_format_whose_package_is_missing_is_refused_at_once_and_left_out_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(FORMATS, "pdf", FORMATS["pdf"]._replace(needs="no_such_package"))
    with pytest.raises(ConfigError, match=r"needs a package that is not installed: no_such_package; install it with: "):
        cli_output.formats_of(["pdf"])
    every = cli_output.formats_of(["all"])
    assert "pdf" not in every
    assert "docx" in every


def test_several_processes_write_what_one_writes_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = only(toy_report(), "S1", "S2", "S4")
    alone = write_projects(report, tmp_path / "alone", suffixes=(".docx", ".html"), workers=2)
    monkeypatch.setattr(processes, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(processes, "_CHUNK", 1)
    steps: list[tuple[int, int]] = []
    together = write_projects(
        report, tmp_path / "several", suffixes=(".docx", ".html"), workers=2, progress=lambda *step: steps.append(step)
    )
    assert [path.name for path in together] == [path.name for path in alone]
    assert [path.read_bytes() for path in together] == [path.read_bytes() for path in alone]
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_an_error_in_another_process_is_raised_as_in_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_WORTH_A_PROCESS", 1)
    with pytest.raises(ExportError, match="no document of a project has this suffix"):
        write_projects(only(toy_report(), "S1", "S2"), tmp_path, suffixes=(".odt",), workers=2)
