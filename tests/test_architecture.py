"""The rooms of the package: imports go down only, `geometry` uses no tables, heavy packages are imported late."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# In order: a module may import from its own room and from the rooms before it.
ROOMS = [
    *("errors", "messages", "words", "config"),
    *("files", "geometry", "model", "coordinates", "rules", "reading", "city", "screening", "audits", "rasters"),
    *("exports", "batch", "web", "cli"),
]


def room(module: str) -> str:
    """Return the room of a module: the part after ``lzgis``."""
    return module.split(".")[1]


GEOMETRY_MAY_IMPORT = {"numpy", "shapely", "numba", "llvmlite", "filelock", "lazy_loader", "platformdirs", "lzgis"}
HEAVY = ("geopandas", "folium", "matplotlib", "rasterio", "pandas", "shapely")


def modules(folder: str) -> dict[str, Path]:
    """Return the modules in a folder of the project, by name."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def tree(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text("utf-8"), str(path))


def imported(module: str, path: Path, known: dict[str, Path]) -> set[str]:
    """Return everything that a module imports, anywhere in it, also for type checking only."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports from the root, as 'from lzgis.x import y'"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else str(node.module))
    return found - {module}


LZGIS = modules("lzgis")


def test_the_rooms_are_those_of_the_package():
    files = {path.stem for path in (ROOT / "lzgis").glob("*.py")} - {"__init__"}
    assert files | {path.parent.name for path in (ROOT / "lzgis").glob("*/__init__.py")} == set(ROOMS)


def test_the_readme_lists_the_rooms_from_the_top_down():
    listed = re.findall(r"^  ([a-z]+)(?:/|\.py) ", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert listed == ROOMS[::-1]


# `lzgis` itself exports names of every room and imports them when first used.
@pytest.mark.parametrize("module", sorted(LZGIS.keys() - {"lzgis"}))
def test_imports_go_down(module):
    below = ROOMS[: ROOMS.index(room(module)) + 1]
    for name in needed(module):
        assert room(name) in below, f"{module} imports {name}, which is in a room above it"


def test_no_circular_imports():
    graph = {module: needed(module) for module in LZGIS if module != "lzgis"}
    TopologicalSorter(graph).prepare()  # raises CycleError, which lists the modules


def needed(module: str) -> set[str]:
    """Return the modules of lzgis that a module imports."""
    return {name for name in imported(module, LZGIS[module], LZGIS) if name.startswith("lzgis.")}


@pytest.mark.parametrize("module", sorted(name for name in LZGIS if name.startswith("lzgis.geometry")))
def test_geometry_imports_no_other_packages(module):
    roots = {name.split(".")[0] for name in imported(module, LZGIS[module], LZGIS)}
    assert roots - set(sys.stdlib_module_names) <= GEOMETRY_MAY_IMPORT


def loaded_after(code: str) -> set[str]:
    """Return the heavy packages that are loaded in a new Python process after running `code`."""
    report = f"\nimport sys\nprint('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code + report], capture_output=True, encoding="utf-8", check=True)
    return set(run.stdout.splitlines()[-1].split()[1:])


def test_import_lzgis_loads_no_heavy_package():
    assert loaded_after("import lzgis; dir(lzgis)") == set()


def test_reading_begins_before_heavy_packages_are_imported():
    code = """
import lzgis as lz
from lzgis.reading import ReadOptions, begin_reading
lz.screen
with begin_reading(lz.reference_city() / "sites.gpkg", options=ReadOptions(crs="EPSG:4490")) as reading:
    assert reading._process is not None
"""
    assert loaded_after(code) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["screen", "--help"], ["demo", "--help"], ["inspect", "--help"]])
def test_help_loads_no_heavy_package(arguments):
    code = f"""
import sys
sys.argv = ['lzgis', *{arguments!r}]
from lzgis.cli.app import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""
    assert loaded_after(code) == set()
