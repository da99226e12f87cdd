r"""DXF of the conflicting parts, for CAD: closed polylines in the Gauss-Krüger zone of the city, labelled.

Written in DXF R12, which every CAD program reads, by ourselves: GDAL's driver turns polygons into hatches and writes
Chinese as bytes of no stated code page. Here every character beyond ASCII is spelled ``\U+XXXX``. The zone stands in the
name of every layer, as the format has no reference system.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely

from lzgis.coordinates.gauss_kruger import Zone, zone_at
from lzgis.errors import ExportError
from lzgis.exports.gis.features import has_part
from lzgis.exports.gis.json import origin_text
from lzgis.exports.report_text import ReportText, records, text
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, Report, State
from lzgis.model.rules import Severity
from lzgis.words import Language

_APPLICATION = "LZGIS"
_TEXT_M = 6.0
# R12 holds texts of 255 bytes, and a character may need seven.
_LONGEST = 34
# What the lines of the provenance begin with, and how much of it they hold.
_ORIGIN, _ORIGIN_WIDTH = "provenance: ", 200


class _Kind(NamedTuple):
    """A layer of the drawing: what its name ends with, and its AutoCAD colour."""

    name: str
    colour: int


_SITES = _Kind("SITES", 8)
_PROHIBITED = _Kind("PROHIBITED", 1)
_CONDITIONAL = _Kind("CONDITIONAL", 30)
_SLIVER = _Kind("SLIVER", 6)
_NOTE = _Kind("NOTE", 7)
_KINDS = (_SITES, _PROHIBITED, _CONDITIONAL, _SLIVER, _NOTE)


def write_dxf(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write the conflicting parts and the sites as a drawing; the same report gives the same bytes.

    Each ring of a part is a closed polyline on a layer of its severity and carries, as extended data of the application
    ``LZGIS``, site, rule, layer, feature, state and area in m² on the ellipsoid. Line and point sites give open
    polylines and points.

    Parameters
    ----------
    report : Report
        What to write.
    path : path
        The file, ``*.dxf``.
    language : {"zh", "en"}
        Language of labels and notes.

    Raises
    ------
    ExportError
        If the file cannot be written, or the city lies in no zone.
    """
    texts = ReportText(report, language)
    zone = _zone(report)
    lines = [*_comments(texts, zone), *_head(zone), *_entities(texts, zone), (0, "EOF")]
    data = "".join(f"{code:>3}\r\n{_spelled(value)}\r\n" for code, value in lines).encode("ascii")
    write_bytes_atomic(path, data)


def _zone(report: Report) -> Zone:
    """Return the zone of the city: the 3-degree one whose central meridian is nearest."""
    longitude_deg = _longitude_deg(report)
    zone = zone_at(longitude_deg)
    if zone is None:
        raise ExportError(
            Message("drawing at longitude {lon:.1f}", lon=longitude_deg),
            Message("lies in no 3-degree zone of CGCS2000"),
            Message("choose another format"),
        )
    return zone


def _longitude_deg(report: Report) -> float:
    outline = report.layers.get(report.city.outline)
    frames = [report.sites] if outline is None or outline.frame.empty else [outline.frame]
    west, _, east, _ = frames[0].total_bounds.tolist() if len(frames[0]) else (np.nan,) * 4
    # A report of nothing needs a zone all the same; that of the middle of China will do.
    return (west + east) / 2 if np.isfinite(west) else 105.0


def _spelled(value: object) -> str:
    r"""Spell a value in ASCII on one line.

    Examples
    --------
    >>> _spelled("红线\n")
    '\\U+7EA2\\U+7EBF '
    """
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, int):
        return str(value)
    return "".join(_character(c) for c in str(value))


def _character(one: str) -> str:
    if ord(one) < 32 or 0x7F <= ord(one) < 0xA0:
        return " "
    if ord(one) < 0x80:
        # A caret or a percent sign pair would begin a code of the format.
        return {"^": "^ ", "%": "\\U+0025"}.get(one, one)
    units = one.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\U+{units[i] << 8 | units[i + 1]:04X}" for i in range(0, len(units), 2))


_Pair = tuple[int, object]


def _comments(texts: ReportText, zone: Zone) -> Iterator[_Pair]:
    origin = texts.report.provenance
    yield 999, f"CGCS2000, 3-degree Gauss-Kruger zone {zone.number}, {zone.code}"
    yield 999, f"X = easting with zone number {zone.number} before it, Y = northing, metres"
    yield 999, f"rules as of {origin.as_of.isoformat()}, {origin.rule_book} {origin.rule_book_version}"
    for told in (texts.notice, texts.disclaimer):
        yield 999, told
    # A line of a drawing holds 255 characters; together these are one line of JSON.
    whole = origin_text(texts.report)
    for start in range(0, len(whole), _ORIGIN_WIDTH):
        yield 999, f"{_ORIGIN}{whole[start : start + _ORIGIN_WIDTH]}"


def _head(zone: Zone) -> Iterator[_Pair]:
    yield from ((0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1009"), (9, "$INSUNITS"), (70, 6))
    yield from ((0, "ENDSEC"), (0, "SECTION"), (2, "TABLES"))
    yield from ((0, "TABLE"), (2, "LTYPE"), (70, 1), (0, "LTYPE"), (2, "CONTINUOUS"), (70, 64))
    yield from ((3, "Solid line"), (72, 65), (73, 0), (40, 0.0), (0, "ENDTAB"))
    yield from ((0, "TABLE"), (2, "LAYER"), (70, len(_KINDS)))
    for kind in _KINDS:
        yield from ((0, "LAYER"), (2, f"{zone.label}_{kind.name}"), (70, 64), (62, kind.colour), (6, "CONTINUOUS"))
    yield from ((0, "ENDTAB"), (0, "TABLE"), (2, "STYLE"), (70, 1), (0, "STYLE"), (2, "STANDARD"), (70, 64))
    # A TrueType font with Chinese glyphs that Windows has; a bigfont would need a file of the CAD program.
    yield from ((40, 0.0), (41, 1.0), (50, 0.0), (71, 0), (42, _TEXT_M), (3, "simhei.ttf"), (4, ""), (0, "ENDTAB"))
    yield from ((0, "TABLE"), (2, "APPID"), (70, 1), (0, "APPID"), (2, _APPLICATION), (70, 64), (0, "ENDTAB"))
    yield 0, "ENDSEC"


def _entities(texts: ReportText, zone: Zone) -> Iterator[_Pair]:
    yield from ((0, "SECTION"), (2, "ENTITIES"))
    findings = texts.report.findings
    drawn = findings[has_part(findings) & (findings["severity"] != Severity.NOTICE)]
    sites = texts.report.sites[has_part(texts.report.sites)]
    for name, title, shape in zip(sites["id"], sites["name"], zone.project(sites.geometry.to_numpy()), strict=True):
        facts: list[_Pair] = [(1000, f"site_id={text(name)}"), (1000, f"name={text(title)}")]
        yield from _shape(shape, f"{zone.label}_{_SITES.name}", facts)
        yield from _label(shape, f"{zone.label}_{_SITES.name}", _cut(f"{text(name)} {text(title)}"))
    rows = records(drawn, (c.name for c in FINDING_COLUMNS))
    for row, shape in zip(rows, zone.project(drawn.geometry.to_numpy()), strict=True):
        layer = f"{zone.label}_{_kind(row).name}"
        overruled = texts.override(row)
        yield from _shape(shape, layer, [*_facts(row), *([(1000, f"override={_cut(overruled)}")] if overruled else [])])
        size = f" {row['area_m2']:.2f} m2" if np.isfinite(row["area_m2"]) else ""
        mark = f" {texts.column('override')}" if overruled else ""
        yield from _label(shape, layer, _cut(texts.rule(row["rule"])) + size + mark)
    corner = shapely.total_bounds(zone.project(sites.geometry.to_numpy())) if len(sites) else (0.0, 0.0, 0.0, 0.0)
    notes = [f"{zone.label} {zone.code}", texts.notice, texts.disclaimer]
    for line, note in enumerate(n for n in notes if n):
        at = shapely.Point(corner[0], corner[1] - _TEXT_M * 4 * (line + 2))
        yield from _label(at, f"{zone.label}_{_NOTE.name}", note[: _LONGEST * 4])
    yield 0, "ENDSEC"


def _kind(row: dict[str, Any]) -> _Kind:
    if row["state"] == State.SLIVER:
        return _SLIVER
    return _PROHIBITED if row["severity"] == Severity.PROHIBITED else _CONDITIONAL


def _facts(row: dict[str, Any]) -> list[_Pair]:
    names = ("site_id", "rule", "layer", "feature_id", "state", "severity")
    facts: list[_Pair] = [(1000, f"{name}={_cut(text(row[name]))}") for name in names]
    return facts + [(1040, float(row["area_m2"]))] * bool(np.isfinite(row["area_m2"]))


def _cut(told: str) -> str:
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"


def _shape(shape: Any, layer: str, facts: list[_Pair]) -> Iterator[_Pair]:
    """Draw a geometry part by part; each entity carries the facts."""
    extended: list[_Pair] = [(1001, _APPLICATION), *facts]
    for part in shapely.get_parts(shapely.get_parts([shape])):
        if part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                yield from _polyline(shapely.get_coordinates(ring)[:-1], layer, 1, extended)
        elif part.geom_type == "Point":
            yield from ((0, "POINT"), (8, layer), (10, part.x), (20, part.y), (30, 0.0))
            yield from extended
        else:
            yield from _polyline(shapely.get_coordinates(part), layer, 0, extended)


def _polyline(xy: Any, layer: str, closed: int, extended: list[_Pair]) -> Iterator[_Pair]:
    yield from ((0, "POLYLINE"), (8, layer), (66, 1), (10, 0.0), (20, 0.0), (30, 0.0), (70, closed))
    yield from extended
    for x, y in xy.tolist():
        yield from ((0, "VERTEX"), (8, layer), (10, x), (20, y), (30, 0.0))
    yield from ((0, "SEQEND"), (8, layer))


def _label(shape: Any, layer: str, told: str) -> Iterator[_Pair]:
    spot = shapely.point_on_surface(shape)
    yield from (
        (0, "TEXT"),
        (8, layer),
        (10, spot.x),
        (20, spot.y),
        (30, 0.0),
        (40, _TEXT_M),
        (1, told),
        (7, "STANDARD"),
    )
