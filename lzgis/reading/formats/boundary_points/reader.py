"""The reader of 界址点 txt files (勘测定界 coordinate exchange)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

import lzgis
from lzgis.coordinates.helmert import Helmert
from lzgis.coordinates.plane import ellipsoidal_area_m2, to_cgcs2000
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.area_units import AreaFit, fitting_unit
from lzgis.reading.base import Decided, Read, ReadOptions
from lzgis.reading.encoding import decoded
from lzgis.reading.formats.boundary_points.crs import system_of
from lzgis.reading.formats.boundary_points.rings import Ring, rings_of, shape_of
from lzgis.reading.formats.boundary_points.text import PARCEL_FIELDS, CoordText, ParcelText, at_line, parse_coordtext

#: The largest size of a file, in bytes.
_LARGEST_BYTES = 256 * 1024 * 1024


def read_coordfile(path: Path, options: ReadOptions) -> Read:
    r"""Read a 界址点 file: one row per parcel, its fields under the names of the format.

    Everything that the format leaves open is decided by evidence and reported: encoding, zone, order of X and Y, whether
    a further ring is a hole or a part, the unit of the area, and whether the count includes closing points.

    Raises
    ------
    SourceError
        If the file contradicts itself or is ambiguous; the message names the line.

    Examples
    --------
    >>> import tempfile
    >>> text = "[属性描述]\n坐标系=2000国家大地坐标系\n带号=38\n[地块坐标]\n4,1.0000,P1,甲,面,,,,@\n"
    >>> text += "J1,1,2765000,38445000\nJ2,1,2765100,38445000\nJ3,1,2765100,38445100\nJ4,1,2765000,38445100\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "plan.txt"
    ...     _ = path.write_text(text, "gbk")
    ...     read = read_coordfile(path, ReadOptions())
    >>> read.crs.value, read.encoding.value, read.frame.geometry.iloc[0].area, read.frame["编号"].iloc[0]
    ('EPSG:4526', 'GB18030', 10000.0, 'P1')
    """
    name = str(path)
    parsed, encoding = open_coordtext(path, options)
    system = system_of(parsed, options, name)
    problems = [*parsed.problems, *system.problems]
    rings, shapes = [], []
    for parcel in parsed.parcels:
        own = rings_of(parcel, name, problems)
        rings.append(own)
        shapes.append(shape_of(parcel, own, system.swapped, name, problems))
    geometry = np.array(shapes, dtype=object)
    areas = _areas(geometry, system.crs, options.helmert, name)
    for i, parcel in enumerate(parsed.parcels):
        _check_figures(parcel, rings[i], (areas.plane_m2[i], areas.ellipsoid_m2[i]), name, problems)
    frame = gpd.GeoDataFrame(_columns(parsed), geometry=geometry, crs=system.crs)
    titles = tuple(f"{key}={value}" for key, value in parsed.header.items())
    return Read(frame, f"lzgis {lzgis.__version__}", tuple(problems), encoding, system.how, titles=titles)


def open_coordtext(path: Path, options: ReadOptions) -> tuple[CoordText, Decided]:
    """Decode and parse a 界址点 file; only its encoding is decided."""
    if path.is_dir():
        raise SourceError(str(path), Message("is a folder"), Message("name a file in it"))
    if path.stat().st_size > _LARGEST_BYTES:
        raise SourceError(
            path.name, Message("is larger than any file of coordinates"), Message("give parcels in parts")
        )
    text, encoding = decoded(path.read_bytes(), str(path), declared=options.encoding)
    return parse_coordtext(text, str(path)), encoding


def _columns(parsed: CoordText) -> dict[str, list[str]]:
    names = [*PARCEL_FIELDS, *(key for parcel in parsed.parcels for key in parcel.fields)]
    columns = {key: [parcel.fields.get(key, "") for parcel in parsed.parcels] for key in dict.fromkeys(names)}
    # A file without any number of parcels has no such field; if only some are missing, the empty ones are reported.
    columns = {key: values for key, values in columns.items() if any(values)}
    columns["点数"] = ["" if p.declared_points is None else str(p.declared_points) for p in parsed.parcels]
    columns["面积"] = [p.area_text for p in parsed.parcels]
    return columns


@dataclass(frozen=True, eq=False)
class _Areas:
    plane_m2: np.ndarray
    ellipsoid_m2: np.ndarray


def _areas(geometry: np.ndarray, crs: CRS | None, helmert: Helmert | None, name: str) -> _Areas:
    """Area in the projection, as surveys declare it, and on the ellipsoid where the datum is known."""
    is_degrees = crs is not None and crs.is_geographic
    plane = np.full(len(geometry), np.nan) if is_degrees else np.asarray(shapely.area(geometry))
    if crs is None or helmert is not None:
        return _Areas(plane, np.full(len(geometry), np.nan))
    polygons = shapely.get_dimensions(geometry) == 2
    ellipsoid = np.full(len(geometry), np.nan)
    valid = polygons & shapely.is_valid(geometry)
    if valid.any():
        ellipsoid[valid] = ellipsoidal_area_m2(to_cgcs2000(geometry[valid], crs, name)[0])
    return _Areas(plane, ellipsoid)


def _check_figures(
    parcel: ParcelText, rings: list[Ring], computed: tuple[float, float], name: str, problems: list[Problem]
) -> None:
    """Compare declared count and area to the points; refuse a parcel in which neither is right."""
    if parcel.shape != "面":
        return
    here = at_line(name, parcel.line)
    listed, closed = len(parcel.points), sum(ring.closed for ring in rings)
    distinct = listed - closed
    fit = _fit(parcel, computed)
    counts = parcel.declared_points
    if counts is not None and counts not in (listed, distinct, distinct + len(rings)):
        what = Message("declares {count} points, but {listed} are listed", count=counts, listed=listed)
        if fit is None:
            remedy = Message("points are missing or too many, and no area confirms the shape; complete the file")
            raise SourceError(here, what, remedy)
        problems.append(Problem("warning", here, what, Message("the area confirms the shape; correct the count")))
    if fit is not None:
        problems.append(fit.note(here))
    elif parcel.declared_area:
        what = Message(
            "declares an area of {text}, but {plane:,.2f} ㎡ are computed: no unit fits",
            text=parcel.area_text[:40],
            plane=computed[0] if np.isfinite(computed[0]) else computed[1],
        )
        problems.append(Problem("warning", here, what, Message("look whether points or the figure are wrong")))


def _fit(parcel: ParcelText, computed: tuple[float, float]) -> AreaFit | None:
    if not parcel.declared_area:
        return None
    digits = parcel.area_text.partition(".")[2]
    decimals = len("".join(c for c in digits if c.isdigit()))
    return fitting_unit(parcel.declared_area, computed, decimals=decimals, unit=parcel.area_unit)
