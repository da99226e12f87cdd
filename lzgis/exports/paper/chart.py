"""The map inside its neat line: geometries are given in degrees and drawn in a Gauss-Krüger zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from lzgis.coordinates.gauss_kruger import Zone
from lzgis.coordinates.profiles import profile
from lzgis.exports.fonts import LINE, font, measured_mm
from lzgis.exports.paper.frame import Frame, Geometries, halo, of_dimension, paths
from lzgis.exports.paper.labels import Box, Labels, Spot
from lzgis.exports.report_text import ReportText

#: Geometries are clipped this far outside the neat line, so that the clipped edge does not show.
_BEYOND_MM = 6.0
#: Tolerance of generalisation on paper; smaller deviations do not show.
FINEST_MM = 0.03
#: The matplotlib label of every text placed on a map, by which it can be found.
LABEL = "map label"


def zone_of_map(texts: ReportText, lon_deg: float, lat_deg: float) -> Zone:
    """Return the zone that a map around a place is drawn in, by the profile of the city."""
    return profile(texts.context.city.profile).zone(float(lon_deg), float(lat_deg))


@dataclass(frozen=True, eq=False)
class Chart:
    """The axes of a map with its frame, projection, wording and placed labels.

    Attributes
    ----------
    axes : Axes
        Axes in metres of the zone.
    frame : Frame
        The part of the plane shown.
    zone : Zone
        The Gauss-Krüger zone.
    texts : ReportText
        The report and its wording.
    labels : Labels
        Places that labels take or avoid.
    """

    axes: Axes
    frame: Frame
    zone: Zone
    texts: ReportText
    labels: Labels

    @cached_property
    def page(self) -> shapely.Polygon:
        """The frame as a rectangle in the plane."""
        f = self.frame
        return shapely.box(f.west, f.south, f.east, f.north)

    @cached_property
    def bounds_deg(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of the frame with a margin of 6 mm."""
        step = self.frame.m_per_mm
        wide = shapely.buffer(self.page, _BEYOND_MM * step, join_style="mitre").segmentize(step * 20)
        west, south, east, north = self.zone.unproject([wide])[0].bounds
        return (west, south, east, north)

    def seen(self, geometries: Any) -> npt.NDArray[np.intp]:
        """Return the positions of the geometries, given in degrees, whose bounds touch the frame."""
        west, south, east, north = self.bounds_deg
        bounds = shapely.bounds(np.asarray(geometries, dtype=object))
        there = (bounds[:, 0] <= east) & (bounds[:, 2] >= west)
        there &= (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
        return np.flatnonzero(there)

    def cut(self, geometries: Any, *, finest_mm: float = FINEST_MM) -> Geometries:
        """Project geometries from degrees to the plane, clipped to the frame and generalised to `finest_mm`."""
        # Clipped before projecting: most of a layer lies outside the map of one site.
        near = shapely.clip_by_rect(np.asarray(geometries, dtype=object), *self.bounds_deg)
        there = self.zone.project(near)
        if finest_mm:
            # For drawing only: verdicts are computed from the full geometries.
            there = shapely.simplify(there, self.frame.m_per_mm * finest_mm)
        f, beyond = self.frame, _BEYOND_MM * self.frame.m_per_mm
        cut = shapely.clip_by_rect(there, f.west - beyond, f.south - beyond, f.east + beyond, f.north + beyond)
        return np.asarray(cut, dtype=object)

    def draw(self, shapes: Any, dimension: int, zorder: float, **style: Any) -> bool:
        """Draw the lines (1) or polygons (2) among shapes of the plane; return whether there were any."""
        parts, _ = of_dimension(shapes, dimension)
        if not len(parts):
            return False
        if dimension == 1:
            style = {"facecolor": "none", **style}
        self.axes.add_collection(PathCollection(paths(parts), **style, zorder=zorder), autolim=False)
        return True

    def mm(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Convert coordinates of the plane to millimetres from the lower left corner of the map."""
        step = self.frame.m_per_mm
        return (x - self.frame.west) / step, (y - self.frame.south) / step

    def metres(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Convert millimetres on the map to coordinates of the plane."""
        step = self.frame.m_per_mm
        return self.frame.west + x_mm * step, self.frame.south + y_mm * step

    def box_mm(self, shape: Any, margin_mm: float = 0.0) -> Box:
        """Return the bounds of a shape of the plane in millimetres on the map."""
        west, south, east, north = shapely.bounds(shape).tolist()
        left, low = self.mm(west, south)
        right, high = self.mm(east, north)
        return Box(left - margin_mm, low - margin_mm, right + margin_mm, high + margin_mm)

    def avoid_along(self, shapes: Any, step_mm: float = 2.0) -> None:
        """Keep labels off shapes as long as there is room elsewhere."""
        there = shapely.intersection(shapely.make_valid(np.asarray(shapes, dtype=object)), self.page)
        areal = shapely.get_dimensions(there) == 2
        borders = np.where(areal, shapely.boundary(there), there)
        step = step_mm * self.frame.m_per_mm
        points = shapely.get_coordinates(shapely.segmentize(borders, step))
        if areal.any():
            west, south, east, north = shapely.total_bounds(there[areal]).tolist()
            grid = np.meshgrid(np.arange(west, east, step), np.arange(south, north, step))
            inside = shapely.contains_xy(shapely.union_all(there[areal]), *(axis.ravel() for axis in grid))
            points = np.vstack((points, np.column_stack([axis.ravel()[inside] for axis in grid])))
        x, y = self.mm(points[:, 0], points[:, 1])
        cells = np.unique(np.round(np.column_stack((x, y)) / step_mm), axis=0) * step_mm
        half = step_mm / 2
        self.labels.avoid(Box(a - half, b - half, a + half, b + half) for a, b in cells.tolist())

    def write_label(
        self,
        text: str,
        anchors: Iterable[tuple[float, float]],
        *,
        style: dict[str, Any],
        reach_mm: float = 34.0,
        over: bool = True,
        within: shapely.Geometry | None = None,
    ) -> bool:
        """Write a label near one of the anchors (in the plane), with a leader line if it is not next to it.

        `style` holds ``size``, ``color`` and, for a label in a white box, ``edge``. With ``over=False`` the label is
        omitted rather than written over shapes that labels avoid. The middle of a label lies `within` an area (in the
        plane), if one is given. Returns whether it was written.
        """
        size = style.get("size", 6.6)
        lines = text.split("\n")
        wide = max(measured_mm(line, size) for line in lines)
        pad = 0.7 if "edge" in style else 0.0
        high = len(lines) * size * LINE + 0.2
        places = [tuple(float(v) for v in self.mm(x, y)) for x, y in anchors]
        spot = self.labels.place(
            (wide + 2 * pad, high + 2 * pad),
            [(x, y) for x, y in places],
            reach_mm=reach_mm,
            over=over,
            within=None if within is None else self.in_mm(within),
        )
        if spot is None:
            return False
        self._write(text, spot, style, size, pad)
        return True

    def in_mm(self, shape: shapely.Geometry) -> shapely.Geometry:
        """Convert a shape of the plane to millimetres on the map."""
        return shapely.transform(shape, lambda xy: np.column_stack([*self.mm(xy[:, 0], xy[:, 1])]))

    def _write(self, text: str, spot: Spot, style: dict[str, Any], size: float, pad: float) -> None:
        if spot.led:
            (x0, y0), (x1, y1) = self.metres(*spot.anchor), self.metres(*spot.foot)
            self.axes.plot((x0, x1), (y0, y1), color="white", linewidth=1.4, alpha=0.8, zorder=8.2)
            self.axes.plot((x0, x1), (y0, y1), color=style["color"], linewidth=0.5, zorder=8.3)
        background: dict[str, Any] = {"path_effects": halo(1.8)}
        if "edge" in style:
            box = {"boxstyle": f"square,pad={pad / (size * LINE) * 0.9:.3f}", "facecolor": (1, 1, 1, 0.9)}
            background = {"bbox": {**box, "edgecolor": style["edge"], "linewidth": 0.5}}
        self.axes.text(
            *self.metres(spot.x, spot.y),
            text,
            ha="center",
            va="center",
            multialignment="left",
            linespacing=1.12,
            color=style["color"],
            fontproperties=font(size),
            label=LABEL,
            zorder=8.6,
            **background,
        )
