"""No telemetry: screening and writing open no socket, start no program, and write to the output folder and caches alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import toy

from lzgis.cache import user_folder
from lzgis.geometry import ready_loops

#: Runs the command line under a hook that records everything that Python does with files, sockets and programs.
CODE = """
import json, os, sys
sys.argv = ["lzgis", *json.loads(sys.argv[1])]
import lzgis.cli.app
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
events = []
def record(event, details):
    if event == "open" and not isinstance(details[0], int):
        path, mode, flags = details
        if (flags or 0) & WRITING or (isinstance(mode, str) and set(mode) & set("wax+")):
            events.append(["write", os.path.abspath(os.fsdecode(path))])
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "shutil.copyfile"):
        paths = details[1:2] if event in ("os.rename", "os.link", "os.symlink", "shutil.copyfile") else details[:1]
        events.extend(["write", os.path.abspath(os.fsdecode(p))] for p in paths if not isinstance(p, int))
    elif event == "tempfile.mkdtemp" or event == "tempfile.mkstemp":
        events.append(["write", os.path.abspath(os.fsdecode(details[0]))])
    elif event.startswith(("socket.", "urllib.", "http.")) or event in ("subprocess.Popen", "os.system", "os.posix_spawn"):
        events.append([event, repr(details)])
sys.addaudithook(record)
try:
    lzgis.cli.app.main()
except SystemExit:
    pass
finally:
    sys.stderr.write("\\nEVENTS " + json.dumps(events))
"""


@pytest.mark.parametrize("batch", [[], ["--shard-size", "2"]], ids=["whole", "batch"])
def test_nothing_is_sent_and_nothing_written_elsewhere(tmp_path, batch):
    city = toy.city(tmp_path / "city")
    toy.sites(toy.square(100, 100), toy.square(-3000, -100), toy.square(3000, 0)).to_file(city / "sites.gpkg")
    names = ["out", "home", "cache", "temp", "here"]
    folders = {name: tmp_path / name for name in names}
    for folder in folders.values():
        folder.mkdir()
    ready_loops()
    before = {p: p.stat().st_mtime_ns for p in city.rglob("*")}
    arguments = ["screen", str(city / "sites.gpkg"), "--layers", str(city), "--as-of", toy.AS_OF, "--format", "all"]
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "Agg",
        "HOME": str(folders["home"]),
        "USERPROFILE": str(folders["home"]),
        "XDG_CACHE_HOME": str(folders["cache"]),
        "XDG_CONFIG_HOME": str(folders["cache"]),
        # The loops of this version are compiled once for all tests: here they are only loaded.
        "LZGIS_CACHE": str(user_folder()),
        "MPLCONFIGDIR": str(folders["cache"]),
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folders["temp"])),
    }
    run = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps([*arguments, "--out", str(folders["out"]), *batch])],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        cwd=folders["here"],
        check=False,
    )
    events = json.loads(run.stderr.rpartition("EVENTS ")[2])
    # A library checks for IPv6 with a socket that it never connects.
    harmless = {"write", "socket.__new__", "socket.bind", "socket.gethostname"}
    # matplotlib lists the fonts once and caches the list.
    forbidden = [one for one in events if one[0] not in harmless and not one[1].startswith("('fc-list', ")]
    # Files are read in a separate process with limits and no network.
    forbidden = [one for one in forbidden if "lzgis.reading.sandbox.child" not in one[1]]
    assert forbidden == []
    assert all("::1" in details for event, details in events if event == "socket.bind")
    # Requests and answers of the reading process are in the temporary folder, which is empty again at the end.
    allowed = (*(str(folders[name]) for name in ("out", "cache", "temp")), str(user_folder()), os.devnull)
    elsewhere = {
        path
        for event, path in events
        if event == "write" and not path.startswith(allowed) and "__pycache__" not in path
    }
    assert elsewhere == set()
    assert any(path.startswith(str(folders["out"])) for _, path in events)
    # The hook does not record what C libraries write, but the folders show it.
    for name in ("home", "temp", "here"):
        assert list(folders[name].iterdir()) == []
    assert {p: p.stat().st_mtime_ns for p in city.rglob("*")} == before
    assert {p.suffix for p in folders["out"].iterdir()} >= {".xlsx", ".gpkg", ".html", ".json", ".parquet", ".png"}
