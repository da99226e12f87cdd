"""The outputs of an audit: workbook, GeoPackage, JSON, and the map of a screening with the conflicts as its sites."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.audits.statements import FEW, statements
from lzgis.coordinates.plane import CGCS2000
from lzgis.exports.formats import FORMATS, audit_formats, format_named, writer
from lzgis.exports.gis.features import GisLayer, by_shape, has_part, storable
from lzgis.exports.gis.gpkg import PART_CLASS, part_categories, write_layers
from lzgis.exports.gis.json import lines, plain, provenance_object
from lzgis.exports.gis.qgis_style import LayerStyle
from lzgis.exports.report_text import ContextText, coded, number, records, text
from lzgis.exports.tables.tables import Head, Kind, Table, Value, rule_table
from lzgis.exports.tables.xlsx import tables_bytes
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.model.audit import AUDIT_COLUMNS, AuditReport, Topic
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import (
    FINDING_COLUMNS,
    HIT_STATES,
    SEPARATOR,
    UNIT_LIST_COLUMNS,
    VERDICT_COLUMNS,
    Report,
    State,
    Verdict,
)
from lzgis.model.rules import RuleBook, Severity
from lzgis.words import Language, Words

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
#: So many findings are worded and written to a GeoPackage at a time.
_AT_ONCE = 50_000
#: Decimals of degrees and of figures in any unit; trailing zeros are dropped.
_DECIMALS = {"lon": 7, "lat": 7, "measured": 6, "declared": 6}


def as_report(audit: AuditReport, language: Language = "zh") -> Report:
    """Convert an audit to a report of a screening, so that it can be drawn as one.

    Every finding with a geometry becomes a site ``A1``, ``A2``, … with one finding and one verdict.
    """
    words = Words(language)
    found = audit.findings[audit.findings["state"].isin(HIT_STATES) & has_part(audit.findings)].reset_index(drop=True)
    ids = [f"A{i + 1}" for i in range(len(found))]
    names = [words.message(what) for what in found["what"]]
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
    return Report(
        city=audit.city,
        book=_book(audit),
        layers=audit.layers,
        backdrop=audit.backdrop,
        problems=audit.problems,
        provenance=audit.provenance,
        sites=sites,
        findings=gpd.GeoDataFrame(findings, geometry=found.geometry, crs=CGCS2000),
        verdicts=_verdicts(found, ids, names),
        listed=DeferredTable(pd.DataFrame({c.name: [] for c in UNIT_LIST_COLUMNS})),
    )


def _texts(audit: AuditReport, language: Language) -> ContextText:
    """Return the wording of an audit; the rules that it cites are the rules for layers."""
    return ContextText(replace(audit, book=_book(audit)), language)


def _book(audit: AuditReport) -> RuleBook:
    return replace(audit.book, rules=audit.book.audits)


def _verdicts(found: gpd.GeoDataFrame, ids: list[str], names: list[str]) -> pd.DataFrame:
    grave = (found["state"] == State.INVOLVED) & (found["severity"] == Severity.PROHIBITED)
    notice = found["severity"] == Severity.NOTICE
    verdict = np.where(
        grave, Verdict.PROHIBITED.value, np.where(notice, Verdict.NONE_FOUND.value, Verdict.REVIEW.value)
    )
    part = {"prohibited": grave, "conditional": ~grave & ~notice, "notices": notice & ~grave}
    columns: dict[str, Any] = {
        "site_id": ids,
        "site_name": names,
        "verdict": verdict.astype(object),
        "site_area_m2": found["area_m2"].to_numpy(),
        "site_length_m": np.where(found["area_m2"].notna(), np.nan, found["length_m"]),
        **{name: _rules_where(found["rule"], here) for name, here in part.items()},
        "not_checked": [()] * len(ids),
        "not_applicable": [0] * len(ids),
        "nearest_m": np.full(len(ids), np.nan),
        "ladder": [()] * len(ids),
    }
    return pd.DataFrame({c.name: columns.get(c.name, [""] * len(ids)) for c in VERDICT_COLUMNS})


def _rules_where(rules: pd.Series, here: pd.Series) -> list[tuple[str, ...]]:
    return [(rule,) if yes else () for rule, yes in zip(rules, here, strict=True)]


def audit_tables(audit: AuditReport, texts: ContextText) -> list[Table]:
    """Return the tables of an audit: conflicts, declared figures, what is in order or was not checked, rules."""
    violated = audit.findings["state"].isin(HIT_STATES)
    figure = audit.findings["topic"] == Topic.FIGURE
    return [
        *_statement_tables(audit, texts),
        _table(texts, "audit_conflicts", _CONFLICTS, audit.findings[violated & ~figure]),
        _table(texts, "audit_figures", _FIGURES, audit.findings[figure]),
        _table(texts, "audit_checked", _CHECKED, audit.findings[~violated & ~figure]),
        rule_table(texts),
    ]


#: Columns of the statements; those of numbers with their kind.
_STATEMENTS = ["rule", "state", "layer", "other_layer", "count", "area_m2", "widest_m", "length_m", "lon", "lat"]
_STATEMENTS += ["place", "what", "note"]
_STATED: dict[str, tuple[Kind, int]] = {**_NUMBERS, "count": ("count", 0), "widest_m": ("metre", 3)}


def _statement_tables(audit: AuditReport, texts: ContextText) -> list[Table]:
    """Return the table that sums up the conflicts by rule and pair of layers, if one of them has more than a few."""
    summed = statements(audit)
    if not (summed["count"] > FEW).any():
        return []
    heads = [Head(texts.words("audit", name), _STATED[name][0] if name in _STATED else "text") for name in _STATEMENTS]
    rows = [[worded[name] for name in _STATEMENTS] for worded in _worded_statements(summed, texts)]
    return [Table("audit_statements", heads, rows, fixed=1)]


def _worded_statements(summed: pd.DataFrame, texts: ContextText) -> Iterator[dict[str, Value]]:
    for row in records(summed, summed.columns):
        worded: dict[str, Value] = {name: text(value) for name, value in row.items()}
        worded |= {name: number(row[name], places) for name, (_, places) in _STATED.items() if name in row}
        for name in ("lon", "lat"):
            value = number(row[name], _DECIMALS[name])
            worded[name] = "" if value is None else f"{value:.{_DECIMALS[name]}f}"
        worded |= {name: texts.words.message(row[name]) for name in ("what", "note")}
        worded |= {name: texts.layer(row[name]) if row[name] else "" for name in ("layer", "other_layer")}
        yield worded | {"rule": texts.rule(row["rule"]), "state": texts.word("state", row["state"])}


def _table(texts: ContextText, name: str, columns: list[str], findings: pd.DataFrame) -> Table:
    heads = [
        Head(texts.words("audit", c), _NUMBERS[c][0] if c in _NUMBERS else "text", c in ("what", "note", "procedure"))
        for c in columns
    ]
    rows, marks = [], []
    for finding in records(findings, (c.name for c in AUDIT_COLUMNS)):
        worded = worded_finding(texts, finding)
        rows.append([worded[c] for c in columns])
        marks.append(_mark(finding))
    return Table(name, heads, rows, marks=marks, marked=columns.index("state"), fixed=1)


def _mark(finding: dict[str, Any]) -> str:
    if finding["state"] == State.NOT_CHECKED:
        return Verdict.INCOMPLETE
    if finding["state"] == State.CLEAR:
        return ""
    grave = finding["severity"] == Severity.PROHIBITED and finding["state"] == State.INVOLVED
    return Verdict.PROHIBITED if grave else Verdict.REVIEW


def worded_finding(texts: ContextText, finding: dict[str, Any]) -> dict[str, Value]:
    """Word and round one finding of an audit."""
    rule = finding["rule"]
    worded: dict[str, Value] = {name: text(value) for name, value in finding.items()}
    for name, (_, places) in _NUMBERS.items():
        worded[name] = number(finding[name] if name in finding else finding["area_m2"] / 10_000, places)
    for name, places in _DECIMALS.items():
        value = number(finding[name], places)
        worded[name] = "" if value is None else f"{value:.{places}f}".rstrip("0").rstrip(".")
    return worded | {
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
    """Write an audit as a workbook, see `lzgis.exports.formats.AuditWriter`."""
    texts = _texts(audit, language)
    data = tables_bytes(texts, audit_tables(audit, texts))
    write_bytes_atomic(path, data)


def write_audit_gpkg(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> None:
    """Write an audit as a GeoPackage, see `lzgis.exports.formats.AuditWriter`.

    Conflicts are polygons and lines, styled; the table ``audit_checked`` has the findings that have no place.
    """
    texts = _texts(audit, language)
    styles = {"audit_conflicts": LayerStyle(PART_CLASS, part_categories(texts, *Severity))}
    write_layers(texts, _gis_pieces(audit, texts), path, styles=styles)


def _gis_pieces(audit: AuditReport, texts: ContextText) -> Iterator[list[GisLayer]]:
    """Iterate over layers and tables of an audit; of millions of findings, some at a time are worded and in memory twice."""
    findings = audit.findings
    placed = (findings["state"].isin(HIT_STATES) & has_part(findings)).to_numpy()
    there, nowhere = np.flatnonzero(placed), np.flatnonzero(~placed)
    aliases = {c.name: texts.words("audit", c.name) for c in AUDIT_COLUMNS}
    for first in range(0, len(there), _AT_ONCE):
        frame = _gis_frame(findings.iloc[there[first : first + _AT_ONCE]], texts)
        yield [layer for layer in by_shape("audit_conflicts", frame, aliases, texts) if len(layer.frame)]
    table = pd.DataFrame(_gis_frame(findings.iloc[nowhere], texts).drop(columns="geometry"))
    layers = [GisLayer("audit_checked", "audit_checked", table, texts.words("sheet", "audit_checked"), aliases)]
    for one in _statement_tables(audit, texts):
        data = {name: [row[at] for row in one.rows] for at, name in enumerate(_STATEMENTS)}
        heads = {name: texts.words("audit", name) for name in _STATEMENTS}
        layers.append(GisLayer(one.name, one.name, pd.DataFrame(data), texts.words("sheet", one.name), heads))
    yield layers


def _gis_frame(findings: gpd.GeoDataFrame, texts: ContextText) -> gpd.GeoDataFrame:
    columns: dict[str, Any] = {c.name: findings[c.name].to_numpy() for c in AUDIT_COLUMNS}
    columns |= _titles(findings, texts)
    columns["what"] = [storable(texts.words.message(what)) for what in findings["what"]]
    return gpd.GeoDataFrame(columns, geometry=findings.geometry.to_numpy(), crs=CGCS2000)


def _titles(findings: pd.DataFrame, texts: ContextText) -> dict[str, list[str]]:
    """Word the columns whose values repeat, once per value."""
    worded: dict[str, tuple[list[str], Callable[..., str]]] = {
        "rule_title": (["rule"], texts.rule),
        "layer_title": (["layer"], texts.layer),
        "other_layer_title": (["other_layer"], lambda layer: texts.layer(layer) if layer else ""),
        "severity_title": (["severity"], lambda severity: texts.word("severity", severity)),
        "basis_title": (["rule", "basis"], lambda rule, basis: texts.basis({"rule": rule, "basis": basis})),
    }
    return {
        title: coded(findings, names, lambda *values, word=word: storable(word(*values))).tolist()
        for title, (names, word) in worded.items()
    }


def audit_document(audit: AuditReport, *, language: Language = "zh") -> dict[str, Any]:
    """Return an audit as plain values; findings have their geometry as GeoJSON in CGCS2000 (EPSG:4490)."""
    texts = _texts(audit, language)
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
    """Write `audit_document` as JSON, see `lzgis.exports.formats.AuditWriter`."""
    data = "".join(lines(audit_document(audit, language=language))).encode("utf-8", "backslashreplace")
    write_bytes_atomic(path, data)


def write_audit_html(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> None:
    """Write an audit as a map of a screening whose sites are the conflicts, see `lzgis.exports.formats.AuditWriter`."""
    from lzgis.exports.map import write_map

    write_map(as_report(audit, language), path, language=language, wording="map_audit")


def export_audit(audit: AuditReport, path: str | Path, *, language: Language = "zh") -> Path:
    """Write an audit to `path` in the format that the suffix names.

    Parameters
    ----------
    audit : AuditReport
        What to write.
    path : path
        The file: ``.xlsx``, ``.gpkg``, ``.json`` or ``.html`` (the map).
    language : {"zh", "en"}
        The reader's language.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ExportError
        If no format has this suffix, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import lzgis as lz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lz.export_audit(lz.audit(lz.reference_city(), as_of="2026-11-21"), f"{folder}/audit.json").name
    'audit.json'
    """
    path = Path(path)
    name = format_named(path.suffix, audit_formats(), path)
    writer(FORMATS[name].audit)(audit, path, language=language)
    return path
