"""The documentation: it builds strictly and without a network, and its commands and tables are those of the program."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import lzgis
from lzgis.cli.app import app
from lzgis.rules.book import read_rulebook

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [
    path
    for path in [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", ROOT / "README.zh-CN.md"]
    if not {"generated", "notebooks", "_build"} & set(path.relative_to(ROOT).parts)
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if any(importlib.util.find_spec(name) is None for name in ("sphinx", "pydata_sphinx_theme", "numpydoc", "myst_nb")):
        pytest.skip("no Sphinx: pip install 'lzgis[docs]'")
    out = tmp_path_factory.mktemp("site")
    # No address answers: a build that asked for one would fail.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-W",
            "--keep-going",
            "-q",
            "-b",
            "html",
            "-d",
            out / "trees",
            DOCS,
            out / "html",
        ],
        capture_output=True,
        text=True,
        env=os.environ | nowhere | {"PYTHONPATH": path},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return out / "html"


def test_the_site_builds_without_warnings(site):
    assert (site / "index.html").is_file()
    assert (site / "searchindex.js").is_file()
    for name in ("commands", "catalogue-keys", "messages", "api/lzgis.screen", "api/lzgis.reading.read_vector"):
        assert (site / "reference" / "generated" / f"{name}.html").is_file()


def test_no_page_loads_anything_from_a_network(site):
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(https?:)?//", text)
        loaded += re.findall(r"<link\b[^>]*rel=\"(?:stylesheet|preload|icon)\"[^>]*href=\"(https?:)?//", text)
        assert not loaded, page.name


def test_every_page_is_in_the_site(site):
    built = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")}
    assert {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES if path.is_relative_to(DOCS)} <= built


def blocks(path: Path, *languages: str):
    """Return the code blocks of a page in some languages."""
    text = path.read_text("utf-8")
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```", text, re.M | re.S)
    return [body for _, language, body in found if language in languages]


def commands(path: Path):
    """Return the command lines of a page: in shell blocks and in indented ones."""
    text = (
        "\n".join(blocks(path, "sh", ""))
        + "\n"
        + "\n".join(re.findall(r"^    (lzgis .*)$", path.read_text("utf-8"), re.M))
    )
    for line in re.findall(r"^\s*(lzgis [a-z].*)$", text, re.M):
        yield line.partition("  #")[0].partition(" >")[0].partition(" |")[0]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_on_a_page_exists_with_its_options(path):
    for line in commands(path):
        command, rest = typer.main.get_command(app), shlex.split(line)[1:]
        while hasattr(command, "commands"):
            if command.invoke_without_command and (not rest or rest[0].startswith("-")):
                break
            name = rest.pop(0)
            assert name in command.commands, f"{path.name}: {line}"
            command = command.commands[name]
        options = {one for p in command.params for one in (*p.opts, *p.secondary_opts)} | {"--help"}
        used = {one.partition("=")[0] for one in rest if one.startswith("--")}
        assert used <= options, f"{path.name}: {line}"


@pytest.mark.parametrize("path", [DOCS / "guides" / "write-a-rule.md", DOCS / "zh" / "rules.md"], ids=lambda p: p.name)
def test_the_example_rules_are_valid(path, tmp_path):
    (example,) = blocks(path, "toml")
    book = tmp_path / "rules.toml"
    book.write_text(f'[book]\nname = "a"\nversion = "1"\nextends = ["national"]\n{example}', "utf-8")
    rule = read_rulebook(book).rule("wetland-buffer")
    assert (rule.kind, rule.layer, rule.reach_m) == ("keep_away", "wetlands", 50)


#: The Chinese page of each guide.
IN_CHINESE = {
    "guides/bring-your-city": "own-city",
    "guides/write-a-rule": "rules",
    "guides/screen-a-batch": "batch",
    "guides/meeting-package": "meeting",
    "meeting": "meeting",
    "guides/page-on-an-intranet": "page",
    "qgis": "qgis",
    "guides/compare-versions": "versions",
    "install": "intranet",
    "container": "container",
    "serve": "serve",
    "templates": "templates",
}


def called(page: str) -> set[str]:
    """Return the programs that the code blocks of a page call, each with its first word."""
    text = (DOCS / f"{page}.md").read_text("utf-8")
    fence = re.compile(r"^ *```sh\n(.*?)^ *```", re.M | re.S)
    lines = "\n".join([*fence.findall(text), *re.findall(r"^    \S.*$", fence.sub("", text), re.M)])
    return set(re.findall(r"^ *(lzgis \w+|docker \w+|python scripts/(?:wheelhouse|plugin_zip))", lines, re.M))


def test_every_guide_exists_in_chinese():
    listed = (DOCS / "guides" / "index.md").read_text("utf-8").split("```")[1].split()[3:]
    guides = {line.removeprefix("../") if line.startswith("../") else f"guides/{line}" for line in listed}
    assert guides == set(IN_CHINESE)
    index = (DOCS / "zh" / "index.md").read_text("utf-8").split()
    for english, chinese in IN_CHINESE.items():
        assert chinese in index
        assert called(english) <= called(f"zh/{chinese}"), english


@pytest.mark.parametrize("name", [name for name in lzgis.__all__ if name.islower()])
def test_a_public_function_documents_its_parameters_its_result_and_an_example(name):
    function = getattr(lzgis, name)
    text, signature = inspect.getdoc(function), inspect.signature(function)
    assert ">>>" in text
    for parameter in signature.parameters:
        listed = re.search(rf"^[\w*, ]*\b{parameter}\b[\w, ]* : ", text, re.MULTILINE)
        assert listed, f"{name}: parameter '{parameter}'"
    assert signature.return_annotation == "None" or re.search(r"^(Returns|Yields)\n-+$", text, re.MULTILINE)
