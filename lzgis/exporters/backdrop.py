"""Hills below a map, shaded from an elevation raster."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.errors
from matplotlib.axes import Axes
from pyproj import CRS
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling

from lzgis.errors import ExportError, SourceError
from lzgis.exporters.cartography import Frame
from lzgis.messages import Message
from lzgis.tiff import opened_tiff

_PIXELS_PER_MM = 4
_STRENGTH = 0.20
#: A little steeper than life: at the scale of a city hills would look flat.
_STEEPER = 1.3

Elevation = npt.NDArray[np.float64]


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
    except (rasterio.errors.RasterioError, OSError, SourceError) as error:
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
