"""The answers of a rule book to a site beside given features: every rule in force, not only the one that a case names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lzgis.model.rules import Case, RuleBook
from lzgis.screening.cases import Scene, scene_of
from lzgis.screening.check import Shared, check_all

#: Columns of the answer to a case.
_ANSWER = ["rule", "state", "reason", "severity", "route", "open_facts", "item", "procedure", "basis", "note"]


def answers_of(book: RuleBook, cases: Sequence[Case]) -> list[pd.DataFrame]:
    """Screen the sites of cases against every rule in force on their days; cases of one day are screened together.

    For each case one row per finding. Rules whose layer the case does not place are 未核查.
    """
    # Layers of which one rule looks at several: cases that place different ones cannot share a scene.
    joint = {name for rule in book.rules if len(rule.layers) > 1 for name in rule.layers}
    groups: dict[tuple[dt.date, frozenset[str]], list[int]] = {}
    for at, case in enumerate(cases):
        groups.setdefault((case.day, frozenset(one.layer for one in case.relation) & joint), []).append(at)
    found = [pd.DataFrame(columns=_ANSWER)] * len(cases)
    for (day, _), chosen in groups.items():
        today, some = book.as_of(day), [cases[at] for at in chosen]
        scene = scene_of(some, today)
        empty = Scene(scene.subjects, {"city": scene.layers["city"]})
        with_layers, without = _rows_of(scene, today, day), _rows_of(empty, today, day)
        for number, at in enumerate(chosen):
            placed = {"city", *(one.layer for one in cases[at].relation)}
            rules = {rule.id for rule in today.rules if not placed.isdisjoint(rule.layers)}
            parts = [
                _of_site(with_layers, number, rules),
                _of_site(without, number, {one.id for one in today.rules} - rules),
            ]
            found[at] = pd.concat(parts, ignore_index=True)
    return found


def _rows_of(scene: Scene, book: RuleBook, day: dt.date) -> pd.DataFrame:
    """Return the findings of all sites of a scene, in the order of the rules."""
    tables = check_all(Shared(scene.subjects, scene.layers), day)
    names = ("site_id", *_ANSWER)
    return pd.DataFrame(
        {n: np.concatenate([np.asarray(table[n], dtype=object) for table in tables]) if tables else [] for n in names}
    )


def _of_site(rows: pd.DataFrame, number: int, rules: set[str]) -> pd.DataFrame:
    mine = rows["site_id"].eq(str(number)) & rows["rule"].isin(rules)
    return rows.loc[mine.to_numpy(), _ANSWER]
