"""What is installed: pyproject.toml, constraints.txt and environment.yml say the same."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))

# Where a package has another name on conda-forge. matplotlib-base is matplotlib without a window toolkit.
ON_CONDA_FORGE = {"matplotlib": "matplotlib-base", "playwright": "playwright-python", "typst": "typst-py"}
# Extras of which a package is not on conda-forge.
PIP_ONLY = {"build-layers"}


def requirements(*extras: str) -> list[Requirement]:
    """Read the dependencies of pyproject.toml and of these extras."""
    lines = [*PROJECT["dependencies"], *(x for e in extras for x in PROJECT["optional-dependencies"][e])]
    return [Requirement(line) for line in lines]


def pins() -> dict[str, Version]:
    """Read constraints.txt, which may hold names and versions and nothing else."""
    found = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line
            name, version = line.split("==")
            assert canonicalize_name(name) not in found, f"{name} stands twice"
            found[canonicalize_name(name)] = Version(version)
    return found


def conda_ranges() -> dict[str, SpecifierSet]:
    """Read the ranges of environment.yml, by their names there."""
    named = (line.partition(" ") for line in CONDA["dependencies"] if isinstance(line, str))
    return {name: SpecifierSet(spec) for name, _, spec in named}


def test_only_conda_forge():
    assert CONDA["channels"] == ["conda-forge"]
    assert "::" not in (ROOT / "environment.yml").read_text("utf-8")


def test_conda_has_every_dependency_in_its_range():
    extras = set(PROJECT["optional-dependencies"]) - PIP_ONLY
    expected = {}
    for requirement in requirements(*extras):
        name = canonicalize_name(requirement.name)
        expected[ON_CONDA_FORGE.get(name, name)] = requirement.specifier
    expected["python"] = SpecifierSet(PROJECT["requires-python"])
    found = conda_ranges()
    assert found.pop("pip") == SpecifierSet()
    assert found == expected


def test_pip_in_conda_installs_lzgis_alone():
    assert [part for part in CONDA["dependencies"] if isinstance(part, dict)] == [{"pip": ["-e ."]}]


@pytest.mark.parametrize("requirement", requirements(*PROJECT["optional-dependencies"]), ids=lambda r: r.name)
def test_pins_lie_in_the_ranges(requirement):
    pinned = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned, prereleases=True)


def test_everything_that_gets_installed_is_pinned():
    pinned = pins()
    ahead, seen = requirements("test"), set()
    while ahead:
        one = ahead.pop()
        name = canonicalize_name(one.name)
        extras = one.extras or {""}
        if name in seen or (one.marker and not any(one.marker.evaluate({"extra": e}) for e in extras)):
            continue
        seen.add(name)
        for line in importlib.metadata.requires(name) or []:
            inner = Requirement(line)
            if not inner.marker or any(inner.marker.evaluate({"extra": e}) for e in extras):
                ahead.append(inner)
    assert seen - set(pinned) == set()
