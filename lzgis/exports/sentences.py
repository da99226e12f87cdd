"""Sentences that say in words where a site lies with respect to a rule, and how gravely; the same in every document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lzgis.exports.report_text import ReportText, number, text, visible
from lzgis.exports.rounding import NONE, Rounding
from lzgis.model.report import HIT_STATES, Reason, State
from lzgis.model.rules import Severity
from lzgis.rules.for_sites import DISTANCE_KINDS, INFORMING_KINDS

Row = Mapping[str, Any]
#: A share from which a site lies in a layer as a whole.
_WHOLE = 1 - 1e-9


class Sentences:
    """Words findings of a report as sentences.

    Parameters
    ----------
    texts : ReportText
        The report, and the reader's language.
    rounding : Rounding
        How figures are rounded.
    """

    def __init__(self, texts: ReportText, rounding: Rounding) -> None:
        self._texts = texts
        self._rounding = rounding
        self._rules = {rule.id: rule for rule in texts.report.book.rules}

    def of(self, finding: Row) -> str:
        """Return the sentence of a finding: how the site lies with respect to the layer, with its figures."""
        state = finding["state"]
        if state == State.NOT_CHECKED:
            return visible(self._texts.reason(finding)) or self._texts.word("state", state)
        if state == State.NOT_APPLICABLE:
            return self._not_meant(finding)
        if state == State.CLEAR:
            return self._clear(finding)
        key, values = self._met(finding)
        sentence = self._say(key, **values)
        if state == State.SLIVER:
            width = self._rounding.metres(finding["mean_width_m"])
            sentence += self._say("sliver" if width != NONE else "sliver-plain", width=width)
        return sentence

    def size(self, finding: Row) -> str:
        """Return the size of the part of a site in a finding, with its unit; empty for points."""
        layer = text(finding.get("layer"))
        if number(finding["area_m2"]) is not None:
            return self._say("area", area=self._rounding.square_metres(finding["area_m2"], layer))
        if number(finding["length_m"]) is not None:
            return self._say("length", length=self._rounding.metres(finding["length_m"], layer))
        return ""

    def required(self, finding: Row) -> str:
        """Return the required distance (m); one that is counted from the edge of a control zone as a sum, such as 20+50."""
        required = number(finding["required_m"])
        if required is None:
            return NONE
        zone = getattr(self._rules.get(finding["rule"]), "zone_distance_m", 0.0)
        if zone and required > zone:
            return f"{required - zone:g}+{zone:g}"
        return f"{required:g}"

    def _say(self, key: str, **values: object) -> str:
        return self._texts.words("sentence", key, **values)

    def _met(self, finding: Row) -> tuple[str, dict[str, str]]:
        layer = visible(self._texts.layer(finding["layer"]))
        feature = self._feature(finding, layer)
        size, share = self.size(finding), number(finding["share"]) or 0.0
        values = {"layer": layer, "feature": feature, "size": size, "share": self._rounding.percent(share)}
        if finding["kind"] in DISTANCE_KINDS:
            return self._too_near(finding, values)
        if finding["kind"] in INFORMING_KINDS:
            return ("lies-partly" if size and share < _WHOLE else "lies"), values
        outside = "outside" if finding["kind"] == "stay_inside" else "inside"
        if not size:
            return f"{outside}-point", values
        if share >= _WHOLE:
            return f"{outside}-whole", values
        line = number(finding["length_m"]) is not None
        return f"{outside}-{'line' if line else 'part'}", values

    def _too_near(self, finding: Row, values: dict[str, str]) -> tuple[str, dict[str, str]]:
        limit = number(finding["required_m"])
        limit = number(finding["required_possible_m"]) if finding["band"] == "possible" else limit
        distance = number(finding["distance_m"]) or 0.0
        figures = {
            "subject": visible(text(finding["feature_name"])) or values["layer"],
            "distance": self._rounding.metres(distance, finding["layer"], limit=limit),
            "required": self.required(finding),
            "limit": f"{round(limit, 2):g}" if limit is not None else NONE,
        }
        key = "crosses" if distance <= 0 else "near"
        key += "-possible" if finding["band"] == "possible" else ""
        size = self._say("of-which", size=values["size"]) if values["size"] else ""
        return key, values | figures | {"within": size}

    def _clear(self, finding: Row) -> str:
        distance = number(finding["distance_m"])
        if distance is None or finding["kind"] == "stay_inside":
            return self._texts.word("state", finding["state"])
        return self._say("clear", distance=self._rounding.metres(distance, finding["layer"]))

    def _not_meant(self, finding: Row) -> str:
        if finding["reason"] != Reason.INSIDE_NOT_MEANT:
            return visible(self._texts.reason(finding))
        size = self.size(finding)
        return self._say("not-meant", within=self._say("of-which", size=size) if size else "")

    def _feature(self, finding: Row, layer: str) -> str:
        name = visible(text(finding["feature_name"]))
        return self._say("feature", name=name) if name and name != layer else ""


def gravest(findings: Iterable[Row], most: int) -> list[Row]:
    """Return the gravest findings that are hit, at most so many, one for each rule.

    Prohibitions come before conditions, and of one severity the largest share of the site first.
    """
    best: dict[str, Row] = {}
    for finding in findings:
        if finding["state"] in HIT_STATES and finding["severity"] != Severity.NOTICE:
            before = best.get(finding["rule"])
            if before is None or _gravity(finding) < _gravity(before):
                best[finding["rule"]] = finding
    return sorted(best.values(), key=_gravity)[:most]


def _gravity(finding: Row) -> tuple[bool, int, float]:
    share = number(finding["share"]) or 0.0
    return (finding["state"] == State.SLIVER, Severity(finding["severity"]).rank, -share)
