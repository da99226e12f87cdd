"""Shapefiles written byte by byte, so that they can be wrong in any way and owe nothing to GDAL."""

from __future__ import annotations

import struct
from pathlib import Path

CGCS2000_GEOGRAPHIC = (
    'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)


def gauss_kruger(name: str, meridian: float, easting: float) -> str:
    """Write a projected system as ArcGIS does."""
    parameters = {
        "False_Easting": easting,
        "False_Northing": 0.0,
        "Central_Meridian": meridian,
        "Scale_Factor": 1.0,
        "Latitude_Of_Origin": 0.0,
    }
    inner = ",".join(f'PARAMETER["{k}",{v}]' for k, v in parameters.items())
    return f'PROJCS["{name}",{CGCS2000_GEOGRAPHIC},PROJECTION["Gauss_Kruger"],{inner},UNIT["Meter",1.0]]'


def dbf(
    fields: list[tuple[bytes, int]], rows: list[list[bytes]], *, language: int = 0, deleted: tuple[int, ...] = ()
) -> bytes:
    """Write a table of text fields; row numbers in `deleted` are marked as such."""
    length = 1 + sum(size for _, size in fields)
    head = (
        struct.pack("<4BIHH", 3, 126, 11, 21, len(rows), 33 + 32 * len(fields), length)
        + bytes(17)
        + bytes([language, 0, 0])
    )
    for name, size in fields:
        head += struct.pack("<11sc4xBB14x", name, b"C", size, 0)
    body = b"".join(
        (b"*" if i in deleted else b" ")
        + b"".join(v.ljust(size)[:size] for v, (_, size) in zip(row, fields, strict=True))
        for i, row in enumerate(rows)
    )
    return head + b"\r" + body + b"\x1a"


def shp(rings: list[list[tuple[float, float]]]) -> tuple[bytes, bytes]:
    """Write polygons of one ring each, and their index."""
    records, index, at = b"", b"", 50
    for number, ring in enumerate(rings, 1):
        xs, ys = zip(*ring, strict=True)
        content = struct.pack("<i4dii", 5, min(xs), min(ys), max(xs), max(ys), 1, len(ring)) + struct.pack("<i", 0)
        content += b"".join(struct.pack("<2d", *point) for point in ring)
        records += struct.pack(">ii", number, len(content) // 2) + content
        index += struct.pack(">ii", at, len(content) // 2)
        at += 4 + len(content) // 2
    points = [p for ring in rings for p in ring]
    xs, ys = zip(*points, strict=True)

    def head(size: int) -> bytes:
        box = struct.pack("<8d", min(xs), min(ys), max(xs), max(ys), 0, 0, 0, 0)
        return struct.pack(">i5ii", 9994, 0, 0, 0, 0, 0, size // 2) + struct.pack("<ii", 1000, 5) + box

    return head(100 + len(records)) + records, head(100 + len(index)) + index


def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
    """Return a closed ring, clockwise, as the format requires of outer rings."""
    return [(x, y), (x, y + side), (x + side, y + side), (x + side, y), (x, y)]


def write(
    path: Path, fields: list[str], rows: list[list[str]], encoding: str, *, prj: str = CGCS2000_GEOGRAPHIC
) -> None:
    """Write a shapefile of squares; names of fields are cut to 10 bytes as writers do."""
    shapes, index = shp([square(112.4 + 0.1 * i, 25.0, 0.01) for i in range(len(rows))])
    path.with_suffix(".shp").write_bytes(shapes)
    path.with_suffix(".shx").write_bytes(index)
    names = [(name.encode(encoding)[:10], 40) for name in fields]
    path.with_suffix(".dbf").write_bytes(dbf(names, [[v.encode(encoding) for v in row] for row in rows]))
    if prj:
        path.with_suffix(".prj").write_text(prj, "ascii")
