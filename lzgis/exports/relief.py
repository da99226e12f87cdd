"""Shaded relief of an elevation raster as the background of maps; no verdict uses it."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from PIL import Image
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling, transform_bounds

from lzgis.errors import ExportError, SourceError
from lzgis.messages import Message, library_message
from lzgis.reading.geotiff_systems import opened_geotiff

Elevation = npt.NDArray[np.float64]
MERCATOR = "EPSG:3857"
_NODATA = -32768.0
_SHADES = 30
# Muted tints, from the lowest elevations to the highest.
_TINTS = (
    (222, 230, 214),
    (229, 233, 215),
    (236, 235, 217),
    (239, 232, 214),
    (238, 228, 211),
    (240, 234, 225),
    (246, 244, 240),
)


@dataclass(frozen=True)
class Relief:
    """A shaded relief in Web Mercator.

    Attributes
    ----------
    index : ndarray of uint8
        Row of `palette` for each pixel, the northern row first; 0 where there is no elevation.
    palette : ndarray of uint8
        Red, green, blue and alpha of each colour.
    bounds : tuple of float
        West, south, east, north in degrees.
    """

    index: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8]
    bounds: tuple[float, float, float, float]

    @property
    def png(self) -> bytes:
        """The picture as a PNG file with a palette; the same relief gives the same bytes."""
        picture = Image.fromarray(self.index)
        picture.putpalette(self.palette[:, :3].tobytes())
        saved = io.BytesIO()
        picture.save(saved, "PNG", transparency=self.palette[:, 3].tobytes(), compress_level=9)
        return saved.getvalue()


def hillshade(elevation: Any, cell_m: tuple[float, float], *, sun_deg: tuple[float, float] = (315.0, 45.0)) -> Any:
    """Compute the hillshade by Horn's method: 0 in full shadow, 1 facing the sun.

    Parameters
    ----------
    elevation : array of float
        Heights in metres, the northern row first.
    cell_m : tuple of float
        Width and height of a cell on the Earth's surface, in metres.
    sun_deg : tuple of float
        Azimuth (clockwise from north) and height of the sun, in degrees.

    Examples
    --------
    >>> flat = hillshade(np.zeros((3, 3)), (30.0, 30.0))
    >>> round(float(flat[1, 1]), 3)
    0.707
    """
    z = np.pad(np.asarray(elevation, dtype=np.float64), 1, mode="edge")
    west, east = z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2], z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]
    north, south = z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:], z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]
    rise_east, rise_north = (east - west) / (8 * cell_m[0]), (north - south) / (8 * cell_m[1])
    azimuth, height = np.radians(sun_deg)
    facing = rise_east * np.sin(azimuth) + rise_north * np.cos(azimuth)
    shade = (np.sin(height) - np.cos(height) * facing) / np.sqrt(1 + rise_east**2 + rise_north**2)
    return np.clip(shade, 0.0, 1.0)


def relief(path: Path, bounds_deg: tuple[float, float, float, float], *, size: int = 800) -> Relief:
    """Shade and tint an elevation raster inside `bounds_deg` (west, south, east, north), in Web Mercator.

    The longer side of the picture has at most `size` pixels.

    Raises
    ------
    ExportError
        If the file cannot be read, has no coordinate system, or holds no elevation there.
    """
    elevation, bounds = _read(path, bounds_deg, size)
    known = np.isfinite(elevation)
    if not known.any():
        raise ExportError(
            str(path),
            Message("holds no elevation inside the city"),
            Message("give an elevation raster that covers it"),
        )
    low, high = np.percentile(elevation[known], (1, 99))
    latitude = np.radians((bounds[1] + bounds[3]) / 2)
    m_per_deg = 2 * np.pi * 6378137.0 * np.cos(latitude) / 360.0
    cell_m = (bounds[2] - bounds[0]) * m_per_deg / elevation.shape[1]
    # A Mercator pixel is as high on the ground as it is wide. Slopes are doubled to remain visible.
    shade = hillshade(np.where(known, elevation, low) * 2.0, (cell_m, cell_m))
    share = np.clip((elevation - low) / max(high - low, 1.0), 0.0, 1.0)
    tint = np.where(known, share * (len(_TINTS) - 1), 0).round().astype(np.uint8)
    index = 1 + tint * _SHADES + (shade * (_SHADES - 1)).round().astype(np.uint8)
    return Relief(np.where(known, index, 0).astype(np.uint8), _palette(), bounds)


def _palette() -> npt.NDArray[np.uint8]:
    shade = np.linspace(0.0, 1.0, _SHADES)
    light = 0.62 + 0.38 * np.clip(shade / 0.75, 0.0, 1.0)
    colours = (np.array(_TINTS)[:, None, :] * light[None, :, None]).reshape(-1, 3).round()
    table = np.hstack([colours, np.full((len(colours), 1), 255.0)])
    return np.vstack([np.zeros((1, 4)), table]).astype(np.uint8)


def _read(path: Path, bounds_deg: tuple[float, float, float, float], size: int) -> tuple[Any, Any]:
    box = transform_bounds("EPSG:4326", MERCATOR, *bounds_deg)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = size / max(width, height)
    columns, rows = max(2, round(width * scale)), max(2, round(height * scale))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with opened_geotiff(path) as source:
                if source.crs is None:
                    raise ExportError(
                        str(path),
                        Message("has no coordinate system"),
                        Message("assign the one it was made in"),
                    )
                options = {
                    "crs": MERCATOR,
                    "transform": rasterio.Affine(width / columns, 0.0, box[0], 0.0, -height / rows, box[3]),
                    "width": columns,
                    "height": rows,
                    "resampling": Resampling.bilinear,
                    "dtype": "float32",
                    "nodata": _NODATA if source.nodata is None else source.nodata,
                }
                with WarpedVRT(source, **options) as warped:
                    elevation = warped.read(1, masked=True)
    except (RasterioError, OSError, SourceError) as error:
        raise ExportError(
            str(path),
            Message("cannot be read as elevation ({error})", error=getattr(error, "what", library_message(error))),
            Message("check the file"),
        ) from error
    return np.asarray(elevation.filled(np.nan), dtype=np.float64), tuple(bounds_deg)


# The share of black where a slope is darkest, and how much steeper than true the slopes are shaded: at the scale of a
# whole city hills would look flat.
_DARKEST = 0.20
_EXAGGERATION = 1.3


def shade_overlay(
    path: Path, bounds_m: tuple[float, float, float, float], *, crs: CRS, size: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Shade the slopes of an elevation raster in the plane of a map on paper.

    Parameters
    ----------
    path : Path
        The elevation raster.
    bounds_m : tuple of float
        West, south, east, north in metres of `crs`.
    crs : CRS
        Projected coordinate system of the map.
    size : tuple of int
        Columns and rows of the picture.

    Returns
    -------
    ndarray of float
        Rows, columns, and red, green, blue, alpha from 0 to 1: black, transparent where a slope is not darker than flat
        ground or where there is no elevation.

    Raises
    ------
    ExportError
        If the raster cannot be read.
    """
    (west, south, east, north), (width, height) = bounds_m, size
    step_x, step_y = (east - west) / width, (north - south) / height
    transform = rasterio.Affine(step_x, 0.0, west, 0.0, -step_y, north)
    window = {"transform": transform, "width": width, "height": height}
    try:
        with opened_geotiff(path) as raster:
            # Cells wider than a pixel are smoothed; otherwise their edges show as steps of the relief.
            cell = raster.res[0] * (111_320 if raster.crs and raster.crs.is_geographic else 1)
            resampling = Resampling.average if cell < step_x else Resampling.cubic_spline
            with WarpedVRT(raster, crs=crs.to_wkt(), resampling=resampling, **window) as warped:
                elevation = warped.read(1, masked=True).astype(float)
    except (RasterioError, OSError, SourceError) as error:
        what = Message("cannot be read: {why}", why=getattr(error, "what", library_message(error)))
        remedy = Message("repair it, or take 'dem' out of the catalogue")
        raise ExportError(str(path), what, remedy) from error
    picture = np.zeros((height, width, 4))
    picture[..., 3] = np.nan_to_num(_darkness(elevation.filled(np.nan), step_x, step_y)) * _DARKEST
    return picture


# Not computed by `hillshade`: central differences without the corner cells give other pixels than Horn's method, and
# cells next to missing elevation stay missing here, where `hillshade` is given elevations without gaps.
def _darkness(elevation: Elevation, step_x: float, step_y: float) -> Elevation:
    """Return how much darker than flat ground each cell is, 0 to 1, lit from the north-west at 45 degrees."""
    southward, eastward = np.gradient(elevation * _EXAGGERATION, step_y, step_x)
    light = (0.5 * (eastward + southward) + math.sqrt(0.5)) / np.sqrt(1 + eastward**2 + southward**2)
    return np.asarray(np.clip(1 - light / math.sqrt(0.5), 0, 1), dtype=float)
