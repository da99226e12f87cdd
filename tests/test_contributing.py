"""The examples of CONTRIBUTING.md work: a layer, a rule, a kind of rule, a format to write, a format to read."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import toy
from shapely import box

from lzgis.errors import SourceError
from lzgis.exports import export_as
from lzgis.exports.formats import FORMATS, Format
from lzgis.reading.base import ReadOptions
from lzgis.reading.readers import READERS, read_vector
from lzgis.rules.for_sites import KINDS, Kind
from lzgis.rules.for_sites.base import matching_features

PAGE = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text("utf-8")


def blocks(heading: str) -> list[str]:
    """Return the code blocks below a heading of the page."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    return re.findall(r"^```(?:python|toml)\n(.*?)^```", section, re.M | re.S)


def module(text: str, name: str, monkeypatch) -> ModuleType:
    """Make a module of a block, as if it were a file of the package."""
    made = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    exec(text, vars(made))
    return made


def test_a_layer_and_a_rule_are_added_as_data(tmp_path):
    city = toy.city(tmp_path / "city")
    (layer,), (rule,) = blocks("How do I add a layer?"), blocks("How do I add a rule?")
    named, _, rest = rule.partition("\n\n")
    with (city / "catalog.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + layer)
    toy.changed(city, "rules.toml", ("[layers]", named))
    with (city / "rules.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + rest)
    toy.write(city / "wetlands.gpkg", [box(-500, 0, -400, 100)])
    report = toy.screened(city, toy.square(-380, 0), toy.square(-370, 0))
    near, far = toy.row(report, "wetland-buffer", "s1"), toy.row(report, "wetland-buffer", "s2")
    assert (near["state"], near["severity"], far["state"]) == ("涉及", "conditional", "不涉及")
    assert (near["distance_m"], near["margin"]) == pytest.approx((20, 10), abs=1e-3)


def test_a_kind_of_rule_is_a_module_and_an_entry(tmp_path, monkeypatch):
    code, entry = blocks("How do I add a kind of rule?")
    made = module(code, "lzgis.rules.for_sites.stay_near", monkeypatch)
    names = {**vars(made), "Kind": Kind, "matching_features": matching_features}
    for name, kind in eval("{" + entry + "}", names).items():
        monkeypatch.setitem(KINDS, name, kind)
    city = toy.city(tmp_path / "city")
    toy.changed(
        city, "rules.toml", ('[rule.redline]\nkind = "avoid"', '[rule.redline]\nkind = "stay_near"\ndistance_m = 500')
    )
    report = toy.screened(city, toy.square(-1000, 0), toy.square(1600, 0))
    far, near = toy.row(report, "redline", "s1"), toy.row(report, "redline", "s2")
    assert (far["state"], near["state"]) == ("涉及", "不涉及")
    assert (far["distance_m"], far["margin"], near["distance_m"]) == pytest.approx((900, 400, 100), abs=1e-3)
    assert far.geometry.equals_exact(report.sites.geometry.iloc[0], tolerance=1e-9, normalize=True)


def test_a_format_to_write_is_a_module_and_a_record(tmp_path, monkeypatch):
    code, entry = blocks("How do I add a format to write?")
    for name, record in eval("{" + entry + "}", {"Format": Format}).items():
        assert name not in FORMATS
        monkeypatch.setitem(FORMATS, name, record)
        module(code, record.report.partition(":")[0], monkeypatch)
        report = toy.screened(toy.city(tmp_path / "city"), toy.square(0, 0))
        export_as(name, report, tmp_path / record.file_name, language="zh")
        assert (tmp_path / record.file_name).read_text("utf-8").splitlines() == ["site_id,verdict", "s1,存在禁止性冲突"]


def test_a_format_to_read_is_a_module_and_a_line(tmp_path, monkeypatch):
    code, entry = blocks("How do I add a format to read?")
    for suffix, where in eval("{" + entry + "}").items():
        assert suffix not in READERS
        monkeypatch.setitem(READERS, suffix, where)
        module(code, f"lzgis.reading.{where.partition(':')[0]}", monkeypatch)
        path = tmp_path / f"sites{suffix}"
        path.write_text("POINT (112.5 25)\nPOINT (112.6 25)\n", "utf-8")
        read = read_vector(path, options=ReadOptions(crs="EPSG:4490"))
        assert (len(read.frame), read.frame.crs.to_epsg()) == (2, 4490)
        path.write_text("nothing of the kind", "utf-8")
        with pytest.raises(SourceError, match="is not WKT"):
            read_vector(path)
