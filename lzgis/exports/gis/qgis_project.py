"""A QGIS project stored inside a GeoPackage: its layers in groups, styled, with relations and a print layout.

QGIS keeps projects in the table ``qgis_projects``, as the hexadecimal text of a zip with the project's XML. The layers are
named relative to the GeoPackage, so the file can be moved; it must keep its name.
"""

from __future__ import annotations

import io
import json
import math
import sqlite3
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import shapely
from pyproj import CRS

from lzgis.coordinates.gauss_kruger import zone_around
from lzgis.coordinates.plane import CGCS2000
from lzgis.exports.gis.features import GisLayer
from lzgis.exports.gis.qgis_style import LayerStyle, style_elements

#: The table of projects, as QGIS itself makes it.
PROJECT_TABLE = "CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)"

_GEOMETRIES = {"polygon": "Polygon", "line": "Line", "point": "Point", None: "No geometry"}
_PAGE_MM = (420, 297)
_TITLE_PT = 22


#: West, south, east and north.
Box = tuple[float, float, float, float]


class Group(NamedTuple):
    """A group of the layer tree: its title, the kinds of its layers, and whether they are shown."""

    title: str
    kinds: tuple[str, ...]
    shown: bool = True


class Relation(NamedTuple):
    """A relation of the project: the field of one table that holds the id of a feature of another."""

    title: str
    child: str
    field: str
    parent: str
    parent_field: str


class Project(NamedTuple):
    """A project: the file and name, its groups and relations, the lines below its print layout, and its extent in degrees."""

    file_name: str
    title: str
    groups: Sequence[Group]
    relations: Sequence[Relation]
    notes: str
    extent: Box


def store_project(
    database: sqlite3.Connection, project: Project, layers: Sequence[GisLayer], styles: Mapping[str, LayerStyle], *, when: str
) -> None:  # fmt: skip
    """Store a project in an open GeoPackage.

    Parameters
    ----------
    database : Connection
        The GeoPackage.
    project : Project
        What the project shows.
    layers : sequence of GisLayer
        The layers and tables, in the order of the tree.
    styles : mapping of str to LayerStyle
        By kind of layer.
    when : str
        The moment that the project states as its last change.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as zipped:
        entry = zipfile.ZipInfo(f"{project.title}.qgs", (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        zipped.writestr(entry, project_xml(project, layers, styles))
    facts = json.dumps({"last_modified_time": when, "last_modified_user": "lzgis"}, ensure_ascii=False)
    database.execute(PROJECT_TABLE)
    content = packed.getvalue().hex()
    database.execute("INSERT INTO qgis_projects VALUES (?, ?, ?)", (project.title, facts.encode(), content.encode()))


def project_xml(project: Project, layers: Sequence[GisLayer], styles: Mapping[str, LayerStyle]) -> str:
    """Return the XML of a project (``.qgs``).

    The map is drawn in the 3-degree Gauss-Krüger zone of the extent, where shapes and distances are as on the ground; the
    layers stay in degrees.
    """
    west, south, east, north = project.extent
    zone = replace(zone_around((west + east) / 2), prefixed=False)
    (box,) = zone.project(shapely.box(west, south, east, north))
    extent: Box = tuple(box.bounds)
    crs = _crs(zone.crs)
    shown = [one for group in project.groups for one in layers if one.kind in group.kinds]
    return "\n".join(
        [
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
            f'<qgis version="3.22.0" projectname={quoteattr(project.title)}>',
            f"<title>{escape(project.title)}</title>",
            f"<projectCrs>{crs}</projectCrs>",
            "<layer-tree-group>",
            *(_group(project, group, layers) for group in project.groups),
            "</layer-tree-group>",
            _relations(project, layers),
            f'<mapcanvas name="theMapCanvas"><units>meters</units>{_extent(extent)}',
            f"<destinationsrs>{crs}</destinationsrs></mapcanvas>",
            "<projectlayers>",
            *(_map_layer(project, one, styles.get(one.kind, LayerStyle())) for one in shown),
            "</projectlayers>",
            "<layerorder>",
            *(f"<layer id={quoteattr(_id(one.name))}/>" for one in shown if one.shape is not None),
            "</layerorder>",
            '<properties><Paths><Absolute type="bool">false</Absolute></Paths>',
            # Without this QGIS ignores `projectCrs`, and areas are of no system.
            '<SpatialRefSys><ProjectionsEnabled type="int">1</ProjectionsEnabled></SpatialRefSys>',
            '<Measurement><AreaUnits type="QString">m2</AreaUnits><DistanceUnits type="QString">meters</DistanceUnits>',
            '</Measurement><Measure><Ellipsoid type="QString">EPSG:7024</Ellipsoid></Measure></properties>',
            _layout(project, layers, extent),
            "</qgis>",
            "",
        ]
    )


def _crs(crs: CRS) -> str:
    """Return a system for QGIS, which reads it from its WKT; a code alone it reads only beside the number of its own database."""
    code = ":".join(crs.to_authority() or ())
    return f"<spatialrefsys><wkt>{escape(crs.to_wkt())}</wkt><authid>{code}</authid></spatialrefsys>"


def _id(name: str) -> str:
    """Return the id of a layer in the project: the same for the same name, so that the bytes are the same."""
    return f"{name}_{uuid.uuid5(uuid.NAMESPACE_OID, 'lzgis:' + name).hex}"


def _source(project: Project, name: str) -> str:
    return f"./{project.file_name}|layername={name}"


def _group(project: Project, group: Group, layers: Sequence[GisLayer]) -> str:
    state = "Qt::Checked" if group.shown else "Qt::Unchecked"
    inside = "".join(
        f'<layer-tree-layer id={quoteattr(_id(one.name))} name={quoteattr(one.title)} providerKey="ogr"'
        f' source={quoteattr(_source(project, one.name))} checked="{state}" expanded="0"/>'
        for one in layers
        if one.kind in group.kinds
    )
    return f'<layer-tree-group name={quoteattr(group.title)} checked="{state}" expanded="1">{inside}</layer-tree-group>'


def _map_layer(project: Project, layer: GisLayer, style: LayerStyle) -> str:
    head = f'<maplayer type="vector" geometry="{_GEOMETRIES[layer.shape]}" labelsEnabled="{int(bool(style.label))}"'
    parts = [
        f'{head} hasScaleBasedVisibilityFlag="0">',
        f"<id>{_id(layer.name)}</id>",
        f"<datasource>{escape(_source(project, layer.name))}</datasource>",
        f"<layername>{escape(layer.title)}</layername>",
        f"<srs>{_crs(CGCS2000)}</srs>" if layer.shape is not None else "",
        '<provider encoding="UTF-8">ogr</provider>',
        style_elements(style, headings(layer), layer.shape),
        "</maplayer>",
    ]
    return "\n".join(filter(None, parts))


def headings(layer: GisLayer) -> dict[str, str]:
    """Return the headings of the columns that a layer has."""
    return {name: layer.aliases[name] for name in map(str, layer.frame.columns) if layer.aliases.get(name)}


def _relations(project: Project, layers: Sequence[GisLayer]) -> str:
    there = {one.name for one in layers}
    rows = "".join(
        f"<relation id={quoteattr(f'{one.parent}-{one.child}')} name={quoteattr(one.title)}"
        f" referencingLayer={quoteattr(_id(one.child))} referencedLayer={quoteattr(_id(one.parent))}"
        f' strength="Association"><fieldRef referencingField={quoteattr(one.field)}'
        f" referencedField={quoteattr(one.parent_field)}/></relation>"
        for one in project.relations
        if {one.child, one.parent} <= there
    )
    return f"<relations>{rows}</relations>"


def _extent(extent: Box) -> str:
    west, south, east, north = extent
    return f"<extent><xmin>{west!r}</xmin><ymin>{south!r}</ymin><xmax>{east!r}</xmax><ymax>{north!r}</ymax></extent>"


def _layout(project: Project, layers: Sequence[GisLayer], extent: Box) -> str:
    """Return a print layout, A3 across: title, map, scale, legend, and the notes; QGIS fills in what is not stated."""
    width, height = _PAGE_MM
    page = "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, "lzgis:page")) + "}"
    chart = "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, "lzgis:map")) + "}"
    map_size = (width - 100, height - 50)
    west, south, east, north = _fitted(extent, map_size)
    shape = f'xmin="{west!r}" ymin="{south!r}" xmax="{east!r}" ymax="{north!r}"'
    white = (
        '<symbol type="fill" name="" alpha="1" clip_to_extent="1" force_rhr="0"><layer class="SimpleFill" enabled="1"'
        ' locked="0" pass="0"><prop k="color" v="255,255,255,255"/><prop k="outline_style" v="no"/></layer></symbol>'
    )
    small = 'symbolWidth="6" symbolHeight="3" boxSpace="1" columnCount="1" lineSpacing="1"'
    # What is drawn, and no table.
    drawn = [group for group in project.groups if group.shown]
    legend = f"<layer-tree-group>{''.join(_group(project, one, layers) for one in drawn)}</layer-tree-group>{_legend_styles()}"
    items = [
        _item(65639, (10, 25), map_size, f'uuid="{chart}" frame="true" keepLayerSet="false"', f"<Extent {shape}/>"),
        _label((10, 8), (width - 20, 14), project.title, _TITLE_PT),
        _label((10, height - 22), (width - 20, 18), project.notes, 8),
        _item(65642, (width - 86, 25), (80, 100), f'map_uuid="{chart}" resizeToContents="1" {small}', legend),
        _scale_bar((width - 86, height - 40), chart, (east - west) / map_size[0]),
    ]
    paper = _item(65638, (0, 0), _PAGE_MM, f'uuid="{page}"', white)
    return (
        f'<Layouts><Layout name={quoteattr(project.title)} units="mm" printResolution="300">'
        f"<PageCollection>{white}{paper}</PageCollection>"
        f"{''.join(items)}</Layout></Layouts>"
    )


def _scale_bar(at: tuple[int, int], chart: str, metres_per_mm: float) -> str:
    """Return a scale bar of two segments, together between 25 and 60 mm long."""
    most = metres_per_mm * 30
    power = 10 ** math.floor(math.log10(max(most, 1)))
    segment_m = next(one * power for one in (5, 2, 1) if one * power <= max(most, 1))
    kilometres = segment_m >= 1000
    unit, label, ratio = ("km", "km", 1000) if kilometres else ("meters", "m", 1)
    return _item(
        65646,
        at,
        (74, 12),
        f'mapUuid="{chart}" style="Line Ticks Up" numSegments="2" numSegmentsLeft="0" unitType="{unit}" unitLabel="{label}"'
        f' numUnitsPerSegment="{segment_m / ratio:g}" numMapUnitsPerScaleBarUnit="1" height="2" lineWidth="0.3" alignment="0"'
        ' segmentSizeMode="0" labelBarSpace="1.5" boxContentSpace="1"',
        _text_style(8),
    )


def _fitted(extent: Box, size_mm: tuple[int, int]) -> Box:
    """Widen an extent to the proportions of the map, with a margin for symbols and labels."""
    west, south, east, north = (
        shapely.box(*extent).buffer(0.04 * max(extent[2] - extent[0], extent[3] - extent[1])).bounds
    )
    wide, high = max(east - west, 1e-6), max(north - south, 1e-6)
    more_high, more_wide = max(wide * size_mm[1] / size_mm[0] - high, 0), max(high * size_mm[0] / size_mm[1] - wide, 0)
    return west - more_wide / 2, south - more_high / 2, east + more_wide / 2, north + more_high / 2


def _item(kind: int, at: tuple[int, int], size: tuple[int, int], more: str, inner: str) -> str:
    place = f'position="{at[0]},{at[1]},mm" positionOnPage="{at[0]},{at[1]},mm" size="{size[0]},{size[1]},mm"'
    fixed = 'visibility="1" opacity="1" referencePoint="0" itemRotation="0" background="true"'
    colour = '<BackgroundColor red="255" green="255" blue="255" alpha="255"/>'
    return f'<LayoutItem type="{kind}" {place} {fixed} {more}>{colour}{inner}</LayoutItem>'


def _label(at: tuple[int, int], size: tuple[int, int], text: str, points: int) -> str:
    # QGIS before 3.24 reads the font, later ones the style of text; 4 is centred, 1 left, 32 the top.
    inner = f'<LabelFont description="{_font(points)}" style=""/>{_text_style(points)}'
    place = "4" if points >= _TITLE_PT else "1"
    return _item(65641, at, size, f'labelText={quoteattr(text)} htmlState="0" halign="{place}" valign="32"', inner)


def _legend_styles() -> str:
    """Return small fonts and narrow gaps for the legend, so that it fits beside the map."""
    sizes = {"title": (10, 2.0), "group": (9, 2.0), "subgroup": (8, 1.5), "symbol": (8, 0.8), "symbolLabel": (8, 0.8)}
    rows = "".join(
        f'<style name="{name}" alignment="1" indent="0" marginTop="{gap}" marginLeft="2">'
        f'<styleFont description="{_font(points)}" style=""/>{_text_style(points)}</style>'
        for name, (points, gap) in sizes.items()
    )
    return f"<styles>{rows}</styles>"


def _font(points: int) -> str:
    return f"Microsoft YaHei,{points},-1,5,50,0,0,0,0,0"


def _text_style(points: int) -> str:
    return (
        f'<text-style fontFamily="Microsoft YaHei" fontSize="{points}" fontSizeUnit="Point" textColor="20,20,20,255"'
        ' fontWeight="50" namedStyle="Regular" textOpacity="1" multilineHeight="1"/>'
    )
