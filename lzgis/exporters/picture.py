"""The overview map as a picture: layers, sites by verdict, conflicting parts; for print on A4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.style
import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from lzgis.errors import ExportError
from lzgis.exporters.backdrop import draw_backdrop
from lzgis.exporters.cartography import (
    Frame,
    Geometries,
    draw_graticule,
    draw_north_arrow,
    draw_scale_bar,
    frame_around,
    halo,
    of_dimension,
    paths,
)
from lzgis.exporters.files import put
from lzgis.exporters.lettering import font, printable, shortened, width_mm
from lzgis.exporters.marginalia import (
    FOOT_LINE_MM,
    FOOT_PT,
    GAP_MM,
    LEAST_LEGEND_MM,
    LEFT_MM,
    MOST_LEGEND_MM,
    PAGE_MM,
    RIGHT_MM,
    TOP_MM,
    Entry,
    draw_heads,
    draw_legend,
    foot_lines,
    layer_title,
)
from lzgis.exporters.rows import VERDICT_COLOURS, Teller, text
from lzgis.measure import Plane, plane_for
from lzgis.model import Layer, Report, State
from lzgis.rule import Severity
from lzgis.words import Language

_DPI = 200

#: A site smaller than this on paper gets a sign as well; and how many names a map can bear.
_SMALL_MM = 3.0
_MOST_LABELS = 40

_MARKERS = dict(zip(VERDICT_COLOURS, "X^so", strict=True))
#: From the lightest to the gravest: the gravest is drawn last.
_ORDER = list(reversed(VERDICT_COLOURS))
_CONFLICT, _SLIVER = "#d50000", "#8e24aa"


class _Map(NamedTuple):
    """What the parts of the map are drawn with."""

    axes: Axes
    frame: Frame
    plane: Plane
    teller: Teller


def write_picture(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write an overview map of the city and the sites; the same report gives the same bytes.

    Drawn in the city's equal-area plane, with a font that comes along. Layers are generalised to what
    the page can show; the findings are not touched by that.

    Parameters
    ----------
    report : Report
        What to draw.
    path : path
        The file: ``*.png``, ``*.pdf`` or ``*.svg``.
    language : {"zh", "en"}
        Language of title and legend.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _METADATA:
        raise ExportError(str(path), f"a picture cannot be '{path.suffix}'", f"use one of {', '.join(_METADATA)}")
    # The reader's own matplotlib settings must neither show in the map nor be changed by it.
    with matplotlib.style.context(["default", {"text.parse_math": False, "svg.hashsalt": "lzgis"}]):
        figure = draw(report, language=language)
        put(path, lambda made: figure.savefig(made, dpi=_DPI, metadata=_METADATA[suffix]))


# What would differ from one time to the next.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


def draw(report: Report, *, language: Language = "zh") -> Figure:
    """Return the map as a figure, for a notebook or a format of one's own."""
    teller = Teller(report, language)
    plane = plane_for(_bounds(report))
    width, height = PAGE_MM
    figure = Figure(figsize=(width / 25.4, height / 25.4))
    page = figure.add_axes((0.0, 0.0, 1.0, 1.0), xlim=(0, width), ylim=(0, height))
    page.set_axis_off()
    notes = foot_lines(teller)
    bottom = 9.5 + FOOT_LINE_MM * (len(notes) + 1)
    widest = width - LEFT_MM - GAP_MM - LEAST_LEGEND_MM - RIGHT_MM
    frame = frame_around(_projected_bounds(report, plane), widest, height - TOP_MM - bottom)
    legend = min(MOST_LEGEND_MM, width - LEFT_MM - frame.width_mm - GAP_MM - RIGHT_MM)
    left = max(LEFT_MM, (width - frame.width_mm - GAP_MM - legend) / 2)
    axes = figure.add_axes(
        (left / width, bottom / height, frame.width_mm / width, frame.height_mm / height),
        xlim=(frame.west, frame.east),
        ylim=(frame.south, frame.north),
        xticks=[],
        yticks=[],
    )
    entries, more = _draw_map(_Map(axes, frame, plane, teller))
    room = (left + frame.width_mm + GAP_MM, bottom, legend, frame.height_mm)
    draw_legend(page, entries, teller.words("picture", "legend"), room)
    draw_heads(page, teller, left)
    for number, line in enumerate([*notes, teller.words("picture", "separator").join(more)]):
        place = (left, bottom - 8.5 - FOOT_LINE_MM * number)
        page.text(*place, printable(line), va="top", fontproperties=font(FOOT_PT), color="#333333")
    return figure


def _draw_map(chart: _Map) -> tuple[list[Entry], list[str]]:
    """Draw everything inside the frame; return the legend and what a reader must be told."""
    report, words = chart.teller.report, chart.teller.words
    if report.backdrop is not None:
        draw_backdrop(chart.axes, report.backdrop, chart.frame, chart.plane)
        _veil(chart)
    layers = [entry for layer in _drawn(report) for entry in _draw_layer(chart, layer)]
    sites, more = _draw_sites(chart)
    conflicts = _draw_conflicts(chart)
    draw_graticule(chart.axes, chart.frame, chart.plane)
    draw_scale_bar(chart.axes, chart.frame, words, PAGE_MM)
    draw_north_arrow(chart.axes, chart.frame, words)
    entries = [
        Entry(words("picture", "sites")),
        *sites,
        *conflicts,
        Entry(words("picture", "layers")),
        *layers,
    ]
    return entries, more


def _veil(chart: _Map) -> None:
    """Lighten the relief outside the city, so that the city stands out; other layers lie above."""
    outline = chart.teller.report.layers.get(chart.teller.report.city.outline)
    if outline is None:
        return
    frame = chart.frame
    city = shapely.union_all(chart.plane.project(outline.frame.geometry.to_numpy()))
    outside, _ = of_dimension([shapely.box(frame.west, frame.south, frame.east, frame.north) - city], 2)
    look: dict[str, Any] = {"facecolor": (1, 1, 1, 0.6), "edgecolor": "none"}
    chart.axes.add_collection(PathCollection(paths(outside), **look, zorder=1), autolim=False)


def _bounds(report: Report) -> tuple[float, float, float, float]:
    """Bounds of what the map is about: the city, or without an outline its layers, or the sites."""
    outline = report.layers.get(report.city.outline)
    frames = [layer.frame for layer in ([outline] if outline else report.layers.values())]
    found = [f.total_bounds for f in (*frames, report.sites) if len(f) and np.isfinite(f.total_bounds).all()]
    if not found:
        return (0.0, 0.0, 1.0, 1.0)
    every = np.array(found[:1] if outline else found[: len(frames)] or found)
    (west, south), (east, north) = every[:, :2].min(axis=0), every[:, 2:].max(axis=0)
    return (float(west), float(south), float(east), float(north))


def _projected_bounds(report: Report, plane: Plane) -> npt.NDArray[np.float64]:
    edge = shapely.box(*_bounds(report)).segmentize(0.05)
    return np.asarray(shapely.total_bounds(plane.project([edge])), dtype=float)


def _drawn(report: Report) -> Iterator[Layer]:
    """Go through the layers to draw, polygons below lines below points, else in the catalogue's order."""
    shown = [layer for layer in report.layers.values() if layer.spec.style.shown and len(layer.frame)]
    yield from sorted(shown, key=lambda layer: ("polygon", "line", "point").index(layer.spec.geometry))


def _draw_layer(chart: _Map, layer: Layer) -> list[Entry]:
    style = layer.spec.style
    title = layer_title(chart.teller, layer)
    # A tenth of the thinnest line: nothing that the page could show is lost.
    shapes = shapely.simplify(chart.plane.project(layer.frame.geometry.to_numpy()), chart.frame.m_per_mm * 0.02)
    values = layer.frame[style.by].map(text).to_numpy() if style.by in layer.frame else None
    if values is None or not style.colours:
        return [Entry(title, *_draw_shapes(chart, layer, shapes, style.fill, style.stroke))]
    entries = [Entry(title, "text")]
    known = [value for value in style.colours if (values == value).any()]
    rest = ~np.isin(values, known)
    if rest.any():
        entries[0] = Entry(title, *_draw_shapes(chart, layer, shapes[rest], style.fill, style.stroke))
    for value in known:
        colour = style.colours[value]
        stroke = style.stroke if layer.spec.geometry == "polygon" else colour
        sign = _draw_shapes(chart, layer, shapes[values == value], colour, stroke)
        entries.append(Entry(value, *sign, inset=True))
    return entries


def _draw_shapes(
    chart: _Map, layer: Layer, shapes: Geometries, fill: str | None, stroke: str
) -> tuple[str, dict[str, Any]]:
    """Draw geometries in one style; return the sign and style of their line in the legend."""
    style = layer.spec.style
    outline = layer.spec.role == "outline"
    # Screen pixels of the catalogue to points of a small map.
    line: dict[str, Any] = {"linewidth": style.width * 0.55, "edgecolor": stroke}
    if style.dash:
        line["linestyle"] = (0, tuple(float(part) for part in style.dash.split()))
    rgb = matplotlib.colors.to_rgb(fill) if fill else (0.0, 0.0, 0.0)
    polygons = {"facecolor": (*rgb, style.opacity if fill and not outline else 0.0), **line}
    add = chart.axes.add_collection
    for dimension, look in ((2, polygons), (1, {"facecolor": "none", **line})):
        parts, _ = of_dimension(shapes, dimension)
        if len(parts):
            add(PathCollection(paths(parts), **look, zorder=3 if outline else 2), autolim=False)
    points, _ = of_dimension(shapes, 0)
    if len(points):
        x, y = shapely.get_coordinates(points).T
        chart.axes.scatter(x, y, s=7, color=fill or stroke, edgecolor=stroke, linewidth=0.4, zorder=3)
    sign = {"polygon": "patch", "line": "line", "point": "marker"}[layer.spec.geometry]
    if sign == "marker":
        return sign, {"marker": "o", "color": fill or stroke, "markersize": 3}
    if sign == "line":
        return sign, {
            "color": stroke,
            "linewidth": line["linewidth"],
            "linestyle": line.get("linestyle", "-"),
        }
    return sign, polygons


def _draw_sites(chart: _Map) -> tuple[list[Entry], list[str]]:
    """Draw the sites, the gravest on top, and name as many as there is room for."""
    report, words = chart.teller.report, chart.teller.words
    verdict_of = dict(zip(report.verdicts["site_id"], report.verdicts["verdict"], strict=True))
    verdicts = np.array([verdict_of.get(site, "") for site in report.sites["id"]], dtype=object)
    shapes = chart.plane.project(report.sites.geometry.to_numpy())
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    frame = chart.frame
    page = shapely.box(frame.west, frame.south, frame.east, frame.north)
    seen = there & shapely.intersects(shapes, page)
    entries = []
    for rank, verdict in enumerate(_ORDER):
        here = seen & (verdicts == verdict)
        marker, colour = _MARKERS[verdict], VERDICT_COLOURS[verdict]
        _draw_site_shapes(chart, shapes[here], verdict, 5 + rank * 0.1)
        label = words("picture", "site_count", title=words("verdict", verdict), count=int((verdicts == verdict).sum()))
        look = {
            "marker": marker,
            "color": colour,
            "markersize": 6,
            "markeredgecolor": "white",
            "markeredgewidth": 0.5,
        }
        entries.append(Entry(label, "marker", look))
    names = report.sites["name"].to_numpy()
    rank_of = {verdict: rank for rank, verdict in enumerate(_ORDER)}
    order = sorted(np.flatnonzero(seen), key=lambda i: -rank_of.get(str(verdicts[i]), -1))
    more = []
    if (there & ~seen).any():
        more.append(words("picture", "off_map", count=int((there & ~seen).sum())))
    if _label(chart, [(shapes[i], text(names[i])) for i in order]):
        more.append(words("picture", "unlabelled"))
    return entries[::-1], more


def _draw_site_shapes(chart: _Map, shapes: Geometries, verdict: str, zorder: float) -> None:
    colour = VERDICT_COLOURS[verdict]
    rgb = matplotlib.colors.to_rgb(colour)
    polygons, _ = of_dimension(shapes, 2)
    lines, _ = of_dimension(shapes, 1)
    add = chart.axes.add_collection
    if len(polygons):
        look: dict[str, Any] = {"facecolor": (*rgb, 0.45), "edgecolor": colour, "linewidth": 1.0}
        add(PathCollection(paths(polygons), **look, zorder=zorder), autolim=False)
    if len(lines):
        for stroke, width in (("white", 3.4), (colour, 2.0)):
            add(
                PathCollection(paths(lines), facecolor="none", edgecolor=stroke, linewidth=width, zorder=zorder),
                autolim=False,
            )
    bounds = shapely.bounds(shapes)
    size_mm = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) / chart.frame.m_per_mm
    small = size_mm < _SMALL_MM
    if small.any():
        x, y = shapely.get_coordinates(shapely.point_on_surface(shapes[small])).T
        look = {"s": 34, "color": colour, "marker": _MARKERS[verdict], "edgecolor": "white", "linewidth": 0.6}
        chart.axes.scatter(x, y, **look, zorder=zorder + 1.5)


def _label(chart: _Map, sites: list[tuple[Any, str]]) -> bool:
    """Write the names of sites where they hide no other name; return whether any is left out."""
    frame, size = chart.frame, 7.0
    mm, high = frame.m_per_mm, 3.2
    taken: list[tuple[float, float, float, float]] = []
    for shape, name in sites[:_MOST_LABELS]:
        label = shortened(printable(name), 34.0, size)
        wide = width_mm(label, size)
        point = shapely.point_on_surface(shape)
        x, y = (point.x - frame.west) / mm, (point.y - frame.south) / mm
        # Right, left, above, below: the places that a reader looks for a name in that order.
        for left, low in (
            (x + 2, y - high / 2),
            (x - 2 - wide, y - high / 2),
            (x - wide / 2, y + 2),
            (x - wide / 2, y - 2 - high),
        ):
            box = (left, low, left + wide, low + high)
            inside = left > 1 and low > 1 and box[2] < frame.width_mm - 1 and box[3] < frame.height_mm - 1
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                place = (frame.west + left * mm, frame.south + (low + high / 2) * mm)
                look: dict[str, Any] = {"va": "center", "fontproperties": font(size), "path_effects": halo()}
                chart.axes.text(*place, label, **look, zorder=8.5)
                break
    return len(taken) < len(sites)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw_conflicts(chart: _Map) -> list[Entry]:
    findings = chart.teller.report.findings
    there = ~(findings.geometry.isna() | findings.geometry.is_empty)
    grave = there & (findings["severity"] != Severity.NOTICE)
    sliver = findings["state"] == State.SLIVER
    entries = []
    for chosen, colour, key in (
        (grave & ~sliver, _CONFLICT, "conflict"),
        (grave & sliver, _SLIVER, "sliver"),
    ):
        if not chosen.any():
            continue
        shapes = chart.plane.project(findings.geometry[chosen].to_numpy())
        hatched: dict[str, Any] = {
            "facecolor": "none",
            "edgecolor": colour,
            "linewidth": 0.8,
            "hatch": "//////",
        }
        dashed: dict[str, Any] = {
            "facecolor": "none",
            "edgecolor": colour,
            "linewidth": 2.2,
            "linestyle": (0, (1, 0.7)),
        }
        for dimension, look in ((2, hatched), (1, dashed)):
            parts, _ = of_dimension(shapes, dimension)
            if len(parts):
                chart.axes.add_collection(PathCollection(paths(parts), **look, zorder=6), autolim=False)
        points, _ = of_dimension(shapes, 0)
        if len(points):
            ring: dict[str, Any] = {"s": 60, "facecolor": "none", "edgecolor": colour, "linewidth": 1.2}
            chart.axes.scatter(*shapely.get_coordinates(points).T, **ring, zorder=6)
        entries.append(Entry(chart.teller.words("picture", key), "patch", hatched))
    return entries
