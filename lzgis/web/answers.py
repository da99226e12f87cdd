"""What the pages show of a report, a diagnosis and a city, as plain values in one language.

All figures and sentences come from the exporters and their wording; nothing is measured here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.city.region import Region
from lzgis.exports.dossier.content import DossierMaker
from lzgis.exports.dossier.document import Grid
from lzgis.exports.inspection import sheet_lines
from lzgis.exports.map.layers import DrawnLayers, layer_rows, missing_layers, outline_data
from lzgis.exports.report_text import ReportText, conflicts_first, text
from lzgis.exports.rounding import numbers_of
from lzgis.messages import Message
from lzgis.model.catalogue import LayerSpec
from lzgis.model.report import HIT_STATES, SEPARATOR, Problem, Provenance, Report, SiteTable, State, Verdict
from lzgis.model.rules import RuleBook
from lzgis.reading.attributes import NO_ACTIVITIES
from lzgis.rules.book import activity_of
from lzgis.rules.for_sites import INFORMING_KINDS
from lzgis.screening.declared import facts_asked_for
from lzgis.screening.inspect import Sheet
from lzgis.words import Language, Words

#: The most sites and conflict parts that the maps of the pages draw.
_DRAWN = 2_000


def basis_of(provenance: Provenance) -> str:
    """Return a digest of the layers and rules that a report was made from; it changes when one of them does."""
    used = sorted((one.role, one.sha256) for one in provenance.sources if one.role not in ("sites", "overrides"))
    return hashlib.sha256(json.dumps(used).encode()).hexdigest()


def collection(shapes: Iterable[Any], properties: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return shapes in degrees as a GeoJSON collection; missing and empty ones are left out."""
    features = [
        {"type": "Feature", "properties": dict(one), "geometry": json.loads(shapely.to_geojson(shape))}
        for shape, one in zip(shapes, properties, strict=False)
        if shape is not None and not shapely.is_empty(shape)
    ]
    return {"type": "FeatureCollection", "features": features}


#: Options of the command line that sentences name, and the field of the page that stands for each.
_FIELDS = {
    "--as polygons": "as_polygons",
    "--degrees packed": "packed_degrees",
    "--degrees": "packed_degrees",
    "--from": "shifted",
    "--crs": "system",
    "--helmert": "helmert",
    "--encoding": "encoding",
}
_OPTION = re.compile(rf" ?({'|'.join(_FIELDS)})(?![\w-]) ?")


def on_page(sentence: str, words: Words) -> str:
    """Return a sentence that names fields of the page in place of options of the command line.

    Examples
    --------
    >>> on_page("declare it with --crs; it may be EPSG:4490", Words("en"))
    'declare it with “Reference system”; it may be EPSG:4490'
    """

    def named(found: re.Match[str]) -> str:
        name, space = words("web", _FIELDS[found[1]]), " " if words.language == "en" else ""
        ends = [space if found[0].startswith(" ") else "", space if found[0].endswith(" ") else ""]
        return f"{ends[0]}“{name}”{ends[1]}"

    return _OPTION.sub(named, sentence)


def problem_rows(problems: Iterable[Problem], words: Words) -> list[dict[str, str]]:
    """Return problems as rows, the gravest first."""
    order = ("error", "warning", "note")
    return [
        {
            "level": p.level,
            "label": words("level", p.level),
            "text": on_page(words.sentence(p.place, p.what, p.remedy), words),
        }
        for p in sorted(problems, key=lambda one: order.index(one.level))
    ]


def diagnosis(sheet: Sheet, table: SiteTable | None, book: RuleBook, language: Language) -> dict[str, Any]:
    """Return a diagnosis: lines, problems, and the sites if the file can be read."""
    words = Words(language)
    return {
        "readable": sheet.readable and table is not None,
        "name": sheet.name,
        "lines": [[line.label, line.value] for line in sheet_lines(sheet, language)],
        "refused": problem_rows(sheet.refused, words),
        "assumed": problem_rows([one for one in sheet.assumed if not _of_activities(one)], words),
        "unaccepted": sum(not one.accepted for one in sheet.repairs),
        "enclosing": len(table.enclosing) if table is not None else 0,
        "sites": _given_sites(table, book) if table is not None else [],
        "count": len(table.frame) if table is not None else 0,
        "shapes": _given_shapes(table) if table is not None else collection([], []),
    }


def _of_activities(problem: Problem) -> bool:
    """Return whether a remark is that no activity is given, which the page asks for anyway."""
    return isinstance(problem.what, Message) and problem.what.template == NO_ACTIVITIES.template


def _given_sites(table: SiteTable, book: RuleBook) -> list[dict[str, str]]:
    rows = table.frame.head(_DRAWN)
    return [
        {"id": text(one), "name": text(name), "activity": text(given), "known": _known(book, text(given))}
        for one, name, given in zip(rows["id"], rows["name"], rows["activity"], strict=True)
    ]


def _known(book: RuleBook, given: str) -> str:
    try:
        return activity_of(book, given) if given else ""
    except KeyError:
        return ""


def _given_shapes(table: SiteTable) -> dict[str, Any]:
    rows = table.frame.head(_DRAWN)
    named = [{"id": text(i), "name": text(n)} for i, n in zip(rows["id"], rows["name"], strict=True)]
    return collection(rows.geometry.to_numpy(), named)


def summary(report: Report, language: Language) -> dict[str, Any]:
    """Return what the page of a screening shows at once: counts, verdicts with reasons, shapes, what was not checked."""
    texts = ReportText(report, language)
    words, provenance = texts.words, report.provenance
    counts = report.verdicts["verdict"].value_counts()
    titles = [report.book.matters[name] for name in report.not_covered if name in report.book.matters]
    return {
        "city": texts.city,
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "as_of": provenance.as_of.isoformat(),
        "made_at": provenance.made_at.isoformat(sep=" ", timespec="seconds"),
        "book": f"{provenance.rule_book} {provenance.rule_book_version}",
        "counts": [
            {"verdict": one.value, "rank": rank, "label": words("verdict", one), "count": int(counts.get(one.value, 0))}
            for rank, one in enumerate(Verdict)
        ],
        "sites": [_verdict_row(texts, row) for row in texts.verdicts()],
        "not_covered": [words.title(one.title, one.title_en) for one in titles],
        "missing": missing_layers(texts),
        "problems": problem_rows(report.problems, words),
        "open_facts": _open_facts(report, words),
    }


def _verdict_row(texts: ReportText, row: Mapping[str, Any]) -> dict[str, Any]:
    words = texts.words
    numbers = numbers_of(texts.report.city)
    size = text(row["site_area_m2"]) and numbers(row["site_area_m2"]) + " ㎡"
    size = size or (text(row["site_length_m"]) and numbers(row["site_length_m"]) + " m")
    return {
        "id": text(row["site_id"]),
        "name": text(row["site_name"]),
        "activity": texts.activity(text(row["activity"])) if text(row["activity"]) else "",
        "verdict": row["verdict"],
        "rank": list(Verdict).index(row["verdict"]),
        "label": words("verdict", row["verdict"]),
        "size": size,
        "why": [
            [words("web", f"why_{part}"), [texts.rule(rule) for rule in row[part]]]
            for part in ("prohibited", "conditional", "not_checked")
            if row[part]
        ],
        "nearest": f"{texts.rule(row['nearest_rule'])} {numbers(row['nearest_m'])} m"
        if text(row["nearest_rule"])
        else "",
    }


def _open_facts(report: Report, words: Words) -> list[dict[str, Any]]:
    """Return the facts that sites do not declare and that would settle an answer."""
    named = {name for one in report.findings["open_facts"] for name in text(one).split(SEPARATOR) if name}
    return [fact_row(report.book, name, words) for name in report.book.facts if name in named]


def fact_row(book: RuleBook, name: str, words: Words) -> dict[str, Any]:
    """Return a fact with its title and the values that may be declared."""
    fact = book.facts[name]
    values = {"yes-no": ["yes", "no"], "word": list(fact.words), "number": []}[fact.kind]
    labels = {"yes": words("web", "yes"), "no": words("web", "no")}
    return {
        "id": name,
        "title": words.title(fact.title, fact.title_en),
        "kind": fact.kind,
        "unit": fact.unit,
        "values": [[one, labels.get(one, one)] for one in values],
    }


def _conflicting(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which findings are conflicts, and not only where a site lies."""
    hit = table["state"].isin([state.value for state in HIT_STATES])
    return (hit & ~table["kind"].isin(INFORMING_KINDS)).to_numpy(dtype=bool)


def site_shapes(report: Report, languages: Iterable[Language]) -> dict[Language, dict[str, Any]]:
    """Return the shapes of the sites and the parts in conflict, for the map of the page, in each language."""
    table = report.table
    first = conflicts_first(table)
    order = first[_conflicting(table)[first]][:_DRAWN]
    parts = report.parts(np.asarray(order, dtype=np.intp))
    return {language: _shapes_in(report, table.iloc[order], parts, language) for language in languages}


def _shapes_in(report: Report, rows: pd.DataFrame, shapes: Any, language: Language) -> dict[str, Any]:
    texts = ReportText(report, language)
    rank = dict(zip(report.verdicts["site_id"].astype(str), report.verdicts["verdict"], strict=True))
    sites = report.sites.head(_DRAWN)
    named = [
        {"id": text(one), "name": text(name), "rank": list(Verdict).index(rank[text(one)])}
        for one, name in zip(sites["id"], sites["name"], strict=True)
    ]
    parts = [
        {"site": text(site), "rule": texts.rule(rule), "severity": severity, "state": state}
        for site, rule, severity, state in zip(
            rows["site_id"], rows["rule"], rows["severity"], rows["state"], strict=True
        )
    ]
    return {
        "sites": collection(sites.geometry.to_numpy(), named),
        "parts": collection(shapes, parts),
    }


def detail(maker: DossierMaker, site: str) -> dict[str, Any]:
    """Return the dossier of one site without its maps."""
    made = maker.text(site)
    return {
        "site": site,
        "title": made.subtitle,
        "verdict": made.verdict,
        "rank": list(Verdict).index(Verdict(made.verdict_code)),
        "rules": _hit_rules(maker, site),
        "by_rule": _by_rule(maker, site),
        "facts": [list(pair) for pair in made.abstract.facts],
        "lines": [list(pair) for pair in made.abstract.lines],
        "sections": [
            {
                "name": section.name,
                "heading": section.title,
                "paragraphs": list(section.paragraphs),
                "notes": [*section.notes, *section.small_print],
                "grids": [part for one in section.grids for part in _grids(one, maker.source.words)],
            }
            for section in made.sections
        ],
    }


def _hit_rules(maker: DossierMaker, site: str) -> list[list[str]]:
    """Return the rules that a site meets, on which a decision can be made."""
    texts = maker.source.texts
    table = texts.report.table
    hit = _conflicting(table) & (table["site_id"] == site).to_numpy()
    return [[rule, texts.rule(rule)] for rule in table.loc[hit, "rule"].unique()]


def _by_rule(maker: DossierMaker, site: str) -> list[dict[str, Any]]:
    """Return a row for each rule that a site meets: area and length involved, or distance; the gravest first."""
    texts, rounding = maker.source.texts, maker.source.rounding
    table = texts.report.table.iloc[conflicts_first(texts.report.table)]
    hit = _conflicting(table) & (table["site_id"] == site).to_numpy()
    rows = []
    for rule, found in table[hit].groupby("rule", sort=False):
        area, length = found["area_m2"].sum(), found["length_m"].sum()
        nearest_m = found["distance_m"].min()
        sizes = [f"{rounding.square_metres(area)} ㎡"] if area > 0 else []
        sizes += [f"{rounding.metres(length)} m"] if length > 0 else []
        if nearest_m > 0:
            sizes.append(texts.words("web", "at_distance", m=rounding.metres(nearest_m)))
        severity = str(found["severity"].iloc[0])
        rows.append(
            {
                "id": str(rule),
                "title": texts.rule(str(rule)),
                "severity": severity,
                "label": texts.words("severity", severity),
                "sizes": sizes,
            }
        )
    return rows


def _grids(grid: Grid, words: Words) -> list[dict[str, Any]]:
    """Return a grid, or two: findings that answer "not involved" are folded away below the others, as are notes."""
    if grid.name == "problems":
        return [_grid(grid) | {"folded": len(grid.rows)}]
    if "state" not in [column.name for column in grid.columns]:
        return [_grid(grid)]
    calm = tuple(words("state", state.value) for state in (State.CLEAR, State.NOT_APPLICABLE))
    at = [column.name for column in grid.columns].index("state")
    apart = [row[at].startswith(calm) for row in grid.rows]
    parts = [_rows_of(grid, [not one for one in apart]), _rows_of(grid, apart)]
    return [_grid(one) | {"folded": n and len(one.rows)} for n, one in enumerate(parts) if one.rows]


def _rows_of(grid: Grid, chosen: list[bool]) -> Grid:
    marks = tuple(mark for mark, is_in in zip(grid.marks, chosen, strict=False) if is_in)
    return replace(grid, rows=tuple(row for row, is_in in zip(grid.rows, chosen, strict=True) if is_in), marks=marks)


def _grid(grid: Grid) -> dict[str, Any]:
    ranks = {one.value: rank for rank, one in enumerate(Verdict)}
    return {
        "name": grid.name,
        "title": grid.title,
        "heads": [grid.columns[i].title for i in grid.shown] if grid.heads else [],
        "columns": len(grid.shown),
        "lines": [
            {
                "across": line.across,
                "cells": [
                    {
                        "text": cell.text,
                        "head": cell.column.title if grid.heads else "",
                        "figure": cell.column.figures,
                        "rank": ranks.get(cell.mark, ""),
                    }
                    for cell in line.cells
                ],
            }
            for line in grid.lines()
        ],
    }


def city_page(report: Report, city: Catalogue | Region, language: Language) -> dict[str, Any]:
    """Return what forms and maps need of a city: its activities, facts and layers. `report` is any screening of it."""
    texts = ReportText(report, language)
    words = texts.words
    if isinstance(city, Region):
        book, specs = report.book, {name: one.spec for name, one in report.layers.items()}
    else:
        book, specs = city.book, dict(city.layers)
    return {
        "name": texts.city,
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "book": f"{book.name} {book.version}",
        "activities": [
            {"id": name, "title": words.title(one.title, one.title_en), "also": [one.title, *one.aliases]}
            for name, one in book.activities.items()
        ],
        "facts": [fact_row(book, name, words) for name in book.facts],
        "asked": {name: list(facts_asked_for(report.book, [name])) for name in book.activities},
        "layers": [_layer_row(texts, spec, name) for name, spec in specs.items()],
        "missing": missing_layers(texts),
        "rules": [
            {
                "id": rule.id,
                "title": texts.rule(rule.id),
                "severity": words("severity", rule.severity),
                "basis": texts.basis_of(rule),
                "from": rule.effective_from.isoformat(),
                "to": rule.effective_to.isoformat() if rule.effective_to else "",
            }
            for rule in report.book.rules
        ],
    }


def _layer_row(texts: ReportText, spec: LayerSpec, name: str) -> dict[str, Any]:
    layer = texts.context.layers.get(name)
    return {
        "id": name,
        "title": texts.layer(name),
        "status": texts.word("status", spec.status),
        "features": len(layer.frame) if layer is not None else None,
        "source": spec.source if "://" not in spec.source else spec.source.split("://", 1)[0],
        "date": str(spec.date or ""),
        "version": spec.version,
        "basis": spec.basis,
        "confidentiality": spec.confidentiality,
        "shown_as": texts.word("confidentiality", spec.confidentiality),
    }


def city_map(report: Report, city: Catalogue | Region, drawn: DrawnLayers, language: Language) -> dict[str, Any]:
    """Return the layers that the map of a city draws, as those of ``map.html``."""
    texts = ReportText(report, language)
    west, south, east, north = shapely.total_bounds(city.outline)
    return {
        "outline": outline_data(report, city.plane),
        "layers": layer_rows(texts, drawn),
        "simplified": texts.words("web", "map_simplified", m=f"{drawn.step_m:g}") if drawn.step_m else "",
        "step_m": drawn.step_m,
        "bounds": [[float(south), float(west)], [float(north), float(east)]],
    }
