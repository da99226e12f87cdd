"""Large JSON is read back line by line: rows of a complete file are counted, damage anywhere is reported."""

from __future__ import annotations

import pytest

from lzgis.errors import ExportError
from lzgis.exports.gis.geojson import write_lines
from lzgis.exports.gis.json import lines
from lzgis.files import read_back as reopening
from lzgis.files.atomic_write import write_texts_atomic
from lzgis.files.read_back import check_readable


@pytest.fixture(autouse=True)
def no_whole_reading(monkeypatch):
    """Every file counts as a large one."""
    monkeypatch.setattr(reopening, "_LARGE_BYTES", 0)


def document(folder):
    path = folder / "report.json"
    rows = [{"a": [1, 2]}, {"a": "]"}, {"a": ["x[", ","]}]
    write_texts_atomic(
        path, lines({"notice": "[", "findings": iter(rows), "none": [], "sites": {"t": 1, "features": [[1], [2]]}})
    )
    return path


def test_the_rows_of_each_list_are_counted_line_by_line(tmp_path):
    path = document(tmp_path)
    assert reopening._json_by_lines(path) == {"findings": 3, "none": 0}
    check_readable(path, "here", {"findings": 3, "none": 0})
    with pytest.raises(ExportError, match="holds 3 rows of 'findings' instead of 4"):
        check_readable(path, "here", {"findings": 4})


def test_a_collection_with_lists_in_its_head_is_counted(tmp_path):
    path = tmp_path / "sites.geojson"
    write_lines(path, {"type": "FeatureCollection", "problems": [{"a": 1}]}, iter([{"id": 1}, {"id": 2}]))
    assert reopening._json_by_lines(path) == {"features": 2, "problems": 1}


def test_what_is_broken_anywhere_is_reported(tmp_path):
    """Cut at every byte, and with every byte of punctuation lost, the file is no JSON and is not taken for any."""
    path = document(tmp_path)
    data = path.read_bytes()
    broken = [data[:end] for end in range(len(data.rstrip()))]
    broken += [data[:i] + data[i + 1 :] for i, byte in enumerate(data) if byte in b'{}[],":']
    reported = 0
    for one in broken:
        path.write_bytes(one)
        try:
            check_readable(path, "here", {"findings": 3})
        except ExportError:
            reported += 1
    # Only the signs within texts may be missing: "[", "]", "x[" and ",".
    assert len(broken) - reported == 4


def test_json_laid_out_otherwise_is_read_whole(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{\n "a": [\n  [\n   1\n  ],\n  2\n ]\n}\n', "utf-8")
    with pytest.raises(ValueError):
        reopening._json_by_lines(path)
    check_readable(path, "here", {"a": 2})
