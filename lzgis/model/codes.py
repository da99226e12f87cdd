"""English codes of verdicts and states, for files of cities abroad."""

from __future__ import annotations

from collections.abc import Mapping

from lzgis.model.report import State, Verdict

#: The English codes by the Chinese ones.
ENGLISH: Mapping[str, str] = {
    Verdict.PROHIBITED: "prohibited",
    Verdict.REVIEW: "proof",
    Verdict.INCOMPLETE: "incomplete",
    Verdict.NONE_FOUND: "clear",
    State.INVOLVED: "involved",
    State.CLEAR: "not-involved",
    State.SLIVER: "sliver",
    State.NOT_CHECKED: "not-checked",
    State.NOT_APPLICABLE: "not-applicable",
}
#: The Chinese codes by the English ones.
CHINESE: Mapping[str, str] = {english: str(code) for code, english in ENGLISH.items()}
