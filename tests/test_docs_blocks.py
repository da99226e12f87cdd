"""Every code block of the documentation runs: commands in a folder with the files that they name, Python, TOML.

What needs another program, a network or a server that never ends is checked as far as it can be; `_CHECKED` lists how.
"""

from __future__ import annotations

import doctest
import functools
import gc
import itertools
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import docs_world
import pytest

import lzgis.city.reference
from lzgis.cli.app import main

ROOT = Path(__file__).parent.parent
PAGES = [
    path
    for path in [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "README.zh-CN.md"]
    if not {"generated", "notebooks", "_build"} & set(path.relative_to(ROOT).parts)
]
_FENCE = re.compile(r"^( *)```(\{?\w*\}?)\n(.*?)^\1```", re.M | re.S)


class Block(NamedTuple):
    """A code block of a page: its language and text."""

    language: str
    text: str


def blocks(path: Path) -> Iterator[Block]:
    """Return the fenced blocks of a page, and the indented ones as blocks of commands."""
    text = path.read_text("utf-8")
    for match in _FENCE.finditer(text):
        yield Block(match[2], "\n".join(line.removeprefix(match[1]) for line in match[3].splitlines()))
    rest = _FENCE.sub("", text)
    for line in re.findall(r"^    (\S.*)$", rest, re.M):
        yield Block("sh", line)


def commands(text: str) -> list[str]:
    """Return the commands of a block, without comments; continued lines are one."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line for one in lines if (line := re.sub(r"(^|\s+)# .*", "", one).strip())]


# ----------------------------------------------------------------------------------------------- other programs


def _extras(line: str) -> None:
    """Packages and extras of ``pip install`` exist."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for extra in re.findall(r"lzgis\[(.+?)\]", line):
        assert set(extra.split(",")) <= set(project["optional-dependencies"]), line


def _script(line: str) -> None:
    """A script exists and knows the options that it is given."""
    words = shlex.split(line.partition("|")[0])
    path = ROOT / (words[2].replace(".", "/") + ".py" if words[1] == "-m" else words[1])
    text = path.read_text("utf-8")
    for option in [one.partition("=")[0] for one in words[2:] if one.startswith("--")]:
        # The options of scripts/test.py are those of pytest, and a script may pass them on.
        assert option in text or option in (ROOT / "benchmarks" / "workload.py").read_text("utf-8"), line


def _container(line: str) -> None:
    """What the container is given is an option of ``lzgis serve``; its file and volumes are those of Containerfile."""
    file = (ROOT / "Containerfile").read_text("utf-8")
    assert "Containerfile" not in line or (ROOT / "Containerfile").is_file()
    for volume in re.findall(r"-v \S+?:(/\w+)", line):
        assert volume == "/city" or f"VOLUME {volume}" in file, line
    if " lzgis serve" in line and " serve createadmin" not in line:
        _options("lzgis serve" + line.partition(" lzgis serve")[2])


def _algorithm(line: str) -> None:
    """An algorithm of the plugin exists; tests/qgis runs it."""
    plugin = ROOT / "plugins" / "qgis" / "lzgis_screening"
    for name in re.findall(r"lzgis:(\w+)", line):
        assert f'NAME = "{name}"' in (plugin / "algorithms.py").read_text("utf-8")


def _options(line: str) -> None:
    """A command exists with its options; for servers, which never end."""
    import typer

    from lzgis.cli.app import app

    command, rest = typer.main.get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands") and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    known = {one for p in command.params for one in (*p.opts, *p.secondary_opts)}
    assert {one for one in rest if one.startswith("--")} <= known, line


def _run(line: str) -> None:
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}\n{done.stderr}"


def _nothing(line: str) -> None:
    """Only its words are there to be read."""


#: How the lines of other programs are checked, by their beginning.
_CHECKED: dict[str, Callable[[str], None]] = {
    "pip install": _extras,
    "python scripts/": _script,
    "python benchmarks/": _script,
    "python -m benchmarks": _script,
    "LZGIS_TEST_PACKAGE_INDEX=1 python": lambda line: _script(line.partition(" ")[2]),
    "LZGIS_TEST_PYTEST_QGIS=": lambda line: _script(line.partition(" ")[2]),
    "docker": _container,
    "podman": _container,
    "qgis_process": _algorithm,
    "lzgis serve": _options,
    "openssl": _run if shutil.which("openssl") else _nothing,
    "sphinx-build": _nothing,  # tests/test_docs_site.py
    "curl": _nothing,  # tests/web/test_api.py
    "dask": _nothing,  # tests/batch/test_cluster.py starts scheduler and workers
    "install.cmd": _nothing,
    "sh install.sh": _nothing,
    "sha256sum": _nothing,
    "cd ": _nothing,
    "python -m venv": _nothing,
    ". .venv/bin/activate": _nothing,
    "git clone": _nothing,
}
#: Lines of lzgis whose options alone are checked: what needs a server of others, and what tests/test_example_abroad.py runs.
_OPTIONS_ALONE = ("postgis://", "--scheduler", "examples/riverton --lang en --format all")


# ---------------------------------------------------------------------------------------------------- commands


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return docs_world.build(tmp_path_factory.mktemp("world"))


@pytest.fixture
def folder(request: pytest.FixtureRequest, world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all files, as the current one; the reference city is its folder `layers`."""
    if request.node.callspec.params["path"].name == "rules.md":
        # This page is about the rule book of the reference city itself, and its commands write nothing.
        monkeypatch.chdir(ROOT)
        return ROOT
    monkeypatch.chdir(world)
    monkeypatch.setattr(lzgis.city.reference, "reference_city", lambda: world / "layers")
    return world


_done: set[object] = set()
#: What stands for a value that the reader has to know.
_PLACEHOLDERS = {"dx,dy,dz,rx,ry,rz,s": "1,1,1,0,0,0,0", " … ": " 省级认定 "}


def form(words: list[str]) -> object:
    """Return what makes a command another one: command, options, formats, and the kinds of files."""
    options = [one.partition("=")[0] for one in words if one.startswith("--")]
    formats = [word for before, word in itertools.pairwise(words) if before == "--format"]
    suffixes = [Path(one).suffix for one in words[2:] if not one.startswith("--")]
    return words[1], tuple(options), tuple(formats), tuple(filter(str.isalnum, (one[1:] for one in suffixes)))


def run(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command of lzgis in this process; of commands that differ in names alone, the first."""
    words = shlex.split(functools.reduce(lambda text, pair: text.replace(*pair), _PLACEHOLDERS.items(), line))
    if form(words) in _done:
        _options(line)
        return
    _done.add(form(words))
    if words[1] in ("adopt", "init"):
        # The city that it makes lies among those that are there already.
        words[-1 if words[1] == "init" else words.index("--out") + 1] = f"made-{len(_done)}"
    target = words[words.index(">") + 1 :] if ">" in words else words[words.index(">>") + 1 :] if ">>" in words else []
    words = (
        words[: min(words.index(one) for one in (">", ">>", "|") if one in words)]
        if {">", ">>", "|"} & set(words)
        else words
    )
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    argv, sys.argv = sys.argv, words
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        sys.argv = argv
        gc.unfreeze()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    said = capsys.readouterr()
    # 0 to 2 are answers; more means that something could not be done.
    assert ended.value.code in (0, 1, 2), f"{line}\n{said.err}"
    if target:
        Path(target[0]).write_text(said.out, "utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_commands_of_a_page_run(path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks(path):
        if block.language not in ("sh", ""):
            continue
        for line in commands(block.text):
            check = next((one for start, one in _CHECKED.items() if line.startswith(start)), None)
            if check is not None:
                check(line)
            elif line.startswith("lzgis "):
                if any(one in line for one in _OPTIONS_ALONE):
                    _options(line)
                else:
                    run(line, capsys)
            else:
                assert block.language == "", f"{path.name}: nobody runs {line!r}"


@pytest.mark.parametrize(
    "path", [one for one in PAGES if any(b.language == "python" for b in blocks(one))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)  # fmt: skip
def test_the_python_of_a_page_runs(path: Path, folder: Path) -> None:
    report = functools.partial(lzgis.screen, "sites.gpkg", "mycity", as_of=docs_world.AS_OF)
    names = {"lzgis": lzgis} | ({"report": report()} if folder is not ROOT else {})
    for block in blocks(path):
        if block.language != "python":
            continue
        if block.text.startswith(">>>"):
            failed = doctest.DocTestRunner(verbose=False)
            failed.run(doctest.DocTestParser().get_doctest(block.text, {}, path.name, str(path), 0))
            assert not failed.failures, path
        elif "tcp://" in block.text:
            compile(block.text, path.name, "exec")
        else:
            exec(compile(block.text, path.name, "exec"), names)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_toml_of_a_page_is_toml(path: Path) -> None:
    for block in blocks(path):
        if block.language == "toml":
            tomllib.loads(block.text)
