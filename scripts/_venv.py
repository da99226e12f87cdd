"""A virtual environment beside the code, made when it is missing and brought up to date when it is stale.

Standard library only: this runs before anything is installed, on Windows as well.
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
said = []
def say(what, done, total):
    if not said:
        print("Compiling the loops of lzgis (once, some 15 s) ...", file=sys.stderr, flush=True)
        said.append(True)
ready_loops(say)
"""


def run(command: list[str | Path], *, cwd: Path | None = None) -> int:
    """Run a command with UTF-8 everywhere, and return its exit code."""
    try:
        return subprocess.call([str(part) for part in command], cwd=cwd, env=environment())
    except KeyboardInterrupt:
        return 130


def environment() -> dict[str, str]:
    """Return the variables a child gets: UTF-8 on, and nothing that would lead it to another Python."""
    misleading = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
    kept = {k: v for k, v in os.environ.items() if k not in misleading}
    return kept | {"PYTHONUTF8": "1"}


def prepare(*extras: str) -> Path:
    """Return the Python of an environment that holds lzgis and these of its extras."""
    # A redirected Windows console may not have the characters of a Chinese path.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    wanted, (inputs, held) = _fingerprint(), _stamp()
    runs = _runs(_python())
    if runs and inputs == wanted and set(extras) <= held:
        return _python()
    say(f"Preparing {FOLDER} (the first time this takes a few minutes) ...")
    if not runs:
        _build()
        held = set()
    STAMP.unlink(missing_ok=True)
    _install(sorted(held | set(extras)))
    STAMP.write_text(json.dumps({"inputs": wanted, "extras": sorted(held | set(extras))}), "utf-8")
    return _python()


def compile_loops(python: str | Path) -> None:
    """Compile the loops of lzgis where that has not been done, so that the first command does not wait for it."""
    code = run([python, "-c", _COMPILE])
    if code:
        sys.exit(code)


def say(text: str) -> None:
    """Tell the user something at once, without mixing it into what the command prints."""
    print(text, file=sys.stderr, flush=True)


def _python() -> Path:
    return FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fingerprint() -> str:
    """Sum up everything that the content of the environment follows from.

    The place counts too: an environment that was moved or copied with its folder points at the old one.
    """
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt"):
        # Read as text, so that line ends changed by a checkout do not count.
        digest.update((ROOT / name).read_text("utf-8").encode())
    return digest.hexdigest()


def _stamp() -> tuple[str, set[str]]:
    try:
        data = json.loads(STAMP.read_text("utf-8"))
        return str(data["inputs"]), set(data["extras"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", set()


def _runs(python: Path) -> bool:
    """Whether the environment's Python starts and is of the version that was asked for."""
    if not python.exists():
        return False
    ask = "import sys; sys.exit(tuple(sys.version_info[:2]) != ({}, {}))".format(*sys.version_info[:2])
    try:
        return subprocess.call([str(python), "-c", ask], env=environment()) == 0
    except OSError:
        return False


def _build() -> None:
    # Some distributions ship Python without ensurepip; pip of the outer Python then serves.
    with_pip = importlib.util.find_spec("ensurepip") is not None
    if not with_pip and importlib.util.find_spec("pip") is None:
        sys.exit("This Python has neither pip nor ensurepip; install pip (on Debian: python3-pip).")
    try:
        venv.EnvBuilder(clear=True, symlinks=os.name != "nt", with_pip=with_pip).create(FOLDER)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"The environment {FOLDER} could not be made: {error}")


def _install(extras: list[str]) -> None:
    python = _python()
    look = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)"
    has_pip = subprocess.call([str(python), "-c", look], env=environment()) == 0
    pip = [python, "-m", "pip"] if has_pip else [sys.executable, "-m", "pip", "--python", python]
    what = f".[{','.join(extras)}]" if extras else "."
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--quiet"]
    code = run([*pip, "install", *options, "--editable", what, "--constraint", "constraints.txt"], cwd=ROOT)
    if code:
        say("The packages could not be installed; what pip said stands above.")
        sys.exit(code)
