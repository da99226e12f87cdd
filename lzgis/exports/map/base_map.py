"""The folium map with its extent, its background (relief or tiles) and its scripts."""

from __future__ import annotations

import base64

import geopandas as gpd
import numpy as np
from branca.element import Figure
from folium.raster_layers import ImageOverlay

from lzgis.exports.map.layers import shown_layers
from lzgis.exports.map.page import OfflineMap, Review
from lzgis.exports.map.tianditu import TiandituKey, add_tianditu
from lzgis.exports.photo import is_photo, photo_png
from lzgis.exports.relief import relief
from lzgis.model.report import ReportContext

Bounds = tuple[float, float, float, float]
# Half the smallest extent shown: a single point gets some hundred metres around it.
_MIN_HALF_DEG = 0.005
_DEFAULT_BOUNDS = (112.11, 24.61, 112.79, 25.21)


def base_map(report: ReportContext, bounds: Bounds, key: TiandituKey | None = None) -> Figure:
    """Return the folium map: relief if the city has an elevation raster, tiles only with a key of 天地图."""
    figure = Figure()
    leaflet_map = OfflineMap(
        location=((bounds[1] + bounds[3]) / 2, (bounds[0] + bounds[2]) / 2),
        tiles=None,
        zoom_start=10,
        font_size="14px",
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.1,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=100,
    )
    # folium takes min_zoom and max_zoom as options of tiles only.
    leaflet_map.options.update(minZoom=7, maxZoom=19)
    leaflet_map.add_to(figure)
    backdrop = None
    if report.backdrop is not None:
        west, south, east, north = padded = _padded(bounds)
        photo = is_photo(report.backdrop)
        png = photo_png(report.backdrop, padded) if photo else relief(report.backdrop, padded).png
        picture = "data:image/png;base64," + base64.b64encode(png).decode()
        backdrop = ImageOverlay(picture, [[south, west], [north, east]], pixelated=False, pane="tilePane")
        backdrop.add_to(leaflet_map)
    tiles = add_tianditu(leaflet_map, key) if key else []
    Review(backdrop, tiles).add_to(leaflet_map)
    return figure


def bounds_of(report: ReportContext, shown: gpd.GeoDataFrame) -> Bounds:
    """Return the bounds in degrees of the city, or of its layers and of `shown` if the city has no outline."""
    outline = report.layers.get(report.city.outline)
    frames = [layer.frame for layer in shown_layers(report)] if outline is None else [outline.frame]
    frames += [shown] if outline is None else []
    found = [frame.total_bounds for frame in frames if len(frame)]
    found = [bounds for bounds in found if np.isfinite(bounds).all()]
    if not found:
        return _DEFAULT_BOUNDS
    table = np.array(found)
    low, high = table[:, :2].min(axis=0), table[:, 2:].max(axis=0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, _MIN_HALF_DEG)
    (west, south), (east, north) = (middle - half).tolist(), (middle + half).tolist()
    return (west, south, east, north)


def _padded(bounds: Bounds) -> Bounds:
    wide, high = (bounds[2] - bounds[0]) * 0.03, (bounds[3] - bounds[1]) * 0.03
    return (bounds[0] - wide, bounds[1] - high, bounds[2] + wide, bounds[3] + high)
