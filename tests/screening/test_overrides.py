"""Overruled findings: the decision is shown beside the finding, and is stale once the finding has changed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path

import pandas as pd
import pyogrio
import pytest
import toy
from dossier_fixture import squeezed, word_text
from python_calamine import CalamineWorkbook
from shapely import box

import lzgis as lz
from lzgis.errors import ConfigError
from lzgis.exports.dossier import write_project
from lzgis.exports.gis.json import report_document
from lzgis.model.report import OVERRIDE_COLUMNS, Report
from lzgis.screening.overrides import Decision, override_entry, read_overrides, with_overrides
from lzgis.screening.screen import screen
from lzgis.words import Words

SITES = toy.sites(toy.square(100, 100), toy.square(-300, 100))


def screened(city: Path, **more: Path) -> Report:
    return screen(SITES, city, as_of=toy.AS_OF, **more)


def decide(city: Path, *, feature: str = "redline-1", extra: str = "") -> Path:
    """Overrule the finding of the redline on s1, with a file of evidence beside the decision."""
    (city / "批复.pdf").write_bytes(b"%PDF yes")
    entry = override_entry(screened(city), "s1", "redline", feature=feature)
    entry = entry.replace('reason = ""', 'reason = "省级认定"').replace('author = ""', 'author = "张三"')
    digest = hashlib.sha256(b"%PDF yes").hexdigest()
    entry = entry.replace('evidence = ""', 'evidence = "批复.pdf"').replace('sha256 = ""', f'sha256 = "{digest}"', 1)
    path = city / "overrides.toml"
    path.write_text(entry + extra, "utf-8")
    return path


def test_a_decision_is_shown_beside_the_finding_which_stays(tmp_path):
    city = toy.city(tmp_path)
    before = screened(city)
    decide(city)
    after = screened(city)
    pd.testing.assert_frame_equal(before.findings, after.findings)
    pd.testing.assert_frame_equal(before.verdicts, after.verdicts)
    row = after.overrides.iloc[0]
    assert list(after.overrides.columns) == [c.name for c in OVERRIDE_COLUMNS]
    assert (row["status"], row["reason"], row["author"], row["evidence_state"]) == (
        "current",
        "省级认定",
        "张三",
        "as-given",
    )
    assert (row["state_then"], row["severity_then"], row["area_m2_then"]) == ("涉及", "prohibited", 10000.0)
    found = after.findings.iloc[row["finding"]]
    assert (found["site_id"], found["rule"], found["feature_id"]) == ("s1", "redline", "redline-1")
    assert [s.role for s in after.provenance.sources][-1] == "overrides"
    assert not [p for p in after.problems if "override" in p.place]


def test_without_decisions_nothing_is_different(tmp_path):
    report = screened(toy.city(tmp_path))
    assert len(report.overrides) == 0
    assert report_document(report)["overrides"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: toy.write(c / "redline.gpkg", [box(0, 0, 150, 1000)], name=["甲"]), "area_m2: 10000.0 → 5000.0"),
        (lambda c: toy.write(c / "redline.gpkg", [box(0, 0, 1000, 1001)], name=["甲"]), "feature_sha256: "),
        (lambda c: toy.write(c / "redline.gpkg", [box(0, 0, 1000, 1000)], name=["另"]), "feature_sha256: "),
        (lambda c: toy.write(c / "redline.gpkg", [box(0, 0, 50, 50)], name=["甲"]), "state: 涉及 → 不涉及"),
        (
            lambda c: toy.changed(
                c, "rules.toml", ('title = "红线"\nseverity = "prohibited"', 'title = "红线"\nseverity = "notice"')
            ),
            "severity: prohibited → notice",
        ),
    ],
)
def test_a_decision_on_what_has_changed_is_stale(tmp_path, change, message):
    city = toy.city(tmp_path)
    decide(city)
    assert screened(city).overrides["status"].tolist() == ["current"]
    if "redline" not in message and "severity:" not in message:
        (city / "redline.gpkg").unlink()
    change(city)
    report = screened(city)
    row = report.overrides.iloc[0]
    assert row["status"] == "stale"
    assert message in row["changed"]
    problem = next(p for p in report.problems if "override" in p.place)
    assert str(problem).startswith("overrides.toml, override 1: the finding has changed since (")


def test_a_finding_that_no_longer_exists_and_one_of_the_whole_rule(tmp_path):
    city = toy.city(tmp_path)
    decide(city)
    (city / "redline.gpkg").unlink()
    toy.write(city / "redline.gpkg", [box(0, 0, 1000, 1000)], id=["another"], name=["甲"])
    report = screened(city)
    assert report.overrides[["finding", "status"]].values.tolist() == [[-1, "unmatched"]]
    decide(city, feature="")
    assert screened(city).overrides["status"].tolist() == ["current"]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda p: p.write_bytes(b"%PDF no"), "differs"),
        (lambda p: p.unlink(), "missing"),
    ],
)
def test_evidence_is_checked(tmp_path, change, state):
    city = toy.city(tmp_path)
    decide(city)
    change(city / "批复.pdf")
    report = screened(city)
    assert report.overrides["evidence_state"].tolist() == [state]
    assert "the evidence '批复.pdf' is not" in str(next(p for p in report.problems if "override" in p.place))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('site = "s1"', 'site = "s9"', "'s9' is not in the report"),
        ('rule = "redline"', 'rule = "redlines"', "did you mean 'redline'"),
        ('author = "张三"', 'author = ""', "author"),
        ('author = "张三"', 'autor = "张三"', "key 'author' is missing"),
        ('severity = "prohibited"', 'severity = "grave"', "severity"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    city = toy.city(tmp_path)
    decide(city)
    toy.changed(city, "overrides.toml", (old, new))
    with pytest.raises(ConfigError, match=message):
        screened(city)


def test_two_decisions_on_one_finding(tmp_path):
    city = toy.city(tmp_path)
    path = decide(city)
    path.write_text(path.read_text("utf-8") * 2, "utf-8")
    with pytest.raises(ConfigError, match="override 2: is on the same finding as override 1"):
        read_overrides(path)


def test_an_entry_of_what_was_not_found(tmp_path):
    with pytest.raises(ConfigError, match="no such finding"):
        override_entry(screened(toy.city(tmp_path)), "s1", "redline", feature="x")


def test_a_file_elsewhere_and_one_that_is_missing(tmp_path):
    city = toy.city(tmp_path / "city")
    path = decide(city)
    elsewhere = path.rename(tmp_path / "mine.toml")
    report = screened(city, overrides=elsewhere)
    assert report.overrides["evidence_state"].tolist() == ["missing"]  # beside the file of decisions, not in the city
    with pytest.raises(ConfigError, match="does not exist"):
        screened(city, overrides=tmp_path / "none.toml")
    assert with_overrides(screened(city), elsewhere).overrides["status"].tolist() == ["current"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_is_printed(tmp_path, language):
    city = toy.city(tmp_path / "city")
    decide(city)
    report = screened(city)
    lz.export(report, tmp_path / "r.xlsx", language=language)
    lz.export(report, tmp_path / "r.json", language=language)
    book = CalamineWorkbook.from_path(tmp_path / "r.xlsx")
    words = Words(language)
    assert words("sheet", "overrides") in book.sheet_names
    rows = book.get_sheet_by_name(words("sheet", "overrides")).to_python()
    assert [r for r in rows if "省级认定" in r and "张三" in r]
    findings = book.get_sheet_by_name(words("sheet", "findings")).to_python()
    text = words("override", "said_current", reason="省级认定", author="张三", date=toy.AS_OF)
    assert len([r for r in findings if text in r]) == 1
    document = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert document["overrides"][0]["status"] == "current"


@pytest.mark.parametrize("stale", [False, True])
def test_it_is_shown_beside_the_finding_in_every_output(tmp_path, stale):
    city = toy.city(tmp_path / "city")
    decide(city)
    if stale:
        (city / "redline.gpkg").unlink()
        toy.write(city / "redline.gpkg", [box(0, 0, 150, 1000)], name=["甲"])
    report = screened(city)
    text = "人工推翻（失效，结果已变化：" if stale else "人工推翻：省级认定（张三，"
    only = dataclasses.replace(report, sites=report.sites[report.sites["id"] == "s1"])
    for name in (
        "r.docx",
        "r.html",
        "map.html",
        "r.geojson",
        "r.jsonfg",
        "r.xlsx",
        "r.json",
        "r.gpkg",
        "r.zip",
        "r.dxf",
    ):
        if name in ("r.docx", "r.html"):
            write_project(only, tmp_path / name)
        else:
            lz.export(report, tmp_path / name)
    assert text in squeezed(word_text(tmp_path / "r.docx"))
    assert text in (tmp_path / "r.html").read_text("utf-8")
    assert text in (tmp_path / "map.html").read_text("utf-8")
    for name in ("r.geojson", "r.jsonfg"):
        shown = [f["properties"]["override"] for f in json.loads((tmp_path / name).read_text("utf-8"))["features"][2:]]
        assert len([t for t in shown if t and t.startswith(text)]) == 1
    table = pyogrio.read_dataframe(tmp_path / "r.gpkg", layer="findings")
    assert table["override"].str.startswith(text).sum() == 1
    assert len(pyogrio.read_dataframe(tmp_path / "r.gpkg", layer="overrides")) == 1
    with zipfile.ZipFile(tmp_path / "r.zip") as packed:
        assert "overrides.dbf" in packed.namelist()
    assert "override=" in (tmp_path / "r.dxf").read_text("gbk")
    # The finding itself is as it was found.
    assert "涉及" in word_text(tmp_path / "r.docx")


def test_command(tmp_path, monkeypatch, capsys):
    from lzgis.cli.app import main

    city = toy.city(tmp_path / "city")
    path = decide(city)
    SITES.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    given = [
        "lzgis",
        "screen",
        str(tmp_path / "sites.gpkg"),
        "--layers",
        str(city),
        "--overrides",
        str(path),
        "--lang",
        "en",
    ]
    monkeypatch.setattr("sys.argv", [*given, "--as-of", toy.AS_OF])
    with pytest.raises(SystemExit):
        main()
    assert "1 findings overruled, 0 of them stale; the findings stay" in capsys.readouterr().out


def test_the_command_writes_an_entry_that_is_read_and_current(tmp_path, monkeypatch, capfdbinary):
    from lzgis.cli.app import main

    city = toy.city(tmp_path / "city")
    SITES.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    (city / "认定.pdf").write_bytes(b"%PDF")
    monkeypatch.chdir(city)
    given = ["lzgis", "override", "s1", "redline", "--sites", str(tmp_path / "sites.gpkg"), "--layers", str(city)]
    more = ["--reason", '省级"认定"', "--author", "张三", "--evidence", "认定.pdf", "--date", "2026-11-20"]
    monkeypatch.setattr("sys.argv", [*given, *more, "--as-of", toy.AS_OF])
    main_code(main)
    entry = capfdbinary.readouterr().out
    (city / "overrides.toml").write_bytes(entry)
    found = screened(city).overrides.iloc[0]
    assert (found["status"], found["evidence_state"], found["reason"]) == ("current", "as-given", '省级"认定"')
    assert found["date"] == "2026-11-20"


def main_code(main):
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code


def test_evidence_that_does_not_exist_is_an_error(tmp_path):
    report = screened(toy.city(tmp_path))
    with pytest.raises(ConfigError, match="does not exist"):
        override_entry(report, "s1", "redline", decision=Decision(evidence=tmp_path / "none.pdf"))
