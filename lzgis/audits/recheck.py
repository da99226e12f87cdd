"""Check the projects of an earlier report again after data or rules changed, as far as answers can have changed.

The answer of a rule for a site is reused if the rule is unchanged, its layers differ in some features only, and all
these features, in their old and new shape, lie farther from the site than the rule reaches and than the nearest feature
that the answer names. Everything else is checked again. The result equals that of a full screening.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from lzgis.audits.diff import SPEC_KEYS, Version, pairings, versions
from lzgis.audits.earlier_report import EarlierReport, read_report
from lzgis.audits.feature_changes import Pairing
from lzgis.city.catalogue import Catalogue, open_catalogue
from lzgis.city.provenance import date_of
from lzgis.messages import Message
from lzgis.model.audit import RECHECK_COLUMNS, Recheck
from lzgis.model.report import (
    FINDING_COLUMNS,
    HIT_STATES,
    NOT_MEANT,
    SEPARATOR,
    Problem,
    Reason,
    SiteTable,
    Source,
    State,
)
from lzgis.model.rules import Rule, RuleBook
from lzgis.rules.for_sites.baselines import HALF_WIDTH_FIELD
from lzgis.rules.for_sites.hits import Flags, Geometries
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.check import Shared, check_all, unusable_rows
from lzgis.screening.findings import citation
from lzgis.screening.subjects import Subjects, subjects_of
from lzgis.screening.verdicts import verdicts

#: Added to the distance within which a changed feature matters; far more than the error of computed distances.
_MARGIN_M = 1.0
_CITED = ("basis", "repealed", "certainty", "as_of")


def recheck(
    report: str | Path,
    city: Catalogue | str | Path,
    *,
    old: Catalogue | str | Path | None = None,
    as_of: dt.date | str | None = None,
) -> Recheck:
    """Check the projects of a report again.

    Parameters
    ----------
    report : path
        The ``report.json`` of an earlier screening.
    city : Catalogue or path
        The city as it is now.
    old : Catalogue or path, optional
        The city that the report was computed from. Without it, only a layer with an identical file is known to be
        unchanged, and a changed layer concerns every site.
    as_of : date or ISO string, optional
        The date whose rules apply now; the date of the report if not given.

    Returns
    -------
    Recheck
        The verdicts and answers that differ now, and the causes.

    Raises
    ------
    SourceError
        If the report cannot be read.
    ConfigError, LayerError
        If the catalogue, the rules or a layer of a city are not valid.

    Examples
    --------
    >>> import tempfile
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = lz.export(report, f"{folder}/report.json")
    ...     again = lz.recheck(path, city, old=city)
    >>> len(again.changes)
    0
    """
    earlier = read_report(Path(report))
    after = city if isinstance(city, Catalogue) else open_catalogue(city)
    day = date_of(as_of or earlier.as_of)
    after = after.as_of(day)
    base = after if old is None else old
    before_version, now = versions(base, after, days=(earlier.as_of if old is not None else day, day))
    situation = _Situation(earlier, before_version if old is not None else None, now, day)
    return _rechecked(situation, after)


@dataclass(frozen=True, eq=False)
class _Situation:
    """The report, the city that it was computed from (if given), the present city, and the date whose rules apply."""

    earlier: EarlierReport
    before: Version | None
    now: Version
    day: dt.date

    def whole_layers(self, pairs: Mapping[str, Pairing]) -> set[str]:
        """Return the layers with changes that may concern every site."""
        assert self.now.city is not None
        names = {*self.now.city.layers, *(self.before.layers if self.before else ())}
        if self.before is None:
            known = self.earlier.hashes
            if self.now.city.described != known.get("catalogue"):
                # The description of a layer affects answers as much as its features do.
                return names
            return {n for n in names if not self.now.city.exists(n) or known.get(n) != self._hash(n)} | {
                n for n in known if n not in names
            }
        changed = {n for n in names if (n in self.before.layers) != (n in self.now.layers)}
        return changed | {name for name, pair in pairs.items() if _altered(pair)}

    def _hash(self, layer: str) -> str:
        assert self.now.city is not None
        return self.now.city.load(layer).source.sha256

    def older_city_problems(self) -> list[Problem]:
        """Report a problem if the older city is not the one that the report was computed from."""
        if self.before is None or self.before.city is None:
            return []
        city = self.before.city
        differing = [n for n in self.before.layers if self.earlier.hashes.get(n) != city.load(n).source.sha256]
        differing += [] if frozenset(city.book.files) == self.earlier.books else [city.city.rules]
        what = Message("differs from the city of the report: {names}", names="、".join(differing))
        remedy = Message("give the folder that the report was made from; everything is checked again")
        return [Problem("warning", str(city.root), what, remedy)] if differing else []


def _altered(pair: Pairing) -> bool:
    """Return whether a layer differs in more than some of its features."""
    before, after = pair.before, pair.after
    spec = any(getattr(before.spec, key) != getattr(after.spec, key) for key in SPEC_KEYS)
    return spec or set(before.frame.columns) != set(after.frame.columns) or pair.reordered or not len(before.frame)


def _rechecked(situation: _Situation, city: Catalogue) -> Recheck:
    now, earlier = situation.now, situation.earlier
    assert now.book is not None
    book = now.book.as_of(situation.day)
    enclosing = earlier.findings.loc[earlier.findings["reason"] == Reason.AREA_ENCLOSED, "site_id"]
    table = SiteTable(earlier.sites, (), Source("sites", "report.json", ""), enclosing=frozenset(enclosing))
    subjects = subjects_of(table, book, city, np.arange(len(earlier.sites)))
    usable = np.flatnonzero(~shapely.is_missing(earlier.sites.geometry.to_numpy()))
    problems = situation.older_city_problems()
    concerned = _concerned(situation, book, subjects, usable, everything=bool(problems))
    parts = []
    for some, rules in _by_sites(concerned, book.rules):
        which = np.flatnonzero(some)
        if len(which):
            some_subjects = subjects_of(table, replace(book, rules=tuple(rules)), city, which)
            parts += check_all(Shared(some_subjects, now.layers), situation.day)
    lost = np.setdiff1d(np.arange(len(earlier.sites)), usable)
    if len(lost):
        parts += unusable_rows(subjects, lost, now.layers, situation.day)
    frames = [pd.DataFrame({c.name: part[c.name] for c in FINDING_COLUMNS}) for part in parts]
    reused = _reused(situation, book, subjects, concerned)
    findings = _in_order([*frames, *reused], subjects, book)
    after = verdicts(findings, subjects, situation.day)
    recomputed = int(sum(some.sum() for some in concerned.values()))
    return Recheck(
        sites=earlier.sites,
        changes=_changes(situation, findings, after, concerned),
        verdicts=after,
        findings=findings,
        recomputed=recomputed,
        reused=len(book.rules) * len(usable) - recomputed,
        problems=tuple(problems),
    )


def _concerned(
    situation: _Situation, book: RuleBook, subjects: Subjects, usable: np.ndarray, *, everything: bool
) -> dict[str, Flags]:
    """Return, for every rule, the sites whose answer may have changed."""
    pairs = {} if situation.before is None else pairings(situation.before, situation.now)
    whole = situation.whole_layers(pairs)
    there = np.zeros(len(subjects.sites), dtype=bool)
    there[usable] = True
    outline = situation.now.city.city.outline if situation.now.city else ""
    moved_plane = outline in whole or (outline in pairs and _any_changed(pairs[outline]))
    result = {}
    for rule in book.rules:
        if everything or moved_plane or _rule_differs(situation, book, rule) or set(rule.layers) & whole:
            result[rule.id] = there.copy()
            continue
        covers = {situation.now.layers[n].spec.coverage for n in rule.layers if n in situation.now.layers}
        if any(n in whole or (n in pairs and _any_changed(pairs[n])) for n in covers):
            result[rule.id] = there.copy()
            continue
        result[rule.id] = there & _within_reach(situation, rule, subjects, pairs)
        if not situation.earlier.says_unmeant:
            result[rule.id] |= there & ~subjects.concerned[rule.id]
    return result


def _any_changed(pair: Pairing) -> bool:
    return bool(len(pair.changed_old) or len(pair.changed_new))


def _rule_differs(situation: _Situation, book: RuleBook, rule: Rule) -> bool:
    """Return whether a rule was changed since the report, or was not in force then."""
    if situation.before is None:
        assert situation.now.book is not None
        same_files = frozenset(situation.now.book.files) == situation.earlier.books
        return not same_files or not rule.in_force(situation.earlier.as_of)
    assert situation.before.book is not None
    former = situation.before.book.as_of(situation.earlier.as_of)
    known = {r.id: r for r in former.rules}
    if known.get(rule.id) != rule or former.tolerance.sliver_width_m != book.tolerance.sliver_width_m:
        return True
    return bool(rule.activities or rule.unless) and former.activities != book.activities


def _changed_shapes(rule: Rule, pairs: Mapping[str, Pairing]) -> tuple[Geometries, float]:
    """Return the changed features of a rule's layers, in their old and new shape, and the widest half-width among them.

    If one feature of an object changed, all its features are included, because the baseline is chosen per object.
    """
    present = {name: pairs[name] for name in rule.layers if name in pairs}
    groups: set[str] = set()
    for pair in present.values():
        for layer, which in ((pair.before, pair.changed_old), (pair.after, pair.changed_new)):
            if layer.spec.group in layer.frame.columns:
                groups |= {v for v in layer.frame[layer.spec.group].iloc[which] if isinstance(v, str) and v}
    shapes, widest = [], 0.0
    for pair in present.values():
        for layer, which in ((pair.before, pair.changed_old), (pair.after, pair.changed_new)):
            keep = np.zeros(len(layer.frame), dtype=bool)
            keep[which] = True
            if layer.spec.group in layer.frame.columns:
                keep |= layer.frame[layer.spec.group].isin(groups).to_numpy()
            shapes.append(layer.index.geometries[keep])
            if HALF_WIDTH_FIELD in layer.frame.columns:
                known = pd.to_numeric(layer.frame[HALF_WIDTH_FIELD], errors="coerce")
                widest = max(widest, float(known.fillna(0.0).max()))
    return np.concatenate([np.empty(0, dtype=object), *shapes]), widest


def _within_reach(situation: _Situation, rule: Rule, subjects: Subjects, pairs: Mapping[str, Pairing]) -> Flags:
    sites = subjects.sites.geometry
    shapes, widest = _changed_shapes(rule, pairs)
    near = np.zeros(len(sites), dtype=bool)
    if not len(shapes):
        return near
    ids = subjects.table["id"]
    rows = situation.earlier.findings
    rows = rows[rows["rule"] == rule.id]
    farthest = rows.groupby("site_id")["distance_m"].max().reindex(ids).fillna(0.0).to_numpy()
    there = np.flatnonzero(~shapely.is_missing(sites))
    distance = np.full(len(sites), np.inf)
    tree = shapely.STRtree(shapes)
    (which, _), gap = tree.query_nearest(sites[there], return_distance=True, all_matches=True)
    distance[there[which]] = gap
    # Distances in the report are from the edge of a road, so features within its half-width more matter as well.
    near = distance <= np.maximum(rule.reach_m, farthest) + widest + _MARGIN_M
    # A site without an answer of this rule in the report has nothing to reuse, unless the rule is not meant for it.
    answered = np.isin(ids.to_numpy(), rows["site_id"].to_numpy())
    return np.asarray(near | (~answered & subjects.concerned[rule.id]))


def _by_sites(concerned: Mapping[str, Flags], rules: tuple[Rule, ...]) -> list[tuple[Flags, list[Rule]]]:
    """Group the rules that concern the same sites, so that they are checked together."""
    groups: dict[bytes, tuple[Flags, list[Rule]]] = {}
    for rule in rules:
        groups.setdefault(concerned[rule.id].tobytes(), (concerned[rule.id], []))[1].append(rule)
    return list(groups.values())


def _reused(
    situation: _Situation, book: RuleBook, subjects: Subjects, concerned: Mapping[str, Flags]
) -> list[pd.DataFrame]:
    """Take the answers that cannot have changed from the report, with their legal basis as of the present date."""
    ids = subjects.table["id"].to_numpy()
    here = ~shapely.is_missing(subjects.sites.geometry)
    frames = []
    for rule in book.rules:
        rows = situation.earlier.findings
        keep = set(ids[~concerned[rule.id] & here])
        rows = rows[(rows["rule"] == rule.id) & rows["site_id"].isin(keep)].copy()
        if len(rows):
            basis, repealed, certainty = citation(rule, book, situation.day)
            cited = (basis, repealed, certainty.value, situation.day.isoformat())
            frames.append(rows.assign(**dict(zip(_CITED, cited, strict=True))))
    return frames


def _in_order(frames: list[pd.DataFrame], subjects: Subjects, book: RuleBook) -> pd.DataFrame:
    names = [c.name for c in FINDING_COLUMNS]
    if not frames:
        return pd.DataFrame({name: [] for name in names})
    # The same dtypes in all tables: otherwise the dtypes of the result would depend on which tables are empty.
    typed = [
        frame.astype({c.name: "float64" if c.dtype == "float" else object for c in FINDING_COLUMNS}) for frame in frames
    ]
    rows = pd.concat(typed, ignore_index=True)[names]
    site = pd.Index(subjects.table["id"]).get_indexer(pd.Index(rows["site_id"]))
    rule = pd.Index([r.id for r in book.rules]).get_indexer(pd.Index(rows["rule"]))
    return rows.iloc[np.lexsort((rule, site))].reset_index(drop=True)


def _changes(
    situation: _Situation, findings: pd.DataFrame, after: pd.DataFrame, concerned: Mapping[str, Flags]
) -> pd.DataFrame:
    """Make a table of the answers that differ, before and after, by site and rule, with their causes."""
    answers = [_answers(frame) for frame in (situation.earlier.findings, findings)]
    was = dict(zip(situation.earlier.verdicts["site_id"], situation.earlier.verdicts["verdict"], strict=True))
    now = dict(zip(after["site_id"], after["verdict"], strict=True))
    names = dict(zip(after["site_id"], after["site_name"], strict=True))
    order = {site: i for i, site in enumerate(after["site_id"])}
    causes = _Causes(situation)
    book = {one.id for one in situation.now.book.as_of(situation.day).rules} if situation.now.book else set()

    def unmeant(site: str, rule: str) -> str:
        return State.NOT_APPLICABLE.value if rule in book and site in now else ""

    rows = []
    for site, rule in sorted({*answers[0], *answers[1]}, key=lambda key: (order.get(key[0], -1), key[1])):
        before, later = (answer.get((site, rule), unmeant(site, rule)) for answer in answers)
        if before == later:
            continue
        row = (site, names.get(site, ""), was.get(site, ""), now.get(site, ""), rule, before, later)
        rows.append((*row, causes.of(site, rule)))
    # As objects, because the causes are messages, which can be translated.
    return pd.DataFrame(rows, columns=[c.name for c in RECHECK_COLUMNS], dtype=object)


def _answers(findings: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Serialise the answers of each rule for each site as text; equal texts are equal answers."""
    lines: dict[tuple[str, str], list[str]] = {}
    columns = ["site_id", "rule", "state", "severity", "feature_id", "area_m2", "length_m", "distance_m", "reason"]
    for site, rule, state, severity, feature, area, length, distance, reason in findings[columns].itertuples(
        index=False
    ):
        # Without a finding or with one, in this version or an earlier one: the answer is 不适用.
        if reason in NOT_MEANT:
            continue
        parts = [state, *([severity] if state in HIT_STATES else []), feature, reason]
        parts += ["" if np.isnan(area) else f"{area:.2f} ㎡", "" if np.isnan(length) else f"{length:.2f} m"]
        parts.append(f"{distance:.3f} m" if state == State.CLEAR and not np.isnan(distance) else "")
        lines.setdefault((site, rule), []).append(" ".join(p for p in parts if p))
    return {key: SEPARATOR.join(sorted(texts)) for key, texts in lines.items()}


class _Causes:
    """Finds the causes of a changed answer."""

    def __init__(self, situation: _Situation) -> None:
        self._situation = situation
        now = situation.now
        assert now.book is not None
        self._book = now.book.as_of(situation.day)
        self._rules = {r.id: r for r in self._book.rules}
        self._pairs = {} if situation.before is None else pairings(situation.before, now)
        self._whole = situation.whole_layers(self._pairs)
        sites = situation.earlier.sites
        self._shape = dict(zip(sites["id"], now.plane.project(sites.geometry.to_numpy()), strict=True))

    def of(self, site: str, rule_id: str) -> str:
        """Name the rule, layers and features that changed an answer."""
        rule = self._rules.get(rule_id)
        if rule is None:
            return Message("the rule is no longer in force")
        causes: list[str] = []
        if _rule_differs(self._situation, self._book, rule):
            causes.append(Message("the rule is new or was changed"))
        causes += [Message("layer '{name}'", name=name) for name in rule.layers if name in self._whole]
        causes += self._features(site, rule)
        return _joined(dict.fromkeys(causes))

    def _features(self, site: str, rule: Rule) -> list[str]:
        """Name the changed features within reach, and those nearer than the one that the report named."""
        shape = self._shape[site]
        if shape is None:
            return []
        rows = self._situation.earlier.findings
        named = rows.loc[(rows["site_id"] == site) & (rows["rule"] == rule.id), "distance_m"].max()
        reach = max(rule.reach_m, 0.0 if np.isnan(named) else float(named)) + _MARGIN_M
        found: list[tuple[float, str]] = []
        for name in rule.layers:
            if name in self._pairs:
                pair = self._pairs[name]
                found += _near(shape, reach, name, (pair.before, pair.changed_old, pair.removed, "removed"))
                found += _near(shape, reach, name, (pair.after, pair.changed_new, pair.added, "added"))
        return [text for _, text in sorted(found)[:6]]


def _joined(parts: Iterable[str]) -> str:
    """Join messages into one that can still be translated."""
    joined = ""
    for part in parts:
        joined = Message("{first}; {second}", first=joined, second=part) if joined else part
    return joined


def _near(
    shape: shapely.Geometry, reach: float, name: str, version: tuple[PlaneLayer, np.ndarray, np.ndarray, str]
) -> list[tuple[float, str]]:
    layer, which, single, change = version
    distance = shapely.distance(shape, layer.index.geometries[which])
    changes: list[tuple[float, str]] = []
    for i in np.flatnonzero(distance <= reach):
        feature = layer.frame["id"].iloc[which[i]]
        if which[i] not in single:
            text = Message("{layer} {feature} changed", layer=name, feature=feature)
        elif change == "removed":
            text = Message("{layer} {feature} removed", layer=name, feature=feature)
        else:
            text = Message("{layer} {feature} added", layer=name, feature=feature)
        changes.append((float(distance[i]), text))
    return changes
