"""Roads: the real main ones, laid along the valleys, and invented branches to villages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
import shapely.ops
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from . import places
from .frame import CELL_M, SEED
from .lines import bend, distances, normals, resample
from .places import LonLat
from .waters import Course
from .zoning import Terrain

BLOCK = 6


@dataclass(frozen=True)
class Way:
    """One line of the roads layer, in metres."""

    road: str
    number: str
    name: str
    road_class: str
    technical: str
    half_width: float | None
    line: shapely.LineString


@dataclass(frozen=True)
class Plan:
    """A road by the places that it passes through."""

    road: str
    number: str
    road_class: str
    technical: str
    half_width: float | None
    via: list[LonLat | str]


T = places.TOWNSHIPS
PLANS: list[Plan] = [
    Plan(
        "G107",
        "G107",
        "国道",
        "一级",
        12.0,
        [
            (112.628, 25.150),
            "大路边镇",
            "星子镇",
            (112.497, 24.903),
            "龙坪镇",
            "连州镇",
            (112.405, 24.735),
            "九陂镇",
            (112.470, 24.640),
        ],
    ),
    Plan(
        "G234",
        "G234",
        "国道",
        "二级",
        9.0,
        [(112.535, 25.160), "大路边镇", "星子镇", "龙坪镇", "连州镇", (112.340, 24.752), (112.285, 24.705)],
    ),
    Plan(
        "G537",
        "G537",
        "国道",
        "二级",
        9.0,
        [(112.206, 25.194), "三水瑶族乡", "丰阳镇", "东陂镇", "西岸镇", "保安镇", "连州镇"],
    ),
    Plan(
        "G323",
        "G323",
        "国道",
        "二级",
        None,
        [
            (112.560, 24.650),
            (112.485, 24.690),
            (112.425, 24.738),
            "连州镇",
            (112.330, 24.775),
            (112.282, 24.760),
        ],
    ),
    Plan(
        "S259",
        "S259",
        "省道",
        "二级",
        7.5,
        [
            "星子镇",
            (112.560, 24.930),
            (112.545, 24.872),
            (112.530, 24.820),
            "西江镇",
            (112.540, 24.712),
            (112.600, 24.700),
        ],
    ),
    Plan(
        "S346",
        "S346",
        "省道",
        "三级",
        None,
        [
            (112.140, 24.965),
            "东陂镇",
            (112.340, 24.945),
            (112.402, 24.955),
            (112.484, 24.985),
            "星子镇",
            (112.640, 24.972),
            (112.720, 24.942),
            (112.790, 24.930),
        ],
    ),
    Plan(
        "S114",
        "S114",
        "省道",
        "二级",
        7.5,
        ["连州镇", (112.440, 24.762), "西江镇", (112.610, 24.790), (112.690, 24.795)],
    ),
    Plan("S263", "S263", "省道", "三级", None, ["西岸镇", (112.290, 24.875), (112.245, 24.862)]),
    Plan("X385", "X385", "县道", "三级", 5.0, ["丰阳镇", (112.290, 25.005), "瑶安瑶族乡", (112.350, 25.160)]),
    Plan(
        "X386",
        "X386",
        "县道",
        "三级",
        None,
        ["保安镇", (112.396, 24.950), (112.405, 25.030), (112.407, 25.085)],
    ),
    Plan(
        "X387",
        "X387",
        "县道",
        "三级",
        None,
        ["龙坪镇", (112.520, 24.884), (112.600, 24.870), (112.655, 24.880)],
    ),
    Plan("X388", "X388", "县道", "三级", 5.0, ["九陂镇", (112.372, 24.662), (112.362, 24.630)]),
    Plan("X389", "X389", "县道", "三级", None, [(112.500, 24.921), (112.486, 24.985), (112.470, 25.060)]),
    Plan("X390", "X390", "县道", "四级", None, [(112.546, 25.004), (112.605, 25.022), (112.660, 25.045)]),
    Plan("X391", "X391", "县道", "四级", None, ["三水瑶族乡", (112.258, 25.122), (112.290, 25.150)]),
    Plan("X392", "X392", "县道", "四级", None, ["西江镇", (112.470, 24.770), (112.440, 24.800), "龙坪镇"]),
]

EXPRESSWAYS: list[tuple[str, str, list[LonLat]]] = [
    (
        "清连高速",
        "G4W2",
        [
            (112.645, 25.160),
            (112.622, 25.118),
            (112.590, 25.070),
            (112.572, 25.020),
            (112.555, 24.975),
            (112.535, 24.930),
            (112.505, 24.888),
            (112.475, 24.850),
            (112.440, 24.815),
            (112.418, 24.775),
            (112.408, 24.738),
            (112.430, 24.700),
            (112.452, 24.665),
            (112.470, 24.630),
        ],
    ),
    (
        "二广高速",
        "G55",
        [
            (112.175, 25.205),
            (112.208, 25.150),
            (112.206, 25.090),
            (112.226, 25.030),
            (112.252, 24.975),
            (112.288, 24.915),
            (112.312, 24.865),
            (112.325, 24.815),
            (112.320, 24.770),
            (112.280, 24.735),
        ],
    ),
]


def lay_roads(terrain: Terrain, courses: dict[str, Course]) -> list[Way]:
    """Lay out every road; later roads keep away from earlier ones except in towns."""
    routes = _RouteGrid(terrain, courses)
    ways: list[Way] = []
    for road, number, points in EXPRESSWAYS:
        middle = bend(terrain.frame.points(points), 60)
        for side, label in ((1, "左幅"), (-1, "右幅")):
            line = shapely.LineString(middle + normals(middle) * side * 7.5)
            ways.append(Way(road, number, f"{road}{label}", "高速公路", "高速", 20.0, line))
        routes.mark(middle)
    for plan in PLANS:
        stops = [T[v] if isinstance(v, str) else v for v in plan.via]
        path = routes.route(terrain.frame.points(stops))
        routes.mark(path)
        ways += _sections(plan, path, [v for v in plan.via if isinstance(v, str)], terrain)
    return ways + _village_roads(routes, terrain, ways)


def _sections(plan: Plan, path: np.ndarray, towns: list[str], terrain: Terrain) -> list[Way]:
    """Cut a road at the towns that it passes: one feature a section."""
    at = sorted({int(np.argmin(np.hypot(*(path - terrain.frame.points([T[t]])[0]).T))) for t in towns})
    cuts = [0, *[k for k in at if 20 < k < len(path) - 21], len(path) - 1]
    out = []
    for number, (start, stop) in enumerate(pairwise(cuts), 1):
        name = f"{plan.road}第{number}段" if len(cuts) > 2 else plan.road
        line = shapely.LineString(path[start : stop + 1])
        out.append(Way(plan.road, plan.number, name, plan.road_class, plan.technical, plan.half_width, line))
    return out


class _RouteGrid:
    """A grid of 180 m cells for least-cost paths: slope and nearby earlier roads add cost."""

    def __init__(self, terrain: Terrain, courses: dict[str, Course]) -> None:
        self.frame = terrain.frame
        rows, cols = (n // BLOCK for n in self.frame.shape)
        cut = terrain.height[: rows * BLOCK, : cols * BLOCK]
        self.height = cut.reshape(rows, BLOCK, cols, BLOCK).mean((1, 3))
        self.extra = np.ones((rows, cols))
        self.x = self.frame.extent[0] + (np.arange(cols) + 0.5) * CELL_M * BLOCK
        self.y = self.frame.extent[3] - (np.arange(rows) + 0.5) * CELL_M * BLOCK
        self.road = np.zeros((rows, cols), dtype=bool)
        for course in courses.values():
            self.extra[self._cells(course.line)] = 2.2

    def _cells(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        row, col = self.frame.cell(*points.T)
        return np.clip(row // BLOCK, 0, len(self.y) - 1), np.clip(col // BLOCK, 0, len(self.x) - 1)

    def mark(self, path: np.ndarray) -> None:
        """Mark a road: the cells beside it cost more, except near the towns."""
        self.road[self._cells(path)] = True
        seats = self.frame.points(list(T.values()))
        gap = np.min([np.hypot(*(path - s).T) for s in seats], axis=0)
        rows, cols = self._cells(path[gap > 1100])
        for dr in (-2, -1, 0, 1, 2):
            for dc in (-2, -1, 0, 1, 2):
                r, c = np.clip(rows + dr, 0, len(self.y) - 1), np.clip(cols + dc, 0, len(self.x) - 1)
                self.extra[r, c] = np.maximum(self.extra[r, c], 3.2)

    def graph(self) -> sparse.csr_matrix:
        """Costs between neighbouring cells."""
        number = np.arange(self.height.size).reshape(self.height.shape)
        rows, cols = self.height.shape
        lows, highs, costs = [], [], []
        for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
            a = (slice(0, rows - dr), slice(max(0, -dc), cols - max(0, dc)))
            b = (slice(dr, rows), slice(max(0, dc), cols + min(0, dc)))
            run = CELL_M * BLOCK * np.hypot(dr, dc)
            slope = np.abs(self.height[a] - self.height[b]) / run
            cost = run * (1 + (slope * 22) ** 2) * (self.extra[a] + self.extra[b]) / 2
            lows.append(number[a].ravel())
            highs.append(number[b].ravel())
            costs.append(cost.ravel())
        low, high, cost = (np.concatenate(v) for v in (lows, highs, costs))
        size = self.height.size
        return sparse.csr_matrix((cost, (low, high)), shape=(size, size))

    def route(self, stops: np.ndarray) -> np.ndarray:
        """Find the cheapest path through the stops and smooth it."""
        graph = self.graph()
        legs = []
        for start, stop in pairwise(stops):
            a, b = (np.ravel_multi_index(self._cells(p[None])[0:2], self.height.shape)[0] for p in (start, stop))
            _, before = dijkstra(graph, directed=False, indices=a, return_predecessors=True)
            legs.append(np.vstack([start, self._walk(before, int(b))[4:-4:5], stop]))
        points = np.vstack([legs[0], *[leg[1:] for leg in legs[1:]]])
        return smoothed(points)

    def nearest_road(self, point: np.ndarray) -> np.ndarray:
        """Find the cheapest path from a point to any earlier road."""
        start = int(np.ravel_multi_index(self._cells(point[None]), self.height.shape)[0])
        cost, before = dijkstra(self.graph(), directed=False, indices=start, return_predecessors=True, limit=60000)
        goals = np.flatnonzero(self.road.ravel())
        goal = int(goals[np.argmin(cost[goals])])
        return self._walk(before, goal)

    def _walk(self, before: np.ndarray, node: int) -> np.ndarray:
        nodes = [node]
        while before[nodes[-1]] >= 0:
            nodes.append(int(before[nodes[-1]]))
        row, col = np.unravel_index(nodes[::-1], self.height.shape)
        return np.column_stack([self.x[col], self.y[row]])


def smoothed(points: np.ndarray) -> np.ndarray:
    """Smooth a path and sample it every 60 m, including both ends."""
    fine = resample(points, 60)
    spread = np.exp(-0.5 * (np.arange(-12, 13) / 5.0) ** 2)
    spread /= spread.sum()
    padded = np.vstack([2 * fine[0] - fine[12:0:-1], fine, 2 * fine[-1] - fine[-2:-14:-1]])
    return np.column_stack([np.convolve(padded[:, k], spread, mode="valid") for k in (0, 1)])


def _village_roads(routes: _RouteGrid, terrain: Terrain, ways: list[Way]) -> list[Way]:
    """Link random villages on low land to the nearest road."""
    rng = np.random.default_rng(SEED + 500)
    frame = terrain.frame
    west, south, east, north = frame.outline.bounds
    chosen: list[np.ndarray] = []
    out: list[Way] = []
    tree = shapely.union_all([w.line for w in ways])
    while len(out) < 26:
        point = rng.uniform((west, south), (east, north))
        row, col = frame.cell(*point)
        high = terrain.above[row, col] > 90 or frame.rim_m[row, col] < 1200
        if high or any(np.hypot(*(point - p)) < 4500 for p in chosen):
            continue
        gap = shapely.distance(tree, shapely.Point(point))
        if not 1500 < gap < 7000:
            continue
        path = smoothed(np.vstack([point, routes.nearest_road(point)[3::4]]))
        end = shapely.ops.nearest_points(tree, shapely.Point(path[-1]))[0]
        path = np.vstack([path[: max(2, len(path) - 2)], [end.x, end.y]])
        if distances(path)[-1] < 1200:
            continue
        chosen.append(point)
        routes.mark(path)
        number = f"Y{301 + len(out)}"
        half = 3.5 if len(out) % 4 == 0 else None
        out.append(Way(number, number, number, "乡道", "四级", half, shapely.LineString(path)))
        tree = shapely.union_all([tree, out[-1].line])
    return out
