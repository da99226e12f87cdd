"""Letters for pictures: a font that comes along, since a fresh machine has none that can write Chinese.

It has the letters of GBK. A rarer one is taken from a font of the system that has it, and is a square if none does.
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

#: Fonts that systems come with, tried in this order for letters that ours lacks.
_OF_SYSTEMS = (
    *("Microsoft YaHei", "SimSun", "SimSun-ExtB", "SimSun-ExtG", "MingLiU-ExtB", "PingFang SC", "Hiragino Sans GB"),
    *("Songti SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "DejaVu Sans"),
)

#: Stands for a letter that the font lacks.
BLANK = "□"

MM_PER_POINT = 25.4 / 72

#: Height of a line of a label, millimetres per point of its size.
LINE = 1.2 * MM_PER_POINT

_CLOSING = "、，。；：）》”〕,.;:)"


class Face(NamedTuple):
    """A font: its file, its name, and the letters that it has."""

    path: Path
    name: str
    letters: frozenset[str]


@cache
def faces() -> tuple[Face, ...]:
    """Give our font, and those of the system that may be asked for rare letters."""
    if not FONT.is_file():
        what = Message("the font that pictures are lettered with is missing")
        raise ExportError(str(FONT), what, Message("install lzgis anew"))
    upright = {
        e.name: e.fname for e in reversed(fontManager.ttflist) if e.style == "normal" and e.weight in (400, "normal")
    }
    files = [FONT, *(Path(upright[name]) for name in _OF_SYSTEMS if name in upright)]
    return tuple(_face(path) for path in files)


def _face(path: Path) -> Face:
    read = FT2Font(str(path))
    letters = map(chr, read.get_charmap())
    # Fonts have marks that turn the reading direction as well, which must stay visible.
    return Face(path, read.family_name, frozenset(c for c in letters if c.isprintable() or c.isspace()))


def font(size_pt: float) -> FontProperties:
    """Return the font in a size."""
    return FontProperties(family=_families(), size=size_pt)


@cache
def _families() -> tuple[str, ...]:
    """Names under which matplotlib finds the fonts, ours first; ours it does not know before."""
    own, *others = faces()
    if not any(Path(entry.fname) == own.path for entry in fontManager.ttflist):
        fontManager.addfont(str(own.path))
    name = next(entry.name for entry in fontManager.ttflist if Path(entry.fname) == own.path)
    return (name, *(face.name for face in others))


@cache
def _letters() -> frozenset[str]:
    return frozenset().union(*(face.letters for face in faces()))


def rare(text: str) -> bool:
    """Tell whether a text has letters that our font lacks.

    Examples
    --------
    >>> rare("连州 塆"), rare(chr(0x20BB7))
    (False, True)
    """
    return not faces()[0].letters.issuperset(text)


def printable(text: str) -> str:
    """Give a text in one line and in letters that a font has.

    Examples
    --------
    >>> printable("鄠邑 " + chr(0x1F3ED))
    '鄠邑 □'
    """
    known = _letters()
    return "".join(c if c in known else BLANK for c in " ".join(visible(text).split()))


def width_mm(text: str, size_pt: float) -> float:
    """Estimate how wide a text is: a Chinese letter is as wide as high, others a little over half."""
    wide = len(text.encode("gbk", "replace")) - len(text)
    return (wide + 0.57 * (len(text) - wide)) * size_pt * MM_PER_POINT


def measured_mm(text: str, size_pt: float) -> float:
    """Measure how wide a text is, letter by letter.

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
    """Cut a text to a width, with an ellipsis if anything is lost."""
    if width_mm(text, size_pt) <= limit_mm:
        return text
    text = text[:400]
    while text and width_mm(text + "…", size_pt) > limit_mm:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, limit_mm: float, size_pt: float, *, lines: int) -> list[str]:
    """Break a text into at most `lines` lines of a width; Chinese may be broken anywhere, words at blanks."""
    found: list[str] = []
    rest = text.strip()
    while rest and len(found) < lines - 1 and width_mm(rest, size_pt) > limit_mm:
        fits = len(shortened(rest, limit_mm, size_pt)) - 1
        # No line begins with a closing mark.
        while rest[fits : fits + 1] and rest[fits] in _CLOSING and fits > 1:
            fits -= 1
        if rest[fits].isascii() and rest[fits - 1].isascii() and " " in rest[1:fits]:
            fits = rest.rindex(" ", 1, fits)
        found.append(rest[:fits].rstrip())
        rest = rest[fits:].lstrip()
    return [*found, shortened(rest, limit_mm, size_pt)] if rest else found
