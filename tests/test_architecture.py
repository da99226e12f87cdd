"""The floors of the house: imports go down only, modules stay small, nothing heavy is imported early."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# From the ground up. A module imports what stands on a lower floor, or before it on its own floor. A package
# stands for all its modules that are not named here; these may import each other, but not in a circle.
FLOORS: dict[str, str] = {
    "ground": ". messages errors reference",
    "records": "spec rule",
    "geometry": "geometry",
    "tools": "config words measure gcj02 zones helmert landing tiff raster locking reopening placing manifest results cluster",
    "nouns": "model layer_model units",
    "reading": "shifts hints position repair sources",
    "kinds of rule": "kinds layer_kinds",
    "the city": "rulebook catalogue",
    "checking": "coverage findings breakdown check verdicts admission",
    "screening": "versions overriding earlier answering reporting screening depths avoidance auditing comparing rechecking "
    "verifying likeness inspecting",
    "exports": "exporters exporters.map exporters.audited exporters.compared",
    "batches": "batch",
    "rasters": "rasters",
    "edges": "starting console cli_gather cli_output cli_reading cli_result cli_override cli_map cli_raster cli_audit cli_diff "
    "cli_verify cli_avoid cli_batch cli_inspect cli",
}
ORDER = ["lzgis" if name == "." else f"lzgis.{name}" for modules in FLOORS.values() for name in modules.split()]


def place(module: str) -> str:
    """Name the module or package of `ORDER` that a module belongs to."""
    while module not in ORDER and module.count(".") > 1:
        module = module.rpartition(".")[0]
    assert module in ORDER, f"{module} stands on no floor"
    return module


GEOMETRY_MAY_IMPORT = {"numpy", "shapely", "numba", "llvmlite", "filelock", "lazy_loader", "platformdirs", "lzgis"}
HEAVY = ("geopandas", "folium", "matplotlib", "rasterio", "pandas", "shapely")


def modules(folder: str) -> dict[str, Path]:
    """Name the modules below a folder of the project."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def tree(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text("utf-8"), str(path))


def imported(module: str, path: Path, known: dict[str, Path]) -> set[str]:
    """Name everything that a module imports, wherever the import stands, for type checking too."""
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
OURS = LZGIS | modules("scripts") | modules("benchmarks")


def test_every_floor_is_of_modules_that_exist():
    assert len(ORDER) == len(set(ORDER))
    assert set(ORDER) <= set(LZGIS)


# The front door names modules of every floor, as strings and for type checkers, and imports none.
@pytest.mark.parametrize("module", sorted(LZGIS.keys() - {"lzgis"}))
def test_imports_go_down(module):
    own = place(module)
    allowed = ORDER[: ORDER.index(own)]
    for name in needed(module):
        assert place(name) in allowed or place(name) == own, f"{module} imports {name}, which stands above it"


def test_no_imports_in_a_circle():
    graph = {module: needed(module) for module in LZGIS if module != "lzgis"}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def needed(module: str) -> set[str]:
    """Name the modules of lzgis that a module imports."""
    return {name for name in imported(module, LZGIS[module], LZGIS) if name.split(".")[0] == "lzgis"}


@pytest.mark.parametrize("module", sorted(name for name in LZGIS if name.startswith("lzgis.geometry")))
def test_geometry_knows_arrays_only(module):
    roots = {name.split(".")[0] for name in imported(module, LZGIS[module], LZGIS)}
    assert roots - set(sys.stdlib_module_names) <= GEOMETRY_MAY_IMPORT


@pytest.mark.parametrize("module", sorted(OURS))
def test_modules_and_functions_stay_small(module):
    path = OURS[module]
    assert len(path.read_text("utf-8").splitlines()) < 400, f"{module} is too long"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert lines_of_code(node) < 60, f"{module}.{node.name} is too long"
            given = {a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
            assert len(given - {"self", "cls"}) <= 7, f"{module}.{node.name} takes too many parameters"


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= (function.body[0].end_lineno or 0) - function.body[0].lineno + 1
    return lines


def loaded_after(code: str) -> set[str]:
    """Name the heavy packages that a fresh Python holds after running `code`."""
    ask = f"\nimport sys\nprint('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code + ask], capture_output=True, encoding="utf-8", check=True)
    return set(run.stdout.splitlines()[-1].split()[1:])


def test_import_lzgis_costs_nothing():
    assert loaded_after("import lzgis; dir(lzgis)") == set()


def test_a_file_of_sites_is_being_read_before_the_heavy_packages_come():
    code = """
import lzgis as lz
from lzgis.sources import ReadOptions, begin_reading
lz.screen
with begin_reading(lz.reference_city() / "sites.gpkg", options=ReadOptions(crs="EPSG:4490")) as reading:
    assert reading._process is not None
"""
    assert loaded_after(code) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["screen", "--help"], ["demo", "--help"], ["inspect", "--help"]])
def test_help_comes_without_the_heavy_packages(arguments):
    code = f"""
import sys
sys.argv = ['lzgis', *{arguments!r}]
from lzgis.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""
    assert loaded_after(code) == set()
