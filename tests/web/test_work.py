"""What the worker does, called directly: editions for viewers, large files, settings."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import toy

pytest.importorskip("django", reason="the extra web is not installed")

from lzgis.errors import ConfigError, SourceError
from lzgis.web.options import Bounds, bounds_of
from lzgis.web.requests import Request, answer_file
from lzgis.web.work import Office


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """An office whose redline is internal, whose town boundary is confidential."""
    folder = toy.city(tmp_path_factory.mktemp("city"))
    toy.changed(
        folder,
        "catalog.toml",
        ('source = "redline.gpkg"', 'source = "redline.gpkg"\nconfidentiality = "internal"'),
        ('source = "town.gpkg"', 'source = "town.gpkg"\nconfidentiality = "confidential"'),
        ('source = "units.gpkg"', 'source = "units.gpkg"\nconfidentiality = "public"'),
    )
    return Office(folder)


def read(folder, name, edition):
    return json.loads(answer_file(folder, name, "zh", edition).read_text("ascii"))


def cells(detail):
    grids = [grid for section in detail["sections"] for grid in section["grids"]]
    return [cell["text"] for grid in grids for line in grid["lines"] for cell in line["cells"]]


def test_viewers_get_coarse_cells_for_internal_layers_and_nothing_of_confidential_ones(office, tmp_path):
    office.warm_up(tmp_path)
    inside, public = (read(tmp_path, "map", edition) for edition in ("internal", "public"))
    layers = {one["id"]: one for one in inside["layers"]}
    shown = {one["id"]: one for one in public["layers"]}
    assert "town" in layers
    assert "town" not in shown
    assert shown["redline"]["topology"] != layers["redline"]["topology"]
    assert shown["units"]["topology"] == layers["units"]["topology"]


def test_viewers_get_no_measures_of_what_is_withheld(office, tmp_path):
    toy.sites(toy.square(1470, 37)).to_file(tmp_path / "sites.geojson", engine="pyogrio")
    asked = Request("screen", str(tmp_path / "job"), source=str(tmp_path / "sites.geojson"), as_of=toy.AS_OF)
    found = office.do(asked)
    assert found["verdicts"] == [1, 0, 0, 0]
    inside, public = (
        read(tmp_path / "job", "shapes", edition)["parts"]["features"] for edition in ("internal", "public")
    )
    assert any(one["properties"]["rule"] == "红线" for one in inside)
    assert not any(one["properties"]["rule"] == "红线" for one in public)
    # 30 m of 100 m lie in the redline: 3,000 m².
    inside, public = (cells(read(tmp_path / "job", "detail-0", edition)) for edition in ("internal", "public"))
    assert any(one.startswith("3,000") for one in inside)
    assert [one for one in public if "3,000" in one] == []


@pytest.mark.parametrize("declared", [{}, {"": "housing"}])
def test_a_large_file_is_screened_in_shards_with_the_same_answers(office, tmp_path, monkeypatch, declared):
    import pandas as pd

    toy.sites(toy.square(0, 0), toy.square(30_000, 0), activity=["", "housing"]).to_file(
        tmp_path / "sites.geojson", engine="pyogrio"
    )
    asked = Request(
        "screen", str(tmp_path / "a"), source=str(tmp_path / "sites.geojson"), activities=declared, as_of=toy.AS_OF
    )
    whole = office.do(asked)
    monkeypatch.setattr("lzgis.web.work.WHOLE", 1)
    made = office.do(replace(asked, folder=str(tmp_path / "b")))
    for name in ("sites", "verdicts", "as_of", "basis"):
        assert made[name] == whole[name]
    assert {"findings.parquet", "verdicts.parquet"} <= set(made["large"])
    table = pd.read_parquet(tmp_path / "b" / "large" / "verdicts.parquet")
    rows = read(tmp_path / "a", "summary", "internal")["sites"]
    assert [row["verdict"] for row in rows] == table["verdict"].tolist()
    assert [one["count"] for one in read(tmp_path / "b", "summary", "public")["counts"]] == whole["verdicts"]


def test_a_report_that_cannot_be_read_says_what_to_do(office, tmp_path):
    (tmp_path / "report.pickle.gz").write_bytes(b"x")
    with pytest.raises(SourceError, match="screen the sites again"):
        office.do(Request("detail", str(tmp_path), site="s1"))


def test_a_report_whose_records_lack_something_says_what_to_do(office, tmp_path, monkeypatch):
    toy.sites(toy.square(0, 0)).to_file(tmp_path / "sites.geojson", engine="pyogrio")
    asked = Request("screen", str(tmp_path / "a"), source=str(tmp_path / "sites.geojson"), as_of=toy.AS_OF)
    office.do(asked)
    office._reports.clear()

    def lacking(*_, **__):
        raise AttributeError

    monkeypatch.setattr("lzgis.web.work.DossierMaker", lacking)
    detail = Request("detail", str(tmp_path / "a"), site="1")
    with pytest.raises(AttributeError):
        office.do(detail)
    # The same with a report that was stored by a version with other records.
    office._reports.clear()
    monkeypatch.setattr("lzgis.web.work._records", lambda: "other")
    with pytest.raises(SourceError, match="screen the sites again"):
        office.do(detail)


def test_a_city_that_changes_is_opened_again(tmp_path):
    folder = toy.city(tmp_path / "city")
    office = Office(folder)
    before = office.warm_up(tmp_path / "answers")["bases"] if (tmp_path / "answers").mkdir() is None else ""
    toy.changed(folder, "rules.toml", ('version = "1"', 'version = "2"'))
    assert office.warm_up(tmp_path / "answers")["bases"] != before
    assert office.city.book.version == "2"


def test_settings_of_the_server(tmp_path):
    assert bounds_of(tmp_path) == Bounds()
    (tmp_path / "settings.toml").write_text("retention_days = 90\n", "utf-8")
    assert bounds_of(tmp_path) == Bounds(retention_days=90)
    for wrong in ("open_jobs = 0", "retention_days = -1", "unheard = 1", "not toml"):
        (tmp_path / "settings.toml").write_text(wrong, "utf-8")
        with pytest.raises(ConfigError):
            bounds_of(tmp_path)


def test_requests_survive_being_sent():
    asked = Request("files", "a", formats=("xlsx", "gpkg"), facts={"": {"key-project": "yes"}}, within_m=20.0)
    assert Request.from_json(asked.to_json()) == asked
    assert Request.from_json(replace(asked, site="地块\n1").to_json()).site == "地块\n1"


def test_a_file_that_one_worker_has_read_is_not_read_again_by_another(office, tmp_path, monkeypatch):
    toy.sites(toy.square(1470, 37)).to_file(tmp_path / "sites.geojson", engine="pyogrio")
    source = str(tmp_path / "sites.geojson")
    office.do(Request("inspect", str(tmp_path / "check"), source=source))

    def refused(*_, **__):
        raise AssertionError("the file is read a second time")

    monkeypatch.setattr("lzgis.web.work.read_sites", refused)
    other = Office(office.city.root)
    asked = Request("screen", str(tmp_path / "job"), source=source, as_of=toy.AS_OF, checked=str(tmp_path / "check"))
    assert other.do(asked)["verdicts"] == [1, 0, 0, 0]
    with pytest.raises(AssertionError, match="a second time"):
        Office(office.city.root).do(replace(asked, reading={"crs": "EPSG:4490"}))


def test_a_window_of_the_map_has_the_shapes_as_they_are_and_the_labels_of_the_legend(office, tmp_path):
    from lzgis.exports.map.shapes import arc_of

    west, south, east, north = office.city.outline.bounds
    middle = (west + east) / 2
    asked = Request("window", str(tmp_path), bounds=(west, south, middle, north))
    office.do(asked)
    office.do(replace(asked, edition="public"))
    inside, public = (read(tmp_path, "window", edition) for edition in ("internal", "public"))
    assert inside["step_m"] == 0
    assert "town" in inside["layers"]
    assert "town" not in public["layers"]
    topology = inside["layers"]["units"]
    least, step = topology["transform"]["translate"][0], topology["transform"]["scale"][0]
    places = [x for arc in topology["arcs"] for x in np.cumsum([dx for dx, _ in arc_of(arc)])]
    assert least + step * max(places) <= middle + 1e-6
    shapes = topology["objects"]["d"]["geometries"]
    assert shapes
    assert all("t" in one["properties"] for one in shapes)
