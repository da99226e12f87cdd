"""The legal texts that findings link to: each rule with its basis, and the admission lists (准入清单) of all levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lzgis.exports.report_text import ContextText, ReportText, records, text
from lzgis.model.rules import Document, Level, Rule

Pairs = list[tuple[str, str]]


def rule_texts(texts: ContextText, rule_ids: Iterable[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the texts of the rules with these ids that the rule book has, and the index of each by its id."""
    known = {rule.id: rule for rule in texts.context.book.rules}
    wanted = [known[one] for one in dict.fromkeys(rule_ids) if one in known]
    return [_rule(texts, rule) for rule in wanted], {rule.id: place for place, rule in enumerate(wanted)}


def general_texts(texts: ReportText) -> tuple[list[dict[str, Any]], dict[str, list[int]]]:
    """Return the general requirements of province and city, and the indexes of those of each site.

    A level without requirements in the rule book gets an entry that says so.
    """
    entries: dict[tuple[str, ...], int] = {}
    written: list[dict[str, Any]] = []
    for level in (Level.PROVINCE, Level.CITY):
        entries[(level, "", "", "")] = len(written)
        title = texts.words("dossier", f"level-{level}")
        sentence = texts.words("map", "general-missing", levels=title)
        written.append({"level": title, "heading": "", "clause": sentence, "source": ""})
    places: dict[str, list[int]] = {}
    for row in records(texts.report.unit_lists, map(str, texts.report.unit_lists)):
        if row["level"] == Level.UNIT:
            continue
        key = tuple(text(row[name]) for name in ("level", "heading", "clause", "basis"))
        if key not in entries:
            entries[key] = len(written)
            certainty = texts.word("certainty", text(row["certainty"]))
            title = texts.words("dossier", f"level-{key[0]}")
            source = texts.words("dossier", "clause-source", basis=key[3], certainty=certainty)
            written.append({"level": title, "heading": key[1], "clause": key[2], "source": source + text(row["note"])})
        places.setdefault(text(row["site_id"]), []).append(entries[key])
    for site in texts.report.sites["id"].astype(str):
        mine = places.setdefault(site, [])
        for missing, level in enumerate((Level.PROVINCE, Level.CITY)):
            if not any(written[i]["level"] == written[missing]["level"] for i in mine):
                # The province comes first, then the city.
                mine.insert(0 if level is Level.PROVINCE else len(mine), missing)
    return written, places


def unit_texts(texts: ReportText) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the admission list of every control unit met, and the index of each by its id."""
    units: dict[str, dict[str, Any]] = {}
    seen: set[tuple[str, str, str]] = set()
    for row in records(texts.report.unit_lists, map(str, texts.report.unit_lists)):
        if row["level"] != Level.UNIT:
            continue
        unit, heading, clause = (text(row[name]) for name in ("unit_id", "heading", "clause"))
        title = " ".join(filter(None, (unit, text(row["unit_name"]))))
        one = units.setdefault(unit, {"title": title, "class": text(row["unit_class"]), "lists": {}})
        if (unit, heading, clause) not in seen:
            seen.add((unit, heading, clause))
            one["lists"].setdefault(heading, []).append(clause)
    for one in units.values():
        one["lists"] = [[heading, clauses] for heading, clauses in one["lists"].items()]
    return list(units.values()), {unit: place for place, unit in enumerate(units)}


def _rule(texts: ContextText, rule: Rule) -> dict[str, Any]:
    title = texts.words.title
    facts: Pairs = [
        (texts.column("rule_id"), rule.id),
        (texts.column("kind"), texts.word("rule_kind", rule.kind)),
        (texts.column("severity"), texts.word("severity", rule.severity)),
        (texts.column("strength"), texts.word("strength", rule.strength)),
        (texts.column("effective_from"), rule.effective_from.isoformat()),
        (texts.column("effective_to"), "" if rule.effective_to is None else rule.effective_to.isoformat()),
        (texts.column("note"), title(rule.note, rule.note_en)),
        (texts.column("procedure"), title(rule.procedure, rule.procedure_en)),
    ]
    documents = [
        _document(texts, texts.context.book.documents[one.document], title(one.article, one.article_en))
        for one in rule.basis
    ]
    return {
        "title": title(rule.title, rule.title_en),
        "facts": _filled(facts),
        "documents": documents,
        "unless": [_unless(texts, one) for one in rule.unless],
    }


def _document(texts: ContextText, document: Document, article: str) -> dict[str, Any]:
    words, as_of = texts.words, texts.context.provenance.as_of
    repealed = ""
    if document.repealed(as_of):
        repealed = " ".join(filter(None, (str(document.repealed_on), document.repealed_by)))
    effective_from = "" if document.effective_from is None else document.effective_from.isoformat()
    facts: Pairs = [
        (words("map", "article"), article),
        (texts.column("effective_from"), effective_from),
        (texts.column("repealed"), repealed),
        (texts.column("certainty"), words("certainty", document.certainty)),
        (texts.column("note"), words.title(document.note, document.note_en)),
    ]
    return {"title": words.title(document.title, document.title_en), "facts": _filled(facts)}


def _unless(texts: ContextText, one: Any) -> dict[str, Any]:
    words = texts.words
    facts: Pairs = [
        (texts.column("severity"), words("severity", one.severity)),
        (texts.column("item"), one.item),
        (words("map", "where"), texts.code.shown(_where(one.where))),
        (texts.column("procedure"), words.title(one.procedure, one.procedure_en)),
        (texts.column("note"), words.title(one.note, one.note_en)),
    ]
    activities = words("picture", "separator").join(texts.activity(a) for a in one.activity)
    return {"title": activities, "facts": _filled(facts)}


def _where(where: Mapping[str, list[str]]) -> str:
    return "；".join(f"{name} = {' / '.join(values)}" for name, values in where.items())


def _filled(pairs: Pairs) -> Pairs:
    return [(label, value) for label, value in pairs if value]
