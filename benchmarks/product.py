"""The product beside its peers: one screening of the same sites, by the same rules, against the same layers.

    python benchmarks/product.py --n 1000,10000 --peers lzgis,shapely,postgis --city detailed --json

The city is the frozen one (39 rules, 16 layers), with six layers as detailed as official ones. Rows are compared first;
then every contestant is run in turns (A B A B …), each time in a new process, and medians count. ``process`` is the command
``lzgis screen --format csv`` from its start to its last file, and the whole of a peer's process, which writes the same rows
as Parquet; neither writes shapes. ``compute`` is from sites and layers in memory to the tables of findings and verdicts.
Peers are favoured: their layers are projected, cut up and loaded beforehand (`benchmarks.product_peers`), they make no
texts and no verdicts. A ratio is a peer's time divided by that of lzgis, so that above 1 lzgis is faster; the exit code is 1
where answers differ.

Other figures, each with its ratio to the time of ``import geopandas, folium`` in a new process::

    python benchmarks/product.py --case default-formats --n 1000    # the command with the files it writes by default
    python benchmarks/product.py --case memory --n 10000            # one tabular file: peak of all processes together
    python benchmarks/product.py --case 51                          # the sites of the plan against the frozen city
    python benchmarks/product.py --case one                         # one site, in a process that has screened before
    python benchmarks/product.py --case first-run                   # with an empty cache, and again
    python benchmarks/product.py --case kernel --n 10000            # compute, divided by that of the core alone
    python benchmarks/product.py --case million [--n 1000000]       # a batch in two processes, and its growth from 10,000
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.detailed import FROZEN  # noqa: E402 (found by the line above)
from benchmarks.process import Measured, measure  # noqa: E402

PEERS = ("lzgis", "shapely", "postgis")
AS_OF = "2026-11-21"
_COMMAND = "import sys; from lzgis.cli.app import main; sys.exit(main())"
#: Exit codes of a screening: no conflict, a conflict, and rules that could not be checked because a layer is missing.
_ENDS = (0, 1, 2)
_IMPORTS = "import geopandas, folium"
_CALL = """
import sys, lzgis as lz
city, as_of = lz.open_catalogue(sys.argv[1]), sys.argv[2]
report = lz.screen(sys.argv[1] + "/sites.gpkg", city, as_of=as_of)
print(len(report.sites), len(report.findings))
"""
_ONE = """
import json, sys, time
import geopandas as gpd, lzgis as lz
folder, as_of = sys.argv[1:3]
city = lz.open_catalogue(folder)
sites = gpd.read_file(folder + "/sites.gpkg")
lz.screen(sites, city, as_of=as_of)
took = []
for i in range(10):
    one = sites.iloc[[i]].reset_index(drop=True)
    begun = time.perf_counter()
    verdict = lz.screen(one, city, as_of=as_of).verdicts["verdict"].iloc[0]
    took.append(time.perf_counter() - begun)
print(json.dumps(took))
"""


class Bench:
    """Folder, environment and repetitions of a benchmark."""

    def __init__(self, folder: Path, city: str, runs: int) -> None:
        self.folder, self.runs = folder, runs
        self.env = os.environ | {"PYTHONUTF8": "1"}
        self.env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        # What pip installs is compiled already; the modules of lzgis must be too, which the first run sees to.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        folder.mkdir(parents=True, exist_ok=True)
        self.city = FROZEN
        if city == "detailed":
            self.city = folder / "detailed-frozen"
            # In a separate process: children inherit the recorded memory of their parent.
            self.module("benchmarks.detailed", str(self.city))
        self.prepared = folder / f"prepared-{city}"
        self.out = Path(tempfile.mkdtemp(prefix="product-", dir=folder))

    def module(self, name: str, *words: str) -> str:
        """Run a module to its end, not measured, and return its standard output."""
        command = [sys.executable, "-m", name, *words]
        return subprocess.run(
            command, env=self.env, cwd=ROOT, check=True, stdout=subprocess.PIPE, encoding="utf-8"
        ).stdout

    def sites(self, n: int) -> Path:
        """Return the file of `n` sites of the workload, each with an activity drawn from the vocabulary."""
        path = self.folder / f"product_sites_{n}.gpkg"
        if not path.exists():
            self.module("benchmarks.product_peers.make_sites", str(n), str(path))
        return path

    def python(self, code: str, *words: str, ends: tuple[int, ...] = (0,), **env: str) -> Measured:
        """Run a line of Python in a new process."""
        return measure([sys.executable, "-c", code, *words], env=self.env | env, ends=ends)

    def lzgis(self, sites: Path, *formats: str, **env: str) -> Measured:
        """Run the command; results of an earlier run are removed first."""
        shutil.rmtree(self.out / "lzgis", ignore_errors=True)
        words = ["screen", str(sites), "--layers", str(self.city), "--as-of", AS_OF, "--out", str(self.out / "lzgis")]
        words += [word for one in formats for word in ("--format", one)]
        run = self.python(_COMMAND, *words, ends=_ENDS, **env)
        if not list((self.out / "lzgis").glob("findings*")):
            raise SystemExit(f"lzgis {' '.join(words)}: no findings were written\n{run.output[-2000:]}")
        return run

    def imports_s(self) -> float:
        """Return the median time of importing geopandas and folium, after one run that warms the disk."""
        return statistics.median([self.python(_IMPORTS).clock_s for _ in range(self.runs + 1)][1:])


# --- beside the peers ---------------------------------------------------------------------------------------


def beside_peers(bench: Bench, numbers: list[int], peers: list[str]) -> dict[str, Any]:
    """Compare rows, then times, for each number of sites."""
    bench.module("benchmarks.product_peers.prepare", str(bench.city), str(bench.prepared))
    with ExitStack() as stack:
        address, server = "", None
        if "postgis" in peers:
            from benchmarks.product_peers.server import server as started

            address, server = stack.enter_context(started())
            bench.module("benchmarks.product_peers.load_postgis", str(bench.prepared), address)
        rows = [_one_number(bench, n, peers, address, server) for n in numbers]
    least = {
        what: min((row[what] for row in rows if row[what] is not None), default=None)
        for what in ("ratio_process", "ratio_compute")
    }
    return {"equal": all(row["equal"] for row in rows), **least, "rows": rows}


def _one_number(bench: Bench, n: int, peers: list[str], address: str, server: int | None) -> dict[str, Any]:
    sites = bench.sites(n)
    turns: dict[str, Callable[[], dict[str, float]]] = {
        "lzgis": lambda: _turn_of_lzgis(bench, sites),
        "shapely": lambda: _turn_of_peer(bench, "shapely", sites),
        "postgis": lambda: _turn_of_peer(bench, "postgis", sites, address, server=server),
    }
    # One turn that is not counted: it compiles loops, warms the disk, and makes the rows that are compared.
    for peer in peers:
        turns[peer]()
    row: dict[str, Any] = {"n": n, "equal": True, "differences": _differences(bench, peers), "peers": {}}
    row["equal"] = all(found["equal"] for found in row["differences"].values())
    print(
        f"{n:,} sites: answers {'equal' if row['equal'] else 'DIFFER: ' + json.dumps(row['differences'])}", flush=True
    )
    measured: dict[str, list[dict[str, float]]] = defaultdict(list)
    for _ in range(bench.runs):
        for peer in peers:
            measured[peer].append(turns[peer]())
    for peer in peers:
        row["peers"][peer] = {
            key: round(statistics.median(m[key] for m in measured[peer]), 3) for key in measured[peer][0]
        }
    _ratios(row)
    _print(row)
    return row


def _turn_of_lzgis(bench: Bench, sites: Path) -> dict[str, float]:
    run = bench.lzgis(sites, "csv")
    here = json.loads(bench.module("benchmarks.product_peers.by_lzgis", str(sites), str(bench.city)).splitlines()[-1])
    return _figures(run, here) | {"again_s": here["again_s"]}


def _turn_of_peer(bench: Bench, peer: str, sites: Path, *words: str, server: int | None = None) -> dict[str, float]:
    out = bench.out / f"{peer}.parquet"
    command = [
        sys.executable,
        "-m",
        f"benchmarks.product_peers.by_{peer}",
        str(sites),
        str(bench.prepared),
        str(out),
        *words,
    ]
    run = measure(command, env=bench.env, server=server)
    return _figures(run, json.loads(run.output.splitlines()[-1]))


def _figures(run: Measured, here: dict[str, Any]) -> dict[str, float]:
    return {"process_s": run.clock_s, "compute_s": here["compute_s"], "cpu_s": run.cpu_s, "peak_mb": run.peak_mb}


def _differences(bench: Bench, peers: list[str]) -> dict[str, dict[str, Any]]:
    """Compare the rows of each peer with those of the product."""
    if "lzgis" not in peers:
        return {}
    import pandas as pd

    from benchmarks.product_peers.rows import compare, findings

    own = findings(bench.out / "lzgis" / "findings.csv")
    rules = {rule["id"] for rule in json.loads((bench.prepared / "rules.json").read_text("utf-8"))}
    others = [peer for peer in peers if peer != "lzgis"]
    return {peer: compare(own, pd.read_parquet(bench.out / f"{peer}.parquet"), rules) for peer in others}


def _ratios(row: dict[str, Any]) -> None:
    own = row["peers"].get("lzgis")
    for what in ("process", "compute"):
        ratios = {}
        for peer, figures in row["peers"].items():
            if own and peer != "lzgis":
                figures[f"ratio_{what}"] = ratios[peer] = round(figures[f"{what}_s"] / own[f"{what}_s"], 2)
        row[f"best_{what}"] = min(ratios, key=lambda peer: ratios[peer], default=None)
        row[f"ratio_{what}"] = min(ratios.values(), default=None)


def _print(row: dict[str, Any]) -> None:
    for peer, f in row["peers"].items():
        ratios = (
            f"; lzgis {f['ratio_process']:.2f} and {f['ratio_compute']:.2f} times as fast"
            if "ratio_process" in f
            else ""
        )
        print(
            f"  {peer:8} process {f['process_s']:7.2f} s, compute {f['compute_s']:7.2f} s, processor {f['cpu_s']:7.2f} s, "
            f"peak {f['peak_mb']:5.0f} MB{ratios}",
            flush=True,
        )


# --- other figures --------------------------------------------------------------------------------------------


def default_formats(bench: Bench, n: int) -> dict[str, Any]:
    """Run the command with the files that it writes by default."""
    return _command(bench, n)


def memory(bench: Bench, n: int) -> dict[str, Any]:
    """Run the command with one tabular file."""
    return _command(bench, n, "csv")


def _command(bench: Bench, n: int, *formats: str) -> dict[str, Any]:
    sites = bench.sites(n)
    runs = [bench.lzgis(sites, *formats) for _ in range(bench.runs)]
    size = sum(path.stat().st_size for path in (bench.out / "lzgis").rglob("*") if path.is_file())
    return {
        "n": n,
        "seconds": statistics.median(run.clock_s for run in runs),
        "cpu_s": statistics.median(run.cpu_s for run in runs),
        "peak_mb": max(run.peak_mb for run in runs),
        "files_mb": size / 2**20,
    }


def plan(bench: Bench, n: int) -> dict[str, Any]:
    """Screen the sites of the plan: as a call, up to the report in memory, and as a command that writes CSV."""
    bench.city = FROZEN
    call, command = [], []
    for _ in range(bench.runs + 1):
        call.append(bench.python(_CALL, str(FROZEN), AS_OF).clock_s)
        command.append(bench.lzgis(FROZEN / "sites.gpkg", "csv").clock_s)
    return {"n": 51, "seconds": statistics.median(call[1:]), "command_s": statistics.median(command[1:])}


def warm(bench: Bench, n: int) -> dict[str, Any]:
    """Screen sites one by one in a process that has screened before."""
    took = json.loads(bench.python(_ONE, str(FROZEN), AS_OF).output.splitlines()[-1])
    return {"n": 1, "seconds": statistics.median(took), "slowest_s": max(took)}


def first_run(bench: Bench, n: int) -> dict[str, Any]:
    """Screen the sites of the plan with an empty cache, and again."""
    bench.city = FROZEN
    with tempfile.TemporaryDirectory(dir=bench.folder) as cache:
        first, *later = (bench.lzgis(FROZEN / "sites.gpkg", "csv", LZGIS_CACHE=cache).clock_s for _ in range(3))
    return {
        "n": 51,
        "seconds": first,
        "second_s": statistics.median(later),
        "beyond_s": first - statistics.median(later),
    }


def kernel(bench: Bench, n: int) -> dict[str, Any]:
    """Divide the compute of the product by that of the core alone, which measures the six detailed layers."""
    own, core = [], []
    folder = bench.folder / "kernel"
    for _ in range(bench.runs):
        here = bench.module("benchmarks.product_peers.by_lzgis", str(bench.sites(n)), str(bench.city))
        own.append(json.loads(here.splitlines()[-1])["compute_s"])
        words = ["--peers", "lzgis", "--n", str(n), "--folder", str(folder), "--json"]
        row = json.loads(bench.module("benchmarks.run", *words).splitlines()[-1])["rows"][0]
        core.append(row["peers"]["lzgis"]["compute"])
    seconds, alone = statistics.median(own), statistics.median(core)
    return {"n": n, "seconds": seconds, "kernel_s": alone, "ratio_kernel": seconds / alone}


def million(bench: Bench, n: int) -> dict[str, Any]:
    """Run a batch of `n` sites in two processes, after one of 10,000 in the same way."""
    found = {}
    for many in (10_000, n):
        words = [
            "--n",
            str(many),
            "--workers",
            "2",
            "--city",
            "detailed",
            "--folder",
            str(bench.folder / "batch"),
            "--json",
        ]
        found[many] = json.loads(bench.module("benchmarks.run_batch", *words).splitlines()[-1])
    small, large = found[10_000], found[n]
    return {
        "n": n,
        "seconds": large["seconds"],
        "sites_per_s": n / large["seconds"],
        "growth": (large["seconds"] / n) / (small["seconds"] / 10_000),
        "beyond_layers_mb": large["together_mb"] - large["layers_mb"],
    }


#: The figures besides the comparison: how each is measured, of how many sites if not given, and its goals.
CASES: dict[str, tuple[Callable[[Bench, int], dict[str, Any]], int, dict[str, float]]] = {
    "default-formats": (default_formats, 1000, {"seconds": 8, "peak_mb": 1024}),
    "memory": (memory, 10_000, {"peak_mb": 0.6 * 1024}),
    "51": (plan, 51, {"ratio_imports": 1.8}),
    "one": (warm, 1, {"seconds": 0.15}),
    "first-run": (first_run, 51, {"beyond_s": 12}),
    "kernel": (kernel, 10_000, {"ratio_kernel": 25}),
    "million": (million, 1_000_000, {"sites_per_s": 3000, "growth": 1.2, "beyond_layers_mb": 1024}),
}


def one_case(bench: Bench, name: str, n: int | None) -> dict[str, Any]:
    """Measure one of the other figures."""
    run, usual, goals = CASES[name]
    found = {"case": name, **run(bench, n or usual)}
    if name == "default-formats" and found["n"] > 1000:
        goals = goals | {"seconds": 60}
    imports = bench.imports_s()
    found |= {"imports_s": imports, "ratio_imports": found["seconds"] / imports}
    shown = {key: round(value, 3) if isinstance(value, float) else value for key, value in found.items()}
    print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in shown.items() if key != "case"))
    return shown | {"goals": goals}


def main() -> int:
    """Run the benchmark selected on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", help="numbers of sites, between commas; for --case, one number")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--city", default="detailed", choices=["frozen", "detailed"], help="the city to screen against")
    parser.add_argument("--case", choices=CASES, help="measure another figure instead")
    parser.add_argument("--runs", type=int, default=3, help="turns; medians count (default 3)")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    peers = given.peers.split(",")
    if unknown := set(peers) - set(PEERS):
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(PEERS)}")
    bench = Bench(given.folder, given.city, given.runs)
    try:
        if given.case:
            result = one_case(bench, given.case, int(given.n) if given.n else None)
        else:
            result = beside_peers(bench, [int(n) for n in (given.n or "1000,10000").split(",")], peers)
    finally:
        shutil.rmtree(bench.out, ignore_errors=True)
    if given.json:
        machine = {"python": platform.python_version(), "cores": os.cpu_count(), "city": given.city, "runs": given.runs}
        print(json.dumps(result | machine))
    return 0 if result.get("equal", True) else 1


if __name__ == "__main__":
    sys.exit(main())
