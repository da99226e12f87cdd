"""A folder from which lzgis is installed without a network: ``python scripts/wheelhouse.py --python 3.12 --platform windows``.

The folder holds the wheels of lzgis and of everything that it needs on that platform and version of Python, their SHA-256,
and scripts that install, upgrade and uninstall. Versions are those of constraints.txt, resolved by uv for the markers of the
target: pip resolves for the computer that it runs on, and would leave out what only Windows needs.

Needs ``uv`` (``pip install uv``), pip and the package index that they are configured with; its address is written nowhere.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FILES = Path(__file__).resolve().parent / "wheelhouse_files"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


class Platform(NamedTuple):
    """A platform: its name for uv, the tags of its wheels for pip, and the suffix of its scripts."""

    uv: str
    tags: tuple[str, ...]
    suffix: str


PLATFORMS = {
    "windows": Platform("x86_64-pc-windows-msvc", ("win_amd64",), ".cmd"),
    "linux": Platform(
        "x86_64-manylinux_2_28",
        (*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64", "linux_x86_64"),
        ".sh",
    ),
    "macos": Platform("aarch64-apple-darwin", ("macosx_14_0_arm64", "macosx_14_0_universal2"), ".sh"),
}


def resolve(python: str, platform: str) -> str:
    """Return the pinned and hashed requirements of lzgis with the extra ``all`` for a target.

    Raises
    ------
    SystemExit
        If a package has no wheel for the target, or versions exclude each other.
    """
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "all", "-c", "constraints.txt"),
        *("--python-version", python, "--python-platform", PLATFORMS[platform].uv, "--only-binary", ":all:"),
        *("--generate-hashes", "--no-header", "--no-annotate", "--quiet"),
    ]
    # The oldest macOS that is supported; wheels of newer geospatial libraries need it.
    environment = os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Python {python} on {platform}: cannot be resolved\n{done.stderr}")
    return done.stdout


def packages(requirements: str) -> dict[str, str]:
    """Return the versions by package that requirements name."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", requirements, re.M))


def download(requirements: str, python: str, platform: str, folder: Path) -> None:
    """Fetch the wheels that requirements name into a folder; pip compares their hashes."""
    short = python.replace(".", "")
    tags = [part for tag in PLATFORMS[platform].tags for part in ("--platform", tag)]
    with tempfile.TemporaryDirectory() as name:
        listed = Path(name) / "requirements.txt"
        listed.write_text(requirements, "utf-8")
        command = [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
            *("--python-version", python, "--implementation", "cp", *tags),
            *("--abi", f"cp{short}", "--abi", "abi3", "--abi", "none"),
            *("--dest", str(folder), "--quiet", "--requirement", str(listed)),
        ]
        if subprocess.call(command, cwd=ROOT):
            sys.exit("the wheels cannot be fetched")


def build(folder: Path) -> Path:
    """Build the wheel of lzgis into a folder and return it."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), str(ROOT)]
    if subprocess.call(command):
        sys.exit("the wheel of lzgis cannot be built")
    (wheel,) = folder.glob("lzgis-*.whl")
    return wheel


def write(out: Path, requirements: str, python: str, platform: str) -> None:
    """Write requirements with the hashes that the wheels have, scripts, instructions and the list of hashes."""
    suffix = PLATFORMS[platform].suffix
    (wheel,) = (out / "wheels").glob("lzgis-*.whl")
    version = wheel.name.split("-")[1]
    lines = [f"lzgis=={version} --hash=sha256:{digest(wheel)}"]
    for name, pinned in packages(requirements).items():
        (file,) = matching(out / "wheels", name, pinned)
        lines.append(f"{name}=={pinned} --hash=sha256:{digest(file)}")
    (out / "requirements.txt").write_text("\n".join(lines) + "\n", "utf-8", newline="\n")
    filled = {
        "@PYTHON@": python,
        "@PYTHON_TUPLE@": python.replace(".", ", "),
        "@PLATFORM@": platform,
        "@VERSION@": version,
        "@INSTALL@": f"install{suffix}",
        "@UNINSTALL@": f"uninstall{suffix}",
    }
    for name in (f"install{suffix}", f"uninstall{suffix}", "README.txt"):
        text = (FILES / name).read_text("utf-8")
        for mark, value in filled.items():
            text = text.replace(mark, value)
        # cmd.exe and Notepad need carriage returns.
        newline = "\r\n" if suffix == ".cmd" else "\n"
        (out / name).write_text(text, "utf-8", newline=newline)
        (out / name).chmod(0o755 if name.endswith(".sh") else 0o644)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    sums = "".join(f"{digest(path)}  {path.relative_to(out).as_posix()}\n" for path in files)
    (out / "SHA256SUMS").write_text(sums, "utf-8", newline="\n")


def matching(folder: Path, name: str, version: str) -> list[Path]:
    """Return the wheels of a package in a folder; names of wheels are normalised."""
    plain = re.sub(r"[-_.]+", "_", name).lower()
    return [
        path
        for path in folder.glob("*.whl")
        if re.sub(r"[-_.]+", "_", path.name.split("-")[0]).lower() == plain and path.name.split("-")[1] == version
    ]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def make(out: Path, python: str, platform: str) -> None:
    """Make the folder of a target; it appears only when it is complete."""
    if out.exists():
        sys.exit(f"{out}: exists; name a folder that does not exist yet")
    requirements = resolve(python, platform)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".wheelhouse-", dir=out.parent))
    try:
        (draft / "wheels").mkdir()
        download(requirements, python, platform, draft / "wheels")
        build(draft / "wheels")
        write(draft, requirements, python, platform)
        draft.chmod(0o755)
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {len(packages(requirements)) + 1} wheels, {size / 1e6:.0f} MB")


def check_all(pythons: Sequence[str], platforms: Sequence[str]) -> None:
    """Resolve targets, several at a time, and print how many packages each has; nothing is fetched but metadata."""
    pairs = [(python, platform) for python in pythons for platform in platforms]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda pair: packages(resolve(*pair)), pairs)
        for (python, platform), listed in zip(pairs, found, strict=True):
            print(f"Python {python} on {platform}: {len(listed)} packages", flush=True)


def main() -> None:
    """Read the arguments and make or check."""
    parser = argparse.ArgumentParser(description="Make a folder from which lzgis is installed without a network.")
    parser.add_argument(
        "--python", choices=PYTHONS, help="version of Python of the target; with --resolve-only all if not given"
    )
    parser.add_argument("--platform", choices=tuple(PLATFORMS), help="platform of the target; likewise")
    parser.add_argument("--out", type=Path, help="folder to make; wheelhouse-PLATFORM-PYTHON if not given")
    parser.add_argument(
        "--resolve-only", action="store_true", help="only resolve, to see that every package has a wheel"
    )
    given = parser.parse_args()
    if given.resolve_only:
        check_all([given.python] if given.python else PYTHONS, [given.platform] if given.platform else tuple(PLATFORMS))
    elif given.python and given.platform:
        make(given.out or Path(f"wheelhouse-{given.platform}-{given.python}"), given.python, given.platform)
    else:
        parser.error("name --python and --platform, or --resolve-only")


if __name__ == "__main__":
    main()
