"""Build the schematic reference city in ``layers/``: ``python scripts/build_layers.py [FOLDER]``.

Needs ``pip install -e .[build-layers]``. The same code gives the same bytes. In another FOLDER it puts what is written by
hand first: the catalogue, the rules and the README of ``layers/``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from reference_city.build import build

BY_HAND = ("catalog.toml", "rules.toml", "README.md")


def prepared(folder: Path, here: Path) -> Path:
    """Make the folder and put what is written by hand into it, where it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in BY_HAND:
        if not (folder / name).exists():
            shutil.copyfile(here / name, folder / name)
    return folder


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent / "layers"
    print(build(prepared(Path(sys.argv[1]), here) if len(sys.argv) > 1 else here))
