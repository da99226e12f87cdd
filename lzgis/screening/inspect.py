"""Diagnose an input: what it holds, how that was determined, where it lies, what reading it would assume or refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from lzgis.city.catalogue import Catalogue
from lzgis.city.region import Region, open_city_or_region
from lzgis.coordinates.candidates import compass, distance_from
from lzgis.coordinates.gauss_kruger import Zone, zone_of
from lzgis.coordinates.locate import Georeference, Located, code_of, declared_crs, locate
from lzgis.coordinates.plane import Geometries
from lzgis.coordinates.profiles import profile_around
from lzgis.coordinates.shifted_maps import shifted_by_name
from lzgis.errors import LzgisError, SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem, Repair, SiteTable
from lzgis.reading import (
    SITE_FIELDS,
    Decided,
    Read,
    ReadOptions,
    is_address,
    read_in_sandbox,
    sha256_of,
    shown,
    sites_from_read,
)
from lzgis.screening.duplicates import AreaField, Overlap, area_fields, equal_shapes, overlaps
from lzgis.screening.subjects import refuse_unknown_activities, unknown_activities


@dataclass(frozen=True)
class System:
    """The reference system of an input: its code and how it was determined, its name, zone if it has one, and axes."""

    code: Decided
    name: str
    zone: Zone | None
    axes: str


@dataclass(frozen=True)
class Place:
    """Where the rows lie: counts by position to the city's outline, their median centre, and the farthest one (m)."""

    inside: int
    partly: int
    outside: int
    lon_deg: float
    lat_deg: float
    farthest_m: float
    direction: str


@dataclass(frozen=True, eq=False)
class Contents:
    """What an input holds.

    Attributes
    ----------
    rows : int
        Number of rows.
    kinds : mapping of str to int
        Rows by type of geometry; ``""`` counts those without.
    parts, rings, holes, vertices : int
        Counts over all rows.
    fields : tuple of str
        Names of the columns.
    ids : tuple of str
        The id of each row; its number if the input has no field of ids.
    same_ids, same_shapes : tuple
        Ids that several rows have, with these rows counted from 1; rows of equal shape.
    areas, overlaps, place, geometry
        Declared areas, overlaps between rows, position and shapes (EPSG:4490); empty if the input could not be located.
    """

    rows: int
    kinds: dict[str, int]
    parts: int
    rings: int
    holes: int
    vertices: int
    fields: tuple[str, ...]
    ids: tuple[str, ...]
    same_ids: tuple[tuple[str, tuple[int, ...]], ...]
    same_shapes: tuple[tuple[int, ...], ...]
    areas: tuple[AreaField, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    place: Place | None = None
    geometry: Geometries = field(default_factory=lambda: np.array([], dtype=object))


@dataclass(frozen=True, eq=False)
class Sheet:
    """The diagnosis of an input.

    `assumed` lists what reading the input assumes, `refused` the errors with which it would end; the other attributes hold
    what was found before these. `repairs` lists what would be done to shapes. `outline` is that of the city, in EPSG:4490.
    `sites` is the table that a screening would use, if nothing is refused.
    """

    name: str
    size_bytes: int
    sha256: str
    refused: tuple[Problem, ...]
    assumed: tuple[Problem, ...] = ()
    engine: str = ""
    encoding: Decided | None = None
    system: System | None = None
    contents: Contents | None = None
    transforms: tuple[str, ...] = ()
    outline: shapely.Geometry | None = None
    repairs: tuple[Repair, ...] = ()
    sites: SiteTable | None = None

    @property
    def readable(self) -> bool:
        """Whether nothing is refused."""
        return not self.refused


def inspect_file(
    path: str | Path, *, options: ReadOptions | None = None, city: Catalogue | Region | str | Path | None = None
) -> Sheet:
    """Diagnose any input that has a reader. Bad input raises no error: `Sheet.refused` says what is wrong with it.

    Parameters
    ----------
    path : str or path
        The file or folder, or an address of a database.
    options : ReadOptions, optional
        What the user declares, as for `lzgis.read_sites`.
    city : Catalogue, Region or path, optional
        The city or region whose outline the input is compared with, and whose vocabulary names the activities.

    Returns
    -------
    Sheet
        What the input is, where it lies, and what was assumed.

    Raises
    ------
    ConfigError, SourceError, LayerError
        If the city's folder is not valid.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> sheet = inspect_file(reference_city() / "sites.gpkg", city=reference_city())
    >>> sheet.readable, sheet.system.code.value, sheet.contents.rows, sheet.contents.place.outside
    (True, 'EPSG:4490', 51, 1)
    """
    options = options or ReadOptions()
    city = None if city is None else open_city_or_region(city)
    outline = None if city is None else city.outline
    name = shown(path) if is_address(path) else Path(path).name
    size, digest = (0, "") if is_address(path) else _on_disk(Path(path))
    try:
        read = read_in_sandbox(path, options=options)
    except LzgisError as error:
        return Sheet(name, size, digest, (_as_problem(error),), outline=outline)
    return _sheet(read, options, city, name=name, size=size, digest=digest)


def _sheet(
    read: Read, options: ReadOptions, city: Catalogue | Region | None, *, name: str, size: int, digest: str
) -> Sheet:
    """Return what is found out about an input that could be read."""
    outline = None if city is None else city.outline
    refused: list[LzgisError] = []
    assumed = [*read.problems]
    if not options.shifted:
        assumed += shifted_by_name(name, read.frame.columns)
    located = _located(read, name, options, outline, refused)
    table = _table(read, options, outline, refused)
    assumed += [*(located.problems if located else ()), *(table.problems if table else ())]
    assumed += _activities(table, city, options, refused)
    is_spatial = isinstance(read.frame, gpd.GeoDataFrame)
    return Sheet(
        name,
        size,
        read.sha256 or digest,
        _distinct(_as_problem(error) for error in refused),
        _distinct(assumed),
        read.engine,
        read.encoding,
        _system(read, located) if is_spatial else None,
        _contents(read.frame, located, outline) if is_spatial else None,
        located.transforms if located is not None else (),
        outline,
        table.repairs if table is not None else (),
        table if not refused else None,
    )


def _table(
    read: Read, options: ReadOptions, outline: shapely.Geometry | None, refused: list[LzgisError]
) -> SiteTable | None:
    """Make a table of sites as a screening would; None if the input has no geometry or is refused."""
    if not isinstance(read.frame, gpd.GeoDataFrame):
        return None
    try:
        return sites_from_read(read, options, near=outline)
    except LzgisError as error:
        refused.append(error)
        return None


def _activities(
    table: SiteTable | None, city: Catalogue | Region | None, options: ReadOptions, refused: list[LzgisError]
) -> tuple[Problem, ...]:
    """List the activities that the city's vocabulary does not have, or refuse the first, as a screening would."""
    if table is None or city is None:
        return ()
    book = city.vocabulary if isinstance(city, Region) else city.book
    if options.activities == "listed":
        return unknown_activities(table, book)
    try:
        refuse_unknown_activities(table, book)
    except LzgisError as error:
        refused.append(error)
    return ()


def _on_disk(path: Path) -> tuple[int, str]:
    if not path.exists():
        return 0, ""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return sum(p.stat().st_size for p in files), sha256_of(path)


def _located(
    read: Read, name: str, options: ReadOptions, outline: shapely.Geometry | None, refused: list[LzgisError]
) -> Located | None:
    try:
        if not isinstance(read.frame, gpd.GeoDataFrame):
            remedy = Message("name the layer that has one, or give another file")
            raise SourceError(name, Message("has no geometry"), remedy)
        crs = None if read.frame.crs is None else CRS.from_user_input(read.frame.crs)
        crs = crs or (declared_crs(options.crs) if options.crs else None)
        given = Georeference(crs, options.helmert, options.shifted, outline, profile_around(outline))
        return locate(read.frame.geometry.to_numpy(), given, name)
    except LzgisError as error:
        refused.append(error)
        return None


def _system(read: Read, located: Located | None) -> System | None:
    own = None if read.frame.crs is None else CRS.from_user_input(read.frame.crs)
    crs = located.crs if located is not None else own
    if crs is None:
        return None
    how = read.crs.how if read.crs is not None else Message("named in the file")
    return System(Decided(code_of(crs), how), crs.name, zone_of(crs), _axes(crs))


def _contents(frame: gpd.GeoDataFrame, located: Located | None, outline: shapely.Geometry | None) -> Contents:
    shapes = frame.geometry.to_numpy()
    ids = _ids(frame)
    kinds = Counter("" if one is None or shapely.is_empty(one) else str(one.geom_type) for one in shapes)
    parts = shapely.get_parts(shapes[~shapely.is_missing(shapes)])
    polygons = parts[shapely.get_type_id(parts) == 3]
    holes = int(shapely.get_num_interior_rings(polygons).sum())
    twice = [name for name, count in Counter(i for i in ids if i).items() if count > 1]
    found = Contents(
        rows=len(frame),
        kinds=dict(kinds),
        parts=len(parts),
        rings=len(polygons) + holes,
        holes=holes,
        vertices=int(shapely.get_num_coordinates(shapes).sum()),
        fields=tuple(str(name) for name in frame.columns if name != frame.geometry.name),
        ids=tuple(ids),
        same_ids=tuple((name, tuple(i + 1 for i, one in enumerate(ids) if one == name)) for name in twice),
        same_shapes=equal_shapes(shapes),
    )
    if located is None:
        return found
    degrees = located.geometry
    plane_m2 = shapely.area(shapes) if located.crs.is_projected and _in_metres(located.crs) else None
    return replace(
        found,
        areas=area_fields(frame, degrees, plane_m2, ids),
        overlaps=overlaps(degrees, ids),
        place=_place(degrees, outline),
        geometry=degrees,
    )


def _in_metres(crs: CRS) -> bool:
    return all(abs(axis.unit_conversion_factor - 1) < 1e-12 for axis in crs.axis_info[:2])


def _axes(crs: CRS) -> str:
    if crs.is_geographic:
        return Message("x is the longitude, y the latitude, in degrees")
    unit = crs.axis_info[0].unit_name if crs.axis_info else ""
    return Message("x is the easting, y the northing, in {unit}", unit=unit)


def _ids(frame: gpd.GeoDataFrame) -> list[str]:
    column = next((name for name in SITE_FIELDS["id"] if name in frame.columns), None)
    if column is None:
        return [str(i + 1) for i in range(len(frame))]
    return ["" if pd.isna(value) else str(value).strip() for value in frame[column]]


def _place(degrees: Geometries, outline: shapely.Geometry | None) -> Place | None:
    bounds = shapely.bounds(degrees)
    usable = np.isfinite(bounds).all(axis=1)
    if not usable.any():
        return None
    boxes = shapely.box(*bounds[usable].T)
    middles = (bounds[usable, :2] + bounds[usable, 2:]) / 2
    lon, lat = np.median(middles, axis=0)
    if outline is None:
        return Place(0, 0, 0, float(lon), float(lat), np.nan, "")
    valid = shapely.is_valid(degrees[usable])
    shapes = degrees[usable].copy()
    shapes[~valid] = np.asarray(boxes, dtype=object)[~valid]
    within, meets = shapely.covers(outline, shapes), shapely.intersects(outline, shapes)
    distance, azimuth = distance_from(middles, outline)
    distance[meets] = 0.0
    far = int(np.argmax(distance))
    direction = compass(float(azimuth[far])) if distance[far] > 0 else ""
    return Place(
        int(within.sum()),
        int((meets & ~within).sum()),
        int((~meets).sum()),
        float(lon),
        float(lat),
        float(distance[far]),
        direction,
    )


def _as_problem(error: LzgisError) -> Problem:
    return Problem("error", error.place, error.what, error.remedy)


def _distinct(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple({(p.place, p.what): p for p in problems}.values())
