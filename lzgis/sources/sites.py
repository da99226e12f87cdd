"""The table of sites: read, brought to CGCS2000, repaired, its columns found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from lzgis.errors import SourceError
from lzgis.hints import shifted_by_name
from lzgis.messages import Message
from lzgis.model import Problem, SiteTable, Source
from lzgis.position import Given, code_of, declared_crs, locate
from lzgis.repair import mend
from lzgis.sources.base import ReadOptions
from lzgis.sources.table import read_vector

#: What the columns of a site table may be called; the first found is taken.
SITE_FIELDS = {
    "id": ("id", "site_id", "编号", "项目编号", "地块编号", "BSM", "XMBH"),
    "name": ("name", "site_name", "名称", "项目名称", "地块名称", "XMMC"),
    "activity": ("activity", "活动类型", "项目类型", "活动", "建设类型", "XMLX"),
}


def read_sites(
    path: str | Path,
    *,
    layer: str | None = None,
    options: ReadOptions | None = None,
    near: shapely.Geometry | None = None,
) -> SiteTable:
    """Read the sites to screen from anything that there is a reader for.

    Parameters
    ----------
    path : str or path
        The file or folder, or an address as ``postgis://user@host/database``.
    layer : str, optional
        Which layer, where there are several; the same as in `options`.
    options : ReadOptions, optional
        What the file does not say itself: reference system, encoding, a shift, seven parameters.
    near : shapely geometry, optional
        The outline of the city in degrees on CGCS2000: what would land far from it, while another reading lands inside,
        is refused, and a file without reference system is told which would land there.

    Raises
    ------
    SourceError
        If the file cannot be read, has no reference system, cannot lie where it claims to, has no row, or gives one id to
        two rows.
    LayerError
        If its datum is neither CGCS2000 nor WGS 84 and no parameters are given.
    """
    read = read_vector(path, layer=layer, options=options)
    origin = Origin(read.name, read.sha256, read.engine)
    table = _table(read.frame, origin, options or ReadOptions(), near)
    hints = [] if options is not None and options.shifted else shifted_by_name(read.name, read.frame.columns)
    return replace(table, problems=(*read.problems, *hints, *table.problems))


def sites_from_frame(
    frame: gpd.GeoDataFrame,
    *,
    name: str = "sites",
    options: ReadOptions | None = None,
    near: shapely.Geometry | None = None,
) -> SiteTable:
    """Make a site table of a frame; the same checks as :func:`read_sites`.

    A frame without ids is numbered from 1, which the problems say.
    """
    return _table(frame, Origin(name), options or ReadOptions(), near)


class Origin(NamedTuple):
    """Where a frame comes from."""

    name: str
    sha256: str = ""
    engine: str = "memory"


def _table(frame: gpd.GeoDataFrame, origin: Origin, options: ReadOptions, near: shapely.Geometry | None) -> SiteTable:
    name = origin.name
    if not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError(
            name, Message("has no geometry"), Message("name the layer that has one, or give another file")
        )
    if not len(frame):
        raise SourceError(name, Message("has no rows"), Message("give at least one site"))
    problems: list[Problem] = []
    columns = {field: _column(frame, field, name, problems) for field in SITE_FIELDS}
    ids = columns["id"]
    twice = ids[ids.duplicated(keep=False)]
    if len(twice):
        rows = ", ".join(str(i + 1) for i in range(len(ids)) if ids.iloc[i] == twice.iloc[0])
        raise SourceError(
            Message("{name}, rows {rows}", name=name, rows=rows),
            Message("share the id '{value}'", value=twice.iloc[0]),
            Message("give each site an id of its own"),
        )
    located = locate(frame.geometry.to_numpy(), _given(frame, options, near, name), name)
    mended = mend(located.geometry, ids.to_numpy(), name)
    used = {frame.geometry.name, *(str(c.name) for c in columns.values())}
    others = {str(c): frame[c].to_numpy() for c in frame.columns if c not in used and c not in SITE_FIELDS}
    data = {field: column.to_numpy() for field, column in columns.items()} | others
    table = gpd.GeoDataFrame(data, geometry=mended.geometry, crs="EPSG:4490")
    source = Source("sites", name, origin.sha256, crs=located.crs.name, engine=origin.engine)
    return SiteTable(table, (*problems, *located.problems, *mended.problems), source, located.transforms)


def _given(frame: gpd.GeoDataFrame, options: ReadOptions, near: shapely.Geometry | None, name: str) -> Given:
    """Say what is known of the coordinates of a frame; its own system and a declared one must be one."""
    own = None if frame.crs is None else CRS.from_user_input(frame.crs)
    declared = None if options.crs is None else declared_crs(options.crs)
    if own is not None and declared is not None and code_of(own) != code_of(declared):
        what = Message("is in {name}, but {name2} is declared", name=code_of(own), name2=code_of(declared))
        raise SourceError(name, what, Message("leave --crs out, or correct the file"))
    return Given(own or declared, options.helmert, options.shifted, near)


def _column(frame: gpd.GeoDataFrame, field: str, place: str, problems: list[Problem]) -> pd.Series:
    found = next((alias for alias in SITE_FIELDS[field] if alias in frame.columns), None)
    if found is None:
        if field == "id":
            problems.append(Problem("note", place, Message("has no id column"), Message("rows are numbered from 1")))
            return pd.Series([str(i + 1) for i in range(len(frame))], name="id", dtype=object)
        if field == "activity":
            what = Message("has no column of activities")
            problems.append(
                Problem("warning", place, what, Message("rules that depend on the activity are not checked"))
            )
        return pd.Series([""] * len(frame), name=field, dtype=object)
    column = frame[found]
    text = [("" if pd.isna(v) else _text(v)) for v in column]
    if field == "id" and any(not t for t in text):
        row = text.index("") + 1
        raise SourceError(
            Message("{place}, row {row}, field '{found}'", place=place, row=row, found=found),
            Message("is empty"),
            Message("give every site an id"),
        )
    return pd.Series(text, name=found, dtype=object)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
