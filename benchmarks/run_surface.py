"""How long the constraint surface takes, and how much memory it needs, as the grid grows.

    python benchmarks/run_surface.py [ROWSxCOLUMNS ...]
    python benchmarks/run_surface.py --reference 30 10        # the reference city, cells of so many metres

Made-up cities as large as the grid asks for, cells of 10 m: ragged redline polygons, a town boundary to stay inside, roads
with a corridor. Each grid is burnt in a fresh process, so that its peak is its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import shapely

CELL_M = 10.0
GRIDS = ("1000x2000", "20000x2000", "60000x2000")

CATALOGUE = """
[city]
name = "示意市"
notice = "示意数据"
[layer.city]
title = "市域"
role = "outline"
source = "city.gpkg"
[layer.redline]
title = "生态保护红线"
source = "redline.gpkg"
[layer.town]
title = "城镇开发边界"
source = "town.gpkg"
[layer.roads]
title = "公路"
source = "roads.gpkg"
geometry = "line"
baseline = "centreline"
group = "road"
"""

RULES = """
[book]
name = "示意规则"
version = "1"
[layers]
redline = "生态保护红线"
town = "城镇开发边界"
roads = "公路"
[document.law]
title = "法"
certainty = "read"
effective_from = 2020-01-01
"""

RULE = """
[rule.{layer}]
kind = "{kind}"
layer = "{layer}"
title = "{layer}"
severity = "{severity}"
strength = "law"
basis = [{{ document = "law" }}]
effective_from = 2020-01-01
"""


def ragged(x: float, y: float, radius: float, rng: np.random.Generator) -> shapely.Polygon:
    """Draw a polygon of 500 vertices with an uneven border."""
    angle = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    length = radius * (1 + 0.2 * np.sin(5 * angle + rng.uniform(0, 6)) + 0.03 * np.sin(60 * angle))
    return shapely.Polygon(np.c_[np.cos(angle), np.sin(angle)] * length[:, None] + (x, y))


def write_city(folder: Path, rows: int, columns: int) -> None:
    """Write a city of so many cells: a redline polygon for every 8 km square, a road every 10 km."""
    import geopandas as gpd

    from lzgis.coordinates.plane import Plane

    plane, rng = Plane(112.5, 25.0), np.random.default_rng(7)
    east, north = columns * CELL_M / 2, rows * CELL_M / 2
    (folder / "catalog.toml").write_text(CATALOGUE, "utf-8")
    parts = [
        ("redline", "avoid", "prohibited"),
        ("town", "stay_inside", "notice"),
        ("roads", "keep_away", "conditional"),
    ]
    rules = [RULE.format(layer=layer, kind=kind, severity=severity) for layer, kind, severity in parts]
    (folder / "rules.toml").write_text(
        RULES + "".join(rules) + 'distance_m = 20\nbaselines = ["roads"]\nassumed_half_width_m = { "*" = 5 }\n', "utf-8"
    )
    centres = [(x, y) for x in np.arange(-east, east, 8000) + 4000 for y in np.arange(-north, north, 8000) + 4000]
    layers = {
        "city": [shapely.box(-east, -north, east, north)],
        "redline": [ragged(x, y, 2500, rng) for x, y in centres],
        "town": [ragged(x + 3500, y + 3500, 1000, rng) for x, y in centres],
        "roads": [shapely.LineString([(-east, y), (east, y + 500)]) for y in np.arange(-north, north, 10_000)],
    }
    for name, shapes in layers.items():
        moved = plane.unproject(np.array(shapes, dtype=object))
        data = {"id": [f"{name}{i}" for i in range(len(shapes))], "name": ""}
        gpd.GeoDataFrame(data, geometry=moved, crs="EPSG:4490").to_file(folder / f"{name}.gpkg", engine="pyogrio")


def burn(city: str, cell_m: float) -> None:
    """Burn one city in this process, and print what that took."""
    import rasterio

    import lzgis as lz

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        surface = lz.raster_surface(city, Path(folder) / "surface.tif", cell_m=cell_m, as_of="2026-11-21")
        took = time.perf_counter() - start
        with rasterio.open(surface.path) as made:
            rows, columns, count = made.height, made.width, made.count
        size = surface.path.stat().st_size / 1e6
    print(f"{rows} x {columns} cells, {count} bands: {took:.1f} s, peak {peak_mb():.0f} MB, file {size:.1f} MB")


def peak_mb() -> float:
    """Return the peak memory of the process, if the system reports it."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Measure each grid in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("grids", nargs="*", help="rows and columns, as 20000x2000")
    parser.add_argument("--reference", nargs="+", type=float, default=[], metavar="CELL_M")
    parser.add_argument("--burn", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.burn:
        burn(given.burn[0], float(given.burn[1]))
        return
    for cell in given.reference:
        from lzgis.city.reference import reference_city

        subprocess.run([sys.executable, __file__, "--burn", str(reference_city()), str(cell)], check=True)
    for grid in given.grids or ([] if given.reference else GRIDS):
        with tempfile.TemporaryDirectory() as folder:
            rows, columns = (int(number) for number in grid.split("x"))
            write_city(Path(folder), rows, columns)
            subprocess.run([sys.executable, __file__, "--burn", folder, str(CELL_M)], check=True)


if __name__ == "__main__":
    main()
