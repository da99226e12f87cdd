"""Write the Markdown table of what `product.py --json` printed last; product first, then the peers.

    python -m benchmarks.product_peers.table LOG

Every cell of a peer ends with how many times as long as lzgis it took.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

NAMES = {
    "lzgis": "**lzgis**, from files to findings and verdicts with all texts",
    "shapely": "shapely 2, two threads; layers projected and cut up beforehand, no texts, no verdicts",
    "postgis": "PostGIS, two sessions; layers projected, subdivided and loaded beforehand, no texts, no verdicts",
}


def table(result: dict[str, Any]) -> str:
    """Return the rows of the table, one a contestant, with two columns for each number of sites."""
    rows = result["rows"]
    heads = [f"{row['n']:,} sites, {what}" for row in rows for what in ("process", "compute")]
    lines = ["| " + " | ".join(["", *heads]) + " |", "| " + " | ".join(["---"] * (1 + len(heads))) + " |"]
    for peer in rows[0]["peers"]:
        cells = []
        for figures in (row["peers"][peer] for row in rows):
            for what in ("process", "compute"):
                ratio = f" ({figures[f'ratio_{what}']:.2g} ×)" if f"ratio_{what}" in figures else ""
                cells.append(f"{figures[f'{what}_s']:.1f} s{ratio}")
        lines.append("| " + " | ".join([NAMES[peer], *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text("utf-8").splitlines()[-1])))
