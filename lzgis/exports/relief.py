"""Relief of an elevation raster, shaded, as a backdrop of maps; no decision uses it."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import rasterio
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling, transform_bounds

from lzgis.errors import ExportError, SourceError
from lzgis.exports.map_frame import Frame
from lzgis.files.geotiff import opened_tiff
from lzgis.messages import Message

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Elevation = npt.NDArray[np.float64]
MERCATOR = "EPSG:3857"
_NOTHING = -32768.0
_SHADES = 30
# Muted tints from the valley floor to the ridge.
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
    """A shaded relief in Web Mercator: an index into `palette` for each pixel, 0 where there is no elevation.

    `bounds` are west, south, east, north in degrees; `palette` holds red, green, blue and alpha.
    """

    index: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8]
    bounds: tuple[float, float, float, float]

    @property
    def rgba(self) -> npt.NDArray[np.uint8]:
        """The picture as rows, columns, and red, green, blue, alpha."""
        picture: npt.NDArray[np.uint8] = self.palette[self.index]
        return picture

    @property
    def png(self) -> bytes:
        """The picture as a PNG file with a palette; the same relief gives the same bytes."""
        height, width = self.index.shape
        rows = np.hstack([np.zeros((height, 1), np.uint8), self.index]).tobytes()
        chunks = (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", self.palette[:, :3].tobytes()),
            (b"tRNS", self.palette[:, 3].tobytes()),
            (b"IDAT", zlib.compress(rows, 9)),
            (b"IEND", b""),
        )
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )


def hillshade(elevation: Any, cell_m: tuple[float, float], *, sun_deg: tuple[float, float] = (315.0, 45.0)) -> Any:
    """Shade a relief by Horn's method: 0 in full shadow, 1 facing the sun.

    Parameters
    ----------
    elevation : array of float
        Heights in metres, the northern row first.
    cell_m : tuple of float
        Width and height of a cell on the ground, in metres.
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
    towards = rise_east * np.sin(azimuth) + rise_north * np.cos(azimuth)
    shade = (np.sin(height) - np.cos(height) * towards) / np.sqrt(1 + rise_east**2 + rise_north**2)
    return np.clip(shade, 0.0, 1.0)


def relief(path: Path, bounds_deg: tuple[float, float, float, float], *, size: int = 800) -> Relief:
    """Shade and tint the part of an elevation raster that lies in `bounds_deg` (west, south, east, north).

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
    middle = np.radians((bounds[1] + bounds[3]) / 2)
    around = 2 * np.pi * 6378137.0 * np.cos(middle) / 360.0
    cell = (bounds[2] - bounds[0]) * around / elevation.shape[1]
    # A Mercator pixel is as high on the ground as it is wide; slopes are doubled to remain visible.
    shade = hillshade(np.where(known, elevation, low) * 2.0, (cell, cell))
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
            with opened_tiff(path) as source:
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
                    "nodata": _NOTHING if source.nodata is None else source.nodata,
                }
                with WarpedVRT(source, **options) as there:
                    elevation = there.read(1, masked=True)
    except (RasterioError, OSError, SourceError) as error:
        raise ExportError(
            str(path),
            Message("cannot be read as elevation ({error})", error=getattr(error, "what", error)),
            Message("check the file"),
        ) from error
    return np.asarray(elevation.filled(np.nan), dtype=np.float64), tuple(bounds_deg)


_PIXELS_PER_MM = 4
_STRENGTH = 0.20
#: A little steeper than life: at the scale of a city hills would look flat.
_STEEPER = 1.3


def draw_backdrop(axes: Axes, dem: Path, frame: Frame, crs: CRS) -> None:
    """Shade the relief of the frame from the north-west, as maps do; without elevation there is no shade.

    Raises
    ------
    ExportError
        If the raster cannot be read.
    """
    width, height = (round(mm * _PIXELS_PER_MM) for mm in (frame.width_mm, frame.height_mm))
    step_x, step_y = (frame.east - frame.west) / width, (frame.north - frame.south) / height
    transform = rasterio.Affine(step_x, 0.0, frame.west, 0.0, -step_y, frame.north)
    where = {"transform": transform, "width": width, "height": height}
    try:
        with opened_tiff(dem) as raster:
            # Cells wider than a pixel are smoothed, or their edges would show as steps of the relief.
            cell = raster.res[0] * (111_320 if raster.crs and raster.crs.is_geographic else 1)
            how = Resampling.average if cell < step_x else Resampling.cubic_spline
            with WarpedVRT(raster, crs=crs.to_wkt(), resampling=how, **where) as warped:
                elevation = warped.read(1, masked=True).astype(float)
    except (RasterioError, OSError, SourceError) as error:
        what = Message("cannot be read: {why}", why=getattr(error, "what", error))
        remedy = Message("repair it, or take 'dem' out of the catalogue")
        raise ExportError(str(dem), what, remedy) from error
    grey = np.zeros((height, width, 4))
    grey[..., 3] = np.nan_to_num(_darkness(elevation.filled(np.nan), step_x, step_y)) * _STRENGTH
    extent = (frame.west, frame.east, frame.south, frame.north)
    axes.imshow(grey, extent=extent, aspect="auto", interpolation="bilinear", zorder=0)


def _darkness(elevation: Elevation, step_x: float, step_y: float) -> Elevation:
    """How much darker than flat ground a slope is, 0 to 1, lit from the north-west at 45 degrees."""
    southward, eastward = np.gradient(elevation * _STEEPER, step_y, step_x)
    light = (0.5 * (eastward + southward) + math.sqrt(0.5)) / np.sqrt(1 + eastward**2 + southward**2)
    return np.asarray(np.clip(1 - light / math.sqrt(0.5), 0, 1), dtype=float)
