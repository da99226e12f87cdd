"""Styles for QGIS (QML): features coloured by the values of one column, labels, map tips, headings of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from lzgis.exports.gis.features import Shape

_SYMBOL_TYPES: dict[Shape, str] = {"polygon": "fill", "line": "line", "point": "marker"}
_GEOMETRY_TYPES: dict[Shape, int] = {"point": 0, "line": 1, "polygon": 2}
#: Placements of labels in QGIS: over a point of the surface, along the line, around the point.
_PLACEMENTS: dict[Shape, int] = {"polygon": 1, "line": 2, "point": 6}


class Category(NamedTuple):
    """The symbol of the features with one value; `colour` is ``#rrggbb``; polygons are filled or hatched."""

    value: str
    label: str
    colour: str
    hatched: bool = False
    opacity: float = 0.35
    width_mm: float = 0.5


class LayerStyle(NamedTuple):
    """How QGIS shows a layer.

    Attributes
    ----------
    expression : str
        What features are coloured by: a column's name, or an expression of QGIS. Empty for a table.
    categories : list of Category
        The values, in the order of the legend.
    label : str
        Expression of the label; each part of a geometry has one, on its surface. Empty for none.
    label_from : int
        Labels are shown at scales larger than 1 : `label_from`; 0 for every scale.
    map_tip : str
        HTML of the map tip, with expressions in ``[% %]``.
    """

    expression: str = ""
    categories: Sequence[Category] = ()
    label: str = ""
    label_from: int = 0
    map_tip: str = ""


def qml(style: LayerStyle, aliases: Mapping[str, str], shape: Shape | None) -> str:
    """Return the QML of a layer: symbols, labels, map tip, and the headings of its columns.

    Parameters
    ----------
    style : LayerStyle
        Symbols, label and map tip; of a table nothing of it is used.
    aliases : mapping
        The heading of each column. GDAL before 3.7 does not read those of the GeoPackage's schema extension.
    shape : {"polygon", "line", "point"}, optional
        Shape of the layer's geometries, None for a table; QGIS refuses a style made for another.

    Examples
    --------
    >>> style = qml(LayerStyle("verdict", [Category("a", "A & B", "#c62828")]), {"id": "No."}, "line")
    >>> 'label="A &amp; B"' in style, 'field="id"' in style
    (True, True)
    """
    parts = "Fields" if shape is None else "Symbology|Labeling|Fields|MapTips"
    return "\n".join(
        [
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
            f'<qgis version="3.22.0" styleCategories="{parts}"{_labels_on(style)}>',
            style_elements(style, aliases, shape),
            "</qgis>",
            "",
        ]
    )


def style_elements(style: LayerStyle, aliases: Mapping[str, str], shape: Shape | None) -> str:
    """Return the elements of `qml` without its root, as a layer of a project holds them."""
    if shape is None:
        return _aliases(aliases)
    lines = [
        f' <renderer-v2 type="categorizedSymbol" attr={quoteattr(style.expression)} symbollevels="0"'
        ' enableorderby="0" forceraster="0">',
        "  <categories>",
    ]
    symbols = []
    for number, one in enumerate(style.categories):
        value, label = quoteattr(one.value), quoteattr(one.label)
        lines.append(f'   <category render="true" symbol="{number}" value={value} label={label}/>')
        symbols.append(_symbol(str(number), one, shape))
    lines += ["  </categories>", "  <symbols>", *symbols, "  </symbols>", " </renderer-v2>"]
    if style.label:
        lines.append(_labels(style, shape))
    lines += [" <blendMode>0</blendMode>", _aliases(aliases)]
    if style.map_tip:
        lines.append(f" <mapTip>{escape(style.map_tip)}</mapTip>")
    lines.append(f" <layerGeometryType>{_GEOMETRY_TYPES[shape]}</layerGeometryType>")
    return "\n".join(lines)


def _labels_on(style: LayerStyle) -> str:
    return f' labelsEnabled="{int(bool(style.label))}"'


def _aliases(aliases: Mapping[str, str]) -> str:
    rows = "".join(
        f"<alias index={quoteattr(str(number))} field={quoteattr(name)} name={quoteattr(title)}/>"
        for number, (name, title) in enumerate(aliases.items(), 1)
    )
    return f" <aliases>{rows}</aliases>"


def _labels(style: LayerStyle, shape: Shape) -> str:
    """Return the labels: one for each part, on its surface, in dark text with a white buffer."""
    scale = f' scaleVisibility="1" scaleMax="{style.label_from}" scaleMin="1"' if style.label_from else ""
    return "".join(
        [
            ' <labeling type="simple"><settings calloutType="simple">',
            f'<text-style fieldName={quoteattr(style.label)} isExpression="1" fontSize="8" fontSizeUnit="Point"',
            # Without a weight QGIS draws letters and digits as thin as the font can.
            ' fontFamily="Microsoft YaHei" fontWeight="50" namedStyle="Regular"',
            ' textColor="30,30,30,255" textOpacity="1" multilineHeight="1">',
            '<text-buffer bufferDraw="1" bufferSize="0.7" bufferSizeUnits="MM" bufferColor="255,255,255,255"',
            ' bufferOpacity="1"/></text-style>',
            '<text-format multilineAlign="1" wrapChar="" autoWrapLength="0"/>',
            f'<placement placement="{_PLACEMENTS[shape]}" centroidInside="1" centroidWhole="1" priority="5" dist="1"',
            ' distUnits="MM"/>',
            f'<rendering labelPerPart="1" displayAll="0" obstacle="0" drawLabels="1"{scale}/>',
            "</settings></labeling>",
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
