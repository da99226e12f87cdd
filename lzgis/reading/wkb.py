"""Geometries in well-known binary (WKB) that shapely does not support: arcs, and surfaces of polygons or triangles."""

from __future__ import annotations

import struct

#: ISO WKB codes of a polyhedral surface, a TIN and a triangle, and the codes of types with the same structure.
_AS = {15: 6, 16: 6, 17: 3}
_POINT, _LINE, _ARC = 1, 2, 8
_RINGS = (3, 17)
#: Types whose parts cannot be arcs: points, lines, polygons, collections of one of these, and surfaces.
_STRAIGHT = (1, 2, 3, 4, 5, 6, 15, 16, 17)


def has_arc(wkb: bytes) -> bool:
    """Return whether a shape has an arc; curves and surfaces made of straight lines have none.

    Examples
    --------
    >>> arc = struct.pack("<BII6d", 1, 8, 3, 0, 0, 1, 1, 2, 0)
    >>> has_arc(arc), has_arc(struct.pack("<BII", 1, 9, 1) + arc)
    (True, True)
    >>> line = struct.pack("<BII4d", 1, 2, 2, 0, 0, 2, 0)
    >>> has_arc(line), has_arc(struct.pack("<BII", 1, 9, 1) + line)
    (False, False)
    """
    at, waiting = 0, 1
    try:
        if _code(wkb, 0) in _STRAIGHT:
            return False
        # Not recursive: the number of shapes still to come is counted.
        while waiting:
            waiting -= 1
            code, order = _code(wkb, at), _order(wkb, at)
            point_bytes = 8 * _dimensions(wkb, at)
            at += 5
            if code == _ARC:
                return True
            if code == _POINT:
                at += point_bytes
                continue
            (count,) = struct.unpack_from(order + "I", wkb, at)
            at += 4
            if code == _LINE:
                at += count * point_bytes
            elif code in _RINGS:
                for _ in range(count):
                    (points,) = struct.unpack_from(order + "I", wkb, at)
                    at += 4 + points * point_bytes
            else:
                waiting += count
    except (struct.error, IndexError):
        # Cut short: the reader of the shape reports it.
        return False
    return False


def as_polygons(wkb: bytes) -> bytes:
    """Return a surface of polygons or triangles (WKB) as a multipolygon; anything else unchanged.

    Examples
    --------
    >>> import shapely
    >>> triangle = shapely.Polygon([(0, 0), (1, 0), (0, 1)])
    >>> polygons = shapely.to_wkb(shapely.MultiPolygon([triangle]), flavor="iso")
    >>> tin = polygons[:1] + struct.pack("<I", 16) + polygons[5:10] + struct.pack("<I", 17) + polygons[14:]
    >>> shapely.from_wkb(as_polygons(tin)).wkt
    'MULTIPOLYGON (((0 0, 1 0, 0 1, 0 0)))'
    """
    if len(wkb) < 9 or _code(wkb, 0) not in (15, 16):
        return wkb
    out = bytearray(wkb)
    try:
        _recode(out, 0)
        order, dimensions = _order(wkb, 0), _dimensions(wkb, 0)
        (count,) = struct.unpack_from(order + "I", wkb, 5)
        at = 9
        for _ in range(count):
            _recode(out, at)
            (rings,) = struct.unpack_from(_order(wkb, at) + "I", wkb, at + 5)
            at += 9
            for _ in range(rings):
                (points,) = struct.unpack_from(order + "I", wkb, at)
                at += 4 + 8 * dimensions * points
    except (struct.error, IndexError):
        return wkb
    return bytes(out)


def _order(wkb: bytes | bytearray, at: int) -> str:
    return "<" if wkb[at] == 1 else ">"


def _whole_code(wkb: bytes | bytearray, at: int) -> int:
    return int(struct.unpack_from(_order(wkb, at) + "I", wkb, at + 1)[0])


def _code(wkb: bytes | bytearray, at: int) -> int:
    return (_whole_code(wkb, at) & 0x0FFFFFFF) % 1000


def _dimensions(wkb: bytes, at: int) -> int:
    whole = _whole_code(wkb, at)
    thousands = (whole & 0x0FFFFFFF) // 1000
    if thousands:
        return 4 if thousands == 3 else 3
    return 2 + bool(whole & 0x80000000) + bool(whole & 0x40000000)


def _recode(out: bytearray, at: int) -> None:
    kind = _code(out, at)
    struct.pack_into(_order(out, at) + "I", out, at + 1, _whole_code(out, at) - kind + _AS.get(kind, kind))
