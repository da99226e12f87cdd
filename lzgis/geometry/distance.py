"""Answers about distances: arrays of one length."""

from __future__ import annotations

from dataclasses import dataclass

from lzgis.geometry.features import Floats, Integers


@dataclass(frozen=True)
class Nearest:
    """The nearest indexed geometry for each input; `right` is -1 and `distance` NaN where there is none."""

    right: Integers
    distance: Floats


@dataclass(frozen=True)
class DWithin:
    """Pairs within a distance, sorted by `left`, then `right`; arrays of one length."""

    left: Integers
    right: Integers
    distance: Floats
