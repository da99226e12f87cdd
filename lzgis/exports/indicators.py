"""The outputs of the indicators: plain values, a workbook and a page."""

from __future__ import annotations

import datetime as dt
import html
from pathlib import Path
from typing import Any

from lzgis.city.catalogue import Catalogue
from lzgis.city.provenance import provenance_of
from lzgis.exports.report_text import ContextText
from lzgis.exports.tables.tables import Head, Table, Value
from lzgis.exports.tables.xlsx import tables_bytes
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.model.indicators import Standing
from lzgis.model.report import Provenance, ReportContext
from lzgis.rasters.indicators import IndicatorReport, IndicatorState
from lzgis.words import Language, Words

COLUMNS = ("number", "title", "unit", "kind", "base", "value", "year", "source")
LAST_COLUMNS = ("note", "owner")


def indicator_document(report: IndicatorReport) -> dict[str, Any]:
    """Return the indicators as plain values."""
    rows = [
        {
            **row.indicator.model_dump(exclude={"measure", "targets"}),
            "targets": {str(y): t for y, t in row.indicator.targets.items()},
            "measured": row.indicator.measure is not None,
            "value": row.value,
            "year": row.year,
            "source": row.source,
            "standing": {str(y): s.value for y, s in row.standing.items()},
        }
        for row in report.rows
    ]
    return {"plan": report.plan.model_dump(exclude={"values"}), "indicators": rows}


def headings(report: IndicatorReport, words: Words) -> list[str]:
    """Return the headings: what is stated and measured, the target and the standing of each year, note and owner."""
    years = [words("indicators", key, year=y) for y in report.plan.years for key in ("target", "standing")]
    stated = [words("indicators", name, base_year=report.plan.base_year) for name in COLUMNS]
    return [*stated, *years, *(words("indicators", name) for name in LAST_COLUMNS)]


def cells(row: IndicatorState, words: Words) -> list[str]:
    """Return an indicator as texts, in the order of `headings`."""
    one = row.indicator
    number = f"{one.number}" + (f" {one.part}" if one.part else "")
    base = f"{one.base:g}" if one.base is not None else one.base_text
    value = "" if row.value is None else f"{row.value:.2f}".rstrip("0").rstrip(".")
    year = words("indicators", "measured") if one.measure else "" if row.year is None else str(row.year)
    kind = words("indicator_kind", one.kind) if words.has("indicator_kind", one.kind) else one.kind
    out = [number, words.title(one.title, one.title_en), one.unit, kind, base, value, year, row.source]
    for y, standing in row.standing.items():
        out += [f"≥ {one.targets[y]:g}" if y in one.targets else one.required, words("standing", standing.value)]
    return [*out, words.title(one.note, one.note_en), one.owner]


def summaries(report: IndicatorReport, words: Words) -> list[str]:
    """Return for each year of the plan how many indicators stand how."""
    counts = {y: {one.name.lower(): report.count(y, one) for one in Standing} for y in report.plan.years}
    return [words("indicators", "summary", year=year, **numbers) for year, numbers in counts.items()]


def _values(row: IndicatorState, words: Words) -> list[Value]:
    """Return an indicator as cells of a workbook, base and value as numbers."""
    out: list[Value] = list(cells(row, words))
    for name, number in (("base", row.indicator.base), ("value", row.value)):
        if number is not None:
            out[COLUMNS.index(name)] = round(number, 2)
    return out


def indicator_provenance(city: Catalogue, *, made_at: dt.datetime | None = None) -> Provenance:
    """Return the provenance: the layers that were measured, and the time."""
    return provenance_of(city, city.book, city.read_so_far, (dt.date.today(), made_at), None)


def write_indicators_xlsx(
    report: IndicatorReport,
    city: Catalogue,
    path: Path,
    *,
    language: Language = "zh",
    made_at: dt.datetime | None = None,
) -> Path:
    """Write the indicators as a workbook with their provenance, and return the path."""
    context = ReportContext(city.city, city.book, {}, None, (), indicator_provenance(city, made_at=made_at))
    texts = ContextText(context, language)
    heads = [Head(title, folded=True) for title in headings(report, texts.words)]
    rows = [_values(row, texts.words) for row in report.rows]
    table = Table("indicators", heads, rows, fixed=2)
    write_bytes_atomic(path, tables_bytes(texts, [table]))
    return path


def write_indicators_html(report: IndicatorReport, city: Catalogue, path: Path, *, language: Language = "zh") -> Path:
    """Write the indicators as a page that needs no other file, and return the path."""
    words = Words(language)
    title = html.escape(f"{words.title(city.city.name, city.city.name_en)} {words('indicators', 'title_of_table')}")
    notice = html.escape(words.title(city.city.notice, city.city.notice_en))
    head = "".join(f"<th>{html.escape(h)}</th>" for h in headings(report, words))
    summary = "<br>".join(map(html.escape, summaries(report, words)))
    body = ""
    for row in report.rows:
        texts = cells(row, words)
        marks = ["" for _ in COLUMNS] + [m for s in row.standing.values() for m in ("", s.value)]
        marks += ["" for _ in LAST_COLUMNS]
        body += (
            "<tr>"
            + "".join(f'<td class="{m}">{html.escape(t)}</td>' for t, m in zip(texts, marks, strict=True))
            + "</tr>\n"
        )
    style = (
        "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #999;padding:4px 6px;"
        "text-align:left;vertical-align:top}td:nth-child(2){min-width:12em}td:nth-child(4){white-space:nowrap}"
        ".met{background:#dff0d8}.not-met{background:#f2c6c6}.no-value{background:#eee}"
    )
    page = (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style></head>\n<body><h1>{title}</h1><p>{notice}</p>\n"
        f"<p>{html.escape(report.plan.title)}</p>\n<p>{summary}</p>\n<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"
        "</body></html>\n"
    )
    write_bytes_atomic(path, page.encode("utf-8"))
    return path
