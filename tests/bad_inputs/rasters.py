"""Family G: rasters. Each is 100 by 100 cells of 10 m in zone 38, of the class 1, or another file under that name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from rasterio.transform import Affine

from bad_inputs.hostile import SECRET
from lzgis.errors import LzgisError
from lzgis.rasters.grid import open_grid

NORTH_WEST = Affine(10, 0, 38_350_000, 0, -10, 2_766_000)


@dataclass(frozen=True)
class RasterCase:
    """A raster, and whether its 10,000 cells must be counted (answer) or the file refused."""

    id: str
    title: str
    make: Callable[[Path], Path]
    must: Literal["answer", "refused"]
    says: str = ""


RASTERS: list[RasterCase] = []


def raster(title: str, must: Literal["answer", "refused"], says: str = "") -> Callable[[Any], Any]:
    """Add the decorated maker as the next raster."""

    def add(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        RASTERS.append(RasterCase(f"G{len(RASTERS) + 1:02}", title, make, must, says))
        return make

    return add


def write(path: Path, **more: Any) -> Path:
    """Write the raster, with something of its profile changed."""
    profile = {"driver": "GTiff", "width": 100, "height": 100, "count": 1, "dtype": "uint8", "crs": "EPSG:4526"}
    profile |= {"transform": NORTH_WEST, "nodata": 0} | more
    with rasterio.open(path, "w", **profile) as out:
        out.write(np.ones((profile["height"], profile["width"]), dtype=profile["dtype"]), 1)
    return path


def cells_of(path: Path) -> int:
    """Count the cells of class 1 as lzgis reads them."""
    grid = open_grid(path)
    return sum(int((grid.read(window) == 1).sum()) for window in grid.windows())


def outcome(case: RasterCase, folder: Path) -> tuple[str, str]:
    """Run a case and return its result and message."""
    path = case.make(folder)
    try:
        count = cells_of(path)
    except LzgisError as error:
        return ("leak" if SECRET in str(error) else "refused"), str(error)
    return ("right" if count == 10_000 else "wrong"), ""


raster("GeoTIFF, in order", "answer")(lambda folder: write(folder / "a.tif"))
raster("GeoTIFF in degrees", "answer")(
    lambda folder: write(folder / "a.tif", crs="EPSG:4490", transform=Affine(1e-4, 0, 112.5, 0, -1e-4, 25))
)
raster("without a system", "refused", "has no coordinate system")(lambda folder: write(folder / "a.tif", crs=None))
raster("Xian 1980", "refused", "datum")(lambda folder: write(folder / "a.tif", crs="EPSG:2362"))
raster("a picture without a place", "refused", "no place on the earth")(
    lambda folder: write(folder / "a.tif", transform=Affine.identity())
)
raster("rotated", "refused", "rotated")(
    lambda folder: write(folder / "a.tif", transform=NORTH_WEST @ Affine.rotation(10))
)
raster("south up", "refused", "north-west to south-east")(
    lambda folder: write(folder / "a.tif", transform=NORTH_WEST @ Affine.scale(1, -1))
)
raster("under the name of another format", "refused", "does not begin as a TIFF")(
    lambda folder: write(folder / "a.png", driver="PNG").rename(folder / "a.tif")
)


@raster("cut short", "refused", "damaged or cut short|cannot be read")
def _(folder: Path) -> Path:
    path = write(folder / "a.tif")
    path.write_bytes(path.read_bytes()[:-5000])
    return path


@raster("empty", "refused", "does not begin as a TIFF")
def _(folder: Path) -> Path:
    (folder / "a.tif").write_bytes(b"")
    return folder / "a.tif"


@raster("a description of another file (VRT)", "refused", "does not begin as a TIFF")
def _(folder: Path) -> Path:
    write(folder / f"{SECRET}.tif")
    source = f'<SimpleSource><SourceFilename relativeToVRT="1">{SECRET}.tif</SourceFilename></SimpleSource>'
    band = f'<VRTRasterBand dataType="Byte" band="1">{source}</VRTRasterBand>'
    (folder / "a.tif").write_text(f'<VRTDataset rasterXSize="100" rasterYSize="100">{band}</VRTDataset>')
    return folder / "a.tif"


@raster("a bomb: 40,000 million cells in some kilobytes", "refused", "claims 40,000,000,000 cells")
def _(folder: Path) -> Path:
    profile = {"driver": "GTiff", "width": 200_000, "height": 200_000, "count": 1, "dtype": "uint8", "crs": "EPSG:4526"}
    profile |= {"transform": NORTH_WEST, "sparse_ok": True, "tiled": True, "blockxsize": 4096, "blockysize": 4096}
    with rasterio.open(folder / "a.tif", "w", **profile):
        pass
    return folder / "a.tif"


@raster("one block of 900 million cells", "refused", "is one block of|claims")
def _(folder: Path) -> Path:
    profile = {"driver": "GTiff", "width": 30_000, "height": 30_000, "count": 1, "dtype": "uint8", "crs": "EPSG:4526"}
    with rasterio.open(folder / "a.tif", "w", **profile, transform=NORTH_WEST, sparse_ok=True, blockysize=30_000):
        pass
    return folder / "a.tif"


def _beside(folder: Path, text: str) -> Path:
    path = write(folder / "a.tif")
    (folder / "a.tif.aux.xml").write_text(f"<PAMDataset>{text}</PAMDataset>")
    return path


@raster("a file beside it that moves it (.aux.xml)", "refused", "overrides properties of its raster")
def _(folder: Path) -> Path:
    return _beside(folder, "<GeoTransform>38400000, 10, 0, 2766000, 0, -10</GeoTransform>")


@raster("a file beside it that voids its cells (.aux.xml)", "refused", "overrides properties of its raster")
def _(folder: Path) -> Path:
    return _beside(folder, '<PAMRasterBand band="1"><NoDataValue>1</NoDataValue></PAMRasterBand>')


@raster("statistics beside it (.aux.xml)", "answer")
def _(folder: Path) -> Path:
    return _beside(
        folder, '<PAMRasterBand band="1"><Metadata><MDI key="STATISTICS_MEAN">7</MDI></Metadata></PAMRasterBand>'
    )
