"""Run the bad inputs of the tests and see what plain geopandas makes of them; writes docs/inputs.md.

python scripts/bad_inputs.py
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "inputs.md"
MARK = "<!-- outcomes -->"


def main() -> None:
    """Write the outcomes below the mark of the page."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    warnings.simplefilter("ignore")
    from bad_inputs.plain import all_outcomes
    from bad_inputs.rasters import RASTERS, outcome
    from bad_inputs.running import CASES, outcomes

    with tempfile.TemporaryDirectory() as folder:
        found = outcomes(CASES, Path(folder))
    plain = all_outcomes()
    lines = ["| case | input | must be | lzgis | plain geopandas | what lzgis says |", "| - | - | - | - | - | - |"]
    for one in found:
        cells = (one.case.id, one.case.title, one.case.must, one.result, plain[one.case.id], _short(one.message))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for raster in RASTERS:
        with tempfile.TemporaryDirectory() as folder:
            result, message = outcome(raster, Path(folder))
        lines.append(f"| {raster.id} | {raster.title} | {raster.must} | {result} | | {_short(message)} |")
    ours = Counter(one.result for one in found)
    theirs = Counter(re.sub(r" \(.*\)", "", result) for result in plain.values())
    messages = [one for one in found if one.message]
    complete = sum(one.is_complete for one in messages)
    totals = [
        f"{len(found)} inputs of sites and layers, {len(RASTERS)} rasters.",
        f"lzgis: {_counted(ours)}; {complete} of {len(messages)} messages name file, place, cause and remedy.",
        f"Plain geopandas: {_counted(theirs)}.",
    ]
    text = PAGE.read_text("utf-8").partition(MARK)[0]
    PAGE.write_text(f"{text}{MARK}\n\n" + "\n".join([*totals, "", *lines, ""]), "utf-8")
    print("\n".join(totals))


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _short(message: str) -> str:
    # The temporary path of a file is of no use to a reader.
    message = re.sub(r"(?:file://)?/\S*/", "", " ".join(message.split()))
    message = "".join(c if c.isprintable() else "·" for c in message)
    return message if len(message) <= 160 else message[:160] + "…"


if __name__ == "__main__":
    main()
