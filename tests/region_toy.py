"""Three toy counties side by side, 10 km wide each, on which every stretch of a line can be worked out by hand.

In metres of one plane around 112.5 E 25 N: 甲 from x = -15,000 to -5,000, 乙 to 5,000, 丙 to 15,000, all from y = -5,000 to
5,000. Rule books, dates and confidentiality differ.
"""

from __future__ import annotations

from pathlib import Path

from shapely import LineString, Polygon, box, segmentize

from tests.toy import PLANE, write

NAMES = ("甲县", "乙县", "丙县")
FOLDERS = ("jia", "yi", "bing")
#: Where each county begins and ends (m).
WEST_EAST = ((-15_000, -5_000), (-5_000, 5_000), (5_000, 15_000))

_CATALOGUE = """
[city]
name = "{name}"
notice = "示意数据"
[layer.city]
title = "县域"
role = "outline"
source = "city.gpkg"
confidentiality = "{secrecy}"
[layer.redline]
title = "生态保护红线"
source = "redline.gpkg"
date = {date}
confidentiality = "{secrecy}"
"""
_ROADS = """
[layer.roads]
title = "公路"
source = "roads.gpkg"
geometry = "line"
baseline = "centreline"
group = "road"
"""
_RULES = """
[book]
name = "{name}规则"
version = "{version}"
[layers]
redline = "生态保护红线"
roads = "公路"
[document.law]
title = "法"
certainty = "read"
effective_from = 2020-01-01
[activity.line]
title = "输电线路"
title_en = "Power line"
[rule.redline]
kind = "avoid"
layer = "redline"
title = "红线"
severity = "{severity}"
strength = "law"
basis = [{{ document = "law", article = "第一条" }}]
effective_from = 2020-01-01
[rule.road]
kind = "keep_away"
layer = "roads"
distance_m = {distance}
title = "公路"
severity = "conditional"
strength = "law"
basis = [{{ document = "law", article = "第二条" }}]
effective_from = 2020-01-01
"""


def counties(folder: Path, **changes: Polygon) -> list[Path]:
    """Write the three counties; return their folders. `changes` replaces outlines by the names of the folders.

    Redline: in 甲 a square of 1,000 m at x = -9,000, in 乙 one of 500 m at x = 0, in 丙 none but far in the north. Roads: in 乙
    one along x = -4,990, ten metres east of the border with 甲, and in 丙 one along x = 10,000; in 甲 one far in the
    south-west. A site in 甲 must keep 20 m, in 乙 30 m, in 丙 50 m.
    """
    redlines = {"jia": box(-9000, -500, -8000, 500), "yi": box(0, -250, 500, 250), "bing": box(6000, 4000, 7000, 4500)}
    roads = {
        "jia": LineString([(-14_000, -5000), (-14_000, -4000)]),
        "yi": LineString([(-4_990, -5000), (-4_990, 5000)]),
        "bing": LineString([(10_000, -5000), (10_000, 5000)]),
    }
    made = []
    for at, (name, short) in enumerate(zip(NAMES, FOLDERS, strict=True)):
        place = folder / short
        place.mkdir(parents=True, exist_ok=True)
        secrecy, date = ("public", "internal", "confidential")[at], f"2025-0{at + 1}-01"
        text = _CATALOGUE.format(name=name, secrecy=secrecy, date=date) + _ROADS
        (place / "catalog.toml").write_text(text, "utf-8")
        severity, distance = ("prohibited", "conditional", "prohibited")[at], (20, 30, 50)[at]
        rules = _RULES.format(name=name, version=f"{at + 1}.0", severity=severity, distance=distance)
        (place / "rules.toml").write_text(rules, "utf-8")
        west, east = WEST_EAST[at]
        outline = changes.get(short, box(west, -5000, east, 5000))
        # Borders have a vertex every 500 m, so that they are the same lines in the planes of the three counties.
        write(place / "city.gpkg", [segmentize(outline, 500)], PLANE)
        write(place / "redline.gpkg", [redlines[short]], PLANE, name=[f"红线{name[0]}"])
        write(place / "roads.gpkg", [roads[short]], PLANE, road=["G1"])
        made.append(place)
    return made
