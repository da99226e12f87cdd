"""The interactive map: one HTML file that opens anywhere, asks nothing of the network and hides nothing.

Drawn by folium and Leaflet from the report alone. Shapes are simplified for the eye, and the page says by how
much; every figure in it was computed from full geometry. The public edition is drawn from a report out of which
everything that is not public was taken first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from lzgis.coordinates.plane import plane_for
from lzgis.errors import ExportError
from lzgis.exports.gis.json import origin
from lzgis.exports.map.base_map import bounds_of, canvas
from lzgis.exports.map.layers import layer_data, missing_layers, outline_data
from lzgis.exports.map.page import PAGE_WORDS, SCRIPT_WORDS, assemble
from lzgis.exports.map.review import VERDICTS, review_data
from lzgis.exports.map.tianditu import TiandituKey
from lzgis.exports.public_edition import CELL_M, public_edition, withheld
from lzgis.exports.report_text import VERDICT_COLOURS, ReportText
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.report import Report
from lzgis.words import Language

__all__ = ["Mode", "write_map"]

Mode = Literal["internal", "public"]

_COLUMNS = ("site_id", "site_name", "activity", "verdict", "prohibited", "conditional")


@dataclass(frozen=True)
class _Edition:
    """What is shown to whom: the report as far as it may be shown, and what is said of the rest."""

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
        The file to write; its folder is made if need be.
    language : {"zh", "en"}
        The reader's language.
    mode : {"internal", "public"}
        For whom: the internal map shows everything and is marked 内部资料; the public one shows what
        `lzgis.exports.public_edition.public_edition` leaves.
    tianditu_key : str
        The user's own key of 天地图. With it the map offers that base, says so, and asks its servers, and no others, for
        tiles; without it the map asks nothing of any network.
    wording : str
        The section of the wording that the page speaks by, where what it shows are no sites; what that section does not
        say is said as of sites.

    Raises
    ------
    ExportError
        If the file cannot be written, the backdrop cannot be read, or an option is not allowed.
    """
    page = _page(_edition(report, language, mode, tianditu_key), wording)
    write_bytes_atomic(path, page.encode("utf-8"))


def _edition(report: Report, language: Language, mode: str, tianditu_key: str) -> _Edition:
    if mode not in get_args(Mode):
        allowed = ", ".join(get_args(Mode))
        what = Message("'{given}' is no mode of the map", given=mode)
        raise ExportError("mode", what, Message("use one of {known}", known=allowed))
    whole = ReportText(report, language)
    key = TiandituKey.checked(tianditu_key) if tianditu_key else None
    missing = missing_layers(whole)
    if mode == "internal":
        public = whole.confidentiality in ("", whole.words("confidentiality", "public"))
        mark = whole.words("confidentiality", "internal") if public else whole.confidentiality
        return _Edition(whole, mark, missing, frozenset(), [], key)
    hidden = withheld(report)
    titles = [whole.layer(name) for name in hidden]
    open_part = ReportText(public_edition(report), language)
    return _Edition(open_part, whole.words("confidentiality", "public"), missing, frozenset(hidden), titles, key)


def _page(edition: _Edition, wording: str) -> str:
    texts, words = edition.texts, edition.texts.words
    columns = {key: texts.column(key) for key in _COLUMNS}
    bounds = bounds_of(texts.report)
    plane = plane_for(bounds)
    step_m, layers = layer_data(texts, plane, coarse=edition.coarse)
    review_m, review = review_data(texts, plane, {layer["id"]: i for i, layer in enumerate(layers)})
    city = {
        "bounds": [[bounds[1], bounds[0]], [bounds[3], bounds[2]]],
        "outline": outline_data(texts.report, plane),
        "verdicts": [{"title": texts.word("verdict", v), "colour": VERDICT_COLOURS[v]} for v in VERDICTS],
        "missing": edition.missing,
        "withheld": edition.withheld,
        "footer": _footer(edition, max(step_m, review_m)),
        "notice": texts.notice,
        "problems": [
            [words("level", p.level), *(words.message(part) for part in (p.place, p.what, p.remedy))]
            for p in texts.report.problems
        ],
        "tianditu": edition.key is not None,
        "words": columns | _words(texts, wording, (*SCRIPT_WORDS, *_COLUMNS)),
        "credit": "lzgis · Leaflet",
    }
    title = words(wording, "title", city=texts.city)
    return assemble(
        canvas(texts.report, bounds, edition.key),
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
    """Tell where the report comes from; the public edition names no layer withheld, and not how it was asked for."""
    report = edition.texts.report
    if edition.coarse:
        told = report.provenance
        sources = tuple(source for source in told.sources if source.role not in edition.coarse)
        report = replace(report, provenance=replace(told, sources=sources, transforms=(), command=()))
    return origin(report)


def _words(texts: ReportText, wording: str, keys: Iterable[str]) -> dict[str, str]:
    """Say the words of these keys by a section of the wording, those that it has not by the map's own; others are left out."""
    said = {}
    for key in keys:
        for section in (wording, "map"):
            if key not in said and texts.words.has(section, key):
                said[key] = texts.words(section, key)
    return said


def _footer(edition: _Edition, step_m: float) -> list[str]:
    """Tell what the map rests on: dates, rule book, coordinates, and how far its shapes can be trusted."""
    words, report = edition.texts.words, edition.texts.report
    origin = report.provenance
    dates = sorted(layer.spec.date.isoformat() for layer in report.layers.values() if layer.spec.date)
    simplified = words("map", "simplified", m=step_m) if step_m else words("map", "not-simplified")
    coarse = [words("map", "coarsened", m=CELL_M)] if edition.withheld else []
    return [
        words("map", "as-of", date=origin.as_of.isoformat()),
        *([words("map", "data-dates", first=dates[0], last=dates[-1])] if dates else []),
        words("map", "rule-book", name=origin.rule_book, version=origin.rule_book_version),
        words("map", "made-at", time=origin.made_at.strftime("%Y-%m-%d %H:%M")),
        words("map", "crs"),
        # That nothing was simplified would not be true of what was coarsened.
        *([simplified] if step_m or not coarse else []),
        *coarse,
        *([words("map", "uses-network")] if edition.key else []),
    ]
