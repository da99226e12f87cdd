"""Family G: rasters. Each is 100 by 100 cells of 10 m in zone 38, of the class 1, or another file under that name."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from pyproj import CRS
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


def _with_keys(path: Path, *, changed: dict[int, int | float | str]) -> Path:
    """Write the raster, and its keys again with others changed or added, which GDAL would not write together."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    write(path)
    data = path.read_bytes()
    tags = ImageFileDirectory_v2(data[:8])
    with path.open("rb") as stream:
        stream.seek(tags.next)
        tags.load(stream)
    old = dict(zip(tags[34735][4::4], zip(*(tags[34735][i::4] for i in (5, 6, 7)), strict=True), strict=True))
    texts, numbers = str(tags[34737]), [float(one) for one in tags.get(34736, ())]
    for key, value in changed.items():
        if isinstance(value, str):
            old[key] = (34737, len(value) + 1, len(texts))
            texts += value + "|"
        elif isinstance(value, float):
            old[key] = (34736, 1, len(numbers))
            numbers.append(value)
        else:
            old[key] = (0, 1, value)
    directory = [1, 1, 0, len(old)] + [one for key in sorted(old) for one in (key, *old[key])]
    # A new directory at the end of the file, with everything that it refers to behind it.
    entries = {tag: (kind, count, raw) for tag, kind, count, raw in _entries(data)}
    entries[34735] = (3, len(directory), struct.pack(f"<{len(directory)}H", *directory))
    entries[34736] = (12, len(numbers), struct.pack(f"<{len(numbers)}d", *numbers))
    entries[34737] = (2, len(texts) + 1, texts.encode() + b"\0")
    if not numbers:
        del entries[34736]
    begin = len(data) + len(data) % 2
    behind, body = begin + 2 + 12 * len(entries) + 4, b""
    head = struct.pack("<H", len(entries))
    for tag in sorted(entries):
        kind, count, raw = entries[tag]
        if len(raw) > 4:
            value = struct.pack("<I", behind + len(body))
            body += raw + b"\0" * (len(raw) % 2)
        else:
            value = raw.ljust(4, b"\0")
        head += struct.pack("<HHI", tag, kind, count) + value
    data = data.ljust(begin, b"\0")
    path.write_bytes(data[:4] + struct.pack("<I", begin) + data[8:] + head + struct.pack("<I", 0) + body)
    return path


def _entries(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    at = struct.unpack_from("<I", data, 4)[0]
    for number in range(struct.unpack_from("<H", data, at)[0]):
        tag, kind, count, value = struct.unpack_from("<HHII", data, at + 2 + 12 * number)
        size = count * {1: 1, 2: 1, 3: 2, 4: 4, 12: 8}[kind]
        inside = data[at + 10 + 12 * number :][:size]
        yield tag, kind, count, inside if size <= 4 else data[value : value + size]


@raster("keys written again, unchanged", "answer")
def _rewritten(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={})


@raster("a central meridian beside its code that is another", "refused", "states two different systems.*111°")
def _meridian(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={3080: 111.0})


@raster("a false easting beside its code that is another", "refused", "states two different systems")
def _easting(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={3082: 500_000.0})


@raster("the parameters of its code beside it", "answer")
def _redundant(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={3080: 114.0, 3082: 38_500_000.0, 3092: 1.0, 2057: 6378137.0})


@raster("an ellipsoid beside its code that is enlarged", "refused", "states two different systems")
def _ellipsoid(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={2057: 6378437.0, 2059: 298.257222101})


@raster("a geographic code of another datum beside its code", "refused", "states two different systems.*Xian 1980")
def _geographic(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={2048: 4610})


@raster("a citation that names another zone", "refused", "its citation 'CGCS2000 / 3-degree Gauss-Kruger zone 37")
def _citation(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={1026: "CGCS2000 / 3-degree Gauss-Kruger zone 37"})


@raster("a citation of ESRI that names another zone", "refused", "its citation")
def _esri_citation(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={3073: "PCS Name = CGCS2000_3_Degree_GK_Zone_37"})


@raster("a geographic citation of another datum", "refused", "Xian 1980")
def _geographic_citation(folder: Path) -> Path:
    return _with_keys(folder / "a.tif", changed={2049: "GCS Name = Xian 1980|Datum = Xian 1980"})


@raster("a name that names another datum", "refused", "names another datum: .西安80高程 a")
def _named(folder: Path) -> Path:
    return write(folder / "西安80高程 a.tif")


@raster("a world file that moves it", "refused", "different positions.*'a.tfw'")
def _world(folder: Path) -> Path:
    (folder / "a.tfw").write_text("10\n0\n0\n-10\n38350105\n2765995\n")
    return write(folder / "a.tif")


@raster("a world file that agrees", "answer")
def _same_world(folder: Path) -> Path:
    (folder / "a.tfw").write_text("10\n0\n0\n-10\n38350005\n2765995\n")
    return write(folder / "a.tif")


@raster("a .prj beside it of another zone", "refused", "states two different systems")
def _prj(folder: Path) -> Path:
    (folder / "a.prj").write_text(CRS.from_epsg(4525).to_wkt("WKT1_ESRI"))
    return write(folder / "a.tif")
