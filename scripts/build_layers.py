"""Build the schematic reference city in ``layers/``: ``python scripts/build_layers.py [FOLDER]``.

Needs ``pip install -e .[build-layers]``. The same code gives the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from reference_city.build import build

if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent / "layers"
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else here))
