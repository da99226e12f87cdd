"""The layers and tables of the GIS formats: sites and conflicting parts as layers, everything else as tables.

There is one layer per shape, since most formats and styles need that: ``sites`` holds polygons, ``sites_lines`` and
``sites_points`` the others, if there are any. The same holds for ``conflicts``, for ``notices``, the parts of sites in
zones that only inform, and for ``not_applicable``, the parts in zones whose rule is not meant for the activity, if there
are any.
``findings``, ``unit_lists``, ``about`` and, if findings were overruled, ``overrides`` are tables without geometry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.coordinates.plane import CGCS2000
from lzgis.exports.codes import Codes
from lzgis.exports.provenance import provenance_tables
from lzgis.exports.report_text import ContextText, ReportText, coded, records, text
from lzgis.model.report import CITY_COLUMN, FINDING_COLUMNS, SEPARATOR, VERDICT_COLUMNS, State
from lzgis.model.report import finding_columns as columns_of
from lzgis.model.rules import Severity

Shape = Literal["polygon", "line", "point"]

GEOMETRY_TYPES: dict[Shape, str] = {"polygon": "MultiPolygon", "line": "MultiLineString", "point": "MultiPoint"}

_SHAPES: tuple[Shape, ...] = ("point", "line", "polygon")
_SUFFIXES: dict[Shape, str] = {"polygon": "", "line": "_lines", "point": "_points"}
_MULTI: dict[Shape, Any] = {
    "polygon": shapely.multipolygons,
    "line": shapely.multilinestrings,
    "point": shapely.multipoints,
}
_TITLES = (
    *("rule_title", "layer_title", "activity_title", "severity_title", "reason_title"),
    *("route_title", "facts_title"),
)

# Findings whose columns are in memory at a time.
_ROWS = 20_000

# GDAL ends a string at a NUL, and UTF-8 has no lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, eq=False)
class GisLayer:
    """A layer to write. `kind` is its name without the shape, `aliases` are the headings of columns."""

    name: str
    kind: str
    frame: pd.DataFrame
    title: str
    aliases: Mapping[str, str]
    shape: Shape | None = None


def gis_layers(texts: ReportText) -> list[GisLayer]:
    """Return a report as layers and tables in CGCS2000 (EPSG:4490)."""
    parts = [one for kind, chosen in _kinds_of_parts(texts) for one in _parts_of(texts, kind, chosen)]
    listed = _unit_lists(texts, texts.report.unit_lists)
    return [*_site_layers(texts), *parts, _finding_table(texts), listed, *_tables(texts)]


def gis_pieces(texts: ReportText) -> Iterator[list[GisLayer]]:
    """Iterate over the layers and tables that `gis_layers` returns, `_ROWS` findings at a time."""
    yield _site_layers(texts)
    for kind, chosen in _kinds_of_parts(texts):
        yield from (_parts_of(texts, kind, some) for some in _blocks(chosen))
    every = np.arange(len(texts.report.findings))
    yield from ([_finding_table(texts, some)] for some in _blocks(every))
    listed = texts.report.unit_lists
    yield from ([_unit_lists(texts, listed.take(some))] for some in _blocks(np.arange(len(listed))))
    yield _tables(texts)


def _blocks(chosen: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    return np.split(chosen, range(_ROWS, len(chosen), _ROWS))


def has_part(findings: gpd.GeoDataFrame) -> Any:
    """Return which findings have a conflicting part."""
    return ~(findings.geometry.isna() | findings.geometry.is_empty)


def site_columns(texts: ReportText, *, reserved: tuple[str, ...] = ()) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the columns of the sites and their verdicts under unique names, and the headings."""
    report = texts.report
    verdicts = report.verdicts.set_index("site_id").reindex(report.sites["id"])
    own = [c.name for c in VERDICT_COLUMNS if c.name not in ("site_id", "site_name", "activity")]
    taken = {"fid", "geom", "geometry", "verdict_title", "activity_title", *own, *reserved}
    columns: dict[str, Any] = {}
    aliases: dict[str, str] = {"id": texts.column("site_id"), "name": texts.column("site_name")}
    for label in report.sites.columns.drop(report.sites.geometry.name):
        name = unique(storable(str(label)) or "column", taken)
        columns[name] = _column(report.sites[label])
        aliases.setdefault(name, texts.column("activity") if name == "activity" else str(label))
    columns["activity_title"] = [texts.activity(a) for a in report.sites["activity"]]
    columns["verdict_title"] = [texts.word("verdict", text(v)) for v in verdicts["verdict"]]
    for name in own:
        values = verdicts[name]
        columns[name] = _column(values.map(_joined) if values.dtype == object else values)
    aliases |= {name: texts.column(name) for name in (*own, "verdict_title", "activity_title")}
    return Codes(report.city).columns(columns), aliases


def finding_columns(texts: ReportText, chosen: npt.NDArray[np.intp] | None = None) -> dict[str, Any]:
    """Return the columns of the findings, or of those at some positions, with titles beside the codes."""
    findings = texts.report.table if chosen is None else texts.report.table.take(chosen)
    columns: dict[str, Any] = {c.name: _column(findings[c.name]) for c in columns_of(findings)}
    reason = ["reason", "unchecked_share"]
    titles = {
        "rule_title": _titles(findings["rule"], texts.rule),
        "layer_title": _titles(findings["layer"], texts.layer),
        "activity_title": _titles(findings["activity"], texts.activity),
        "severity_title": _titles(findings["severity"], partial(texts.word, "severity")),
        "reason_title": coded(
            findings, reason, lambda *values: storable(texts.reason(dict(zip(reason, values, strict=True))))
        ).tolist(),
        "route_title": _titles(findings["route"], texts.route),
        "facts_title": _titles(findings["open_facts"], texts.open_facts),
    }
    if len(texts.report.overrides):
        keys = ("site_id", "rule", "feature_id")
        titles["override"] = [storable(texts.override(row)) for row in records(findings, keys)]
    if texts.words.language != "zh":
        # The rule book has them in the reader's language; codes stay.
        for name, word in (("procedure", texts.translated), ("note", texts.translated), ("basis", texts.basis_in)):
            titles[name] = coded(
                findings, ["rule", name], lambda *of, word=word: storable(word(*map(text, of)))
            ).tolist()
    every = columns | {name: pd.Series(values, dtype=object) for name, values in titles.items()}
    return Codes(texts.report.city).columns(every)


def _titles(codes: pd.Series[Any], title: Callable[[str], str]) -> list[str]:
    return coded(pd.DataFrame({"code": codes}), ["code"], lambda code: storable(title(code))).tolist()


def finding_aliases(texts: ReportText) -> dict[str, str]:
    """Return the headings of the columns of the findings."""
    return {
        name: texts.column(name) for name in (*(c.name for c in (*FINDING_COLUMNS, CITY_COLUMN)), *_TITLES, "override")
    }


def storable(value: Any) -> str:
    """Return a value as text, with what GIS formats cannot store escaped."""
    return _UNSTORABLE.sub(lambda match: f"\\x{ord(match[0]):02x}", text(value))


def unique(name: str, taken: set[str]) -> str:
    """Add a number to a name that is taken; SQLite ignores case."""
    number, found = 1, name
    while found.lower() in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found.lower())
    return found


def _site_layers(texts: ReportText) -> list[GisLayer]:
    columns, aliases = site_columns(texts)
    frame = gpd.GeoDataFrame(columns, geometry=texts.report.sites.geometry.to_numpy(), crs=CGCS2000)
    return by_shape("sites", frame, aliases, texts)


def _kinds_of_parts(texts: ReportText) -> list[tuple[str, npt.NDArray[np.intp]]]:
    """Return the kinds of layers of parts, and the positions of the findings of each."""
    table = texts.report.table
    drawn = has_part(texts.report.findings).to_numpy()
    notice = (table["severity"] == Severity.NOTICE).to_numpy()
    meant = (table["state"] != State.NOT_APPLICABLE).to_numpy()
    unmeant = np.flatnonzero(drawn & ~meant)
    return [
        ("conflicts", np.flatnonzero(drawn & meant & ~notice)),
        ("notices", np.flatnonzero(drawn & meant & notice)),
        *([("not_applicable", unmeant)] if len(unmeant) else []),
    ]


def _parts_of(texts: ReportText, kind: str, chosen: npt.NDArray[np.intp]) -> list[GisLayer]:
    frame = gpd.GeoDataFrame(finding_columns(texts, chosen), geometry=texts.report.parts(chosen), crs=CGCS2000)
    return by_shape(kind, frame, finding_aliases(texts), texts)


def _finding_table(texts: ReportText, chosen: npt.NDArray[np.intp] | None = None) -> GisLayer:
    frame = pd.DataFrame(finding_columns(texts, chosen))
    return GisLayer("findings", "findings", frame, texts.words("sheet", "findings"), finding_aliases(texts))


def _unit_lists(texts: ReportText, lists: pd.DataFrame) -> GisLayer:
    frame = pd.DataFrame(Codes(texts.report.city).columns({str(name): _column(lists[name]) for name in lists}))
    return _plain_table(texts, "unit_lists", frame)


def _tables(texts: ReportText) -> list[GisLayer]:
    """Return the tables that have few rows."""
    code = Codes(texts.report.city)
    lines = [["notice", texts.notice], ["disclaimer", texts.disclaimer], ["coverage", texts.coverage]]
    for table in provenance_tables(texts):
        lines += [[table.name, code("　".join(text(v) for v in row if text(v)))] for row in table.rows]
    about = {"name": [name for name, _ in lines], "value": [storable(value) for _, value in lines]}
    return [_plain_table(texts, "about", pd.DataFrame(about)), *_override_tables(texts), *_city_tables(texts)]


def _plain_table(texts: ReportText, name: str, frame: pd.DataFrame) -> GisLayer:
    return GisLayer(name, name, frame, texts.words("sheet", name), {one: _head(texts, one) for one in map(str, frame)})


def _city_tables(texts: ReportText) -> list[GisLayer]:
    """Return the tables of a report on several cities."""
    report = texts.report
    tables = {"city_rules": report.city_rules, "stretches": report.stretches} if len(report.stretches) else {}
    made = []
    for name, table in tables.items():
        frame = pd.DataFrame(Codes(report.city).columns({str(column): _column(table[column]) for column in table}))
        heads = {column: texts.column(column) for column in map(str, frame)}
        made.append(GisLayer(name, name, frame, texts.words("sheet", name), heads))
    return made


def _override_tables(texts: ReportText) -> list[GisLayer]:
    """Return the table of overruled findings, if there are any."""
    decisions = texts.report.overrides
    if not len(decisions):
        return []
    frame = pd.DataFrame({str(name): _column(decisions[name]) for name in decisions})
    heads = {name: texts.words("override", f"head_{name}") for name in map(str, frame) if name != "finding"}
    return [GisLayer("overrides", "overrides", frame, texts.words("sheet", "overrides"), heads)]


def _head(texts: ContextText, name: str) -> str:
    # The level of a clause; that of a problem has another heading.
    return texts.column("clause_level" if name == "level" else name)


def by_shape(kind: str, frame: gpd.GeoDataFrame, aliases: Mapping[str, str], texts: ContextText) -> list[GisLayer]:
    """Split a frame into layers of one shape; a collection goes to each layer that it has a part for.

    The title of `kind` is in the wording's section ``sheet``.
    """
    layers = []
    parts, owner = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    # Parts of a collection may be multi-geometries themselves.
    parts, inner = shapely.get_parts(parts, return_index=True)
    owner = owner[inner]
    dimension = shapely.get_dimensions(parts)
    without = ~np.isin(np.arange(len(frame)), owner)
    for shape in reversed(_SHAPES):
        here = dimension == _SHAPES.index(shape)
        which = np.unique(owner[here])
        if shape == "polygon":
            # Sites without a usable geometry go to the layer of polygons, so that none is lost.
            which = np.union1d(which, np.flatnonzero(without))
        elif len(which) == 0:
            continue
        geometries = np.full(len(frame), None, dtype=object)
        if here.any():
            _MULTI[shape](parts[here], indices=owner[here], out=geometries)
        chosen = frame.iloc[which].set_geometry(geometries[which], crs=CGCS2000)
        title = texts.words("sheet", kind)
        title = title if shape == "polygon" else f"{title} ({texts.words('shape', shape)})"
        layers.append(GisLayer(kind + _SUFFIXES[shape], kind, chosen, title, aliases, shape))
    return layers


def _column(values: pd.Series[Any]) -> pd.Series[Any]:
    """Convert a column to a type of GIS formats: integers, floats and booleans stay, all else becomes text."""
    plain = values.reset_index(drop=True)
    kind = getattr(plain.dtype, "kind", "O") if isinstance(plain.dtype, np.dtype) else "O"
    if kind == "b":
        return plain
    if kind in "iu" and plain.dtype != np.uint64:
        return plain.astype(np.int64)
    if kind == "f":
        return plain.astype(np.float64)
    # Texts are looked at once per distinct value, and equal ones are one object.
    table = pd.DataFrame({"value": plain})
    if plain.dtype == object and not all(isinstance(one, str) for one in plain.tolist()):
        stored = [None if pd.api.types.is_scalar(v) and pd.isna(v) else storable(str(v)) for v in plain.tolist()]
        return pd.Series(stored, dtype=object)
    known = coded(table, ["value"], lambda one: None if pd.isna(one) else storable(str(one)))
    return pd.Series(known.tolist(), dtype=object)


def _joined(value: Any) -> Any:
    return SEPARATOR.join(map(str, value)) if isinstance(value, (tuple, list)) else value
