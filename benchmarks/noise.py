"""How an audit bears digitising noise: the redline of the reference city beside the same redline rounded to 1 m.

    python benchmarks/noise.py [COPIES]

The city has its outline, the redline, and the rounded redline as reserves that must lie in the redline and leave no gap to
it: nearly every vertex gives a sliver. With COPIES, so many redlines lie beside each other. Prints the lines of the console,
the slivers in the GeoPackage, the time and the peak of memory of ``lzgis audit``.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from lzgis.city.reference import reference_city
from lzgis.coordinates.plane import plane_for

CATALOGUE = """
[city]
name = "舍入市"
divisions = []
[layer.city]
title = "市域"
role = "outline"
source = "city.gpkg"
[layer.redline]
title = "生态保护红线"
source = "redline.gpkg"
[layer.rounded]
title = "取整的红线"
source = "rounded.gpkg"
"""
RULE = """
[rule.{id}]
kind = "{kind}"
layer = "{layer}"
other = "{other}"
title = "{title}"
severity = "conditional"
strength = "advice"
basis = [{{ document = "made" }}]
effective_from = 2020-01-01
"""
BOOK = """
[book]
name = "舍入规则"
version = "1"
[layers]
redline = "生态保护红线"
rounded = "取整的红线"
[document.made]
title = "舍入"
certainty = "lore"
"""
RULES = (
    ("inside", "rounded", "redline", "取整的红线在红线之内"),
    ("inside", "redline", "rounded", "红线在取整的红线之内"),
)


def make_city(folder: Path, copies: int) -> int:
    """Write the city; return the number of vertices of its redline."""
    redline = gpd.read_file(reference_city() / "redline.gpkg").geometry
    plane = plane_for(tuple(redline.total_bounds))
    flat = plane.project(redline.to_numpy())
    width, height = np.ptp(np.asarray(shapely.total_bounds(flat)).reshape(2, 2), axis=0) + 5_000
    side = int(np.ceil(np.sqrt(copies)))
    shifts = [(at % side * width, at // side * height) for at in range(copies)]
    exact = np.concatenate([shapely.transform(flat, lambda c, s=s: c + s) for s in shifts])
    rounded = shapely.make_valid(shapely.transform(exact, np.round))
    outline = np.array([shapely.box(*shapely.total_bounds(exact)).buffer(2_000, join_style="mitre")])
    for name, shapes in (("city", outline), ("redline", exact), ("rounded", rounded)):
        frame = {"id": [f"{name}{at}" for at in range(len(shapes))], "name": name}
        gpd.GeoDataFrame(pd.DataFrame(frame), geometry=plane.unproject(shapes), crs="EPSG:4490").to_file(
            folder / f"{name}.gpkg", engine="pyogrio"
        )
    (folder / "catalog.toml").write_text(CATALOGUE, "utf-8")
    rules = [
        RULE.format(id=f"noise-{at}", kind=kind, layer=layer, other=other, title=title)
        for at, (kind, layer, other, title) in enumerate(RULES)
    ]
    (folder / "rules.toml").write_text(BOOK + "".join(rules), "utf-8")
    return int(shapely.get_num_coordinates(exact).sum())


def main(copies: int = 1) -> None:
    """Make the city, audit it in a separate process, and print the figures."""
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place) / "city", Path(place) / "out"
        folder.mkdir()
        vertices = make_city(folder, copies)
        command = [sys.executable, "-c", "from lzgis.cli.app import main; main()", "audit", "--layers", str(folder)]
        for run in ("first run", "second run"):
            start = time.perf_counter()
            done = subprocess.run([*command, "--out", str(out), "--format", "gpkg"], capture_output=True, check=False)
            spent = time.perf_counter() - start
            lines = done.stdout.decode().count("\n")
            print(f"{run}: {vertices:,} vertices, {spent:.1f} s, {lines} console lines, exit code {done.returncode}")
        print(done.stdout.decode())
        print(done.stderr.decode())
        for layer, _ in pyogrio.list_layers(next(out.glob("*.gpkg"))):
            print(f"{layer}: {pyogrio.read_info(next(out.glob('*.gpkg')), layer)['features']:,} rows")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
