"""The process that repairs one geometry: WKB on standard input, WKB on standard output.

Its time and memory are limited, since a drawing of a few kilobytes can need hours and gigabytes.
"""

from __future__ import annotations

import sys

import shapely

from lzgis.reading.repair import valid_by_structure
from lzgis.reading.sandbox.limits import MEMORY_BYTES, limit_this_process


def main() -> int:
    """Repair the geometry; any exit code but 0 means that there is no answer."""
    limit_this_process(MEMORY_BYTES, "refused")
    geometry = shapely.from_wkb(sys.stdin.buffer.read())
    sys.stdout.buffer.write(shapely.to_wkb(valid_by_structure(geometry)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
