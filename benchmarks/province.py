"""How lzgis bears a province: 156,000 km², a redline of 30 million vertices, 2,000 units, 20,000 roads, 117 counties.

    python benchmarks/province.py [SCALE]

Everything is made here, the same every time. SCALE (1 by default) scales the vertices of the redline alone. Prints, for
``lzgis layers``, for ``lzgis screen`` of 1,000 sites (first run, which builds what is cached, and second), and for the map of
them, the time, the peak of memory of the process and its children, and the lines on the console.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.coordinates.plane import Plane

PLANE_AT = (112.5, 25.0)
PLANE = Plane(*PLANE_AT)
COUNTY_M = 36_500.0
ACROSS, UP = 13, 9
VERTICES, UNITS, ROADS, SITES, PATCHES = 30_000_000, 2_000, 20_000, 1_000, 3_000

CATALOGUE = """
[city]
name = "一省"
divisions = ["prefectures", "counties"]
[layer.city]
title = "省域"
role = "outline"
source = "city.fgb"
[layer.prefectures]
title = "地市"
role = "context"
source = "prefectures.fgb"
[layer.counties]
title = "区县"
role = "context"
source = "counties.fgb"
[layer.redline]
title = "生态保护红线"
source = "redline.fgb"
[layer.units]
title = "管控单元"
source = "units.fgb"
[layer.roads]
title = "公路"
source = "roads.fgb"
geometry = "line"
baseline = "centreline"
"""
RULES = """
[book]
name = "省规则"
version = "1"
[layers]
redline = "生态保护红线"
units = "管控单元"
roads = "公路"
[document.made]
title = "规则"
certainty = "lore"
"""
RULE = """
[rule.{id}]
kind = "{kind}"
layer = "{layer}"
{more}
title = "{title}"
severity = "{severity}"
strength = "law"
basis = [{{ document = "made" }}]
effective_from = 2020-01-01
"""
KINDS = (
    ("redline", "avoid", "redline", "", "红线", "prohibited"),
    ("units", "avoid", "units", 'where.class = ["priority"]', "优先保护单元", "conditional"),
    ("roads", "keep_away", "roads", "distance_m = 20", "公路建筑控制区", "conditional"),
)


def ragged(rng: np.random.Generator, middle: np.ndarray, radius_m: float, vertices: int) -> shapely.Polygon:
    """Return a polygon with a border as ragged as one drawn from 30 m cells."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    waves = sum(rng.normal(0, 0.25 / k) * np.sin(k * angle + rng.uniform(0, 6)) for k in (2, 3, 5, 8, 13))
    radius = radius_m * (1 + 0.3 * waves) + rng.normal(0, 0.5, vertices)
    return shapely.Polygon(middle + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))


def write(folder: Path, name: str, shapes: np.ndarray, **columns: object) -> None:
    """Write a layer in degrees."""
    frame = pd.DataFrame({"id": [f"{name}{at}" for at in range(len(shapes))], "name": name, **columns})
    made = gpd.GeoDataFrame(frame, geometry=PLANE.unproject(shapes), crs="EPSG:4490")
    made.to_file(folder / f"{name}.fgb", engine="pyogrio", driver="FlatGeobuf")


def make_province(folder: Path, scale: float) -> int:
    """Write the province; return the number of vertices of its redline."""
    rng = np.random.default_rng(1)
    west, south = -ACROSS * COUNTY_M / 2, -UP * COUNTY_M / 2
    cells = [(west + i * COUNTY_M, south + j * COUNTY_M) for j in range(UP) for i in range(ACROSS)]
    counties = np.array([shapely.box(x, y, x + COUNTY_M, y + COUNTY_M) for x, y in cells])
    bands = [shapely.union_all(counties[[at for at in range(len(cells)) if at % ACROSS // 3 == k]]) for k in range(5)]
    outline = np.array([shapely.union_all(counties)])
    each = max(20, int(VERTICES * scale / PATCHES))
    middles = rng.uniform((west + 9_000, south + 9_000), (-west - 9_000, -south - 9_000), (PATCHES, 2))
    redline = np.array([ragged(rng, one, rng.uniform(1_000, 2_800), each) for one in middles])
    redline = shapely.make_valid(redline)
    side = np.sqrt(UNITS)
    columns, rows = int(side * 1.2), int(np.ceil(UNITS / int(side * 1.2)))
    width, height = -2 * west / columns, -2 * south / rows
    units = [
        shapely.box(west + i * width, south + j * height, west + (i + 1) * width, south + (j + 1) * height)
        for j in range(rows)
        for i in range(columns)
    ][:UNITS]
    starts = rng.uniform((west, south), (-west, -south), (ROADS, 2))
    steps = np.cumsum(rng.normal(0, 250, (ROADS, 30, 2)) + rng.normal(0, 200, (ROADS, 1, 2)), axis=1)
    roads = shapely.linestrings(starts[:, None] + steps)
    write(folder, "city", outline)
    write(folder, "counties", counties)
    write(folder, "prefectures", np.array(bands))
    write(folder, "redline", redline)
    write(
        folder, "units", np.array(units), **{"class": np.where(np.arange(len(units)) % 3 == 0, "priority", "general")}
    )
    inside = shapely.intersection(roads, shapely.buffer(outline[0], -100))
    write(folder, "roads", inside[~shapely.is_empty(inside)])
    places = rng.uniform((west + 2_000, south + 2_000), (-west - 2_000, -south - 2_000), (SITES, 2))
    sizes = rng.uniform(50, 400, SITES)
    sites = shapely.buffer(shapely.points(places), sizes, quad_segs=8)
    write(folder, "sites", sites)
    (folder / "catalog.toml").write_text(CATALOGUE, "utf-8")
    rules = [
        RULE.format(id=one, kind=kind, layer=layer, more=more, title=title, severity=severity)
        for one, kind, layer, more, title, severity in KINDS
    ]
    (folder / "rules.toml").write_text(RULES + "".join(rules), "utf-8")
    return int(shapely.get_num_coordinates(redline).sum())


def run(*words: str | Path) -> str:
    """Run lzgis in a separate process; return time, peak memory of it and its children together, and console lines."""
    command = [sys.executable, "-c", "from lzgis.cli.app import main; main()", *map(str, words)]
    start, peak = time.perf_counter(), 0
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output: list[bytes] = []
    reader = threading.Thread(target=lambda: output.extend(done.communicate()))
    reader.start()
    while reader.is_alive():
        peak = max(peak, memory(done.pid))
        reader.join(0.1)
    if done.returncode > 2:
        print(output[1].decode())
    spent = time.perf_counter() - start
    lines = output[0].decode().count("\n")
    return f"{spent:6.1f} s   {peak / 1e9:.2f} GB   {lines} lines   exit code {done.returncode}"


def memory(pid: int) -> int:
    """Return the resident memory (bytes) of a process and those it started, as Linux tells it; 0 of one that has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(memory(int(one)) for one in started)


def main(scale: float = 1.0) -> None:
    """Make the province and print the figures."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "province"
        folder.mkdir()
        start = time.perf_counter()
        vertices = make_province(folder, scale)
        print(f"{vertices:,} vertices of redline, made in {time.perf_counter() - start:.0f} s, {os.cpu_count()} cores")
        os.environ["XDG_CACHE_HOME"] = str(Path(place) / "cache")
        sites, out = folder / "sites.fgb", Path(place) / "out"
        print("layers, first run ", run("layers", "--layers", folder))
        print("layers, second run", run("layers", "--layers", folder))
        for title in ("screen, first run ", "screen, second run"):
            print(title, run("screen", sites, "--layers", folder, "--out", out, "--format", "parquet"))
        print("screen with map   ", run("screen", sites, "--layers", folder, "--out", out, "--format", "html"))


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
