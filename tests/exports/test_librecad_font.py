"""The font for LibreCAD: every character of GBK, as closed outlines in the units of its format."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont

SCRIPT = Path(__file__).parents[2] / "scripts" / "librecad_font.py"


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("librecad_font", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_middle_of_a_curve_is_that_of_its_formula(script: Any) -> None:
    # (1 * 0 + 3 * 0 + 3 * 4 + 1 * 4) / 8 = 2 and (0 + 3 * 4 + 3 * 4 + 0) / 8 = 3
    assert script.curve((0, 0), (0, 4), (4, 4), (4, 0)) == [(2, 3), (4, 0)]


def test_characters_are_closed_outlines_no_higher_than_a_line(script: Any) -> None:
    font = TTFont(script.SOURCE)
    names, shapes = font.getBestCmap(), font.getGlyphSet()
    head, *lines = script.glyph(shapes, script.HEIGHT / font["head"].unitsPerEm, ord("口"), names[ord("口")]).split()
    assert head == "[53e3]"
    assert lines.pop(0) == "口"
    # The outline and the hole.
    assert len(lines) == 2
    for line in lines:
        points = [tuple(map(float, one.split(","))) for one in line.split(";")]
        assert points[0] == points[-1]
        assert all(0 <= x <= script.HEIGHT and -2 < y <= script.HEIGHT for x, y in points)


def test_simplified_characters_that_librecad_lacks_are_there(script: Any) -> None:
    known = TTFont(script.SOURCE).getBestCmap()
    assert all(ord(one) in known for one in "生态保护红线永久基本农田城镇开发边界")
