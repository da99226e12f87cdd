"""A local aerial or satellite picture (GeoTIFF) below maps, in place of the shaded relief."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from PIL import Image
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from lzgis.errors import ExportError, SourceError
from lzgis.exports.relief import MERCATOR
from lzgis.messages import Message, library_message
from lzgis.reading.geotiff_systems import opened_geotiff

#: How strongly a picture is drawn: layers and their colours must stay legible on it.
STRENGTH = 0.75
_BANDS = 3


def is_photo(path: Path) -> bool:
    """Return whether a raster is a picture, with three or more bands of 8 bits; an elevation raster has one band.

    A file that cannot be read is none: the reader of elevation says why.
    """
    with contextlib.suppress(ExportError), _opened(path) as raster:
        return raster.count >= _BANDS and set(raster.dtypes[:_BANDS]) == {"uint8"}
    return False


def photo_overlay(
    path: Path, bounds_m: tuple[float, float, float, float], *, crs: CRS, size: tuple[int, int]
) -> npt.NDArray[np.float64]:
    """Return a picture in the plane of a map.

    Parameters
    ----------
    path : Path
        The picture, a GeoTIFF with a coordinate system.
    bounds_m : tuple of float
        West, south, east, north in metres of `crs`.
    crs : CRS
        Projected coordinate system of the map.
    size : tuple of int
        Columns and rows.

    Returns
    -------
    ndarray of float
        Rows, columns, and red, green, blue, alpha from 0 to 1; transparent where the picture ends.

    Raises
    ------
    ExportError
        If the file cannot be read or has no coordinate system.
    """
    (west, south, east, north), (width, height) = bounds_m, size
    transform = rasterio.Affine((east - west) / width, 0.0, west, 0.0, -(north - south) / height, north)
    with _opened(path) as raster:
        if raster.crs is None:
            raise ExportError(str(path), Message("has no coordinate system"), Message("assign the one it was made in"))
        options = {"transform": transform, "width": width, "height": height, "resampling": Resampling.average}
        with WarpedVRT(raster, crs=crs.to_wkt(), add_alpha=True, **options) as warped:
            bands = warped.read([*range(1, _BANDS + 1), warped.count])
    picture = np.moveaxis(bands, 0, -1) / 255.0
    picture[..., 3] *= STRENGTH
    return np.asarray(picture, dtype=np.float64)


def photo_png(path: Path, bounds_deg: tuple[float, float, float, float], *, size: int = 1600) -> bytes:
    """Return a picture inside `bounds_deg` (west, south, east, north) in Web Mercator, as a PNG with 256 colours.

    The longer side has at most `size` pixels.

    Raises
    ------
    ExportError
        As `photo_overlay`, and if the picture lies elsewhere.
    """
    west, south, east, north = transform_bounds("EPSG:4326", MERCATOR, *bounds_deg)
    scale = size / max(east - west, north - south)
    shape = (max(2, round((east - west) * scale)), max(2, round((north - south) * scale)))
    overlay = photo_overlay(path, (west, south, east, north), crs=CRS.from_user_input(MERCATOR), size=shape)
    if not overlay[..., 3].any():
        what = Message("does not cover the map")
        raise ExportError(str(path), what, Message("give a picture of the city"))
    picture = Image.fromarray((overlay * 255).round().astype(np.uint8), "RGBA")
    saved = io.BytesIO()
    picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(saved, "PNG", compress_level=9)
    return saved.getvalue()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with opened_geotiff(path) as raster:
            yield raster
    except (RasterioError, OSError, SourceError) as error:
        what = Message("cannot be read: {why}", why=getattr(error, "what", library_message(error)))
        raise ExportError(str(path), what, Message("give a GeoTIFF")) from error
