"""What no test should mock: killed processes, a full disk, a folder that cannot be written to, two writers at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from fault_server import FORMATS, content, reports

from lzgis.errors import ExportError
from lzgis.exports.folder import export_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked and killed as POSIX does")

SERVER = Path(__file__).parents[1] / "fault_server.py"


def test_killed_at_any_moment_the_result_is_whole_and_the_next_run_leaves_nothing(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(SERVER.parent.parent), str(SERVER.parent)])}
    run = subprocess.run(
        [sys.executable, SERVER, tmp_path / "out", "12", "7"],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    outcome = json.loads(run.stdout.splitlines()[-1])
    assert set(outcome["found"]) <= {"whole", "finished"}, outcome["found"]
    assert outcome["left"] == []
    assert outcome["same"]
    assert outcome["two"]["others"] == 0 and outcome["two"]["wrote"] >= 1 and outcome["two"]["whole"]


@contextmanager
def small_disk(folder: Path, size: str):
    """Mount a file system in memory of that size, which really fills up."""
    folder.mkdir(exist_ok=True)
    if shutil.which("mount") is None:
        pytest.skip("there is no mount")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "lzgis-test", folder], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def used(folder: Path) -> int:
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


# GDAL logs what the error reports afterwards.
@pytest.mark.filterwarnings("ignore")
def test_a_full_disk_is_reported_and_leaves_the_result_before_as_it_was(tmp_path):
    before, after = reports()
    export_folder(after, tmp_path / "whole", FORMATS)
    whole = content(tmp_path / "whole")
    refused = 0
    with small_disk(tmp_path / "disk", "64m") as disk:
        out = disk / "out"
        export_folder(before, out, FORMATS)
        first = content(out)
        filled = used(disk)
        # From no room at all to room enough, page by page where it is narrow.
        for room in (0, 4, 8, 16, 40, 80, 160, 240, 320, 480, 640, 1000, 3000):
            remount(disk, f"size={(filled // 1024 + room)}k")
            try:
                export_folder(after, out, FORMATS)
            except ExportError as error:
                refused += 1
                assert str(out) in str(error.place), error
                assert content(out) == first
                assert [p.name for p in out.iterdir() if p.is_dir()] == []
            else:
                assert content(out) == whole
                remount(disk, "size=64m")
                export_folder(before, out, FORMATS)
        remount(disk, "size=64m")
        export_folder(after, out, FORMATS)
        assert content(out) == whole
        assert [p.name for p in out.iterdir() if p.is_dir()] == []
    assert 5 <= refused <= 12


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path):
    before, after = reports()
    with small_disk(tmp_path / "disk", "64m") as disk:
        export_folder(before, disk / "out", ("json",))
        first = content(disk / "out")
        remount(disk, "ro")
        for folder in (disk / "out", disk / "new"):
            with pytest.raises(ExportError, match="cannot be written: Read-only file system"):
                export_folder(after, folder, ("json",))
        assert content(disk / "out") == first
        remount(disk, "rw")


# Where nothing can be mounted the system can still refuse to let a file grow.
@pytest.mark.parametrize("name", ["gpkg", "xlsx", "json", "shp", "parquet"])
def test_a_file_that_may_not_grow_is_reported(tmp_path, name):
    out = tmp_path / "out"
    code = f"""
import resource, signal, sys
sys.path[:0] = {[str(SERVER.parent), str(SERVER.parent.parent)]!r}
from fault_server import reports, content
from lzgis.errors import ExportError
from lzgis.exports.folder import export_folder
before, after = reports()
from pathlib import Path
out = Path({str(out)!r})
export_folder(before, out, [{name!r}])
first = content(out)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
    export_folder(after, out, [{name!r}])
except ExportError as error:
    assert content(out) == first and [p.name for p in out.iterdir() if p.is_dir()] == []
    print("outcome", error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1].startswith("outcome"), run.stdout
