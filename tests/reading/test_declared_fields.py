"""Declared fields of a layer: they win over columns that happen to be called as rules call them."""

from __future__ import annotations

import geopandas as gpd
from shapely import Point

from lzgis.model.catalogue import LayerSpec
from lzgis.model.report import Problem
from lzgis.reading.attributes import layer_columns


def _read(spec: LayerSpec, **columns: list[object]) -> tuple[gpd.GeoDataFrame, list[Problem]]:
    problems: list[Problem] = []
    frame = gpd.GeoDataFrame(columns, geometry=[Point(112, 25), Point(113, 25)], crs="EPSG:4490")
    return layer_columns(frame, spec, "layer", problems), problems


def _spec(**keys: object) -> LayerSpec:
    return LayerSpec(title="保护地", source="x.gpkg", geometry="point", **keys)


def test_a_declared_field_wins_over_a_column_called_id_and_the_reader_hears_of_it() -> None:
    read, problems = _read(_spec(id="BSM"), id=[1, 2], BSM=["A", "B"])

    assert list(read["id"]) == ["A", "B"]
    assert list(read["id (file)"]) == [1, 2]
    assert [p.level for p in problems] == ["warning"]
    assert "BSM" in str(problems[0].what)


def test_equal_columns_are_not_ambiguous() -> None:
    read, problems = _read(_spec(id="BSM"), id=["A", "B"], BSM=["A", "B"])

    assert list(read["id"]) == ["A", "B"]
    assert problems == []


def test_the_order_of_declared_names_decides() -> None:
    read, _ = _read(_spec(fields={"id": ["id", "BSM"]}), id=["1", "2"], BSM=["A", "B"])

    assert list(read["id"]) == ["1", "2"]


def test_one_column_may_serve_several_names() -> None:
    spec = _spec(fields={"name": ["name", "BHDMC"], "reserve": ["reserve", "BHDMC"]})
    read, problems = _read(spec, id=["1", "2"], BHDMC=["甲保护区", "乙保护区"])

    assert list(read["name"]) == ["甲保护区", "乙保护区"]
    assert list(read["reserve"]) == ["甲保护区", "乙保护区"]
    assert problems == []


def test_a_column_that_keeps_its_own_name_may_serve_another() -> None:
    read, _ = _read(_spec(fields={"name": ["code"], "code": ["code"]}), id=["1", "2"], code=["a", "b"])

    assert list(read["name"]) == list(read["code"]) == ["a", "b"]


def test_two_declared_names_may_be_exchanged() -> None:
    read, _ = _read(_spec(id="name", name="id"), id=["Alpha", "Beta"], name=["1", "2"])

    assert (list(read["id"]), list(read["name"])) == (["1", "2"], ["Alpha", "Beta"])
