"""Random bytes, text and shapes give a result or an error of lzgis, within limited time."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
import toy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lzgis.config import load_toml, parse
from lzgis.errors import LzgisError
from lzgis.model.catalogue import CatalogueSpec
from lzgis.reading import ReadOptions, read_many_in_sandbox
from lzgis.reading.repair import repair_geometries
from lzgis.reading.sandbox.child import read_with_warnings
from lzgis.rules.book import read_rulebook

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
from fuzz_readers import FORMATS, mutated, originals

# 5 s for one example, which a busy machine may still take long to get to.
SOON = settings(
    max_examples=60,
    deadline=5000,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

LINES = st.sampled_from(
    [
        *(
            "[属性描述]",
            "[地块坐标]",
            "【地块坐标】",
            "坐标系=2000国家大地坐标系",
            "带号=38",
            "带号=",
            "几度分带=6",
            "计量单位=米",
        ),
        *("4,1.0000,P1,甲,面,,,,@", "4,1.0,,,点,,,,@", "@", ",,,,,,,,@", "4,1.0000,P1,甲,面,,,,,,,,@"),
        *("J1,1,2765000,38445000", "J2,1,2765100,38445000", "J3,1,2765100,38445100", "J4,1,2765000,38445100"),
        *(
            "J1,2,2765010,38445010",
            "J1,1,38445000,2765000",
            "J1,1,NaN,inf",
            "J1,x,1,2",
            "Ｊ１，１，２７６５０００，３８４４５０００",
            "",
        ),
    ]
)


@SOON
@given(
    lines=st.lists(LINES | st.text(max_size=30), max_size=25), encoding=st.sampled_from(["utf-8", "gb18030", "utf-16"])
)
def test_boundary_point_files(tmp_path, lines, encoding):
    path = tmp_path / "plan.txt"
    path.write_bytes("\n".join(lines).encode(encoding, "replace"))
    answered(path)


@SOON
@given(
    data=st.binary(max_size=400), suffix=st.sampled_from([".txt", ".csv", ".geojson", ".kml", ".gml", ".dxf", ".shp"])
)
def test_noise_under_any_name(tmp_path, data, suffix):
    path = tmp_path / f"noise{suffix}"
    path.write_bytes(data)
    answered(path)


CELLS = st.sampled_from(
    ["112.5", "25", "２５", "", "北纬25", "1e400", "nan", "POINT (1 2)", "x,y", '"', "\0", "112°30′"]
) | st.text(max_size=8)


@SOON
@given(
    head=st.lists(
        st.sampled_from(["id", "经度", "纬度", "X", "Y", "WKT", "圈号", "点号", "编号", ""]), min_size=1, max_size=6
    ),
    rows=st.lists(st.lists(CELLS, max_size=7), max_size=8),
    sep=st.sampled_from([",", ";", "\t"]),
)
def test_tables(tmp_path, head, rows, sep):
    path = tmp_path / "sites.csv"
    path.write_bytes("\n".join(sep.join(row) for row in [head, *rows]).encode("utf-8", "replace"))
    answered(path)


def answered(path):
    """Read a file: an answer, or an error of lzgis with all its parts."""
    try:
        read_with_warnings(str(path), ReadOptions(crs="EPSG:4526"))
    except LzgisError as error:
        assert error.place
        assert error.what
        assert error.remedy


TOML = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["city", "layer", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)
TOML_LINES = st.sampled_from(
    [
        *(
            "[city]",
            "[layer.a]",
            "[rule.r]",
            "[book]",
            "[document.d]",
            'name = "x"',
            'kind = "avoid"',
            "layer = 1",
            "= 3",
        ),
        *(
            "basis = [{ document = 'd' }]",
            "effective_from = 2020-01-01",
            "distance_m = nan",
            "[[rule.r.unless]]",
            "x = '''",
        ),
    ]
)


@SOON
@given(document=TOML)
def test_catalogues(document):
    try:
        parse(CatalogueSpec, document, "catalog.toml")  # type: ignore[arg-type]
    except LzgisError as error:
        assert "catalog.toml" in str(error)


@SOON
@given(lines=st.lists(TOML_LINES | st.text(max_size=20), max_size=12))
def test_rule_books_and_toml(tmp_path, lines):
    path = tmp_path / "rules.toml"
    path.write_bytes("\n".join(lines).encode("utf-8", "replace"))
    for read in (load_toml, read_rulebook):
        try:
            read(path)
        except LzgisError as error:
            assert "rules.toml" in str(error)


NUMBERS = st.integers(0, 12).map(float) | st.sampled_from([np.nan, np.inf, 1e-9, 3.0000001])
RINGS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=8).map(lambda ring: [(0.0, 0.0), *ring, (0.0, 0.0)])
POLYGONS = st.builds(shapely.Polygon, RINGS, st.lists(RINGS, max_size=2))
SHAPES = POLYGONS | st.lists(POLYGONS, max_size=3).map(shapely.MultiPolygon)
SHAPES |= st.lists(SHAPES | RINGS.map(shapely.LineString), max_size=3).map(shapely.GeometryCollection)


@SOON
@given(shapes=st.lists(SHAPES, min_size=1, max_size=3))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_repairs(shapes):
    there = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy * 1e-4 + np.array([112.5, 25]))
    ids = np.array([f"f{i}" for i in range(len(there))])
    listed, accepted = repair_geometries(there, ids, "here"), repair_geometries(there, ids, "here", accept="accepted")
    for done in (listed, accepted):
        kept = done.accepted
        assert shapely.is_valid(kept[~shapely.is_missing(kept)]).all()
    # What is not relied on is reported, and accepting repairs never takes a shape away.
    places = " ".join(p.place for p in listed.problems if p.level == "error")
    assert all(f"'{ids[i]}'" in places for i in np.flatnonzero(shapely.is_missing(listed.accepted)))
    assert not (shapely.is_missing(accepted.accepted) & ~shapely.is_missing(listed.accepted)).any()
    assert not accepted.refused.any()


@pytest.mark.parametrize("suffix", FORMATS)
def test_mutated_files(suffix, tmp_path):
    original = originals(tmp_path, toy.sites(toy.square(0, 0), toy.square(200, 0)))[suffix]
    requests = [(path, ReadOptions()) for path in mutated(original, tmp_path / "mutated", 50)]
    results = read_many_in_sandbox(requests)
    assert len(results) == 50
    assert any(isinstance(one, LzgisError) for one in results)
    assert all(one.place and one.what and one.remedy for one in results if isinstance(one, LzgisError))
    # A process that ends with an exit code of its own has let an exception through.
    assert not any("exit code" in str(one) for one in results if isinstance(one, LzgisError))
