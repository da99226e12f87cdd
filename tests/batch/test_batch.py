"""Batches: shards on disk, continued where they were cut short, one bad site stopping no other."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from io import BytesIO

import geopandas as gpd
import numpy as np
import pytest
import shapely
import toy
from python_calamine import CalamineWorkbook
from shapely import box

import lzgis.batch.answers as answers
import lzgis.batch.gathering as gathering
import lzgis.batch.reading as reading
import lzgis.screening.run as run
from lzgis.audits.verify import verify
from lzgis.batch import BatchOptions, screen_batch
from lzgis.batch.plan import batch_folder
from lzgis.city.catalogue import open_catalogue
from lzgis.coordinates.shifted_maps import to_gcj02
from lzgis.errors import ConfigError, ExportError, SourceError
from lzgis.exports import formats
from lzgis.exports.folder import export_folder
from lzgis.files.manifest import read_manifest
from lzgis.messages import Message
from lzgis.model.report import Reason, Verdict
from lzgis.reading import ReadOptions
from lzgis.reading.sandbox.parent import begin_reading
from lzgis.screening.screen import screen

WHEN = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
FORMATS = ("json", "gpkg", "xlsx", "parquet", "verdicts")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The toy city and a file of 23 sites on and off everything in it."""
    folder = toy.city(tmp_path_factory.mktemp("toy") / "city")
    shapes = [toy.square(x, y, 150.0) for x in (-4600, -100, 900, 1400) for y in (-2100, -50, 950, 2950, 4050)]
    shapes += [box(-300, -4500, -250, 3500), toy.square(9000, 0), toy.square(-3000, 0)]
    activity = ["住宅", "", "供水"] * 7 + ["采石", "住宅"]
    toy.sites(*shapes, activity=activity, count=[*range(22), None]).to_file(folder / "sites.gpkg", engine="pyogrio")
    return folder


def batch(place, out, *, formats=FORMATS, sites="sites.gpkg", size=5, **more):
    settings = {name: more.pop(name) for name in ("restart", "overrides", "workers") if name in more}
    chosen = BatchOptions(formats=formats, shard_size=size, made_at=WHEN, **settings)
    return screen_batch(place / sites, place, out, as_of=toy.AS_OF, settings=chosen, **more)


def content(folder) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != "manifest.json"}


def shown(workbook) -> tuple[list, str]:
    """Read the verdicts of a workbook: their rows, and how the columns, filter and fixed rows of the sheet are set."""
    book = CalamineWorkbook.from_object(workbook)
    rows = book.get_sheet_by_name("结论").to_python(skip_empty_area=False)
    number = book.sheet_names.index("结论") + 1
    text = zipfile.ZipFile(workbook).read(f"xl/worksheets/sheet{number}.xml").decode()
    layout = re.findall(r"<(?:cols>.*</cols|pane [^>]*|autoFilter [^>]*|pageSetup [^>]*)>", text)
    assert len(layout) == 4
    return rows, " ".join(layout)


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    """What one screening of all sites at once writes."""
    report = screen(place / "sites.gpkg", place, as_of=toy.AS_OF, made_at=WHEN)
    out = tmp_path_factory.mktemp("whole")
    export_folder(report, out, FORMATS)
    return report, content(out)


def test_a_batch_gives_the_bytes_of_one_screening(place, whole, tmp_path):
    done = batch(place, tmp_path)
    report, files = whole
    assert (done.shards, done.reused, done.sites) == (5, 0, 23)
    assert done.verdicts == report.verdicts["verdict"].value_counts().to_dict()
    assert content(tmp_path) == files
    assert done.problems == report.problems
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*files, "manifest.json"])
    assert verify(tmp_path, sites=place / "sites.gpkg", layers=place).state == "same"


def test_a_batch_that_was_cut_short_is_continued_and_gives_the_same_bytes(place, whole, tmp_path):
    class Cut(Exception):
        pass

    def cut(what, done, total):
        if what == "shards" and done == 2:
            raise Cut

    with pytest.raises(Cut):
        batch(place, tmp_path, progress=cut)
    assert content(tmp_path) == {}
    with pytest.raises(ExportError, match="holds a batch that is not finished; run the same command again"):
        verify(tmp_path)
    # One of the shards that were done is damaged in the meantime: it is done again.
    part = batch_folder(tmp_path) / "parts" / "000001" / "findings.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    done = batch(place, tmp_path)
    assert done.reused == 1
    assert content(tmp_path) == whole[1]
    assert not (tmp_path / ".lzgis").exists()


def test_tables_need_no_parts_and_a_format_that_shows_them_builds_them(place, whole, tmp_path, monkeypatch):
    class Cut(Exception):
        pass

    def cut(what, done, total):
        if what == "shards" and done == 2:
            raise Cut

    def refuse(*_):
        raise AssertionError("parts are built")

    with monkeypatch.context() as patched:
        patched.setattr(run, "made_parts", refuse)
        batch(place, tmp_path / "tables", formats=("csv", "verdicts", "xlsx"))
        with pytest.raises(Cut):
            batch(place, tmp_path / "other", formats=("csv",), progress=cut)
    export_folder(whole[0], tmp_path / "whole", ("csv", "verdicts", "xlsx"))
    assert content(tmp_path / "tables") == content(tmp_path / "whole")
    # What was screened for a table lacks the parts.
    done = batch(place, tmp_path / "other")
    assert done.reused == 0
    assert content(tmp_path / "other") == whole[1]
    # A table needs no more than what was screened for a format with parts.
    with pytest.raises(Cut):
        batch(place, tmp_path / "third", progress=cut)
    assert batch(place, tmp_path / "third", formats=("csv",)).reused == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_process_that_was_killed_is_continued(place, whole, tmp_path, workers):
    code = f"""
import datetime as dt
from lzgis.batch import BatchOptions, screen_batch
from pathlib import Path
place = Path({str(place)!r})
made_at = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
settings = BatchOptions(formats={FORMATS!r}, shard_size=5, workers={workers}, made_at=made_at)
def report_progress(what, done, total):
    print(what, done, flush=True)
if __name__ == "__main__":
    screen_batch(place / "sites.gpkg", place, {str(tmp_path)!r}, as_of={toy.AS_OF!r}, settings=settings, progress=report_progress)
"""
    (tmp_path.parent / f"batch_{workers}.py").write_text(code, "utf-8")
    script = [sys.executable, str(tmp_path.parent / f"batch_{workers}.py")]
    run = subprocess.Popen(script, stdout=subprocess.PIPE, encoding="utf-8")
    assert run.stdout is not None
    for line in run.stdout:
        if line.strip() == "shards 2":
            time.sleep(0.05)
            os.kill(run.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            break
    # The end of what it prints is that of the last process that can: the workers end as well.
    run.communicate(timeout=60)
    done = batch(place, tmp_path)
    assert done.reused >= 2
    assert content(tmp_path) == whole[1]
    assert not (tmp_path / ".lzgis").exists()


def test_a_batch_killed_while_it_is_cut_keeps_what_was_screened(place, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "AT_ONCE", 0)
    folder = batch_folder(tmp_path / "out")
    sites = gpd.read_file(place / "sites.gpkg")
    sites.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    # A file so long that it is read in pieces.
    long = tmp_path / "sites.gpkg"
    read, there = begin_reading, []

    def slow(path, *, options):
        if options.rows == (15, 5):
            # Not killed before the first shards are answered, which are screened meanwhile.
            end = time.monotonic() + 60
            while time.monotonic() < end and not list((folder / "parts").glob("0*")):
                time.sleep(0.01)
            there.extend(folder.rglob("plan.json"))
            raise KeyboardInterrupt
        return read(path, options=options)

    monkeypatch.setattr(reading, "begin_reading", slow)
    with pytest.raises(KeyboardInterrupt):
        batch(place, tmp_path / "out", sites=long, workers=2)
    assert there == []
    monkeypatch.setattr(reading, "begin_reading", read)
    with pytest.raises(ExportError, match=r"unfinished batch of other inputs \(shard size differ\)"):
        batch(place, tmp_path / "out", sites=long, size=4)
    done = batch(place, tmp_path / "out", sites=long, workers=2)
    assert done.reused >= 1
    assert done.shards == 5
    batch(place, tmp_path / "anew", sites=long)
    assert content(tmp_path / "out") == content(tmp_path / "anew")
    assert (
        json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["findings"]
        == (json.loads(whole[1]["report.json"])["findings"])
    )


def test_two_processes_give_the_bytes_of_one(place, whole, tmp_path):
    done = batch(place, tmp_path, workers=2)
    assert done.shards == 5
    assert content(tmp_path) == whole[1]


def test_the_work_of_a_worker_that_is_ended_is_done_again(place, whole, tmp_path):
    killed = []

    def end(what, done, total):
        if what == "shards" and done == 1 and not killed:
            killed.extend(multiprocessing.active_children())
            for worker in killed:
                worker.kill()

    done = batch(place, tmp_path, size=1, workers=2, progress=end)
    assert len(killed) == 2
    assert (done.shards, done.reused) == (23, 0)
    assert content(tmp_path) == whole[1]


def test_a_batch_whose_workers_cannot_even_begin_is_reported_and_continued(place, whole, tmp_path, monkeypatch):
    in_every_worker(tmp_path, monkeypatch, "os._exit(1)")
    with pytest.raises(ExportError, match="a process that screened was ended, by the system because memory ran out"):
        batch(place, tmp_path / "out", workers=2)
    monkeypatch.undo()
    batch(place, tmp_path / "out", workers=2)
    assert content(tmp_path / "out") == whole[1]


def in_every_worker(folder, monkeypatch, code):
    """Let every Python that is started from now on run some lines first, as an administrator can; not this one."""
    lines = ["import os", "import signal", "import sys", 'if "--multiprocessing-fork" in sys.orig_argv:']
    lines += [f"    {line}" for line in code.strip().splitlines()]
    (folder / "begun").mkdir()
    (folder / "begun" / "sitecustomize.py").write_text("\n".join(lines), "utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder / "begun"), os.environ.get("PYTHONPATH", "")]))


DIES = """
import lzgis.batch.answers as answers
screened = answers.screen_table
def dies(sites, setting):
    usable = sites.frame[sites.frame.geometry.notna()]
    if {condition}:
        os.kill(os.getpid(), signal.SIGSEGV)
    return screened(sites, setting)
answers.screen_table = dies
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a signal that ends a process there does so otherwise")
def test_sites_that_end_the_process_stop_no_other(place, whole, tmp_path, monkeypatch):
    in_every_worker(tmp_path, monkeypatch, DIES.format(condition='{"s8", "s9", "s23"} & set(usable["id"])'))
    done = batch(place, tmp_path / "out", workers=2)
    assert (done.shards, done.sites) == (5, 23)
    document = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    expected = json.loads(whole[1]["report.json"])
    bad = {"s8", "s9", "s23"}
    for verdict, before in zip(document["verdicts"], expected["verdicts"], strict=True):
        assert (verdict == before) == (verdict["site_id"] not in bad)
        assert verdict["verdict"] == Verdict.INCOMPLETE or verdict["site_id"] not in bad
    findings = [[f for f in one["findings"] if f["site_id"] not in bad] for one in (document, expected)]
    assert findings[0] == findings[1]
    rows = [f for f in document["findings"] if f["site_id"] in bad]
    assert {(f["state"], f["reason"]) for f in rows} == {("未核查", Reason.GEOMETRY_UNUSABLE)}
    what = "could not be checked: the process that screened it ended, and so did another with it alone"
    assert [p.place for p in done.problems if p.what == what] == [
        f"sites.gpkg, site '{one}'" for one in ("s8", "s9", "s23")
    ]
    # The same bytes as if the same sites raise an error, except for the message.
    monkeypatch.undo()
    usual = answers.screen_table

    def fails(sites, setting):
        if bad & set(sites.frame.loc[sites.frame.geometry.notna(), "id"]):
            raise SourceError("", Message(what), Message("look at its geometry"))
        return usual(sites, setting)

    monkeypatch.setattr(answers, "screen_table", fails)
    batch(place, tmp_path / "raised")
    raised = content(tmp_path / "raised")
    assert {name: found == raised[name] for name, found in content(tmp_path / "out").items()} == dict.fromkeys(
        raised, True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="a signal that ends a process there does so otherwise")
def test_a_batch_that_one_process_did_not_survive_is_continued_by_others(place, tmp_path, monkeypatch):
    def cut(what, done, total):
        if what == "shards":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch(place, tmp_path / "out", size=100, formats=("json",), progress=cut)
    in_every_worker(tmp_path, monkeypatch, DIES.format(condition='"s8" in set(usable["id"])'))
    done = batch(place, tmp_path / "out", size=100, formats=("json",), workers=2)
    assert (done.shards, done.reused) == (1, 0)
    assert [p.place for p in done.problems if "with it alone" in p.what] == ["sites.gpkg, site 's8'"]


@pytest.mark.skipif(sys.platform == "win32", reason="a signal that ends a process there does so otherwise")
def test_sites_that_only_together_are_too_much_are_all_checked(place, whole, tmp_path, monkeypatch):
    in_every_worker(tmp_path, monkeypatch, DIES.format(condition='"s8" in set(usable["id"]) and len(usable) > 2'))
    batch(place, tmp_path / "out", workers=2)
    assert content(tmp_path / "out") == whole[1]


def test_a_batch_of_other_inputs_is_not_mixed_in(place, tmp_path):
    city = toy.city(tmp_path / "city")
    out = tmp_path / "out"
    gpd.read_file(place / "sites.gpkg").to_file(city / "sites.gpkg", engine="pyogrio")

    def cut(what, done, total):
        if what == "shards" and done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch(city, out, progress=cut, formats=("json",))
    toy.changed(city, "rules.toml", ("distance_m = 100", "distance_m = 120"))
    with pytest.raises(ExportError, match=r"unfinished batch of other inputs \(rules rules.toml differ\); continue it"):
        batch(city, out, formats=("json",))
    with pytest.raises(ExportError, match=r"shard size differ"):
        batch(city, out, formats=("json",), size=4)
    done = batch(city, out, formats=("json",), restart=True)
    assert done.reused == 0
    assert json.loads((out / "report.json").read_text("utf-8"))["findings"]


def test_one_bad_site_stops_no_other(place, tmp_path, monkeypatch):
    frame = gpd.read_file(place / "sites.gpkg")
    frame.loc[3, "activity"] = "no such activity"
    frame.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    screened = answers.screen_table

    def fails_for_one(sites, setting):
        if "s8" in set(sites.frame.loc[sites.frame.geometry.notna(), "id"]):
            raise FloatingPointError("side location conflict")
        return screened(sites, setting)

    monkeypatch.setattr(answers, "screen_table", fails_for_one)
    chosen = BatchOptions(formats=("json",), shard_size=10, made_at=WHEN)
    done = screen_batch(tmp_path / "sites.gpkg", place, tmp_path / "out", as_of=toy.AS_OF, settings=chosen)
    document = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    verdicts = {v["site_id"]: v["verdict"] for v in document["verdicts"]}
    assert len(verdicts) == 23
    rows = [f for f in document["findings"] if f["site_id"] == "s8"]
    assert verdicts["s8"] == Verdict.INCOMPLETE
    assert {(f["state"], f["reason"]) for f in rows} == {("未核查", Reason.GEOMETRY_UNUSABLE)}
    (problem,) = [p for p in done.problems if "site 's8'" in p.place]
    assert "FloatingPointError: side location" in problem.what
    (problem,) = [p for p in done.problems if "site 's4'" in p.place]
    assert "'no such activity' is not in the vocabulary" in problem.what
    whole = screen(tmp_path / "sites.gpkg", place, as_of=toy.AS_OF, made_at=WHEN)
    assert verdicts["s4"] == toy.verdict(whole, "s4")["verdict"]
    strict = BatchOptions(reading=ReadOptions(activities="refused"), formats=("json",), made_at=WHEN)
    with pytest.raises(SourceError, match=r"row 4 \(site 's4'\), activity"):
        screen_batch(tmp_path / "sites.gpkg", place, tmp_path / "strict", as_of=toy.AS_OF, settings=strict)
    # Every other site is answered as it is without the bad ones.
    clean = screen(place / "sites.gpkg", place, as_of=toy.AS_OF, made_at=WHEN)
    others = clean.verdicts[~clean.verdicts["site_id"].isin(["s4", "s8"])]
    assert {k: v for k, v in verdicts.items() if k not in ("s4", "s8")} == dict(
        zip(others["site_id"], others["verdict"], strict=True)
    )


def test_many_sites_are_gathered_in_pieces(place, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(gathering, "WHOLE", 10)
    monkeypatch.setattr(reading, "AT_ONCE", 0)
    monkeypatch.setattr(answers, "_SLICE", 3)
    done = batch(place, tmp_path, formats=None)
    report, files = whole
    assert [f.name for f in done.files] == ["findings.parquet", "verdicts.parquet", "findings.gpkg", "report.xlsx"]
    for name in ("findings.parquet", "verdicts.parquet"):
        assert gpd.read_parquet(tmp_path / name).equals(gpd.read_parquet(BytesIO(files[name])))
    (outside,) = [p for p in done.problems if "outside the city" in p.what]
    assert outside.place == "sites.gpkg (of rows 21 to 23)"
    sites = gpd.read_file(tmp_path / "findings.gpkg", layer="sites")
    assert sites["id"].tolist() == report.sites["id"].tolist()
    assert shown(tmp_path / "report.xlsx") == shown(BytesIO(files["report.xlsx"]))
    book, wholly = (
        CalamineWorkbook.from_object(one) for one in (tmp_path / "report.xlsx", BytesIO(files["report.xlsx"]))
    )
    counts = book.get_sheet_by_name("项数").to_python()
    assert counts == wholly.get_sheet_by_name("项数").to_python()
    assert book.get_sheet_by_name("规则依据").to_python() == wholly.get_sheet_by_name("规则依据").to_python()
    # The rows, by rule, add up to the rules that do not apply by site.
    unmeant = book.get_sheet_by_name("不适用").to_python()[4:]
    heads, sums = counts[3], counts[4]
    assert sum(row[3] for row in unmeant) == sums[heads.index("不适用（规则数）")] > 0
    rows = report.table
    inside = rows[rows["state"] == "不适用"].drop_duplicates(["site_id", "rule"])
    assert sum(row[4] for row in unmeant) == len(inside)
    conflicts = gpd.read_file(tmp_path / "findings.gpkg", layer="conflicts")
    severe = report.findings[report.findings.geometry.notna() & (report.findings["severity"] != "notice")]
    assert np.isclose(conflicts["area_m2"].sum(), severe["area_m2"].sum())
    assert done.verdicts.total() == 23


def test_json_of_a_batch_is_written_in_pieces_and_the_same_bytes(place, whole, tmp_path, monkeypatch):
    """Slices of three sites, which no shard is a multiple of; no report of all sites is ever put together."""
    names = ("json", "geojson", "jsonfg")
    monkeypatch.setattr(answers, "_SLICE", 3)
    monkeypatch.setattr(gathering, "_as_a_whole", None)
    batch(place, tmp_path / "pieces", formats=names)
    export_folder(whole[0], tmp_path / "whole", names)
    assert content(tmp_path / "pieces") == content(tmp_path / "whole")


def test_json_is_left_out_by_default_where_it_is_largest():
    usual = ("xlsx", "gpkg", "json", "html")
    assert gathering.allowed_formats(None, 2_000, usual) == [*usual]
    assert gathering.allowed_formats(None, 2_001, usual) == ["xlsx", "gpkg", "html"]
    assert gathering.allowed_formats(["json"], 200_000, usual) == ["json"]
    with pytest.raises(ConfigError, match="'json' is written of up to 200000 sites"):
        gathering.allowed_formats(["json"], 200_001, usual)


@pytest.mark.parametrize("most", [0, 20_000])
def test_sites_drawn_on_a_shifted_map_are_reported(place, tmp_path, monkeypatch, most):
    monkeypatch.setattr(gathering, "WHOLE", most)
    layer = open_catalogue(place).load("redline").layer.frame
    moved = shapely.transform(layer.geometry.to_numpy(), to_gcj02, interleaved=False)
    gpd.GeoDataFrame({"id": layer["id"]}, geometry=moved, crs=4490).to_file(tmp_path / "s.gpkg", engine="pyogrio")
    done = batch(place, tmp_path / "out", formats=("json",) if most else ("parquet",), sites=tmp_path / "s.gpkg")
    assert "s.gpkg: looks shifted by" in "\n".join(map(str, done.problems))


def test_formats_that_cannot_hold_so_many_are_refused_before_the_work(place, tmp_path, monkeypatch):
    monkeypatch.setitem(formats.FORMATS, "html", formats.FORMATS["html"]._replace(most_sites=20))
    for option in ("size", "workers"):
        with pytest.raises(ConfigError, match="must be at least 1"):
            batch(place, tmp_path, **{option: 0})
    with pytest.raises(ConfigError, match="'html' is written of up to 20 sites, and there are 23"):
        batch(place, tmp_path, formats=("html",))
    assert "map.html" not in {f.name for f in batch(place, tmp_path, formats=None).files}


def test_ids_are_looked_at_across_shards(place, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "AT_ONCE", 0)
    frame = gpd.read_file(place / "sites.gpkg")
    frame.loc[20, "id"] = "s2"
    frame.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    for workers in (1, 2):
        with pytest.raises(SourceError, match="share the id 's2'"):
            batch(place, tmp_path / "out", sites=tmp_path / "sites.gpkg", workers=workers)
    # There is nothing to continue: the same folder takes the file once it is in order.
    assert batch(place, tmp_path / "out").reused == 0


def test_rows_without_ids_are_numbered_through(place, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "AT_ONCE", 0)
    frame = gpd.read_file(place / "sites.gpkg").drop(columns="id")
    frame.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    chosen = BatchOptions(formats=("json",), shard_size=7, made_at=WHEN)
    screen_batch(tmp_path / "sites.gpkg", place, tmp_path / "out", as_of=toy.AS_OF, settings=chosen)
    report = screen(tmp_path / "sites.gpkg", place, as_of=toy.AS_OF, made_at=WHEN)
    export_folder(report, tmp_path / "whole", ["json"])
    piecewise, at_once = (json.loads((tmp_path / n / "report.json").read_text("utf-8")) for n in ("out", "whole"))
    assert piecewise.pop("problems") != at_once.pop("problems")  # reported for rows 22 to 23
    assert piecewise == at_once


@pytest.mark.parametrize("group", [4, 100])
def test_geoparquet_is_read_in_pieces_and_gives_the_same_rows(place, whole, tmp_path, monkeypatch, group):
    gpd.read_file(place / "sites.gpkg").to_parquet(tmp_path / "sites.parquet", row_group_size=group)
    rows_read = []
    monkeypatch.setattr(reading, "AT_ONCE", 0)
    monkeypatch.setattr(
        reading, "begin_reading", lambda *a, **k: rows_read.append(k["options"].rows) or begin_reading(*a, **k)
    )
    chosen = BatchOptions(formats=("parquet", "verdicts"), shard_size=7, made_at=WHEN)
    screen_batch(tmp_path / "sites.parquet", place, tmp_path / "out", as_of=toy.AS_OF, settings=chosen)
    assert rows_read == [(0, 1), (0, 7), (7, 7), (14, 7), (21, 7)]
    for name in ("findings.parquet", "verdicts.parquet"):
        found = gpd.read_parquet(tmp_path / "out" / name)
        expected = gpd.read_parquet(BytesIO(whole[1][name]))
        assert found.drop(columns="geometry").equals(expected.drop(columns="geometry"))
        assert found.geometry.to_wkb().tolist() == expected.geometry.to_wkb().tolist()


def test_rows_are_counted_in_a_separate_process(place, tmp_path):
    frame = gpd.read_file(place / "sites.gpkg")
    for name, write in (("a.gpkg", frame.to_file), ("a.fgb", frame.to_file), ("a.parquet", frame.to_parquet)):
        write(tmp_path / name)
        assert reading.count_of(tmp_path / name) == 23
    (tmp_path / "b.gpkg").write_bytes(b"SQLite format 3\0" + bytes(400))
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(400))
    assert [reading.count_of(tmp_path / name) for name in ("b.gpkg", "b.parquet", "none.gpkg")] == [0, 0, 0]


def test_the_command_does_a_batch_and_its_exit_code_depends_on_the_verdicts(place, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from lzgis.cli.app import app

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795219200")
    words = ["screen", str(place / "sites.gpkg"), "--layers", str(place), "--as-of", toy.AS_OF, "--format", "json"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path), "--shard-size", "9"])
    assert done.exit_code == 2, done.output
    assert "23 个地块，3 个分片" in done.output
    result = read_manifest(tmp_path).results["screen"]
    assert result.given.layers == str(place)
    assert result.made_at == "2026-11-21T00:00:00+00:00"
    for more, place_named in (
        (["--shard-size", "9"], "--out"),
        (["--out", str(tmp_path), "--restart", "--json"], "--json"),
    ):
        assert str(CliRunner().invoke(app, [*words, *more]).exception).startswith(place_named)
