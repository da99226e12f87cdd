"""Fields and values under the names that they have: aliases, old names, numbers as text, ids that could be two things."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from lzgis.errors import LayerError, SourceError
from lzgis.model.catalogue import LayerSpec
from lzgis.reading import sites_from_frame
from lzgis.reading.attributes import layer_columns
from lzgis.reading.field_names import LAYER_FIELDS, LAYER_FIELDS_USED, OLD_VALUES

SPEC = LayerSpec(title="t", source="s.gpkg")


def frame(**columns):
    n = len(next(iter(columns.values())))
    return gpd.GeoDataFrame(columns, geometry=[shapely.box(112 + i, 25, 112.1 + i, 25.1) for i in range(n)], crs=4490)


def read(spec=SPEC, **columns):
    problems = []
    return layer_columns(frame(**columns), spec, "here", problems), problems


@pytest.mark.parametrize(
    ("canonical", "alias"), [(c, a) for c in LAYER_FIELDS_USED if c != "id" for a in LAYER_FIELDS[c]]
)
def test_the_standards_fields_are_found_and_that_is_noted(canonical, alias):
    found, problems = read(id=["a", "b"], **{alias: ["x", "y"]})
    assert found[canonical].tolist() == ["x", "y"]
    assert [(p.level, p.what) for p in problems] == [("note", f"field '{alias}' is read as '{canonical}'")]


def test_what_the_catalogue_names_comes_first():
    spec = SPEC.model_copy(update={"fields": {"layout": ["QYBJGK"]}})
    found, problems = read(spec, id=["a"], KJBJYS=["standard"], QYBJGK=["catalogue"])
    assert found["layout"].tolist() == ["catalogue"]
    assert found["KJBJYS"].tolist() == ["standard"]
    assert problems == []


def test_zones_of_old_law_are_read_with_a_warning_and_the_catalogue_has_priority():
    old = OLD_VALUES["zone"]
    found, problems = read(id=list("abc"), zone=[*old])
    assert found["zone"].tolist() == list(old.values())
    assert [p.level for p in problems] == ["warning"]
    spec = SPEC.model_copy(update={"values": {"zone": {"缓冲区": "一般控制区"}}})
    found, problems = read(spec, id=["a", "b"], zone=["缓冲区", "实验区"])
    assert found["zone"].tolist() == ["一般控制区", "一般控制区"]
    assert [p.level for p in problems] == ["note", "warning"]


def test_numbers_as_text():
    found, problems = read(id=list("abc"), half_width_m=["６．５", " 7 ", None])
    assert found["half_width_m"].tolist()[:2] == [6.5, 7.0]
    assert pd.isna(found["half_width_m"].iloc[2])
    assert [p.level for p in problems] == ["note"]
    with pytest.raises(
        LayerError, match="here, feature 'b', field 'half_width_m': '约6米' is not a number; write digits"
    ):
        read(id=["a", "b"], half_width_m=["6", "约6米"])


def test_a_better_column_of_ids_is_named_and_not_taken():
    with pytest.raises(SourceError, match=r"give every site an id, or remove this column: '编号' has one for each"):
        sites_from_frame(frame(id=["a", None], 编号=["1", "2"]))
    with pytest.raises(SourceError, match=r"rows 1, 2: share the id 'a'; .*'编号' has one for each"):
        sites_from_frame(frame(id=["a", "a"], 编号=["1", "2"]))
    table = sites_from_frame(frame(id=["a", "b"], 编号=["1", "2"]))
    assert table.frame["id"].tolist() == ["a", "b"]
    assert "column 'id' is taken as id; '编号' say something else" in [p.what for p in table.problems]
