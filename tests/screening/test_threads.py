"""Rules about different layers are checked in different threads; the answers do not depend on it."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
import shapely

import lzgis as lz
from lzgis.city.provenance import date_of
from lzgis.geometry import threads
from lzgis.screening import check
from lzgis.screening.run import screen_table
from lzgis.screening.setting import setting_of


@pytest.fixture(scope="module")
def setting():
    return setting_of(lz.open_catalogue("layers"), date_of("2026-11-21"))


def screened(setting, cores, monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: cores)
    return screen_table(lz.read_sites("layers/sites.gpkg"), setting)


def test_one_thread_and_several_give_the_same_bytes(setting, monkeypatch):
    one, several = screened(setting, 1, monkeypatch), screened(setting, 3, monkeypatch)
    pd.testing.assert_frame_equal(one.findings.drop(columns="geometry"), several.findings.drop(columns="geometry"))
    pd.testing.assert_frame_equal(one.breakdown, several.breakdown)
    pd.testing.assert_frame_equal(one.verdicts, several.verdicts)
    parts = [shapely.to_wkb(report.findings.geometry.to_numpy()) for report in (one, several)]
    assert np.array_equal(*parts)


def test_rules_that_share_a_layer_are_checked_by_one_thread(setting, monkeypatch):
    seen: dict[str, set[int]] = {}
    checked = check._check

    def noted(rule, shared):
        for layer in {rule.layer, *rule.layers}:
            seen.setdefault(layer, set()).add(threading.get_ident())
        return checked(rule, shared)

    monkeypatch.setattr(check, "_check", noted)
    screened(setting, 3, monkeypatch)
    assert {len(idents) for idents in seen.values()} == {1}
    assert len(set.union(*seen.values())) > 1


@pytest.mark.parametrize("cores", [1, 3])
def test_an_error_of_one_rule_ends_the_check(setting, cores, monkeypatch):
    def fails(rule, shared):
        raise MemoryError(rule.id)

    monkeypatch.setattr(check, "_check", fails)
    with pytest.raises(MemoryError):
        screened(setting, cores, monkeypatch)


def test_the_last_group_has_all_cores(monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    alone = threading.Event()
    seen = {}

    def work(number):
        if number == 9:
            # The other group has ended, or is about to.
            alone.wait(5)
        seen[number] = threads.cores()
        if number == 2:
            alone.set()

    threads.in_groups([[1, 2], [9, 10]], work)
    assert seen[1] == 2
    assert seen[10] == 4
    assert threads.cores() == 4
