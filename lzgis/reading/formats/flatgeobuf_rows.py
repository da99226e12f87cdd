"""The number of rows in a FlatGeobuf without an index, counted without its header, which may state another."""

from __future__ import annotations

import struct
from pathlib import Path

#: Where the header begins: after eight bytes of magic and its length.
_HEADER = 12
#: Numbers of the fields of the header.
_COUNT, _NODE_SIZE = 8, 9


def rows_of_flatgeobuf(path: Path) -> int | None:
    """Return how many rows follow the header; None if there is an index, which the library holds against the count.

    Bytes behind the last whole row count as one more.
    """
    with path.open("rb") as stream:
        try:
            size = struct.unpack("<I", stream.read(_HEADER)[8:])[0]
            head = stream.read(size)
            if _has_index(head):
                return None
            count, at, end = 0, _HEADER + size, path.stat().st_size
            while at < end:
                stream.seek(at)
                raw = stream.read(4)
                at += 4 + (struct.unpack("<I", raw)[0] if len(raw) == 4 else 0)
                count += 1
        except (struct.error, IndexError, MemoryError, OverflowError):
            return None
    return count


def _has_index(head: bytes) -> bool:
    table = struct.unpack_from("<I", head, 0)[0]
    heads = table - struct.unpack_from("<i", head, table)[0]
    length = struct.unpack_from("<H", head, heads)[0]

    def field(number: int) -> int:
        slot = 4 + 2 * number
        return int(struct.unpack_from("<H", head, heads + slot)[0]) if slot < length else 0

    node, count = field(_NODE_SIZE), field(_COUNT)
    # The default of the size of a node is 16; a file without a count has no index.
    node_size = struct.unpack_from("<H", head, table + node)[0] if node else 16
    return bool(node_size and count and struct.unpack_from("<Q", head, table + count)[0])
