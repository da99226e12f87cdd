"""Build the font of maps and pictures: the subset of Noto Sans CJK SC with the characters of GBK.

    python scripts/build_font.py [NotoSansCJK-Regular.ttc]

Needs fonttools. Without an argument it needs Debian's package fonts-noto-cjk too. A subset of GB 2312 would be
smaller, but lacks characters of real place names (鄠, 堃, 镕, 塆). The complete font has 16 MB. Layout tables, hints
and vertical metrics are removed because matplotlib does not use them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

DEBIAN_FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
FACE = "Noto Sans CJK SC"
NAME = "Noto Sans SC GBK"
POSTSCRIPT_NAME = "NotoSansSC-GBK-Regular"
TARGET = Path(__file__).parents[1] / "lzgis" / "exports" / "fonts" / f"{POSTSCRIPT_NAME}.otf"

# Symbols used in reports that GBK lacks, or that must be present in any case.
SIGNS = "㎡√×°²³±≤≥µ·–—…′″™©®•⚠✓□"


def repertoire() -> set[str]:
    """Return every character of the gbk codec, ASCII, and the symbols of reports."""
    found = {chr(code) for code in range(0x20, 0x7F)} | set(SIGNS)
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                found.add(bytes((lead, trail)).decode("gbk"))
            except UnicodeDecodeError:
                continue
    return found


def face_of(collection: str) -> TTFont:
    """Return the face `FACE` of a font collection."""
    for font in TTCollection(collection, lazy=True).fonts:
        if font["name"].getDebugName(4) == FACE:
            return font
    raise SystemExit(f"{collection}: has no face '{FACE}'; name the collection NotoSansCJK-Regular.ttc")


def reduce(font: TTFont) -> None:
    """Remove all other characters, and the tables that matplotlib does not use."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14]
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(repertoire())))
    subsetter.subset(font)


def rename(font: TTFont) -> None:
    """Give the subset its own name, to distinguish it from the complete font."""
    names = font["name"]
    for name_id, text in {1: NAME, 3: f"2.004;{POSTSCRIPT_NAME}", 4: NAME, 6: POSTSCRIPT_NAME}.items():
        for record in [r for r in names.names if r.nameID == name_id]:
            names.setName(text, name_id, record.platformID, record.platEncID, record.langID)
    top = font["CFF "].cff
    top.fontNames = [POSTSCRIPT_NAME]
    top[0].FullName = NAME
    top[0].FamilyName = NAME


def main() -> None:
    font = face_of(sys.argv[1] if len(sys.argv) > 1 else DEBIAN_FONT)
    missing = sorted(c for c in repertoire() if ord(c) not in font.getBestCmap())
    reduce(font)
    rename(font)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    # With the original date, every run writes the same bytes.
    font.recalcTimestamp = False
    font.save(TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1e6:.2f} MB, {len(font.getBestCmap())} characters")
    print(f"not in the face: {' '.join(missing) or 'none'}")


if __name__ == "__main__":
    main()
