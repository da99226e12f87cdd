"""KML 2.2 for map programs that read nothing else (奥维互动地图, Google Earth): the sites by verdict, the conflicting parts.

Coordinates are longitude and latitude on WGS 84, which differs from CGCS2000 by less than a metre; they are not shifted to
GCJ-02. Programs that show a shifted map, as 奥维 does, shift what they open themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import shapely

from lzgis.exports.gis.features import finding_columns, has_part, site_columns, storable
from lzgis.exports.gis.json import origin_text
from lzgis.exports.report_text import ReportText, text
from lzgis.exports.symbology import PART_COLOURS, SLIVER_COLOUR, VERDICT_COLOURS
from lzgis.files.atomic_write import write_texts_atomic
from lzgis.model.codes import CHINESE
from lzgis.model.report import Report, State
from lzgis.model.rules import Severity
from lzgis.words import Language

_OPACITY = {"site": 0x40, "part": 0x80}
#: Columns of a site and of a finding that a placemark states, in this order.
_SITE = ("id", "name", "activity_title", "verdict_title", "prohibited", "conditional", "not_checked", "nearest_m")
_PART = ("site_id", "site_name", "rule_title", "layer_title", "feature_name", "state", "severity_title", "area_m2",
         "length_m", "distance_m", "procedure")  # fmt: skip


def write_kml(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write the sites and the conflicting parts as KML, see `lzgis.exports.formats.ReportWriter`."""
    write_texts_atomic(path, _document(ReportText(report, language)))


def _document(texts: ReportText) -> Iterator[str]:
    said = (texts.notice, texts.disclaimer, texts.confidentiality, texts.coverage, texts.other_dates)
    notes = "\n".join(filter(None, said))
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
    yield f"<name>{_escaped(texts.words('map', 'title', city=texts.city))}</name>\n"
    yield f"<description>{_escaped(notes)}</description>\n"
    for name, colour in VERDICT_COLOURS.items():
        yield _style(f"verdict-{_key(VERDICT_COLOURS, name)}", colour, _OPACITY["site"])
    for severity in (Severity.PROHIBITED, Severity.CONDITIONAL):
        yield _style(f"part-{severity}", PART_COLOURS[severity], _OPACITY["part"])
    yield _style("part-sliver", SLIVER_COLOUR, _OPACITY["part"])
    origin = _escaped(origin_text(texts.report))
    yield f'<ExtendedData><Data name="provenance"><value>{origin}</value></Data></ExtendedData>\n'
    yield from _folder(texts.words("sheet", "sites"), _sites(texts))
    yield from _folder(texts.words("sheet", "conflicts"), _parts(texts))
    yield "</Document>\n</kml>\n"


def _sites(texts: ReportText) -> Iterator[str]:
    columns, aliases = site_columns(texts)
    shapes = texts.report.sites.geometry.to_numpy()
    for row, values in enumerate(_rows(columns, len(shapes))):
        verdict = CHINESE.get(values["verdict"], values["verdict"])
        style = f"verdict-{_key(VERDICT_COLOURS, verdict)}" if verdict in VERDICT_COLOURS else ""
        title = f"{text(values['id'])} {text(values.get('name'))}".strip()
        yield _placemark(title, _facts(values, _SITE, aliases), style, shapes[row])


def _parts(texts: ReportText) -> Iterator[str]:
    findings = texts.report.findings
    grave = (has_part(findings) & (findings["severity"] != Severity.NOTICE)).to_numpy()
    columns = finding_columns(texts, np.flatnonzero(grave))
    aliases = {name: texts.column(name) for name in _PART}
    shapes = texts.report.parts(grave)
    for row, values in enumerate(_rows(columns, int(grave.sum()))):
        kind = "sliver" if CHINESE.get(values["state"], values["state"]) == State.SLIVER else values["severity"]
        title = f"{text(values['site_id'])} {values['rule_title']}"
        values["state"] = texts.word("state", values["state"])
        yield _placemark(title, _facts(values, _PART, aliases), f"part-{kind}", shapes[row])


def _rows(columns: Mapping[str, Any], count: int) -> Iterator[dict[str, Any]]:
    lists = {name: list(values) for name, values in columns.items()}
    return ({name: values[row] for name, values in lists.items()} for row in range(count))


def _facts(values: Mapping[str, Any], names: Iterable[str], aliases: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the columns that hold something: name, heading, and value as text; lengths and areas to two decimals."""
    found = []
    for name in names:
        value = values.get(name)
        if shown := _number(value) if isinstance(value, float) else text(value):
            found.append((name, aliases.get(name, name), shown))
    return found


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else ""


def _folder(title: str, placemarks: Iterator[str]) -> Iterator[str]:
    yield f"<Folder>\n<name>{_escaped(title)}</name>\n"
    yield from placemarks
    yield "</Folder>\n"


def _placemark(title: str, facts: list[tuple[str, str, str]], style: str, shape: Any) -> str:
    described = "\n".join(f"{heading}: {value}" for _, heading, value in facts)
    data = "".join(
        f"<Data name={quoteattr(name)}><displayName>{_escaped(heading)}</displayName>"
        f"<value>{_escaped(value)}</value></Data>"
        for name, heading, value in facts
    )
    parts = [
        f"<name>{_escaped(title)}</name><description>{_escaped(described)}</description>",
        f"<styleUrl>#{style}</styleUrl>" if style else "",
        f"<ExtendedData>{data}</ExtendedData>",
        "" if shape is None or shape.is_empty else _geometry(shape),
    ]
    return f"<Placemark>{''.join(parts)}</Placemark>\n"


def _geometry(shape: Any) -> str:
    if hasattr(shape, "geoms"):
        return f"<MultiGeometry>{''.join(map(_geometry, shape.geoms))}</MultiGeometry>"
    if shape.geom_type == "Polygon":
        oriented = shapely.orient_polygons(shape)
        inner = "".join(f"<innerBoundaryIs>{_ring(one)}</innerBoundaryIs>" for one in oriented.interiors)
        return f"<Polygon><outerBoundaryIs>{_ring(oriented.exterior)}</outerBoundaryIs>{inner}</Polygon>"
    kind = "Point" if shape.geom_type == "Point" else "LineString"
    return f"<{kind}>{_coordinates(shape)}</{kind}>"


def _ring(ring: Any) -> str:
    return f"<LinearRing>{_coordinates(ring)}</LinearRing>"


def _coordinates(shape: Any) -> str:
    pairs = " ".join(f"{x!r},{y!r}" for x, y in shapely.get_coordinates(shape).tolist())
    return f"<coordinates>{pairs}</coordinates>"


def _style(name: str, colour: str, opacity: int) -> str:
    # KML writes colours as opacity, blue, green, red.
    line = f"{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()
    return (
        f'<Style id="{name}"><IconStyle><color>ff{line}</color></IconStyle>'
        f"<LineStyle><color>ff{line}</color><width>2</width></LineStyle>"
        f"<PolyStyle><color>{opacity:02x}{line}</color></PolyStyle></Style>\n"
    )


def _key(known: Mapping[Any, Any], name: Any) -> int:
    """Return the position of a verdict: ids in XML are ASCII."""
    return list(known).index(name)


def _escaped(value: str) -> str:
    """Return text for XML, which has no control characters except tab and line breaks."""
    kept = "".join(
        one for one in storable(value) if one in "\t\n\r" or (ord(one) >= 32 and ord(one) not in (0xFFFE, 0xFFFF))
    )
    return escape(kept)
