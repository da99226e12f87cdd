"""Copy the JavaScript and CSS of maps and pages into ``lzgis/exports/static`` and ``lzgis/web/static``, and axe for tests.

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

PACKAGE = Path(__file__).resolve().parents[1] / "lzgis"
EXPORTS, WEB = PACKAGE / "exports" / "static", PACKAGE / "web" / "static"
#: For tests alone; it is no part of the package.
TESTS = PACKAGE.parent / "tests" / "web" / "static"


class Pin(NamedTuple):
    """An npm package, the integrity hash of its archive, the files to copy from it, and the folder that receives them."""

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]
    folder: Path


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
        EXPORTS / "leaflet",
    ),
    Pin(
        "leaflet.markercluster",
        "1.5.3",
        "sha512-vPTw/Bndq7eQHjLBVlWpnGeLa3t+3zGiuM7fJwCkiMFq+nmRuG3RI3f7f4N4TDX7T4NpbAXpR2+NTRSEGfCSeA==",
        ("MIT-LICENCE.txt", "dist/leaflet.markercluster.js"),
        EXPORTS / "markercluster",
    ),
    Pin(
        "topojson-client",
        "3.1.0",
        "sha512-605uxS6bcYxGXw9qi62XyrV6Q3xwbndjachmNxu8HWTtVPxZfEJN9fd/SZS1Q54Sn2y0TMyMxFj/cJINqGHrKw==",
        ("LICENSE", "dist/topojson-client.min.js"),
        EXPORTS / "topojson-client",
    ),
    Pin(
        "htmx.org",
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        ("LICENSE", "dist/htmx.min.js"),
        WEB / "htmx",
    ),
    Pin(
        "@geoman-io/leaflet-geoman-free",
        "2.18.3",
        "sha512-XzxSKRk2UJUVeGiOt1jU2hyo412Qee1Q0Xsfw4A2r8EoUIo48XKSWfusYe7E53fSPr0aYgZxPevnFdcUXimpdA==",
        ("LICENSE", "dist/leaflet-geoman.min.js", "dist/leaflet-geoman.css"),
        WEB / "geoman",
    ),
    Pin(
        "axe-core",
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        ("LICENSE", "axe.min.js"),
        TESTS / "axe",
    ),
)


def fetch(pin: Pin, folder: Path) -> Path:
    """Download the archive of a package into `folder`; exit if its hash is not the pinned one."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm: not found; install Node.js with npm")
    subprocess.run([npm, "pack", f"{pin.name}@{pin.version}", "--silent"], cwd=folder, check=True)
    archive = folder / f"{pin.name.lstrip('@').replace('/', '-')}-{pin.version}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != pin.integrity:
        sys.exit(f"{archive.name}: integrity is sha512-{digest}; expected {pin.integrity}")
    return archive


def unpack(pin: Pin, archive: Path) -> list[Path]:
    """Copy the files of an archive into the folder of its pin, without subfolders except ``images``."""
    written = []
    with tarfile.open(archive) as bundle:
        for name in pin.files:
            member = bundle.extractfile(f"package/{name}")
            if member is None:
                sys.exit(f"{archive.name}: has no file {name}; correct the pin")
            target = pin.folder / name.removeprefix("dist/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(member.read())
            written.append(target)
    return written


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        files = [f for pin in PINS for f in unpack(pin, fetch(pin, Path(scratch)))]
    for static in (EXPORTS, WEB, TESTS):
        own = [f for f in files if f.is_relative_to(static)]
        lines = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(static).as_posix()}\n" for f in own]
        (static / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")
        print(f"{len(own)} files in {static.relative_to(PACKAGE.parent)}")


if __name__ == "__main__":
    main()
