"""The virtual environment ``.venv`` in the project folder: created when missing, updated when out of date.

Standard library only: this module runs before anything is installed, on Windows too.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
STAMP = FOLDER / "installed.json"
#: Says how far it is only where something is compiled.
_COMPILE = """
import sys
from lzgis.geometry import ready_loops
announced = []
def say(what, done, total):
    if not announced:
        print("Compiling the loops of lzgis (once, some 15 s) ...", file=sys.stderr, flush=True)
        announced.append(True)
ready_loops(say)
"""


def run(command: list[str | Path], *, cwd: Path | None = None) -> int:
    """Run a command in UTF-8 mode and return its exit code."""
    try:
        return subprocess.call([str(part) for part in command], cwd=cwd, env=environment())
    except KeyboardInterrupt:
        return 130


def environment() -> dict[str, str]:
    """Return the environment variables of a child process: UTF-8 mode, and none that selects another Python."""
    removed = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
    kept = {k: v for k, v in os.environ.items() if k not in removed}
    return kept | {"PYTHONUTF8": "1"}


def prepare(*extras: str) -> Path:
    """Create or update the environment with lzgis and the given extras, and return its Python.

    Extras that were installed before stay installed.
    """
    # A redirected Windows console may not be able to encode the characters of a Chinese path.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    fingerprint, (installed, present) = _fingerprint(), _read_stamp()
    usable = _is_usable(_python())
    if usable and installed == fingerprint and set(extras) <= present:
        return _python()
    say(f"Preparing {FOLDER} (the first time this takes a few minutes) ...")
    if not usable:
        _create()
        present = set()
    STAMP.unlink(missing_ok=True)
    _install(sorted(present | set(extras)))
    STAMP.write_text(json.dumps({"inputs": fingerprint, "extras": sorted(present | set(extras))}), "utf-8")
    return _python()


def compile_loops(python: str | Path) -> None:
    """Compile the loops of lzgis where that has not been done, so that the first command does not wait for it."""
    code = run([python, "-c", _COMPILE])
    if code:
        sys.exit(code)


def say(text: str) -> None:
    """Print a message on standard error; standard output belongs to the command."""
    print(text, file=sys.stderr, flush=True)


def _python() -> Path:
    return FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fingerprint() -> str:
    """Hash everything that determines the content of the environment.

    This includes the folder: a moved or copied environment still refers to the old one.
    """
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        # Read as text: line endings may differ between checkouts.
        digest.update((ROOT / name).read_text("utf-8").encode())
    return digest.hexdigest()


def _read_stamp() -> tuple[str, set[str]]:
    try:
        data = json.loads(STAMP.read_text("utf-8"))
        return str(data["inputs"]), set(data["extras"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", set()


def _is_usable(python: Path) -> bool:
    """Whether the environment's Python starts and has the version of this one."""
    if not python.exists():
        return False
    code = "import sys; sys.exit(tuple(sys.version_info[:2]) != ({}, {}))".format(*sys.version_info[:2])
    try:
        return subprocess.call([str(python), "-c", code], env=environment()) == 0
    except OSError:
        return False


def _create() -> None:
    # Some distributions ship Python without ensurepip. The pip of this Python then installs into the environment.
    with_pip = importlib.util.find_spec("ensurepip") is not None
    if not with_pip and importlib.util.find_spec("pip") is None:
        sys.exit("This Python has neither pip nor ensurepip; install pip (on Debian: python3-pip).")
    try:
        venv.EnvBuilder(clear=True, symlinks=os.name != "nt", with_pip=with_pip).create(FOLDER)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"The environment {FOLDER} could not be created: {error}")


def _install(extras: list[str]) -> None:
    python = _python()
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)"
    has_pip = subprocess.call([str(python), "-c", code], env=environment()) == 0
    pip = [python, "-m", "pip"] if has_pip else [sys.executable, "-m", "pip", "--python", python]
    what = f".[{','.join(extras)}]" if extras else "."
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--quiet"]
    exit_code = run([*pip, "install", *options, "--editable", what, "--constraint", "constraints.txt"], cwd=ROOT)
    if exit_code:
        say("The packages could not be installed; see the messages of pip above.")
        sys.exit(exit_code)
