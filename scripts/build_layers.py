"""Build the schematic reference city in ``layers/``: ``python scripts/build_layers.py [FOLDER]``.

Needs ``pip install -e .[build-layers]``. The same code gives the same bytes. Into another FOLDER it
first copies the hand-written files of ``layers/``: catalogue, rules and README.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from reference_city.build import build

HAND_WRITTEN = ("catalog.toml", "rules.toml", "README.md", "indicators.toml", "indicator_values.csv", "projects.csv")


def prepared(folder: Path, here: Path) -> Path:
    """Make the folder, and copy the hand-written files that it lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in HAND_WRITTEN:
        if not (folder / name).exists():
            shutil.copyfile(here / name, folder / name)
    return folder


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent / "layers"
    print(build(prepared(Path(sys.argv[1]), here) if len(sys.argv) > 1 else here))
