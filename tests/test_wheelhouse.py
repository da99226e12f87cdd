"""The folder for offline installation: complete for its target, hashed, and installable without an index."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_spec = importlib.util.spec_from_file_location("wheelhouse", ROOT / "scripts" / "wheelhouse.py")
wheelhouse = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(wheelhouse)

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def resolved(python: str, platform: str) -> dict[str, str]:
    """Resolve a target. That asks a package index, so these tests run only when `LZGIS_TEST_PACKAGE_INDEX` is set."""
    if not os.environ.get("LZGIS_TEST_PACKAGE_INDEX"):
        pytest.skip("asks a package index: set LZGIS_TEST_PACKAGE_INDEX=1")
    return wheelhouse.packages(wheelhouse.resolve(python, platform))


def wheel(folder: Path, name: str, version: str) -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.py", name)
    return path


@pytest.mark.parametrize(("platform", "suffix", "newline"), [("windows", ".cmd", b"\r\n"), ("linux", ".sh", b"\n")])
def test_scripts_and_hashes_are_those_of_the_wheels(tmp_path, platform, suffix, newline):
    (tmp_path / "wheels").mkdir()
    files = [wheel(tmp_path / "wheels", "lzgis", "0.1.0"), wheel(tmp_path / "wheels", "lazy_loader", "1.2")]
    wheelhouse.write(tmp_path, "lazy-loader==1.2 \\\n    --hash=sha256:00\n", "3.12", platform)
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    lines = (tmp_path / "requirements.txt").read_text("utf-8").splitlines()
    assert lines == [f"lzgis==0.1.0 --hash=sha256:{sums[0]}", f"lazy-loader==1.2 --hash=sha256:{sums[1]}"]
    names = {f"install{suffix}", f"uninstall{suffix}", "README.txt", "requirements.txt", "SHA256SUMS", "wheels"}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in (f"install{suffix}", f"uninstall{suffix}", "README.txt"):
        data = (tmp_path / name).read_bytes()
        assert b"@PYTHON" not in data
        assert b"://" not in data
        assert data.count(b"\n") == data.count(newline)
    listed = dict(reversed(line.split("  ")) for line in (tmp_path / "SHA256SUMS").read_text("utf-8").splitlines())
    assert {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in listed} == listed
    assert len(listed) == len(names) - 2 + len(files)


def test_names_of_wheels_are_normalised(tmp_path):
    found = wheel(tmp_path, "MarkupSafe", "3.0")
    wheel(tmp_path, "MarkupSafe", "3.1")
    assert wheelhouse.matching(tmp_path, "markupsafe", "3.0") == [found]


def test_what_only_windows_needs_is_resolved_for_windows_alone():
    assert "colorama" in resolved("3.12", "windows")
    assert "colorama" not in resolved("3.12", "linux")
    # fiona has no wheels for Python 3.14, so pyproject.toml leaves it out there.
    assert "fiona" in resolved("3.12", "windows")
    assert "fiona" not in resolved("3.14", "windows")


@pytest.mark.parametrize("platform", wheelhouse.PLATFORMS)
@pytest.mark.parametrize("python", wheelhouse.PYTHONS)
def test_every_package_has_a_wheel_of_the_pinned_version(python, platform):
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if "==" in line)
    pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    for name, version in resolved(python, platform).items():
        assert pins[name.lower().replace("_", "-")] == version


@pytest.mark.skipif(sys.platform != "linux", reason="installs on Linux")
def test_a_folder_installs_without_network_upgrades_and_uninstalls(tmp_path):
    """Its own network namespace if that is allowed; otherwise pip has no index to ask."""
    resolved(HERE, "linux")
    folder = tmp_path / "wheelhouse"
    made = subprocess.run(
        [sys.executable, ROOT / "scripts" / "wheelhouse.py", "--python", HERE, "--platform", "linux", "--out", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    alone = ["unshare", "-n"] if subprocess.call(["sh", "-c", "unshare -n true 2>/dev/null"]) == 0 else []
    environment = os.environ | {"HOME": str(tmp_path), "LZGIS_BIN": str(tmp_path / "bin")}
    environment.pop("PYTHONPATH", None)
    environment.pop("XDG_DATA_HOME", None)
    target = tmp_path / "installed"
    quiet = {"capture_output": True, "text": True, "env": environment}
    # The second run is an upgrade: it replaces the environment of the first.
    for old in (None, target / "env" / "old"):
        if old is not None:
            old.touch()
        done = subprocess.run([*alone, folder / "install.sh", target], check=False, **quiet)
        assert done.returncode == 0, done.stderr
        assert old is None or not old.exists()
    command = tmp_path / "bin" / "lzgis"
    listed = subprocess.run([command, "layers", "--lang", "en"], check=False, **quiet)
    assert "Ecological redline" in listed.stdout, listed.stderr
    removed = subprocess.run([target / "uninstall.sh", target], env=environment, check=False)
    assert removed.returncode == 0
    assert not command.exists()
    assert not (target / "env").exists()


def stand_in_python(folder: Path) -> Path:
    """Write a Python that only makes the folder of an environment; what it installs is a program that fails if `fail` exists."""
    python = folder / "programs" / "python3.12"
    python.parent.mkdir()
    python.write_text(
        '#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/lzgis"; fi\n'
        f'case "$*" in layers) [ ! -e "{folder}/fail" ];; esac\n',
        "utf-8",
    )
    python.chmod(0o755)
    return python.parent


@pytest.mark.skipif(sys.platform == "win32", reason="a script of sh")
def test_an_installation_that_fails_leaves_the_one_of_before(tmp_path):
    (tmp_path / "wheels").mkdir()
    wheel(tmp_path / "wheels", "lzgis", "0.1.0")
    wheelhouse.write(tmp_path, "", "3.12", "linux")
    programs = stand_in_python(tmp_path)
    environment = {"HOME": str(tmp_path), "PATH": f"{programs}:/usr/bin:/bin"}
    target = tmp_path / "in a folder"

    def install() -> subprocess.CompletedProcess[str]:
        call = ["sh", tmp_path / "install.sh", target]
        return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)

    done = install()
    assert done.returncode == 0, done.stderr
    (target / "env" / "old").touch()
    (tmp_path / "fail").touch()
    done = install()
    assert done.returncode != 0
    assert "unchanged" in done.stderr
    assert (target / "env" / "old").is_file() and not (target / "env.old").exists()
    (tmp_path / "fail").unlink()
    assert install().returncode == 0
    assert not (target / "env" / "old").exists() and not (target / "env.old").exists()
    # The script in an installation removes that one.
    assert subprocess.run([target / "uninstall.sh"], env=environment, check=False).returncode == 0
    assert not (target / "env").exists()
