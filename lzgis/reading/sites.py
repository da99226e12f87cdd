"""The table of sites: read in a separate process, transformed to CGCS2000, repaired, its columns found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from lzgis.coordinates.locate import Georeference, code_of, declared_crs, locate
from lzgis.coordinates.packed_degrees import packed_problems
from lzgis.coordinates.plane import ELLIPSOID, Geometries, ellipsoidal_area_m2
from lzgis.coordinates.profiles import profile_around
from lzgis.coordinates.shifted_maps import shifted_by_name
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import RESOLUTION_M, Problem, Repair, SiteTable, Source
from lzgis.reading.attributes import site_column
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.field_names import SITE_FIELDS
from lzgis.reading.outlines import as_polygons, no_outline, outline_problem, outline_repairs, outlines_of
from lzgis.reading.repair import Change, drop_heights, repair_geometries
from lzgis.reading.sandbox.parent import Reading, begin_reading

#: The most overlaps between sites that are named; the others are counted.
_NAMED = 20
#: Sites whose neighbours are searched at a time, and the least overlap (m²) that is reported.
_AT_ONCE, _LEAST_M2 = 1000, 1.0


def read_sites(
    path: str | Path,
    *,
    layer: str | None = None,
    options: ReadOptions | None = None,
    near: shapely.Geometry | None = None,
) -> SiteTable:
    """Read the sites to screen from any input that has a reader; files are read in a separate process with limits.

    Parameters
    ----------
    path : str or path
        The file or folder, or an address as ``postgis://user@host/database``.
    layer : str, optional
        Which layer, if there are several; the same as in `options`.
    options : ReadOptions, optional
        What the user declares: reference system, encoding, a shift, seven parameters; and whether repairs are accepted.
    near : shapely geometry, optional
        The outline of the city in degrees on CGCS2000. Sites far from it are refused if another system would put them
        inside; for a file without reference system, the message lists the systems that would.

    Returns
    -------
    SiteTable
        The sites in degrees on CGCS2000, with the changes that were made to them.

    Raises
    ------
    SourceError
        If the file cannot be read, takes too much memory or time, has no reference system, contradicts its system,
        has no rows, or has duplicate ids.
    LayerError
        If its datum is neither CGCS2000 nor WGS 84 and no parameters are given.

    Examples
    --------
    >>> import lzgis as lz
    >>> sites = lz.read_sites(lz.reference_city() / "sites.gpkg")
    >>> len(sites.frame), sites.frame["id"].iloc[0]
    (51, 'P09')
    """
    with begin_reading(path, layer=layer, options=options) as reading:
        return sites_of(reading, near=near)


def sites_of(reading: Reading, *, near: shapely.Geometry | None = None) -> SiteTable:
    """Wait for a reading, and return its site table; raises as :func:`read_sites`."""
    return sites_from_read(reading.result(), reading.options, near=near)


def sites_from_read(read: Read, options: ReadOptions, *, near: shapely.Geometry | None = None) -> SiteTable:
    """Return the site table of what was read; raises as :func:`read_sites`."""
    origin = Origin(read.name, read.sha256, read.engine)
    table = _table(read.frame, origin, options, near, read.changes)
    hints = [] if options.shifted else shifted_by_name(read.name, read.frame.columns)
    return replace(table, problems=(*read.problems, *hints, *table.problems))


def sites_from_frame(
    frame: gpd.GeoDataFrame,
    *,
    name: str = "sites",
    options: ReadOptions | None = None,
    near: shapely.Geometry | None = None,
    changes: Sequence[Change] = (),
) -> SiteTable:
    """Return the site table of a frame, with the same checks as :func:`read_sites`.

    A frame without ids is numbered from 1, which is reported. A site whose repair would change its area, and is not
    accepted, keeps its row without a geometry.

    Parameters
    ----------
    frame : GeoDataFrame
        The sites, with a reference system.
    name : str
        What messages call the sites.
    options : ReadOptions, optional
        What the user declares, as for :func:`read_sites`.
    near : shapely geometry, optional
        The outline of the city in degrees on CGCS2000, as for :func:`read_sites`.
    changes : sequence of Change
        The changes that a reader made to the shapes before.

    Returns
    -------
    SiteTable
        The sites in degrees on CGCS2000.

    Raises
    ------
    SourceError, LayerError
        As :func:`read_sites`.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[box(112.30, 24.80, 112.31, 24.81)], crs="EPSG:4490")
    >>> sites_from_frame(frame).frame["id"].tolist()
    ['a']
    """
    return _table(frame, Origin(name), options or ReadOptions(), near, changes)


class Origin(NamedTuple):
    """Provenance of a frame."""

    name: str
    sha256: str = ""
    engine: str = "memory"


def _table(
    frame: gpd.GeoDataFrame,
    origin: Origin,
    options: ReadOptions,
    near: shapely.Geometry | None,
    changes: Sequence[Change],
) -> SiteTable:
    name = origin.name
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(
            name, Message("has no geometry"), Message("name the layer that has one, or give another file")
        )
    if not len(frame):
        raise SourceError(name, Message("has no rows"), Message("give at least one site"))
    problems: list[Problem] = []
    if options.shapes == "given":
        # Before the position: faults of the ids are reported first.
        columns = {field: site_column(frame, field, name, problems) for field in SITE_FIELDS}
    flat, flattened, left_out = drop_heights(frame.geometry.to_numpy(), name)
    located = locate(flat, _given(frame, options, near, name), name)
    in_degrees = located.crs.is_geographic and options.degrees == "decimal" and not options.shifted
    packed = packed_problems(shapely.get_coordinates(flat), near, name) if in_degrees else []
    outlines, shapes, kept = outlines_of(frame, located.geometry), located.geometry, list(range(len(frame)))
    if options.shapes == "polygons":
        frame, shapes, kept = as_polygons(frame, shapes, outlines)
        columns = {field: site_column(frame, field, name, problems) for field in SITE_FIELDS}
    ids = columns["id"].to_numpy()
    made = [change.within(kept) for change in (*changes, *left_out)]
    mended = repair_geometries(shapes, ids, name, accept=options.repairs, changes=[one for one in made if one.rows])
    usable, narrow = _with_width(mended.accepted, ids, name)
    drawn = _Outlines([], frozenset(), [])
    if options.shapes == "polygons":
        repairs, listed = outline_repairs(outlines, kept, ids, name)
        drawn = _Outlines(listed if outlines else [no_outline(name)], frozenset(), repairs)
    elif outlines:
        enclosing = frozenset(str(ids[row]) for one in outlines for row in one.rows)
        drawn = _Outlines([outline_problem(outlines, name)], enclosing, [])
    used = {frame.geometry.name, *(str(c.name) for c in columns.values())}
    others = {str(c): frame[c].to_numpy() for c in frame.columns if c not in used and c not in SITE_FIELDS}
    data = {field: column.to_numpy() for field, column in columns.items()} | others
    table = gpd.GeoDataFrame(data, geometry=usable, crs="EPSG:4490")
    found = (*drawn.problems, *packed, *problems, *flattened, *located.problems, *mended.problems, *narrow)
    source = Source("sites", name, origin.sha256, crs=located.crs.name, engine=origin.engine)
    return SiteTable(
        table,
        (*found, *_overlapping(usable, ids, name)),
        source,
        located.transforms,
        (*drawn.repairs, *mended.repairs),
        drawn.enclosing,
        options.activities,
    )


class _Outlines(NamedTuple):
    """What is said of outlines that come as lines or points, the ids of those not taken as polygons, the repairs."""

    problems: list[Problem]
    enclosing: frozenset[str]
    repairs: list[Repair]


def _given(frame: gpd.GeoDataFrame, options: ReadOptions, near: shapely.Geometry | None, name: str) -> Georeference:
    """Return the system of a frame and what is declared; its own system and a declared one must agree."""
    own = None if frame.crs is None else CRS.from_user_input(frame.crs)
    declared = None if options.crs is None else declared_crs(options.crs)
    if own is not None and declared is not None and code_of(own) != code_of(declared):
        what = Message("is in {name}, but {name2} is declared", name=code_of(own), name2=code_of(declared))
        raise SourceError(name, what, Message("leave --crs out, or correct the file"))
    return Georeference(own or declared, options.helmert, options.shifted, near, profile_around(near))


def _with_width(geometry: Geometries, ids: np.ndarray, name: str) -> tuple[Geometries, list[Problem]]:
    """Drop polygons narrower than the resolution of coordinates: collapsed, they touch features without overlapping any."""
    kept, problems = geometry.copy(), []
    areal = np.flatnonzero(shapely.get_dimensions(geometry) == 2)
    width_deg = 2 * shapely.area(geometry[areal]) / shapely.length(geometry[areal])
    # 1e-7 degrees are a centimetre: only polygons as narrow as that are measured.
    for i in areal[width_deg < 1e-7]:
        area, length = ELLIPSOID.geometry_area_perimeter(geometry[i])
        if 2 * abs(area) / length > RESOLUTION_M:
            continue
        kept[i] = None
        what = Message("has no width: its area is {area:.4f} ㎡", area=abs(area))
        here = Message("{place}, feature '{id}'", place=name, id=ids[i])
        problems.append(Problem("error", here, what, Message("draw it again, or give it as a line")))
    return kept, problems


def _overlapping(geometry: Geometries, ids: np.ndarray, name: str) -> list[Problem]:
    """Report sites that overlap: each is checked on its own, so that their areas must not be added up."""
    areal = np.flatnonzero(shapely.get_dimensions(geometry) == 2)
    tree = shapely.STRtree(geometry[areal])
    remedy = Message("each is checked as it is; do not add their areas up")
    found: list[Problem] = []
    for start in range(0, len(areal), _AT_ONCE):
        site, met = tree.query(geometry[areal[start : start + _AT_ONCE]], predicate="intersects")
        left, right = areal[start + site], areal[met]
        pairs = left < right
        left, right = left[pairs], right[pairs]
        # Neighbours share a border; only larger intersections are measured.
        inner = ~shapely.touches(geometry[left], geometry[right])
        for one, other in zip(left[inner], right[inner], strict=True):
            area = _common_m2(geometry[one], geometry[other])
            if area < _LEAST_M2:
                continue
            if len(found) == _NAMED:
                return [*found, Problem("warning", name, Message("more sites overlap than are named here"), remedy)]
            here = Message("{name}, features '{one}' and '{other}'", name=name, one=ids[one], other=ids[other])
            same = shapely.equals(geometry[one], geometry[other])
            what = Message("have the same shape") if same else Message("overlap by {area:.2f} ㎡", area=area)
            found.append(Problem("warning", here, what, remedy))
    return found


def _common_m2(one: shapely.Geometry, other: shapely.Geometry) -> float:
    common = shapely.intersection(one, other)
    return float(ellipsoidal_area_m2([p for p in shapely.get_parts(common) if shapely.get_dimensions(p) == 2]).sum())
