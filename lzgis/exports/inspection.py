"""The diagnosis of an input: lines for the console, an HTML page with a picture, and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from lzgis.exports.outline_svg import outline_svg
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.model.report import Repair
from lzgis.screening.inspect import Contents, Sheet, System
from lzgis.words import Language, Words

#: The most items of a list that are shown; JSON has all.
_SHOWN = 20
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Line(NamedTuple):
    """A line of the diagnosis: its label and its value."""

    label: str
    value: str


def sheet_lines(sheet: Sheet, language: Language) -> list[Line]:
    """Return the lines of a diagnosis, without its problems."""
    words = Words(language)
    return [Line(words("inspect", label), value) for label, value in _lines(sheet, words) if value]


def _lines(sheet: Sheet, words: Words) -> Iterator[tuple[str, str]]:
    yield "file", sheet.name
    yield "size", f"{sheet.size_bytes:,} B" if sheet.size_bytes else ""
    yield "sha256", sheet.sha256
    yield "engine", sheet.engine
    if sheet.encoding is not None:
        yield "encoding", _decision(sheet.encoding.value, sheet.encoding.how, words)
    if sheet.system is not None:
        yield from _system_lines(sheet.system, words)
    if sheet.contents is not None:
        yield from _content_lines(sheet.contents, words)
    yield "repairs", _first([_repair_line(one, words) for one in sheet.repairs], words)
    yield "transforms", "\n".join(words.message(step) for step in sheet.transforms)


def _repair_line(repair: Repair, words: Words) -> str:
    areas = {"before": f"{repair.area_before_m2:,.2f}", "after": f"{repair.area_after_m2:,.2f}"}
    key = "repaired" if repair.accepted else "not_repaired"
    return words("inspect", key, feature=words.message(repair.feature), what=words.message(repair.what), **areas)


def _system_lines(system: System, words: Words) -> Iterator[tuple[str, str]]:
    yield "crs", _decision(f"{system.code.value} {system.name}", system.code.how, words)
    if system.zone is not None:
        zone = system.zone
        key = "zone_prefixed" if zone.prefixed else "zone_plain"
        yield "zone", words("inspect", key, width=zone.width_deg, number=zone.number, meridian=zone.meridian_deg)
    yield "axes", words.message(system.axes)


def _content_lines(contents: Contents, words: Words) -> Iterator[tuple[str, str]]:
    comma = words("inspect", "comma")
    kinds = comma.join(f"{kind or words('inspect', 'no_shape')} {n:,}" for kind, n in contents.kinds.items())
    yield "rows", words("inspect", "rows_of", rows=f"{contents.rows:,}", kinds=kinds)
    counts = {name: f"{getattr(contents, name):,}" for name in ("parts", "rings", "holes", "vertices")}
    yield "rings", words("inspect", "rings_of", **counts)
    yield "fields", comma.join(contents.fields)
    yield "areas", "\n".join(_areas(contents, words))
    same = [f"{name}: {', '.join(map(str, rows))}" for name, rows in contents.same_ids]
    yield "same_ids", _first(same, words)
    yield "same_shapes", _first([", ".join(map(str, rows)) for rows in contents.same_shapes], words)
    pairs = [f"{one.id} / {one.other_id}: {one.area_m2:,.2f} ㎡" for one in contents.overlaps]
    yield "overlaps", _first(pairs, words)
    place = contents.place
    if place is not None:
        yield "middle", f"{place.lon_deg:.6f} E, {place.lat_deg:.6f} N"
    if place is not None and math.isfinite(place.farthest_m):
        text = words("inspect", "place_of", inside=place.inside, partly=place.partly, outside=place.outside)
        if place.farthest_m > 0:
            direction = words.message(place.direction)
            text += words("inspect", "farthest", km=f"{place.farthest_m / 1000:,.1f}", direction=direction)
        yield "place", text


def _areas(contents: Contents, words: Words) -> Iterator[str]:
    for one in contents.areas:
        if one.unit:
            measured = words("inspect", f"measured_{one.measured}")
            counts = {"fitting": one.fitting, "rows": one.rows}
            yield words("inspect", "area_fits", field=one.field, unit=one.unit, measured=measured, **counts)
        else:
            yield words("inspect", "area_fits_none", field=one.field, rows=one.rows)
        for row, name, text, computed in one.misfits[:_SHOWN]:
            yield words("inspect", "area_misfit", row=row, id=name, declared=text, computed=f"{computed:,.2f}")


def _decision(value: str, how: str, words: Words) -> str:
    return words("inspect", "decided", value=value, how=words.message(how))


def _first(items: list[str], words: Words) -> str:
    more = [words("inspect", "more", count=len(items) - _SHOWN)] if len(items) > _SHOWN else []
    return "\n".join([*items[:_SHOWN], *more])


def problem_rows(sheet: Sheet, language: Language) -> dict[str, list[Line]]:
    """Return what is refused and what would be assumed, by level."""
    words = Words(language)
    rows: dict[str, list[Line]] = {"refused": [], "assumed": []}
    for part, problems in (("refused", sheet.refused), ("assumed", sheet.assumed)):
        for level in ("error", "warning", "note"):
            rows[part] += [
                Line(words("level", p.level), words.sentence(p.place, p.what, p.remedy))
                for p in problems
                if p.level == level
            ]
    return rows


def sheet_document(sheet: Sheet, *, language: Language = "zh") -> dict[str, Any]:
    """Return a diagnosis as plain values; sentences are in the language, keys and codes the same in every language."""
    words = Words(language)

    def problems(part: tuple[Any, ...]) -> list[dict[str, str]]:
        parts = ("place", "what", "remedy")
        return [{"level": p.level} | {key: words.message(getattr(p, key)) for key in parts} for p in part]

    document: dict[str, Any] = {
        "file": sheet.name,
        "size_bytes": sheet.size_bytes,
        "sha256": sheet.sha256,
        "readable": sheet.readable,
        "engine": sheet.engine,
        "encoding": None,
        "crs": None,
        "contents": None,
        "transforms": [words.message(step) for step in sheet.transforms],
        "repairs": [
            {
                "feature": words.message(r.feature),
                "what": words.message(r.what),
                "area_before_m2": r.area_before_m2,
                "area_after_m2": r.area_after_m2,
                "accepted": r.accepted,
            }
            for r in sheet.repairs
        ],
        "assumed": problems(sheet.assumed),
        "refused": problems(sheet.refused),
    }
    if sheet.encoding is not None:
        document["encoding"] = {"value": sheet.encoding.value, "how": words.message(sheet.encoding.how)}
    if sheet.system is not None:
        code, zone = sheet.system.code, sheet.system.zone
        document["crs"] = {
            "value": code.value,
            "how": words.message(code.how),
            "name": sheet.system.name,
            "axes": words.message(sheet.system.axes),
            "zone": None
            if zone is None
            else {"number": zone.number, "width_deg": zone.width_deg, "prefixed": zone.prefixed},
        }
    if sheet.contents is not None:
        document["contents"] = _contents_document(sheet.contents, words)
    return document


def _contents_document(contents: Contents, words: Words) -> dict[str, Any]:
    counts = ("rows", "kinds", "parts", "rings", "holes", "vertices")
    place = contents.place
    known = place is not None and math.isfinite(place.farthest_m)
    return {
        **{name: getattr(contents, name) for name in counts},
        "fields": list(contents.fields),
        "areas": [
            {
                "field": one.field,
                "unit": one.unit or None,
                "rows": one.rows,
                "fitting": one.fitting,
                "misfits": [
                    {"row": row, "id": name, "declared": text, "computed_m2": _finite(computed)}
                    for row, name, text, computed in one.misfits
                ],
            }
            for one in contents.areas
        ],
        "same_ids": [{"id": name, "rows": list(rows)} for name, rows in contents.same_ids],
        "same_shapes": [list(rows) for rows in contents.same_shapes],
        "overlaps": [vars(one) for one in contents.overlaps],
        "middle": None if place is None else {"lon": place.lon_deg, "lat": place.lat_deg},
        "place": None
        if place is None or not known
        else {
            "inside": place.inside,
            "partly": place.partly,
            "outside": place.outside,
            "farthest_m": place.farthest_m,
            "direction": words.message(place.direction),
        },
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_sheet_html(sheet: Sheet, path: str | Path, *, language: Language = "zh") -> None:
    """Write a diagnosis as one HTML file without scripts that makes no request and escapes all text of the input.

    Parameters
    ----------
    sheet : Sheet
        The diagnosis.
    path : path
        The file, ``*.html``.
    language : {"zh", "en"}
        The reader's language.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    text = (files("lzgis.exports") / "assets" / "inspected.html").read_text("utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(text).render(
        language=language,
        policy=_POLICY,
        words=Words(language),
        sheet=sheet,
        lines=sheet_lines(sheet, language),
        problems=problem_rows(sheet, language),
        picture=outline_svg(sheet.outline, sheet.contents.geometry) if sheet.contents is not None else "",
    )
    write_bytes_atomic(path, page.encode("utf-8", "backslashreplace"))
