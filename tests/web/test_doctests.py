"""The examples in the modules of the page."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

pytest.importorskip("web_page")

import lzgis.web

MODULES = [one.name for one in pkgutil.walk_packages(lzgis.web.__path__, "lzgis.web.") if "migrations" not in one.name]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
