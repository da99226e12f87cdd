"""Lines and single objects that the plan names: greenways, grids, bridges, heritage, monitoring and works."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
import shapely.ops
from pyproj import Geod

from . import places
from .layers import Feature, Layers
from .lines import distances
from .sketch import Sketch, numbered

GEOD = Geod(ellps="GRS80")
HERITAGE = [
    ("不可移动文物", "国家级", 1),
    ("不可移动文物", "省级", 7),
    ("不可移动文物", "县级", 53),
    ("不可移动文物", "未定级", 271),
    ("历史建筑", "", 108),
    ("传统村落", "", 13),
]
# name, class, river, start along it as a share, kilometres, metres to the side
GREENWAYS = [
    ("连州市一江两湖（城区）绿道", "绿道", "连江", 0.01, 2.9, -80),
    ("连州市东陂河（石角片区）绿道", "绿道", "东陂河", 0.72, 6.3, 60),
    ("连州市东陂河（东陂镇—西岸镇段）绿道", "绿道", "东陂河", 0.50, 11.8, -60),
    ("连州市三江河绿道", "绿道", "三江河", 0.0, 10.5, 45),
    ("星子河生态段", "碧道", "星子河", 0.90, 3.8, 55),
    ("云溪湖游憩段", "碧道", "连江", 0.02, 3.0, 75),
    ("连江洲岛段", "碧道", "连江", 0.16, 1.1, 75),
    ("海阳湖活力段", "碧道", "连江", 0.22, 3.2, 75),
    ("三江河湿地段", "碧道", "三江河", 0.72, 2.7, 45),
    ("星子河岸边带治理段", "碧道", "星子河", 0.12, 36.0, 70),
    ("东陂河岸边带治理段", "碧道", "东陂河", 0.12, 30.0, 70),
    ("连江岸边带治理段", "碧道", "连江", 0.30, 9.0, 90),
    ("保安河岸边带治理段", "碧道", "保安河", 0.55, 10.4, 40),
]
SUBSTATIONS = {
    "连州": (112.42, 24.85),
    "星子": (112.53, 24.955),
    "东陂": (112.30, 24.955),
    "九陂": (112.42, 24.71),
    "大路边": (112.58, 25.03),
    "西江": (112.53, 24.76),
}
POWER = [
    (500, "示意500千伏线路", [(112.24, 24.90), (112.33, 24.87), (112.46, 24.93), (112.60, 24.95), (112.66, 24.91)]),
    (220, "连州—星子220千伏线路", ["连州", (112.48, 24.91), "星子"]),
    (220, "连州—九陂220千伏线路", ["连州", (112.44, 24.78), "九陂"]),
    (110, "连州—东陂110千伏线路", ["连州", (112.36, 24.90), "东陂"]),
    (110, "星子—大路边110千伏线路", ["星子", (112.56, 25.00), "大路边"]),
    (110, "九陂—西江110千伏线路", ["九陂", (112.48, 24.73), "西江"]),
]
PIPELINES = [
    ("示意天然气长输管道", "天然气长输管道", 6.3, [(112.46, 24.66), (112.43, 24.72), (112.44, 24.80), (112.46, 24.84)]),
    ("示意城镇燃气次高压管道", "城镇燃气管道", 1.6, [(112.44, 24.80), (112.41, 24.79), (112.40, 24.74)]),
    ("示意原水输水管道", "输水管道", 1.0, [(112.64, 24.965), (112.58, 24.95), (112.53, 24.94), (112.47, 24.88)]),
]
RAIL = [(112.48, 24.67), (112.445, 24.76), (112.43, 24.84), (112.47, 24.93), (112.50, 25.02), (112.50, 25.10)]
SECTIONS = [
    ("连江", 0.15), ("连江", 0.50), ("连江", 0.78), ("星子河", 0.35), ("星子河", 0.85),
    ("东陂河", 0.40), ("东陂河", 0.88), ("三江河", 0.80), ("保安河", 0.70),
]  # fmt: skip


def make_objects(sketch: Sketch) -> Layers:
    """Make every layer of lines and points."""
    return {
        "heritage": _heritage(sketch),
        "greenways": numbered("LV", [_greenway(sketch, row) for row in GREENWAYS]),
        **_networks(sketch),
        "bridges": _bridges(sketch),
        "tunnels": _tunnels(sketch),
        **_monitoring(sketch),
    }


def _heritage(sketch: Sketch) -> list[Feature]:
    zones, above = sketch.scene.zones, sketch.terrain.above
    near = (zones.town | (above < 60)) & ~zones.farmland & ~zones.redline
    spots = sketch.scatter(near, sum(n for _, _, n in HERITAGE), 240, 60)
    rows: list[Feature] = []
    for kind, grade, count in HERITAGE:
        for point in spots[len(rows) : len(rows) + count]:
            name = f"{sketch.town(*point)}示意{grade if grade != '未定级' else ''}{kind}"
            rows.append({"name": name, "class": kind, "grade": grade, "geometry": sketch.degrees(shapely.Point(point))})
    return numbered("WW", rows)


def length_km(line: Any) -> float:
    """Length of a line in degrees on the ellipsoid, in kilometres."""
    return float(GEOD.geometry_length(line)) / 1000


def _downstream(sketch: Sketch, river: str, start: float) -> shapely.LineString:
    """Return a river from a share of its length to its mouth, and the river that it joins from there on."""
    points = shapely.get_coordinates(sketch.line(river, start, 1.0, simplify_m=15))
    main = sketch.scene.courses[river].river.joins
    if main is not None:
        after = sketch.scene.courses[main].line
        mouth = int(np.argmin(np.hypot(*(after - points[-1]).T)))
        points = np.vstack([points, after[mouth + 1 :]])
    return shapely.simplify(shapely.LineString(points), 15)


def _greenway(sketch: Sketch, row: tuple[str, str, str, float, float, float]) -> Feature:
    """Draw a line beside a river, as long as the plan states."""
    name, kind, river, start, km, side = row
    path = _downstream(sketch, river, start)
    path = shapely.offset_curve(path, side, join_style="round", quad_segs=2)
    path = max(shapely.get_parts(shapely.intersection(path, sketch.whole)), key=lambda part: part.length)
    cut = km * 1000.0
    for _ in range(4):
        line = sketch.degrees(shapely.ops.substring(path, 0, cut))
        cut *= km / length_km(line)
    if abs(length_km(line) - km) > 0.002:
        raise ValueError(f"{name}: {length_km(line):.3f} km instead of {km}; its river is too short")
    return {"name": name, "class": kind, "river": river, "length_km": km, "geometry": line}


def _networks(sketch: Sketch) -> Layers:
    def line(points: list[Any]) -> Any:
        return shapely.LineString([SUBSTATIONS[p] if isinstance(p, str) else p for p in points])

    rail = shapely.segmentize(line(RAIL), 0.02)
    return {
        "railways": numbered("TL", [{"name": "广清永铁路（规划，示意）", "class": "规划高速铁路", "geometry": rail}]),
        "power_lines": numbered("XL", [{"name": n, "voltage_kv": kv, "geometry": line(p)} for kv, n, p in POWER]),
        "pipelines": numbered(
            "GD", [{"name": n, "class": c, "pressure_mpa": mpa, "geometry": line(p)} for n, c, mpa, p in PIPELINES]
        ),
    }


def _bridges(sketch: Sketch) -> list[Feature]:
    """Bridge each river with a water surface where a main road crosses it; the class follows the width of the river."""
    rows: list[Feature] = []
    for way in sketch.scene.ways:
        if way.road_class not in {"高速公路", "国道", "省道", "县道"}:
            continue
        for course in sketch.scene.courses.values():
            if not course.river.water:
                continue
            crossing = shapely.intersection(way.line, shapely.LineString(course.line))
            for point in [
                p
                for p in shapely.get_parts(crossing)
                if p.geom_type == "Point" and sketch.inner.contains(p.buffer(100))
            ]:
                near = int(np.argmin(np.hypot(*(course.line - (point.x, point.y)).T)))
                length = float(np.round(course.half_width[near] * 2 + 24))
                at = way.line.project(point)
                deck = shapely.ops.substring(way.line, max(at - length / 2, 0), at + length / 2)
                kind = "大桥" if length >= 100 else "中桥" if length >= 30 else "小桥"
                facts = {"name": f"{way.road}{course.name}{kind}", "road": way.road, "road_class": way.road_class}
                rows.append({**facts, "class": kind, "length_m": length, "geometry": sketch.degrees(deck)})
    return numbered("QL", rows)


def _tunnels(sketch: Sketch) -> list[Feature]:
    """Put each carriageway of an expressway underground where the land rises most above the valley floor."""
    rows: list[Feature] = []
    for way in sketch.scene.ways:
        if way.road_class != "高速公路":
            continue
        points = shapely.get_coordinates(way.line)
        height = sketch.terrain.above[sketch.frame.cell(*points.T)]
        inside = shapely.contains_xy(sketch.inner, *points.T)
        top = int(np.argmax(np.where(inside, height, -1)))
        at = float(distances(points)[top])
        tube = shapely.simplify(shapely.ops.substring(way.line, max(at - 600, 0), at + 600), 2)
        facts = {"name": f"{way.name}示意隧道", "road": way.road, "length_m": float(np.round(tube.length))}
        rows.append({**facts, "geometry": sketch.degrees(tube)})
    return numbered("SUI", rows)


def _monitoring(sketch: Sketch) -> Layers:
    """Sections and outfalls on the rivers, small hydropower at their sources, enterprises in the parks."""

    def on(river: str, share: float, side: float = 0.0) -> Any:
        line = shapely.LineString(sketch.scene.courses[river].line)
        point = line.interpolate(share, normalized=True)
        return sketch.degrees(shapely.Point(point.x + side, point.y))

    sections = [
        {
            "name": f"{river}示意断面{n}",
            "river": river,
            "target": "Ⅱ" if share < 0.6 else "Ⅲ",
            "geometry": on(river, share),
        }
        for n, (river, share) in enumerate(SECTIONS, 1)
    ]
    wet = [r.name for r in places.RIVERS if r.water]
    kinds = ["城镇污水处理厂", "工业企业", "农村生活污水", "规模化养殖"]
    outfalls = [
        {"name": f"{river}示意排污口{n}", "class": kinds[n % 4], "river": river, "geometry": on(river, share, 15)}
        for n, (river, share) in enumerate([(r, s) for r in wet for s in (0.45, 0.62, 0.78)], 1)
    ]
    hills = [r for r in wet if r not in {"连江", "三江河", "九陂河"}]
    hydro = [
        {
            "name": f"{river}示意电站{n}",
            "river": river,
            "capacity_kw": 250.0 * (1 + n % 5),
            "geometry": on(river, share),
        }
        for n, (river, share) in enumerate([(r, s) for r in hills for s in (0.08, 0.18, 0.3)], 1)
    ]
    rng, works = sketch.rng(70), []
    for park in sketch.layers["industrial_parks"]:
        shape = sketch.frame.metres([park["geometry"]])[0]
        for k in range(2):
            spot = shape.centroid.x + rng.uniform(-150, 150), shape.centroid.y + rng.uniform(-150, 150)
            kind = "土壤污染重点监管单位" if k == 0 else "大气或水环境重点排污单位"
            name = f"{park['name']}示意重点单位{k + 1}"
            works.append(
                {"name": name, "class": kind, "park": park["park"], "geometry": sketch.degrees(shapely.Point(spot))}
            )
    return {
        "monitoring_sections": numbered("DM", sections),
        "outfalls": numbered("PW", outfalls),
        "small_hydropower": numbered("XSD", hydro),
        "key_enterprises": numbered("QY", works),
    }
