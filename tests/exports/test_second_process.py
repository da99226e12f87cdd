"""Formats that a second process writes have the bytes that one process writes, and its errors are raised here."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest

import lzgis as lz
from lzgis.errors import ExportError
from lzgis.exports.folder import write_formats
from lzgis.exports.second_process import second_process
from lzgis.model.report import Report

CITY = Path(__file__).parents[2] / "benchmarks/frozen"


@pytest.fixture(scope="module")
def report() -> Report:
    """Return a report on three sites by few rules."""
    sites = gpd.read_file(CITY / "sites.gpkg").head(3)
    return lz.screen(sites, lz.open_catalogue(CITY), as_of="2026-11-21")


def test_two_processes_write_the_same_bytes(report, tmp_path):
    alone, other = tmp_path / "one", tmp_path / "two"
    alone.mkdir()
    other.mkdir()
    write_formats(report, alone, ["xlsx", "html"], language="zh")
    paths = {"html": other / "map.html", "xlsx": other / "report.xlsx"}
    with second_process(["xlsx", "html"], report, paths, language="zh"):
        assert not list(other.iterdir())
    assert paths["html"].read_bytes() == (alone / "map.html").read_bytes()
    assert paths["xlsx"].read_bytes() == (alone / "report.xlsx").read_bytes()


def test_files_are_in_the_order_of_the_formats_whichever_process_writes_them(report, tmp_path, monkeypatch):
    monkeypatch.setattr("lzgis.exports.second_process._FEW", 3)
    written = write_formats(report, tmp_path, ["html", "csv"], language="zh", options={"workers": 2})
    assert [path.name for path in written] == ["map.html", "findings.csv", "findings.csv-metadata.json"]
    assert all(path.stat().st_size for path in written)


def test_an_error_of_the_other_process_is_raised(report, tmp_path):
    paths = {"html": tmp_path / "map.html"}
    with (
        pytest.raises(ExportError, match="mode"),
        second_process(["html"], report, paths, language="zh", options={"mode": "secret"}),
    ):
        pass
    assert not paths["html"].exists()


def test_what_a_lost_process_leaves_is_written_here(report, tmp_path, monkeypatch):
    monkeypatch.setattr("lzgis.exports.second_process._received", lambda here: None)
    paths = {"html": tmp_path / "map.html"}
    with second_process(["html"], report, paths, language="zh"):
        pass
    assert paths["html"].read_text("utf-8").startswith("<!DOCTYPE html>")
