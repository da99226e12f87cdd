"""What the page does otherwise for a region than for one city."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.city.region import Region
from lzgis.errors import SourceError
from lzgis.exports.report_text import records
from lzgis.messages import Message
from lzgis.model.report import Report, SiteTable
from lzgis.screening.screen import screen
from lzgis.web.requests import LANGUAGES
from lzgis.words import Language, Words


def only_city(region: Region, site: str, table: SiteTable) -> Catalogue:
    """Return the city that a site lies in.

    Raises
    ------
    SourceError
        If it lies in several, or in none: what must be avoided differs from city to city.
    """
    at = np.flatnonzero(table.frame["id"] == site)
    shape = region.plane.project(table.frame.geometry.to_numpy()[at])
    inside = [
        name for name, one in zip(region.cities, region.outlines, strict=True) if shapely.contains(one, shape).all()
    ]
    if len(inside) != 1:
        what = Message("site '{site}' does not lie in one city alone", site=site)
        raise SourceError(table.source.name, what, Message("cut it at the border, and look at each part alone"))
    return region.cities[inside[0]]


def changed_verdicts(earlier: Report, now: Report) -> pd.DataFrame:
    """Return the sites whose verdict differs between two screenings, with the rules that are met now or were met."""
    before, after = (one.verdicts.set_index("site_id") for one in (earlier, now))
    rows = []
    for site in after.index.intersection(before.index):
        old, new = before.loc[site], after.loc[site]
        lists = [{rule for name in ("prohibited", "conditional") for rule in one[name]} for one in (old, new)]
        if old["verdict"] != new["verdict"]:
            because = "、".join(sorted(lists[0] ^ lists[1]))
            row = {"site_id": site, "verdict_before": old["verdict"], "verdict_after": new["verdict"]}
            rows.append({**row, "because": because})
    return pd.DataFrame(rows, columns=["site_id", "verdict_before", "verdict_after", "because"])


def region_verdict_changes(
    table: SiteTable, before: Region, after: Region, day: dt.date
) -> dict[Language, list[dict[str, Any]]]:
    """Return the sites of an earlier screening whose verdict on a day is another in the later version of a region."""
    found = changed_verdicts(screen(table, before, as_of=day), screen(table, after, as_of=day))
    named = dict(zip(table.frame["id"].astype(str), table.frame["name"], strict=True))
    made: dict[Language, list[dict[str, Any]]] = {}
    for language in LANGUAGES:
        words = Words(language)
        made[language] = [
            {
                "site": row["site_id"],
                "name": str(named.get(row["site_id"]) or ""),
                "before": words("verdict", row["verdict_before"]),
                "after": words("verdict", row["verdict_after"]),
                "because": row["because"],
            }
            for row in records(found, found.columns)
        ]
    return made
