"""Opening raster files safely: only GeoTIFF, only of a size that the file can hold, and without files beside it.

GDAL itself would open a description of other files (VRT) under any name, prefer a file beside the raster to the raster
itself, and allocate the memory that a header states.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rasterio

from lzgis.errors import SourceError
from lzgis.messages import Message

#: Block cache of GDAL in bytes (rasterio takes bytes here, not megabytes). The default is a twentieth of the memory.
CACHE_BYTES = 64 * 1024**2
_BEGINS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
#: Cells above which a raster may be a decompression bomb, the most cells for one byte of the file, and the most of all.
MANY_CELLS, CELLS_PER_BYTE, MOST_CELLS = 10**8, 10_000, 10**11
#: The most bytes of one block; a block is read as a whole.
MOST_BLOCK_BYTES = 512 * 1024**2
#: What a file beside a raster must not state: its position and which cells are empty. Statistics are allowed.
_DECIDES = re.compile(rb"<\s*(SRS|GeoTransform|GCPList|NoDataValue|Mask\w*|Source\w*|!DOCTYPE|!ENTITY)", re.IGNORECASE)
_BESIDE_BYTES = 4 * 1024**2


@contextmanager
def opened_tiff(path: Path) -> Iterator[Any]:
    """Open a GeoTIFF for reading; a context manager that returns the dataset of rasterio.

    Raises
    ------
    SourceError
        If it is no GeoTIFF, a file beside it overrides its content, or its header states more cells than it can hold.
    """
    _check_beginning(path)
    _check_beside(path)
    settings = {"GDAL_PAM_ENABLED": "NO", "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}", "GDAL_CACHEMAX": CACHE_BYTES}
    with rasterio.Env(**settings), rasterio.open(path, driver="GTiff") as source:
        _check_size(path, source)
        yield source


def _check_beginning(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head not in _BEGINS:
        what = Message("cannot be read as a raster ({error})", error=Message("it does not begin as a TIFF"))
        raise SourceError(str(path), what, Message("give a GeoTIFF, or fetch the file again"))


def _check_beside(path: Path) -> None:
    for beside in (path.with_name(path.name + ".aux.xml"), path.with_suffix(".aux.xml")):
        if not beside.is_file():
            continue
        with beside.open("rb") as stream:
            text = stream.read(_BESIDE_BYTES + 1)
        found = _DECIDES.search(text)
        if found or len(text) > _BESIDE_BYTES:
            value = found[1].decode("ascii") if found else "…"
            what = Message("overrides properties of its raster ({names})", names=value)
            raise SourceError(
                str(beside), what, Message("write it into the raster with gdal_translate, or remove the file")
            )


def _check_size(path: Path, source: Any) -> None:
    cells = source.width * source.height * source.count
    size = path.stat().st_size
    if cells > MOST_CELLS or (cells > MANY_CELLS and cells > CELLS_PER_BYTE * size):
        what = Message("claims {cells:,} cells in a file of {size:,} bytes", cells=cells, size=size)
        raise SourceError(str(path), what, Message("cut it to the city, or look whether it is what it says"))
    for (rows, columns), dtype in zip(source.block_shapes, source.dtypes, strict=True):
        if rows * columns * _bytes_of(dtype) > MOST_BLOCK_BYTES:
            what = Message("is one block of {rows:,} × {columns:,} cells", rows=rows, columns=columns)
            raise SourceError(str(path), what, Message("write it in tiles, with gdal_translate -co TILED=YES"))


def _bytes_of(dtype: str) -> int:
    sizes = re.findall(r"\d+", dtype)
    return max(1, int(sizes[0]) // 8) if sizes else 1
