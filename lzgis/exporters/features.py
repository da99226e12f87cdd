"""Sites and findings as columns that every GIS format can hold: plain types, unique names, words beside codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.exporters.rows import SEPARATOR, Teller, records, text
from lzgis.measure import Geometries
from lzgis.model import FINDING_COLUMNS, VERDICT_COLUMNS

# A string ends at a NUL for GDAL, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

def site_columns(teller: Teller) -> tuple[dict[str, Any], dict[str, str]]:
    """Collect what the sites had and what was found, under names that no two columns share."""
    report = teller.report
    verdicts = report.verdicts.set_index("site_id").reindex(report.sites["id"])
    own = [c.name for c in VERDICT_COLUMNS if c.name not in ("site_id", "site_name", "activity")]
    taken = {"fid", "geom", "geometry", "verdict_title", "activity_title", *own}
    columns: dict[str, Any] = {}
    aliases: dict[str, str] = {"id": teller.column("site_id"), "name": teller.column("site_name")}
    for label in report.sites.columns.drop(report.sites.geometry.name):
        name = unique(storable(str(label)) or "column", taken)
        columns[name] = _column(report.sites[label])
        aliases.setdefault(name, teller.column("activity") if name == "activity" else str(label))
    columns["activity_title"] = [teller.activity(a) for a in report.sites["activity"]]
    columns["verdict_title"] = [teller.word("verdict", text(v)) for v in verdicts["verdict"]]
    for name in own:
        values = verdicts[name]
        columns[name] = _column(values.map(_joined) if values.dtype == object else values)
    aliases |= {name: teller.column(name) for name in (*own, "verdict_title", "activity_title")}
    return columns, aliases


def finding_columns(teller: Teller) -> dict[str, Any]:
    findings = teller.report.findings
    rows = list(records(findings, (c.name for c in FINDING_COLUMNS)))
    columns: dict[str, Any] = {c.name: _column(findings[c.name]) for c in FINDING_COLUMNS}
    titles = {
        "rule_title": [teller.rule(r["rule"]) for r in rows],
        "layer_title": [teller.layer(r["layer"]) for r in rows],
        "activity_title": [teller.activity(r["activity"]) for r in rows],
        "severity_title": [teller.word("severity", r["severity"]) for r in rows],
        "reason_title": [teller.reason(r) for r in rows],
    }
    return columns | {name: _column(pd.Series(values, dtype=object)) for name, values in titles.items()}


def finding_aliases(teller: Teller) -> dict[str, str]:
    titles = ("rule_title", "layer_title", "activity_title", "severity_title", "reason_title")
    return {name: teller.column(name) for name in (*(c.name for c in FINDING_COLUMNS), *titles)}


def _column(values: pd.Series[Any]) -> pd.Series[Any]:
    """Bring a column to a type that a GeoPackage has: whole, real and boolean stay, all else is text."""
    plain = values.reset_index(drop=True)
    kind = getattr(plain.dtype, "kind", "O") if isinstance(plain.dtype, np.dtype) else "O"
    if kind == "b":
        return plain
    if kind in "iu" and plain.dtype != np.uint64:
        return plain.astype(np.int64)
    if kind == "f":
        return plain.astype(np.float64)
    stored = [None if pd.api.types.is_scalar(v) and pd.isna(v) else storable(str(v)) for v in plain.tolist()]
    return pd.Series(stored, dtype=object)


def _joined(value: Any) -> Any:
    return SEPARATOR.join(map(str, value)) if isinstance(value, (tuple, list)) else value


def storable(value: Any) -> str:
    return _UNSTORABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text(value))


def unique(name: str, taken: set[str]) -> str:
    """Add a number to a name that is taken; SQLite does not tell upper from lower case."""
    number, found = 1, name
    while found.lower() in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found.lower())
    return found
