"""Reading only the rows near some places: their windows, and the formats that can do it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyogrio
from pyproj import CRS, Transformer

from lzgis.reading.addresses import scheme_of
from lzgis.reading.base import Box, Near, sha256_of

#: Added around every window, m. An edge of 100 km that is straight in one system bends by some 100 m in another, and datums
#: of China differ by up to 200 m, shifted maps by up to 1.1 km.
MARGIN_M = 2_000.0
#: Metres of a degree of latitude, at least.
_DEGREE_M = 110_500.0
#: Windows of one reading, at most.
_MOST = 32
_DATABASES = ("postgis", "postgresql")


def can_read_near(source: str | Path) -> bool:
    """Return whether an input can be read by windows: a database, or a file with an index or boxes of its rows.

    A FlatGeobuf needs its spatial index, without which rows may lack a geometry.
    """
    if scheme_of(source) in _DATABASES:
        return True
    suffix = Path(source).suffix.lower()
    if suffix == ".fgb":
        return bool(pyogrio.read_info(source)["capabilities"]["fast_spatial_filter"])
    return suffix in (".gpkg", ".parquet", ".geoparquet")


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    del size, changed_ns
    return sha256_of(path)


def sha256_once(path: Path) -> str:
    """Return the SHA-256 of a file, computed once for each state of it: a large file is read by many windows."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


def boxes_in(near: Near, crs: str | CRS | None) -> list[Box]:
    """Return the windows in the system of an input; if one has no place in it, a window of everything."""
    system = CRS.from_user_input(crs or near.crs)
    if system.to_epsg() == 4490 or not near.boxes:
        return list(near.boxes)
    change = Transformer.from_crs("EPSG:4490", system, always_xy=True)
    found = [change.transform_bounds(*box, densify_pts=21) for box in near.boxes]
    if not np.isfinite(found).all():
        return [(-1e300, -1e300, 1e300, 1e300)]
    return [(float(w), float(s), float(e), float(n)) for w, s, e, n in found]


def windows(bounds: npt.NDArray[np.float64], reach_m: npt.NDArray[np.float64]) -> tuple[Box, ...]:
    """Return windows that hold everything nearer than `reach_m` to the bounds of sites.

    Parameters
    ----------
    bounds : array of float, shape (n, 4)
        West, south, east and north of each site, in degrees.
    reach_m : array of float, shape (n,)
        How far from each site features matter, m. `MARGIN_M` is added.

    Examples
    --------
    >>> (west, south, east, north), = windows(np.array([[112.0, 25.0, 112.0, 25.0]]), np.array([9050.0]))
    >>> round(south, 3), round(north, 3), round(east, 3)
    (24.9, 25.1, 112.11)
    """
    there = np.isfinite(bounds).all(axis=1)
    return _joined(_gathered(grown(bounds[there], reach_m[there] + MARGIN_M))) if there.any() else ()


def grown(bounds: npt.NDArray[np.float64], by_m: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the boxes that hold everything within some metres of other boxes, in degrees, shape (n, 4).

    Examples
    --------
    >>> grown(np.array([[112.0, 25.0, 112.0, 25.0]]), np.array([11050.0])).round(3).tolist()
    [[111.89, 24.9, 112.11, 25.1]]
    """
    high = by_m / _DEGREE_M
    top = np.minimum(np.abs(bounds[:, [1, 3]]).max(axis=1) + high, 89.0)
    wide = high / np.cos(np.radians(top))
    larger: npt.NDArray[np.float64] = bounds + np.column_stack([-wide, -high, wide, high])
    return larger


def _gathered(boxes: npt.NDArray[np.float64]) -> list[Box]:
    """Return the boxes, or the bounds of those in each cell of a grid if there are too many."""
    if len(boxes) <= _MOST:
        return [(float(w), float(s), float(e), float(n)) for w, s, e, n in boxes]
    side = int(np.sqrt(_MOST))
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    low, high = middle.min(axis=0), middle.max(axis=0)
    cell = np.minimum((middle - low) / np.maximum(high - low, 1e-9) * side, side - 1).astype(int)
    number = cell[:, 0] * side + cell[:, 1]
    return [_around(boxes[number == one]) for one in np.unique(number)]


def _around(boxes: npt.NDArray[np.float64]) -> Box:
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _joined(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Join boxes that overlap, until none does."""
    left, found = list(boxes), list[Box]()
    while left:
        one = left.pop()
        meet = [other for other in found if _meet(one, other)]
        if meet:
            found = [other for other in found if other not in meet]
            left.append(_around(np.array([one, *meet])))
        else:
            found.append(one)
    return tuple(sorted(found))


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
