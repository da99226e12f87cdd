"""The symbols of layers on paper: customary Chinese map symbols for common layers, the catalogue's style for others.

Zones overlap, and mixed tints make colours that are not in the legend. So only layers that decide verdicts are tinted,
zonings are drawn as lines, and reserves and water-source zones get a ribbon along the inside of their border.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from lzgis.model.report import Layer


@dataclass(frozen=True)
class Symbol:
    """How a layer, or its features of one value, are drawn.

    Attributes
    ----------
    fill, tint : str, float
        Colour and opacity of the inside; empty for no fill.
    line, width : str, float
        Colour and width (points) of the border or line.
    casing : str
        Colour of an edge on both sides of a line.
    ribbon_mm : float
        Width of a band along the inside of the border, in the colour of the line.
    smallest : int
        Denominator of the smallest scale at which the layer is drawn.
    order : float
        Drawing order; higher values lie above.
    """

    fill: str = ""
    tint: float = 0.0
    line: str = "#555555"
    width: float = 0.6
    dash: tuple[float, ...] = ()
    casing: str = ""
    ribbon_mm: float = 0.0
    smallest: int = 10_000_000
    order: float = 2.0

    def at(self, scale: int) -> Symbol:
        """Return the symbol at a scale: lines are thinner on the map of a whole city."""
        return replace(self, width=self.width * 0.65) if scale > _CITY_SCALE else self

    def stroke(self) -> dict[str, Any]:
        """Return the style of the line for matplotlib."""
        style: dict[str, Any] = {"edgecolor": self.line, "linewidth": self.width}
        if self.dash:
            style["linestyle"] = (0, self.dash)
        return style


#: Scale denominator above which a map shows a whole city.
_CITY_SCALE = 150_000

_ROAD = Symbol(line="#9a7f62", width=0.9, order=2.7)

#: Symbols by the id of the layer, and for some layers by the value of the field that the catalogue colours them by.
SYMBOLS: Mapping[str, Symbol] = MappingProxyType(
    {
        "redline": Symbol("#ff4d4d", 0.20, "#e3000f", 0.9, order=2.1),
        "farmland": Symbol("#ffe54a", 0.62, "#c9a700", 0.4, order=2.0),
        "town_boundary": Symbol(line="#7d3c78", width=1.3, order=2.9),
        "control_units": Symbol(line="#6b7f6b", width=0.7, dash=(5, 2, 1, 2), order=2.35, smallest=120_000),
        "protected_areas": Symbol(line="#2e7d32", width=1.0, ribbon_mm=1.1, order=2.4),
        "drinking_water_zones": Symbol(line="#1565c0", width=0.8, ribbon_mm=0.8, order=2.5),
        "rivers": Symbol("#8ecbf2", 0.95, "#3a8cc8", 0.35, order=2.55),
        "reservoirs": Symbol("#8ecbf2", 0.95, "#3a8cc8", 0.5, order=2.55),
        "river_centrelines": Symbol(line="#3a8cc8", width=0.6, order=2.5),
        "river_management": Symbol(line="#0d5ea8", width=0.8, dash=(4, 2), order=2.6, smallest=60_000),
        "road_land": Symbol("#f3e5d0", 0.6, "#9a6a35", 0.5, order=2.6, smallest=60_000),
        "roads": _ROAD,
        "road_control_zones": Symbol(line="#9a4a00", width=0.8, dash=(5, 2), order=2.75, smallest=60_000),
        "industrial_parks": Symbol("#b9a3cf", 0.30, "#5e4b8b", 0.8, dash=(2, 1.2), order=2.3),
        "townships": Symbol(line="#8a8a8a", width=0.6, dash=(6, 2, 1.2, 2), order=2.2),
    }
)
VALUE_SYMBOLS: Mapping[tuple[str, str], Symbol] = MappingProxyType(
    {
        ("protected_areas", "核心保护区"): replace(SYMBOLS["protected_areas"], line="#1b5e20", ribbon_mm=1.6),
        ("protected_areas", "一般控制区"): replace(SYMBOLS["protected_areas"], line="#66a83a"),
        ("drinking_water_zones", "一级"): replace(SYMBOLS["drinking_water_zones"], line="#0b3d91", ribbon_mm=1.1),
        ("drinking_water_zones", "二级"): replace(SYMBOLS["drinking_water_zones"], line="#2f7fe0"),
        ("drinking_water_zones", "准保护区"): replace(SYMBOLS["drinking_water_zones"], line="#7ab8f0", ribbon_mm=0.5),
        ("roads", "高速公路"): replace(_ROAD, line="#fbe3b5", width=1.3, casing="#7d6248"),
        ("roads", "国道"): replace(_ROAD, line="#8a6a48", width=1.5),
        ("roads", "省道"): replace(_ROAD, line="#a5896b", width=1.1),
        ("roads", "县道"): replace(_ROAD, line="#b3a08a", width=0.8, smallest=260_000),
        ("roads", "乡道"): replace(_ROAD, line="#a8a29a", width=0.6, smallest=120_000),
    }
)
OUTLINE = Symbol(line="#3c3c3c", width=1.3, dash=(7, 2, 1.2, 2), order=3.0)


def symbol_of(layer: Layer, value: str = "") -> Symbol:
    """Return the symbol of a layer, or of one value in it.

    Parameters
    ----------
    layer : Layer
        The layer; its style in the catalogue is used if it has no symbol here.
    value : str
        A value of the field that the layer is coloured by; empty for the layer as a whole.
    """
    if layer.spec.role == "outline":
        return OUTLINE
    known = VALUE_SYMBOLS.get((layer.id, value)) or SYMBOLS.get(layer.id)
    if known is not None:
        return known
    style = layer.spec.style
    colour = style.colours.get(value, "")
    line = colour if colour and layer.spec.geometry != "polygon" else style.stroke
    dash = tuple(float(part) for part in style.dash.split()) if style.dash else ()
    fill = colour or style.fill or ""
    tint = 0.0 if layer.spec.role in ("zoning", "context") else min(style.opacity, 0.35)
    if layer.spec.role == "zoning" and colour:
        return Symbol(line=colour, width=0.9, dash=dash, ribbon_mm=0.8)
    return Symbol(fill if tint else "", tint, line, style.width * 0.55, dash)


def has_values(layer: Layer) -> bool:
    """Whether the values of a field get symbols of their own; control units of all classes share one on paper."""
    style = layer.spec.style
    plain = layer.id in SYMBOLS and not any(key[0] == layer.id for key in VALUE_SYMBOLS)
    return bool(style.by in layer.frame.columns and style.colours and not plain)
