"""Every format states its provenance: hashes, versions, dates, pipeline, tolerances, repairs, engines, command."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from html import unescape

import pptx
import pyarrow.parquet as pq
import pytest
from PIL import Image
from report_fixture import toy_report

from lzgis.exports import FORMATS, export_as, export_projects
from lzgis.exports.formats import write_beside
from lzgis.model.report import Problem, Source

COMMAND = ("lzgis", "screen", "地块.gpkg", "--as-of", "2026-11-21")
REPAIR = "a bow-tie was parted: 1200.00 m2 before, 1150.00 m2 after"
#: What must be found in every format, as it stands in the provenance of the report below.
FACTS = ("a" * 64, "b" * 64, "9.9.9", "v2026.7", "2026-07-01", "2026-11-21", "1.75", "rotated by hand")


@pytest.fixture(scope="module")
def report():
    made = toy_report()
    sources = (
        Source("sites", "sites.gpkg", "a" * 64, crs="CGCS2000", engine="pyogrio 0.0"),
        Source("redline", "redline.gpkg", "b" * 64, version="v2026.7", date="2026-07-01"),
    )
    provenance = dataclasses.replace(
        made.provenance,
        sources=sources,
        transforms=("rotated by hand",),
        tolerances={"sliver_width_m": 1.7531},
        versions={"GDAL": "9.9.9"},
        command=COMMAND,
    )
    problem = Problem("note", "sites.gpkg, feature 'S1'", REPAIR, "look at it")
    first = made.sites.iloc[[0]]
    keep = first["id"].iloc[0]
    return dataclasses.replace(
        made,
        provenance=provenance,
        problems=(problem,),
        sites=first,
        findings=made.findings[made.findings["site_id"] == keep].reset_index(drop=True),
        verdicts=made.verdicts[made.verdicts["site_id"] == keep].reset_index(drop=True),
    )


def zipped(data: bytes, wanted: str) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return "\n".join(unescape(packed.read(n).decode()) for n in packed.namelist() if re.search(wanted, n))


def rows_of(path) -> str:
    with closing(sqlite3.connect(path)) as database:
        return "\n".join(str(row) for row in database.execute("SELECT metadata FROM gpkg_metadata"))


def drawing(data: bytes) -> str:
    lines = re.findall(r"999\r\nprovenance: (.*?)\r\n", data.decode("gbk"))
    return json.dumps(json.loads("".join(lines)), ensure_ascii=False)


def embedded(data: bytes) -> str:
    found = re.search(r'<script type="application/json" id="lz-provenance">(.*?)</script>', data.decode(), re.S)
    return json.dumps(json.loads(found[1]), ensure_ascii=False)


def text_of(name: str, path) -> str:
    """Read the provenance of a file with independent libraries."""
    data = path.read_bytes()
    if name in ("json", "geojson", "jsonfg"):
        return data.decode()
    if name == "xlsx":
        return zipped(data, "sharedStrings|sheets/sheet")
    if name in ("docx", "summary"):
        return re.sub(r"<[^>]+>", "", zipped(data, "word/document.xml"))
    if name == "shp":
        return json.dumps(json.loads(zipped(data, "provenance.json")), ensure_ascii=False)
    if name in ("parquet", "verdicts"):
        return pq.read_schema(path).metadata[b"lzgis"].decode()
    if name == "kml":
        (found,) = re.findall(r'<Data name="provenance"><value>(.*?)</value>', data.decode())
        return json.dumps(json.loads(unescape(found)), ensure_ascii=False)
    if name == "png":
        return json.dumps(json.loads(Image.open(path).text["Description"]), ensure_ascii=False)
    if name == "pptx":
        (slide, *_) = pptx.Presentation(path).slides
        return json.dumps(json.loads(slide.notes_slide.notes_text_frame.text), ensure_ascii=False)
    if name == "csv":
        return (path.parent / "findings.csv-metadata.json").read_text("utf-8")
    if name == "htmldoc":
        return unescape(re.sub(r"<[^>]+>", "", data.decode()))
    return {"gpkg": rows_of, "dxf": lambda p: drawing(p.read_bytes()), "html": lambda p: embedded(p.read_bytes())}[
        name
    ](path)


# A PDF is set from the same sections as the Word document; its text cannot be read without another program. A 界址点 file
# holds what its readers know and nothing else.
@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("pdf", "coordfile")])
def test_every_format_states_its_provenance(report, name, tmp_path):
    if FORMATS[name].per_site:
        (path,) = export_projects(report, tmp_path, [name])
    else:
        path = tmp_path / FORMATS[name].file_name
        export_as(name, report, path, language="zh")
        write_beside(name, report, tmp_path, language="zh")
    text = text_of(name, path)
    # Documents hold the beginnings of the digests: the whole ones are in the files that they are written beside.
    facts = [fact[:8] if name in ("docx", "htmldoc", "summary") else fact for fact in FACTS[:2]] + [*FACTS[2:]]
    assert [fact for fact in facts if fact not in text] == []
    assert REPAIR in text
    assert "--as-of" in text and "地块.gpkg" in text
