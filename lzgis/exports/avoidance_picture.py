"""A picture of an avoidance: the site as drawn, what of it lies in forbidden areas, what remains, and where it may move."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

from lzgis.coordinates.profiles import profile
from lzgis.exports.fonts import font, printable, wrapped
from lzgis.words import Words

if TYPE_CHECKING:
    from lzgis.city.catalogue import Catalogue
    from lzgis.screening.avoidance import Avoidance
    from lzgis.words import Language

_SIZE_IN, _DPI, _TEXT_MM = (7.2, 7.2), 130, 150.0
_LOST, _REMAINS, _MOVED = "#c62828", "#2e7d32", "#1565c0"


def avoidance_png(found: Avoidance, city: Catalogue, said: Sequence[str] = (), *, language: Language = "zh") -> bytes:
    """Draw an avoidance on its Gauss-Krüger zone, with a grid in metres, and return the picture as PNG.

    Parameters
    ----------
    found : Avoidance
        What `lzgis.screening.avoidance.avoid` returned.
    city : Catalogue
        The city; its notice is on the picture.
    said : sequence of str
        Sentences below the picture, such as those of `lzgis.exports.avoidance.avoidance_lines`.
    language : {"zh", "en"}
        The reader's language.
    """
    words = Words(language)
    figure = Figure(figsize=_SIZE_IN, dpi=_DPI, facecolor="white", layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    zone = profile(city.city.profile).zone(*map(float, shapely.get_coordinates(shapely.centroid(found.before))[0]))
    whole = zone.project([found.before])[0]
    rest = None if found.remaining is None else zone.project([found.remaining])[0]
    lost = whole if rest is None else shapely.difference(whole, shapely.buffer(rest, 0.005))
    handles = [
        _drawn(axes, lost, words("avoid", "lost"), {"facecolor": "#f3b3b3", "edgecolor": _LOST, "hatch": "xx"}),
        _drawn(axes, rest, words("avoid", "remains"), {"facecolor": "#b9ddb7", "edgecolor": _REMAINS}),
        _drawn(axes, whole, words("avoid", "was"), {"facecolor": "none", "edgecolor": "black", "linewidth": 1.6}),
    ]
    if found.shift is not None and found.shift.distance_m > 0:
        moved = zone.project([found.shift.geometry])[0]
        style = {"facecolor": "none", "edgecolor": _MOVED, "linewidth": 1.8, "linestyle": "--"}
        handles.append(_drawn(axes, moved, words("avoid", "moved_to"), style))
        start, end = (shapely.get_coordinates(shapely.centroid(one))[0] for one in (whole, moved))
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": _MOVED, "linewidth": 1.6})
        moved_m = f"{found.shift.distance_m:.2f} m"
        axes.annotate(moved_m, end, (6, -4), textcoords="offset points", color=_MOVED, fontproperties=font(9))
    axes.autoscale_view()
    axes.margins(0.12)
    title = printable(words("avoid", "title", site=found.site_id))
    axes.set_title(title, fontproperties=font(13))
    axes.legend(handles=[one for one in handles if one is not None], prop=font(9), loc="best")
    axes.ticklabel_format(useOffset=False, style="plain")
    axes.tick_params(labelsize=7)
    axes.grid(visible=True, linewidth=0.3, color="#bbbbbb")
    notice = printable(words.title(city.city.notice, city.city.notice_en))
    crs = f"EPSG:{zone.epsg}　m　　{notice}" if zone.epsg else notice
    lines = [part for line in said for part in wrapped(printable(line), _TEXT_MM, 8.5, lines=3)]
    axes.set_xlabel("\n".join([*lines, crs]), fontproperties=font(8.5), linespacing=1.5)
    saved = io.BytesIO()
    FigureCanvasAgg(figure).print_png(saved, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return saved.getvalue()


def _drawn(axes: Any, shape: shapely.Geometry | None, label: str, style: dict[str, Any]) -> Any:
    """Draw a shape, and return its handle for the legend; None if there is nothing to draw."""
    if shape is None or shapely.is_empty(shape):
        return None
    if shapely.get_dimensions(shape) < 2:
        colour = style["edgecolor"]
        handle = None
        for part in shapely.get_parts(shape):
            x, y = shapely.get_coordinates(part).T
            marker = "o" if len(x) == 1 else ""
            dashes = style.get("linestyle", "-")
            [handle] = axes.plot(x, y, color=colour, marker=marker, linestyle=dashes, linewidth=2.0, label=label)
        return handle
    rings = [ring for part in shapely.get_parts(shape) if part.geom_type == "Polygon" for ring in _rings(part)]
    if not rings:
        return None
    patch = PathPatch(Outline.make_compound_path(*(Outline(ring, closed=True) for ring in rings)), label=label, **style)
    axes.add_patch(patch)
    return patch


def _rings(part: shapely.Polygon) -> list[np.ndarray[Any, Any]]:
    return [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
