"""The plan's key projects that have a location: real names, invented positions."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.ops
from scipy import ndimage

from . import places
from .frame import CELL_M, SEED
from .layers import Feature, Layers, Scene
from .lines import distances, ellipse_blob
from .zoning import Terrain

NOTE = "位置为示意"
# What the plan's table of key projects says of a project as a whole, whatever number of sites it has.
OF_PLAN = ("items", "investment_wan_yuan", "funds", "owner", "years")
T = list(places.TOWNSHIPS)

# number, name, activity, shape, townships, hectares (or count of pads), kind of land
AREAS: list[tuple[str, str, str, str, list[str], float, str]] = [
    ("10", "连州市城南污水处理厂", "污水处理", "area", ["连州镇"], 6, "town"),
    ("19", "“三连一阳”10万吨/年污泥处置项目", "污泥处置", "area", ["九陂镇"], 4, "low"),
    ("20-5", "连州市餐厨垃圾处理设施", "垃圾处理", "area", ["连州镇"], 1.6, "low"),
    ("22", "瑶安乡森林小镇（人工造林）", "造林绿化", "area", ["瑶安瑶族乡"], 179.4, "high"),
    ("25", "水土流失综合治理工程（坡耕地治理，西岸片）", "水土保持", "area", ["西岸镇"], 125, "hill"),
    ("26", "矿山地质环境保护与治理工程", "矿山修复", "area", ["大路边镇"], 26.5, "hill"),
    ("27", "连州星子镇40MW农光互补项目", "光伏发电", "area", ["星子镇"], 62, "hill"),
    ("28", "连州市星子镇30MW农光互补光伏发电项目", "光伏发电", "area", ["星子镇"], 46, "hill"),
    ("29", "连州市西江镇高山100MW农业光伏发电项目", "光伏发电", "areas", ["西江镇"] * 3, 150, "hill"),
    (
        "30",
        "连州市宏日盛大路边镇200MW综合利用光伏发电项目",
        "光伏发电",
        "areas",
        ["大路边镇"] * 4,
        300,
        "hill",
    ),
    (
        "31",
        "连州市西江镇、龙坪镇、九陂镇210MW农光互补光伏电站项目",
        "光伏发电",
        "areas",
        ["西江镇", "西江镇", "龙坪镇", "龙坪镇", "九陂镇", "九陂镇"],
        315,
        "hill",
    ),
    ("32", "连州市风电项目", "风力发电", "pads", ["丰阳镇", "大路边镇", "西岸镇", "西江镇"], 17, "ridge"),
    ("33", "西江镇21MW分散式风电项目", "风力发电", "pads", ["西江镇"], 7, "ridge"),
    (
        "34",
        "清远连州市星子龙坪风电场100MW风力发电项目",
        "风力发电",
        "pads",
        ["星子镇", "龙坪镇"],
        13,
        "ridge",
    ),
    ("35", "清远连州福山风电场扩建项目", "风力发电", "pads", ["保安镇"], 25, "ridge"),
    ("36", "龙坪镇21MW分散式风电项目", "风力发电", "pads", ["龙坪镇"], 7, "ridge"),
    ("37", "连州市星子石材循环经济产业园", "石材加工", "park", ["星子石材循环产业园"], 40, "town"),
    ("38", "连州市航鑫石材循环经济产业园", "石材加工", "area", ["连州镇"], 25, "town"),
    (
        "39",
        "连州市大家食品有限公司生态养殖及食品三产融合示范项目",
        "畜禽养殖",
        "area",
        ["龙坪镇"],
        167,
        "hill",
    ),
    ("40", "连州保安万里青草大雾山森林氧吧", "生态旅游", "area", ["保安镇"], 180, "high"),
    ("42", "历史文化区建设和非物质文化遗产保护工程（城区片）", "文化设施", "area", ["连州镇"], 12, "town"),
    ("43", "生态旅游特色文化工程（瑶乡生态体验旅游片区）", "生态旅游", "area", ["三水瑶族乡"], 90, "hill"),
]
POINTS: list[tuple[str, str, str, str, places.LonLat]] = [
    ("20-1", "东陂垃圾中转站（扩建）", "垃圾转运", "东陂镇", (112.291, 24.951)),
    ("20-2", "星子垃圾中转站（扩建）", "垃圾转运", "星子镇", (112.543, 24.990)),
    ("20-3", "龙坪垃圾中转站（新建）", "垃圾转运", "龙坪镇", (112.458, 24.879)),
    ("20-4", "城北生活垃圾中转站（新建）", "垃圾转运", "连州镇", (112.372, 24.812)),
    ("21", "大件垃圾集中投放点", "垃圾处理", "连州镇", (112.362, 24.772)),
    ("46", "公众文化设施建设工程（文化馆）", "文化设施", "连州镇", (112.376, 24.791)),
]
# Projects whose name states their position in the town.
NEAR: dict[str, places.LonLat] = {
    "10": (112.397, 24.757),
    "20-5": (112.345, 24.760),
    "38": (112.395, 24.770),
    "42": (112.379, 24.780),
}
# number, name, activity, pieces of (river, start along it as a share, length in metres, metres to the side)
LINES: list[tuple[str, str, str, list[tuple[str, float, float, float]]]] = [
    (
        "10-2",
        "连州市城西城北城南新区污水管网建设工程",
        "污水管网",
        [("东陂河", 0.90, 4600, 140), ("连江", 0.0, 3400, 160)],
    ),
    (
        "12",
        "中小河流治理项目",
        "河道治理",
        [("九陂河", 0.2, 9000, 0), ("保安河", 0.3, 16900, 0), ("西江河", 0.3, 12000, 0)],
    ),
    (
        "13",
        "中小河流治理项目（东陂河东江至大江段综合整治工程等）",
        "防洪护岸",
        [("东陂河", 0.35, 27000, 30), ("瑶安河", 0.4, 12000, 15)],
    ),
    (
        "14",
        "连州市万里碧道工程（第一期）",
        "绿道碧道",
        [("星子河", 0.93, 3800, 55), ("连江", 0.05, 7300, 75), ("三江河", 0.55, 2700, 45)],
    ),
    ("23-1", "连州市一江两湖（城区）绿道", "绿道碧道", [("连江", 0.01, 2900, -80)]),
    ("23-2", "连州市东陂河（石角片区）绿道", "绿道碧道", [("东陂河", 0.72, 6300, 60)]),
    ("23-3", "连州市东陂河（东陂镇—西岸镇段）绿道", "绿道碧道", [("东陂河", 0.52, 11800, -60)]),
    ("23-5", "连州市三江河绿道", "绿道碧道", [("三江河", 0.33, 10500, -45)]),
]


@dataclass
class Siting:
    """Finds room for projects: masks of the kinds of land, and the cells already taken."""

    scene: Scene
    terrain: Terrain
    taken: np.ndarray

    def room(self, township: str, kind: str) -> np.ndarray:
        """Cells of a township that suit a kind of land."""
        zones, above = self.scene.zones, self.terrain.above
        land = (zones.townships == T.index(township) + 1) & (self.scene.frame.rim_m > 300) & ~self.taken
        free = land & ~zones.farmland & ~zones.redline & (zones.reserves == 0)
        return {
            "town": free & zones.town,
            "low": free & ~zones.town & (above < 60),
            "hill": free & ~zones.town & (above > 15) & (above < 420),
            "high": land & ~zones.town & ~zones.farmland & (above > 200),
            "ridge": land & ~zones.town & (zones.reserves == 0) & (above > 130),
        }[kind]

    def find(self, township: str, kind: str, radius_m: float, by: int | places.LonLat) -> np.ndarray:
        """Choose a place with `radius_m` of room: the nearest to `by` if it is a position, or a random one with the seed `by`."""
        mask = self.room(township, kind)
        room = np.minimum(ndimage.distance_transform_edt(mask) * CELL_M, radius_m * 1.1)
        rows, cols = np.nonzero(room >= min(radius_m, float(room.max()) * 0.98))
        frame = self.scene.frame
        if isinstance(by, int):
            pick = int(np.random.default_rng(SEED + 900 + by).integers(len(rows)))
        else:
            pick = int(np.argmin(frame.near(by)[rows, cols]))
        return np.array([frame.xy[0][0, cols[pick]], frame.xy[1][rows[pick], 0]])

    def take(self, shape: Any) -> Any:
        """Mark the cells around a project as taken."""
        self.taken |= self.scene.frame.burn([shape.buffer(120)], all_touched=True)
        return shape

    def ridge(self, township: str, count: int, number: int) -> shapely.MultiPolygon:
        """Set turbine pads of 0.36 ha on crests, 350 m or more apart."""
        height = np.where(self.room(township, "ridge"), self.terrain.height, -1.0)
        crest = (height == ndimage.maximum_filter(height, size=11)) & (height > 0)
        start = self.find(township, "ridge", 400, number)
        rows, cols = np.nonzero(crest)
        frame = self.scene.frame
        at = np.column_stack([frame.xy[0][0, cols], frame.xy[1][rows, 0]])
        at = at[np.argsort(np.hypot(*(at - start).T) - 4 * height[rows, cols], kind="stable")]
        chosen: list[np.ndarray] = []
        for point in at:
            if all(np.hypot(*(point - c)) > 350 for c in chosen):
                chosen.append(point)
            if len(chosen) == count:
                break
        return self.take(shapely.MultiPolygon([shapely.box(*(p - 30), *(p + 30)) for p in chosen]))


def with_plan(sites: list[Feature], table: Path) -> list[Feature]:
    """Add what the plan's table of key projects says about the project of each site; nothing about other sites."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = [(row, row["sites"].split(";")) for row in csv.DictReader(file)]
    said: dict[str, dict[str, Any]] = {
        key: {name: row[name] for name in OF_PLAN} for row, keys in rows for key in keys if key
    }
    for one in said.values():
        one["investment_wan_yuan"] = float(one["investment_wan_yuan"]) if one["investment_wan_yuan"] else None
    missing = sorted(said.keys() - {site["id"] for site in sites})
    if missing:
        raise ValueError(f"{table.name}: there are no sites {', '.join(missing)}")
    nothing = {**dict.fromkeys(OF_PLAN, ""), "investment_wan_yuan": None}
    return [{**site, **said.get(site["id"], nothing)} for site in sites]


def make_projects(scene: Scene, terrain: Terrain, layers: Layers) -> list[Feature]:
    """Place every project of the annex that has a location."""
    siting = Siting(scene, terrain, np.zeros(scene.frame.shape, dtype=bool))
    frame = scene.frame
    out = [_feature("9", "饮用水源保护区标识设立及防护隔离工程建设", "饮用水源保护", _first_zones(layers))]
    for number, row in enumerate(AREAS):
        out.append(_feature(row[0], row[1], row[2], frame.degrees([_area(siting, row, number, layers)])[0]))
    for code, name, activity, town, near in POINTS:
        point = shapely.Point(siting.find(town, "town", 150, near))
        siting.take(point)
        out.append(_feature(code, name, activity, frame.degrees([point])[0]))
    for code, name, activity, pieces in LINES:
        lines = [_beside_river(scene, *piece) for piece in pieces]
        line = lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)
        out.append(_feature(code, name, activity, frame.degrees([line])[0]))
    return sorted(out, key=lambda f: [int(v) for v in f["id"][1:].split("-")])


def _area(
    siting: Siting, row: tuple[str, str, str, str, list[str], float, str], number: int, layers: Layers
) -> shapely.Geometry:
    code, _, _, shape, towns, size, kind = row
    rng = np.random.default_rng(SEED + 700 + number)
    if shape == "pads":
        groups = [siting.ridge(town, int(size), 10 * number + k) for k, town in enumerate(towns)]
        return shapely.MultiPolygon([p for g in groups for p in g.geoms])
    if shape == "park":
        park = next(f["geometry"] for f in layers["industrial_parks"] if f["name"] == towns[0])
        centre = siting.scene.frame.metres([park])[0].centroid
        return siting.take(ellipse_blob(np.array([centre.x, centre.y]), size * 1e4, rng))
    each = size * 1e4 / len(towns)
    blobs = []
    for k, town in enumerate(towns):
        at = siting.find(town, kind, np.sqrt(each / np.pi) * 1.25, NEAR.get(code, 10 * number + k))
        blobs.append(siting.take(ellipse_blob(at, each, rng)))
    return blobs[0] if len(blobs) == 1 else shapely.MultiPolygon(blobs)


def _beside_river(scene: Scene, river: str, start: float, length: float, side: float) -> shapely.LineString:
    """Draw a line of a given length along a river, some metres to its left."""
    points = scene.courses[river].line
    along = distances(points)
    path = shapely.LineString(points[along >= start * along[-1]])
    if side:
        path = shapely.offset_curve(path.simplify(12), side, join_style="round", quad_segs=3)
        path = max(shapely.get_parts(path), key=lambda part: part.length)
    return shapely.ops.substring(path, 0, min(length, path.length))


def _first_zones(layers: Layers) -> shapely.Geometry:
    zones = [f["geometry"] for f in layers["drinking_water_zones"] if f["zone"] == "一级"]
    return shapely.MultiPolygon([p for z in zones for p in shapely.get_parts(z)])


def _feature(code: str, name: str, activity: str, geometry: shapely.Geometry) -> Feature:
    head, _, tail = code.partition("-")
    key = f"P{int(head):02d}" + (f"-{tail}" if tail else "")
    return {
        "id": key,
        "name": name,
        "activity": activity,
        "source": f"规划附表第{int(head)}项",
        "expected": "",
        "note": NOTE,
        "geometry": geometry,
    }
