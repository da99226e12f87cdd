"""The answer sheet to the admission lists: each clause with the facts that geometry and activity give."""

from __future__ import annotations

from lzgis.exporters.dossier import figures
from lzgis.exporters.dossier.batch import Batch, Row, Subject, meant
from lzgis.exporters.dossier.model import Column, Grid
from lzgis.exporters.rows import number, text, visible
from lzgis.model import Reason, State

#: Words by which clauses speak of a layer, beside the layer's own title.
_MENTIONS = {
    "redline": ("生态保护红线", "生态红线"),
    "protected_areas": ("自然保护地", "自然保护区", "核心保护区", "一般控制区", "自然公园"),
    "drinking_water_zones": ("水源保护区", "饮用水水源", "饮用水源"),
    "farmland": ("基本农田",),
    "town_boundary": ("城镇开发边界",),
    "industrial_parks": ("园区",),
    "river_management": ("河道管理范围", "行洪"),
    "sensitive_places": ("居民区", "学校", "医院"),
    "livestock_ban_zones": ("禁养区",),
    "reservoir_catchments": ("集水区",),
}
_RANK = {State.INVOLVED: 0, State.SLIVER: 1, State.NOT_CHECKED: 2, State.CLEAR: 3}


def answer_grids(subject: Subject) -> list[Grid]:
    """One grid for the general requirements, to be filled in, and one per unit."""
    batch = subject.batch
    units: dict[str, list[Row]] = {}
    for clause in batch.unit_lists.get(subject.id, []):
        units.setdefault(text(clause["unit_id"]), []).append(clause)
    return [_general_grid(batch), *(_unit_grid(subject, clauses) for clauses in units.values())]


def _columns(batch: Batch) -> tuple[Column, ...]:
    widths = {"heading": 1.6, "clause": 5.4, "facts": 4.2, "answer": 2.9, "explanation": 2.4}
    return tuple(batch.head(name, width) for name, width in widths.items())


def _general_grid(batch: Batch) -> Grid:
    rows = tuple((batch.say(level), "", "", batch.say("choices"), "") for level in ("province", "city-level"))
    return Grid("general", _columns(batch), rows, title=batch.say("general"), grouped="heading")


def _unit_grid(subject: Subject, clauses: list[Row]) -> Grid:
    batch = subject.batch
    first = clauses[0]
    names = {key: visible(text(first[f"unit_{key}"])) for key in ("id", "name", "class")}
    title = batch.say("unit", **names).strip()
    title += batch.say("unit-share", share=figures.percent(first["share"])) if first["share"] > 0 else ""
    rows = []
    for row in clauses:
        clause = visible(text(row["clause"]))
        facts = "\n".join(_facts(subject, clause))
        rows.append((visible(text(row["heading"])), clause, facts, batch.say("choices"), ""))
    return Grid("answers", _columns(batch), tuple(rows), title=title, grouped="heading")


def _facts(subject: Subject, clause: str) -> list[str]:
    """Say what is known of the layers that a clause speaks of; of other clauses only the activity."""
    batch = subject.batch
    facts = []
    for layer, title in batch.report.book.layers.items():
        words = {title, batch.teller.layer(layer), *_MENTIONS.get(layer, ())}
        if any(word and word in clause for word in words):
            facts += _layer_facts(subject, layer)
    facts.append(batch.say("fact-activity", activity=subject.activity))
    return list(dict.fromkeys(facts))


def _layer_facts(subject: Subject, layer: str) -> list[str]:
    """One line per rule that catches the project in a layer; if none does, one for the layer."""
    batch, teller = subject.batch, subject.batch.teller
    rules = {rule.id for rule in batch.report.book.rules if rule.layer == layer and rule.kind != "keep_away"}
    mine = [f for f in subject.findings if f["rule"] in rules and meant(f) and f["kind"] != "identify"]
    mine.sort(key=lambda f: _RANK[f["state"]])
    if not mine and layer not in batch.report.layers:
        state = teller.word("state", State.NOT_CHECKED)
        reason = batch.words("reason", Reason.LAYER_MISSING)
        return [batch.say("fact-missing", title=visible(teller.layer(layer)), state=state, reason=reason)]
    caught = [f for f in mine if _RANK[f["state"]] < 2]
    facts = []
    for found in caught or mine[:1]:
        title = teller.rule(found["rule"]) if caught else teller.layer(layer)
        line = batch.say("fact-state", title=visible(title), state=teller.word("state", found["state"]))
        size = subject.size(found) if caught else ""
        if size:
            line += batch.say("fact-size", size=size)
        elif found["state"] == State.CLEAR and number(found["distance_m"]) is not None:
            line += batch.say("fact-distance", m=figures.metres(found["distance_m"]))
        facts.append(line)
    return facts
