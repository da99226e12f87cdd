r"""The conflicting parts as a DXF drawing for CAD: closed polylines in the Gauss-Krüger zone of the city, labelled.

ezdxf writes the drawing as DXF R2000 with the code page ANSI_936 (GBK): in this combination Chinese is readable in CAD
programs and in GDAL. A character that GBK lacks is written as ``\U+XXXX``. The format has no coordinate reference
system, so the name of every layer states the zone.
"""

from __future__ import annotations

import lzgis.files.ezdxf_import  # noqa: F401 (before ezdxf)

# isort: split
import datetime as dt
import io
import json
import re
import textwrap
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from ezdxf import units
from ezdxf.colors import aci2rgb
from ezdxf.document import CREATED_BY_EZDXF, WRITTEN_BY_EZDXF, Drawing
from ezdxf.filemanagement import new as new_drawing
from ezdxf.lldxf.tagwriter import TagWriter
from ezdxf.tools.juliandate import juliandate
from ezdxf.version import __version__ as ezdxf_version
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.gauss_kruger import UtmZone, Zone, utm_of, utm_zone, zone_at, zone_of
from lzgis.coordinates.plane import Geometries
from lzgis.coordinates.profiles import profile
from lzgis.errors import ConfigError, ExportError
from lzgis.exports.gis.features import has_part
from lzgis.exports.gis.json import origin, origin_text
from lzgis.exports.report_text import ReportText, records, text
from lzgis.exports.symbology import symbol_of
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.report import FINDING_COLUMNS, Report, State
from lzgis.model.rules import Severity
from lzgis.words import Language

_VERSION, _ENCODING = "R2000", "gbk"
_APPLICATION = "LZGIS"
# The style of text: its font is a TrueType font with Chinese glyphs that is part of Windows. LibreCAD takes the name of the
# style for that of one of its own fonts, of which this one has most Chinese characters.
_STYLE, _FONT = "unicode", "simhei.ttf"
_TEXT_M = 6.0
# The longest label in characters, and the longest string of extended data in bytes.
_LABEL, _FACT_BYTES = 34, 255
# Decimals of coordinates in metres.
_PLACES = 6
# The provenance is one line of JSON, cut into comments of this length.
_ORIGIN, _ORIGIN_WIDTH = "provenance: ", 200
_END = "  0\nEOF\n"

#: A tag of extended data: group code and value.
Tag = tuple[int, str | float]


class _Kind(NamedTuple):
    """A layer of the drawing: the end of its name, and its AutoCAD colour index."""

    name: str
    colour: int


_SITES = _Kind("SITES", 8)
_PROHIBITED = _Kind("PROHIBITED", 1)
_CONDITIONAL = _Kind("CONDITIONAL", 30)
_SLIVER = _Kind("SLIVER", 6)
_NOT_APPLICABLE = _Kind("NOT_APPLICABLE", 9)
_NOTE = _Kind("NOTE", 7)
_HATCH = _Kind("HATCH", 8)
_LEADER = _Kind("LEADER", 8)
_KINDS = (_SITES, _HATCH, _LEADER, _NOTE)

# Characters that names of layers must not have.
_BARRED = re.compile(r'[<>/\\":;?*|=,`^%\x00-\x1f]')
# Widths of characters and the distance of lines, in heights of the text; fonts of CAD programs differ, so they are ample.
_WIDE, _NARROW, _LINE = 1.4, 0.85, 1.7
# A label is moved up or down by so many lines at most; one moved by more than `_NEAR` has a line to its part.
_MOST_LINES, _NEAR = 400, 1
# Hatching: the turn of the pattern's lines, which rise at 45°, the metres between them, and what they are at scale 1.
_HATCH_DEG, _HATCH_M, _ANSI31 = {_PROHIBITED: 0.0, _CONDITIONAL: 90.0, _SLIVER: 45.0}, 15.0, 3.175


def write_dxf(report: Report, path: str | Path, *, language: Language = "zh", zone: str | None = None) -> None:
    """Write the conflicting parts and the sites as a drawing, see `lzgis.exports.formats.ReportWriter`.

    Each ring of a part is a closed polyline, on a layer of its severity and of the city's layer that it is in, in the colour
    nearest to that layer's; where the rule is not meant for the activity, on a layer ``NOT_APPLICABLE``, without a label. It
    has, as extended data of the application ``LZGIS``, site, rule, layer, feature, state and area in m² on the ellipsoid.
    Prohibited and conditional areas of each site are hatched. Line and point sites give open polylines and points. No label
    covers another.

    Parameters
    ----------
    report, path, language
        As in `ReportWriter`.
    zone : str, optional
        The Gauss-Krüger zone of CGCS2000 to draw in, as ``EPSG:4547``; the nearest 3-degree zone, with its number before the
        eastings, if not given.

    Raises
    ------
    ExportError
        Also if the city lies in no zone.
    ConfigError
        If `zone` is no Gauss-Krüger zone of CGCS2000.
    """
    texts = ReportText(report, language)
    chosen = _zone(report) if zone is None else _declared_zone(zone, report)
    drawing = _Drawing(texts, chosen)
    drawing.draw()
    body = drawing.text()
    comments = "".join(f"999\n{_one_line(line)}\n" for line in _comments(texts, chosen))
    # After the drawing, since readers look for the code page near the beginning of the file.
    provenance = "".join(f"999\n{line}\n" for line in _provenance(report))
    whole = f"{comments}{body.removesuffix(_END)}{provenance}{_END}"
    write_bytes_atomic(path, _in_gbk(whole).replace("\n", "\r\n").encode(_ENCODING))


def _zone(report: Report) -> Zone:
    """Return the zone of the city: in China the 3-degree one whose central meridian is nearest, elsewhere that of UTM."""
    lon_deg, lat_deg = _middle(report)
    if profile(report.city.profile).zones == "utm":
        return utm_zone(lon_deg, lat_deg)
    zone = zone_at(lon_deg)
    if zone is None:
        raise ExportError(
            Message("drawing at longitude {lon:.1f}", lon=lon_deg),
            Message("lies in no 3-degree zone of CGCS2000"),
            Message("choose another format"),
        )
    return zone


def _declared_zone(code: str, report: Report) -> Zone:
    utm = profile(report.city.profile).zones == "utm"
    try:
        crs = CRS.from_user_input(code)
        found = utm_of(crs) if utm else zone_of(crs)
    except CRSError:
        found = None
    if found is None and utm:
        what = Message("'{code}' is no zone of UTM on WGS 84", code=code)
        raise ConfigError("--zone", what, Message("write one like EPSG:32630 (zone 30N)"))
    if isinstance(found, UtmZone):
        return found
    if found is None or found.datum != "CGCS2000":
        what = Message("'{code}' is no Gauss-Krüger zone of CGCS2000", code=code)
        raise ConfigError("--zone", what, Message("write one like EPSG:4547 (zone 38) or EPSG:4526 (with its number)"))
    return found


def _middle(report: Report) -> tuple[float, float]:
    """Return longitude and latitude of the middle of the city."""
    outline = report.layers.get(report.city.outline)
    frame = report.sites if outline is None or outline.frame.empty else outline.frame
    west, south, east, north = frame.total_bounds.tolist() if len(frame) else (np.nan,) * 4
    # An empty report needs a zone too; that of the middle of China will do.
    return ((west + east) / 2, (south + north) / 2) if np.isfinite(west) else (105.0, 35.0)


def _in_gbk(value: str) -> str:
    r"""Replace the characters that GBK lacks by ``\U+XXXX``, those beyond U+FFFF by two of them.

    Examples
    --------
    >>> print(_in_gbk("红线 ñ"))
    红线 \U+00F1
    """
    try:
        value.encode(_ENCODING)
        return value
    except UnicodeEncodeError:
        return "".join(one if _encodable(one) else _escaped(one) for one in value)


def _encodable(character: str) -> bool:
    try:
        return bool(character.encode(_ENCODING))
    except UnicodeEncodeError:
        return False


def _escaped(character: str) -> str:
    pairs = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\U+{pairs[i] << 8 | pairs[i + 1]:04X}" for i in range(0, len(pairs), 2))


def _one_line(value: str) -> str:
    return "".join(" " if ord(one) < 32 or 0x7F <= ord(one) < 0xA0 else one for one in value)


def _string(value: str) -> str:
    r"""Write a string on one line; a caret or a pair of percent signs would begin a code of the format.

    Examples
    --------
    >>> print(_string("红线\n50% %%"))
    红线 50% %\U+0025
    """
    return _in_gbk(_one_line(value)).replace("^", "^ ").replace("%%", "%\\U+0025")


def _cut(value: str, most: int = _LABEL) -> str:
    return value if len(value) <= most else value[: most - 1] + "…"


def _fact(name: str, value: str) -> Tag:
    """Return a string of extended data, cut to the length that the format allows."""
    most = len(value)
    while len((fact := _string(f"{name}={_cut(value, most)}")).encode(_ENCODING)) > _FACT_BYTES:
        most = min(most - 1, _FACT_BYTES)
    return 1000, fact


def _comments(texts: ReportText, zone: Zone) -> Iterator[str]:
    provenance = texts.report.provenance
    if isinstance(zone, UtmZone):
        yield f"WGS 84, UTM zone {zone.name}, {zone.code}"
    else:
        yield f"CGCS2000, {zone.width_deg}-degree Gauss-Kruger zone {zone.number}, {zone.code}"
    before = f"with zone number {zone.number} before it" if zone.prefixed else f"without zone number {zone.number}"
    yield f"X = easting {before}, Y = northing, metres"
    yield f"rules as of {provenance.as_of.isoformat()}, {provenance.rule_book} {provenance.rule_book_version}"
    yield texts.notice
    yield texts.disclaimer
    yield texts.coverage


def _provenance(report: Report) -> Iterator[str]:
    whole = origin_text(report)
    for start in range(0, len(whole), _ORIGIN_WIDTH):
        yield f"{_ORIGIN}{whole[start : start + _ORIGIN_WIDTH]}"


class _Labels:
    """Places of labels that do not cover each other: a label moves up or down until it is free."""

    def __init__(self) -> None:
        # The stretches that are taken, by line of text.
        self._taken: dict[int, list[tuple[float, float, float, float]]] = {}

    def place(self, spot: tuple[float, float], label: str) -> tuple[float, float]:
        """Return where a label begins: at `spot`, or as near above or below it as there is room."""
        width = sum(_WIDE if ord(one) > 0xFF else _NARROW for one in label) * _TEXT_M
        x, y = spot
        for step in range(_MOST_LINES):
            # 0, 1 down, 1 up, 2 down, …
            at = y + (step + 1) // 2 * (1 if step % 2 == 0 else -1) * _LINE * _TEXT_M
            box = (x, at, x + width, at + _LINE * _TEXT_M)
            rows = range(self._row(box[1]), self._row(box[3]) + 1)
            if not any(_meet(box, other) for row in rows for other in self._taken.get(row, ())):
                for row in rows:
                    self._taken.setdefault(row, []).append(box)
                return x, at
        return spot

    @staticmethod
    def _row(y: float) -> int:
        return int(y // (_LINE * _TEXT_M))


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


class _Drawing:
    """The drawing of a report in a zone."""

    def __init__(self, texts: ReportText, zone: Zone) -> None:
        self._texts, self._zone = texts, zone
        self._labels = _Labels()
        self._hatched: dict[tuple[str, _Kind], list[shapely.Geometry]] = {}
        self._file: Drawing = new_drawing(_VERSION, units=units.M)
        self._file.encoding = _ENCODING
        self._space = self._file.modelspace()
        self._file.appids.new(_APPLICATION)
        self._file.styles.new(_STYLE, dxfattribs={"font": _FONT})
        for kind in _KINDS:
            self._file.layers.add(self._layer(kind), color=kind.colour)

    def draw(self) -> None:
        """Draw sites, conflicting parts and notes, and show all of them when the drawing is opened."""
        findings = self._texts.report.findings
        unmeant = findings["state"] == State.NOT_APPLICABLE
        drawn = findings[has_part(findings) & ((findings["severity"] != Severity.NOTICE) | unmeant)]
        sites = self._texts.report.sites[has_part(self._texts.report.sites)]
        site_shapes = self._zone.project(sites.geometry.to_numpy())
        parts = self._zone.project(drawn.geometry.to_numpy())
        named = zip(sites["id"], sites["name"], site_shapes, strict=True)
        for name, title, shape in named:
            layer = self._layer(_SITES)
            self._shape(shape, layer, [_fact("site_id", text(name)), _fact("name", text(title))])
            self._label(shape, layer, _cut(f"{text(name)} {text(title)}"))
        for row, shape in zip(records(drawn, (c.name for c in FINDING_COLUMNS)), parts, strict=True):
            self._finding(row, shape)
        self._hatch()
        corner = _bounds(site_shapes)
        lowest = self._notes(corner[0], corner[1])
        west, south, east, north = _bounds(np.concatenate([site_shapes, parts]))
        self._show(west, min(south, lowest), east, north)

    def text(self) -> str:
        """Return the drawing as text; ids and dates come from the report, so that the same report gives the same text."""
        report = self._texts.report
        made_at = report.provenance.made_at
        moment = made_at.astimezone(dt.UTC) if made_at.tzinfo else made_at
        self._file.update_all()
        header, metadata = self._file.header, self._file.ezdxf_metadata()
        for name in ("$TDCREATE", "$TDUCREATE", "$TDUPDATE", "$TDUUPDATE"):
            header[name] = juliandate(moment.replace(tzinfo=None))
        whole = json.dumps(origin(report), sort_keys=True)
        for name in ("$FINGERPRINTGUID", "$VERSIONGUID"):
            header[name] = "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, name + whole)).upper() + "}"
        for name in (CREATED_BY_EZDXF, WRITTEN_BY_EZDXF):
            metadata[name] = f"{ezdxf_version} @ {made_at.isoformat()}"
        stream = io.StringIO()
        # `Drawing.write` would set the dates and ids again, by the clock and at random.
        self._file.export_sections(TagWriter(stream, dxfversion=self._file.dxfversion))
        return stream.getvalue()

    def _layer(self, kind: _Kind) -> str:
        return f"{self._zone.label}_{kind.name}"

    def _part_layer(self, row: dict[str, Any]) -> str:
        """Return the layer of a part, after its severity and the layer of the city; it is made with the colour of the latter."""
        kind = _kind(row)
        title = _BARRED.sub("_", "".join(one if _encodable(one) else "_" for one in self._texts.layer(row["layer"])))
        name = f"{self._layer(kind)}_{title}"
        if name not in self._file.layers:
            layer = self._texts.report.layers.get(row["layer"])
            colour = kind.colour if layer is None else _indexed(symbol_of(layer).line)
            self._file.layers.add(name, color=colour)
        return name

    def _finding(self, row: dict[str, Any], shape: shapely.Geometry) -> None:
        layer = self._part_layer(row)
        overruled = self._texts.override(row)
        facts = [*_facts(row, self._texts.code), *([_fact("override", overruled)] if overruled else [])]
        self._shape(shape, layer, facts)
        if _kind(row) is _NOT_APPLICABLE:
            return
        self._hatched.setdefault((text(row["site_id"]), _kind(row)), []).append(shape)
        size = f" {row['area_m2']:.2f} m2" if np.isfinite(row["area_m2"]) else ""
        mark = f" {self._texts.column('override')}" if overruled else ""
        self._label(shape, layer, _cut(self._texts.rule(row["rule"])) + size + mark)

    def _hatch(self) -> None:
        """Hatch, for each site, what is prohibited and what has conditions, once each; the layer can be switched off."""
        for (_, kind), shapes in self._hatched.items():
            areas = [one for shape in shapes for one in shapely.get_parts(shapely.get_parts([shape])) if one.area > 0]
            for part in shapely.get_parts(shapely.union_all(areas)):
                hatch = self._space.add_hatch(kind.colour, dxfattribs={"layer": self._layer(_HATCH)})
                hatch.set_pattern_fill("ANSI31", color=kind.colour, angle=_HATCH_DEG[kind], scale=_HATCH_M / _ANSI31)
                for number, ring in enumerate((part.exterior, *part.interiors)):
                    hatch.paths.add_polyline_path(_points(ring)[:-1], is_closed=True, flags=1 if number == 0 else 16)

    def _notes(self, west: float, south: float) -> float:
        """Write zone, notice and disclaimer below the sites; return the northing of the lowest line."""
        texts = self._texts
        limits = (texts.coverage, texts.other_dates_in_short)
        notes = (f"{self._zone.label} {self._zone.code}", texts.notice, texts.disclaimer, *limits)
        lowest = south
        lines = [line for note in notes if note for line in textwrap.wrap(note, _LABEL * 4)]
        for line, note in enumerate(lines):
            lowest = south - _TEXT_M * 4 * (line + 2)
            self._label(shapely.Point(west, lowest), self._layer(_NOTE), note)
        return lowest

    def _show(self, west: float, south: float, east: float, north: float) -> None:
        """Set extents, limits and the initial view."""
        self._space.dxf.extmin, self._space.dxf.extmax = (west, south, 0.0), (east, north, 0.0)
        self._space.dxf.limmin, self._space.dxf.limmax = (west, south), (east, north)
        height = max(north - south, (east - west) / 1.5, 100 * _TEXT_M)
        self._file.set_modelspace_vport(height * 1.1, ((west + east) / 2, (south + north) / 2))

    def _shape(self, shape: shapely.Geometry, layer: str, facts: Sequence[Tag]) -> None:
        """Draw a geometry part by part; each entity has the facts as extended data."""
        attributes = {"layer": layer}
        for part in shapely.get_parts(shapely.get_parts([shape])):
            entities: list[Any]
            if part.geom_type == "Polygon":
                rings = (part.exterior, *part.interiors)
                entities = [
                    self._space.add_lwpolyline(_points(ring)[:-1], "xy", close=True, dxfattribs=attributes)
                    for ring in rings
                ]
            elif part.geom_type == "Point":
                entities = [self._space.add_point(_points(part)[0], dxfattribs=attributes)]
            else:
                entities = [self._space.add_lwpolyline(_points(part), "xy", dxfattribs=attributes)]
            for entity in entities:
                entity.set_xdata(_APPLICATION, facts)

    def _label(self, shape: shapely.Geometry, layer: str, label: str) -> None:
        (spot,) = _points(shapely.point_on_surface(shape))
        written = _string(label)
        place = self._labels.place(spot, written)
        attributes = {"layer": layer, "insert": place, "style": _STYLE}
        self._space.add_text(written, height=_TEXT_M, dxfattribs=attributes)
        if abs(place[1] - spot[1]) > (_NEAR + 0.5) * _LINE * _TEXT_M:
            self._space.add_line(spot, place, dxfattribs={"layer": self._layer(_LEADER)})


@cache
def _indexed(colour: str) -> int:
    """Return the AutoCAD colour index nearest to a colour; R2000 has no other colours.

    Examples
    --------
    >>> _indexed("#ff0000"), _indexed("#a80000"), _indexed("#00ffff")
    (1, 12, 4)
    """
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    known = np.array([aci2rgb(index) for index in range(1, 250)])
    return int(np.argmin(((known - wanted) ** 2).sum(axis=1))) + 1


def _bounds(shapes: Geometries) -> tuple[float, float, float, float]:
    if not len(shapes):
        return 0.0, 0.0, 0.0, 0.0
    west, south, east, north = shapely.total_bounds(shapes).tolist()
    return west, south, east, north


def _points(shape: shapely.Geometry) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = shapely.get_coordinates(shape).round(_PLACES).tolist()
    return found


def _kind(row: dict[str, Any]) -> _Kind:
    if row["state"] == State.NOT_APPLICABLE:
        return _NOT_APPLICABLE
    if row["state"] == State.SLIVER:
        return _SLIVER
    return _PROHIBITED if row["severity"] == Severity.PROHIBITED else _CONDITIONAL


def _facts(row: dict[str, Any], code: Callable[[str], str]) -> list[Tag]:
    names = ("site_id", "rule", "layer", "feature_id", "state", "severity", "route", "open_facts", "item")
    facts = [_fact(name, code(text(row[name]))) for name in names if name in names[:6] or text(row[name])]
    return facts + [(1040, float(row["area_m2"]))] * bool(np.isfinite(row["area_m2"]))
