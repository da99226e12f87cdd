"""Open a raster (georeferenced, north up, on CGCS2000), read it in windows, and compute the true area of its cells."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from lzgis.coordinates.plane import CGCS2000, ELLIPSOID, to_cgcs2000
from lzgis.errors import SourceError
from lzgis.files.geotiff import opened_tiff
from lzgis.messages import Message, library_message
from lzgis.reading.geotiff_systems import check_geotiff_systems

#: Side of the square windows in which rasters are processed, in cells.
TILE = 1024
#: The area of projected cells is computed once every so many cells, and interpolated in between.
_LATTICE = 64
#: Grids agree if no corner differs by more than this share of a cell.
_SAME = 1e-3


@dataclass(frozen=True, eq=False)
class Grid:
    """An opened raster file, which is read in windows.

    Attributes
    ----------
    path : Path
        The file.
    crs : CRS
        Its reference system.
    transform : Affine
        From column and row to coordinates; rows run from north to south.
    shape : tuple of int
        Rows and columns.
    dtype : str
        Type of the values.
    nodata : float, optional
        The value of cells without data.
    band : int
        The number of the band that is read, from 1.
    """

    path: Path
    crs: CRS
    transform: Affine
    shape: tuple[int, int]
    dtype: str
    nodata: float | None
    band: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in coordinates of the raster."""
        rows, columns = self.shape
        west, north = self.transform.c, self.transform.f
        return west, north + rows * self.transform.e, west + columns * self.transform.a, north

    def windows(self, size: int = TILE) -> Iterator[Window]:
        """Yield square windows that tile the raster, row by row."""
        rows, columns = self.shape
        for row in range(0, rows, size):
            for column in range(0, columns, size):
                yield Window(column, row, min(size, columns - column), min(size, rows - row))

    def window_bounds(self, window: Window) -> tuple[float, float, float, float]:
        """Return west, south, east and north of a window, in coordinates of the raster."""
        west = self.transform.c + window.col_off * self.transform.a
        north = self.transform.f + window.row_off * self.transform.e
        return west, north + window.height * self.transform.e, west + window.width * self.transform.a, north

    def read(self, window: Window) -> Any:
        """Read the values of a window as a masked array.

        Raises
        ------
        SourceError
            If the file is damaged or cut short.
        """
        try:
            with opened_tiff(self.path) as source:
                values = source.read(self.band, window=window, masked=True)
        except (RasterioError, OSError) as error:
            what = Message(
                "is damaged or cut short at rows {first}–{last} ({error})",
                first=window.row_off + 1,
                last=window.row_off + window.height,
                error=_reason(error),
            )
            raise SourceError(str(self.path), what, Message("fetch or export the file again")) from error
        if np.issubdtype(values.dtype, np.floating):
            values = np.ma.masked_invalid(values)
        return values

    def cell_areas(self, window: Window) -> npt.NDArray[np.float64]:
        """Return the area on the ellipsoid of each cell of a window, m²; one column if all cells of a row are equal."""
        if self.crs.is_geographic:
            edge = np.arange(window.height + 1) + window.row_off
            lat = np.radians(self.transform.f + edge * self.transform.e)
            zone = _area_below(np.clip(lat, -np.pi / 2, np.pi / 2))
            return np.asarray((np.radians(self.transform.a) * (zone[:-1] - zone[1:]))[:, None])
        return self._projected_areas(window)

    def cell_sizes_m(self, window: Window) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the width and height on the ellipsoid of the cells of each row of a window, m; one column each."""
        if not self.crs.is_geographic:
            unit = _metres(self.crs)
            one = np.ones((window.height, 1))
            return one * abs(self.transform.a) * unit, one * abs(self.transform.e) * unit
        lat = self.transform.f + (np.arange(window.height) + window.row_off + 0.5) * self.transform.e
        sine = np.sin(np.radians(lat))
        square = 1 - ELLIPSOID.es * sine**2
        east = ELLIPSOID.a * np.cos(np.radians(lat)) / np.sqrt(square)
        north = ELLIPSOID.a * (1 - ELLIPSOID.es) / square**1.5
        width = np.radians(abs(self.transform.a)) * east
        height = np.radians(abs(self.transform.e)) * north
        return width[:, None], height[:, None]

    def _projected_areas(self, window: Window) -> npt.NDArray[np.float64]:
        """Return the area of each cell on the ellipsoid, computed on a coarse lattice and interpolated, m²."""
        rows, columns = _lattice(window.height), _lattice(window.width)
        x = self.transform.c + (window.col_off + columns) * self.transform.a
        y = self.transform.f + (window.row_off + rows) * self.transform.e
        there = pyproj.Transformer.from_crs(self.crs, self.crs.geodetic_crs, always_xy=True)
        corners = []
        for east, south in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
            at = np.meshgrid(x + east * self.transform.a, y + south * self.transform.e)
            lon, lat = there.transform(*at)
            # In the coordinates longitude and area below the latitude, planar areas are areas on the ellipsoid.
            corners.append((np.radians(lon), _area_below(np.radians(lat))))
        pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
        around = sum((b[0] - a[0]) * (a[1] + b[1] - 2 * corners[0][1]) / 2 for a, b in pairs)
        area = np.abs(np.asarray(around))
        middle = np.arange(window.width) + 0.5
        across = np.array([np.interp(middle, columns, line) for line in area])
        middle = np.arange(window.height) + 0.5
        low = np.clip(np.searchsorted(rows, middle, side="right") - 1, 0, len(rows) - 2)
        share = ((middle - rows[low]) / (rows[low + 1] - rows[low]))[:, None]
        between: npt.NDArray[np.float64] = across[low] * (1 - share) + across[low + 1] * share
        return between


def open_grid(path: str | Path, *, band: int = 1) -> Grid:
    """Open a raster and check that it can be used.

    Raises
    ------
    SourceError
        If the file is missing or not a raster, has no such band, no coordinate system or another datum than CGCS2000
        or WGS 84, states two different systems or positions, is not georeferenced, or has a grid that is rotated or
        not north up.
    """
    path = Path(path)
    if not path.exists():
        raise SourceError(str(path), Message("the file does not exist"), Message("check the path"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with opened_tiff(path) as source:
                if band > source.count:
                    what = Message("has {count} bands and no band {band}", count=source.count, band=band)
                    raise SourceError(str(path), what, Message("correct 'band' in the catalogue"))
                crs = None if source.crs is None else CRS.from_user_input(source.crs.to_wkt())
                found = (source.transform, source.shape, source.dtypes[band - 1], source.nodatavals[band - 1])
                if crs is not None and found[0] != Affine.identity():
                    check_geotiff_systems(path, source)
    except (RasterioError, OSError, CRSError) as error:
        what = Message("cannot be read as a raster ({error})", error=_reason(error))
        raise SourceError(str(path), what, Message("give a GeoTIFF, or fetch the file again")) from error
    if crs is None:
        remedy = Message("write the one it was made in into the file, for instance with gdal_edit.py -a_srs EPSG:4490")
        raise SourceError(str(path), Message("has no coordinate system"), remedy)
    _check_place(path, found[0])
    to_cgcs2000([], crs, str(path))
    return Grid(path, crs, *found, band)


def require_same_grid(one: Grid, other: Grid) -> None:
    """Check that two rasters have the same grid.

    Raises
    ------
    SourceError
        If the grids differ; the message names the difference.
    """
    what = grid_difference(one, other)
    if what is not None:
        remedy = Message(
            "bring both to one grid yourself, by a method that you choose and state, for instance gdalwarp"
        )
        raise SourceError(str(one.path), what, remedy)


def grid_difference(one: Grid, other: Grid) -> Message | None:
    """Return how the grid of a raster differs from that of another; None if they are the same."""
    name = other.path.name
    if one.crs != other.crs and one.crs.to_epsg(20) != other.crs.to_epsg(20):
        values = {"own": one.crs.name, "name": name, "other": other.crs.name}
        return Message("is in {own}, but {name} is in {other}", **values)
    cells = [f"{g.transform.a:.10g} × {-g.transform.e:.10g}" for g in (one, other)]
    difference = abs(one.transform.a / other.transform.a - 1), abs(one.transform.e / other.transform.e - 1)
    if max(difference) * max(one.shape) > _SAME:
        return Message("has cells of {own}, but {name} of {other}", own=cells[0], name=name, other=cells[1])
    east = (one.transform.c - other.transform.c) / other.transform.a
    south = (one.transform.f - other.transform.f) / other.transform.e
    if max(abs(east), abs(south)) > _SAME:
        # Rounded before it is printed, so that zero is never printed as -0.
        values = {"name": name, "east": f"{round(east, 6) + 0.0:.6g}", "south": f"{round(south, 6) + 0.0:.6g}"}
        return Message("begins {east} cells east and {south} cells south of {name}", **values)
    if one.shape != other.shape:
        sizes = [f"{g.shape[0]} × {g.shape[1]}" for g in (one, other)]
        return Message("has {own} cells, but {name} has {other}", own=sizes[0], name=name, other=sizes[1])
    return None


def _check_place(path: Path, transform: Affine) -> None:
    if transform == Affine.identity():
        remedy = Message("fetch the file again with its world file, or georeference it")
        raise SourceError(str(path), Message("has no place on the earth (its grid is that of a picture)"), remedy)
    if transform.b != 0 or transform.d != 0:
        remedy = Message("turn it north up yourself, by a method that you choose and state, for instance gdalwarp")
        raise SourceError(str(path), Message("has a rotated grid"), remedy)
    if transform.a <= 0 or transform.e >= 0:
        remedy = Message("turn it north up, for instance with gdalwarp")
        raise SourceError(str(path), Message("does not run from north-west to south-east"), remedy)


def _area_below(lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the area between the equator and a latitude, m² per radian of longitude, on the ellipsoid of CGCS2000."""
    e = np.sqrt(ELLIPSOID.es)
    sine = np.sin(lat)
    curved = sine / (1 - ELLIPSOID.es * sine**2) + np.arctanh(e * sine) / e
    below: npt.NDArray[np.float64] = ELLIPSOID.a**2 * (1 - ELLIPSOID.es) / 2 * curved
    return below


def _lattice(cells: int) -> npt.NDArray[np.float64]:
    return np.linspace(0, cells, max(2, -(-cells // _LATTICE) + 1))


def _metres(crs: CRS) -> float:
    return float(crs.axis_info[0].unit_conversion_factor) if crs.axis_info else 1.0


def _reason(error: BaseException) -> str:
    return library_message(str(error.__cause__ or error).splitlines()[0])


#: The reference system of layers, for transforming them to the coordinates of a raster.
DEGREES = CGCS2000
