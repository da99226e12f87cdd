"""Dependencies: pyproject.toml, constraints.txt and environment.yml agree."""

from __future__ import annotations

import importlib.metadata
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

# Packages with another name on conda-forge. matplotlib-base is matplotlib without a GUI toolkit.
ON_CONDA_FORGE = {
    "duckdb": "python-duckdb", "matplotlib": "matplotlib-base", "playwright": "playwright-python", "typst": "typst-py",
}  # fmt: skip
# Extras with a package that is not on conda-forge.
PIP_ONLY = {"build-layers"}
# Extras for work on lzgis itself; every other one is part of the extra "all".
DEVELOPMENT = {"build-layers", "docs", "test"}


def requirements(*extras: str) -> list[Requirement]:
    """Return the dependencies in pyproject.toml, and those of the given extras."""
    lines = [*PROJECT["dependencies"], *(x for e in extras for x in PROJECT["optional-dependencies"][e])]
    # The extra "all" requires lzgis with the other extras.
    return [one for line in lines if (one := Requirement(line)).name != PROJECT["name"]]


def pins() -> dict[str, Version]:
    """Return the versions in constraints.txt by package."""
    found: dict[str, Version] = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            assert canonicalize_name(name) not in found, f"{name} is listed twice"
            found[canonicalize_name(name)] = Version(version)
    return found


def conda_ranges() -> dict[str, SpecifierSet]:
    """Return the version ranges in environment.yml by package."""
    named = (line.partition(" ") for line in CONDA["dependencies"] if isinstance(line, str))
    return {name: SpecifierSet(spec) for name, _, spec in named}


def test_the_extra_all_gathers_the_others():
    (line,) = PROJECT["optional-dependencies"]["all"]
    assert Requirement(line).extras == set(PROJECT["optional-dependencies"]) - {"all"} - DEVELOPMENT


def test_conda_has_every_dependency_with_its_range():
    extras = set(PROJECT["optional-dependencies"]) - PIP_ONLY
    expected = {}
    for requirement in requirements(*extras):
        name = canonicalize_name(requirement.name)
        expected[ON_CONDA_FORGE.get(name, name)] = requirement.specifier
    expected["python"] = SpecifierSet(PROJECT["requires-python"])
    found = conda_ranges()
    assert found.pop("pip") == SpecifierSet()
    assert found == expected


def test_pip_in_conda_installs_only_lzgis():
    assert [part for part in CONDA["dependencies"] if isinstance(part, dict)] == [{"pip": ["-e ."]}]


@pytest.mark.parametrize("requirement", requirements(*PROJECT["optional-dependencies"]), ids=lambda r: r.name)
def test_pins_are_within_the_ranges(requirement):
    pinned = pins()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pinned, prereleases=True)


def test_every_installed_package_is_pinned():
    pinned = pins()
    waiting, seen = requirements("docs", "test"), set()
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        extras = one.extras or {""}
        if name in seen or (one.marker and not any(one.marker.evaluate({"extra": e}) for e in extras)):
            continue
        seen.add(name)
        for line in importlib.metadata.requires(name) or []:
            inner = Requirement(line)
            if not inner.marker or any(inner.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(inner)
    assert seen - set(pinned) == set()
