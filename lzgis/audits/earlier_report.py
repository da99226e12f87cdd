"""An earlier screening, read from its ``report.json``: sites, findings, verdicts, and the sources they came from."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.codes import CHINESE
from lzgis.model.report import FINDING_COLUMNS, NOT_MEANT, REPORT_SCHEMA, SEPARATOR, State


@dataclass(frozen=True, eq=False)
class EarlierReport:
    """The contents of a ``report.json``.

    `hashes` are the sha256 of the sources by role; `books` are the name and sha256 of each file of rules.
    """

    sites: gpd.GeoDataFrame
    findings: pd.DataFrame
    verdicts: pd.DataFrame
    as_of: dt.date
    hashes: Mapping[str, str]
    books: frozenset[tuple[str, str]]
    says_unmeant: bool = True


def read_report(path: Path) -> EarlierReport:
    """Read the ``report.json`` of a screening.

    Raises
    ------
    SourceError
        If it cannot be read, is not a report of a screening, or has the schema of a newer version.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        _check_schema(document, path)
        frame = gpd.GeoDataFrame.from_features(document["sites"]["features"], crs="EPSG:4490")
        findings = pd.DataFrame(document["findings"], columns=[c.name for c in FINDING_COLUMNS])
        # Reports without the column give every rule a finding.
        verdicts = pd.DataFrame(document["verdicts"])
        if "not_applicable" not in verdicts:
            verdicts["not_applicable"] = 0
        findings, verdicts = findings.replace({"state": dict(CHINESE)}), verdicts.replace({"verdict": dict(CHINESE)})
        sources = document["provenance"]["sources"]
        as_of = dt.date.fromisoformat(document["provenance"]["as_of"])
    except OSError as e:
        raise SourceError(str(path), Message("cannot be read ({first})", first=e), Message("check the path")) from e
    except (ValueError, KeyError, TypeError) as e:
        what = Message("is no report of a screening ({first})", first=library_message(repr(e)))
        raise SourceError(str(path), what, Message("give the report.json that 'lzgis screen' wrote")) from e
    says_unmeant = not _called_clear(findings).any()
    findings, verdicts = _without_unmeant(findings, verdicts)
    findings["basis"] = findings["basis"].map(lambda parts: SEPARATOR.join(parts or []))
    for column in FINDING_COLUMNS:
        values = findings[column.name]
        findings[column.name] = values.astype(float) if column.dtype == "float" else values.fillna("").astype(object)
    sites = frame[["id", "name", "activity", "geometry"]]
    hashes = {s["role"]: s["sha256"] for s in sources}
    books = frozenset((s["name"], s["sha256"]) for s in sources if s["role"] == "rules")
    return EarlierReport(sites, findings, verdicts, as_of, hashes, books, says_unmeant=says_unmeant)


def _without_unmeant(findings: pd.DataFrame, verdicts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count as 不适用 what reports of version 0.1 call 不涉及 although the rule is not meant for the activity.

    These rows say nothing of where the site lies: they are counted in the verdicts, and checked again where that matters.
    """
    unmeant = _called_clear(findings)
    if not unmeant.any():
        return findings, verdicts
    count = findings.loc[unmeant].groupby("site_id")["rule"].nunique()
    more = verdicts["site_id"].map(count).fillna(0).astype(int)
    verdicts = verdicts.assign(not_applicable=verdicts["not_applicable"] + more)
    return findings[~unmeant].reset_index(drop=True), verdicts


def _called_clear(findings: pd.DataFrame) -> pd.Series[bool]:
    return (findings["state"] == State.CLEAR) & findings["reason"].isin(NOT_MEANT)


def _check_schema(document: Any, path: Path) -> None:
    """Refuse a report of a newer schema; reports of version 0.1 state none and are read."""
    schema = dict(document).get("schema", REPORT_SCHEMA)
    name, _, known = REPORT_SCHEMA.rpartition("-")
    given, _, version = str(schema).rpartition("-")
    if given != name or not version.isdecimal():
        what = Message("is no report of a screening ({first})", first=f"schema {schema!r}")
        raise SourceError(str(path), what, Message("give the report.json that 'lzgis screen' wrote"))
    if int(version) > int(known):
        what = Message(
            "has the schema {schema}, newer than {known}, which this version reads", schema=schema, known=REPORT_SCHEMA
        )
        raise SourceError(str(path), what, Message("update lzgis, or screen the sites again with this version"))
