"""The font of maps and PDFs, which lzgis ships because many machines have no Chinese font.

It has the characters of GBK. Rarer ones are taken from a font of the system that has them, and are squares if none does.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.ft2font import FT2Font, LoadFlags

from lzgis.errors import ExportError
from lzgis.exports.report_text import visible
from lzgis.messages import Message

FONT = Path(__file__).parent / "fonts" / "NotoSansSC-GBK-Regular.otf"

#: Fonts of operating systems, tried in this order for characters missing in the font of lzgis.
_SYSTEM_FONTS = (
    *("Microsoft YaHei", "SimSun", "SimSun-ExtB", "SimSun-ExtG", "MingLiU-ExtB", "PingFang SC", "Hiragino Sans GB"),
    *("Songti SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "DejaVu Sans"),
)

#: Printed for a character that no font has.
BLANK = "□"

MM_PER_POINT = 25.4 / 72

#: Height of a line of a label, in millimetres per point of font size.
LINE = 1.2 * MM_PER_POINT

_CLOSING = "、，。；：）》”〕,.;:)"


class Face(NamedTuple):
    """A font: its file, its name, and its characters."""

    path: Path
    name: str
    characters: frozenset[str]


@cache
def faces() -> tuple[Face, ...]:
    """Return the font of lzgis, then the fonts of the system used for rare characters."""
    if not FONT.is_file():
        what = Message("the font of maps and PDFs is missing")
        raise ExportError(str(FONT), what, Message("reinstall lzgis"))
    upright = {
        e.name: e.fname for e in reversed(fontManager.ttflist) if e.style == "normal" and e.weight in (400, "normal")
    }
    files = [FONT, *(Path(upright[name]) for name in _SYSTEM_FONTS if name in upright)]
    return tuple(_face(path) for path in files)


def _face(path: Path) -> Face:
    read = FT2Font(str(path))
    letters = map(chr, read.get_charmap())
    # Fonts also have bidirectional control characters, which are excluded so that they are printed visibly.
    return Face(path, read.family_name, frozenset(c for c in letters if c.isprintable() or c.isspace()))


def font(size_pt: float) -> FontProperties:
    """Return the font in a size."""
    return FontProperties(family=_families(), size=size_pt)


@cache
def _families() -> tuple[str, ...]:
    """Return the names of the fonts in matplotlib, the font of lzgis first, which is registered if needed."""
    own, *others = faces()
    if not any(Path(entry.fname) == own.path for entry in fontManager.ttflist):
        fontManager.addfont(str(own.path))
    name = next(entry.name for entry in fontManager.ttflist if Path(entry.fname) == own.path)
    return (name, *(face.name for face in others))


@cache
def _characters() -> frozenset[str]:
    return frozenset().union(*(face.characters for face in faces()))


def rare(text: str) -> bool:
    """Return whether a text has characters missing in the font of lzgis.

    Examples
    --------
    >>> rare("连州 塆"), rare(chr(0x20BB7))
    (False, True)
    """
    return not faces()[0].characters.issuperset(text)


def printable(text: str) -> str:
    """Return a text in one line, with `BLANK` for characters that no font has.

    Examples
    --------
    >>> printable("鄠邑 " + chr(0x1F3ED))
    '鄠邑 □'
    """
    known = _characters()
    return "".join(c if c in known else BLANK for c in " ".join(visible(text).split()))


def width_mm(text: str, size_pt: float) -> float:
    """Estimate the width of a text: a Chinese character is as wide as high, others a little over half as wide."""
    wide = len(text.encode("gbk", "replace")) - len(text)
    return (wide + 0.57 * (len(text) - wide)) * size_pt * MM_PER_POINT


def measured_mm(text: str, size_pt: float) -> float:
    """Measure the width of a text with the font.

    Examples
    --------
    >>> measured_mm("连州", 10.0) > measured_mm("ij", 10.0)
    True
    """
    face = get_font([str(face.path) for face in faces()] if rare(text) else str(FONT))
    face.set_size(100.0, 72.0)
    face.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return float(face.get_width_height()[0] / 64 / 100 * size_pt * MM_PER_POINT)


def shortened(text: str, limit_mm: float, size_pt: float) -> str:
    """Cut a text to a width, with an ellipsis if it was too long."""
    if width_mm(text, size_pt) <= limit_mm:
        return text
    whole, text = text, text[:400]
    cut = len(text)
    while cut and width_mm(text[:cut] + "…", size_pt) > limit_mm:
        cut -= 1
    # The estimate is high for Latin letters: the metrics of the font may leave room for more.
    while cut < len(text) and measured_mm(text[: cut + 1] + "…", size_pt) <= limit_mm:
        cut += 1
    return whole if cut == len(whole) else text[:cut] + "…"


def wrapped(text: str, limit_mm: float, size_pt: float, *, lines: int) -> list[str]:
    """Break a text into at most `lines` lines of a width; Chinese breaks anywhere, other words at spaces."""
    found: list[str] = []
    rest = text.strip()
    while rest and len(found) < lines - 1 and width_mm(rest, size_pt) > limit_mm:
        fitting = shortened(rest, limit_mm, size_pt)
        if fitting == rest:
            break
        fits = len(fitting) - 1
        # No line begins with closing punctuation.
        while rest[fits : fits + 1] and rest[fits] in _CLOSING and fits > 1:
            fits -= 1
        if rest[fits].isascii() and rest[fits - 1].isascii() and " " in rest[1:fits]:
            fits = rest.rindex(" ", 1, fits)
        found.append(rest[:fits].rstrip())
        rest = rest[fits:].lstrip()
    return [*found, shortened(rest, limit_mm, size_pt)] if rest else found
