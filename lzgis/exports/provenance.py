"""Tables of provenance: the report, problems, sources, layers, transforms, tolerances."""

from __future__ import annotations

import shlex

from lzgis.exports.gis.json import provenance_object
from lzgis.exports.report_text import ContextText
from lzgis.exports.tables.tables import Head, Kind, Table, Value
from lzgis.files.manifest import digest_of_values
from lzgis.model.report import Report

_KINDS: dict[str, Kind] = {"count": "count", "area_before_m2": "area", "area_after_m2": "area"}
REPAIR_COLUMNS = ["place", "feature", "what", "area_before_m2", "area_after_m2", "accepted"]


def provenance_tables(texts: ContextText) -> list[Table]:
    """Return the tables of the provenance; their names are keys of the wording's section ``provenance``."""
    provenance = texts.context.provenance
    pairs = ["name", "value"]
    sources: list[list[Value]] = [
        [_role(texts, s.role), s.name, s.version, s.date, _short(s.crs), s.engine, s.sha256] for s in provenance.sources
    ]
    problems: list[list[Value]] = [
        [texts.word("level", p.level), *(texts.words.message(part) for part in (p.place, p.what, p.remedy))]
        for p in texts.context.problems
    ]
    tolerances: list[list[Value]] = [
        [texts.word("tolerance", name), float(value)] for name, value in sorted(provenance.tolerances.items())
    ]
    return [
        _table(texts, "about", pairs, _about(texts)),
        *_not_covered(texts),
        _table(texts, "problems", ["level", "place", "what", "remedy"], problems),
        _table(texts, "repairs", REPAIR_COLUMNS, _repairs(texts)),
        _table(texts, "sources", ["role", "name", "version", "date", "crs", "engine", "sha256"], sources),
        _table(
            texts,
            "layers",
            ["layer", "title", "status", "version", "date", "basis", "confidentiality", "count"],
            _layers(texts),
        ),
        _table(texts, "transforms", ["value"], [[texts.words.message(t)] for t in provenance.transforms]),
        _table(texts, "tolerances", pairs, tolerances),
        _table(texts, "versions", pairs, [[k, v] for k, v in sorted(provenance.versions.items())]),
    ]


def _not_covered(texts: ContextText) -> list[Table]:
    """Return the table of the matters that a screening does not answer; other reports answer no matters."""
    if not isinstance(texts.context, Report):
        return []
    rows: list[list[Value]] = [[one.title, one.reason, one.ask] for one in texts.not_covered]
    return [_table(texts, "not_covered", ["matter", "reason", "ask"], rows)]


def _repairs(texts: ContextText) -> list[list[Value]]:
    return [
        [
            texts.words.message(r.place),
            texts.words.message(r.feature),
            texts.words.message(r.what),
            r.area_before_m2,
            r.area_after_m2,
            texts.words("provenance", "yes" if r.accepted else "no"),
        ]
        for r in texts.context.provenance.repairs
    ]


def _role(texts: ContextText, role: str) -> str:
    """Return what a file was read for, worded: the title of a layer, else sites, rules or catalogue."""
    title = texts.word("role", role)
    return texts.layer(role) if title == role else title


def _short(crs: str) -> str:
    # The full name takes three lines in a narrow column.
    return "CGCS2000" if crs == "China Geodetic Coordinate System 2000" else crs


def _about(texts: ContextText) -> list[list[Value]]:
    provenance = texts.context.provenance
    rows = {
        "city": texts.city,
        "adcode": texts.context.city.adcode,
        "as_of": provenance.as_of.isoformat(),
        "made_at": provenance.made_at.isoformat(sep=" ", timespec="seconds"),
        "rule_book": f"{provenance.rule_book} {provenance.rule_book_version}",
        "crs": "EPSG:4490 (CGCS2000)",
        "plane": provenance.plane,
        "area": texts.words("provenance", "area_value"),
        "confidentiality": texts.confidentiality,
    }
    rows["digest"] = digest_of_values(provenance_object(provenance))
    if provenance.command:
        rows["command"] = shlex.join(provenance.command)
    return [[texts.words("provenance", key), value] for key, value in rows.items()]


def _layers(texts: ContextText) -> list[list[Value]]:
    rows: list[list[Value]] = []
    for layer in texts.context.layers.values():
        spec = layer.spec
        date = "" if spec.date is None else spec.date.isoformat()
        status = texts.word("status", spec.status)
        secret = texts.word("confidentiality", spec.confidentiality)
        title = texts.layer(layer.id)
        rows.append([layer.id, title, status, spec.version, date, spec.basis, secret, float(len(layer.frame))])
    return rows


def _table(texts: ContextText, name: str, columns: list[str], rows: list[list[Value]]) -> Table:
    folded = {"what", "remedy", "place"}
    heads = [Head(texts.column(c), _KINDS.get(c, "text"), c in folded) for c in columns]
    return Table(name, heads, rows)
