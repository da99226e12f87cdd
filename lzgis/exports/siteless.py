"""A report of no site: what knows city, layers and rules, so that whatever is no screening can be told in the same words."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

from lzgis.coordinates.plane import CGCS2000
from lzgis.model.report import FINDING_COLUMNS, UNIT_LIST_COLUMNS, VERDICT_COLUMNS, Problem, Report
from lzgis.model.rules import RuleBook


def siteless(setting: Any, book: RuleBook, problems: tuple[Problem, ...]) -> Report:
    """Make a report of no site.

    Parameters
    ----------
    setting : AuditReport or ReportContext
        What has ``city``, ``layers``, ``backdrop`` and ``provenance``.
    book : RuleBook
        The rules that are told of.
    problems : tuple of Problem
        What a reader must know.
    """
    nothing: dict[str, Any] = {"id": [], "name": [], "activity": []}
    return Report(
        city=setting.city,
        book=book,
        layers=setting.layers,
        sites=gpd.GeoDataFrame(nothing, geometry=[], crs=CGCS2000),
        findings=gpd.GeoDataFrame({c.name: [] for c in FINDING_COLUMNS}, geometry=[], crs=CGCS2000),
        verdicts=pd.DataFrame({c.name: [] for c in VERDICT_COLUMNS}),
        unit_lists=pd.DataFrame({c.name: [] for c in UNIT_LIST_COLUMNS}),
        backdrop=setting.backdrop,
        problems=problems,
        provenance=setting.provenance,
    )
