"""How the command line ends: exit codes, errors as JSON, full disks, closed pipes, signals; never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full, /proc and signals")
COMMAND = [sys.executable, "-c", "from lzgis.cli.start import main; main()"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = toy.city(tmp_path_factory.mktemp("endings") / "city")
    toy.sites(toy.square(-3000, -100), toy.square(100, 100)).to_file(folder / "sites.gpkg", engine="pyogrio")
    return folder


def lzgis(*words: object, **how) -> subprocess.CompletedProcess[str]:
    more = {"env": {**os.environ, **how.pop("env", {})}, "encoding": "utf-8", "stderr": subprocess.PIPE}
    return subprocess.run([*COMMAND, *map(str, words)], check=False, **{"stdout": subprocess.PIPE, **more, **how})


def screen(place: Path, *more: object) -> list[object]:
    return ["screen", place / "sites.gpkg", "--layers", place, "--as-of", toy.AS_OF, *more]


def test_an_error_is_json_with_json(place):
    done = lzgis("screen", "nowhere.gpkg", "--json", "--lang", "en")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document == {
        "error": {
            "kind": "SourceError",
            "text": "nowhere.gpkg: the file does not exist; check the path",
            "place": "nowhere.gpkg",
            "what": "the file does not exist",
            "remedy": "check the path",
        },
        "exit_code": 3,
    }


def test_a_wrong_option_is_64_and_json_with_json():
    done = lzgis("screen", "a.gpkg", "--nonsense", "--json")
    assert done.returncode == 64
    assert json.loads(done.stdout)["exit_code"] == 64
    assert lzgis().returncode == 64


def test_a_full_disk_below_standard_output(place):
    for more in ((), ("--json",)):
        with Path("/dev/full").open("w") as full:
            done = lzgis(*screen(place, *more), stdout=full)
        assert done.returncode == 3
        assert "Traceback" not in done.stderr
        assert "磁盘已满" in done.stderr


def test_a_closed_pipe_is_silent(place):
    for more in ((), ("--json",)):
        reading, writing = os.pipe()
        os.close(reading)
        done = lzgis(*screen(place, *more), stdout=writing)
        os.close(writing)
        assert (done.returncode, done.stderr) == (3, "")


def test_no_folder_for_temporary_files(place, tmp_path):
    # Python tries the current folder last, which is none that can be written to here.
    done = lzgis(
        *screen(place), env={"TMPDIR": "/proc", "TEMP": "/proc", "TMP": "/proc"}, cwd="/proc", preexec_fn=no_files
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def no_files() -> None:
    """Let this process write no byte to any file."""
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize("mb", [150, 300])
def test_too_little_memory_is_one_line(place, mb):
    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (mb * 1024**2, mb * 1024**2))

    done = lzgis(*screen(place), preexec_fn=limit)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("lzgis：本机内存不足")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["catalog.toml", "rules.toml", "overrides.toml"])
def test_deep_toml_is_refused(place, tmp_path, name):
    folder = toy.city(tmp_path / "city")
    toy.sites(toy.square(-3000, -100)).to_file(folder / "sites.gpkg", engine="pyogrio")
    (folder / name).write_text("a = " + "[" * 100_000, "utf-8")
    done = lzgis(*screen(folder, "--lang", "en"))
    assert done.returncode == 3
    assert "is nested too deeply" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "the memory of this computer is not enough"),
        (ImportError("a.so: failed to map segment from shared object"), "the memory of this computer is not enough"),
        (RecursionError(), "the input is nested too deeply"),
        (OSError(28, "No space left on device"), "the system reports: No space left on device"),
        (KeyError("x"), "a fault of the program at"),
    ],
)
def test_every_error_has_a_line(error, said):
    from lzgis.cli.app import unexpected

    assert said in str(unexpected(error))


def test_the_texts_of_the_entry_point_are_those_of_the_wording():
    from lzgis.cli.start import _INTERRUPTED
    from lzgis.words import Words

    assert {language: Words(language)("cli", "interrupted") for language in ("zh", "en")} == _INTERRUPTED


@pytest.mark.parametrize(
    ("during", "code", "said"),
    [
        ("app.Words", 130, "已中断；未完成的成果未保留"),
        ("app._has_little_memory", 130, "已中断；未完成的成果未保留"),
        ("app._flushed", 130, "已中断；未完成的成果未保留"),
        ("app.gc.freeze", 0, ""),
    ],
)
def test_a_signal_before_the_command_begins_or_after_its_end(during, code, said):
    program = f"""
import os, signal, sys
sys.argv = ["lzgis", "--version"]
from lzgis.cli import app, start
function = {during}
def interrupted(*given):
    result = function(*given)
    os.kill(os.getpid(), signal.SIGINT)
    return result
{during} = interrupted
start.main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stderr.strip()) == (code, said)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("after_s", [1.0, 2.5])
def test_a_signal_leaves_one_line_no_process_and_no_folder(place, tmp_path, number, code, after_s):
    folder = tmp_path / "temporary"
    folder.mkdir()
    # A file that takes longer to read than the signal needs to come.
    point = '{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[112.4,24.8]}}'
    features = ",".join([point] * 300_000)
    (tmp_path / "large.geojson").write_text(f'{{"type":"FeatureCollection","features":[{features}]}}', "utf-8")
    words = ["screen", tmp_path / "large.geojson", "--layers", place, "--out", tmp_path / "out"]
    mark = f"LZGIS_TEST_{os.getpid()}_{number}_{int(after_s * 10)}"
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)],
        env={**os.environ, "TMPDIR": str(folder), mark: "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    time.sleep(after_s)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, ""), err
    assert err.strip() == "已中断；未完成的成果未保留"
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "out").exists()
    assert all_ended(mark)


def all_ended(mark: str) -> bool:
    """Whether no process has a variable in its environment; one that was killed needs a moment to end on a busy machine."""
    for _ in range(50):
        if not processes_with(mark):
            return True
        time.sleep(0.1)
    return False


def processes_with(mark: str) -> list[str]:
    """Return the ids of the processes that have a variable in their environment."""
    found = []
    for one in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in one.read_bytes():
                found.append(one.parent.name)
        except OSError:
            continue
    return found
