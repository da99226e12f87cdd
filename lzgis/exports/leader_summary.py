"""The summary for a meeting: sites by verdict and township, conflicts by layer and rule, and the gravest of them.

The workbook, the page and the slides show the same tables, made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.exports.report_text import ReportText, number, records, text, visible
from lzgis.exports.rounding import Rounding
from lzgis.exports.sentences import Sentences, gravest
from lzgis.model.report import FINDING_COLUMNS, HIT_STATES, Report, Verdict
from lzgis.model.rules import Severity
from lzgis.rules.for_sites import INFORMING_KINDS

#: The verdicts, the gravest first.
VERDICTS = tuple(verdict.value for verdict in Verdict)
_MOST_GRAVE = 10
#: Where the file of sites names the group of alternatives that a site belongs to, under any of these columns.
GROUP_COLUMNS = ("group", "方案组", "方案")


@dataclass(frozen=True)
class RuleTotal:
    """What a rule hits with one severity: how many sites, and the sum of the parts; NaN if there is none of the kind."""

    layer: str
    rule: str
    severity: str
    sites: int
    area_m2: float
    length_m: float


@dataclass(frozen=True)
class Grave:
    """One of the gravest findings: its site, rule, and the sentence that says where the site lies."""

    site_id: str
    site_name: str
    verdict: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class Alternative:
    """A site of a group of alternatives with what decides between them."""

    group: str
    site_id: str
    site_name: str
    verdict: str
    prohibited: int
    conditional: int
    not_checked: int
    hit_area_m2: float
    hit_length_m: float
    nearest: str
    needs: str


@dataclass(frozen=True)
class Summary:
    """The tables of the summary.

    Attributes
    ----------
    verdicts : tuple of pairs
        The verdicts, the gravest first, and the number of their sites.
    townships : tuple
        Per township its name and the number of sites by verdict, in the order of `VERDICTS`. A site counts once, in the
        township that holds the point on its surface; sites in none come last under an empty name.
    rules : tuple of RuleTotal
        Rules that are hit, prohibitions first, then those with the most sites.
    gravest : tuple of Grave
        The gravest findings, at most ten, one per site first.
    alternatives : tuple of Alternative
        The sites of groups with at least two members.
    """

    verdicts: tuple[tuple[str, int], ...]
    townships: tuple[tuple[str, tuple[int, ...]], ...]
    rules: tuple[RuleTotal, ...]
    gravest: tuple[Grave, ...]
    alternatives: tuple[Alternative, ...]


def summary_of(texts: ReportText) -> Summary:
    """Return the summary of a report, worded in the language of `texts`."""
    report = texts.report
    counts = report.verdicts["verdict"].value_counts()
    sentences = Sentences(texts, Rounding(report))
    hits = report.table[report.findings["state"].isin([state.value for state in HIT_STATES]).to_numpy()]
    hits = hits[~hits["kind"].isin(INFORMING_KINDS).to_numpy()]
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in records(hits, (c.name for c in FINDING_COLUMNS)):
        rows.setdefault(text(row["site_id"]), []).append(row)
    return Summary(
        verdicts=tuple((verdict, int(counts.get(verdict, 0))) for verdict in VERDICTS),
        townships=_by_township(report),
        rules=_by_rule(texts, hits),
        gravest=_gravest(texts, rows, sentences),
        alternatives=alternatives(texts, rows),
    )


def _by_township(report: Report) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Count sites by verdict in the divisions of all levels, as prefecture · county, by the point on the surface of each."""
    levels = [report.layers[name].frame for name in report.city.divisions if name in report.layers]
    of_levels = [_township_of(report, frame) for frame in levels if len(frame)]
    names = [" · ".join(filter(None, one)) for one in zip(*of_levels, strict=True)] or [""] * len(report.sites)
    verdict_of = dict(zip(report.verdicts["site_id"], report.verdicts["verdict"], strict=True))
    counts: dict[str, list[int]] = {}
    for name, site in zip(names, report.sites["id"], strict=True):
        if site in verdict_of:
            counts.setdefault(str(name), [0] * len(VERDICTS))[VERDICTS.index(verdict_of[site])] += 1
    order = sorted(counts, key=lambda name: (name == "", [-count for count in counts[name]], name))
    return tuple((name, tuple(counts[name])) for name in order)


def _township_of(report: Report, townships: Any) -> npt.NDArray[Any]:
    names = np.full(len(report.sites), "", dtype=object)
    shapes = report.sites.geometry.to_numpy()
    there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    tree = shapely.STRtree(townships.geometry.to_numpy())
    site, town = tree.query(shapely.point_on_surface(shapes[there]), predicate="intersects")
    titles = townships["name"].to_numpy() if "name" in townships else townships["id"].to_numpy()
    # The first township, where a point lies on a border.
    for at, one in zip(site[::-1], town[::-1], strict=True):
        names[there[at]] = visible(text(titles[one]))
    return names


def _by_rule(texts: ReportText, hits: pd.DataFrame) -> tuple[RuleTotal, ...]:
    found = []
    for (rule, severity), rows in hits.groupby(["rule", "severity"], sort=False, observed=True):
        found.append(
            RuleTotal(
                visible(texts.layer(text(rows["layer"].iloc[0]))),
                visible(texts.rule(text(rule))),
                text(severity),
                int(rows["site_id"].nunique()),
                float(rows["area_m2"].sum(min_count=1)),
                float(rows["length_m"].sum(min_count=1)),
            )
        )
    return tuple(sorted(found, key=lambda one: (Severity(one.severity).rank, -one.sites, one.rule)))


def _gravest(texts: ReportText, rows: dict[str, list[dict[str, Any]]], sentences: Sentences) -> tuple[Grave, ...]:
    """Return the gravest finding of each of the gravest sites: prohibitions first, then the largest share."""
    verdicts = {text(one["site_id"]): one for one in texts.verdicts()}
    first = [one for site in rows if (one := next(iter(gravest(rows[site], 1)), None)) is not None]

    def gravity(row: Any) -> tuple[int, int, float]:
        verdict = verdicts[text(row["site_id"])]["verdict"]
        return (VERDICTS.index(verdict), Severity(row["severity"]).rank, -(number(row["share"]) or 0.0))

    return tuple(
        Grave(
            visible(text(row["site_id"])),
            visible(text(row["site_name"])),
            verdicts[text(row["site_id"])]["verdict"],
            visible(texts.rule(row["rule"])),
            sentences.of(row),
        )
        for row in sorted(first, key=gravity)[:_MOST_GRAVE]
    )


def alternatives(texts: ReportText, rows: dict[str, list[dict[str, Any]]]) -> tuple[Alternative, ...]:
    """Return the sites that share a group, group by group, in each the one with the mildest verdict first."""
    sites = texts.report.sites
    column = next((name for name in GROUP_COLUMNS if name in sites.columns), None)
    if column is None:
        return ()
    groups: dict[str, list[str]] = {}
    for site, group in zip(sites["id"], sites[column], strict=True):
        if text(group):
            groups.setdefault(text(group), []).append(text(site))
    verdicts = {text(one["site_id"]): one for one in texts.verdicts()}
    found = []
    for group, members in groups.items():
        if len(members) > 1:
            found += sorted(
                (
                    _alternative(texts, group, verdicts[site], rows.get(site, []))
                    for site in members
                    if site in verdicts
                ),
                key=lambda one: (-VERDICTS.index(one.verdict), one.prohibited, one.conditional, one.site_id),
            )
    return tuple(found)


def _alternative(texts: ReportText, group: str, verdict: Any, rows: Sequence[dict[str, Any]]) -> Alternative:
    binding = [row for row in rows if row["severity"] != Severity.NOTICE]
    grave = gravest(rows, 3)
    needs = dict.fromkeys(visible(texts.translated(row["rule"], text(row["procedure"]))) for row in grave)
    if len(verdict["prohibited"]):
        needs = {texts.words("dossier", "abstract-move"): None} | needs
    nearest = number(verdict["nearest_m"])
    rule = text(verdict["nearest_rule"])
    shown = ""
    if nearest is not None:
        layer = next((one.layer for one in texts.report.book.rules if one.id == rule), "")
        shown = f"{visible(texts.rule(rule))} {Rounding(texts.report).metres(nearest, layer)} m"
    return Alternative(
        visible(group),
        visible(text(verdict["site_id"])),
        visible(text(verdict["site_name"])),
        verdict["verdict"],
        len(verdict["prohibited"]),
        len(verdict["conditional"]),
        len(verdict["not_checked"]),
        sum(number(row["area_m2"]) or 0.0 for row in binding),
        sum(number(row["length_m"]) or 0.0 for row in binding),
        shown,
        texts.words("dossier", "semicolon").join(need for need in needs if need),
    )
