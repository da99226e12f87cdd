"""The map of an audit: the page of a screening that speaks of conflicts, and the front door's way to it."""

from __future__ import annotations

from pathlib import Path

import pytest
import toy
from map_page import Page

import lzgis as lz
from lzgis.exports.formats import audit_formats, diff_formats


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    city: Path = toy.city(tmp_path_factory.mktemp("city"))
    rule = '[rule.units-tile]\nkind = "no_gaps"\nlayer = "units"\ntitle = "铺满"\nseverity = "conditional"\n'
    rule += 'strength = "law"\nbasis = [{ document = "law" }]\neffective_from = 2020-01-01\n'
    (city / "rules.toml").write_text(toy.RULES + rule, "utf-8")
    return city


@pytest.mark.parametrize(
    ("language", "title", "listed"), [("zh", "玩具市图层审查", "冲突"), ("en", "audit of layers", "conflicts")]
)
def test_the_page_speaks_of_conflicts_and_not_of_sites(folder, tmp_path, language, title, listed):
    audit = lz.audit(folder, as_of=toy.AS_OF)
    path = lz.export_audit(audit, tmp_path / "audit.html", language=language)
    page = Page(path)
    assert title in page.text.split("<body>")[0]
    assert listed in page.data["city"]["words"]["shown"]
    assert len(page.data["review"]["sites"]) == len(audit.conflicts) == 1
    figures = page.data["review"]["pool"][page.data["review"]["findings"][0][0][6]]
    assert "1,000 " in figures
    assert "%" not in figures, "a conflict is no part of a site"


def test_the_front_door_writes_audits_and_comparisons_by_suffix(folder, tmp_path):
    audit, change = lz.audit(folder, as_of=toy.AS_OF), lz.diff(folder, folder)
    for suffix in audit_formats():
        assert lz.export_audit(audit, tmp_path / f"a.{suffix}").stat().st_size > 100
    for suffix in diff_formats():
        assert lz.export_diff(change, tmp_path / f"d.{suffix}").stat().st_size > 100
    with pytest.raises(lz.ExportError, match=r"no exporter writes '\.doc'; use one of \.xlsx, \.gpkg"):
        lz.export_audit(audit, tmp_path / "a.doc")
    with pytest.raises(lz.ExportError, match="no exporter writes"):
        lz.export_diff(change, tmp_path / "d.pdf")
