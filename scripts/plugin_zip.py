"""The QGIS plugin as a zip, which *Plugins → Install from ZIP* takes: ``python scripts/plugin_zip.py [--arcgis] [FOLDER]``.

With ``--arcgis``, the Python toolbox for ArcGIS Pro instead. The same files give the same bytes: entries are sorted and have
a fixed date.
"""

from __future__ import annotations

import argparse
import configparser
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = ROOT / "plugins" / "qgis" / "lzgis_screening"
TOOLBOX = ROOT / "plugins" / "arcgis"
_KEPT = (".py", ".txt", ".svg", ".qml", "")
#: What the toolbox imports of the plugin.
_SHARED = ("__init__.py", "arguments.py", "command.py", "words.py")


def version() -> str:
    """Return the version of the plugin."""
    metadata = configparser.ConfigParser()
    metadata.read(PLUGIN / "metadata.txt", encoding="utf-8")
    return metadata["general"]["version"]


def plugin_files() -> dict[str, Path]:
    """Return the files of the QGIS plugin by their names in the zip."""
    files = [one for one in PLUGIN.rglob("*") if one.is_file() and one.suffix in _KEPT]
    return {one.relative_to(PLUGIN.parent).as_posix(): one for one in files if "__pycache__" not in one.parts}


def toolbox_files() -> dict[str, Path]:
    """Return the files of the toolbox for ArcGIS by their names in the zip."""
    own = {name: TOOLBOX / name for name in ("lzgis.pyt", "LICENSE")}
    return own | {f"{PLUGIN.name}/{name}": PLUGIN / name for name in _SHARED}


def pack(path: Path, files: Mapping[str, Path]) -> Path:
    """Write files into a zip and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, one in sorted(files.items()):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, one.read_bytes())
    return path


def main() -> None:
    """Read the arguments and write the zip."""
    parser = argparse.ArgumentParser(description="Write the QGIS plugin, or the toolbox for ArcGIS Pro, as a zip.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("dist"))
    parser.add_argument("--arcgis", action="store_true", help="the toolbox for ArcGIS Pro")
    given = parser.parse_args()
    if given.arcgis:
        print(pack(given.folder / f"lzgis_arcgis-{version()}.zip", toolbox_files()))
    else:
        print(pack(given.folder / f"{PLUGIN.name}-{version()}.zip", plugin_files()))


if __name__ == "__main__":
    main()
