"""A report with its rows grouped by project, and one project with its own rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from lzgis.config import nearest
from lzgis.errors import ExportError
from lzgis.exports.dossier.document import Column
from lzgis.exports.leader_summary import GROUP_COLUMNS, Alternative, summary_of
from lzgis.exports.report_text import ReportText, conflicts_first, records, text, visible
from lzgis.exports.rounding import Rounding
from lzgis.exports.rule_counts import rule_counts
from lzgis.exports.sentences import Sentences
from lzgis.exports.tables.answer_sheet import AnswerSheet
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, HIT_STATES, NOT_MEANT, VERDICT_COLUMNS, Report
from lzgis.words import Language

Row = dict[str, Any]


class DossierSource:
    """The report that dossiers are made from, with its rows grouped by site once for all of them.

    Parameters
    ----------
    report : Report
        The report.
    language : {"zh", "en"}
        The reader's language.
    mu : bool
        Whether areas are given in mu as well.
    """

    def __init__(self, report: Report, language: Language, *, mu: bool = False) -> None:
        self.report = report
        self.language = language
        self.texts = ReportText(report, language)
        self.words = self.texts.words
        self.mu = mu
        self.rounding = Rounding(report)
        self.sentences = Sentences(self.texts, self.rounding)
        self.sites = [text(site) for site in report.sites["id"]]

    def wording(self, key: str, **values: object) -> str:
        """Return a text of the wording of dossiers."""
        return self.words("dossier", key, **values)

    def column(self, name: str, weight: float = 1.0, *, column: str = "") -> Column:
        """Return a column; its title is the one of dossiers, or else the one of all outputs."""
        try:
            title = self.words("dossier_column", column or name)
        except KeyError:
            title = self.texts.column(column or name)
        figure = name.endswith(("_m2", "_m", "_ha", "_mu", "share"))
        return Column(name, title, weight, figure)

    def row(self, site_id: str) -> int:
        """Return the position of a site in the table of the report."""
        try:
            return self._rows[site_id]
        except KeyError:
            place = Message("site '{value}'", value=site_id)
            raise ExportError(place, Message("is not in the report"), nearest(site_id, self.sites)) from None

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {site: i for i, site in enumerate(self.sites)}

    @cached_property
    def verdicts(self) -> dict[str, Row]:
        """The verdict of each site."""
        return {v["site_id"]: v for v in records(self.report.verdicts, (c.name for c in VERDICT_COLUMNS))}

    @cached_property
    def findings(self) -> dict[str, list[Row]]:
        """The findings of each site, the most severe first; ``position`` is the row in the table of the report."""
        order = conflicts_first(self.report.findings)
        frame = self.report.findings.iloc[order]
        found: dict[str, list[Row]] = defaultdict(list)
        names = (c.name for c in FINDING_COLUMNS)
        for position, finding in zip(order.tolist(), records(frame, names), strict=True):
            found[finding["site_id"]].append(finding | {"position": position})
        return found

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """How many rules each site has by their answer."""
        found = rule_counts(self.report)
        sites, numbers = found["site_id"].astype(str), found.drop(columns=["site_id", "site_name"])
        rows = numbers.to_numpy(dtype=np.int64).tolist()
        return {
            site: dict(zip(map(str, numbers.columns), row, strict=True)) for site, row in zip(sites, rows, strict=True)
        }

    @cached_property
    def answers(self) -> AnswerSheet:
        """The answer sheets of all sites."""
        return AnswerSheet(self.texts)

    @cached_property
    def alternatives(self) -> tuple[Alternative, ...]:
        """The sites of all groups of alternatives."""
        if not any(name in self.report.sites.columns for name in GROUP_COLUMNS):
            return ()
        return summary_of(self.texts).alternatives

    @cached_property
    def breakdown(self) -> dict[int, list[Row]]:
        """The parts of each finding by division, keyed by the position of the finding."""
        found: dict[int, list[Row]] = defaultdict(list)
        for row in records(self.report.breakdown, self.report.breakdown.columns):
            found[int(row["finding"])].append(row)
        return found


class Project:
    """One project of a report with its own rows; formats its areas and lengths."""

    def __init__(self, source: DossierSource, site_id: str) -> None:
        self.source = source
        self.id = site_id
        self.row = source.row(site_id)
        self.verdict = source.verdicts[site_id]
        self.findings = source.findings.get(site_id, [])
        self.shape = source.report.sites.geometry.iloc[self.row]
        has_area = not np.isnan(self.verdict["site_area_m2"])
        has_length = not np.isnan(self.verdict["site_length_m"])
        #: Columns of areas or lengths: in square metres, hectares and mu for polygons and strips, in metres for lines.
        self.measures = ("area_m2", "area_ha", *(("area_mu",) if source.mu else ())) if has_area else ()
        if has_length and not has_area:
            self.measures = ("length_m",)

    @property
    def hits(self) -> list[Row]:
        """Findings that are met, including those within the tolerance of boundaries (slivers)."""
        return [f for f in self.findings if f["state"] in HIT_STATES]

    @property
    def activity(self) -> str:
        """The activity in words."""
        return visible(self.source.texts.activity(text(self.verdict["activity"]))) or self.source.wording("no-activity")

    @property
    def counts(self) -> dict[str, int]:
        """How many rules there are, and how many of each answer, as `rule_counts` counts them."""
        return self.source.counts[self.id]

    @property
    def unmeant(self) -> int:
        """How many rules are not meant for the activity."""
        return self.counts["not_applicable"]

    @property
    def whole_size(self) -> str:
        """The size of the whole project with its unit; empty for points."""
        return self.size({"area_m2": self.verdict["site_area_m2"], "length_m": self.verdict["site_length_m"]})

    @property
    def whole_size_in_mu(self) -> str:
        """The size of the whole project, of a polygon in square metres, hectares and mu."""
        if "area_m2" not in self.measures:
            return self.whole_size
        rounding, area = self.source.rounding, self.verdict["site_area_m2"]
        printed = {"m2": rounding.square_metres(area), "ha": rounding.hectares(area), "mu": rounding.mu(area)}
        return self.source.wording("square-metres-mu", **printed)

    def size(self, row: Mapping[str, Any]) -> str:
        """Format ``area_m2`` or ``length_m`` of a row with its unit."""
        rounding, layer = self.source.rounding, text(row.get("layer"))
        if "area_m2" in self.measures:
            key = "square-metres-mu" if self.source.mu else "square-metres"
            area = row["area_m2"]
            printed = {"m2": rounding.square_metres(area, layer), "ha": rounding.hectares(area, layer)}
            return self.source.wording(key, **printed, **({"mu": rounding.mu(area, layer)} if self.source.mu else {}))
        if "length_m" in self.measures:
            return self.source.wording("metres", m=rounding.metres(row["length_m"], layer))
        return ""

    def printed_sizes(self, row: Row) -> tuple[str, ...]:
        """Format the figures of a row for the columns in `measures`."""
        return self.rounded_sizes(row, self.measures)

    def rounded_sizes(self, row: Mapping[str, Any], names: Iterable[str]) -> tuple[str, ...]:
        """Format the figures of a row for some columns of areas and lengths."""
        rounding, layer = self.source.rounding, text(row.get("layer"))
        printed = {
            "area_m2": lambda: rounding.square_metres(row["area_m2"], layer),
            "area_ha": lambda: rounding.hectares(row["area_m2"], layer),
            "area_mu": lambda: rounding.mu(row["area_m2"], layer),
            "length_m": lambda: rounding.metres(row["length_m"], layer),
        }
        return tuple(printed[name]() for name in names)


def feature_name(row: Row) -> str:
    """Return the name of the feature of a finding, or its id."""
    return visible(text(row["feature_name"]) or text(row["feature_id"]))


def concerns_activity(row: Row) -> bool:
    """Return whether the rule of a finding concerns the activity of the project."""
    return row["reason"] not in NOT_MEANT
