"""The base of a map: relief, and the layers of the city with their names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import matplotlib.colors
import numpy as np
import numpy.typing as npt
import shapely

from lzgis.exports.fonts import printable, shortened
from lzgis.exports.paper.chart import Chart
from lzgis.exports.paper.frame import Geometries, of_dimension
from lzgis.exports.paper.legend import Entry, layer_title
from lzgis.exports.photo import is_photo, photo_overlay
from lzgis.exports.relief import shade_overlay
from lzgis.exports.report_text import text
from lzgis.exports.symbology import Symbol, has_values, symbol_of
from lzgis.model.report import Layer

#: At larger scales than 1 : 40 000 the cells of a city's elevation raster show as blots.
_RELIEF_FROM = 40_000
_PIXELS_PER_MM = 4

#: Layers whose features are named for orientation: colour, font size, field (by default the layer's group).
_NAMED: dict[str, tuple[str, float, str]] = {
    "rivers": ("#1f6fb0", 6.4, ""),
    "reservoirs": ("#1f6fb0", 6.4, ""),
    "river_centrelines": ("#1f6fb0", 6.0, ""),
    "roads": ("#7a4a12", 6.0, "number"),
    "protected_areas": ("#1b5e20", 6.0, ""),
    "townships": ("#5a5a5a", 7.2, ""),
}


def draw_base_layers(chart: Chart, only: tuple[str, ...] = ()) -> tuple[list[Entry], list[str]]:
    """Draw relief and layers, or `only` these layers and the outline; return legend lines and notes."""
    report = chart.texts.report
    photo = report.backdrop is not None and is_photo(report.backdrop)
    if report.backdrop is not None and (photo or chart.frame.scale >= _RELIEF_FROM):
        _draw_backdrop(chart, report.backdrop, photo_overlay if photo else shade_overlay)
    _fade_outside_city(chart)
    entries: list[tuple[float, list[Entry]]] = []
    left_out = []
    for layer in report.layers.values():
        wanted = not only or layer.id in only or layer.spec.role == "outline"
        if not layer.spec.style.shown or not len(layer.frame) or not wanted:
            continue
        lines, too_fine = _draw_layer(chart, layer)
        if lines:
            entries.append((symbol_of(layer).order, lines))
        # A layer of which nothing is drawn is named as a whole, otherwise the values that are not drawn.
        left_out += too_fine if lines or not too_fine else [chart.texts.layer(layer.id)]
    words, separator = chart.texts.words, chart.texts.words("picture", "separator")
    notes = [words("paper", "left_out", layers=separator.join(left_out))] if left_out else []
    enclosing = [] if only else _enclosing_zones(chart)
    notes += [words("paper", "base", name=report.backdrop.name)] if photo and report.backdrop else []
    notes += [words("paper", "inside", layers=separator.join(enclosing))] if enclosing else []
    return [entry for _, lines in entries for entry in lines], notes


def _draw_backdrop(chart: Chart, path: Path, overlay_of: Callable[..., npt.NDArray[np.float64]]) -> None:
    """Draw a picture, or the relief of an elevation raster, shaded from the north-west as maps are."""
    frame = chart.frame
    size = (round(frame.width_mm * _PIXELS_PER_MM), round(frame.height_mm * _PIXELS_PER_MM))
    overlay = overlay_of(path, frame[:4], crs=chart.zone.crs, size=size)
    extent = (frame.west, frame.east, frame.south, frame.north)
    chart.axes.imshow(overlay, extent=extent, aspect="auto", interpolation="bilinear", zorder=0)


def _enclosing_zones(chart: Chart) -> list[str]:
    """Return the names of zones drawn as outlines that contain the whole map, since nothing of them shows."""
    found: list[str] = []
    for layer in chart.texts.report.layers.values():
        symbol = symbol_of(layer)
        if (
            layer.spec.geometry != "polygon"
            or (symbol.fill and symbol.tint)
            or layer.spec.role in ("outline", "context")
        ):
            continue
        if layer.spec.style.shown and len(rows := _spans_map(chart, layer.frame.geometry.to_numpy())):
            covers = shapely.covers(shapely.make_valid(chart.cut(layer.frame.geometry.to_numpy()[rows])), chart.page)
            names = layer.frame["name"].map(text).to_numpy()[rows][covers] if "name" in layer.frame else []
            found.extend(name for name in names if name)
    return found


def _spans_map(chart: Chart, geometries: Geometries) -> npt.NDArray[np.intp]:
    """Return the positions of the geometries, in degrees, whose bounds contain the map: only these can cover it."""
    west, south, east, north = chart.zone.unproject([chart.page])[0].bounds
    bounds = shapely.bounds(np.asarray(geometries, dtype=object))
    there = (bounds[:, 0] <= west) & (bounds[:, 1] <= south) & (bounds[:, 2] >= east) & (bounds[:, 3] >= north)
    return np.flatnonzero(there)


def _fade_outside_city(chart: Chart) -> None:
    """Fade the area outside the city, where nothing was checked."""
    outline = chart.texts.report.layers.get(chart.texts.report.city.outline)
    if outline is None or not len(outline.frame):
        return
    city = shapely.union_all(shapely.make_valid(chart.cut(outline.frame.geometry.to_numpy())))
    outside = shapely.difference(shapely.buffer(chart.page, chart.frame.m_per_mm), city)
    chart.draw([outside], 2, 1.0, facecolor=(0.975, 0.975, 0.975), edgecolor="none")
    # A pale ribbon along the outside of the border, as on maps of administrative areas.
    ring = shapely.buffer(city, 1.3 * chart.frame.m_per_mm) - city
    chart.draw([ring], 2, 1.1, facecolor="#d9c7d6", alpha=0.7, edgecolor="none")


def _draw_layer(chart: Chart, layer: Layer) -> tuple[list[Entry], list[str]]:
    """Draw a layer; return its legend lines, and the layer or those of its values that are too fine for the scale."""
    title, plain = layer_title(chart.texts, layer), chart.texts.layer(layer.id)
    rows = chart.seen(layer.frame.geometry.to_numpy())
    if not len(rows):
        return [], []
    geometries = layer.frame.geometry.to_numpy()[rows]
    scale = chart.frame.scale
    if not has_values(layer):
        symbol = symbol_of(layer).at(scale)
        if scale > symbol.smallest:
            return [], [plain]
        return _draw_features(chart, layer, chart.cut(geometries), (title, symbol)), []
    values = layer.frame[layer.spec.style.by].map(text).to_numpy()[rows]
    listed = [value for value in layer.spec.style.colours if (values == value).any()]
    symbols = [(value, symbol_of(layer, value).at(scale), values == value) for value in listed]
    rest = ~np.isin(values, listed)
    entries: list[Entry] = []
    too_fine: list[str] = []
    for value, symbol, chosen in [*reversed(symbols), ("", symbol_of(layer).at(scale), rest)]:
        if chosen.any() and scale > symbol.smallest:
            too_fine.insert(0, value or plain)
        elif chosen.any():
            label = chart.texts.words("paper", "of_layer", layer=plain, value=value) if value else title
            entries = [*_draw_features(chart, layer, chart.cut(geometries[chosen]), (label, symbol)), *entries]
    return entries, too_fine


def draw_named_features(chart: Chart, features: Mapping[str, Collection[str]]) -> list[Entry]:
    """Draw features that findings are about, where the scale leaves out their layer or value; return legend lines.

    `features` holds their ids by layer.
    """
    entries: list[Entry] = []
    for name, ids in features.items():
        layer = chart.texts.report.layers.get(name)
        if layer is None or "id" not in layer.frame or layer.spec.role == "outline":
            continue
        rows = np.flatnonzero(layer.frame["id"].astype(str).isin(set(ids)).to_numpy())
        by = layer.spec.style.by
        values = (
            layer.frame[by].map(text).to_numpy()[rows] if has_values(layer) else np.full(len(rows), "", dtype=object)
        )
        for value in dict.fromkeys(values):
            symbol = symbol_of(layer, value)
            if layer.spec.style.shown and chart.frame.scale <= symbol.smallest:
                continue
            shapes = chart.cut(layer.frame.geometry.to_numpy()[rows[values == value]])
            # A value is a word of the map, as 县道, or a code of the layer, as national.
            said = value if value and not value.isascii() else chart.texts.layer(name)
            label = chart.texts.words("paper", "met", layer=said)
            drawn = _draw_features(chart, layer, shapes, (label, symbol.at(chart.frame.scale)))
            # Values drawn alike are one line of the legend; others are distinguished by the value.
            drawn = [entry for entry in drawn if entry not in entries]
            if any(entry.label == label for entry in entries):
                said = chart.texts.words("paper", "of_layer", layer=said, value=value)
                drawn = [entry._replace(label=chart.texts.words("paper", "met", layer=said)) for entry in drawn]
            entries += drawn
    return entries


def draw_seats(chart: Chart) -> list[Entry]:
    """Draw the seats of the townships, where their layer has positions; return the line of the legend."""
    layer = next((chart.texts.report.layers.get(name) for name in chart.texts.report.city.divisions), None)
    if layer is None or not {"seat_lon", "seat_lat"} <= set(layer.frame.columns):
        return []
    lon, lat = (layer.frame[name].astype(float).to_numpy() for name in ("seat_lon", "seat_lat"))
    known = np.isfinite(lon) & np.isfinite(lat)
    x, y = shapely.get_coordinates(chart.zone.project(shapely.points(lon[known], lat[known]))).T
    inside = shapely.contains_xy(chart.page, x, y)
    if not inside.any():
        return []
    look: dict[str, Any] = {"edgecolor": "#333333", "linewidth": 0.7}
    chart.axes.scatter(x[inside], y[inside], s=11, facecolor="white", **look, zorder=5.2)
    chart.axes.scatter(x[inside], y[inside], s=1.6, color="#333333", zorder=5.3)
    style = {
        "marker": "o",
        "markersize": 3.2,
        "markerfacecolor": "white",
        "markeredgecolor": "#333333",
        "markeredgewidth": 0.7,
    }
    return [Entry(chart.texts.words("paper", "seats"), "marker", style)]


def _draw_features(chart: Chart, layer: Layer, shapes: Geometries, what: tuple[str, Symbol]) -> list[Entry]:
    """Draw shapes in one symbol; return the line of the legend, none if nothing lies inside the frame."""
    title, symbol = what
    valid = shapely.make_valid(shapes)
    # Nothing shows of a zone drawn as an outline that contains the whole map.
    shown = (
        valid
        if symbol.fill and symbol.tint
        else np.where(shapely.get_dimensions(valid) == 2, shapely.boundary(valid), valid)
    )
    if not shapely.intersects(shown, chart.page).any():
        return []
    _draw_polygons(chart, shapes, symbol, outline=layer.spec.role == "outline")
    if symbol.casing:
        rim = {"edgecolor": symbol.casing, "linewidth": symbol.width + 0.9}
        chart.draw(shapes, 1, symbol.order - 0.01, **rim, capstyle="round")
    chart.draw(shapes, 1, symbol.order, **symbol.stroke())
    points, _ = of_dimension(shapes, 0)
    if len(points):
        x, y = shapely.get_coordinates(points).T
        marks: dict[str, Any] = {"s": 9, "color": symbol.fill or symbol.line, "linewidth": 0.4}
        chart.axes.scatter(x, y, **marks, edgecolor=symbol.line, zorder=symbol.order)
    return [_entry(layer, title, symbol)]


def _draw_polygons(chart: Chart, shapes: Geometries, symbol: Symbol, *, outline: bool) -> None:
    polygons, _ = of_dimension(shapes, 2)
    if not len(polygons):
        return
    if symbol.fill and symbol.tint:
        tint = (*matplotlib.colors.to_rgb(symbol.fill), symbol.tint)
        chart.draw(polygons, 2, symbol.order - 0.05, facecolor=tint, edgecolor="none")
    if symbol.ribbon_mm:
        inside = shapely.buffer(polygons, -symbol.ribbon_mm * chart.frame.m_per_mm, quad_segs=3)
        ribbon = shapely.difference(shapely.make_valid(polygons), inside)
        chart.draw(ribbon, 2, symbol.order - 0.02, facecolor=symbol.line, alpha=0.28, edgecolor="none")
    if outline:
        chart.draw(polygons, 2, symbol.order - 0.01, facecolor="none", edgecolor="white", linewidth=symbol.width + 1)
    chart.draw(polygons, 2, symbol.order, facecolor="none", **symbol.stroke())


def _entry(layer: Layer, title: str, symbol: Symbol) -> Entry:
    line = symbol.stroke()
    if layer.spec.geometry == "line":
        style = {"color": symbol.line, "linewidth": symbol.width, "linestyle": line.get("linestyle", "-")}
        return Entry(title, "line", {**style, "casing": symbol.casing})
    if layer.spec.geometry == "point":
        return Entry(title, "marker", {"marker": "o", "color": symbol.fill or symbol.line, "markersize": 3})
    rgb = matplotlib.colors.to_rgb(symbol.fill or symbol.line)
    tint = symbol.tint if symbol.fill else (0.14 if symbol.ribbon_mm else 0.0)
    return Entry(title, "patch", {"facecolor": (*rgb, tint), **symbol.stroke()})


def draw_names(chart: Chart, layers: tuple[str, ...] = tuple(_NAMED)) -> None:
    """Write the names of rivers, roads and the like where there is room, one per object."""
    report = chart.texts.report
    named: set[str] = set()
    for layer_id in layers:
        layer = report.layers.get(layer_id)
        if layer is None or not layer.spec.style.shown:
            continue
        colour, size, field = _NAMED[layer_id]
        rows = chart.seen(layer.frame.geometry.to_numpy())
        frame = layer.frame.iloc[rows]
        by = layer.spec.style.by
        values = frame[by].map(text) if has_values(layer) else [""] * len(frame)
        frame = frame[[symbol_of(layer, value).smallest >= chart.frame.scale for value in values]]
        group = next((f for f in (field, layer.spec.group, "name") if f and f in frame.columns), None)
        if group is None or not len(frame):
            continue
        inside = shapely.intersection(shapely.make_valid(chart.cut(frame.geometry.to_numpy())), chart.page)
        names = frame[group].map(text).to_numpy()
        for name in dict.fromkeys(names):
            parts, _ = of_dimension(inside[names == name], 1 if layer.spec.geometry == "line" else 2)
            if name and len(parts) and name not in named:
                named.add(name)
                label = shortened(printable(name), 40.0, size)
                style = {"size": size, "color": colour}
                # The name of an area stands inside it, or is not written.
                area = shapely.union_all(parts) if shapely.get_dimensions(parts[0]) == 2 else None
                chart.write_label(label, _label_anchors(parts), style=style, reach_mm=5.0, over=False, within=area)


def _label_anchors(parts: Geometries) -> list[tuple[float, float]]:
    """Return points at which an object may be labelled: along its longest line, or inside its largest polygon."""
    line = shapely.get_dimensions(parts[0]) == 1
    order = np.argsort(-(shapely.length(parts) if line else shapely.area(parts)), kind="stable")
    longest = parts[order[0]]
    if line:
        found = [shapely.line_interpolate_point(longest, share, normalized=True) for share in (0.5, 0.3, 0.7, 0.15)]
        return [(point.x, point.y) for point in found]
    west, south, east, north = longest.bounds
    x, y = np.meshgrid(*(np.linspace(a, b, 7)[1:-1] for a, b in ((west, east), (south, north))))
    inside = shapely.contains_xy(longest, x.ravel(), y.ravel())
    first = shapely.point_on_surface(longest)
    return [(first.x, first.y), *zip(x.ravel()[inside].tolist(), y.ravel()[inside].tolist(), strict=True)]
