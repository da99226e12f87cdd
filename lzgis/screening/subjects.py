"""The sites of a screening as rules see them: their shapes in the plane, their activities as ids of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lzgis.city.catalogue import Catalogue
from lzgis.config import nearest
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import SiteTable
from lzgis.model.rules import RuleBook
from lzgis.rules.book import activity_of
from lzgis.rules.for_sites.plane import PlaneSites


@dataclass(frozen=True, eq=False)
class Subjects:
    """The sites of a screening; tables and arrays have one row per site.

    Attributes
    ----------
    table : DataFrame
        The sites as they were read.
    activity : array of str
        Id of each site's activity in the vocabulary; empty if the site gives none.
    sites : PlaneSites
        Their shapes in the plane of the city.
    book : RuleBook
        The rules to check them against, and the vocabulary.
    encloses : array of bool
        Whether each site is a line or a point of an outline; the area that it encloses is not checked.
    """

    table: pd.DataFrame
    activity: np.ndarray
    sites: PlaneSites
    book: RuleBook
    encloses: np.ndarray

    def has_activity(self, activities: list[str]) -> np.ndarray:
        """Whether each site's activity is one of these, or a case of one."""
        wanted = frozenset(activities)
        codes, given = self._activities
        fits = np.array([bool(a) and bool(self.book.widening(a) & wanted) for a in given], dtype=bool)
        return np.asarray(fits[codes])

    @cached_property
    def _activities(self) -> tuple[np.ndarray, np.ndarray]:
        codes, given = pd.factorize(self.activity)
        return codes, np.asarray(given, dtype=object)

    @cached_property
    def names(self) -> dict[str, np.ndarray]:
        """The columns ``id`` and ``name`` of the sites."""
        return {name: self.table[name].to_numpy(dtype=object) for name in ("id", "name")}

    @cached_property
    def no_activity(self) -> np.ndarray:
        """Whether the site gives no activity."""
        return np.asarray(self.activity == "", dtype=bool)


def subjects_of(sites: SiteTable, book: RuleBook, city: Catalogue, which: np.ndarray) -> Subjects:
    """Project the sites at positions `which` to the plane of the city, and look up their activities.

    Raises
    ------
    SourceError
        If an activity is not in the vocabulary.
    """
    frame = sites.frame.iloc[which]
    ids: dict[str, str] = {"": ""}
    for row, given in zip(which, frame["activity"], strict=True):
        if given in ids:
            continue
        try:
            ids[given] = activity_of(book, given)
        except KeyError:
            raise _unknown_activity(sites, book, int(row)) from None
    activity = np.array([ids[a] for a in frame["activity"]], dtype=object)
    geometry = city.plane.project(frame.geometry.to_numpy())
    encloses = frame["id"].isin(sites.enclosing).to_numpy(dtype=bool)
    return Subjects(frame.reset_index(drop=True), activity, PlaneSites(geometry), book, encloses)


def _unknown_activity(sites: SiteTable, book: RuleBook, row: int) -> SourceError:
    given = sites.frame["activity"].iloc[row]
    titles = [a.title for a in book.activities.values()]
    allowed = nearest(given, titles)
    if not allowed.startswith("allowed"):
        allowed = Message("{near} allowed: {names}", near=allowed, names="、".join(titles))
    place = Message(
        "{name}, row {value} (site '{value2}'), activity",
        name=sites.source.name,
        value=row + 1,
        value2=sites.frame["id"].iloc[row],
    )
    return SourceError(place, Message("'{given}' is not in the vocabulary", given=given), allowed)
