"""A rule of a book as text for readers: its documents first, then what it demands, its exceptions and its days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lzgis.model.rules import USUAL_ROUTES, Basis, LayerRule, Rule, RuleBook, Unless

if TYPE_CHECKING:
    from lzgis.words import Words


def rule_text(rule: Rule, book: RuleBook, words: Words) -> str:
    """Return a rule as text: one fact a line, documents with articles, days and certainty, every exception.

    Examples
    --------
    >>> from lzgis.rules.book import read_rulebook, shipped_book
    >>> from lzgis.words import Words
    >>> book = read_rulebook(shipped_book("national"))
    >>> print(rule_text(book.rule("farmland-solar"), book, Words("en")).splitlines()[1])
    Basis: Notice Zi Ran Zi Ban Fa (2023) 12 (effective 2023-03-20; read in part, check the original)
    """
    return "\n".join(_lines(rule, book, words))


def _lines(rule: Rule, book: RuleBook, words: Words) -> Iterator[str]:
    yield f"{words.title(rule.title, rule.title_en)}  [{rule.id}]"
    for basis in rule.basis:
        yield _named(words, words("column", "basis"), _document(basis, book, words))
    yield _named(words, words("column", "certainty"), words("certainty", book.certainty_of(rule.basis)))
    route = rule.route or USUAL_ROUTES[rule.severity]
    severity = [words("severity", rule.severity)]
    if not isinstance(rule, LayerRule):
        severity.append(words("route", route))
    yield _named(words, words("column", "severity"), _listed(words, severity))
    where = words.title(book.layers.get(rule.layer, rule.layer), book.layers_en.get(rule.layer, ""))
    yield _named(words, words("column", "layer"), " ".join([where, *_fields(rule.where)]))
    distance = getattr(rule, "distance_m", None)
    if distance:
        yield _named(words, words("column", "required_m"), f"{distance:g}")
    meant = [words.title(book.activities[one].title, book.activities[one].title_en) for one in rule.activities]
    yield _named(words, words("column", "activity"), _listed(words, meant) or words("explain", "every-activity"))
    days = [rule.effective_from.isoformat(), rule.effective_to.isoformat() if rule.effective_to else ""]
    yield _named(words, words("column", "effective_from"), " – ".join(days).strip())
    for column, text in (
        ("procedure", words.title(rule.procedure, rule.procedure_en)),
        ("note", words.title(rule.note, rule.note_en)),
    ):
        if text:
            yield _named(words, words("column", column), text)
    for number, one in enumerate(rule.unless, start=1):
        yield _named(words, words("explain", "exception", number=number), _exception(one, book, words))
    yield _named(words, words("explain", "cases"), str(sum(case.rule == rule.id for case in book.cases)))


def _document(basis: Basis, book: RuleBook, words: Words) -> str:
    document = book.documents[basis.document]
    known = words("certainty", book.certainty_of([basis]))
    since = [words("explain", "since", day=document.effective_from)] if document.effective_from else []
    until = [words("explain", "repealed", day=document.repealed_on)] if document.repealed_on else []
    title = words.title(document.title, document.title_en)
    article = words.title(basis.article, basis.article_en)
    note = words.title(document.note, document.note_en)
    more = _bracketed(words, [*since, *until, known, *([note] if note else [])])
    return f"{title} {article}".strip() + more


def _exception(one: Unless, book: RuleBook, words: Words) -> str:
    activities = [words.title(book.activities[each].title, book.activities[each].title_en) for each in one.activity]
    facts = [_condition(name, values, book, words) for name, values in one.facts.items()]
    answer = [words("severity", one.severity), words("route", one.route or USUAL_ROUTES[one.severity])]
    parts = [_listed(words, activities), *_fields(one.where), *facts, _listed(words, answer)]
    texts = [one.item, words.title(one.procedure, one.procedure_en), words.title(one.note, one.note_en)]
    return ("；" if words.language == "zh" else "; ").join(filter(None, [*parts, *texts]))


def _condition(name: str, values: Sequence[str], book: RuleBook, words: Words) -> str:
    fact = book.facts[name]
    said = {"yes": words("explain", "yes"), "no": words("explain", "no")}
    if words.language == "zh":
        said |= {value: others[0] for value, others in fact.words.items() if others}
    return f"{words.title(fact.title, fact.title_en)} = {' / '.join(said.get(one, one) for one in values)}"


def _fields(where: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{name} = {' / '.join(values)}" for name, values in where.items()]


def _listed(words: Words, parts: Sequence[str]) -> str:
    return ("、" if words.language == "zh" else ", ").join(dict.fromkeys(parts))


def _named(words: Words, name: str, text: str) -> str:
    return f"{name}：{text}" if words.language == "zh" else f"{name}: {text}"


def _bracketed(words: Words, parts: Sequence[str]) -> str:
    return f"（{'；'.join(parts)}）" if words.language == "zh" else f" ({'; '.join(parts)})"
