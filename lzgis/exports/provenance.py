"""Where a report comes from, as tables: what it is, problems, sources, layers, transforms, tolerances."""

from __future__ import annotations

import shlex

from lzgis.exports.report_text import Teller
from lzgis.exports.tables.tables import Head, Kind, Table, Value

_KINDS: dict[str, Kind] = {"count": "count", "area_before_m2": "area", "area_after_m2": "area"}
REPAIR_COLUMNS = ["place", "feature", "what", "area_before_m2", "area_after_m2", "accepted"]


def provenance_tables(teller: Teller) -> list[Table]:
    """Return the tables of the provenance, named by their keys in the wording's section ``provenance``."""
    provenance = teller.report.provenance
    pairs = ["name", "value"]
    sources: list[list[Value]] = [
        [_role(teller, s.role), s.name, s.version, s.date, _short(s.crs), s.engine, s.sha256]
        for s in provenance.sources
    ]
    problems: list[list[Value]] = [
        [teller.word("level", p.level), *(teller.words.message(part) for part in (p.place, p.what, p.remedy))]
        for p in teller.report.problems
    ]
    tolerances: list[list[Value]] = [
        [teller.word("tolerance", name), float(value)] for name, value in sorted(provenance.tolerances.items())
    ]
    return [
        _table(teller, "about", pairs, _about(teller)),
        _table(teller, "problems", ["level", "place", "what", "remedy"], problems),
        _table(teller, "repairs", REPAIR_COLUMNS, _repairs(teller)),
        _table(teller, "sources", ["role", "name", "version", "date", "crs", "engine", "sha256"], sources),
        _table(
            teller,
            "layers",
            ["layer", "title", "status", "version", "date", "basis", "confidentiality", "count"],
            _layers(teller),
        ),
        _table(teller, "transforms", ["value"], [[teller.words.message(t)] for t in provenance.transforms]),
        _table(teller, "tolerances", pairs, tolerances),
        _table(teller, "versions", pairs, [[k, v] for k, v in sorted(provenance.versions.items())]),
    ]


def _repairs(teller: Teller) -> list[list[Value]]:
    return [
        [
            teller.words.message(r.place),
            teller.words.message(r.feature),
            teller.words.message(r.what),
            r.area_before_m2,
            r.area_after_m2,
            teller.words("provenance", "yes" if r.accepted else "no"),
        ]
        for r in teller.report.provenance.repairs
    ]


def _role(teller: Teller, role: str) -> str:
    """Say what a file was read for: a layer by its title, else the projects, the rules or the catalogue."""
    named = teller.word("role", role)
    return teller.layer(role) if named == role else named


def _short(crs: str) -> str:
    # Its name in full takes three lines of a narrow column.
    return "CGCS2000" if crs == "China Geodetic Coordinate System 2000" else crs


def _about(teller: Teller) -> list[list[Value]]:
    report, provenance = teller.report, teller.report.provenance
    rows = {
        "city": teller.city,
        "adcode": report.city.adcode,
        "as_of": provenance.as_of.isoformat(),
        "made_at": provenance.made_at.isoformat(sep=" ", timespec="seconds"),
        "rule_book": f"{provenance.rule_book} {provenance.rule_book_version}",
        "crs": "EPSG:4490 (CGCS2000)",
        "plane": provenance.plane,
        "area": teller.words("provenance", "area_value"),
        "confidentiality": teller.confidentiality,
    }
    if provenance.command:
        rows["command"] = shlex.join(provenance.command)
    return [[teller.words("provenance", key), value] for key, value in rows.items()]


def _layers(teller: Teller) -> list[list[Value]]:
    rows: list[list[Value]] = []
    for layer in teller.report.layers.values():
        spec = layer.spec
        date = "" if spec.date is None else spec.date.isoformat()
        status = teller.word("status", spec.status)
        secret = teller.word("confidentiality", spec.confidentiality)
        title = teller.layer(layer.id)
        rows.append([layer.id, title, status, spec.version, date, spec.basis, secret, float(len(layer.frame))])
    return rows


def _table(teller: Teller, name: str, columns: list[str], rows: list[list[Value]]) -> Table:
    folded = {"what", "remedy", "place"}
    heads = [Head(teller.column(c), _KINDS.get(c, "text"), c in folded) for c in columns]
    return Table(name, heads, rows)
