"""Overruled findings: a planner's decision is shown beside the finding, which stays as it is.

``overrides.toml`` has an ``[[override]]`` per decision, which repeats the finding as it was at the time. If the finding
differs now, the decision is stale. Evidence that is missing or has changed is reported.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pydantic import Field

from lzgis.config import load_toml, nearest, parse
from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.model.report import OVERRIDE_COLUMNS, SEPARATOR, Layer, Problem, Report, Source, State
from lzgis.model.rules import Data, Severity
from lzgis.reading import sha256_of

OVERRIDES_FILE = "overrides.toml"
_SHA256 = r"^[0-9a-f]{64}$"
#: A text that is more than blanks.
_SOME = r"\S"


class Override(Data):
    """One decision: the finding, the reason, author, date and evidence, and the finding as it was at the time.

    Without `feature`, the decision is on every finding of the rule on the site, and `state`, `severity` and `area_m2` are
    those of the gravest. `evidence` is the path of a file, relative to ``overrides.toml``.
    """

    site: str
    rule: str
    feature: str = ""
    reason: str = Field(pattern=_SOME)
    author: str = Field(pattern=_SOME)
    date: dt.date
    evidence: str = ""
    evidence_sha256: str = Field(default="", pattern=rf"{_SHA256}|^$")
    state: str
    severity: Severity
    area_m2: float | None = None
    feature_sha256: str = Field(default="", pattern=rf"{_SHA256}|^$")


class OverridesFile(Data):
    """The whole of ``overrides.toml``."""

    override: list[Override] = []


def read_overrides(path: str | Path) -> tuple[Override, ...]:
    """Read decisions.

    Raises
    ------
    ConfigError
        If the file is missing or not TOML, a key is unknown or missing, or two decisions are on the same finding.
    """
    path = Path(path)
    found = parse(OverridesFile, load_toml(path), path.name).override
    seen: dict[tuple[str, str, str], int] = {}
    for number, one in enumerate(found, start=1):
        other = seen.setdefault((one.site, one.rule, one.feature), number)
        if other != number:
            raise ConfigError(
                _place(path, number),
                Message("is on the same finding as override {other}", other=other),
                Message("keep one of them"),
            )
    return tuple(found)


def with_overrides(report: Report, path: str | Path) -> Report:
    """Add decisions to a report; its findings and verdicts stay as they are.

    Parameters
    ----------
    report : Report
        The report.
    path : path
        The file of decisions.

    Returns
    -------
    Report
        The report with `Report.overrides`, and a problem for each decision that is stale, has no finding, or whose
        evidence has changed.

    Raises
    ------
    ConfigError
        If the file is not valid, or names a site or rule that is not in the report.

    Examples
    --------
    >>> import tempfile
    >>> import datetime as dt
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
    >>> decision = lz.Decision("boundary surveyed", "planning office", dt.date(2026, 11, 22))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "overrides.toml")
    ...     _ = path.write_text(lz.override_entry(report, "T01", "redline", decision=decision), "utf-8")
    ...     decided = lz.with_overrides(report, path)
    >>> len(decided.overrides)
    1
    """
    path = Path(path)
    rows, problems = [], list(report.problems)
    for number, one in enumerate(read_overrides(path), start=1):
        place = _place(path, number)
        for given, known in ((one.site, report.sites["id"]), (one.rule, [r.id for r in report.book.rules])):
            if given not in set(known):
                raise ConfigError(place, Message("'{given}' is not in the report", given=given), nearest(given, known))
        row = _row(report, one, path.parent)
        rows.append(row)
        problems += _problems(row, place)
    frame = pd.DataFrame({c.name: [row[c.name] for row in rows] for c in OVERRIDE_COLUMNS})
    source = Source("overrides", path.name, sha256_of(path))
    provenance = replace(report.provenance, sources=(*report.provenance.sources, source))
    return replace(report, overrides=frame, problems=tuple(problems), provenance=provenance)


@dataclass(frozen=True)
class Decision:
    """Reason, author, date and evidence for overruling a finding; what is not given is left empty to be filled in."""

    reason: str = ""
    author: str = ""
    date: dt.date | None = None
    evidence: str | Path = ""


def override_entry(report: Report, site: str, rule: str, *, feature: str = "", decision: Decision = Decision()) -> str:
    """Return the ``[[override]]`` of a finding as TOML text for ``overrides.toml``.

    Parameters
    ----------
    report : Report
        The report that holds the finding.
    site, rule : str
        Ids of the site and the rule.
    feature : str
        Id of the feature; if not given, the decision is on every finding of the rule on the site.
    decision : Decision
        Reason, author, date (that of the rules if not given) and evidence, whose SHA-256 is recorded.

    Returns
    -------
    str
        The entry, to append to the file.

    Raises
    ------
    ConfigError
        If the report has no such finding, or the evidence does not exist.

    Examples
    --------
    >>> import datetime as dt
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
    >>> decision = lz.Decision("boundary surveyed", "planning office", dt.date(2026, 11, 22))
    >>> print(lz.override_entry(report, "T01", "redline", decision=decision).splitlines()[0])
    [[override]]
    """
    found = _findings(report, site, rule, feature)
    if not len(found):
        place = Message("site '{site}', rule '{rule}'", site=site, rule=rule)
        raise ConfigError(place, Message("the report has no such finding"), Message("look into the report"))
    one = _gravest(report, found)
    evidence = str(decision.evidence)
    if evidence and not Path(evidence).is_file():
        raise ConfigError(evidence, Message("does not exist"), Message("check the path"))
    texts = {"site": site, "rule": rule, **({"feature": feature} if feature else {})}
    texts |= {"reason": decision.reason, "author": decision.author}
    lines = ["[[override]]", *(f"{name} = {_quoted(value)}" for name, value in texts.items())]
    lines.append(f"date = {decision.date or report.provenance.as_of}")
    lines.append(f"evidence = {_quoted(Path(evidence).as_posix() if evidence else '')}")
    lines.append(f"evidence_sha256 = {_quoted(sha256_of(Path(evidence)) if evidence else '')}")
    lines += [f'state = "{one["state"]}"', f'severity = "{one["severity"]}"']
    lines += [f"area_m2 = {one['area_m2']:.2f}"] if one["area_m2"] == one["area_m2"] else []
    digest = feature_hash(report.layers, one["layer"], one["feature_id"])
    return "\n".join([*lines, *([f'feature_sha256 = "{digest}"'] if digest else [])]) + "\n"


def _quoted(value: str) -> str:
    """Quote a text for TOML, which escapes as JSON does."""
    return json.dumps(value, ensure_ascii=False)


def feature_hash(layers: Mapping[str, Layer], layer: str, feature: str) -> str:
    """Return a SHA-256 of a feature's shape, rounded to a tenth of a millimetre, and its fields; empty if there is none."""
    if layer not in layers or not feature:
        return ""
    rows = layers[layer].frame
    row = rows[rows["id"] == feature]
    if not len(row):
        return ""
    shape = shapely.normalize(shapely.transform(row.geometry.iloc[0], lambda points: np.round(points, 9) + 0.0))
    fields = sorted((str(n), str(v)) for n, v in row.iloc[0].drop("geometry").items() if not pd.isna(v))
    return hashlib.sha256(shapely.to_wkb(shape) + repr(fields).encode()).hexdigest()


def _findings(report: Report, site: str, rule: str, feature: str) -> pd.DataFrame:
    findings = report.findings
    keep = (findings["site_id"] == site) & (findings["rule"] == rule)
    return pd.DataFrame(findings[keep & (findings["feature_id"] == feature)] if feature else findings[keep])


def _gravest(report: Report, found: pd.DataFrame) -> pd.Series[Any]:
    """Return the gravest of several findings, and the largest of those equally grave."""
    states = found["state"].map({s.value: s.rank for s in State})
    severities = found["severity"].map({s.value: s.rank for s in Severity})
    order = np.lexsort((-found["area_m2"].fillna(0.0), severities, states))
    return found.iloc[int(order[0])]


def _row(report: Report, one: Override, folder: Path) -> dict[str, Any]:
    found = _findings(report, one.site, one.rule, one.feature)
    now = _gravest(report, found) if len(found) else None
    status, changed = ("unmatched", "") if now is None else _compared(report, one, now)
    return {
        "finding": -1 if now is None else int(report.findings.index.get_loc(now.name)),
        "site_id": one.site,
        "rule": one.rule,
        "feature_id": one.feature,
        "status": status,
        "changed": changed,
        "reason": one.reason,
        "author": one.author,
        "date": one.date.isoformat(),
        "evidence": one.evidence,
        "evidence_sha256": one.evidence_sha256,
        "evidence_state": _evidence(one, folder),
        "state_then": one.state,
        "severity_then": one.severity.value,
        "area_m2_then": np.nan if one.area_m2 is None else one.area_m2,
    }


def _compared(report: Report, one: Override, now: pd.Series[Any]) -> tuple[str, str]:
    """Compare a finding with the decision on it: ``current`` or ``stale``, and what has changed."""
    changed = [
        f"{name}: {then} → {later}"
        for name, then, later in (("state", one.state, now["state"]), ("severity", one.severity.value, now["severity"]))
        if then != later
    ]
    area = None if np.isnan(now["area_m2"]) else round(float(now["area_m2"]), 2)
    then = None if one.area_m2 is None else round(one.area_m2, 2)
    if area != then:
        changed.append(f"area_m2: {then} → {area}")
    digest = feature_hash(report.layers, now["layer"], now["feature_id"])
    if one.feature_sha256 and digest != one.feature_sha256:
        changed.append(f"feature_sha256: {one.feature_sha256[:12]}… → {digest[:12]}…")
    return ("stale", SEPARATOR.join(changed)) if changed else ("current", "")


def _evidence(one: Override, folder: Path) -> str:
    if not one.evidence:
        return "none"
    path = folder / one.evidence
    try:
        there = path.is_file()
    except OSError:
        # The name is longer than a file system has any.
        there = False
    if not there:
        return "missing"
    return "as-given" if sha256_of(path) == one.evidence_sha256 else "differs"


def _problems(row: Mapping[str, Any], place: str) -> list[Problem]:
    problems = []
    if row["status"] == "stale":
        what = Message("the finding has changed since ({changed})", changed=row["changed"])
        problems.append(Problem("warning", place, what, Message("decide again")))
    if row["status"] == "unmatched":
        what = Message("there is no such finding any more")
        problems.append(Problem("warning", place, what, Message("remove the override, or correct 'feature'")))
    if row["evidence_state"] in ("missing", "none"):
        what = Message("the evidence '{file}' is not there", file=row["evidence"])
        problems.append(Problem("warning", place, what, Message("put it beside the file of overrides")))
    if row["evidence_state"] == "differs":
        what = Message("the evidence '{file}' is not what it was (sha256)", file=row["evidence"])
        problems.append(Problem("warning", place, what, Message("put back the file that was decided on")))
    return problems


def _place(path: Path, number: int) -> str:
    return Message("{file}, override {number}", file=path.name, number=number)
