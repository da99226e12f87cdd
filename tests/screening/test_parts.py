"""The geometry of findings is built when it is used, and then is what any array of geometries is."""

from __future__ import annotations

import pickle

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from shapely import Point

from lzgis.rules.for_sites.base import Rows
from lzgis.screening.parts import CGCS2000, PartArray, PartKeys


class Maker:
    """Builds a point per site, none for every third, and counts what it builds."""

    def __init__(self):
        self.built = 0

    def __call__(self, keys):
        self.built += len(keys.rule)
        return np.array(
            [None if s % 3 == 2 else Point(s, r) for s, r in zip(keys.rows.site, keys.rule, strict=True)] or [None]
        )[: len(keys.rule)]


def lazy(n=8):
    make = Maker()
    texts = np.full(n, "", dtype=object)
    return make, PartArray(make, PartKeys(np.arange(n) % 2, Rows(np.arange(n), np.arange(n), texts, texts)))


def texts(array):
    return [None if one is None else one.wkt for one in np.asarray(array, dtype=object)]


EXPECTED = [None if i % 3 == 2 else f"POINT ({i} {i % 2})" for i in range(8)]


@pytest.mark.parametrize(
    "which",
    [slice(2, 6), slice(None, None, -1), np.arange(8) % 2 == 0, np.array([5, 1, 1]), [3, 0], np.array([-1, 2])],
    ids=["slice", "reversed", "mask", "positions", "list", "from the end"],
)
def test_some_elements_are_built_without_the_others(which):
    make, array = lazy()
    some = array[which]
    assert make.built == 0
    wanted = np.array(EXPECTED, dtype=object)[which].tolist()
    assert (len(some), texts(some), make.built) == (len(wanted), wanted, len(wanted))
    assert str(some.crs) == CGCS2000
    assert texts(array) == EXPECTED
    assert texts(array[which]) == wanted


def test_take_concat_copy_and_pickle():
    _, array = lazy()
    assert texts(array.take([4, -1, 0])) == [EXPECTED[4], EXPECTED[-1], EXPECTED[0]]
    assert texts(array.take([4, -1], allow_fill=True)) == [EXPECTED[4], None]
    assert texts(array.copy()) == EXPECTED
    assert texts(pickle.loads(pickle.dumps(array))) == EXPECTED
    assert pickle.loads(pickle.dumps(array)).crs == array.crs
    assert array[1] == Point(1, 1)
    assert array[2] is None
    frames = [gpd.GeoDataFrame({"n": range(8)}, geometry=lazy()[1]) for _ in range(2)]
    assert texts(pd.concat(frames, ignore_index=True).geometry.array) == EXPECTED * 2


def test_a_frame_of_parts_equals_one_of_geometries():
    frame = gpd.GeoDataFrame({"n": range(8)}, geometry=lazy()[1])
    plain = gpd.GeoDataFrame({"n": range(8)}, geometry=np.asarray(lazy()[1], dtype=object), crs=CGCS2000)
    assert_geodataframe_equal(frame, plain)
    assert_geodataframe_equal(frame[frame["n"] > 3], plain[plain["n"] > 3])
    assert_geodataframe_equal(frame.sort_values("n", ascending=False), plain.sort_values("n", ascending=False))
    assert shapely.is_missing(frame.geometry.to_numpy()).tolist() == [one is None for one in EXPECTED]


def test_an_element_set_in_a_copy_leaves_the_original():
    _, array = lazy()
    other = array.copy()
    other[0] = Point(9, 9)
    assert (texts(other)[0], texts(array)) == ("POINT (9 9)", EXPECTED)


def test_tables_are_made_without_geometry():
    make, array = lazy()
    frame = gpd.GeoDataFrame({"n": range(8)}, geometry=array)
    table = pd.DataFrame(frame.drop(columns="geometry"))
    assert frame["n"].sum() == 28
    assert len(frame[frame["n"] > 2]) == 5
    assert (len(table), make.built) == (8, 0)
