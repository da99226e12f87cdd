"""From masks to zones: polygons of every zone, and the faces of one mesh that they are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from scipy import ndimage

from . import places, planted, zoning
from .frame import Frame, with_corners
from .mesh import Mesh, build_mesh
from .waters import Course
from .zoning import Terrain

KEY_PLACES: list[tuple[str, str, tuple[float, float], float]] = [
    ("连州市中心城区重点管控单元", "连州镇", (112.377, 24.795), 5200),
    ("连州市清远民族工业园重点管控单元", "九陂镇", (112.402, 24.733), 3900),
    ("连州市星子镇重点管控单元", "星子镇", (112.535, 24.985), 3900),
    ("连州市东陂镇重点管控单元", "东陂镇", (112.290, 24.945), 3000),
    ("连州市龙坪镇重点管控单元", "龙坪镇", (112.463, 24.872), 3600),
    ("连州市大路边镇重点管控单元", "大路边镇", (112.566, 25.060), 3000),
]
THIN_M = 0.05
GENERAL_WITH = {"三水瑶族乡": "瑶安瑶族乡", "丰阳镇": "东陂镇"}


@dataclass
class Zoning:
    """Masks, and the polygons in metres that the mesh is made of."""

    townships: np.ndarray
    functions: np.ndarray
    redline: np.ndarray
    priority: np.ndarray
    key: np.ndarray
    town: np.ndarray
    farmland: np.ndarray
    reserves: np.ndarray
    meetings: list[planted.Meeting]
    shapes: dict[str, np.ndarray] = field(default_factory=dict)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)


def draw_masks(terrain: Terrain, courses: dict[str, Course], wet: np.ndarray) -> Zoning:
    """Make the mask of every zone; `wet` cells are water and hold no farmland."""
    frame = terrain.frame
    reserves = zoning.reserves(terrain, courses)
    score = np.where(frame.share > 0, zoning.redline_score(terrain, reserves), -np.inf)
    redline = zoning.take(score, frame.share, zoning.REDLINE_KM2 - 0.6, zoning.tidy_redline)
    banned = ndimage.binary_dilation(redline | (reserves > 0))
    town_score = zoning.town_score(terrain)
    near_wet = ndimage.binary_dilation(wet, iterations=1)
    farmland = zoning.farmland(terrain, town_score, banned | near_wet)
    town = zoning.town(terrain, town_score, banned | ndimage.binary_dilation(farmland))
    excluded = (reserves > 0) | near_wet
    meetings, frozen = planted.arrange_meetings(terrain, redline, town, excluded)
    farmland &= ~frozen
    fixed = frozen | ndimage.binary_dilation(town | farmland, iterations=3)
    redline = zoning.fit_redline(redline, score, terrain, fixed)
    priority = zoning.priority(terrain, redline, np.where(frame.share > 0, score, 0), town | farmland)
    return Zoning(
        townships=zoning.townships(terrain),
        functions=zoning.functions(terrain),
        redline=redline,
        priority=priority,
        key=_key_areas(terrain),
        town=town,
        farmland=farmland,
        reserves=reserves,
        meetings=meetings,
    )


def _key_areas(terrain: Terrain) -> np.ndarray:
    """Give the surroundings of the key places numbers, from 1."""
    frame = terrain.frame
    bent = terrain.coarse_noise(2500, 80) * 420
    labels = np.zeros(frame.shape, dtype=np.int32)
    closest = np.full(frame.shape, np.inf)
    for number, (_, _, at, reach) in enumerate(KEY_PLACES, 1):
        share = (frame.near(at) + bent) / reach
        labels[(share < 1) & (share < closest)] = number
        closest = np.minimum(closest, share)
    return labels


def trace(zones: Zoning, frame: Frame) -> None:
    """Turn the masks into polygons in metres; cut reserves and town boundary to their declared areas."""
    shapes, numbers = zones.shapes, zones.numbers
    shapes["townships"], numbers["townships"] = frame.polygons(zones.townships, 100)
    shapes["redline"], numbers["redline"] = frame.polygons(zones.redline * zones.functions)
    shapes["priority"], numbers["priority"] = frame.polygons(zones.priority.astype(int))
    shapes["key"], numbers["key"] = frame.polygons(zones.key, 40)
    shapes["reserves"], numbers["reserves"] = frame.polygons(zones.reserves, 45)
    shapes["reserves"] = _cut_reserves(shapes["reserves"], numbers["reserves"], frame)
    shapes["town"] = _town_parts(zones, frame)
    shapes["farmland"], _ = frame.polygons(zones.farmland.astype(int), 30)
    busy = zones.priority | (zones.key > 0) | zones.town | zones.farmland | (zones.reserves > 0)
    point = planted.gap_place(frame, zones.townships, busy)
    edges = shapely.union_all(shapely.boundary(shapes["townships"]))
    on_edge = shapely.get_coordinates(shapely.shortest_line(edges, shapely.Point(point)))[0]
    shapes["gap"] = np.array([planted.gap_lens(on_edge, 0.6)], dtype=object)


def _cut_reserves(parts: np.ndarray, numbers: np.ndarray, frame: Frame) -> np.ndarray:
    """Cut the excess area of all reserves off the west of the first."""
    inside = shapely.intersection(parts, frame.outline)
    spare = float(shapely.area(inside).sum()) - zoning.RESERVES_KM2 * 1e6
    first = int(np.flatnonzero(numbers == 2)[np.argmax(shapely.area(inside[numbers == 2]))])
    parts[first] = cut_west(parts[first], spare)
    return parts


def cut_west(shape: shapely.Geometry, spare_m2: float) -> shapely.Geometry:
    """Cut a polygon along a north-south line of the plane, so that `spare_m2` is removed in the west."""
    if spare_m2 < 0:
        raise ValueError(f"nothing to spare: {-spare_m2:.0f} m2 too little")
    west, south, east, north = shape.bounds
    low, high = west, east
    for _ in range(60):
        middle = (low + high) / 2
        taken = shapely.clip_by_rect(shape, west - 1, south - 1, middle, north + 1).area
        low, high = (middle, high) if taken < spare_m2 else (low, middle)
    return shapely.intersection(shape, shapely.box(low, south - 1, east + 1, north + 1))


def _town_parts(zones: Zoning, frame: Frame) -> np.ndarray:
    """Draw the town boundary with the declared area; it overlaps other zones only at the two planted conflicts."""
    parts, _ = frame.polygons(zones.town.astype(int), 45)
    whole = shapely.union_all([*parts, *with_corners([m.town_block for m in zones.meetings])])
    others = shapely.union_all(np.concatenate([zones.shapes["redline"], zones.shapes["reserves"]]))
    whole = shapely.difference(whole, others)
    pieces = shapely.get_parts(whole)
    pieces = pieces[shapely.area(pieces) > 20_000]
    into = [planted.overlap(zones.meetings[0]), planted.sliver(zones.meetings[1])]
    grown = shapely.union_all([*pieces, *into])
    spare = grown.area - zoning.TOWN_KM2 * 1e6
    pieces = shapely.get_parts(grown)
    away = [shapely.distance(p, shapely.union_all([m.town_block for m in zones.meetings])) for p in pieces]
    free = [k for k, gap in enumerate(away) if gap > 300] or [int(np.argmax(shapely.area(pieces)))]
    target = max(free, key=lambda k: pieces[k].area)
    pieces[target] = cut_west(pieces[target], spare)
    return shapely.get_parts(shapely.union_all(pieces))


@dataclass(frozen=True)
class Faces:
    """The zones that each face of the mesh belongs to; -1 or False for none."""

    mesh: Mesh
    township: np.ndarray
    redline: np.ndarray
    function: np.ndarray
    priority: np.ndarray
    key: np.ndarray
    town: np.ndarray
    farmland: np.ndarray
    reserve: np.ndarray
    gap: np.ndarray


def divide(zones: Zoning, frame: Frame) -> Faces:
    """Node all borders together, and find the zones of each face inside the city."""
    degrees = {name: frame.degrees(shape) for name, shape in zones.shapes.items()}
    mesh = build_mesh(frame, np.concatenate([[frame.outline_deg], *degrees.values()]))
    kept = mesh.inside([frame.outline_deg]) == 0
    mesh = Mesh(mesh.faces[kept], mesh.inner[kept], mesh.inner_xy[kept])
    row, col = frame.cell(*mesh.inner_xy.T)
    where = {name: mesh.inside(shape) for name, shape in degrees.items()}
    town = where["town"]
    redline = zones.redline[row, col]
    reserve = _label(where["reserves"], zones.numbers["reserves"])
    hosts = mesh.hosts(THIN_M)
    facts = {
        "township": _label(where["townships"], zones.numbers["townships"]),
        "redline": redline,
        "function": zones.functions[row, col],
        "priority": zones.priority[row, col],
        "key": np.where(town >= 0, _label(where["key"], zones.numbers["key"]), 0),
        "town": town,
        "farmland": np.where((town >= 0) | redline | (reserve > 0), -1, where["farmland"]),
        "reserve": reserve,
        "gap": where["gap"] >= 0,
    }
    return Faces(mesh=mesh, **{name: fact[hosts] for name, fact in facts.items()})


def _label(index: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.where(index >= 0, labels[index], 0)


def unit_keys(faces: Faces) -> list[tuple[int, int] | None]:
    """Name the control unit of each face: class (1 priority, 2 key, 3 general), number; None in the gap."""
    names = list(places.TOWNSHIPS)
    general = [n for n in names if n not in GENERAL_WITH]
    out: list[tuple[int, int] | None] = []
    for k in range(len(faces.mesh.faces)):
        town = names[faces.township[k] - 1]
        if faces.gap[k]:
            out.append(None)
        elif faces.priority[k]:
            out.append((1, int(faces.township[k])))
        elif faces.key[k]:
            out.append((2, int(faces.key[k])))
        else:
            out.append((3, general.index(GENERAL_WITH.get(town, town)) + 1))
    return out


def unit_names() -> dict[tuple[int, int], tuple[str, str]]:
    """Name and township of each control unit."""
    names = list(places.TOWNSHIPS)
    out: dict[tuple[int, int], tuple[str, str]] = {}
    for k, town in enumerate(names, 1):
        out[1, k] = (f"连州市{_short(town)}优先保护单元", town)
    for k, (name, town, _, _) in enumerate(KEY_PLACES, 1):
        out[2, k] = (name, town)
    general = [n for n in names if n not in GENERAL_WITH]
    for k, town in enumerate(general, 1):
        joined = [town, *[a for a, b in GENERAL_WITH.items() if b == town]]
        out[3, k] = (f"连州市{'—'.join(_short(t) for t in joined)}一般管控单元", "、".join(joined))
    return out


def _short(town: str) -> str:
    return town.removesuffix("瑶族乡") if town.endswith("瑶族乡") else town.removesuffix("镇") + "镇"
