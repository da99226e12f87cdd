"""What an audit writes: workbook, GeoPackage, JSON, and the map that a screening has, with the conflicts as its sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.coordinates.plane import CGCS2000
from lzgis.errors import ExportError
from lzgis.exports.gis.features import GisLayer, by_shape, has_part, storable
from lzgis.exports.gis.gpkg import write_layers
from lzgis.exports.gis.json import lines, plain, provenance_object
from lzgis.exports.gis.qgis_style import Category
from lzgis.exports.report_text import SEPARATOR, ReportText, number, records, text
from lzgis.exports.siteless import siteless
from lzgis.exports.tables.tables import Head, Kind, Table, Value, rule_table
from lzgis.exports.tables.xlsx import tables_bytes
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.audit import AUDIT_COLUMNS, AuditReport, Topic
from lzgis.model.report import FINDING_COLUMNS, HIT_STATES, VERDICT_COLUMNS, Report, State, Verdict
from lzgis.model.rules import Severity
from lzgis.words import Language

_CONFLICTS = [
    *[
        "topic",
        "rule",
        "state",
        "severity",
        "layer",
        "feature_id",
        "feature_name",
        "other_layer",
        "other_id",
        "other_name",
    ],
    *["area_m2", "area_ha", "mean_width_m", "length_m", "lon", "lat", "place", "what", "procedure", "note", "basis"],
    *["repealed", "strength", "certainty", "as_of"],
]
_FIGURES = ["rule", "state", "layer", "measured", "declared", "what", "basis", "certainty"]
_CHECKED = ["rule", "kind", "state", "reason", "layer", "other_layer", "what", "basis", "certainty"]
_NUMBERS: dict[str, tuple[Kind, int]] = {
    "area_m2": ("area", 2),
    "area_ha": ("hectare", 4),
    "mean_width_m": ("metre", 3),
    "length_m": ("metre", 3),
}
#: Degrees and figures of all kinds are shown as they are.
_PLAIN = {"lon": 7, "lat": 7, "measured": 6, "declared": 6}


def as_report(audit: AuditReport, language: Language = "zh") -> Report:
    """Give an audit the form of a screening, in which what was found stands for the sites.

    What draws or lists a screening can then draw or list an audit: every finding with a geometry is a site ``A1``, ``A2``,
    … with one finding and one verdict.
    """
    teller_words = ReportText(_bare(audit), language).words
    found = audit.findings[audit.findings["state"].isin(HIT_STATES) & has_part(audit.findings)].reset_index(drop=True)
    ids = [f"A{i + 1}" for i in range(len(found))]
    names = [teller_words.message(what) for what in found["what"]]
    given = {
        **{name: found[name].to_numpy() for name in found.columns if name in {c.name for c in FINDING_COLUMNS}},
        "site_id": ids,
        "site_name": names,
        "distance_m": np.zeros(len(found)),
    }
    findings = {
        c.name: given.get(c.name, np.full(len(found), np.nan if c.dtype == "float" else "")) for c in FINDING_COLUMNS
    }
    sites = gpd.GeoDataFrame(
        {"id": ids, "name": names, "activity": [""] * len(ids)}, geometry=found.geometry, crs=CGCS2000
    )
    return replace(
        _bare(audit),
        sites=sites,
        findings=gpd.GeoDataFrame(findings, geometry=found.geometry, crs=CGCS2000),
        verdicts=_verdicts(found, ids, names),
    )


def _bare(audit: AuditReport) -> Report:
    """Make a report of no site, which knows the city, its layers and the rules for layers."""
    return siteless(audit, replace(audit.book, rules=audit.book.audits), audit.problems)


def _verdicts(found: gpd.GeoDataFrame, ids: list[str], names: list[str]) -> pd.DataFrame:
    grave = (found["state"] == State.INVOLVED) & (found["severity"] == Severity.PROHIBITED)
    told = found["severity"] == Severity.NOTICE
    verdict = np.where(grave, Verdict.PROHIBITED.value, np.where(told, Verdict.NONE_FOUND.value, Verdict.REVIEW.value))
    part = {"prohibited": grave, "conditional": ~grave & ~told, "notices": told & ~grave}
    columns: dict[str, Any] = {
        "site_id": ids,
        "site_name": names,
        "verdict": verdict.astype(object),
        "site_area_m2": found["area_m2"].to_numpy(),
        "site_length_m": np.where(found["area_m2"].notna(), np.nan, found["length_m"]),
        **{name: _tuples(found["rule"], here) for name, here in part.items()},
        "not_checked": [()] * len(ids),
        "nearest_m": np.full(len(ids), np.nan),
        "ladder": [()] * len(ids),
    }
    return pd.DataFrame({c.name: columns.get(c.name, [""] * len(ids)) for c in VERDICT_COLUMNS})


def _tuples(rules: pd.Series, here: pd.Series) -> list[tuple[str, ...]]:
    return [(rule,) if yes else () for rule, yes in zip(rules, here, strict=True)]


def audit_tables(audit: AuditReport, texts: ReportText) -> list[Table]:
    """Return the tables of an audit: conflicts, figures, what was checked and found in order or not checked, rules."""
    caught = audit.findings["state"].isin(HIT_STATES)
    figure = audit.findings["topic"] == Topic.FIGURE
    return [
        _table(texts, "audit_conflicts", _CONFLICTS, audit.findings[caught & ~figure]),
        _table(texts, "audit_figures", _FIGURES, audit.findings[figure]),
        _table(texts, "audit_checked", _CHECKED, audit.findings[~caught & ~figure]),
        rule_table(texts),
    ]


def _table(texts: ReportText, name: str, columns: list[str], findings: pd.DataFrame) -> Table:
    heads = [
        Head(texts.words("audit", c), _NUMBERS[c][0] if c in _NUMBERS else "text", c in ("what", "note", "procedure"))
        for c in columns
    ]
    rows, marks = [], []
    for finding in records(findings, (c.name for c in AUDIT_COLUMNS)):
        told = told_finding(texts, finding)
        rows.append([told[c] for c in columns])
        marks.append(_mark(finding))
    return Table(name, heads, rows, marks=marks, marked=columns.index("state"), fixed=1)


def _mark(finding: dict[str, Any]) -> str:
    if finding["state"] == State.NOT_CHECKED:
        return Verdict.INCOMPLETE
    if finding["state"] == State.CLEAR:
        return ""
    grave = finding["severity"] == Severity.PROHIBITED and finding["state"] == State.INVOLVED
    return Verdict.PROHIBITED if grave else Verdict.REVIEW


def told_finding(texts: ReportText, finding: dict[str, Any]) -> dict[str, Value]:
    """Word and round one finding of an audit."""
    rule = finding["rule"]
    told: dict[str, Value] = {name: text(value) for name, value in finding.items()}
    for name, (_, places) in _NUMBERS.items():
        told[name] = number(finding[name] if name in finding else finding["area_m2"] / 10_000, places)
    for name, places in _PLAIN.items():
        value = number(finding[name], places)
        told[name] = "" if value is None else f"{value:.{places}f}".rstrip("0").rstrip(".")
    return told | {
        "topic": texts.word("topic", finding["topic"]),
        "rule": texts.rule(rule),
        "kind": texts.word("rule_kind", finding["kind"]),
        "state": texts.word("state", finding["state"]),
        "severity": texts.word("severity", finding["severity"]),
        "reason": texts.word("reason", finding["reason"]),
        "layer": texts.layer(finding["layer"]),
        "other_layer": texts.layer(finding["other_layer"]) if finding["other_layer"] else "",
        "what": texts.words.message(finding["what"]),
        "procedure": texts.translated(rule, text(finding["procedure"])),
        "note": texts.translated(rule, text(finding["note"])),
        "basis": texts.basis(finding),
        "strength": texts.word("strength", finding["strength"]),
        "certainty": texts.word("certainty", finding["certainty"]),
    }


def write_audit_xlsx(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> None:
    """Write an audit as a workbook; the same audit gives the same bytes."""
    texts = ReportText(_bare(audit), language)
    data = tables_bytes(texts, audit_tables(audit, texts))
    write_bytes_atomic(path, data)


def write_audit_gpkg(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> None:
    """Write an audit as a GeoPackage: what was found as polygons and lines, styled, and the table of all findings."""
    texts = ReportText(_bare(audit), language)
    rows = [told_finding(texts, f) for f in records(audit.findings, (c.name for c in AUDIT_COLUMNS))]
    columns: dict[str, Any] = {c.name: audit.findings[c.name].to_numpy() for c in AUDIT_COLUMNS}
    columns |= {
        f"{n}_title": [storable(r[n]) for r in rows] for n in ("rule", "layer", "other_layer", "severity", "basis")
    }
    columns["what"] = [storable(r["what"]) for r in rows]
    aliases = {c.name: texts.words("audit", c.name) for c in AUDIT_COLUMNS}
    frame = gpd.GeoDataFrame(columns, geometry=audit.findings.geometry.to_numpy(), crs=CGCS2000)
    shown = frame[(frame["state"].isin(HIT_STATES) & has_part(frame)).to_numpy()]
    layers = [layer for layer in by_shape("audit_conflicts", shown, aliases, texts) if len(layer.frame)]
    table = pd.DataFrame(columns)
    layers.append(GisLayer("audit_checked", "audit_checked", table, texts.words("sheet", "audit_checked"), aliases))
    word = texts.words
    styles = {
        "audit_conflicts": (
            f"CASE WHEN \"state\" = '{State.SLIVER}' THEN 'sliver' ELSE \"severity\" END",
            [
                Category(Severity.PROHIBITED, word("severity", "prohibited"), "#d50000", hatched=True),
                Category(Severity.CONDITIONAL, word("severity", "conditional"), "#ef6c00", hatched=True),
                Category(Severity.NOTICE, word("severity", "notice"), "#546e7a", hatched=True),
                Category("sliver", word("state", State.SLIVER), "#8e24aa", hatched=True),
            ],
        )
    }
    write_layers(texts, layers, path, styles=styles)


def audit_document(audit: AuditReport, *, language: Language = "zh") -> dict[str, Any]:
    """Return an audit as plain values; findings carry their geometry as GeoJSON on CGCS2000 (EPSG:4490)."""
    texts = ReportText(_bare(audit), language)
    findings = []
    shapes = audit.findings.geometry.to_numpy()
    for finding, shape in zip(records(audit.findings, (c.name for c in AUDIT_COLUMNS)), shapes, strict=True):
        row = plain(finding | {"what": texts.words.message(finding["what"])})
        row["basis"] = [part for part in (finding["basis"] or "").split(SEPARATOR) if part]
        findings.append(row | {"geometry": None if shape is None else plain(shape.__geo_interface__)})
    return {
        "notice": texts.notice,
        "disclaimer": texts.disclaimer,
        "city": audit.city.model_dump(mode="json"),
        "findings": findings,
        "problems": [plain(vars(p)) for p in audit.problems],
        "provenance": provenance_object(audit.provenance),
    }


def write_audit_json(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> None:
    """Write an audit as JSON, see `audit_document`."""
    data = "".join(lines(audit_document(audit, language=language))).encode("utf-8", "backslashreplace")
    write_bytes_atomic(path, data)


def write_audit_html(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> None:
    """Write an audit as the interactive map of a screening whose sites are the conflicts."""
    from lzgis.exports.map import write_map

    write_map(as_report(audit, language), path, language=language, wording="map_audit")


class AuditFormat(NamedTuple):
    """A format of an audit: the file it is written to by default, and the function that writes it."""

    file_name: str
    write: Callable[..., None]


AUDIT_FORMATS: dict[str, AuditFormat] = {
    "xlsx": AuditFormat("audit.xlsx", write_audit_xlsx),
    "gpkg": AuditFormat("audit.gpkg", write_audit_gpkg),
    "json": AuditFormat("audit.json", write_audit_json),
    "html": AuditFormat("audit.html", write_audit_html),
}


def export_audit(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> Path:
    """Write an audit to `path` in the format that the suffix names, and return the path.

    Parameters
    ----------
    audit : AuditReport
        What to write.
    path : path
        The file: ``.xlsx``, ``.gpkg``, ``.json`` or ``.html`` (the map).
    language : {"zh", "en"}
        The reader's language.

    Raises
    ------
    ExportError
        If no format has this suffix, or the file cannot be written.
    """
    path = Path(path)
    wanted = path.suffix.lower().removeprefix(".")
    if wanted not in AUDIT_FORMATS:
        what = Message("no exporter writes '{suffix}'", suffix=path.suffix)
        known = ", ".join(f".{name}" for name in AUDIT_FORMATS)
        raise ExportError(str(path), what, Message("use one of {known}", known=known))
    AUDIT_FORMATS[wanted].write(audit, path, language=language)
    return path
