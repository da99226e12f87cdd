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
