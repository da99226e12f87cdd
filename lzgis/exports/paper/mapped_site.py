"""One site as a map shows it: its row, its verdict, its findings in order, and how figures are printed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lzgis.config import nearest
from lzgis.errors import ExportError
from lzgis.exports.report_text import ReportText, conflicts_first, number, records, text
from lzgis.exports.rounding import Rounding
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, HIT_STATES, Report, State
from lzgis.model.rules import Severity

_COLUMNS = [*(c.name for c in FINDING_COLUMNS), "geometry"]


@dataclass(frozen=True, eq=False)
class MappedSite:
    """A site with its verdict and findings.

    Attributes
    ----------
    conflicts : list of dict
        Findings that are met and are not notices, the most severe first; ``number`` is what the map numbers them by.
    notices : list of dict
        Findings that are met and only inform.
    """

    site_id: str
    name: str
    activity: str
    geometry: Any
    verdict: dict[str, Any]
    findings: list[dict[str, Any]]

    @cached_property
    def conflicts(self) -> list[dict[str, Any]]:
        """Findings that are met and are not notices."""
        return [f for f in self.findings if f["state"] in HIT_STATES and f["severity"] != Severity.NOTICE]

    @cached_property
    def notices(self) -> list[dict[str, Any]]:
        """Findings that are met and only inform."""
        return [f for f in self.findings if f["state"] in HIT_STATES and f["severity"] == Severity.NOTICE]

    def of_state(self, state: State) -> list[dict[str, Any]]:
        """Return the findings of one state."""
        return [f for f in self.findings if f["state"] == state]


def mapped_site(report: Report, site_id: str) -> MappedSite:
    """Return one site of a report with its verdict and findings.

    Raises
    ------
    ExportError
        If there is no such site, or it has no geometry.
    """
    ids = report.sites["id"].astype(str).to_numpy()
    rows = np.flatnonzero(ids == site_id)
    if not len(rows):
        place = Message("site '{site}'", site=site_id)
        raise ExportError(place, Message("is not among the sites"), nearest(site_id, ids.tolist()))
    site = report.sites.iloc[rows[0]]
    if site.geometry is None or shapely.is_empty(site.geometry):
        what = Message("has no geometry that could be drawn")
        raise ExportError(Message("site '{site}'", site=site_id), what, Message("repair it in its file"))
    own = report.findings[report.findings["site_id"].astype(str) == site_id]
    own = own.iloc[conflicts_first(pd.DataFrame(own))]
    verdicts = report.verdicts[report.verdicts["site_id"].astype(str) == site_id]
    verdict = next(records(verdicts, list(verdicts.columns)), {})
    name, activity = text(site["name"]), text(site["activity"])
    found = MappedSite(site_id, name, activity, site.geometry, verdict, list(records(own, _COLUMNS)))
    for rank, finding in enumerate(found.conflicts, start=1):
        finding["number"] = rank
    return found


def metres(value: Any, texts: ReportText, layer: str = "", *, limit: Any = None) -> str:
    """Format a distance or length, rounded as in documents (see `lzgis.exports.rounding`); from 10 km on in kilometres."""
    known = number(value)
    if known is None:
        return ""
    if known >= 10_000:
        return Rounding(texts.report).numbers(known / 1000, 2) + " km"
    return Rounding(texts.report).metres(known, layer, limit=limit) + " m"


def square_metres(value: Any, texts: ReportText, layer: str = "") -> str:
    """Format an area in square metres, rounded as in documents."""
    if number(value) is None:
        return ""
    return texts.code.shown(Rounding(texts.report).square_metres(value, layer) + " ㎡")


def finding_figures(finding: dict[str, Any], texts: ReportText) -> str:
    """Format the figures of a finding: area or length, and the distance with the one required."""
    layer = text(finding["layer"])
    parts = [square_metres(finding["area_m2"], texts, layer) or metres(finding["length_m"], texts, layer)]
    possible = number(finding["area_possible_m2"])
    if possible is not None and number(finding["area_m2"], 2) != round(possible, 2):
        parts.append(texts.words("paper", "possible_area", area=square_metres(possible, texts, layer)))
    if number(finding["required_m"]) is not None:
        required = number(finding["required_m"])
        distance = metres(finding["distance_m"], texts, layer, limit=required)
        facts = {"distance": distance, "required": f"{Rounding(texts.report).plain(required)} m"}
        if facts["distance"]:
            parts.append(texts.words("paper", "distance", **facts))
    parts += [texts.route(finding["route"]), text(finding["item"])]
    if finding["open_facts"]:
        parts.append(texts.words("paper", "open_facts", facts=texts.open_facts(finding["open_facts"])))
    return texts.code.shown(texts.words("paper", "comma").join(part for part in parts if part))
