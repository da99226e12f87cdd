"""The interactive map: one HTML file that opens anywhere, asks nothing of the network and hides nothing.

Drawn by folium and Leaflet from the report alone. Shapes are simplified for the eye, and the page says by how much;
every figure in it was computed from full geometry.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
from branca.element import Figure
from folium.raster_layers import ImageOverlay

from lzgis.export.files import put
from lzgis.export.map.layers import layer_data, missing_layers, outline_data, shown_layers
from lzgis.export.map.page import OfflineMap, Review, assemble
from lzgis.export.map.review import VERDICTS, review_data
from lzgis.export.rows import VERDICT_COLOURS, Teller
from lzgis.measure import plane_for
from lzgis.model import Report
from lzgis.raster import relief
from lzgis.words import Language

__all__ = ["write_map"]

_Bounds = tuple[float, float, float, float]
# Words of the fixed parts of the page, and of those that its scripts make.
_PAGE_WORDS = ("sites", "legend", "search", "print", "skip", "noscript", "collapse-sites", "collapse-legend", "north")
_SCRIPT_WORDS = (
    "all", "back", "zoom", "previous", "next", "no-match", "shown", "no-shape", "conflicts", "clear", "rule", "answer",
    "figures", "locate", "group-review", "group-constraint", "group-zoning", "group-context", "group-missing", "missing",
    "parts", "parts-prohibited", "parts-conditional", "parts-sliver", "opacity", "others", "relief", "home", "measure",
    "measure-hint", "measure-length", "measure-area", "measure-note", "measure-clear", "identify", "nothing-here",
    "problems", "no-findings", "list-title", "close", "legend", "approximate", "unnamed",
)  # fmt: skip
_COLUMNS = ("site_id", "site_name", "activity", "verdict", "site_area_m2", "prohibited", "conditional")


def write_map(report: Report, path: Path, *, language: Language = "zh") -> None:
    """Write a report as an interactive map in one HTML file that makes no request.

    Parameters
    ----------
    report : Report
        What to show.
    path : Path
        The file to write; its folder is made if need be.
    language : {"zh", "en"}
        The reader's language.

    Raises
    ------
    ExportError
        If the file cannot be written or the backdrop cannot be read.
    """
    page = _page(Teller(report, language))
    put(path, lambda beside: beside.write_text(page, encoding="utf-8", newline="\n"))


def _page(teller: Teller) -> str:
    words = teller.words
    bounds = _bounds(teller.report)
    plane = plane_for(bounds)
    step_m, layers = layer_data(teller, plane)
    review_m, review = review_data(teller, plane, {layer["id"]: i for i, layer in enumerate(layers)})
    city = {
        "bounds": [[bounds[1], bounds[0]], [bounds[3], bounds[2]]],
        "outline": outline_data(teller.report, plane),
        "verdicts": [{"title": teller.word("verdict", v), "colour": VERDICT_COLOURS[v]} for v in VERDICTS],
        "missing": missing_layers(teller),
        "footer": _footer(teller, max(step_m, review_m)),
        "marks": [teller.confidentiality or words("confidentiality", "internal")],
        "notice": teller.notice,
        "problems": [[words("level", p.level), p.place, p.what, p.remedy] for p in teller.report.problems],
        "words": {key: words("map", key) for key in _SCRIPT_WORDS} | {key: teller.column(key) for key in _COLUMNS},
        "credit": "lzgis · Leaflet",
    }
    title = words("map", "title", city=teller.city)
    return assemble(
        _figure(teller.report, bounds),
        title=title,
        language={"zh": "zh-CN"}.get(words.language, words.language),
        data={"city": city, "layers": layers, "review": review},
        words={key.replace("-", "_"): words("map", key) for key in _PAGE_WORDS}
        | {"title": title, "notice": teller.notice, "mark": city["marks"][0], "disclaimer": teller.disclaimer},
    )


def _figure(report: Report, bounds: _Bounds) -> Figure:
    """The folium map: no tiles, no foreign credit, a relief if the city has one."""
    middle = ((bounds[1] + bounds[3]) / 2, (bounds[0] + bounds[2]) / 2)
    chart = OfflineMap(
        middle, tiles=None, zoom_start=10, max_zoom=19, min_zoom=7, zoom_control=False, attribution_control=False,
        zoom_snap=0.25, zoom_delta=0.5, wheel_px_per_zoom_level=100, font_size="14px",
    )  # fmt: skip
    backdrop = None
    dem = report.backdrop
    if dem is not None:
        west, south, east, north = around = _padded(bounds)
        picture = "data:image/png;base64," + base64.b64encode(relief(Path(dem), around).png).decode()
        backdrop = ImageOverlay(picture, [[south, west], [north, east]], pixelated=False, interactive=False)
        backdrop.add_to(chart)
    Review(backdrop).add_to(chart)
    return chart.get_root()


def _bounds(report: Report) -> _Bounds:
    """Bounds of the city, or of what there is to show where the city has no outline."""
    outline = report.layers.get(report.city.outline)
    frames = [outline.frame] if outline is not None else [layer.frame for layer in shown_layers(report)]
    found = np.array([f.total_bounds for f in [*frames, report.sites] if len(f) and np.isfinite(f.total_bounds).all()])
    if outline is not None and len(found):
        found = found[:1]
    if not len(found):
        return (112.11, 24.61, 112.79, 25.21)
    west, south, east, north = *found[:, :2].min(axis=0), *found[:, 2:].max(axis=0)
    return (float(west), float(south), float(east), float(north))


def _padded(bounds: _Bounds) -> _Bounds:
    wide, high = (bounds[2] - bounds[0]) * 0.03, (bounds[3] - bounds[1]) * 0.03
    return (bounds[0] - wide, bounds[1] - high, bounds[2] + wide, bounds[3] + high)


def _footer(teller: Teller, step_m: float) -> list[str]:
    """What the map rests on: dates, rule book, coordinates, and how far its shapes can be trusted."""
    words, report = teller.words, teller.report
    origin = report.provenance
    dates = sorted(layer.spec.date.isoformat() for layer in report.layers.values() if layer.spec.date)
    simplified = words("map", "simplified", m=step_m) if step_m else words("map", "not-simplified")
    return [
        words("map", "as-of", date=origin.as_of.isoformat()),
        *([words("map", "data-dates", first=dates[0], last=dates[-1])] if dates else []),
        words("map", "rule-book", name=origin.rule_book, version=origin.rule_book_version),
        words("map", "made-at", time=origin.made_at.strftime("%Y-%m-%d %H:%M")),
        words("map", "crs"),
        simplified,
    ]
