"""Copy the JavaScript and CSS embedded in maps into ``lzgis/exports/static``.

Run ``python scripts/vendor_static.py`` after changing a pin. ``npm pack`` downloads the packages with the user's
npm configuration. Each archive must match the integrity hash pinned here.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

STATIC = Path(__file__).resolve().parents[1] / "lzgis" / "exports" / "static"


class Pin(NamedTuple):
    """An npm package, the integrity hash of its archive, and the files to copy from it."""

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]


PINS = (
    Pin(
        "leaflet",
        "1.9.4",
        "sha512-nxS1ynzJOmOlHp+iL3FyWqK89GtNL8U8rvlMOsQdTTssxZwCXh8N2NB3GDQOL+YR3XnWyZAxwQixURb+FA74PA==",
        (
            "LICENSE",
            "dist/leaflet.js",
            "dist/leaflet.css",
            "dist/images/layers.png",
            "dist/images/layers-2x.png",
            "dist/images/marker-icon.png",
        ),
    ),
    Pin(
        "topojson-client",
        "3.1.0",
        "sha512-605uxS6bcYxGXw9qi62XyrV6Q3xwbndjachmNxu8HWTtVPxZfEJN9fd/SZS1Q54Sn2y0TMyMxFj/cJINqGHrKw==",
        ("LICENSE", "dist/topojson-client.min.js"),
    ),
)


def fetch(pin: Pin, folder: Path) -> Path:
    """Download the archive of a package into `folder`; exit if its hash is not the pinned one."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm: not found; install Node.js with npm")
    subprocess.run([npm, "pack", f"{pin.name}@{pin.version}", "--silent"], cwd=folder, check=True)
    archive = folder / f"{pin.name}-{pin.version}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != pin.integrity:
        sys.exit(f"{archive.name}: integrity is sha512-{digest}; expected {pin.integrity}")
    return archive


def unpack(pin: Pin, archive: Path) -> list[Path]:
    """Copy the files of an archive into `STATIC`, without subfolders except ``images``."""
    written = []
    with tarfile.open(archive) as bundle:
        for name in pin.files:
            member = bundle.extractfile(f"package/{name}")
            if member is None:
                sys.exit(f"{archive.name}: has no file {name}; correct the pin")
            target = STATIC / pin.name / name.removeprefix("dist/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(member.read())
            written.append(target)
    return written


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        files = [f for pin in PINS for f in unpack(pin, fetch(pin, Path(scratch)))]
    lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(STATIC).as_posix()}\n" for f in files]
    (STATIC / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")
    print(f"{len(files)} files in {STATIC.name}/")


if __name__ == "__main__":
    main()
