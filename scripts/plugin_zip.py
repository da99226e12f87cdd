"""The QGIS plugin as a zip, which *Plugins → Install from ZIP* takes: ``python scripts/plugin_zip.py [FOLDER]``.

The same files give the same bytes: entries are sorted and have a fixed date.
"""

from __future__ import annotations

import configparser
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "plugins" / "qgis" / "lzgis_screening"
_KEPT = (".py", ".txt", ".svg", ".qml", "")


def pack(folder: Path) -> Path:
    """Write the zip into a folder and return it."""
    metadata = configparser.ConfigParser()
    metadata.read(PLUGIN / "metadata.txt", encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{PLUGIN.name}-{metadata['general']['version']}.zip"
    files = sorted(one for one in PLUGIN.rglob("*") if one.is_file() and one.suffix in _KEPT)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in files:
            if "__pycache__" in one.parts:
                continue
            entry = zipfile.ZipInfo(one.relative_to(PLUGIN.parent).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, one.read_bytes())
    return path


if __name__ == "__main__":
    print(pack(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
