"""The symbols of all outputs, on paper and on the screen: layers, verdicts, and conflicting parts.

Layers have the customary Chinese map symbols where there are any, the catalogue's style otherwise. Zones overlap, and
mixed tints make colours that are not in the legend. So only layers that decide verdicts are tinted, zonings are drawn
as lines, and reserves and water-source zones get a ribbon along the inside of their border.

A verdict has a colour, a shape and a dash, so that any one of them is enough to distinguish it. The colours differ for
readers with red-green colour blindness too, and have a contrast of at least 4.5 : 1 to white.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from lzgis.model.report import Layer, Verdict
from lzgis.model.rules import Severity

#: Colours of verdicts, the gravest first, dark enough for an outline; and the tints that a table cell is filled with.
VERDICT_COLOURS: dict[str, str] = {
    Verdict.PROHIBITED: "#b3122a",
    Verdict.REVIEW: "#a85a00",
    Verdict.INCOMPLETE: "#5a4fa3",
    Verdict.NONE_FOUND: "#00705a",
}
TINTS: dict[str, str] = {
    Verdict.PROHIBITED: "#f8cfcf",
    Verdict.REVIEW: "#fde3c4",
    Verdict.INCOMPLETE: "#e3dcf0",
    Verdict.NONE_FOUND: "#d9ecd8",
}

#: Colours of conflicting parts, by severity; those that may be boundary errors look the same for every severity.
PART_COLOURS: dict[str, str] = {
    Severity.PROHIBITED: "#4a000d",
    Severity.CONDITIONAL: "#a85a00",
    Severity.NOTICE: "#546e7a",
}
SLIVER_COLOUR = "#8e24aa"
#: Parts of sites in layers whose rule is not meant for the activity.
NOT_APPLICABLE_COLOUR = "#9e9e9e"


class Sign(NamedTuple):
    """A sign in a square of 20 by 20: the outline, the strokes inside it, the dash of its lines, the marker on paper."""

    outline: str
    strokes: str
    dash: str
    marker: str


_ROUND, _SQUARE = "M10 2a8 8 0 1 0 .01 0Z", "M3 3H17V17H3Z"

#: The signs of verdicts, the gravest first.
VERDICT_SIGNS: dict[str, Sign] = {
    Verdict.PROHIBITED: Sign("M10 1 19 10 10 19 1 10Z", "M7 7 13 13M13 7 7 13", "", "D"),
    Verdict.REVIEW: Sign("M10 2 19 18 1 18Z", "M10 8V12.5M10 14.6V15.6", "8 4", "^"),
    Verdict.INCOMPLETE: Sign(_SQUARE, "M6.5 10H13.5", "2 4", "s"),
    Verdict.NONE_FOUND: Sign(_ROUND, "M6.5 10.2 9 12.8 13.6 7.6", "", "o"),
}

#: The signs of changes between two versions.
CHANGE_SIGNS: dict[str, Sign] = {
    "broken": VERDICT_SIGNS[Verdict.PROHIBITED],
    "verdict": Sign("M5 2H15L19 10 15 18H5L1 10Z", "M6 8H14M12 6 14 8M14 12H6M8 14 6 12", "", "h"),
    "removed": Sign(_ROUND, "M6 10H14", "8 4", "o"),
    "added": Sign(_ROUND, "M10 6V14M6 10H14", "", "P"),
    "moved": Sign(_SQUARE, "M6 10H14M11 7 14 10 11 13", "", ">"),
    "changed": Sign(_SQUARE, "M6 8H14M6 12H14", "2 4", "s"),
    "rule": VERDICT_SIGNS[Verdict.REVIEW],
}


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
        "reservoirs": Symbol("#4f9fd8", 0.95, "#1b5f96", 0.6, order=2.55),
        "river_centrelines": Symbol(line="#3a8cc8", width=0.6, order=2.5),
        "river_management": Symbol(line="#0d5ea8", width=0.8, dash=(4, 2), order=2.6, smallest=60_000),
        "road_land": Symbol("#ece6dc", 0.75, "#6b4f2a", 0.5, order=2.6, smallest=60_000),
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
        ("control_units", "优先保护单元"): replace(SYMBOLS["control_units"], line="#3f8f52", ribbon_mm=0.9),
        ("control_units", "重点管控单元"): replace(SYMBOLS["control_units"], line="#c8641e", ribbon_mm=0.9),
        ("control_units", "一般管控单元"): replace(SYMBOLS["control_units"], line="#8f8464"),
        # A hierarchy of lines: cased, thick, medium, thin, thin and broken.
        ("roads", "高速公路"): replace(_ROAD, line="#fbd79a", width=1.4, casing="#7d4b1e"),
        ("roads", "国道"): replace(_ROAD, line="#8a4a1f", width=1.7),
        ("roads", "省道"): replace(_ROAD, line="#bb7a3c", width=1.2),
        ("roads", "县道"): replace(_ROAD, line="#ad9068", width=0.8, smallest=260_000),
        ("roads", "乡道"): replace(_ROAD, line="#8f8778", width=0.6, dash=(4, 1.5), smallest=120_000),
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
    style = layer.spec.style
    colour = style.colours.get(value, "")
    known = VALUE_SYMBOLS.get((layer.id, value))
    if known is None and layer.id in SYMBOLS:
        known = replace(SYMBOLS[layer.id], line=colour) if colour else SYMBOLS[layer.id]
    if known is not None:
        return known
    line = colour if colour and layer.spec.geometry != "polygon" else style.stroke
    dash = tuple(float(part) for part in style.dash.split()) if style.dash else ()
    fill = colour or style.fill or ""
    tint = 0.0 if layer.spec.role in ("zoning", "context") else min(style.opacity, 0.35)
    if layer.spec.role == "zoning" and colour:
        return Symbol(line=colour, width=0.9, dash=dash, ribbon_mm=0.8)
    return Symbol(fill if tint else "", tint, line, style.width * 0.55, dash)


def has_values(layer: Layer) -> bool:
    """Return whether the values of a field get symbols of their own."""
    style = layer.spec.style
    plain = layer.id in SYMBOLS and not any(key[0] == layer.id for key in VALUE_SYMBOLS)
    return bool(style.by in layer.frame.columns and style.colours and not plain)
