"""What every format says, whichever it is: what limits the result, and nothing in another language than the reader's."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from pathlib import Path

import pyogrio
import pytest
from written_text import text_of

import lzgis as lz
from lzgis.city.reference import reference_city
from lzgis.exports import export_projects
from lzgis.exports.folder import result_of
from lzgis.exports.formats import FORMATS, writer
from lzgis.files.manifest import Manifest, Result, digest_of_values
from lzgis.model.codes import ENGLISH
from lzgis.model.report import Report
from lzgis.reading.formats.boundary_points.text import HEADER_KEYS
from lzgis.rules.book import shipped_book
from lzgis.words import Language

#: Photovoltaics on farmland, a planted conflict.
SITES = ["P30", "T01"]
#: Formats for programs hold codes, and JSON the rule book's own words beside their English.
FOR_PROGRAMS = ("json", "png", "geojson", "jsonfg", "gpkg", "shp", "parquet", "csv", "verdicts")
HAN = re.compile("[\u4e00-\u9fff]+")


@cache
def report() -> Report:
    frame = lz.read_sites(reference_city() / "sites.gpkg").frame.set_index("id").loc[SITES].reset_index()
    when = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
    return lz.screen(frame, reference_city(), as_of="2021-06-01", made_at=when)


@cache
def written(language: Language, base: Path) -> dict[str, str]:
    """The text of one file of each format; of the formats of a file per project, that of the last site."""
    folder = base / language
    folder.mkdir()
    documents = [name for name, one in FORMATS.items() if one.per_site]
    export_projects(report(), folder, documents, language=language)
    for one in FORMATS.values():
        if not one.per_site:
            writer(one.report)(report(), folder / one.file_name, language=language)
        if one.beside:
            writer(one.beside[1])(report(), folder / one.beside[0], language=language)
    paths = {n: folder / (f"{SITES[-1]}{one.suffix}" if one.per_site else one.file_name) for n, one in FORMATS.items()}
    return {name: text_of(name, path) for name, path in paths.items()}


@pytest.fixture(scope="module", params=["zh", "en"])
def texts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(request.param, tmp_path_factory.getbasetemp())


def test_what_limits_the_result_stands_in_every_format(texts: dict[str, str]) -> None:
    """The reference city has no layer of 2021, and neither rules nor layers about seismic monitoring and airspace."""
    day = re.compile("2021-06-01 (的状态|当时的版本)|(no state of|another state than that of) 2021-06-01")
    matters = (
        re.compile("地震监测环境和活动断层|Seismic monitoring and faults"),
        re.compile("机场净空和空域|Airspace"),
    )
    flat = {name: re.sub(r"\s+", " ", text) for name, text in texts.items()}
    lacking = {name for name, text in flat.items() if not all(one.search(text) for one in (day, *matters))}
    assert set(texts) == set(FORMATS) and lacking == set()


def of_the_city() -> str:
    """Every text of the city's own data: its layers and sites, and what its catalogue and book quote of the plan."""
    found = [(reference_city() / name).read_text("utf-8") for name in ("catalog.toml", "rules.toml")]
    for path in sorted(reference_city().glob("*.gpkg")):
        frame = pyogrio.read_dataframe(path, read_geometry=False)
        found += [value for name in frame for value in frame[name].dropna().unique() if isinstance(value, str)]
    return "\n".join(found)


def test_an_english_result_has_no_chinese_but_the_data_of_the_city(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In files for programs also codes, and what the books say: the keys of the boundary-point file are the standard's."""
    city = of_the_city()
    books = "\n".join(path.read_text("utf-8") for path in sorted(shipped_book("national").parent.glob("*.toml")))
    book = report().book
    classes = "\n".join(value for rule in book.rules for values in rule.where.values() for value in values)
    matters = "\n".join(f"{one.title}\n{one.ask}" for one in book.matters.values())
    beside = {
        # The sheet of rules prints the values that a rule selects; the map carries the provenance for programs.
        "xlsx": classes,
        "html": classes + matters,
        **dict.fromkeys(FOR_PROGRAMS, books + "\n".join(ENGLISH)),
        "coordfile": "\n".join(["属性描述", "地块坐标", "说明", *HEADER_KEYS, "2000国家大地坐标系", "高斯克吕格"]),
    }
    wrong: dict[str, list[str]] = {}
    for name, text in written("en", tmp_path_factory.getbasetemp()).items():
        known = city + beside.get(name, "")
        strange = [run for run in dict.fromkeys(HAN.findall(text)) if run not in known]
        wrong |= {name: strange} if strange else {}
    assert {name: found[:9] for name, found in wrong.items()} == {}


def test_the_manifest_says_what_limits_the_result() -> None:
    result = result_of(report(), language="en")
    covered, dates = result.remarks
    assert "Seismic monitoring and faults" in covered
    assert "the city has no state of 2021-06-01" in dates
    assert (
        Manifest(results={"screen": result}).model_dump(mode="json")["results"]["screen"]["remarks"] == result.remarks
    )


def test_a_manifest_without_remarks_keeps_its_digest() -> None:
    """Manifests were written before there were remarks: their text and digest are those of a result without the field."""
    older = Manifest(results={"screen": Result(made_at="2026-11-21")})
    values = older.model_dump(mode="json", exclude={"sha256"})
    assert "remarks" not in values["results"]["screen"]
    assert digest_of_values(values) == older.digest
