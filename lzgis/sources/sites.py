"""The table of sites: read apart, brought to CGCS2000, repaired, its columns found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from lzgis.errors import SourceError
from lzgis.measure import Geometries, ellipsoidal_area_m2, to_cgcs2000
from lzgis.messages import Message
from lzgis.model import Problem, SiteTable, Source
from lzgis.repair import Repairs, mend
from lzgis.sources.aliases import SITE_FIELDS
from lzgis.sources.apart import Reading, begin_reading
from lzgis.sources.attributes import site_column
from lzgis.sources.base import ReadOptions, sha256_of

#: As many overlaps between sites are named; the rest is counted.
_NAMED = 20
#: Sites that are asked for their neighbours at once, and the least overlap (m²) that is told.
_AT_ONCE, _LEAST_M2 = 1000, 1.0


def read_sites(path: str | Path, *, layer: str | None = None, options: ReadOptions | None = None) -> SiteTable:
    """Read the sites to screen from any file that there is a reader for, in a process apart and with limits.

    Parameters
    ----------
    path : str or path
        The file or folder.
    layer : str, optional
        Which layer, where there are several; the same as in `options`.
    options : ReadOptions, optional
        What the file does not say itself: reference system, encoding; and whether repairs are accepted.

    Raises
    ------
    SourceError
        If the file cannot be read, takes too much memory or time, has no reference system, has no row, or gives one id
        to two rows.
    LayerError
        If its datum is neither CGCS2000 nor WGS 84.
    """
    return sites_of(begin_reading(path, layer=layer, options=options))


def sites_of(reading: Reading) -> SiteTable:
    """Wait for a reading that was begun, and make a site table of it; raises as :func:`read_sites`."""
    read = reading.result()
    path = reading.path
    digest = sha256_of(path) if path.exists() else ""
    repairs = reading.options.repairs
    table = sites_from_frame(read.frame, name=path.name, sha256=digest, engine=read.engine, repairs=repairs)
    return replace(table, problems=(*read.problems, *table.problems))


def sites_from_frame(
    frame: gpd.GeoDataFrame,
    *,
    name: str = "sites",
    sha256: str = "",
    engine: str = "memory",
    repairs: Repairs = "listed",
) -> SiteTable:
    """Make a site table of a frame; the same checks as :func:`read_sites`.

    A frame without ids is numbered from 1, which the problems say. A site whose repair would change its area, and is not
    accepted, keeps its row and has no geometry.
    """
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(
            name, Message("has no geometry"), Message("name the layer that has one, or give another file")
        )
    if frame.crs is None:
        raise SourceError(
            name,
            Message("has no coordinate reference system"),
            Message("declare it, for instance EPSG:4490 or EPSG:4526"),
        )
    if not len(frame):
        raise SourceError(name, Message("has no rows"), Message("give at least one site"))
    problems: list[Problem] = []
    columns = {field: site_column(frame, field, name, problems) for field in SITE_FIELDS}
    crs = CRS.from_user_input(frame.crs)
    geometry, how = to_cgcs2000(frame.geometry.to_numpy(), crs, name)
    mended = mend(geometry, columns["id"].to_numpy(), name, accept=repairs)
    used = {frame.geometry.name, *(str(c.name) for c in columns.values())}
    others = {str(c): frame[c].to_numpy() for c in frame.columns if c not in used and c not in SITE_FIELDS}
    data = {field: column.to_numpy() for field, column in columns.items()} | others
    table = gpd.GeoDataFrame(data, geometry=mended.relied_on, crs="EPSG:4490")
    said = (*problems, *mended.problems, *_overlapping(mended.relied_on, columns["id"].to_numpy(), name))
    source = Source("sites", name, sha256, crs=crs.name, engine=engine)
    return SiteTable(table, said, source, how, mended.repairs)


def _overlapping(geometry: Geometries, ids: np.ndarray, name: str) -> list[Problem]:
    """Name the sites that lie on each other: each is checked as it is, so their areas must not be added up."""
    areal = np.flatnonzero(shapely.get_dimensions(geometry) == 2)
    tree = shapely.STRtree(geometry[areal])
    remedy = Message("each is checked as it is; do not add their areas up")
    found: list[Problem] = []
    for start in range(0, len(areal), _AT_ONCE):
        asked, met = tree.query(geometry[areal[start : start + _AT_ONCE]], predicate="intersects")
        left, right = areal[start + asked], areal[met]
        pairs = left < right
        left, right = left[pairs], right[pairs]
        # Neighbours share a border; only what shares more than that is worth measuring.
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
