"""Run commands under faults of the machine: full disk, kill, signals, closed pipe, no memory, no descriptors, no home.

python scripts/fault_sweep.py

Each run must end with an exit code of docs/results.md, without a traceback, with one line where there is no result, and
without a process or a temporary folder left. After a kill the same command must give its result. Linux only; a disk of
1 MB is mounted where the user may do that, else the size of files is limited.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = [sys.executable, "-c", "from lzgis.cli.start import main; main()"]
MARK = "LZGIS_FAULT_SWEEP"
#: Without a cache the loops are compiled anew, which takes long on a busy machine.
_PATIENCE_S = 600.0
#: Exit codes with a result, and without one.
DONE, NONE = {0, 1, 2}, {3, 64, 130, 143}
#: Commands that have each fault in several sizes, and at several moments; the others once.
_FIRST = ("screen", "batch", "inspect", "audit", "verify", "map")


@dataclass
class Run:
    """One run: what is run, under which fault, and what is expected of its exit code."""

    name: str
    words: list[str]
    fault: str
    codes: set[int] = field(default_factory=lambda: DONE | NONE)
    environment: dict[str, str] = field(default_factory=dict)
    limit: Callable[[], None] | None = None
    sends: int = 0
    after_s: float = 0.0
    closed: bool = False
    without: tuple[str, ...] = ()


def limited(kind: int, value: int) -> Callable[[], None]:
    """Return a function that limits the process that calls it."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(kind, (value, value))

    return limit


def with_mark() -> list[int]:
    """Return the processes that have the mark of this sweep in their environment, but this one."""
    found = []
    for one in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={os.getpid()}".encode() in one.read_bytes():
                found.append(int(one.parent.name))
        except OSError:
            continue
    return found


def fault_of(run: Run, folder: Path) -> str:
    """Run a command under its fault, and say what is wrong with how it ended; empty if nothing is."""
    temporary = Path(tempfile.mkdtemp(dir=folder))
    environment = {**os.environ, "TMPDIR": str(temporary), MARK: str(os.getpid()), **run.environment}
    for name in run.without:
        environment.pop(name, None)
    reading, writing = os.pipe()
    if run.closed:
        os.close(reading)
    process = subprocess.Popen(
        [*COMMAND, *(word.replace("{new}", f"new-{time.monotonic_ns()}") for word in run.words)],
        env=environment,
        stdout=writing if run.closed else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=run.limit,  # noqa: PLW1509 (this process has no threads)
    )
    os.close(writing)
    if not run.closed:
        os.close(reading)
    try:
        if run.sends:
            time.sleep(run.after_s)
            process.send_signal(run.sends)
        _, said = process.communicate(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        print(f"{run.name}, {run.fault}: late", flush=True)
        return f"did not end within {_PATIENCE_S:g} s"
    killed = run.sends == signal.SIGKILL and process.returncode == -signal.SIGKILL
    wrong = [] if killed else _wrong(run, process.returncode, said.decode("utf-8", "replace"))
    # What ends with its parent may take a moment on a busy machine.
    patience = time.monotonic() + 15.0
    while (left := with_mark()) and time.monotonic() < patience:
        time.sleep(0.2)
    if left:
        wrong.append(f"processes left: {left}")
        for one in left:
            os.kill(one, signal.SIGKILL)
    if not killed and (temporary.exists() and list(temporary.iterdir())) and "full disk" not in run.fault:
        wrong.append(f"left in the temporary folder: {[one.name for one in temporary.iterdir()]}")
    shutil.rmtree(temporary, ignore_errors=True)
    print(f"{run.name}, {run.fault}: {process.returncode}{'; ' + '; '.join(wrong) if wrong else ''}", flush=True)
    return "; ".join(wrong)


def _wrong(run: Run, code: int, said: str) -> list[str]:
    # Before Python has started, a signal has its plain effect.
    early = run.sends and code == -run.sends and run.after_s < 1.0
    wrong = [] if code in run.codes or early else [f"exit code {code}"]
    lines = [line for line in said.strip().splitlines() if line.strip()]
    if "Traceback" in said or "Error:" in said or "Exception" in said:
        wrong.append("a traceback: " + " | ".join(lines[-3:])[:400])
    elif code in NONE and len(lines) != 1 and not run.closed:
        wrong.append(f"{len(lines)} lines: " + " | ".join(lines)[:400])
    return wrong


def _commands(folder: Path) -> dict[str, list[str]]:
    """Return the words of each command; the files that they need are made. {new} is a name that is used once."""
    import toy
    from raster_fixture import described, forest, write_raster

    city = described(folder / "city", early="", late="")
    write_raster(city / "early.tif", forest())
    write_raster(city / "late.tif", forest())
    sites = folder / "sites.gpkg"
    toy.sites(*(toy.square(150 * i - 3000, 100) for i in range(8))).to_file(sites, engine="pyogrio")
    (folder / "delivery").mkdir()
    shutil.copy(sites, folder / "delivery" / "a.gpkg")
    key = folder / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True, capture_output=True)
    here, dated = ["--layers", str(city)], ["--layers", str(city), "--as-of", toy.AS_OF]
    own = [str(sites), *dated, "--format", "gpkg", "--format"]
    out, surface = str(folder / "out"), str(folder / "{new}.tif")
    return {
        "screen": ["screen", *own, "xlsx", "--out", out],
        "batch": ["screen", *own, "parquet", "--shard-size", "2", "--out", str(folder / "batch")],
        "inspect": ["inspect", str(sites), *here],
        "audit": ["audit", *here, "--out", str(folder / "audit")],
        "verify": ["verify", out],
        "map": ["map", "--sites", str(sites), *here, "--out", str(folder / "maps")],
        "sign": ["sign", out, "--key", str(key)],
        "diff": ["diff", str(city), str(city), "--out", str(folder / "diff")],
        "avoid": ["avoid", "s1", "--sites", str(sites), *dated, "--out", str(folder / "avoid")],
        "adopt": ["adopt", str(folder / "delivery"), "--out", str(folder / "{new}")],
        "init": ["init", str(folder / "{new}")],
        "layers": ["layers", *here],
        "rules list": ["rules", "list", *here],
        "rules check": ["rules", "check", str(city / "rules.toml")],
        "indicators": ["indicators", "--out", str(folder / "indicators")],
        "raster stats": ["raster", "stats", *here],
        "raster change": ["raster", "change", "early", "late", *here],
        "raster surface": ["raster", "surface", surface, "--cell", "500", *dated],
    }


def runs(folder: Path, disk: Path, read_only: Path | None) -> Iterator[Run]:
    """Yield the runs."""
    commands = _commands(folder)
    for name, words in commands.items():
        yield Run(name, words, "no fault", DONE)
    for name, words in commands.items():
        yield Run(name, words, "closed pipe", DONE | {3}, closed=True)
        own_faults = name in _FIRST
        for memory in (200, 500, 900) if own_faults else (500,):
            yield Run(name, words, f"{memory} MB of memory", limit=limited(resource.RLIMIT_AS, memory * 1024**2))
        for count in (6, 12, 24, 64) if own_faults else (6, 24):
            yield Run(name, words, f"{count} descriptors", limit=limited(resource.RLIMIT_NOFILE, count))
        yield Run(name, words, "files of 20 kB", limit=limited(resource.RLIMIT_FSIZE, 20_000))
    for name, words in commands.items():
        own_times = name in ("screen", "batch")
        if "--out" in words:
            yield Run(name, [*words[:-1], str(disk / name)], "full disk", {3})
        elif any("{new}" in word for word in words):
            yield Run(name, [w.replace(str(folder), str(disk)) if "{new}" in w else w for w in words], "full disk", {3})
        yield Run(name, words, "full disk below TMPDIR", DONE | {3}, environment={"TMPDIR": str(disk)})
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            for after in (0.3, 1.0, 2.5, 5.0, 8.0) if own_times else (0.3, 1.5, 4.0) if name in _FIRST else (2.0,):
                yield Run(name, words, f"{number.name} after {after} s", DONE | {code}, sends=number, after_s=after)
        for after in (1.0, 3.0, 6.0) if own_times else (2.0,):
            yield Run(name, words, f"SIGKILL after {after} s", DONE, sends=signal.SIGKILL, after_s=after)
            yield Run(name, words, "again after the kill", DONE)
    # Without a home there is no cache, and the loops are compiled anew.
    homes = ["/nonexistent", "/proc", *([str(read_only)] if read_only else [])]
    for name, words in commands.items():
        for home in homes:
            kind = "read-only home" if home == str(read_only) else f"home {home}"
            places = {"HOME": home, "XDG_CACHE_HOME": f"{home}/cache", "LZGIS_CACHE": f"{home}/lzgis"}
            yield Run(name, words, kind, DONE, environment=places)
    places = {"XDG_CACHE_HOME": "", "LZGIS_CACHE": ""}
    yield Run("screen", commands["screen"], "no HOME", DONE, environment=places, without=("HOME",))


def _is_mounted(folder: Path, how: str) -> bool:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", how, "tmpfs", str(folder)]
    return subprocess.run(mount, check=False).returncode == 0


def main() -> int:
    """Run the sweep; return the number of runs that ended wrongly, at most 1."""
    root = Path(__file__).parent.parent
    sys.path[:0] = [str(root), str(root / "tests")]
    os.environ["PYTHONPATH"] = str(root)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help='commands, such as screen, batch or "raster stats"; all if none')
    parser.add_argument("--fault", default="", help="only faults whose name begins so")
    options = parser.parse_args()
    wrong, count = [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        disk, read_only = folder / "disk", folder / "read-only"
        mounted = [one for one in (disk, read_only) if _is_mounted(one, "ro" if one == read_only else "size=1m")]
        if disk in mounted:
            # Nearly full before anything is written.
            (disk / "filling").write_bytes(b"\0" * 1_000_000)
        try:
            for run in runs(folder, disk, read_only if read_only in mounted else None):
                first = run.fault == "no fault"
                if not first and options.names and run.name not in options.names:
                    continue
                if (not first and not run.fault.startswith((options.fault, "again"))) or (
                    "full disk" in run.fault and disk not in mounted
                ):
                    continue
                count += 1
                if fault := fault_of(run, folder):
                    wrong.append(f"{run.name}, {run.fault}: {fault}")
        finally:
            for one in mounted:
                subprocess.run(["umount", str(one)], check=False)
    print(f"{count} runs, {len(wrong)} wrong", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
