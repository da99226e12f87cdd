"""What every format says, whichever it is: what limits the result, and nothing in another language than the reader's."""

from __future__ import annotations

import datetime as dt
import json
import re
from functools import cache
from pathlib import Path

import pyogrio
import pytest
import toy
from written_text import text_of

import lzgis as lz
from lzgis.city.reference import reference_city
from lzgis.exports.formats import FORMATS, writer
from lzgis.exports.report_text import ReportText
from lzgis.files.manifest import InputPaths
from lzgis.model.codes import ENGLISH
from lzgis.model.report import Report
from lzgis.words import Language

#: One site for each kind of answer: a source zone, a long line, photovoltaics on farmland, a planted conflict.
SITES = ["P09", "P12", "P30", "T01"]
#: Formats for programs hold codes, and JSON the rule book's own words beside their English.
FOR_PROGRAMS = ("json", "geojson", "jsonfg", "gpkg", "shp", "parquet", "csv", "verdicts")
HAN = re.compile("[\u4e00-\u9fff]+")


@cache
def report() -> Report:
    frame = lz.read_sites(reference_city() / "sites.gpkg").frame.set_index("id").loc[SITES].reset_index()
    when = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
    return lz.screen(frame, reference_city(), as_of="2021-06-01", made_at=when)


@cache
def written(language: Language, folder: Path) -> dict[str, str]:
    """The text of one file of each format; of the formats of a file per project, that of the last site."""
    found = {}
    for name, one in FORMATS.items():
        path = folder / (f"of-{name}" if one.per_site else one.file_name)
        if one.per_site:
            path.mkdir()
            writer(one.report)(report(), path, format=name, language=language)
            path = path / f"{SITES[-1]}{one.suffix}"
        else:
            writer(one.report)(report(), path, language=language)
        if one.beside:
            writer(one.beside[1])(report(), folder / one.beside[0], language=language)
        found[name] = text_of(name, path)
    return found


@pytest.fixture(scope="module", params=["zh", "en"])
def texts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(request.param, tmp_path_factory.mktemp(request.param))


def test_what_limits_the_result_stands_in_every_format(texts: dict[str, str]) -> None:
    """The reference city has no layer of 2021, and neither rules nor layers about seismic monitoring and airspace."""
    day = re.compile("2021-06-01 (的状态|当时的版本)|(no state of|another state than that of) 2021-06-01")
    matters = (re.compile("地震监测环境和活动断层|Seismic monitoring and faults"), re.compile("机场净空和空域|Airspace"))
    flat = {name: re.sub(r"\s+", " ", text) for name, text in texts.items()}
    lacking = {name for name, text in flat.items() if not all(one.search(text) for one in (day, *matters))}
    assert set(texts) == set(FORMATS) and lacking == set()


def names_of_data() -> str:
    """Every text that the layers hold, and the sites: names, classes and clauses of the plan."""
    found = [json.dumps(report().sites.drop(columns="geometry").to_dict("list"), ensure_ascii=False, default=str)]
    for path in sorted(reference_city().glob("*.gpkg")):
        frame = pyogrio.read_dataframe(path, read_geometry=False)
        found += [str(v) for name in frame for v in frame[name].dropna().unique() if isinstance(v, str)]
    return "\n".join(found)


def test_an_english_result_has_no_chinese_but_names_of_data(tmp_path_factory: pytest.TempPathFactory) -> None:
    names, book = names_of_data(), report().book.model_dump_json() if hasattr(report().book, "model_dump_json") else ""
    assert book is not None
    wrong: dict[str, list[str]] = {}
    for name, text in written("en", tmp_path_factory.mktemp("english")).items():
        strange = [run for run in dict.fromkeys(HAN.findall(text)) if run not in names]
        if strange:
            wrong[name] = strange
    for k, v in wrong.items():
        print(k, len(v), v[:40])
    assert not wrong
