"""Styles for QGIS (QML): features coloured by the values of one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from lzgis.exports.gis.features import Shape

_SYMBOL_TYPES: dict[Shape, str] = {"polygon": "fill", "line": "line", "point": "marker"}
_GEOMETRY_TYPES: dict[Shape, int] = {"point": 0, "line": 1, "polygon": 2}


class Category(NamedTuple):
    """The symbol of the features with one value; `colour` is ``#rrggbb``; polygons are filled or hatched."""

    value: str
    label: str
    colour: str
    hatched: bool = False
    opacity: float = 0.35
    width_mm: float = 0.5


def categorized(expression: str, categories: Sequence[Category], shape: Shape) -> str:
    """Return the QML of a layer whose features are drawn by the value of `expression`.

    Parameters
    ----------
    expression : str
        A column's name, or an expression of QGIS.
    categories : sequence of Category
        The values, in the order of the legend.
    shape : {"polygon", "line", "point"}
        Shape of the layer's geometries; QGIS refuses a style made for another.

    Examples
    --------
    >>> style = categorized("verdict", [Category("a", "A & B", "#c62828")], "line")
    >>> 'label="A &amp; B"' in style
    True
    """
    entries, symbols = [], []
    for number, one in enumerate(categories):
        value, label = quoteattr(one.value), quoteattr(one.label)
        entries.append(f'   <category render="true" symbol="{number}" value={value} label={label}/>')
        symbols.append(_symbol(str(number), one, shape))
    return "\n".join(
        [
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
            '<qgis version="3.22.0" styleCategories="Symbology">',
            f' <renderer-v2 type="categorizedSymbol" attr={quoteattr(expression)} symbollevels="0"'
            ' enableorderby="0" forceraster="0">',
            "  <categories>",
            *entries,
            "  </categories>",
            "  <symbols>",
            *symbols,
            "  </symbols>",
            " </renderer-v2>",
            " <blendMode>0</blendMode>",
            f" <layerGeometryType>{_GEOMETRY_TYPES[shape]}</layerGeometryType>",
            "</qgis>",
            "",
        ]
    )


def _symbol(name: str, one: Category, shape: Shape) -> str:
    if shape == "line":
        parts = [_layer("SimpleLine", {"line_color": _rgba(one.colour), "line_width": f"{one.width_mm * 2:g}"})]
    elif shape == "point":
        marker = {
            "name": "circle",
            "color": _rgba(one.colour),
            "outline_color": "255,255,255,255",
            "size": "3.4",
        }
        parts = [_layer("SimpleMarker", marker | {"outline_width": "0.4"})]
    else:
        outline = {"outline_color": _rgba(one.colour), "outline_width": f"{one.width_mm:g}"}
        fill = {"color": _rgba(one.colour, one.opacity), "style": "no" if one.hatched else "solid"}
        parts = [_layer("SimpleFill", {**fill, **outline, "outline_style": "solid"})]
        if one.hatched:
            parts.insert(0, _hatch(name, one))
    inner = "\n".join(parts)
    head = f'   <symbol type="{_SYMBOL_TYPES[shape]}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
    return f"{head}\n{inner}\n   </symbol>"


def _hatch(name: str, one: Category) -> str:
    line = _layer("SimpleLine", {"line_color": _rgba(one.colour), "line_width": "0.3"})
    symbol = f'<symbol type="line" name="@{name}@0" alpha="1" clip_to_extent="1" force_rhr="0">{line}</symbol>'
    pattern = {"angle": "45", "distance": "1.8", "line_width": "0.3", "color": _rgba(one.colour)}
    return _layer("LinePatternFill", pattern, symbol)


def _layer(kind: str, properties: dict[str, str], inner: str = "") -> str:
    # QGIS before 3.26 reads the <prop>s, later ones the <Option>s.
    options = "".join(f'<Option type="QString" name="{k}" value={quoteattr(v)}/>' for k, v in properties.items())
    props = "".join(f'<prop k="{k}" v={quoteattr(v)}/>' for k, v in properties.items())
    head = f'    <layer class="{kind}" enabled="1" locked="0" pass="0">'
    return f'{head}<Option type="Map">{options}</Option>{props}{inner}</layer>'


def _rgba(colour: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{round(opacity * 255)}"
