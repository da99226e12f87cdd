"""A toy city on which every area, distance and verdict can be computed by hand.

Its origin is 112.5 E 25 N, the border of the Gauss-Krüger zones 37 and 38; shapes are drawn in metres on the city's own
equal-area plane, so that the numbers in the tests are exact.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString, Point, Polygon, box

from lzgis.coordinates.plane import Plane
from lzgis.model.report import Report
from lzgis.screening.screen import screen

PLANE = Plane(112.5, 25.0)
AS_OF = "2026-11-21"

CATALOGUE = """
[city]
name = "玩具市"
notice = "示意数据"

[layer.city]
title = "市域"
role = "outline"
date = 2000-01-01
source = "city.gpkg"
[layer.redline]
title = "生态保护红线"
date = 2000-01-01
source = "redline.gpkg"
[layer.units]
title = "管控单元"
date = 2000-01-01
source = "units.gpkg"
[layer.town]
title = "城镇开发边界"
date = 2000-01-01
source = "town.gpkg"
[layer.roads]
title = "公路"
date = 2000-01-01
source = "roads.gpkg"
geometry = "line"
baseline = "centreline"
group = "road"
[layer.zones]
title = "划定的控制区"
date = 2000-01-01
source = "zones.gpkg"
baseline = "delimited-zone"
group = "road"
[layer.rivers]
title = "水域"
date = 2000-01-01
source = "rivers.gpkg"
baseline = "water-polygon"
group = "river"
[layer.river_lines]
title = "河流中心线"
date = 2000-01-01
source = "river_lines.gpkg"
geometry = "line"
baseline = "centreline"
group = "river"
"""

RULES = """
[book]
name = "玩具规则"
version = "1"
[layers]
redline = "生态保护红线"
units = "管控单元"
town = "城镇开发边界"
roads = "公路"
zones = "划定的控制区"
rivers = "水域"
river_lines = "河流中心线"
caves = "溶洞"
[document.law]
title = "法"
certainty = "read"
effective_from = 2020-01-01
[document.old]
title = "旧法"
certainty = "part"
effective_from = 2000-01-01
repealed_on = 2026-01-01
repealed_by = "法"
[activity.housing]
title = "住宅"
title_en = "Housing"
aliases = ["居住"]
[activity.water]
title = "供水"
title_en = "Water supply"
[activity.quarrying]
title = "采石"
title_en = "Quarrying"
[rule.redline]
kind = "avoid"
layer = "redline"
title = "红线"
severity = "prohibited"
strength = "law"
basis = [{ document = "law", article = "第一条" }]
effective_from = 2020-01-01
[[rule.redline.unless]]
activity = ["water"]
severity = "conditional"
item = "第6项"
procedure = "报省"
[rule.units]
kind = "identify"
layer = "units"
title = "单元"
severity = "notice"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
list_fields = { layout = "区域布局管控" }
[rule.town]
kind = "stay_inside"
layer = "town"
title = "边界"
severity = "notice"
strength = "law"
basis = [{ document = "old" }]
effective_from = 2020-01-01
[rule.road]
kind = "keep_away"
layer = "roads"
where.class = ["国道"]
distance_m = 20
baselines = ["zones", "roads"]
zone_distance_m = 0
assumed_half_width_m = { "二级" = 9, "*" = 5 }
title = "国道"
severity = "prohibited"
strength = "law"
basis = [{ document = "law", article = "第二条" }]
effective_from = 2020-01-01
[rule.river]
kind = "keep_away"
layer = "river_lines"
distance_m = 20
baselines = ["rivers", "river_lines"]
assumed_half_width_m = { "*" = 10 }
title = "水系"
severity = "conditional"
strength = "advice"
basis = [{ document = "law" }]
effective_from = 2020-01-01
[[rule.river.unless]]
activity = ["water"]
severity = "notice"
[rule.quarry]
kind = "keep_away"
layer = "roads"
distance_m = 100
activities = ["quarrying"]
assumed_half_width_m = { "*" = 5 }
title = "采石"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
[rule.caves]
kind = "avoid"
layer = "caves"
activities = ["quarrying"]
title = "溶洞"
severity = "prohibited"
strength = "law"
basis = [{ document = "law" }]
effective_from = 2020-01-01
"""


def write(path: Path, geometries: list[shapely.Geometry], plane: Plane = PLANE, **columns: list[Any]) -> None:
    """Write a layer from plane metres to a file in EPSG:4490, a GeoPackage unless the suffix is another."""
    data = {"id": [f"{path.stem}-{i + 1}" for i in range(len(geometries))]} | columns
    moved = plane.unproject(np.array(geometries, dtype=object))
    gpd.GeoDataFrame(data, geometry=moved, crs="EPSG:4490").to_file(path, engine="pyogrio")


def city(folder: Path, plane: Plane = PLANE) -> Path:
    """Write the toy city to `folder`, as a copy of the one written first; see `_draw` for what is in it."""
    return Path(shutil.copytree(_drawn(plane), folder, dirs_exist_ok=True))


@cache
def _drawn(plane: Plane) -> Path:
    keep = tempfile.mkdtemp(prefix="lzgis-toy-")
    atexit.register(shutil.rmtree, keep, ignore_errors=True)
    return _draw(Path(keep) / "city", plane)


def _draw(folder: Path, plane: Plane) -> Path:
    """Write the toy city: 10 km by 10 km around the origin, in four strips of interest.

    Redline: a square of 1000 m with a hole of 100 m. Units: west and east halves, all but a gap of 10 m by 100 m.
    Roads: G1 along y = -2000 with known half-width 6 m; G2 along y = -3000, second class, half-width not known; G3 along
    y = -4000 with a delimited zone of 15 m on each side for x < 0. River: R1 a water polygon y 3000..3040 for x < 0 and
    a centreline y = 3020 all along.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.toml").write_text(CATALOGUE, "utf-8")
    (folder / "rules.toml").write_text(RULES, "utf-8")
    write(folder / "city.gpkg", [box(-5000, -5000, 5000, 5000)], plane)
    square = Polygon(box(0, 0, 1000, 1000).exterior.coords, [box(400, 400, 500, 500).exterior.coords])
    write(folder / "redline.gpkg", [square, box(1000, 0, 1500, 1000)], plane, name=["甲", "乙"])
    gap = box(-5, 4000, 5, 4100)
    write(
        folder / "units.gpkg",
        [box(-5000, -5000, 0, 5000) - gap, box(0, -5000, 5000, 5000) - gap],
        plane,
        layout=["1-1 禁止甲\n1-2 限制乙", "2-1 禁止丙"],
    )
    write(folder / "town.gpkg", [box(-4000, -1000, -2000, 1000)], plane)
    write(
        folder / "roads.gpkg",
        [LineString([(-6000, y), (6000, y)]) for y in (-2000, -3000, -4000)],
        plane,
        road=["G1", "G2", "G3"],
        **{"class": ["国道"] * 3},
        technical_class=["二级", "二级", "四级"],
        half_width_m=[6.0, np.nan, np.nan],
    )
    write(folder / "zones.gpkg", [box(-6000, -4015, 0, -3985)], plane, road=["G3"])
    write(folder / "rivers.gpkg", [box(-6000, 3000, 0, 3040)], plane, river=["R1"])
    write(folder / "river_lines.gpkg", [LineString([(-6000, 3020), (6000, 3020)])], plane, river=["R1"])
    return folder


def sites(
    *shapes: shapely.Geometry, activity: str | list[str] = "住宅", plane: Plane = PLANE, **columns: list[Any]
) -> gpd.GeoDataFrame:
    """Make a frame of sites s1, s2, … from plane metres."""
    n = len(shapes)
    data = {"id": [f"s{i + 1}" for i in range(n)], "name": [f"地块{i + 1}" for i in range(n)]}
    data["activity"] = [activity] * n if isinstance(activity, str) else activity
    moved = plane.unproject(np.array(shapes, dtype=object))
    return gpd.GeoDataFrame(data | columns, geometry=moved, crs="EPSG:4490")


def square(x: float, y: float, side: float = 100.0) -> Polygon:
    """Return a square by its south-west corner, in plane metres."""
    return box(x, y, x + side, y + side)


def screened(folder: Any, *shapes: shapely.Geometry, activity: str | list[str] = "住宅", as_of: str = AS_OF) -> Report:
    """Screen sites s1, s2, … given in plane metres."""
    return screen(sites(*shapes, activity=activity), folder, as_of=as_of)


def rows(report: Report, rule: str, site: str = "s1") -> pd.DataFrame:
    """Return the findings of one rule for one site."""
    findings = report.findings
    return findings[(findings["rule"] == rule) & (findings["site_id"] == site)]


def row(report: Report, rule: str, site: str = "s1") -> pd.Series:
    """Return the one finding of a rule for a site."""
    found = rows(report, rule, site)
    assert len(found) == 1, found[["state", "feature_id", "reason"]].to_string()
    return found.iloc[0]


def verdict(report: Report, site: str = "s1") -> pd.Series:
    """Return the verdict of a site."""
    return report.verdicts.set_index("site_id").loc[site]


def changed(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """Replace text in a file of the city; every old text must occur."""
    path = folder / name
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text, f"{name} does not say {old!r}"
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return folder


__all__ = [
    "AS_OF",
    "PLANE",
    "LineString",
    "Point",
    "box",
    "changed",
    "city",
    "row",
    "rows",
    "screened",
    "sites",
    "square",
    "verdict",
    "write",
]
