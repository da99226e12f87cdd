"""The map of a comparison of two versions: the page of a screening, with changes in the place of sites.

Projects whose verdict has changed are listed too, with both verdicts and the cause. Areas gained and lost are hatched.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import Plane, plane_for
from lzgis.exports.diff_text import difference_text, rule_titles, worded_text
from lzgis.exports.map import finding_text
from lzgis.exports.map.base_map import base_map, bounds_of
from lzgis.exports.map.clauses import rule_texts
from lzgis.exports.map.layers import layer_data, outline_data
from lzgis.exports.map.page import PAGE_WORDS, SCRIPT_WORDS, assemble, sign_data
from lzgis.exports.map.review import Pool
from lzgis.exports.map.shapes import Drawing, fitted
from lzgis.exports.report_text import ContextText, number, records, text
from lzgis.exports.rounding import Rounding
from lzgis.exports.symbology import CHANGE_SIGNS
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.model.audit import DiffReport, Recheck
from lzgis.model.report import HIT_STATES
from lzgis.words import Language

# Kinds of changes in the order of the list, with their colours.
_KINDS: dict[str, str] = {
    "broken": "#7f0000",
    "verdict": "#6a51a3",
    "removed": "#b3122a",
    "added": "#00705a",
    "moved": "#a85a00",
    "changed": "#546e7a",
    "rule": "#37474f",
}
_ORDER = list(_KINDS)
# Parts lost and gained, in the order in which the scripts number their hatching.
_PARTS = {"lost": "#b71c1c", "gained": "#1b5e20"}
_VERTICES = 80_000
_STEPS_M = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0)
_STEP_DEG = 1e-7
# The rank of findings that only inform.
_NOTICE = 4


def write_difference_map(
    report: DiffReport, path: str | Path, *, recheck: Recheck | None = None, language: Language = "zh"
) -> None:
    """Write a comparison as an interactive map in one HTML file that makes no request.

    Parameters
    ----------
    report : DiffReport
        What to show.
    path : path
        The file to write.
    recheck : Recheck, optional
        The projects screened again.
    language : {"zh", "en"}
        Language of the page.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    page = _page(report, recheck, difference_text(report, recheck, language))

    write_bytes_atomic(path, page.encode("utf-8"))


@dataclass
class _Items:
    """The list of the page: records, their findings and shapes, and indexes of layers, rules and parts."""

    texts: ContextText
    layers: dict[str, int]
    parts: gpd.GeoDataFrame
    pool: Pool = field(default_factory=Pool)
    sites: list[dict[str, Any]] = field(default_factory=list)
    findings: list[list[list[Any]]] = field(default_factory=list)
    shapes: list[shapely.Geometry] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, names: tuple[str, str, str], shape: shapely.Geometry | None) -> None:
        """Add a record of a kind with `names` (id, name and layer); its findings are added afterwards."""
        record: dict[str, Any] = {"id": names[0], "name": names[1] or names[0], "activity": names[2], "lines": []}
        # The ids of rules are not for readers of the list.
        record |= {"verdict": _ORDER.index(kind), "shape": -1, "coded": kind in ("broken", "rule")}
        if shape is not None and not shapely.is_empty(shape):
            lon, lat = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
            record |= {"shape": len(self.shapes), "spot": [round(float(lat), 7), round(float(lon), 7)]}
            self.shapes.append(shape)
        self.sites.append(record)
        self.findings.append([])

    def add_finding(
        self, heads: tuple[str, str, str, str], figures: str, lines: list[tuple[str, str]], at: tuple[int, ...]
    ) -> None:
        """Add a finding to the last record.

        `heads` are rule or layer, layer, feature and answer; `figures` the figures, `lines` labelled details, `at` indexes.
        """
        pool = self.pool
        row: list[Any] = [_NOTICE, *(pool(one) for one in heads), pool(""), pool(figures)]
        self.findings[-1].append([*row, [pool(one) for line in lines if line[1] for one in line], *at])

    def place(self, layer: str, part: int = -1, rule: str = "") -> tuple[int, ...]:
        """Return the indexes of a finding: part, layer, line, rule, unit."""
        return part, self.layers.get(layer, -1), -1, self.rules.get(rule, -1), -1

    def part_at(self, layer: str, lon: float, lat: float) -> int:
        """Return the index of the part of a layer at a point; -1 if there is none."""
        own = np.flatnonzero((self.parts["layer"] == layer).to_numpy())
        if not len(own):
            return -1
        shapes = self.parts.geometry.to_numpy()[own]
        nearest = shapely.STRtree(shapes).query_nearest(shapely.Point(lon, lat), max_distance=1e-6)
        return int(own[nearest[0]]) if len(nearest) else -1


def _page(report: DiffReport, recheck: Recheck | None, texts: ContextText) -> str:
    words, drawn = texts.words, texts.context
    # Where the city has no outline, the map opens on the changes.
    shown = bounds_of(drawn, report.changes)
    plane = plane_for(shown)
    step_m, layers = layer_data(texts, plane)
    items = _Items(texts, {layer["id"]: i for i, layer in enumerate(layers)}, report.parts)
    rules = [*report.rules["rule"], *report.findings["rule"], *(recheck.changes["rule"] if recheck else ())]
    clauses, items.rules = rule_texts(texts, rules)
    _list_everything(items, report, recheck)
    review_m, review = _review(items, plane)
    title = words("diff", "map_title", old=_short(report.old), new=_short(report.new))
    city = {
        "bounds": [[shown[1], shown[0]], [shown[3], shown[2]]],
        "outline": outline_data(drawn, plane),
        "verdicts": [
            sign_data(words("diff", f"kind_{kind}"), colour, CHANGE_SIGNS[kind]) for kind, colour in _KINDS.items()
        ],
        "parts": [{"title": words("diff", f"part_{name}"), "colour": colour} for name, colour in _PARTS.items()],
        "missing": [],
        "withheld": [],
        "footer": _footer(texts, report, max(step_m, review_m)),
        "notice": texts.notice,
        "problems": [
            [words("level", p.level), *(words.message(part) for part in (p.place, p.what, p.remedy))]
            for p in drawn.problems
        ],
        "tianditu": False,
        "versions": [_short(report.old), _short(report.new)],
        "former": _former(report, texts, plane),
        "words": _words(texts),
        "credit": "lzgis · Leaflet",
    }
    fixed = {key: words("map", key) for key in PAGE_WORDS} | _own_words(texts)
    return assemble(
        base_map(drawn, shown),
        title=title,
        language={"zh": "zh-CN"}.get(words.language, words.language),
        data={"city": city, "layers": layers, "review": review | {"rules": clauses}},
        words={key.replace("-", "_"): one for key, one in fixed.items() if key in PAGE_WORDS}
        | {
            "title": title,
            "notice": texts.notice,
            "mark": texts.confidentiality or words("confidentiality", "internal"),
            "disclaimer": texts.disclaimer,
        },
    )


def _former(report: DiffReport, texts: ContextText, plane: Plane) -> list[dict[str, Any]]:
    """Return the layers that have changed as the older version has them, to swipe between both."""
    layers = {name: layer for name, layer in report.former.items() if name in set(report.changes["layer"])}
    former = ContextText(replace(texts.context, layers=layers), texts.words.language)
    return layer_data(former, plane)[1]


def _list_everything(items: _Items, report: DiffReport, recheck: Recheck | None) -> None:
    _broken(items, report)
    if recheck is not None:
        _verdicts(items, recheck)
    _changes(items, report)
    _rules(items, report)


def _broken(items: _Items, report: DiffReport) -> None:
    """List the rules between versions that are broken, such as one against an area that shrinks."""
    texts = items.texts
    met = report.findings[report.findings["state"].isin(HIT_STATES)]
    shapes = met.geometry.to_numpy()
    for row, shape in zip(records(pd.DataFrame(met.drop(columns="geometry")), met.columns[:-1]), shapes, strict=True):
        what = texts.words.message(row["what"])
        items.add("broken", (row["rule"], what, texts.rule(row["rule"])), shape)
        state = texts.word("state", row["state"])
        basis = [(texts.column("basis"), texts.basis(row))]
        heads = (texts.rule(row["rule"]), texts.layer(row["layer"]), "", state)
        items.add_finding(heads, what, basis, items.place(row["layer"], rule=row["rule"]))


def _verdicts(items: _Items, recheck: Recheck) -> None:
    """List the projects whose verdict has changed, with every answer that differs."""
    texts, words = items.texts, items.texts.words
    shapes = dict(zip(recheck.sites["id"], recheck.sites.geometry.to_numpy(), strict=True))
    for row in records(recheck.verdict_changes, recheck.verdict_changes.columns):
        before, after = (texts.word("verdict", row[name]) for name in ("verdict_before", "verdict_after"))
        items.add("verdict", (row["site_id"], row["site_name"], f"{before} → {after}"), shapes.get(row["site_id"]))
        answers = recheck.changes[recheck.changes["site_id"] == row["site_id"]]
        for one in records(answers, answers.columns):
            names = ("answer_before", "answer_after")
            lines = [(words("diff", name), worded_text(texts, name, one[name])) for name in names]
            lines.append((words("diff", "because"), words.message(one["because"])))
            layer = next((r.layer for r in texts.context.book.rules if r.id == one["rule"]), "")
            heads = (texts.rule(one["rule"]), texts.layer(layer) if layer else "", "", words("diff", "kind_verdict"))
            items.add_finding(heads, f"{before} → {after}", lines, items.place(layer, rule=one["rule"]))


def _changes(items: _Items, report: DiffReport) -> None:
    """List the features that have changed."""
    texts, words = items.texts, items.texts.words
    rounding = Rounding(texts.context)
    shapes = report.changes.geometry.to_numpy()
    columns = [str(name) for name in report.changes.columns if name != "geometry"]
    for row, shape in zip(records(pd.DataFrame(report.changes), columns), shapes, strict=True):
        title = texts.layer(row["layer"])
        kind = "changed" if row["change"] == "renamed" else row["change"]
        items.add(kind, (row["feature_id"], row["feature_name"], title), shape)
        lines = [(words("diff", name), text(row[name])) for name in ("former_id", "fields", "place")]
        sized = [name for name in ("before_m2", "after_m2") if number(row[name])]
        lines += [(words("diff", name), finding_text.area(words, rounding, row[name], row["layer"])) for name in sized]
        named = row["feature_name"] or row["feature_id"]
        heads = (title, named, "", texts.word("change", row["change"]))
        at = items.place(row["layer"], part=items.part_at(row["layer"], row["lon"], row["lat"]))
        items.add_finding(heads, _sizes(texts, row), lines, at)


def _sizes(texts: ContextText, row: dict[str, Any]) -> str:
    words, rounding = texts.words, Rounding(texts.context)
    present = [name for name in ("gained_m2", "lost_m2", "gained_m", "lost_m", "moved_m") if number(row[name])]
    figures = [
        words("diff", f"said_{name}", area=finding_text.area(words, rounding, row[name], row["layer"]), m=row[name])
        for name in present
    ]
    return words("map", "joint").join(figures)


def _rules(items: _Items, report: DiffReport) -> None:
    """List the rules that are new, removed or changed; they have no shape."""
    texts, words = items.texts, items.texts.words
    rules = report.rules.assign(title=rule_titles(texts, report))
    for row in records(rules, rules.columns):
        items.add("rule", (row["rule"], text(row["title"]), texts.word("change", row["change"])), None)
        lines = [(words("diff", name), text(row[name])) for name in ("keys", "repealed")]
        heads = (text(row["title"]), "", "", texts.word("change", row["change"]))
        items.add_finding(heads, "", lines, items.place("", rule=row["rule"]))


def _review(items: _Items, plane: Plane) -> tuple[float, dict[str, Any]]:
    shapes, parts = np.empty(len(items.shapes), dtype=object), items.parts.geometry.to_numpy().astype(object)
    shapes[:] = items.shapes
    drawings = [Drawing(one, plane, "own") for one in (shapes, parts)]
    steps_m = fitted(drawings, vertices=_VERTICES, steps_m=_STEPS_M)
    ranks = [{"r": list(_PARTS).index(change), "s": -1} for change in items.parts["change"]]
    nothing = Drawing(np.empty(0, dtype=object), plane).topology([], step_deg=_STEP_DEG)
    return max(steps_m), {
        "bands": nothing,
        "lines": [],
        "units": [],
        "sites": items.sites,
        "findings": items.findings,
        "pool": items.pool.texts,
        "shapes": drawings[0].topology([{} for _ in shapes], step_deg=_STEP_DEG, step_m=steps_m[0]),
        "parts": drawings[1].topology(ranks, step_deg=_STEP_DEG, step_m=steps_m[1]),
    }


def _own_words(texts: ContextText) -> dict[str, str]:
    """Return the wording for changes in the place of the wording for sites."""
    own = (
        *("sites", "search", "skip", "collapse-sites", "back", "zoom", "no-match", "shown", "rule", "answer"),
        *("group-review", "sites-by-verdict", "list-title", "parts", "back-to-site"),
    )
    return {name: texts.words("diff", f"map_{name}") for name in own}


def _words(texts: ContextText) -> dict[str, str]:
    columns = {key: texts.words("diff", f"map_{key}") for key in ("site_id", "site_name", "activity", "verdict")}
    return {key: texts.words("map", key) for key in SCRIPT_WORDS} | _own_words(texts) | columns


def _footer(texts: ContextText, report: DiffReport, step_m: float) -> list[str]:
    words, origin = texts.words, texts.context.provenance
    named = [words("map", "rule-book", name=origin.rule_book, version=origin.rule_book_version)]
    return [
        words("diff", "compared", old=_short(report.old), new=_short(report.new)),
        words("map", "as-of", date=origin.as_of.isoformat()),
        *(named if origin.rule_book else []),
        words("map", "made-at", time=origin.made_at.strftime("%Y-%m-%d %H:%M")),
        words("map", "crs"),
        words("map", "simplified", m=step_m) if step_m else words("map", "not-simplified"),
    ]


def _short(version: str) -> str:
    """Return the name of the folder or file of a version: its path is of no use on another machine."""
    return Path(version).name or version
