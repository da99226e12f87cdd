"""The raster commands: tables on standard output, files on request, exit codes that a script can use."""

from __future__ import annotations

import csv

import pytest
import shapely
import toy
from python_calamine import CalamineWorkbook
from raster_fixture import described, forest, write_raster
from typer.testing import CliRunner

import lzgis as lz
from lzgis.audits.verify import verify
from lzgis.cli.app import app

run = CliRunner()


@pytest.fixture
def city(tmp_path):
    folder = described(tmp_path / "city", early="", late="")
    late = forest()
    late[42, 51:53] = 5
    write_raster(folder / "early.tif", forest())
    write_raster(folder / "late.tif", late)
    return folder


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_stats_shows_and_writes_shares(city, tmp_path):
    out = tmp_path / "out"
    arguments = ["raster", "stats", "--layers", str(city), "--by", "redline.*", "--out", str(out)]
    done = run.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "林地" in done.stdout
    rows = table(out / "composition.csv")
    assert sum(float(row["占比"]) for row in rows) == pytest.approx(1)
    english = run.invoke(app, [*arguments[:-2], "--lang", "en"])
    assert "Forest" in english.stdout
    assert "Composition" in english.stdout


def sheet(path, number):
    book = CalamineWorkbook.from_path(str(path))
    return book.get_sheet_by_name(book.sheet_names[number]).to_python()[3:]


def test_the_workbook_of_stock_holds_what_was_counted_and_what_was_declared(tmp_path):
    done = run.invoke(app, ["raster", "stats", "--by", "city.*", "--out", str(tmp_path), "--lang", "en"])
    assert done.exit_code == 0, done.output
    head, *rows = sheet(tmp_path / "stats.xlsx", 0)
    assert (head[3], head[7]) == ("Class", "Share")
    assert sum(row[7] for row in rows) == pytest.approx(1, abs=1e-5)
    assert {row[3] for row in rows} >= {"Forest", "Built-up"}
    declared = sheet(tmp_path / "stats.xlsx", 1)[1:]
    assert [row[3] for row in declared] == ["yes", "no"]
    assert declared[0][2] == pytest.approx(0.6821, abs=5e-5)


def test_the_workbook_of_change_holds_patches_transitions_and_the_matrix(city, tmp_path):
    run.invoke(app, ["raster", "change", "early", "late", "--layers", str(city), "--out", str(tmp_path)])
    patches, transitions, matrix = (sheet(tmp_path / "change.xlsx", n) for n in range(3))
    assert len(patches) == 2
    changed = [row for row in transitions[1:] if row[0] == "生态保护红线" and row[3] != row[4]]
    assert len(changed) == 1
    # Square metres of the transition, hectares of the matrix, square metres of the patch: one and the same.
    built = matrix[0].index("建设用地")
    forest = next(row for row in matrix[1:] if row[0] == "林地")
    assert forest[built] * 1e4 == pytest.approx(changed[0][6], abs=1)
    assert patches[1][3] == pytest.approx(changed[0][6], rel=1e-4)


def test_stats_of_elevation_has_limits(tmp_path):
    done = run.invoke(app, ["raster", "stats", "dem", "--by", "farmland.*", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "大于 25°" in done.stdout
    assert {row["类别"] for row in table(tmp_path / "limits.csv")} >= {"永久基本农田", "建设用地"}


def test_declared_figures_are_shown_beside_the_measured_ones():
    done = run.invoke(app, ["raster", "stats", "--by", "city.*"])
    assert "公布 0.6821" in done.stdout
    assert "相符：否" in done.stdout


def test_the_exit_code_of_change_is_1_if_anything_was_converted(city, tmp_path):
    arguments = ["raster", "change", "early", "late", "--layers", str(city)]
    done = run.invoke(app, [*arguments, "--out", str(tmp_path / "out")])
    assert done.exit_code == 1, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "change.gpkg",
        "change.png",
        "change.xlsx",
        "manifest.json",
        "patches.csv",
        "transitions.csv",
    ]
    assert len(table(tmp_path / "out" / "patches.csv")) == 1
    assert run.invoke(app, ["raster", "change", "late", "late", "--layers", str(city)]).exit_code == 0


def test_surface_writes_a_file_that_is_read_again(city, tmp_path):
    path = tmp_path / "surface.tif"
    done = run.invoke(
        app, ["raster", "surface", str(path), "--cell", "200", "--layers", str(city), "--as-of", "2026-11-21"]
    )
    assert done.exit_code == 0, done.output
    assert "未核查" not in done.stdout.splitlines()[0]
    assert "缺少图层“caves”" in done.stdout
    assert lz.read_surface(path).covered("redline").any()


def test_a_mistake_names_what_is_allowed():
    done = run.invoke(app, ["raster", "change", "landcover_2015", "landcover_202"])
    assert isinstance(done.exception, lz.ConfigError)
    assert "did you mean 'landcover_2020'" in str(done.exception)


def test_layers_lists_rasters_measured_beside_declared(city):
    done = run.invoke(app, ["layers", "--lang", "en"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    # The layer of forest land declares the same share; these are the rows of the raster.
    rows = [line for line in done.stdout.splitlines() if "68.2100% (forest" in line]
    assert ["yes" in row for row in rows] == [True, False]
    assert "68.2103%" in rows[0]
    assert "611 × 701" in done.stdout


def test_layers_goes_on_past_a_raster_that_cannot_be_used(city):
    (city / "early.tif").write_bytes((city / "early.tif").read_bytes()[:300])
    done = run.invoke(app, ["layers", "--layers", str(city), "--lang", "en"])
    assert done.exit_code == 2
    assert "unusable" in done.stdout
    assert "early.tif" in done.stdout
    assert "Farmland" not in done.stderr


def test_results_of_rasters_are_verified_like_all_others(city, tmp_path):
    out = tmp_path / "out"
    toy_sites = toy.sites(toy.square(100, 100), toy.square(200, 2000))
    toy_sites.to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    stats = ["raster", "stats", "late", "--layers", str(city), "--out", str(out), "--by", "redline.*"]
    assert run.invoke(app, [*stats, "--sites", str(tmp_path / "sites.gpkg")]).exit_code == 0
    assert (
        run.invoke(app, ["raster", "change", "early", "late", "--layers", str(city), "--out", str(out)]).exit_code == 1
    )
    found = verify(out)
    assert found.state == "same"
    assert {one.name for one in found.files} == {
        *("composition.csv", "stats.xlsx"),
        *("change.gpkg", "change.png", "change.xlsx", "patches.csv", "transitions.csv"),
    }
    inputs = {(one.result, one.role) for one in found.inputs}
    assert inputs >= {("raster-stats", name) for name in ("late", "redline", "sites", "rules", "catalogue")}
    assert inputs >= {("raster-change", name) for name in ("early", "late", "redline")}
    # Roads are no zone: what becomes of them changes nothing here.
    assert "roads" not in {role for _, role in inputs}
    toy.write(city / "roads.gpkg", [toy.square(0, 0)])
    assert verify(out).state == "same"
    write_raster(city / "late.tif", forest())
    changed = {(one.result, one.role) for one in verify(out).inputs if one.state != "same"}
    assert changed == {("raster-stats", "late"), ("raster-change", "late")}
    toy.write(city / "redline.gpkg", [toy.square(0, 0)])
    (tmp_path / "sites.gpkg").unlink()
    changed = {(one.result, one.role, str(one.state)) for one in verify(out).inputs if one.role in ("redline", "sites")}
    assert changed == {
        *(("raster-stats", "redline", "changed"), ("raster-change", "redline", "changed")),
        ("raster-stats", "sites", "missing"),
    }
    (out / "composition.csv").write_text("other", "utf-8")
    assert verify(out).state == "damaged"


def test_stats_read_sites_with_the_reading_options(city, tmp_path):
    bow_tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    toy.sites(toy.square(200, 200), bow_tie).to_file(tmp_path / "sites.gpkg", engine="pyogrio")
    stats = [
        "raster",
        "stats",
        "late",
        "--layers",
        str(city),
        "--by",
        "redline.*",
        "--sites",
        str(tmp_path / "sites.gpkg"),
    ]

    def zones(*more):
        done = run.invoke(app, [*stats, "--out", str(tmp_path / "out"), *more])
        assert done.exit_code == 0, done.output
        return done.stdout, {row["分区编号"] for row in table(tmp_path / "out" / "composition.csv")}

    # A repair would make 5,000 ㎡ of nothing.
    shown, found = zones()
    assert found == {"redline", "s1"}
    assert "s2" in shown
    assert "有 1 个地块没有面积，未计入" in shown
    assert zones("--accept-repairs")[1] == {"redline", "s1", "s2"}
