"""How long a batch takes and how much memory it needs, from the file of sites to the result files::

    python benchmarks/run_batch.py --n 10000 --workers 0 [--formats parquet,verdicts] [--shard-size 2000] [--json]
    python benchmarks/run_batch.py --n 10000 --workers 2 --dask
    python benchmarks/run_batch.py --n 10000 --workers 2 --city detailed

Random sites over the reference city, or over one in as much detail as official layers have (`benchmarks.detailed`), are generated from a seed and stored in a folder; the batch runs in a fresh process.
``--workers`` is the number of screening processes besides the first one, 0 for none. With ``--dask`` they are the workers
of a ``distributed.LocalCluster`` with one thread each; its start is timed separately, and dask's profiler of workers is
off, because its memory grows. Shards are screened while others are still cut: ``cutting`` is the time until the first one
starts, and ``gathering`` starts when the last one is done. Memory is reported per process: its peak resident set, and the
memory after the layers were read and indexed and the compiled loops were loaded. For all processes together, their
proportional set sizes are summed ten times a second, so that shared memory, such as the code of libraries, counts once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    from distributed import Client

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks.process import below, held, share  # noqa: E402 (found by the line above)

AS_OF = "2026-11-21"
#: Dask's own profiler of its workers keeps more with every second; where nobody looks at it, it is left out.
_UNWATCHED = {"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}
#: Sites that are made one by one; all others are these again, moved.
BASE = 10_000


def sites_file(folder: Path, n: int) -> Path:
    """Make `n` sites over the reference city, with activities of the vocabulary, once."""
    import numpy as np
    import pyogrio

    import lzgis as lz
    from benchmarks.growth import shard_of
    from benchmarks.workload import sites

    path = folder / f"sites_{n}.gpkg"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    city = lz.open_catalogue(lz.reference_city())
    base, made = sites(BASE), path.with_suffix(".part.gpkg")
    made.unlink(missing_ok=True)
    for start in range(0, n, BASE):
        count = min(BASE, n - start)
        activity = np.random.default_rng([9, start]).choice(list(city.book.activities), count)
        frame = _frame(city.plane.unproject(shard_of(base, start // BASE, count)), activity, start)
        pyogrio.write_dataframe(frame, made, layer="sites", append=start > 0)
    made.replace(path)
    return path


def _frame(shapes: Any, activity: Any, start: int) -> gpd.GeoDataFrame:
    import geopandas as gpd

    ids = [f"s{start + i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame({"id": ids, "name": ids, "activity": activity}, geometry=shapes, crs="EPSG:4490")


def one(given: argparse.Namespace) -> dict[str, Any]:
    """Screen the sites in this process, and in those that it starts."""
    from lzgis.batch import BatchOptions, screen_batch
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import reference_city

    peaks = _Peaks()
    layers_mb, loops_mb = _layers(given.layers_of)
    steps: list[float] = []

    def step(what: str, done: int, total: int) -> None:
        if what == "shards":
            steps.append(time.perf_counter())
            if done % 10 == 0 or done == total:
                largest = ", ".join(f"{most:.0f}" for most in list(peaks.by_process().values())[:3])
                print(f"{done} of {total} shards after {steps[-1] - up:.0f} s; MB: {largest}", file=sys.stderr)

    settings = BatchOptions(
        formats=tuple(given.formats.split(",")),
        shard_size=given.shard_size,
        workers=1 if given.dask else max(1, given.workers),
    )
    began, before = time.perf_counter(), sum(map(_cpu, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    with _client(given.workers if given.dask else 0) as client, peaks.watched():
        up = time.perf_counter()
        done = screen_batch(
            given.sites,
            open_catalogue(given.layers_of or reference_city()),
            given.out,
            as_of=AS_OF,
            client=client,
            progress=step,
            settings=settings,
        )
        end = time.perf_counter()
    return {
        "n": done.sites,
        "shards": done.shards,
        "start_s": up - began if given.dask else 0.0,
        "cutting_s": steps[0] - up,
        "screening_s": steps[-1] - steps[0],
        "gathering_s": end - steps[-1],
        "seconds": end - up,
        "cpu_before_s": before,
        "layers_mb": layers_mb,
        "loops_mb": loops_mb,
        "peaks_mb": peaks.by_process(),
        "together_mb": peaks.most,
        "files": {p.name: hashlib.file_digest(p.open("rb"), "sha256").hexdigest() for p in done.files},
    }


def _layers(folder: Path | None) -> tuple[float, float]:
    """Return the memory (MB) of a separate process after reading the layers, and after indexing them and loading the loops."""
    command = [sys.executable, __file__, "--layers", *(["--layers-of", str(folder)] if folder else [])]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    layers, loops = json.loads(run.stdout.splitlines()[-1])
    return layers, loops


def layers_here(folder: Path | None) -> tuple[float, float]:
    """Return the memory (MB) of this process after reading the layers, and after screening a few sites."""
    import numpy as np

    from benchmarks.workload import sites
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.provenance import date_of
    from lzgis.city.reference import reference_city
    from lzgis.reading import sites_from_frame
    from lzgis.screening.run import screen_table
    from lzgis.screening.setting import setting_of

    city = open_catalogue(folder or reference_city())
    setting = setting_of(city, date_of(AS_OF))
    _ = setting.plane_layers
    layers = held(os.getpid(), "VmHWM")
    few = sites_from_frame(_frame(city.plane.unproject(sites(400)), np.full(400, ""), 0))
    screen_table(few, setting)
    return layers, held(os.getpid(), "VmHWM")


class _Peaks:
    """Records the memory of this process and its descendants; `most` is the peak of their sum, MB."""

    def __init__(self) -> None:
        self._most: dict[str, float] = {}
        self.most = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        over = Event()
        thread = Thread(target=self._watch, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, over: Event) -> None:
        while not over.wait(0.1):
            now = 0.0
            for pid in [os.getpid(), *below(os.getpid())]:
                # The system records the peak of each process, so that polling misses none.
                name = f"{_what(pid)} {pid}"
                self._most[name] = max(self._most.get(name, 0.0), held(pid, "VmHWM"))
                now += share(pid)
            self.most = max(self.most, now)

    def by_process(self) -> dict[str, float]:
        """Return the peak memory of each process, MB, the largest first."""
        return dict(sorted(((n, mb) for n, mb in self._most.items() if mb), key=lambda item: -item[1]))


def _what(pid: int) -> str:
    """Return the role of a process: the first one, one that screens, or one that reads a file."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "ended"
    if pid == os.getpid():
        return "first"
    return (
        "reads"
        if "lzgis.reading.sandbox.child" in words
        else "tracks"
        if "resource_tracker" in " ".join(words)
        else "screens"
    )


@contextmanager
def _client(workers: int) -> Iterator[Client | None]:
    """Start a cluster on this machine; None for none."""
    if not workers:
        yield None
        return
    from distributed import Client, LocalCluster

    with tempfile.TemporaryDirectory() as room:
        where: dict[str, Any] = {"local_directory": room, "dashboard_address": None}
        where |= {"n_workers": workers, "threads_per_worker": 1, "processes": True}
        with LocalCluster(**where) as cluster, Client(cluster) as client:
            client.wait_for_workers(workers)
            yield client


def run(given: argparse.Namespace, room: str) -> dict[str, Any]:
    """Measure in a fresh process, including the processor time of it and its descendants."""
    before = _cpu(resource.RUSAGE_CHILDREN)
    words = ["--n", str(given.n), "--workers", str(given.workers), "--formats", given.formats]
    words += ["--shard-size", str(given.shard_size), "--out", room, *(["--dask"] if given.dask else [])]
    words += ["--sites", str(given.sites), *(["--layers-of", str(given.layers_of)] if given.layers_of else [])]
    env = _UNWATCHED | os.environ
    done = subprocess.run(
        [sys.executable, __file__, *words], env=env, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    measured["cpu_s"] = _cpu(resource.RUSAGE_CHILDREN) - before - measured["cpu_before_s"]
    return measured


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Make the sites, screen them, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=10_000, help="number of sites")
    parser.add_argument("--workers", type=int, default=0, help="screening processes besides the first one")
    parser.add_argument("--dask", action="store_true", help="let a cluster of dask screen")
    parser.add_argument("--formats", default="parquet,verdicts", help="formats, between commas")
    parser.add_argument("--shard-size", type=int, default=2_000, help="sites in a shard")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "lzgis-benchmark")
    parser.add_argument(
        "--city", default="reference", choices=["reference", "detailed"], help="the city to screen against"
    )
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--layers-of", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sites", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--layers", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.layers or given.out:
        print(json.dumps(layers_here(given.layers_of) if given.layers else one(given)))
        return 0
    if given.city == "detailed":
        from benchmarks.detailed import detailed_city

        given.layers_of = detailed_city(given.folder / "detailed")
    given.sites = sites_file(given.folder, given.n)
    room = tempfile.mkdtemp(prefix="batch-", dir=given.folder)
    try:
        measured = run(given, room)
    finally:
        shutil.rmtree(room)
    print(
        "{n:,} sites in {shards} shards: {seconds:.1f} s (cutting {cutting_s:.1f}, screening {screening_s:.1f}, gathering "
        "{gathering_s:.1f}), {cpu_s:.1f} s of the processor, start of the cluster {start_s:.1f} s".format(**measured)
    )
    print(
        f"{1e3 * measured['seconds'] / measured['n']:.3f} ms a site, CPU {1e3 * measured['cpu_s'] / measured['n']:.3f} ms"
    )
    print(
        "{layers_mb:.0f} MB with the layers, {loops_mb:.0f} MB with them indexed and the loops loaded".format(
            **measured
        )
    )
    for name, most in list(measured["peaks_mb"].items())[:8]:
        print(f"{most:8.0f} MB at most, {most - measured['layers_mb']:6.0f} beyond the layers: {name}")
    together, beyond = measured["together_mb"], measured["together_mb"] - measured["layers_mb"]
    print(f"{together:8.0f} MB at most, {beyond:6.0f} beyond the layers: all processes together")
    if given.json:
        print(json.dumps(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main())
