"""Layers can be distinguished on all maps, by readers with red-green colour blindness too."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from lzgis.exports.symbology import SYMBOLS, VALUE_SYMBOLS, Symbol

#: What is left of a colour, in linear light (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHT = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
#: Difference of two colours in CIELAB that is seen at a glance.
_SEEN = 12.0


def linear(colour: str, share: float = 1.0) -> Any:
    """Return a colour of a share of opacity on white paper, in linear light."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    light = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return light * share + 1 - share


def lab(light: Any, sight: str) -> Any:
    f = np.cbrt(_XYZ @ np.clip(SIGHT[sight] @ light, 0, 1) / [0.9505, 1.0, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one: Symbol, other: Symbol, sight: str) -> float:
    """Return how much the lines or the fills of two symbols differ, whichever differ more."""
    found = [(linear(one.line), linear(other.line))]
    found += [(linear(one.fill, one.tint), linear(other.fill, other.tint))] if one.fill and other.fill else []
    return max(float(np.linalg.norm(lab(a, sight) - lab(b, sight))) for a, b in found)


def differ_in_form(one: Symbol, other: Symbol) -> bool:
    """Whether two symbols differ in fill, dash, edges or ribbon, or, as lines, in width by three tenths."""
    forms = [(bool(s.fill), s.dash, bool(s.casing), bool(s.ribbon_mm)) for s in (one, other)]
    thin, wide = sorted((one.width, other.width))
    lines = not one.fill and not one.ribbon_mm
    return forms[0] != forms[1] or (lines and wide >= 1.3 * thin)


@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_layers_look_the_same(sight: str) -> None:
    drawn = {key: symbol for key, symbol in SYMBOLS.items() if not any(layer == key for layer, _ in VALUE_SYMBOLS)}
    drawn |= {"·".join(key): symbol for key, symbol in VALUE_SYMBOLS.items()}
    alike = [
        (a, b, round(apart(drawn[a], drawn[b], sight), 1))
        for a, b in combinations(drawn, 2)
        if not differ_in_form(drawn[a], drawn[b]) and apart(drawn[a], drawn[b], sight) < _SEEN
    ]
    assert alike == []
