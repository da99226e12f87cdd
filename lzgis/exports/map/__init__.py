"""The interactive map: one self-contained HTML file that makes no request.

Made with folium and Leaflet from the report alone. Shapes are simplified for display, and the page says by how much;
every figure in it was computed from the full geometry. The public edition is made from a report without anything that is
not public.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from lzgis.coordinates.plane import plane_for
from lzgis.errors import ExportError
from lzgis.exports.formats import FORMATS, MAP_SITES, of_map
from lzgis.exports.gis.json import origin
from lzgis.exports.links import SHORT, run_of
from lzgis.exports.map.base_map import base_map, bounds_of
from lzgis.exports.map.layers import layer_data, missing_layers, outline_data
from lzgis.exports.map.page import PAGE_WORDS, SCRIPT_WORDS, assemble, sign_data
from lzgis.exports.map.review import VERDICTS, review_data
from lzgis.exports.map.tianditu import TiandituKey
from lzgis.exports.public_edition import CELL_M, public_edition, withheld
from lzgis.exports.report_text import ReportText
from lzgis.exports.symbology import PART_COLOURS, SLIVER_COLOUR, VERDICT_COLOURS, VERDICT_SIGNS
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import Report, Verdict, no_breakdown
from lzgis.model.rules import Severity
from lzgis.words import Language

__all__ = ["Mode", "write_map"]

Mode = Literal["internal", "public"]

_COLUMNS = ("site_id", "site_name", "activity", "verdict", "prohibited", "conditional")


@dataclass(frozen=True)
class _Edition:
    """An edition of the map: the part of the report that may be shown, and what the page says of the rest."""

    texts: ReportText
    mark: str
    missing: list[str]
    coarse: frozenset[str]
    withheld: list[str]
    key: TiandituKey | None


def write_map(
    report: Report,
    path: str | Path,
    *,
    language: Language = "zh",
    mode: Mode = "internal",
    tianditu_key: str = "",
    wording: str = "map",
) -> None:
    """Write a report as an interactive map in one HTML file that makes no request.

    Parameters
    ----------
    report : Report
        What to show.
    path : path
        The file to write; its folder is created if missing.
    language : {"zh", "en"}
        Language of the page.
    mode : {"internal", "public"}
        The internal map shows everything and bears the mark of the documents, the strictest of the layers; the public one
        shows what `lzgis.exports.public_edition.public_edition` leaves.
    tianditu_key : str
        The user's own key of 天地图. With it the map offers that base map, says so, and loads tiles from its servers and
        no others; without it the map makes no request.
    wording : str
        Section of the wording used by the page, for maps that show something other than sites. Texts missing in it are
        taken from the section ``map``.

    Raises
    ------
    ExportError
        If the file cannot be written, the backdrop cannot be read, or an option is not allowed.
    """
    page = _page(_edition(report, language, mode, tianditu_key), wording)
    write_bytes_atomic(path, page.encode("utf-8"))


def gravest(report: Report, most: int = MAP_SITES) -> Report:
    """Return a report of the `most` sites with the gravest verdicts, in their order, with a note that says so.

    A map of more sites can neither be looked at nor opened quickly. A report of fewer is returned as it is.
    """
    ids = report.sites["id"].astype(str)
    if len(ids) <= most:
        return report
    rank = {one.value: place for place, one in enumerate(Verdict)}
    ranks = dict(zip(report.verdicts["site_id"].astype(str), report.verdicts["verdict"].map(rank), strict=True))
    order = np.argsort([ranks.get(one, rank[Verdict.INCOMPLETE]) for one in ids], kind="stable")[:most]
    chosen = set(ids.to_numpy()[order])

    def of_chosen(table: Any, key: str = "site_id") -> Any:
        return table[table[key].isin(chosen).to_numpy()].reset_index(drop=True)

    return replace(
        report,
        sites=of_chosen(report.sites, "id"),
        findings=of_chosen(report.findings),
        verdicts=of_chosen(report.verdicts),
        listed=DeferredTable(lambda: of_chosen(report.unit_lists)),
        divided=DeferredTable(no_breakdown),
        problems=(*report.problems, *of_map(len(ids))),
    )


def _edition(report: Report, language: Language, mode: str, tianditu_key: str) -> _Edition:
    if mode not in get_args(Mode):
        allowed = ", ".join(get_args(Mode))
        what = Message("'{given}' is no mode of the map", given=mode)
        raise ExportError("mode", what, Message("use one of {known}", known=allowed))
    report = gravest(report)
    whole = ReportText(report, language)
    key = TiandituKey.checked(tianditu_key) if tianditu_key else None
    missing = missing_layers(whole)
    if mode == "internal":
        mark = whole.confidentiality or whole.words("confidentiality", "internal")
        return _Edition(whole, mark, missing, frozenset(), [], key)
    hidden = withheld(report)
    titles = [whole.layer(name) for name in hidden]
    open_part = ReportText(public_edition(report), language)
    return _Edition(open_part, whole.words("confidentiality", "public"), missing, frozenset(hidden), titles, key)


def _page(edition: _Edition, wording: str) -> str:
    texts, words = edition.texts, edition.texts.words
    columns = {key: texts.column(key) for key in _COLUMNS}
    bounds = bounds_of(texts.report, texts.report.sites)
    plane = plane_for(bounds)
    step_m, layers = layer_data(texts, plane, coarse=edition.coarse)
    review_m, review = review_data(texts, plane, {layer["id"]: i for i, layer in enumerate(layers)})
    city = {
        "bounds": [[bounds[1], bounds[0]], [bounds[3], bounds[2]]],
        "outline": outline_data(texts.report, plane),
        "verdicts": [sign_data(texts.word("verdict", v), VERDICT_COLOURS[v], VERDICT_SIGNS[v]) for v in VERDICTS],
        "part_colours": [PART_COLOURS[Severity.PROHIBITED], PART_COLOURS[Severity.CONDITIONAL], SLIVER_COLOUR],
        "missing": edition.missing,
        "withheld": edition.withheld,
        "footer": _footer(edition, max(step_m, review_m)),
        "notice": texts.notice,
        "problems": [
            [words("level", p.level), *(words.message(part) for part in (p.place, p.what, p.remedy))]
            for p in texts.report.problems
        ],
        "not_covered": [
            [one.title, one.reason, words("map", "not-covered-ask", authority=one.ask) if one.ask else ""]
            for one in texts.not_covered
        ],
        "tianditu": edition.key is not None,
        "run": run_of(texts.report)[:SHORT],
        "words": columns | _words(texts, wording, (*SCRIPT_WORDS, *_COLUMNS)),
        "credit": "lzgis · Leaflet",
    }
    title = words(wording, "title", city=texts.city)
    return assemble(
        base_map(texts.report, bounds, edition.key),
        title=title,
        language={"zh": "zh-CN"}.get(words.language, words.language),
        data={"city": city, "layers": layers, "review": review, "provenance": _origin(edition)},
        words={key.replace("-", "_"): text for key, text in _words(texts, wording, PAGE_WORDS).items()}
        | {
            "title": title,
            "notice": texts.notice,
            "mark": edition.mark,
            "disclaimer": texts.disclaimer,
        },
        hosts=edition.key.hosts if edition.key else (),
    )


def _origin(edition: _Edition) -> dict[str, Any]:
    """Return the provenance of the report; that of the public edition has neither withheld layers nor the command line."""
    report = edition.texts.report
    if edition.coarse:
        whole = report.provenance
        sources = tuple(source for source in whole.sources if source.role not in edition.coarse)
        report = replace(report, provenance=replace(whole, sources=sources, transforms=(), command=()))
    return origin(report)


def _words(texts: ReportText, wording: str, keys: Iterable[str]) -> dict[str, str]:
    """Return the texts of these keys from a section of the wording, or else from ``map``; unknown keys are omitted."""
    found = {}
    for key in keys:
        for section in (wording, "map"):
            if key not in found and texts.words.has(section, key):
                found[key] = texts.words(section, key)
    return found


def _footer(edition: _Edition, step_m: float) -> list[str]:
    """Return the notes at the foot: dates, rule book, coordinates, and by how much shapes are simplified."""
    words, report = edition.texts.words, edition.texts.report
    origin = report.provenance
    dates = sorted(layer.spec.date.isoformat() for layer in report.layers.values() if layer.spec.date)
    simplified = words("map", "simplified", m=step_m) if step_m else words("map", "not-simplified")
    coarse = [words("map", "coarsened", m=CELL_M)] if edition.withheld else []
    return [
        words("map", "as-of", date=origin.as_of.isoformat()),
        *([words("map", "data-dates", first=dates[0], last=dates[-1])] if dates else []),
        *([other] if (other := edition.texts.other_dates) else []),
        words("map", "rule-book", name=origin.rule_book, version=origin.rule_book_version),
        words("map", "made-at", time=origin.made_at.strftime("%Y-%m-%d %H:%M")),
        words("map", "crs"),
        words("map", "run", digest=run_of(report)[:SHORT]),
        # "Not simplified" would be wrong where layers are coarsened.
        *([simplified] if step_m or not coarse else []),
        *(words.message(p.what) for p in report.problems if p.place == FORMATS["html"].file_name),
        *coarse,
        *([words("map", "uses-network")] if edition.key else []),
    ]
