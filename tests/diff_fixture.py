"""Layers and reports for the tests of comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
import toy

import lzgis as lz
from lzgis.screening.screen import screen


def layer(path: Path, shapes: list[shapely.Geometry], **columns: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    toy.write(path, shapes, **columns)
    return path


NOT_LESS = """
[rule.redline-not-less]
kind = "not_less"
layer = "redline"
by = "name"
title = "面积不减少"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""


def reported(city: Path, sites: gpd.GeoDataFrame, path: Path, as_of: str = toy.AS_OF) -> Path:
    lz.export(screen(sites, city, as_of=as_of), path)
    return path
