"""The records of formats: writers exist and accept what they are called with, and the documentation lists them all."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lzgis.cli.options import formats_of
from lzgis.exports.formats import DEFAULT_FORMATS, FORMATS, LARGE_FORMATS, audit_formats, diff_formats, writer

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("name", FORMATS)
def test_writers_exist_and_accept_the_arguments_of_the_record(name: str) -> None:
    one = FORMATS[name]
    keywords = {"suffixes", "progress"} if one.per_site else set(one.options)
    for named, more in ((one.report, keywords), (one.audit, set()), (one.diff, {"recheck"}), (one.pieces, set())):
        if named:
            assert {"language", *more} <= inspect.signature(writer(named)).parameters.keys(), named


def test_names_of_files_differ_and_defaults_are_formats() -> None:
    single = [one.file_name for one in FORMATS.values() if not one.per_site]
    assert len(set(single)) == len(single)
    assert set(DEFAULT_FORMATS) | set(LARGE_FORMATS) <= FORMATS.keys()
    assert all(FORMATS[name].pieces and FORMATS[name].holds(200_000) for name in LARGE_FORMATS)
    assert all(one.pieces for one in FORMATS.values() if one.pieces_equal or one.most_sites is None)
    assert list(audit_formats()) == list(diff_formats()) == ["xlsx", "gpkg", "json", "html"]
    assert formats_of(["all"]) == [name for name, one in FORMATS.items() if one.installed]


def test_the_documentation_lists_every_format() -> None:
    text = (ROOT / "docs/formats.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| ([^|]+) \|", text, re.M)
    expected = {
        (name, f"projects/*{one.suffix}" if one.per_site else one.file_name, one.title) for name, one in FORMATS.items()
    }
    assert set(rows) == expected


def test_listing_the_formats_imports_no_writer() -> None:
    code = (
        "import sys, lzgis.exports.formats; print([m for m in sys.modules if m in ('ezdxf', 'xlsxwriter', 'folium')"
        " or m.startswith('lzgis.exports.') and m != 'lzgis.exports.formats'])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
