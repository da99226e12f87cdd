"""Hand-made rasters for the tests: grids around the toy city's origin, and the toy city with land cover."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import toy
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning

STEP = 0.001
WEST, NORTH = 112.45, 25.05

CLASSES = """
[raster.{name}]
title = "{name}"
source = "{name}.tif"
kind = "landcover"
date = {date}
{more}
[raster.{name}.classes]
1 = {{ title = "耕地", role = "farmland" }}
2 = {{ title = "林地", title_en = "Forest", role = "forest" }}
3 = {{ title = "草地", role = "grass" }}
5 = {{ title = "建设用地", role = "built" }}
"""
ELEVATION = """
[raster.dem]
title = "地形"
source = "dem.tif"
kind = "elevation"
"""


def write_raster(path: Path, values: Any, **profile: Any) -> Path:
    """Write one band; by default 0.001° cells in EPSG:4490 from 112.45 E 25.05 N, nodata 0."""
    values = np.asarray(values)
    usual = {"crs": "EPSG:4490", "transform": Affine(STEP, 0, WEST, 0, -STEP, NORTH), "nodata": 0}
    given = {name: value for name, value in (usual | profile).items() if value is not None}
    shape = {"width": values.shape[1], "height": values.shape[0], "count": 1, "dtype": values.dtype.name}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape, **given) as out:
            out.write(values, 1)
    return path


def described(folder: Path, **rasters: str) -> Path:
    """Write the toy city and describe rasters in its catalogue: name to what the description says besides."""
    toy.city(folder)
    catalogue = folder / "catalog.toml"
    text = catalogue.read_text("utf-8")
    for year, (name, more) in enumerate(rasters.items(), 2015):
        text += ELEVATION if name == "dem" else CLASSES.format(name=name, more=more, date=f"{year}-07-01")
    catalogue.write_text(text, "utf-8")
    return folder


def forest(rows: int = 100, columns: int = 100) -> Any:
    """All forest, over the whole toy city and 50 cells around its middle in each direction."""
    return np.full((rows, columns), 2, np.uint8)


def write_dem(path: Path, elevation: Any, crs: str | None = "EPSG:4490", nodata: float | None = -9999.0) -> Path:
    west, south, east, north = (112.0, 24.5, 112.9, 25.3)
    rows, columns = elevation.shape
    if crs is not None and rasterio.CRS.from_string(crs).is_projected:
        west, south, east, north = rasterio.warp.transform_bounds("EPSG:4490", crs, west, south, east, north)
    grid = rasterio.Affine((east - west) / columns, 0, west, 0, (south - north) / rows, north)
    profile = {"driver": "GTiff", "width": columns, "height": rows, "count": 1, "dtype": "float32"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        if crs is None:
            target = rasterio.open(path, "w", **profile)
        else:
            target = rasterio.open(path, "w", **profile, crs=crs, transform=grid, nodata=nodata)
        with target:
            target.write(elevation.astype("float32"), 1)
    return path


def hill(rows: int = 160, columns: int = 180) -> Any:
    y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    return 100 + 4000 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) * 40)
