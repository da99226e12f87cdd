"""The frozen city with layers of the benchmark's workload in place of six of its own: as detailed as official ones.

`benchmarks/frozen` holds the reference city and its rule books as they stood on 2026-11-26, so that figures stay comparable.

Redline, control units, protected areas, town boundary, roads and centrelines of rivers then have 1.1 million vertices. What a
feature is called and its attributes are copied from features of the frozen city, in turn::

    python benchmarks/detailed.py DIR
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio

from benchmarks.workload import CRS, layers

#: The reference city and its rule books, as the benchmarks of the product use them.
FROZEN = Path(__file__).parent / "frozen"
#: Layers of the catalogue, and what of the workload takes their place.
REPLACED = {
    "redline": "redline",
    "control_units": "units",
    "protected_areas": "reserves",
    "town_boundary": "town",
    "roads": "roads",
    "river_centrelines": "rivers",
}


def detailed_city(folder: Path) -> Path:
    """Make the city in a folder, once, and return the folder."""
    if folder.exists():
        return folder
    made, shapes = folder.with_suffix(".part"), layers()
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(FROZEN, made)
    for name, own in REPLACED.items():
        path = made / f"{name}.gpkg"
        frame, layer = gpd.read_file(path), pyogrio.list_layers(path)[0][0]
        there = gpd.GeoSeries(shapes[own], crs=CRS).to_crs("EPSG:4490")
        borrowed = frame.iloc[np.arange(len(there)) % len(frame)].reset_index(drop=True)
        borrowed["id"] = [f"{own}-{i}" for i in range(len(there))]
        path.unlink()
        pyogrio.write_dataframe(borrowed.set_geometry(there), path, layer=layer)
    # The fingerprints are those of the frozen city's files.
    catalogue = made / "catalog.toml"
    catalogue.write_text(re.sub(r"(?m)^sha256 = .*\n", "", catalogue.read_text("utf-8")), "utf-8")
    made.rename(folder)
    return folder


if __name__ == "__main__":
    print(detailed_city(Path(sys.argv[1])))
