"""Hills below a map, shaded from an elevation raster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import rasterio.errors
from matplotlib.axes import Axes
from matplotlib.colors import LightSource
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import Resampling

from lzgis.errors import ExportError
from lzgis.export.cartography import Frame
from lzgis.measure import Plane

_PIXELS_PER_MM = 4
_STRENGTH = 0.45


def draw_backdrop(axes: Axes, dem: Path, frame: Frame, plane: Plane) -> None:
    """Shade the relief of the frame from the north-west, as maps do; where there is no elevation nothing is drawn.

    Raises
    ------
    ExportError
        If the raster cannot be read.
    """
    width, height = (round(mm * _PIXELS_PER_MM) for mm in (frame.width_mm, frame.height_mm))
    edges = (frame.west, frame.south, frame.east, frame.north)
    where = {"transform": from_bounds(*edges, width, height), "width": width, "height": height}
    try:
        with (
            rasterio.open(dem) as raster,
            WarpedVRT(raster, crs=plane.crs.to_wkt(), resampling=Resampling.bilinear, **where) as warped,
        ):
            elevation = warped.read(1, masked=True).astype(float)
    except rasterio.errors.RasterioError as error:
        raise ExportError(
            str(dem), f"cannot be read: {error}", "repair it, or take 'dem' out of the catalogue"
        ) from error
    cell = frame.m_per_mm / _PIXELS_PER_MM
    # Steeper than life: at this scale mountains would look flat.
    shade = LightSource(azdeg=315, altdeg=45).hillshade(
        elevation.filled(np.nan), vert_exag=2, dx=cell, dy=cell
    )
    grey = np.zeros((height, width, 4))
    grey[..., 3] = np.where(
        np.isfinite(shade) & ~np.ma.getmaskarray(elevation), (1 - np.nan_to_num(shade)) * _STRENGTH, 0
    )
    extent = (frame.west, frame.east, frame.south, frame.north)
    axes.imshow(grey, extent=extent, aspect="auto", interpolation="bilinear", zorder=0)
