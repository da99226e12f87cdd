"""The sections on what was found: findings with their townships, the ladder of thresholds, corridors, activity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lzgis.exports.dossier import numbers
from lzgis.exports.dossier.document import Column, Grid
from lzgis.exports.dossier.project import Batch, Row, Subject, feature, meant
from lzgis.exports.report_text import number, records, text, visible
from lzgis.exports.tables.tables import mark_of, shortfall
from lzgis.model.report import Reason, State

_MOST_SUBJECTS = 6


def findings_grid(subject: Subject) -> Grid:
    """One row per layer and rule (and feature met), the gravest first."""
    batch, texts = subject.batch, subject.batch.texts
    columns = [batch.head("layer", 1.8), batch.head("rule", 2.7), batch.head("subject", 3.2)]
    columns += [batch.head("state", 1.8), *_measure_columns(subject), batch.head("share", 1.95)]
    rows = []
    for found in subject.findings:
        state = texts.word("state", found["state"])
        if found["state"] != State.CLEAR:
            state += "\n" + batch.say("severity", severity=texts.word("severity", found["severity"]))
        met = found["state"] in (State.INVOLVED, State.SLIVER)
        sizes = subject.measured(found) if met else (numbers.NONE,) * len(subject.measures)
        rows.append(
            (
                visible(texts.layer(found["layer"])),
                visible(texts.rule(found["rule"])),
                remark(subject, found),
                state,
                *_with_possible(subject, found, sizes),
                numbers.percent(found["share"]) if met else numbers.NONE,
            )
        )
    marks = tuple(mark_of(found) for found in subject.findings)
    return Grid("findings", tuple(columns), tuple(rows), marks=marks, marked="state")


def remark(subject: Subject, found: Row) -> str:
    """Say what was met, or what lies nearest, or why nothing can be said."""
    batch = subject.batch
    name = feature(found)
    lines = []
    if found["state"] == State.CLEAR and number(found["distance_m"]) is not None and meant(found):
        distance = numbers.metres(found["distance_m"])
        key = "nearest-feature" if name else "nearest-distance"
        lines.append(batch.say(key, **({"feature": name} if name else {}), m=distance))
    elif found["kind"] == "stay_inside" and name:
        lines.append(batch.say("outside-part", feature=name, m=numbers.metres(found["distance_m"])))
    elif name:
        lines.append(name)
    if number(found["required_m"]) is not None and found["state"] != State.CLEAR:
        lines.append(
            batch.say(
                "distance",
                m=numbers.metres(found["distance_m"]),
                required=numbers.plain(found["required_m"]),
            )
        )
    if found["state"] == State.SLIVER:
        lines.append(batch.say("mean-width", m=numbers.metres(found["mean_width_m"])))
    lines += [visible(said) for said in (batch.texts.reason(found), batch.texts.override(found)) if said]
    return "\n".join(lines) or numbers.NONE


def overrides_grid(subject: Subject) -> Grid | None:
    """Give the decisions by which findings of this project were overruled, with what was found when they were made."""
    batch, texts = subject.batch, subject.batch.texts
    decisions = batch.report.overrides
    rows = []
    for row in records(decisions[decisions["site_id"].astype(str) == subject.id], decisions.columns):
        then = [texts.word("state", row["state_then"]), texts.word("severity", row["severity_then"])]
        then += [numbers.square_metres(row["area_m2_then"]) + " ㎡"] if number(row["area_m2_then"]) is not None else []
        evidence = [text(row["evidence"]), texts.word("override", row["evidence_state"])]
        rows.append(
            (
                "\n".join(visible(part) for part in (texts.rule(row["rule"]), row["feature_id"]) if part),
                "\n".join(visible(part) for part in (texts.word("override", row["status"]), row["changed"]) if part),
                visible(row["reason"]),
                visible(f"{row['author']}\n{row['date']}"),
                "\n".join(visible(part) for part in evidence if part),
                batch.say("separator").join(then),
            )
        )
    names = {"rule": 2.6, "status": 2.6, "reason": 3.4, "author": 1.7, "evidence": 2.2, "then": 2.4}
    columns = tuple(Column(name, batch.words("override", f"head_{name}"), weight) for name, weight in names.items())
    return Grid("overrides", columns, tuple(rows), title=batch.say("overrides")) if rows else None


def divisions_grid(subject: Subject) -> tuple[Grid | None, str]:
    """Spread what was met over townships and villages; say how the parts were adjusted."""
    batch, texts = subject.batch, subject.batch.texts
    columns = [batch.head("rule", 3.3), batch.head("subject", 3.3), batch.head("division", 2.6)]
    columns += [*_measure_columns(subject), batch.head("share", 1.9, column="division_share")]
    rows: list[tuple[str, ...]] = []
    most = 0.0
    for found in subject.met:
        parts = batch.breakdown.get(found["position"], [])
        for level in dict.fromkeys(part["level"] for part in parts):
            here = [part for part in parts if part["level"] == level]
            title = (visible(texts.rule(found["rule"])), feature(found))
            for part in here:
                name = visible(text(part["division_name"])) or batch.say("nowhere")
                rows.append((*title, name, *_part_sizes(subject, part), numbers.percent(part["share"])))
                most = max(most, abs(part["adjustment"]))
            if len(here) > 1:
                whole = (batch.say("whole"), *subject.measured(found), numbers.percent(1.0))
                rows.append((*title, *whole))
    if not rows:
        return None, batch.say("no-divisions") if subject.met else ""
    unit = "m" if "length_m" in subject.measures else "㎡"
    note = batch.say("adjusted", most=f"{most:.3f}", unit=unit)
    return Grid("divisions", tuple(columns), tuple(rows), title=batch.say("divisions")), note


def _part_sizes(subject: Subject, part: Row) -> tuple[str, ...]:
    printed = {
        "area_m2": f"{part['area_m2']:,.2f}",
        # Hectares and mu are adjusted by themselves, so that each column sums.
        "area_ha": f"{part['area_ha']:,.4f}",
        "area_mu": f"{part['area_mu']:,.4f}",
        "length_m": f"{part['length_m']:,.3f}",
    }
    return tuple(printed[name] for name in subject.measures)


def _measure_columns(subject: Subject) -> list[Column]:
    widths = {"area_m2": 2.6, "area_ha": 2.35, "area_mu": 2.3, "length_m": 2.4}
    return [subject.batch.head(name, widths[name]) for name in subject.measures]


def _with_possible(subject: Subject, found: Row, sizes: tuple[str, ...]) -> tuple[str, ...]:
    if number(found["area_possible_m2"]) is None or found["state"] == State.CLEAR:
        return sizes
    maybe = subject.measured(found | {"area_m2": found["area_possible_m2"], "length_m": None})
    say = subject.batch.say
    return tuple(
        size if value == numbers.NONE else f"{size}\n{say('possible', value=value)}"
        for size, value in zip(sizes, maybe, strict=True)
    )


def ladder(subject: Subject) -> tuple[str, Grid | None]:
    """Give the verdicts with small overlaps disregarded, as a grid where they differ."""
    batch, verdict = subject.batch, subject.verdict
    steps = batch.report.book.tolerance.ladder_m2
    answers = list(zip(steps, verdict["ladder"], strict=False))
    told = [batch.texts.word("verdict", answer) for _, answer in answers]
    if len({verdict["verdict"], *(answer for _, answer in answers)}) <= 1:
        listed = "/".join(f"{step:g}" for step in steps)
        word = batch.texts.word("verdict", verdict["verdict"])
        return batch.say("ladder-same", steps=listed, verdict=word), None
    rows = [(batch.say("ladder-rule"), batch.texts.word("verdict", verdict["verdict"]))]
    for (step, _), word in zip(answers, told, strict=True):
        name = batch.say("ladder-step", area=f"{step:g}") if step else batch.say("ladder-none")
        rows.append((name, word))
    columns = (batch.head("threshold", 3), batch.head("verdict", 2))
    marks = (verdict["verdict"], *(answer for _, answer in answers))
    return batch.say("ladder-changes"), Grid("ladder", columns, tuple(rows), marks=marks, marked="verdict")


def corridors_grid(subject: Subject) -> Grid | None:
    """Give every distance that a rule demands of this activity."""
    batch, texts = subject.batch, subject.batch.texts
    found = [f for f in subject.findings if f["kind"] == "keep_away" and meant(f)]
    if not found:
        return None
    columns = (
        *(batch.head("rule", 2.4), batch.head("subject", 1.7), batch.head("baseline", 2.8)),
        *(batch.head("required_m", 2.3), batch.head("distance_m", 2.3), batch.head("shortfall_m", 2.3)),
        *(batch.head("band", 1.15), batch.head("state", 1.75)),
    )
    rows = tuple(
        (
            visible(texts.rule(one["rule"])),
            feature(one) or numbers.NONE,
            _baseline(batch, one),
            _pair(batch, one["required_m"], one["required_possible_m"]),
            numbers.metres(one["distance_m"]),
            _pair(
                batch,
                shortfall(one["required_m"], one["distance_m"]),
                shortfall(one["required_possible_m"], one["distance_m"]),
            ),
            texts.word("band", one["band"]) or numbers.NONE,
            texts.word("state", one["state"]),
        )
        for one in found
    )
    return Grid("corridors", columns, rows, marks=tuple(mark_of(f) for f in found), marked="state")


def _baseline(batch: Batch, found: Row) -> str:
    # What was not checked has no baseline, but a reason.
    name = batch.texts.word("baseline", found["baseline"]) or visible(batch.texts.reason(found)) or numbers.NONE
    half = number(found["half_width_m"])
    if half is None or not half:
        return name
    known = found["baseline"] == "centreline-with-half-width"
    width = numbers.plain(half)
    return f"{name}\n{batch.say('half-width-known' if known else 'half-width-assumed', m=width)}"


def _pair(batch: Batch, certain: Any, possible: Any) -> str:
    first = numbers.metres(certain)
    if number(possible) is None:
        return first
    return f"{first}\n{batch.say('possible', value=numbers.metres(possible))}"


def zones_grid(subject: Subject) -> Grid | None:
    """Say what holds for the activity in every zone met; features of which the same holds share a row."""
    batch, texts = subject.batch, subject.batch.texts
    open_rows = [f for f in subject.findings if f["reason"] == Reason.ACTIVITY_MISSING]
    merged: dict[tuple[str, ...], list[str]] = {}
    marks: dict[tuple[str, ...], str] = {}
    for found in [*(f for f in subject.met if f["kind"] != "identify"), *open_rows]:
        rule = found["rule"]
        key = (
            visible(texts.rule(rule)),
            _result(batch, found),
            visible(text(found["item"])) or numbers.NONE,
            visible(texts.translated(rule, text(found["procedure"]))) or numbers.NONE,
            visible(texts.translated(rule, text(found["note"]))) or numbers.NONE,
        )
        merged.setdefault(key, []).append(feature(found))
        marks.setdefault(key, mark_of(found))
    if not merged:
        return None
    columns = (
        *(batch.head("rule", 2.2), batch.head("subject", 2.6), batch.head("result", 1.7)),
        *(batch.head("item", 1.2), batch.head("procedure", 4.0), batch.head("note", 4.0)),
    )
    rows = tuple((rule, _listed(batch, names), result, *rest) for (rule, result, *rest), names in merged.items())
    return Grid("zones", columns, rows, marks=tuple(marks.values()), marked="result")


def _result(batch: Batch, found: Row) -> str:
    severity = batch.texts.word("severity", found["severity"])
    if found["state"] == State.NOT_CHECKED:
        return batch.say("result-open", reason=batch.texts.reason(found))
    if found["state"] == State.SLIVER:
        return batch.say("result-sliver", severity=severity)
    return severity + (batch.say("possible-only") if found["band"] == "possible" else "")


def _listed(batch: Batch, names: Iterable[str]) -> str:
    known = list(dict.fromkeys(name for name in names if name))
    told = batch.say("separator").join(known[:_MOST_SUBJECTS])
    if len(known) > _MOST_SUBJECTS:
        return batch.say("subjects-more", subjects=told, count=len(known))
    return told or numbers.NONE
