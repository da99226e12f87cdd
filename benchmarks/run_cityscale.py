"""How long a whole screening takes beside importing the libraries that a map in Python needs anyway.

Measured in fresh processes in alternation, so that other load on the machine affects both equally::

    python benchmarks/run_cityscale.py [--runs 7] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time

GOAL = 3.0

IMPORTS = "import geopandas, folium"
SCREENING = """
import lzgis as lz
city = lz.reference_city()
report = lz.screen(city / "sites.gpkg", city, as_of="2026-11-21")
print(len(report.sites), len(report.layers), len(report.book.rules), len(report.findings))
"""


def seconds(code: str) -> tuple[float, str]:
    """Run `code` in a fresh Python; return the time on the clock, its start included, and what it printed."""
    env = os.environ | {"PYTHONUTF8": "1"}
    # What pip installs is compiled already; the modules of lzgis must be too, which the first turn sees to.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", code], env=env, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return time.perf_counter() - start, run.stdout


def measure(runs: int) -> dict[str, object]:
    """Measure both `runs` times, turn by turn, after one turn that warms the disk and compiles the loops where they are not."""
    seconds(IMPORTS)
    sites, layers, rules, findings = map(int, seconds(SCREENING)[1].split())
    turns = [(seconds(IMPORTS)[0], seconds(SCREENING)[0]) for _ in range(runs)]
    imports, screening = ([turn[i] for turn in turns] for i in (0, 1))
    return {
        "sites": sites,
        "layers": layers,
        "rules": rules,
        "findings": findings,
        "runs": runs,
        "imports_s": round(statistics.median(imports), 3),
        "imports_range_s": [round(min(imports), 3), round(max(imports), 3)],
        "screening_s": round(statistics.median(screening), 3),
        "screening_range_s": [round(min(screening), 3), round(max(screening), 3)],
        "ratio": round(statistics.median(screening) / statistics.median(imports), 2),
        "goal": GOAL,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def show(result: dict[str, object]) -> None:
    """Print the result as a table."""
    print("{sites} sites, {layers} layers, {rules} rules, {findings} findings; {runs} runs each".format(**result))
    print(f"{'':34}{'median':>9}{'fastest':>10}{'slowest':>10}")
    for name, key in (("import geopandas and folium", "imports"), ("screen the plan's sites", "screening")):
        fastest, slowest = result[f"{key}_range_s"]
        print(f"{name:34}{result[f'{key}_s']:>7.2f} s{fastest:>8.2f} s{slowest:>8.2f} s")
    print("ratio {ratio:.2f} (goal: below {goal:g})".format(**result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default 7)")
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    options = parser.parse_args()
    measured = measure(options.runs)
    if options.json:
        print(json.dumps(measured))
    else:
        show(measured)
