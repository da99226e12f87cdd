"""Layers cut to pieces and compared in threads."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import defaultdict

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lzgis.geometry import FeatureIndex, overlaps
from lzgis.geometry.corridor import Cases, encroached_by_group
from lzgis.geometry.layer_pieces import common_parts, cut_to_pieces, line_chains, uncovered_parts, union_area
from lzgis.geometry.threads import by_rows


def discs(centres: np.ndarray, radius: float) -> np.ndarray:
    return shapely.buffer(shapely.points(centres), radius, quad_segs=24)


def test_threads_give_the_same_and_share_nothing_that_is_prepared(monkeypatch):
    # A prepared geometry keeps notes while it answers: two threads that ask the same one bring the program down.
    rng = np.random.default_rng(0)
    mine = cut_to_pieces(discs(rng.uniform(0, 100, (1500, 2)), 1.5))
    cover = cut_to_pieces(discs(np.stack(np.mgrid[0:10, 0:10], axis=-1).reshape(-1, 2) * 10.0, 6.5))
    alone = uncovered_parts(mine, cover.index, threads=1)
    prepared: dict[int, list[shapely.Geometry]] = defaultdict(list)
    waiting = threading.Barrier(4, timeout=20)
    real = shapely.prepare

    def spied(geometries, **more):
        here = threading.get_ident()
        if here not in prepared:
            prepared[here] = []
            # Nobody goes on before all four threads are at work.
            waiting.wait()
        prepared[here] += list(np.atleast_1d(geometries))
        return real(geometries, **more)

    monkeypatch.setattr(shapely, "prepare", spied)
    together = uncovered_parts(mine, cover.index, threads=4)
    assert len(prepared) == 4
    owners = [{id(one) for one in some} for some in prepared.values()]
    assert sum(len(one) for one in owners) == len(set().union(*owners))
    assert shapely.equals_exact(together, alone, 0.0).all()
    assert shapely.area(alone).sum() == pytest.approx(shapely.area(together).sum())


def test_threads_never_ask_a_geometry_that_another_question_prepared(monkeypatch):
    rng = np.random.default_rng(1)
    one, two = (cut_to_pieces(discs(rng.uniform(0, 60, (300, 2)), 1.5)) for _ in range(2))
    # Small geometries are not cut: the pieces are the layer's own, which any other rule may have prepared.
    shapely.prepare(one.geometries[::2])
    shapely.prepare(two.geometries)
    asked: list[bool] = []
    real = shapely.intersects

    def spied(a, b, **more):
        asked.append(bool(shapely.is_prepared(a).any() or shapely.is_prepared(b).any()))
        return real(a, b, **more)

    monkeypatch.setattr(shapely, "intersects", spied)
    together, alone = (common_parts(one, two, threads=threads) for threads in (4, 1))
    assert len(asked) > 4
    assert not any(asked)
    assert shapely.equals_exact(together.part, alone.part, 0.0).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 60), st.floats(1, 30)), min_size=1, max_size=8))
def test_the_area_of_a_union_is_that_of_the_united_polygons(given_discs):
    # Overlapping by twos and more, one within the other, the same one twice.
    shapes = np.array([shapely.Point(x, y).buffer(r) - shapely.Point(x, y).buffer(r / 3) for x, y, r in given_discs])
    shapes = np.concatenate([shapes, shapes[:1]])
    assert union_area(shapes) == pytest.approx(shapely.union_all(shapes).area, rel=1e-9)


def test_the_area_of_nothing_is_none():
    assert union_area(np.array([], dtype=object)) == 0.0
    assert union_area(np.array([shapely.Polygon()], dtype=object)) == 0.0


def test_lines_in_stretches_are_the_lines_again():
    rng = np.random.default_rng(3)
    line = shapely.LineString(np.cumsum(rng.normal(size=(1000, 2)), axis=0))
    short = line_chains(np.array([line, shapely.MultiLineString([[(0, 0), (1, 0)], [(5, 5), (6, 5)]])]), most=64)
    assert shapely.get_num_coordinates(short.geometries).max() == 64
    assert shapely.length(short.geometries[short.owner == 0]).sum() == pytest.approx(line.length)
    assert shapely.line_merge(shapely.union_all(short.geometries[short.owner == 1])).length == 2.0


def test_rows_in_threads_are_those_of_one_thread(monkeypatch):
    rng = np.random.default_rng(8)
    sites, layer = discs(rng.uniform(0, 100, (1500, 2)), 4.0), discs(rng.uniform(0, 100, (200, 2)), 9.0)
    lines = shapely.boundary(layer)
    index = FeatureIndex(layer)
    used = set()

    def spied(*columns):
        used.add(threading.get_ident())
        return shapely.intersection(*columns)

    answers = []
    for parent, cores in ((None, 4), (object(), 4), (None, 1)):
        monkeypatch.setattr(multiprocessing, "parent_process", lambda parent=parent: parent)
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        used.clear()
        by_rows(spied, sites, np.full(len(sites), layer[0]))
        # In a process that another one began, as those of a batch are, this thread does it all.
        assert (threading.get_ident() in used) == (parent is not None or cores == 1)
        one_each = Cases(
            np.arange(200).repeat(5), np.arange(1001), np.tile(np.arange(len(lines)), 5), np.full(1000, 3.0)
        )
        parts = encroached_by_group(sites, lines, one_each)
        answers.append(shapely.to_wkb([*overlaps(sites, index).part, *parts]).tolist())
    assert answers[0] == answers[1] == answers[2]
