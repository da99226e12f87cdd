"""What a proposed version of the city brings: its audit, the comparison with the version before, verdicts that change.

Nothing is computed here: the audit, the comparison and the second screening are those of the command line.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lzgis.audits.audit import audit
from lzgis.audits.diff import diff
from lzgis.audits.recheck import recheck
from lzgis.audits.statements import statements
from lzgis.city.catalogue import Catalogue
from lzgis.exports.audit import export_audit
from lzgis.exports.diff import diff_document, export_diff
from lzgis.exports.report_text import ContextText, records
from lzgis.model.audit import AuditReport, DiffReport
from lzgis.web.requests import LANGUAGES
from lzgis.words import Language, Words

#: Called with the name of a step, how many parts of it are done, and how many there are.
Progress = Callable[[str, int, int], None]
#: Rows of a table on the page; the files hold all of them.
_ROWS = 200


def audited(city: Catalogue, folder: Path, progress: Progress | None = None) -> dict[Language, dict[str, Any]]:
    """Audit a city, write workbook and map of that in each language, and return what the page shows."""
    found = audit(city, progress=progress)
    for language in LANGUAGES:
        for suffix in ("xlsx", "html"):
            export_audit(found, folder / f"audit-{language}.{suffix}", language=language)
    return {language: {"conflicts": len(found.conflicts), "statements": _stated(found, language)}
            for language in LANGUAGES}  # fmt: skip


def _stated(found: AuditReport, language: Language) -> list[dict[str, Any]]:
    texts = ContextText(found, language)
    rules = {rule.id: texts.words.title(rule.title, rule.title_en) for rule in found.book.audits}
    summed = statements(found)
    return [
        {
            "rule": rules.get(row["rule"], row["rule"]),
            "state": texts.words("state", row["state"]),
            "what": texts.words.message(row["what"]),
            "count": row["count"],
            "place": row["place"],
        }
        for row in records(summed.head(_ROWS), summed.columns)
    ]


def compared(before: Catalogue, after: Catalogue, folder: Path) -> dict[Language, dict[str, Any]]:
    """Compare two versions of a city, write workbook and map of that in each language, and return what the page shows."""
    found = diff(before, after)
    for language in LANGUAGES:
        for suffix in ("xlsx", "html"):
            export_diff(found, folder / f"diff-{language}.{suffix}", language=language)
    return {language: _differences(found, language) for language in LANGUAGES}


def _differences(found: DiffReport, language: Language) -> dict[str, Any]:
    words, document = Words(language), diff_document(found, language=language)
    texts = ContextText(found.setting, language)
    totals = [
        row | {"title": texts.layer(row["layer"]) if row["layer"] in found.setting.layers else row["layer"]}
        for row in document["totals"]
        if row["note"] or any(row[name] for name in ("added", "removed", "moved", "changed"))
    ]
    changes = [
        {"layer": row["layer"], "change": words("change", row["change"]), "id": row["feature_id"],
         "name": row["feature_name"], "place": row["place"], "fields": row["fields"]}
        for row in document["changes"][:_ROWS]
    ]  # fmt: skip
    return {
        "totals": totals,
        "changes": changes,
        "more": max(len(document["changes"]) - _ROWS, 0),
        "rules": [row | {"change": words("change", row["change"])} for row in document["rules"]],
        "problems": [words.sentence(one.place, one.what, one.remedy) for one in found.problems],
        "empty": found.empty,
    }


def verdict_changes(
    report: Path, before: Catalogue, after: Catalogue, day: dt.date
) -> dict[Language, list[dict[str, Any]]]:
    """Return the sites of an earlier report whose verdict on a day is another in the later version of the city."""
    found = recheck(report, after, old=before, as_of=day).verdict_changes
    made: dict[Language, list[dict[str, Any]]] = {}
    for language in LANGUAGES:
        words = Words(language)
        made[language] = [
            {
                "site": row["site_id"],
                "name": row["site_name"],
                "before": words("verdict", row["verdict_before"]) if row["verdict_before"] else "",
                "after": words("verdict", row["verdict_after"]) if row["verdict_after"] else "",
                "because": words.message(row["because"]),
            }
            for row in records(found, found.columns)
        ]
    return made
