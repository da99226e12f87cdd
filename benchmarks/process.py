"""Measure processes as the system reports them: clock, processor time and memory, with all descendants."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Thread


@dataclass(frozen=True)
class Measured:
    """What a process took: seconds on the clock and of the processor, peak memory (MB), and its standard output.

    `peak_mb` is the peak of the summed proportional set sizes of the process and its descendants, sampled twenty times
    a second.
    """

    clock_s: float
    cpu_s: float
    peak_mb: float
    output: str


def measure(
    command: list[str], *, env: dict[str, str], server: int | None = None, ends: tuple[int, ...] = (0,)
) -> Measured:
    """Run a command to its end, with one of the exit codes `ends`. The processes of a database `server` (its first process id) are counted with it."""
    before = _served_s(server)
    over, peak = Event(), [0.0]
    with TemporaryFile("w+", encoding="utf-8") as out, TemporaryFile("w+", encoding="utf-8") as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdout=out, stderr=errors)
        watch = Thread(target=_watch, args=([process.pid, *([server] if server else [])], over, peak), daemon=True)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        clock = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        over.set()
        watch.join()
        if process.returncode not in ends:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{errors.read()[-2000:]}")
        out.seek(0)
        output = out.read()
    if server:
        # Sessions that end are counted to the first process once it has waited for them.
        time.sleep(0.5)
    return Measured(clock, used.ru_utime + used.ru_stime + _served_s(server) - before, peak[0], output)


def _watch(roots: list[int], over: Event, peak: list[float]) -> None:
    while not over.wait(0.05):
        peak[0] = max(peak[0], sum(share(pid) for root in roots for pid in (root, *below(root))))


def _served_s(server: int | None) -> float:
    """Return the processor time (s) of a server and of its sessions that have ended."""
    if server is None:
        return 0.0
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def below(pid: int) -> list[int]:
    """Return the descendants of a process."""
    found: list[int] = []
    for one in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in one.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *below(child)]
    return found


def held(pid: int, name: str) -> float:
    """Return a figure of the status of a process, as ``VmHWM``, MB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith(name)), 0.0)


def share(pid: int) -> float:
    """Return the proportional set size of a process, MB, or its resident set if the system does not report that."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return held(pid, "VmRSS")
    return sum(int(line.split()[1]) / 2**10 for line in lines if line.startswith("Pss:"))
