"""Write a font with every Chinese character of GBK for LibreCAD: ``python scripts/librecad_font.py FOLDER``.

LibreCAD draws text with stroke fonts of its own (``*.lff``). Its font ``unicode`` lacks most simplified characters. This
script writes ``unicode.lff`` from the outlines of the font that lzgis draws its maps with; its licence is that of the source,
the SIL Open Font License. Put the file into a folder of fonts of LibreCAD (*Options → Application preferences → Paths →
Fonts*), or in the place of its ``unicode.lff``.

Needs fonttools, which matplotlib needs too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

SOURCE = Path(__file__).parents[1] / "lzgis" / "exports" / "fonts" / "NotoSansSC-GBK-Regular.otf"
#: The height of a line in an LFF font; the em of the source becomes as high.
HEIGHT = 9.0
#: Chords for each curve: the outlines are drawn a few millimetres wide at most.
CHORDS = 2
HEAD = """# Format:            LibreCAD Font 1
# Creator:           lzgis, scripts/librecad_font.py
# Version:           1
# Name:              {name}
# Encoding:          UTF-8
# LetterSpacing:     0.9
# WordSpacing:       3.5
# LineSpacingFactor: 1
# Author:            Adobe (Noto Sans CJK SC, the outlines)
# License:           SIL Open Font License 1.1
"""

Point = tuple[float, float]


def curve(start: Point, first: Point, second: Point, end: Point) -> list[Point]:
    """Return the points of a cubic curve after its start."""
    found = []
    for number in range(1, CHORDS + 1):
        t = number / CHORDS
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        corners = (start, first, second, end)
        x = sum(weight * point[0] for weight, point in zip(weights, corners, strict=True))
        y = sum(weight * point[1] for weight, point in zip(weights, corners, strict=True))
        found.append((x, y))
    return found


def outlines(pen: DecomposingRecordingPen) -> Iterator[list[Point]]:
    """Return the closed outlines that a pen recorded, in units of the font."""
    ring: list[Point] = []
    for operation, points in pen.value:
        if operation == "moveTo":
            ring = [points[0]]
        elif operation == "lineTo":
            ring.append(points[0])
        elif operation == "curveTo":
            ring += curve(ring[-1], *points)
        elif operation == "closePath":
            yield [*ring, ring[0]]


def glyph(shapes: Any, scale: float, code: int, name: str) -> str:
    """Return a character as LFF writes it: its code, then one line for each outline."""
    pen = DecomposingRecordingPen(shapes)
    shapes[name].draw(pen)
    lines = [";".join(f"{x * scale:.2f},{y * scale:.2f}" for x, y in ring) for ring in outlines(pen)]
    return "\n".join([f"[{code:04x}] {chr(code)}", *lines]) + "\n"


def main() -> None:
    """Write the font into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("python scripts/librecad_font.py FOLDER")
    font = TTFont(SOURCE)
    letters = sorted(font.getBestCmap().items())
    target = Path(sys.argv[1]) / "unicode.lff"
    target.parent.mkdir(parents=True, exist_ok=True)
    shapes, scale = font.getGlyphSet(), HEIGHT / font["head"].unitsPerEm
    # LibreCAD makes blanks of WordSpacing.
    drawn = (glyph(shapes, scale, code, name) for code, name in letters if chr(code).strip())
    target.write_text(HEAD.format(name=SOURCE.stem) + "\n" + "\n".join(drawn), "utf-8", newline="\n")
    print(f"{target}: {len(letters)} characters, {target.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
