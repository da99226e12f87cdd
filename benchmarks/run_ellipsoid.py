"""What areas on the ellipsoid cost, and how far they are from geodesic ones.

Areas are measured in an equal-area plane, so all they cost is to bring coordinates given in degrees there::

    python benchmarks/run_ellipsoid.py [--n 10000] [--folder DIR] [--json]

Two questions are answered:

- of the areas and distances of the benchmark's workload (`run.py`), and of a whole screening by all rules of the reference city
  (`run_screening.py`), what share of the processor's time goes into that step, and how long do geodesic areas of all findings
  take (`pyproj.Geod`, edges made denser)?
- how far is the area of any finding from `pyproj.Geod` along the same edges made denser, and, where that is too coarse, from the
  official formula?
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).parent.parent))

from lzgis.coordinates.plane import Plane, ellipsoidal_area_m2, official_area_m2

#: Edges are made denser until none is longer than this, metres; those of small findings until none is longer than that.
STEP_M, SMALL_STEP_M = 25.0, 1.0
#: Below this, a geodesic area is itself not exact to 1e-7: its rounding error is some 1e-4 m² at any size.
SMALL_M2 = 10_000.0
#: Centre of the workload's plane.
CENTRE_DEG = (112.4, 24.9)


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds of some work, all threads together, and what it gave."""
    begun = time.process_time()
    made = work()
    return time.process_time() - begun, made


def deviations(plane: Plane, shapes: np.ndarray, area_m2: np.ndarray) -> dict[str, Any]:
    """Hold areas to geodesic ones along the same edges made denser, which are timed, and small ones to the official formula."""
    seconds, geodesic = cpu(lambda: ellipsoidal_area_m2(plane.unproject(shapely.segmentize(shapes, STEP_M))))
    small = area_m2 < SMALL_M2
    official = official_area_m2(plane.unproject(shapely.segmentize(shapes[small], SMALL_STEP_M)))
    off = np.abs(area_m2 - geodesic)
    return {
        "findings": len(area_m2),
        "relative": float(np.max((off / geodesic)[~small], initial=0.0)),
        "small": int(small.sum()),
        "small_off_m2": float(np.max(off[small], initial=0.0)),
        "small_relative_to_official": float(np.max(np.abs(area_m2[small] / official - 1), initial=0.0)),
        "geodesic_cpu_s": seconds,
    }


def workload(n: int, folder: Path) -> dict[str, Any]:
    """Measure the workload, its sites given in degrees; layers are brought to the plane when they are laid out."""
    from benchmarks.peers import lzgis_kernel
    from benchmarks.peers.common import POLYGONS
    from lzgis.geometry import FeatureIndex, areas_and_distances, decided_measures, parts_of

    if not (folder / f"sites_{n}.parquet").exists():
        command = [sys.executable, str(Path(__file__).parent / "workload.py"), str(folder), str(n)]
        subprocess.run(command, check=True, stdout=sys.stderr)
    plane = Plane(*CENTRE_DEG)
    sites, files, indexes, machine = lzgis_kernel.prepare(folder, n)
    layers = {name: files[name] for name in indexes}
    degrees = plane.unproject(sites)

    def answers(shapes: np.ndarray) -> Any:
        found = areas_and_distances(shapes, indexes, threads=lzgis_kernel.THREADS, machine=machine)
        return decided_measures(found, shapes, indexes, layers)

    steps, rests = [], []
    for _ in range(9):
        step, sites = cpu(lambda: plane.project(degrees))
        rest, found = cpu(lambda sites=sites: answers(sites))
        steps.append(step)
        rests.append(rest)
    shapes, areas = [], []
    for name in POLYGONS:
        shapes.append(parts_of(sites, FeatureIndex(layers[name]), found[name].areas))
        areas.append(found[name].areas.area)
    step, rest = statistics.median(steps), statistics.median(rests)
    held = deviations(plane, np.concatenate(shapes), np.concatenate(areas))
    return {"what": "workload", "n": n, "ellipsoid_cpu_s": step, "whole_cpu_s": step + rest, **held}


def screening(n: int) -> dict[str, Any]:
    """Screen made-up sites by all rules of the reference city; the step is that of its layers and sites."""
    import geopandas as gpd

    import lzgis as lz
    from benchmarks.run_screening import AS_OF
    from benchmarks.workload import sites

    city = lz.open_catalogue(lz.reference_city())
    ids = [f"s{i}" for i in range(n)]
    activity = np.random.default_rng(1).choice(list(city.book.activities), n)
    degrees = city.plane.unproject(sites(n))
    frame = gpd.GeoDataFrame({"id": ids, "name": ids, "activity": activity}, geometry=degrees, crs="EPSG:4490")
    layers = [city.load(name).layer.frame.geometry.to_numpy() for name in city.layers if city.exists(name)]
    lz.screen(frame.iloc[:1], city, as_of=AS_OF)
    whole, report = cpu(lambda: lz.screen(frame, city, as_of=AS_OF))
    step, _ = cpu(lambda: [city.plane.project(shapes) for shapes in [degrees, *layers]])
    found = report.findings
    shapes, area_m2 = city.plane.project(found.geometry.to_numpy()), found["area_m2"].to_numpy()
    # Of a band that is only possible, the part that is drawn is the possible one.
    possible = (found["band"] == "possible").to_numpy()
    area_m2 = np.where(possible, found["area_possible_m2"], area_m2)
    which = np.flatnonzero((shapely.get_dimensions(shapes) == 2) & (area_m2 > 0))
    held = deviations(city.plane, shapes[which], area_m2[which])
    return {"what": "screening", "n": n, "ellipsoid_cpu_s": step, "whole_cpu_s": whole, **held}


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="number of sites")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    rows = [workload(given.n, given.folder), screening(given.n)]
    for row in rows:
        row["share"] = row["ellipsoid_cpu_s"] / row["whole_cpu_s"]
        row["share_of_geodesic"] = row["ellipsoid_cpu_s"] / row["geodesic_cpu_s"]
        print(
            "{what} of {n} sites: {ellipsoid_cpu_s:.3f} s of {whole_cpu_s:.3f} s of the processor ({share:.1%}); "
            "geodesic areas take {geodesic_cpu_s:.1f} s\n    {findings} areas, off by {relative:.1e} of themselves at most; "
            "the {small} small ones by {small_off_m2:.1e} m², and by {small_relative_to_official:.1e} from the official "
            "formula".format(**row)
        )
    if given.json:
        print(json.dumps({"step_m": STEP_M, "small_step_m": SMALL_STEP_M, "small_m2": SMALL_M2, "rows": rows}))


if __name__ == "__main__":
    main()
