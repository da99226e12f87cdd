"""install.cmd and uninstall.cmd, run by the cmd of wine; Python, lzgis and PowerShell are a stand-in that notes its arguments.

It shows that the scripts are read as meant: quoting, branches, what is left after a failure. It shows nothing about PowerShell.
Skipped where wine or the cross compiler of MinGW is missing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPILER = "x86_64-w64-mingw32-gcc"
pytestmark = pytest.mark.skipif(not (shutil.which("wine") and shutil.which(COMPILER)), reason="no wine or no MinGW")


def on_windows(path: Path) -> str:
    """Return the name of a file in the Windows of wine."""
    return f"Z:{path}".replace("/", "\\")


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment with a Windows of wine whose Python is the stand-in."""
    folder = tmp_path_factory.mktemp("windows")
    programs = folder / "programs"
    programs.mkdir()
    source = Path(__file__).parent / "windows_stand_in.c"
    subprocess.run([COMPILER, "-municode", "-static", "-o", programs / "py.exe", source], check=True)
    shutil.copy(programs / "py.exe", programs / "powershell.exe")
    # A user's name as it occurs, with what cmd could read as commands.
    home = folder / "张 三 & (b)"
    home.mkdir()
    return os.environ | {
        "WINEPREFIX": str(folder / "wine"), "WINEDEBUG": "-all", "WINEPATH": on_windows(programs),
        "LOCALAPPDATA_OF_TEST": on_windows(home), "LC_ALL": "C.UTF-8", "PYTHONPATH": "of-another-python",
    }  # fmt: skip


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = importlib.util.spec_from_file_location("wheelhouse", ROOT / "scripts" / "wheelhouse.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("carried over")
    (folder / "wheels").mkdir()
    with zipfile.ZipFile(folder / "wheels" / "lzgis-0.1.0-py3-none-any.whl", "w"):
        pass
    module.write(folder, "", "3.12", "windows")
    return folder


def run(script: Path, windows: dict[str, str], *arguments: str, fail: str = "") -> tuple[int, str, list[list[str]]]:
    """Run a script and return its exit code, what it printed, and the calls of the stand-in."""
    log = Path(windows["WINEPREFIX"]).parent / "calls.log"
    log.unlink(missing_ok=True)
    caller = log.parent / "caller.cmd"
    # The values of variables are read after the line was parsed, so a path may hold anything.
    lines = (
        "@echo off",
        'set "LOCALAPPDATA=%LOCALAPPDATA_OF_TEST%"',
        'call "%SCRIPT%" %GIVEN%',
        "exit /b %ERRORLEVEL%",
    )
    caller.write_text("\r\n".join(lines) + "\r\n", "utf-8", newline="")
    environment = windows | {
        "STAND_IN_LOG": on_windows(log), "STAND_IN_FAIL": fail, "SCRIPT": on_windows(script),
        "GIVEN": " ".join(f'"{one}"' for one in arguments),
    }  # fmt: skip
    done = subprocess.run(
        ["wine", "cmd", "/c", on_windows(caller)],
        capture_output=True, env=environment, stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip
    calls = log.read_text("utf-8").splitlines() if log.is_file() else []
    return done.returncode, done.stdout.decode("utf-8", "replace"), [one.split("\x1f") for one in calls]


def test_it_installs_upgrades_and_uninstalls(windows: dict[str, str], wheelhouse: Path) -> None:
    usual = Path(windows["LOCALAPPDATA_OF_TEST"].removeprefix("Z:").replace("\\", "/")) / "lzgis"
    code, said, calls = run(wheelhouse / "install.cmd", windows)
    assert code == 0, said
    assert "Done: lzgis works" in said
    (pip,) = [one for one in calls if "pip" in one]
    assert pip[pip.index("--find-links") + 1].endswith("\\carried over0\\wheels") and pip[-1].endswith(
        "\\requirements.txt"
    )
    assert {"--isolated", "--no-index", "--require-hashes"} <= set(pip)
    # No path stands in what PowerShell reads.
    shells = [one[-1] for one in calls if "powershell" in one[0].lower()]
    assert len(shells) == 2 and all("$env:TARGET" in one and "张" not in one for one in shells)
    assert (usual / "env" / "Scripts" / "lzgis.exe").is_file()
    assert (usual / "bin" / "lzgis.cmd").read_bytes() == b'@"%~dp0..\\env\\Scripts\\lzgis.exe" %*\r\n'

    (usual / "env" / "old").write_text("old", "utf-8")
    for fail in ("venv", "requirements.txt", "layers"):
        code, said, _ = run(wheelhouse / "install.cmd", windows, fail=fail)
        assert code == 1 and "unchanged" in said
        assert (usual / "env" / "old").is_file() and not (usual / "env.old").exists(), fail
    assert run(wheelhouse / "install.cmd", windows)[0] == 0
    assert not (usual / "env" / "old").exists() and not (usual / "env.old").exists()

    code, said, _ = run(usual / "uninstall.cmd", windows)
    assert code == 0 and "Uninstalled" in said
    assert not (usual / "env").exists() and not (usual / "bin").exists()


def test_another_folder_is_installed_into_and_uninstalled_by_its_own_script(
    windows: dict[str, str], wheelhouse: Path, tmp_path: Path
) -> None:
    target = tmp_path / "规划 (新)"
    code, said, _ = run(wheelhouse / "install.cmd", windows, on_windows(target))
    assert code == 0, said
    assert (target / "env" / "Scripts" / "lzgis.exe").is_file()
    assert run(target / "uninstall.cmd", windows)[0] == 0
    assert not (target / "env").exists()


def test_without_the_right_python_nothing_is_made(windows: dict[str, str], wheelhouse: Path, tmp_path: Path) -> None:
    target = tmp_path / "none"
    code, said, _ = run(wheelhouse / "install.cmd", windows, on_windows(target), fail="sys.maxsize")
    assert code == 1 and "64 bit, was not found" in said
    assert not target.exists()
