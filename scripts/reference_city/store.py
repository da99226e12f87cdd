"""Write layers reproducibly, byte for byte, and update the hashes in the catalogue and the figures in the README."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from .layers import Feature

STAMP = "2026-11-21T00:00:00.000Z"


def write_layer(folder: Path, name: str, features: list[Feature]) -> None:
    """Write one layer as a GeoPackage of the same name."""
    os.environ["OGR_CURRENT_DATE"] = STAMP
    path = folder / f"{name}.gpkg"
    path.unlink(missing_ok=True)
    geometry = np.array([f["geometry"] for f in features], dtype=object)
    kinds = {g.geom_type.removeprefix("Multi") for g in geometry}
    several = any(g.geom_type.startswith("Multi") for g in geometry)
    if len(kinds) == 1 and several:
        geometry = np.array([_multi(g) for g in geometry], dtype=object)
    kind = geometry[0].geom_type if len(kinds) == 1 else "Unknown"
    columns = {k: [f.get(k) for f in features] for k in features[0] if k != "geometry"}
    frame = gpd.GeoDataFrame(columns, geometry=geometry, crs="EPSG:4490")
    if "half_width_m" in frame:
        frame["half_width_m"] = frame["half_width_m"].astype("float64")
    pyogrio.write_dataframe(frame, path, layer=name, driver="GPKG", geometry_type=kind)


def _multi(geometry: shapely.Geometry) -> shapely.Geometry:
    makers = {
        "Polygon": shapely.MultiPolygon,
        "LineString": shapely.MultiLineString,
        "Point": shapely.MultiPoint,
    }
    maker = makers.get(geometry.geom_type)
    return maker([geometry]) if maker else geometry


def digest(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refresh_hashes(catalogue: Path) -> None:
    """Write the sha256 of each source into ``catalog.toml``; everything else stays as it is."""
    text = catalogue.read_text(encoding="utf-8")
    heads = list(re.finditer(r"^\[((?:layer|raster)\.[\w-]+)\][^\n]*$", text, flags=re.M))
    for head, after in reversed(list(zip(heads, [*heads[1:], None], strict=True))):
        end = after.start() if after else len(text)
        body = text[head.end() : end]
        source = re.search(r'^source = "([^"]+)"$', body, flags=re.M)
        if not source:
            raise ValueError(f"[{head[1]}] has no source")
        line = f'sha256 = "{digest(catalogue.parent / source[1])}"'
        if re.search(r"^sha256 = ", body, flags=re.M):
            body = re.sub(r"^sha256 = .*$", line, body, count=1, flags=re.M)
        else:
            body = body[: source.end()] + "\n" + line + body[source.end() :]
        text = text[: head.end()] + body + text[end:]
    catalogue.write_text(text, encoding="utf-8", newline="\n")


def refresh_section(readme: Path, section: str) -> None:
    """Replace the text between the two markers of the README."""
    start, stop = "<!-- measured: written by scripts/build_layers.py -->", "<!-- /measured -->"
    text = readme.read_text(encoding="utf-8")
    if start not in text or stop not in text:
        raise ValueError(f"{readme.name} has no place for the measured figures")
    before, rest = text.split(start, 1)
    after = rest.split(stop, 1)[1]
    readme.write_text(f"{before}{start}\n{section.rstrip()}\n{stop}{after}", encoding="utf-8", newline="\n")
