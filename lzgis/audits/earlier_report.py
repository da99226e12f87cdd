"""An earlier screening, read from its ``report.json``: sites, findings, verdicts, and the sources they came from."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS

#: Separates the documents in the basis of a finding.
SEPARATOR = "；"


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


def read_report(path: Path) -> EarlierReport:
    """Read the ``report.json`` of a screening.

    Raises
    ------
    SourceError
        If it cannot be read, or is not a report of a screening.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        frame = gpd.GeoDataFrame.from_features(document["sites"]["features"], crs="EPSG:4490")
        findings = pd.DataFrame(document["findings"], columns=[c.name for c in FINDING_COLUMNS])
        verdicts = pd.DataFrame(document["verdicts"])
        sources = document["provenance"]["sources"]
        as_of = dt.date.fromisoformat(document["provenance"]["as_of"])
    except OSError as e:
        raise SourceError(str(path), Message("cannot be read ({first})", first=e), Message("check the path")) from e
    except (ValueError, KeyError, TypeError) as e:
        what = Message("is no report of a screening ({first})", first=repr(e))
        raise SourceError(str(path), what, Message("give the report.json that 'lzgis screen' wrote")) from e
    findings["basis"] = findings["basis"].map(lambda parts: SEPARATOR.join(parts or []))
    for column in FINDING_COLUMNS:
        values = findings[column.name]
        findings[column.name] = values.astype(float) if column.dtype == "float" else values.fillna("").astype(object)
    sites = frame[["id", "name", "activity", "geometry"]]
    hashes = {s["role"]: s["sha256"] for s in sources}
    books = frozenset((s["name"], s["sha256"]) for s in sources if s["role"] == "rules")
    return EarlierReport(sites, findings, verdicts, as_of, hashes, books)
