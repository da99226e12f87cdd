"""The project as a whole: lint, types, wording in both languages, documents that match the code."""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import string
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
import yaml

import lzgis
from lzgis.city.catalogue import open_catalogue
from lzgis.city.reference import reference_city
from lzgis.cli.app import app
from lzgis.model.catalogue import Baseline, LayerSpec
from lzgis.model.report import FINDING_COLUMNS, VERDICT_COLUMNS, Reason, State, Verdict
from lzgis.model.rules import Certainty, Severity, Strength
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.rules.for_sites import KINDS

ROOT = Path(__file__).parent.parent


def tracked() -> list[Path]:
    """Return the files of the project: those under version control, or all files in a copy without it."""
    if shutil.which("git") and (ROOT / ".git").exists():
        # "safe.directory": another user may own the checkout.
        command = "git -c safe.directory=* ls-files -z --cached --others --exclude-standard"
        listed = subprocess.run(command.split(), cwd=ROOT, capture_output=True, check=True).stdout.decode("utf-8")
        return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]
    generated = {"__pycache__", "out", "dist", "build"}
    parts = ((path, path.relative_to(ROOT).parts) for path in ROOT.rglob("*") if path.is_file())
    hidden = {".ci", ".github", ".gitignore", ".pre-commit-config.yaml"}
    return [p for p, names in parts if not any(n in generated or (n[0] == "." and n not in hidden) for n in names)]


FILES = tracked()


# --- lint and types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["ruff check --output-format concise", "ruff format --check", "mypy"])
def test_tool_reports_no_errors(tool):
    run = subprocess.run(
        [sys.executable, "-m", *tool.split()], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert run.returncode == 0, f"{tool}\n{run.stdout[-4000:]}{run.stderr[-1000:]}"


# --- wording ------------------------------------------------------------------------------------------------


def wording(language: str) -> dict[str, dict[str, str]]:
    """Return the wording of a language by section and key."""
    return tomllib.loads((ROOT / f"lzgis/wording/{language}.toml").read_text("utf-8"))


ZH, EN = wording("zh"), wording("en")


def placeholders(text: str) -> set[str]:
    """Return the placeholders of a text."""
    return {name.partition(".")[0] for _, name, _, _ in string.Formatter().parse(text) if name is not None}


# English messages and help are in the code; only the other language has these (see test_messages.py, cli/test_help.py).
for one in (ZH, EN):
    one.pop("message")
    one.pop("help", None)


def test_both_languages_have_the_same_keys():
    assert {(s, k) for s, keys in ZH.items() for k in keys} == {(s, k) for s, keys in EN.items() for k in keys}


def test_both_languages_have_the_same_placeholders():
    for section, keys in ZH.items():
        for key, text in keys.items():
            assert placeholders(text) == placeholders(EN[section][key]), f"[{section}] {key}"
            # A gap is what stands between two texts.
            assert key == "gap" or text.strip(), f"[{section}] {key} is empty"
            assert key == "gap" or EN[section][key].strip(), f"[{section}] {key} is empty"


def choices(record: type[Any], field: str) -> set[str]:
    """Return the allowed values of a field."""
    return set(get_args(record.model_fields[field].annotation))


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("state", set(State)),
        ("verdict", set(Verdict)),
        ("severity", set(Severity)),
        ("strength", set(Strength)),
        ("certainty", set(Certainty)),
        ("baseline", set(Baseline)),
        ("band", {"certain", "possible"}),
        ("reason", set(Reason) - {Reason.NONE}),
        ("rule_kind", {*KINDS, *LAYER_KINDS}),
        ("level", {"note", "warning", "error"}),
        ("status", choices(LayerSpec, "status")),
        ("confidentiality", choices(LayerSpec, "confidentiality")),
        ("shape", choices(LayerSpec, "geometry")),
    ],
)
def test_exactly_the_existing_values_have_wording(section, values):
    assert set(ZH[section]) == {str(value) for value in values}


def test_every_column_of_a_report_has_wording():
    assert {c.name for c in FINDING_COLUMNS + VERDICT_COLUMNS} <= set(ZH["column"])


# --- the documents and the command line ---------------------------------------------------------------------


def commands(*programs: str) -> list[str]:
    """Return the command lines of these programs in the code blocks of the documents."""
    found = []
    for path in FILES:
        if path.suffix != ".md" or path.parent not in (
            ROOT,
            ROOT / "docs",
            ROOT / "benchmarks",
            ROOT / "notebooks",
        ):
            continue
        for block in re.findall(r"^ *```[^\n]*\n(.*?)^ *```", path.read_text("utf-8"), re.S | re.M):
            for line in block.replace("\\\n", " ").splitlines():
                command = line.strip().removeprefix("$ ")
                if command.startswith(programs):
                    found.append(re.split(r"\s(?:\||>|&&|;)", command)[0])
    return sorted(set(found))


@pytest.mark.parametrize("line", commands("lzgis "))
def test_documented_command_exists(line):
    group = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    # typer bundles click or uses the installed one, so the command's own class creates the context.
    with group.context_class(group, info_name="lzgis") as above:
        if words[0].startswith("-"):
            assert {w for w in words if w.startswith("-")} <= options_of(group, above)
            return
        command = group.get_command(above, words[0])
        assert command is not None, f"lzgis has no command '{words[0]}'"
        if "--help" not in words:
            # Parsed as on the command line: unknown options and invalid choices are errors.
            command.make_context(words[0], words[1:], parent=above)


def options_of(command: Any, context: Any) -> set[str]:
    """Return the options of a command."""
    return {name for parameter in command.get_params(context) for name in parameter.opts}


@pytest.mark.parametrize("line", commands("python scripts/", "python benchmarks/"))
def test_documented_script_exists(line):
    assert (ROOT / shlex.split(line, comments=True)[1]).is_file()


def test_the_citation_names_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == lzgis.__version__


# --- the reference city -------------------------------------------------------------------------------------


def test_reference_city_matches_its_hashes():
    city = open_catalogue(reference_city())
    for name, layer in city.layers.items():
        data = (city.root / layer.source).read_bytes()
        assert layer.sha256 == hashlib.sha256(data).hexdigest(), name


def test_reference_city_states_that_it_is_schematic():
    city = open_catalogue(reference_city())
    assert "示意" in city.city.notice
    assert city.city.notice_en
    for name, layer in city.layers.items():
        assert layer.title_en, name
        assert layer.date or layer.version, name
        assert layer.basis, name
        assert layer.confidentiality == "public", name
        assert layer.status in ("schematic", "draft"), name


def test_reference_city_has_the_layers_of_its_rules():
    city = open_catalogue(reference_city())
    named = {name for rule in city.book.rules for name in rule.layers}
    used = {n for n, layer in city.layers.items() if layer.role not in ("outline", "context")}
    assert used <= named, "layers that no rule uses"
    assert (city.root / "sites.gpkg").is_file()


def test_every_attack_of_the_list_has_a_test():
    section = (
        (ROOT / "SECURITY.md").read_text("utf-8").partition("## Which attacks are tested?")[2].partition("\n## ")[0]
    )
    rows = re.findall(r"^\| (?!attack|---)(.+?) \| (?:`(test_\w+)` in )?\[(.+?)\]\((.+?)\) \|$", section, re.MULTILINE)
    assert len(rows) >= 30
    assert len(rows) == section.count("\n| ") - 2
    for attack, test, shown, link in rows:
        assert link.endswith(shown), attack
        # A module of cases is run as a whole by tests/test_bad_inputs.py.
        expected = f"def {test}\\(" if test else "@case\\(|@raster\\("
        assert re.search(expected, (ROOT / link).read_text("utf-8")), attack
