"""How layers look on paper: the national habits for what every office knows, the catalogue's colours for the rest.

Over a map many zones lie on each other, and tints mixed make colours that stand in no legend. So only what carries the
verdict is tinted, zonings are lines, and reserves and water-source zones have a ribbon along the inside of their border.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from lzgis.model.report import Layer


@dataclass(frozen=True)
class Look:
    """How a layer, or what has one value in it, is drawn.

    Attributes
    ----------
    fill, tint : str, float
        Colour of the inside and how much of it; no fill if empty.
    line, width : str, float
        Colour and width (points) of the border or line.
    casing : str
        Colour of a rim on both sides of a line.
    ribbon_mm : float
        Width of a band along the inside of the border, in the colour of the line.
    smallest : int
        Denominator of the smallest scale at which it is drawn.
    order : float
        What is drawn later lies above.
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

    def at(self, scale: int) -> Look:
        """Give the look at a scale: lines are finer where a whole city stands on a sheet."""
        return replace(self, width=self.width * 0.65) if scale > SMALL else self

    def stroke(self) -> dict[str, Any]:
        """Give the line as matplotlib has it."""
        style: dict[str, Any] = {"edgecolor": self.line, "linewidth": self.width}
        if self.dash:
            style["linestyle"] = (0, self.dash)
        return style


#: Denominator from which a map is one of a whole city.
SMALL = 150_000

_ROAD = Look(line="#9a7f62", width=0.9, order=2.7)

#: By the id of a layer; then, for some, by the value of the field that the catalogue colours it by.
LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "redline": Look("#ff4d4d", 0.20, "#e3000f", 0.9, order=2.1),
        "farmland": Look("#ffe54a", 0.62, "#c9a700", 0.4, order=2.0),
        "town_boundary": Look(line="#7d3c78", width=1.3, order=2.9),
        "control_units": Look(line="#6b7f6b", width=0.7, dash=(5, 2, 1, 2), order=2.35, smallest=120_000),
        "protected_areas": Look(line="#2e7d32", width=1.0, ribbon_mm=1.1, order=2.4),
        "drinking_water_zones": Look(line="#1565c0", width=0.8, ribbon_mm=0.8, order=2.5),
        "rivers": Look("#8ecbf2", 0.95, "#3a8cc8", 0.35, order=2.55),
        "reservoirs": Look("#8ecbf2", 0.95, "#3a8cc8", 0.5, order=2.55),
        "river_centrelines": Look(line="#3a8cc8", width=0.6, order=2.5),
        "river_management": Look(line="#0d5ea8", width=0.8, dash=(4, 2), order=2.6, smallest=60_000),
        "road_land": Look("#f3e5d0", 0.6, "#9a6a35", 0.5, order=2.6, smallest=60_000),
        "roads": _ROAD,
        "road_control_zones": Look(line="#9a4a00", width=0.8, dash=(5, 2), order=2.75, smallest=60_000),
        "industrial_parks": Look("#b9a3cf", 0.30, "#5e4b8b", 0.8, dash=(2, 1.2), order=2.3),
        "townships": Look(line="#8a8a8a", width=0.6, dash=(6, 2, 1.2, 2), order=2.2),
    }
)
VALUES: Mapping[tuple[str, str], Look] = MappingProxyType(
    {
        ("protected_areas", "核心保护区"): replace(LOOKS["protected_areas"], line="#1b5e20", ribbon_mm=1.6),
        ("protected_areas", "一般控制区"): replace(LOOKS["protected_areas"], line="#66a83a"),
        ("drinking_water_zones", "一级"): replace(LOOKS["drinking_water_zones"], line="#0b3d91", ribbon_mm=1.1),
        ("drinking_water_zones", "二级"): replace(LOOKS["drinking_water_zones"], line="#2f7fe0"),
        ("drinking_water_zones", "准保护区"): replace(LOOKS["drinking_water_zones"], line="#7ab8f0", ribbon_mm=0.5),
        ("roads", "高速公路"): replace(_ROAD, line="#fbe3b5", width=1.3, casing="#7d6248"),
        ("roads", "国道"): replace(_ROAD, line="#8a6a48", width=1.5),
        ("roads", "省道"): replace(_ROAD, line="#a5896b", width=1.1),
        ("roads", "县道"): replace(_ROAD, line="#b3a08a", width=0.8, smallest=260_000),
        ("roads", "乡道"): replace(_ROAD, line="#a8a29a", width=0.6, smallest=120_000),
    }
)
OUTLINE = Look(line="#3c3c3c", width=1.3, dash=(7, 2, 1.2, 2), order=3.0)


def look_of(layer: Layer, value: str = "") -> Look:
    """Choose how a layer, or a value in it, is drawn.

    Parameters
    ----------
    layer : Layer
        The layer, whose catalogue style serves where there is no habit.
    value : str
        A value of the field that the layer is coloured by; empty for the layer as a whole.
    """
    if layer.spec.role == "outline":
        return OUTLINE
    known = VALUES.get((layer.id, value)) or LOOKS.get(layer.id)
    if known is not None:
        return known
    style = layer.spec.style
    colour = style.colours.get(value, "")
    line = colour if colour and layer.spec.geometry != "polygon" else style.stroke
    dash = tuple(float(part) for part in style.dash.split()) if style.dash else ()
    fill = colour or style.fill or ""
    tint = 0.0 if layer.spec.role in ("zoning", "context") else min(style.opacity, 0.35)
    if layer.spec.role == "zoning" and colour:
        return Look(line=colour, width=0.9, dash=dash, ribbon_mm=0.8)
    return Look(fill if tint else "", tint, line, style.width * 0.55, dash)


def has_values(layer: Layer) -> bool:
    """Whether the values of a field are drawn apart; on paper units of all classes have one line."""
    style = layer.spec.style
    plain = layer.id in LOOKS and not any(key[0] == layer.id for key in VALUES)
    return bool(style.by in layer.frame.columns and style.colours and not plain)
