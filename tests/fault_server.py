"""Writes results again and again in processes that are killed: everything is imported once, each process is a fork of this one.

Started by tests/test_faults.py as ``python fault_server.py FOLDER KILLS SEED``; prints what became of the folder each time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from report_fixture import toy_report

from lzgis.errors import ExportError
from lzgis.exports.folder import export_folder
from lzgis.files.manifest import MANIFEST, read_manifest, state_of
from lzgis.files.result_folder import is_unfinished, locked_folder

FORMATS = ("gpkg", "xlsx", "json", "geojson", "shp", "dxf", "parquet", "verdicts")


def reports():
    """Two reports on different sites, so that no file of one can pass for one of the other."""
    whole = toy_report()
    part = whole.sites["id"].iloc[:2]
    keep = {name: getattr(whole, name) for name in ("findings", "verdicts")}
    less = {name: frame[frame["site_id"].isin(part)].reset_index(drop=True) for name, frame in keep.items()}
    return whole, toy_report(sites=whole.sites.iloc[:2], **less)


def content(folder: Path) -> dict[str, bytes]:
    """Everything that stands in a folder."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def judged(folder: Path, known: list[dict[str, bytes]]) -> str:
    """Say what a reader finds: ``whole`` if all is of one report, or what is wrong."""
    interrupted = is_unfinished(folder)
    for name, data in content(folder).items():
        if not any(data == one.get(name) for one in known):
            return f"{name} is of no report"
    if interrupted:
        with locked_folder(folder):
            pass
    manifest = read_manifest(folder)
    if any(state_of(folder, one) != "same" for one in manifest.results["screen"].files):
        return "a file is not what the manifest says"
    if content(folder) not in known:
        return "files of two reports stand together"
    return "finished" if interrupted else "whole"


def main(folder: Path, kills: int, seed: int) -> None:
    """Kill a writer at random moments, and look each time."""
    pair = reports()
    known = []
    for number, report in enumerate(pair):
        export_folder(report, folder.with_name(f"known{number}"), FORMATS)
        known.append(content(folder.with_name(f"known{number}")))
    export_folder(pair[0], folder, FORMATS)
    started = time.perf_counter()
    export_folder(pair[1], folder, FORMATS)
    lasts = time.perf_counter() - started
    chance = random.Random(seed)
    found = []
    for turn in range(kills):
        child = os.fork()
        if child == 0:
            export_folder(pair[turn % 2], folder, FORMATS)
            # Again and again, so that the moment may lie anywhere in it.
            while True:
                for report in pair:
                    export_folder(report, folder, FORMATS)
        time.sleep(chance.uniform(0, 1.5 * lasts))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found.append(judged(folder, known))
    export_folder(pair[0], folder, FORMATS)
    left = sorted(p.name for p in folder.iterdir() if p.name not in known[0])
    print(
        json.dumps(
            {"found": found, "left": left, "same": content(folder) == known[0], "two": two_writers(folder, pair)}
        )
    )


def two_writers(folder: Path, pair) -> dict[str, int]:
    """Let two processes write at once; count those that wrote and those that were sent away."""
    ends = []
    for report in pair:
        child = os.fork()
        if child == 0:
            code = 0
            try:
                for _ in range(3):
                    export_folder(report, folder, FORMATS[:3])
            except ExportError as error:
                code = 7 if "another run is writing here" in str(error) else 8
            except BaseException:
                code = 9
            os._exit(code)
        ends.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in ends]
    manifest = read_manifest(folder)
    whole = all(state_of(folder, one) == "same" for one in manifest.results["screen"].files)
    return {
        "wrote": codes.count(0),
        "sent away": codes.count(7),
        "others": len(codes) - codes.count(0) - codes.count(7),
        "whole": whole,
    }


if __name__ == "__main__":
    assert MANIFEST
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
