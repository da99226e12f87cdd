"""界址点 txt (勘测定界 coordinate exchange); `lzgis.reading.formats.boundary_points` is the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from lzgis.coordinates.candidates import in_china
from lzgis.coordinates.gauss_kruger import Zone, zone_at, zone_of
from lzgis.coordinates.plane import CGCS2000, Geometries, move_points, to_cgcs2000
from lzgis.errors import ExportError
from lzgis.exports.report_text import ReportText
from lzgis.files.atomic_write import write_atomic
from lzgis.messages import Message
from lzgis.model.report import Report, SiteTable
from lzgis.reading.formats.boundary_points.text import PARCEL_FIELDS, settings
from lzgis.words import Language

#: The columns that a field of the format is taken from; the first that exists.
_ALIASES = {"编号": ("编号", "id"), "名称": ("名称", "name")}
_SHAPES = ("点", "线", "面")


def write_coordfile(
    sites: SiteTable | gpd.GeoDataFrame,
    path: str | Path,
    *,
    zone: Zone | None = None,
    header: Mapping[str, str] | None = None,
    encoding: Literal["utf-8", "gb18030"] = "utf-8",
    decimals: int = 4,
) -> None:
    """Write sites as a 界址点 file that `lzgis.read_sites` and other programs read.

    Rings are closed and the number of points includes the closing ones. Areas are in hectares in the projection of the
    file. Every ring, of a hole or a part, has a number of its own. Commas in names, which the format cannot hold, become
    full-width ones, line breaks spaces.

    Parameters
    ----------
    sites : SiteTable or GeoDataFrame
        Points, lines or polygons in CGCS2000 or WGS 84. Coordinates in a Gauss-Krüger zone are written unchanged.
    path : path
        The file, ``*.txt``.
    zone : Zone, optional
        The zone to write in; by default that of the sites, or the 3-degree zone of their middle.
    header : mapping of str to str, optional
        Further settings of ``[属性描述]``: 数据产生单位, 数据产生日期, 精度 …
    encoding : {"utf-8", "gb18030"}
        Encoding of the file.
    decimals : int
        Decimals of the coordinates, which are in metres.

    Raises
    ------
    ExportError
        If a site has no shape, one of mixed kinds, or lies outside the zones of China, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from lzgis.reading import read_sites
    >>> plan = gpd.GeoDataFrame({"id": ["P1"]}, geometry=[shapely.box(112.5, 25, 112.51, 25.01)], crs="EPSG:4490")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_coordfile(plan, Path(folder) / "plan.txt")
    ...     again = read_sites(Path(folder) / "plan.txt")
    >>> again.frame["id"].tolist(), again.source.crs
    (['P1'], 'CGCS2000 / 3-degree Gauss-Kruger zone 38')
    """
    frame = sites.frame if isinstance(sites, SiteTable) else sites
    flat, zone = _in_zone(frame, zone, str(path))
    own = {"坐标系": "2000国家大地坐标系", "几度分带": str(zone.width_deg), "投影类型": "高斯克吕格", "计量单位": "米"}
    own |= {"带号": str(zone.number), "精度": f"{10.0**-decimals:.{decimals}f}", "转换参数": ",,,,,,"}
    lines = ["[属性描述]", *settings(own | {k: _cell(v) for k, v in (header or {}).items()}), "[地块坐标]"]
    for i in range(len(frame)):
        lines += _parcel(frame.iloc[i], flat[i], decimals, f"{path}, {_field(frame.iloc[i], '编号') or i + 1}")
    data = ("\r\n".join(lines) + "\r\n").encode(encoding, "backslashreplace")
    write_atomic(path, _writer(data))


def write_sites_txt(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write the sites with a geometry as a 界址点 file, see `lzgis.exports.formats.ReportWriter`.

    The keys of the format are Chinese in every language. What limits the screening stands in the header as 说明, on one line.
    """
    usable = report.sites[~shapely.is_missing(report.sites.geometry.to_numpy())]
    limits = " ".join(" ".join(ReportText(report, language).limits).split())
    write_coordfile(usable, path, header={"数据产生日期": report.provenance.as_of.isoformat(), "说明": limits})


def _writer(data: bytes) -> Callable[[Path], None]:
    def write(made: Path) -> None:
        made.write_bytes(data)

    return write


def _in_zone(frame: gpd.GeoDataFrame, zone: Zone | None, place: str) -> tuple[Geometries, Zone]:
    """Project geometries to eastings with zone prefix and northings, unless they are in the zone already."""
    if frame.crs is None:
        raise ExportError(place, Message("has no coordinate reference system"), Message("declare it with set_crs"))
    crs = CRS.from_user_input(frame.crs)
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    own = zone_of(crs)
    if own is not None and own.datum == "CGCS2000" and own.prefixed and zone in (None, own):
        return shapes, own
    degrees, _ = to_cgcs2000(shapes, crs, place)
    if zone is None:
        bounds = shapely.total_bounds(degrees)
        middle = np.array([[(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2]])
        zone = zone_at(middle[0, 0]) if in_china(middle).all() else None
        if zone is None:
            what = Message("lies in no 3-degree zone of CGCS2000")
            raise ExportError(place, what, Message("choose another format"))
    move = Transformer.from_crs(CGCS2000, zone.crs, always_xy=True).transform
    return move_points(move, degrees), zone


def _parcel(row: pd.Series, shape: shapely.Geometry | None, decimals: int, place: str) -> Iterator[str]:
    rings = [] if shape is None else _rings(shape)
    if not rings:
        what = Message("has no shape of one kind")
        raise ExportError(place, what, Message("write points, lines and polygons as sites of their own"))
    kind = _SHAPES[int(shapely.get_dimensions(shape))]
    area = f"{shapely.area(shape) / 10_000:.4f}" if kind == "面" else ""
    fields = [_field(row, name) for name in PARCEL_FIELDS]
    fields[PARCEL_FIELDS.index("图形属性")] = kind
    # The optional fields at the end are written only if they are filled.
    while len(fields) > PARCEL_FIELDS.index("地类编码") + 1 and not fields[-1]:
        fields.pop()
    yield ",".join([str(sum(map(len, rings))), area, *fields, "@"])
    number = 0
    for ring, points in enumerate(rings, 1):
        first = number + 1
        closed = kind == "面"
        for i, (east, north) in enumerate(points):
            label = first if closed and i == len(points) - 1 else (number := number + 1)
            yield f"J{label},{ring},{north:.{decimals}f},{east:.{decimals}f}"


def _rings(shape: shapely.Geometry) -> list[np.ndarray]:
    parts = shapely.get_parts(shape)
    if len(set(shapely.get_dimensions(parts))) != 1 or shapely.is_empty(shape):
        return []
    if shapely.get_dimensions(parts)[0] == 2:
        parts = shapely.get_rings(parts)
    if shapely.get_dimensions(parts)[0] == 0:
        return [shapely.get_coordinates(parts)]
    return [shapely.get_coordinates(part) for part in parts]


def _field(row: pd.Series, name: str) -> str:
    value = next((row[alias] for alias in _ALIASES.get(name, (name,)) if alias in row.index), "")
    return "" if pd.isna(value) else _cell(str(value))


def _cell(text: str) -> str:
    return " ".join(text.replace(",", "，").splitlines()).strip()
