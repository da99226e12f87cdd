"""The layers: features with their fields, in degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy import ndimage

from . import places
from .clauses import clauses
from .frame import CELL_M, Frame
from .lines import block, distances
from .mesh import join, stack
from .waters import Course, management_ranges, reservoir_polygons, source_zones, water_polygons
from .ways import Way
from .zones import Faces, Zoning, unit_keys, unit_names

CLASSES = {1: "优先保护单元", 2: "重点管控单元", 3: "一般管控单元"}
Feature = dict[str, Any]
Layers = dict[str, list[Feature]]

PARKS: list[tuple[str, str, tuple[float, float], float]] = [
    ("清远民族工业园", "民族工业园一区", (112.398, 24.742), 210),
    ("清远民族工业园", "民族工业园二区", (112.412, 24.722), 160),
    ("清远民族工业园", "民族工业园三区", (112.380, 24.728), 120),
    ("清远民族工业园", "民族工业园四区", (112.350, 24.800), 85),
    ("清远民族工业园", "民族工业园五区", (112.400, 24.815), 70),
    ("清远民族工业园", "民族工业园六区", (112.475, 24.858), 90),
    ("清远民族工业园", "民族工业园七区", (112.298, 24.935), 60),
    ("星子石材循环产业园", "星子石材循环产业园", (112.546, 24.962), 130),
    ("台连科技产业园", "台连科技产业园", (112.418, 24.772), 95),
    ("新材料产业基地", "大路边新材料产业基地", (112.575, 25.045), 110),
]


@dataclass(frozen=True)
class Scene:
    """Everything that the layers are made from."""

    frame: Frame
    courses: dict[str, Course]
    ways: list[Way]
    zones: Zoning
    faces: Faces


def make_layers(scene: Scene) -> Layers:
    """Make every layer except the sites."""
    return {
        "city": [{"id": places.ADCODE, "name": places.CITY, "geometry": join(scene.faces.mesh.faces)}],
        **_zoning_layers(scene),
        **_water_layers(scene),
        "roads": _roads(scene),
        "road_control_zones": _road_zones(scene),
        "industrial_parks": _parks(scene),
    }


def _zoning_layers(scene: Scene) -> Layers:
    faces, mesh = scene.faces, scene.faces.mesh
    towns = list(places.TOWNSHIPS.items())
    number = range(len(mesh.faces))
    town = mesh.merge([int(k) for k in faces.township])
    parts = mesh.merge([int(k) if k >= 0 else None for k in faces.town])
    fields = mesh.merge([int(k) if k >= 0 else None for k in faces.farmland])
    red = mesh.merge([(int(faces.township[k]), int(faces.function[k])) if faces.redline[k] else None for k in number])
    return {
        "townships": [
            {
                "id": f"{places.ADCODE}{100 + k}",
                "name": towns[k - 1][0],
                "seat_lon": towns[k - 1][1][0],
                "seat_lat": towns[k - 1][1][1],
                "geometry": town[k],
            }
            for k in sorted(town)
        ],
        "redline": [_red_feature(n, k, red[k]) for n, k in enumerate(sorted(red), 1)],
        "control_units": _units(faces),
        "protected_areas": _reserves(faces),
        "reserve_boundaries": _reserve_outlines(faces),
        "town_boundary": [
            {
                "id": f"CZ{n:03d}",
                "name": f"{_town_of(scene, parts[k])}城镇开发边界{n:02d}",
                "status": "draft",
                "geometry": parts[k],
            }
            for n, k in enumerate(sorted(parts), 1)
        ],
        "farmland": [
            {
                "id": f"NT{n:03d}",
                "name": f"{_town_of(scene, fields[k])}永久基本农田{n:03d}",
                "township": _town_of(scene, fields[k]),
                "geometry": fields[k],
            }
            for n, k in enumerate(sorted(fields), 1)
        ],
    }


def _red_feature(number: int, key: tuple[int, int], geometry: shapely.Geometry) -> Feature:
    town = list(places.TOWNSHIPS)[key[0] - 1]
    function = places.FUNCTIONS[key[1] - 1][0]
    return {
        "id": f"HX{places.ADCODE}{number:03d}",
        "name": f"{town}{function}红线区{number:02d}",
        "function": function,
        "township": town,
        "geometry": geometry,
    }


def _town_of(scene: Scene, geometry: shapely.Geometry) -> str:
    """Name the township that holds most cells of a geometry, by a point of its largest part."""
    parts = shapely.get_parts(geometry)
    point = scene.frame.metres([shapely.point_on_surface(parts[int(np.argmax(shapely.area(parts)))])])[0]
    row, col = scene.frame.cell(point.x, point.y)
    return list(places.TOWNSHIPS)[int(scene.zones.townships[row, col]) - 1]


def _units(faces: Faces) -> list[Feature]:
    names = unit_names()
    merged = faces.mesh.merge(unit_keys(faces))
    out = []
    for key in sorted(merged):
        name, town = names[key]
        code = f"ZH{places.ADCODE}{key[0]}{key[1]:04d}"
        out.append(
            {
                "id": code,
                "code": code,
                "name": name,
                "class": CLASSES[key[0]],
                "township": town,
                **clauses(key[0], town),
                "geometry": merged[key],
            }
        )
    return out


def _reserves(faces: Faces) -> list[Feature]:
    merged = faces.mesh.merge([int(k) if k > 0 else None for k in faces.reserve])
    out = []
    for key in sorted(merged):
        name, level, kind, _, _ = places.RESERVES[(key - 1) // 2]
        zone = "核心保护区" if key % 2 else "一般控制区"
        code = f"BHD{(key - 1) // 2 + 1:02d}-{1 if key % 2 else 2}"
        out.append(
            {
                "id": code,
                "name": f"{name}{zone}",
                "reserve": name,
                "level": level,
                "kind": kind,
                "zone": zone,
                "geometry": merged[key],
            }
        )
    return out


def _reserve_outlines(faces: Faces) -> list[Feature]:
    """Join the zones of each reserve, so that its outline shares every vertex with them."""
    merged = faces.mesh.merge([(int(k) + 1) // 2 if k > 0 else None for k in faces.reserve])
    out = []
    for number in sorted(merged):
        name, level, kind, _, _ = places.RESERVES[number - 1]
        facts = {"id": f"BHD{number:02d}", "name": name, "reserve": name, "level": level, "kind": kind}
        out.append({**facts, "geometry": merged[number]})
    return out


def _water_layers(scene: Scene) -> Layers:
    frame, courses = scene.frame, scene.courses
    lakes, rivers = reservoir_polygons(frame, courses), water_polygons(courses)
    shapes = stack(frame, [a for _, a in lakes] + [a for _, a in rivers])
    water = [(facts, s) for (facts, _), s in zip(rivers, shapes[len(lakes) :], strict=True) if s is not None]
    sources = sorted(source_zones(courses, lakes), key=lambda s: ["一级", "二级", "准保护区"].index(s[1]))
    rings = stack(frame, [s[2] for s in sources])
    ranges = management_ranges(courses)
    return {
        "rivers": [{"id": f"SX{n:03d}", **facts, "geometry": s} for n, (facts, s) in enumerate(water, 1)],
        "river_centrelines": [
            {
                "id": f"ZX{n:03d}",
                "name": c.name,
                "river": c.name,
                "order": c.river.order,
                "half_width_m": None,
                "geometry": frame.degrees([shapely.LineString(c.line)])[0],
            }
            for n, c in enumerate(courses.values(), 1)
        ],
        "river_management": [
            {"id": f"GL{n:03d}", **facts, "geometry": frame.degrees([s])[0]} for n, (facts, s) in enumerate(ranges, 1)
        ],
        "reservoirs": [
            {"id": f"SK{n:03d}", "name": name, "geometry": shapes[n - 1]} for n, (name, _) in enumerate(lakes, 1)
        ],
        "drinking_water_zones": [
            {
                "id": f"SY{n:03d}",
                "name": f"{source}水源{zone}{'' if zone == '准保护区' else '保护区'}",
                "source_name": source,
                "zone": zone,
                "geometry": ring,
            }
            for n, ((source, zone, _), ring) in enumerate(zip(sources, rings, strict=True), 1)
            if ring is not None
        ],
    }


def _roads(scene: Scene) -> list[Feature]:
    lines = scene.frame.degrees([w.line for w in scene.ways])
    return [
        {
            "id": f"DL{n:03d}",
            "name": w.name,
            "road": w.road,
            "number": w.number,
            "class": w.road_class,
            "technical_class": w.technical,
            "half_width_m": w.half_width,
            "geometry": line,
        }
        for n, (w, line) in enumerate(zip(scene.ways, lines, strict=True), 1)
    ]


def control_zone(scene: Scene) -> tuple[str, shapely.Polygon]:
    """Delimit a building-control zone along 6 km of the G234, slightly wider than the legal minimum."""
    best = max((w for w in scene.ways if w.road == "G234"), key=lambda w: w.line.length)
    points = shapely.get_coordinates(best.line)
    along = distances(points)
    middle = along[-1] / 2
    stretch = points[(along > middle - 3000) & (along < middle + 3000)]
    zone = shapely.buffer(shapely.LineString(stretch), 34.0, cap_style="flat", join_style="round", quad_segs=4)
    return best.road, zone


def _road_zones(scene: Scene) -> list[Feature]:
    road, zone = control_zone(scene)
    return [
        {
            "id": "KZ001",
            "name": f"{road}公路建筑控制区（示意段）",
            "road": road,
            "geometry": scene.frame.degrees([zone])[0],
        }
    ]


def _parks(scene: Scene) -> list[Feature]:
    """Place each park inside the town boundary, as near as possible to its approximate real position."""
    frame = scene.frame
    free = scene.zones.town.copy()
    for course in scene.courses.values():
        free[frame.cell(*course.line.T)] = False
    out = []
    for number, (park, name, at, hectares) in enumerate(PARKS, 1):
        room = ndimage.distance_transform_edt(free) * CELL_M
        radius = np.sqrt(hectares * 1e4 / np.pi) * 1.25
        score = np.where(room > radius, frame.near(at), np.inf)
        row, col = np.unravel_index(int(np.argmin(score)), score.shape)
        if not np.isfinite(score[row, col]):
            raise ValueError(f"no room for {name}")
        shape = block(np.array([frame.xy[0][0, col], frame.xy[1][row, 0]]), hectares * 1e4, number * 0.7, 1.25)
        free &= ~frame.burn([shape.buffer(90)], all_touched=True)
        out.append(
            {
                "id": f"YQ{number:03d}",
                "name": name,
                "park": park,
                "hectares": float(hectares),
                "recognised": "否",
                "geometry": frame.degrees([shape])[0],
            }
        )
    return out
