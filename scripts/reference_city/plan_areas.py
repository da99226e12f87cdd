"""Areas that the plan names beside the main zonings: forest, air, land, shores, soil, noise and others."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from . import places
from .layers import PARKS, Feature, Layers
from .lines import block, ellipse_blob
from .sketch import TOWNS, Sketch, dilated, numbered, polygons_of
from .zones import cut_west
from .zoning import CELL_KM2, take

SAFE_USE_MU, STRICT_MU = 209919.8, 1729.0
M2_PER_MU = 2000 / 3
FOREST_SHARE = 0.6821
SHORES: dict[str, list[tuple[str, float, float]]] = {
    "连江": [("控制利用区", 0.0, 0.25), ("保留区", 0.25, 0.7), ("保护区", 0.7, 1.0)],
    "星子河": [("保护区", 0.0, 0.3), ("保留区", 0.3, 0.75), ("控制利用区", 0.75, 0.97)],
    "东陂河": [("保护区", 0.0, 0.35), ("保留区", 0.35, 0.85), ("控制利用区", 0.85, 0.97)],
    "三江河": [("保留区", 0.0, 0.6), ("开发利用区", 0.6, 0.95)],
}


def make_areas(sketch: Sketch) -> Layers:
    """Make every layer of areas."""
    return {
        **_land(sketch),
        **_air(sketch),
        **_shores(sketch),
        **_soil(sketch),
        **_places(sketch),
        **_water(sketch),
    }


def _by_township(
    sketch: Sketch, mask: np.ndarray, *, block: int, cells: int, simplify_m: float
) -> list[tuple[str, Any]]:
    labels = np.where(mask, sketch.scene.zones.townships, 0)
    shapes = sketch.zones(labels, block=block, cells=cells, simplify_m=simplify_m)
    return [(TOWNS[k - 1], shape) for k, shape in shapes.items()]


def _land(sketch: Sketch) -> Layers:
    """Forest, general farmland, and the three zones of land resources."""
    zones, above, share = sketch.scene.zones, sketch.terrain.above, sketch.frame.share
    wet = dilated(sketch.frame.burn(sketch.metres("rivers"), all_touched=True), 60)
    built = zones.town & (np.minimum.reduce([sketch.frame.near(at) for at in places.TOWNSHIPS.values()]) < 3500)
    other = built | zones.farmland | wet
    core = zones.reserves > 0
    tilled = (above < 16) & ~other & ~zones.town & ~zones.redline & ~core & (sketch.frame.rim_m > 200)
    other |= tilled
    height = above + 60 * sketch.terrain.coarse_noise(4000, 310)
    score = np.where(other | (share < 0.5), -np.inf, height).astype(np.float32)
    wooded = take(score, share, FOREST_SHARE * 1.0405 * share.sum() * CELL_KM2, lambda mask: mask)
    grade = np.select([core, zones.redline, zones.priority | (above > 420)], [1, 2, 3], 4)
    benefit = np.select([core | (zones.redline & (zones.functions % 2 == 1)), zones.redline, grade == 3], [1, 2, 2], 3)
    key = (zones.townships * 100 + grade * 10 + benefit) * wooded
    shapes = sketch.zones(key, block=8, cells=8, simplify_m=200)
    forest = [
        {
            "name": f"{TOWNS[k // 100 - 1]}林地{n:02d}",
            "township": TOWNS[k // 100 - 1],
            "grade": ["I", "II", "III", "IV"][k // 10 % 10 - 1],
            "public_benefit": ["national", "provincial", "none"][k % 10 - 1],
            "geometry": sketch.degrees(shape),
        }
        for n, (k, shape) in enumerate(shapes.items(), 1)
    ]
    fields = _by_township(sketch, tilled, block=5, cells=12, simplify_m=110)
    classes = np.select([core | zones.redline, zones.key > 0], [1, 2], 3)
    land = sketch.zones(classes, block=8, cells=1, simplify_m=220)
    titles = {1: "优先保护区", 2: "重点管控区", 3: "一般管控区"}
    return {
        "forest": numbered("LD", forest),
        "farmland_general": numbered(
            "YN", [{"name": f"{t}一般农田", "township": t, "geometry": sketch.degrees(s)} for t, s in fields]
        ),
        "land_zones": numbered(
            "TD",
            [
                {"name": f"土地资源{titles[k]}", "class": titles[k], "geometry": sketch.degrees(s)}
                for k, s in land.items()
            ],
        ),
    }


def _air(sketch: Sketch) -> Layers:
    """Draw the three air zones, the area without polluting fuels, and the noise zones of the town."""
    frame, zones = sketch.frame, sketch.scene.zones
    seat = frame.near(places.TOWNSHIPS["连州镇"]) + 350 * sketch.terrain.coarse_noise(2500, 320)
    parks = dilated(frame.burn(sketch.metres("industrial_parks")), 500)
    basin = (sketch.terrain.above < 40) & (frame.near((112.42, 24.83)) < 9000)
    air = np.select([parks, seat < 3200, basin], [1, 3, 2], 0)
    names = {
        1: ("high_emission", "大气环境高排放重点管控区"),
        2: ("weak_diffusion", "大气环境弱扩散重点管控区"),
        3: ("receptor", "大气环境受体敏感重点管控区"),
    }
    shapes = sketch.zones(air, block=4, cells=10, simplify_m=120)
    fuel = sketch.zones((seat < 4200).astype(int), block=4, cells=10, simplify_m=120)
    roads = [w.line for w in sketch.scene.ways if w.road_class in {"高速公路", "国道"}]
    town = zones.town & (np.minimum.reduce([frame.near(at) for at in places.TOWNSHIPS.values()]) < 2600)
    quiet = sketch.terrain.coarse_noise(1500, 321) > 0.3
    kind = np.select(
        [frame.burn(sketch.metres("industrial_parks")), frame.burn(shapely.buffer(roads, 50)), quiet], [3, 4, 1], 2
    )
    noise = sketch.zones(kind * (town | (kind == 3)), block=3, cells=6, simplify_m=80)
    titles = {1: "1类", 2: "2类", 3: "3类", 4: "4a类"}
    return {
        "air_zones": numbered(
            "DQ",
            [{"name": names[k][1], "class": names[k][0], "geometry": sketch.degrees(s)} for k, s in shapes.items()],
        ),
        "fuel_ban": numbered(
            "JR", [{"name": "连州市高污染燃料禁燃区", "geometry": sketch.degrees(s)} for s in fuel.values()]
        ),
        "noise_zones": numbered(
            "SG",
            [
                {"name": f"{titles[k]}声环境功能区", "class": titles[k], "geometry": sketch.degrees(s)}
                for k, s in noise.items()
            ],
        ),
    }


def _shores(sketch: Sketch) -> Layers:
    """Shore zones of 12 rivers and 2 reservoirs, the six corridors, and the reaches of the water functions."""
    shores: list[Feature] = []
    functions: list[Feature] = []
    for name, course in sketch.scene.courses.items():
        if not course.river.water:
            continue
        for kind, start, stop in SHORES.get(name, [("保护区", 0.0, 0.4), ("保留区", 0.4, 0.97)]):
            area = sketch.strip(name, start, stop, 50)
            shores.append({"name": f"{name}岸线{kind}", "water": name, "class": kind, "geometry": sketch.degrees(area)})
        for kind, target, start, stop in (
            ("保护区", "Ⅱ", 0.0, 0.3),
            ("保留区", "Ⅱ", 0.3, 0.75),
            ("开发利用区", "Ⅲ", 0.75, 0.98),
        ):
            area = sketch.strip(name, start, stop, 10)
            if area.is_empty:  # outside the city
                continue
            functions.append(
                {
                    "name": f"{name}{kind}",
                    "river": name,
                    "class": kind,
                    "target": target,
                    "geometry": sketch.degrees(area),
                }
            )
    for name in ("谭岭水库", "上兰靛水库"):
        lake = shapely.simplify(sketch.metres("reservoirs", name=name)[0], 20)
        area = polygons_of(shapely.intersection(lake.buffer(60, quad_segs=2), sketch.inner))
        shores.append({"name": f"{name}岸线保护区", "water": name, "class": "保护区", "geometry": sketch.degrees(area)})
    corridors = [
        {"name": f"{name}生态廊道", "class": "水系", "geometry": sketch.degrees(sketch.strip(name, 0, 1, 20))}
        for name in ("连江", "东陂河", "星子河", "三江河", "九陂河")
    ]
    lines = [shapely.simplify(w.line, 8) for w in sketch.scene.ways if w.road == "清连高速"]
    road = shapely.intersection(
        shapely.union_all(shapely.buffer(lines, 50, quad_segs=2, cap_style="flat")), sketch.inner
    )
    corridors.append({"name": "清连高速生态廊道", "class": "高速公路", "geometry": sketch.degrees(polygons_of(road))})
    return {
        "shore_zones": numbered("AX", shores),
        "water_functions": numbered("SGN", functions),
        "corridors_six": numbered("LT", corridors),
    }


def _soil(sketch: Sketch) -> Layers:
    """Farmland with priority, farmland for safe use of the declared areas, and plots on the list of polluted ones."""
    zones = sketch.scene.zones
    number = sketch.terrain.coarse_noise(6000, 330)
    first = zones.farmland & (number > 0.35)
    priority = _by_township(sketch, first, block=4, cells=8, simplify_m=90)
    rest = (zones.farmland & ~first) | ((sketch.terrain.above < 30) & ~zones.redline & (zones.reserves == 0) & ~first)
    strict = [ellipse_blob(p, STRICT_MU * M2_PER_MU / 6, sketch.rng(31)) for p in sketch.scatter(rest, 6, 1500, 30)]
    score = np.where(rest & (sketch.frame.rim_m > 300), -sketch.terrain.above + 20 * number, -np.inf).astype(np.float32)
    mask = take(score, sketch.frame.share, SAFE_USE_MU * M2_PER_MU / 1e6 * 1.15, lambda m: m)
    safe = sketch.zones(mask.astype(int), block=6, cells=16, simplify_m=140)[1]
    safe = polygons_of(shapely.difference(safe, shapely.union_all(strict)))
    safe = polygons_of(cut_west(safe, safe.area - SAFE_USE_MU * M2_PER_MU))
    plots = sketch.scatter(zones.town, 7, 2500, 32)
    listed = [
        {
            "name": f"示意污染地块{n}",
            "class": "修复名录" if n <= 3 else "疑似污染地块",
            "geometry": sketch.degrees(block(p, 12000 + 3000 * n, n * 0.6)),
        }
        for n, p in enumerate(plots, 1)
    ]
    return {
        "soil_priority": numbered(
            "TY",
            [{"name": f"{t}优先保护类农用地集中区", "township": t, "geometry": sketch.degrees(s)} for t, s in priority],
        ),
        "soil_safe_use": numbered(
            "AQ",
            [
                {"name": "安全利用类农用地（二类地）", "class": "安全利用类", "geometry": sketch.degrees(safe)},
                {
                    "name": "严格管控类农用地（三类地）",
                    "class": "严格管控类",
                    "geometry": sketch.degrees(shapely.MultiPolygon(strict)),
                },
            ],
        ),
        "contaminated_plots": numbered("WR", listed),
    }


def _places(sketch: Sketch) -> Layers:
    """Mines, sensitive places, livestock bans and wetlands."""
    zones, above = sketch.scene.zones, sketch.terrain.above
    rock = (above > 30) & (above < 500) & (zones.reserves == 0) & ~zones.redline & ~zones.town & ~zones.farmland
    rng = sketch.rng(40)
    mines = []
    for n, point in enumerate(sketch.scatter(rock, 119, 900, 41), 1):
        hectares, right = float(np.round(rng.uniform(2, 14), 1)), n <= 70
        kind = ["石灰石", "大理石", "花岗岩", "砖瓦用页岩", "铁矿", "铅锌矿"][n % 6]
        mines.append(
            {
                "name": f"示意{kind}{'矿' if right else '历史遗留矿山'}{n:03d}",
                "class": "采矿权" if right else "历史遗留矿山",
                "mineral": kind,
                "hectares": hectares,
                "geometry": sketch.degrees(ellipse_blob(point, hectares * 1e4, rng, corners=7)),
            }
        )
    homes = []
    kinds = {"居民区": (100, 30000), "学校": (36, 14000), "医院": (16, 10000), "养老机构": (13, 5000)}
    settled = ~zones.farmland & ~zones.redline & (zones.reserves == 0) & (above < 90)
    spots = sketch.scatter(settled & (zones.town | (above < 40)), sum(n for n, _ in kinds.values()), 450, 42)
    for kind, (count, area) in kinds.items():
        for point in spots[len(homes) : len(homes) + count]:
            shape = block(point, area * float(rng.uniform(0.6, 1.4)), float(rng.uniform(0, 3)))
            homes.append({"name": f"{sketch.town(*point)}示意{kind}", "class": kind, "geometry": sketch.degrees(shape)})
    return {
        "mines": numbered("KS", mines),
        "sensitive_places": numbered("MG", homes),
        "livestock_ban_zones": _bans(sketch),
        "wetlands": _wetlands(sketch),
    }


def _bans(sketch: Sketch) -> list[Feature]:
    """Ban livestock in water source zones, in reserves, and around the seats of townships."""
    zones, frame = sketch.scene.zones, sketch.frame
    drinking = frame.burn(
        [*sketch.metres("drinking_water_zones", zone="一级"), *sketch.metres("drinking_water_zones", zone="二级")]
    )
    seats = zones.town & (np.minimum.reduce([frame.near(at) for at in places.TOWNSHIPS.values()]) < 1800)
    labels = np.select([drinking, zones.reserves > 0, seats & sketch.free], [1, 2, 3], 0)
    reasons = {1: "饮用水水源保护区", 2: "自然保护地", 3: "城镇居民区"}
    shapes = sketch.zones(labels, block=4, cells=6, simplify_m=110)
    return numbered(
        "JY",
        [
            {"name": f"禁养区（{reasons[k]}）", "reason": reasons[k], "geometry": sketch.degrees(s)}
            for k, s in shapes.items()
        ],
    )


def _wetlands(sketch: Sketch) -> list[Feature]:
    named = [
        ("大云洲湿地", "省级重要湿地", "连江", 0.10, 0.16, 90),
        ("三江河湿地", "省级重要湿地", "三江河", 0.72, 0.90, 70),
        ("潭岭河源湿地", "一般湿地", "潭岭河", 0.02, 0.12, 60),
        ("东陂河湿地", "一般湿地", "东陂河", 0.50, 0.56, 60),
        ("星子河湿地", "一般湿地", "星子河", 0.55, 0.60, 60),
        ("九陂河湿地", "一般湿地", "九陂河", 0.55, 0.70, 50),
        ("保安河湿地", "一般湿地", "保安河", 0.30, 0.36, 50),
        ("麻步河湿地", "一般湿地", "麻步河", 0.60, 0.70, 50),
    ]
    return numbered(
        "SD",
        [
            {
                "name": f"{name}（示意）",
                "class": kind,
                "geometry": sketch.degrees(sketch.strip(river, start, stop, beyond)),
            }
            for name, kind, river, start, stop, beyond in named
        ],
    )


def _water(sketch: Sketch) -> Layers:
    """Catchments of the reservoirs, and the three zones of groundwater."""
    frame = sketch.frame
    catchments = []
    for lake in sketch.layers["reservoirs"]:
        shape = shapely.simplify(frame.metres([lake["geometry"]])[0], 40).buffer(1500, quad_segs=4)
        area = polygons_of(shapely.intersection(shapely.simplify(shape, 40), sketch.inner))
        catchments.append(
            {"name": f"{lake['name']}集水区", "reservoir": lake["name"], "geometry": sketch.degrees(area)}
        )
    kinds = [
        (
            "保护区",
            [p[2] for p in (("", "", (112.285, 25.00)), ("", "", (112.41, 24.99)), ("", "", (112.56, 24.80)))],
            2400,
        ),
        ("防控区", [at for _, _, at, _ in PARKS[:3]], 1700),
        ("治理区", [(112.575, 25.045)], 900),
    ]
    water = []
    for number, (kind, spots, radius) in enumerate(kinds):
        shapes = [ellipse_blob(p, np.pi * radius**2, sketch.rng(50 + number), corners=14) for p in frame.points(spots)]
        area = polygons_of(shapely.intersection(shapely.union_all(shapes), sketch.inner))
        water.append({"name": f"地下水污染{kind}", "class": kind, "geometry": sketch.degrees(area)})
    return {"reservoir_catchments": numbered("JS", catchments), "groundwater_zones": numbered("DX", water)}
