"""Rivers and reservoirs: centrelines, widths and heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from . import places
from .frame import SEED, Frame
from .lines import bend, distances, meander, swath

STEP_M = 45.0


@dataclass(frozen=True)
class Course:
    """A river: its line in metres; at each vertex the height, the half-width, and the half-width of the basin."""

    river: places.River
    line: np.ndarray
    height: np.ndarray
    half_width: np.ndarray
    basin: np.ndarray

    @property
    def name(self) -> str:
        """The river's name."""
        return self.river.name


def lay_courses(frame: Frame) -> dict[str, Course]:
    """Lay out every river, main ones first; a tributary ends on a vertex of the river that it joins."""
    courses: dict[str, Course] = {}
    for number, river in enumerate(places.RIVERS):
        rng = np.random.default_rng(SEED + 100 + number)
        bends = frame.points(river.bends)
        mouth = river.height[1]
        if river.joins:
            main = courses[river.joins]
            at = 0 if river.bends[-1] == main.river.bends[0] else _nearest(main.line, bends[-1])
            bends[-1] = main.line[at]
            mouth = float(main.height[at])
        wide = max(river.width)
        line = meander(bend(bends, STEP_M), 110 + 1.3 * wide, 1100 + 9 * wide, rng)
        share = distances(line) / distances(line)[-1]
        height = mouth + (river.height[0] - mouth) * (1 - share) ** 2.4
        grow = share**0.7
        courses[river.name] = Course(
            river,
            line,
            height,
            (river.width[0] + (river.width[1] - river.width[0]) * grow) / 2,
            river.basin[0] + (river.basin[1] - river.basin[0]) * grow,
        )
    return courses


def water_polygons(courses: dict[str, Course]) -> list[tuple[dict[str, str], shapely.Polygon]]:
    """Make the surfaces of the rivers that have one, cut into reaches; they may overlap where rivers meet."""
    out = []
    for course in courses.values():
        if not course.river.water:
            continue
        reaches = course.river.reaches or [""]
        cuts = np.linspace(0, len(course.line) - 1, len(reaches) + 1).astype(int)
        for reach, start, stop in zip(reaches, cuts[:-1], cuts[1:], strict=True):
            part = slice(start, stop + 1)
            name = f"{course.name}{reach}"
            facts = {"name": name, "river": course.name, "order": course.river.order}
            out.append((facts, swath(course.line[part], course.half_width[part])))
    return out


def reservoir_polygons(frame: Frame, courses: dict[str, Course]) -> list[tuple[str, shapely.Polygon]]:
    """Flood the valley above each dam: a wide strip along the river with arms."""
    out = []
    for number, (name, dam, length, half, river) in enumerate(places.RESERVOIRS):
        rng = np.random.default_rng(SEED + 300 + number)
        line = courses[river].line
        end = _nearest(line, frame.points([dam])[0])
        start = max(0, end - round(length / STEP_M))
        part = line[start : end + 1]
        share = np.linspace(0, 1, len(part))
        wave = np.interp(share, np.linspace(0, 1, 9), rng.uniform(0.55, 1.15, 9))
        body = swath(part, half * (0.18 + 0.82 * share) * wave)
        arms = [_arm(part[round(f * (len(part) - 1))], half, rng) for f in (0.45, 0.7, 0.88)]
        out.append((name, shapely.simplify(shapely.union_all([body, *arms]).buffer(25).buffer(-25), 3.0)))
    return out


def _arm(start: np.ndarray, half: float, rng: np.random.Generator) -> shapely.Polygon:
    turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.uniform(-0.25, 0.25, 6))
    steps = np.column_stack([np.cos(turn), np.sin(turn)]) * half * 0.45
    path = bend(np.vstack([start, start + np.cumsum(steps, axis=0)]), 40)
    return swath(path, np.linspace(half * 0.45, half * 0.06, len(path)))


def reach(course: Course, start: float, stop: float) -> slice:
    """Vertices of a course between two shares of its length."""
    last = len(course.line) - 1
    return slice(round(start * last), round(stop * last) + 1)


def management_ranges(courses: dict[str, Course]) -> list[tuple[dict[str, str], shapely.Polygon]]:
    """Delimit management ranges 25 to 60 m outside the banks: the Lianjiang and a part of the Xingzi."""
    out = []
    for name, start, stop in (("连江", 0.0, 0.72), ("星子河", 0.30, 0.62)):
        course = courses[name]
        part = reach(course, start, stop)
        count = len(course.line[part])
        extra = 42 + 17 * np.sin(np.linspace(0, 14, count))
        area = swath(course.line[part], course.half_width[part] + extra)
        out.append(({"name": f"{name}河道管理范围", "river": name}, shapely.simplify(area, 3.0)))
    return out


def source_zones(
    courses: dict[str, Course], reservoirs: list[tuple[str, shapely.Polygon]]
) -> list[tuple[str, str, shapely.Polygon]]:
    """Make the zones of the five drinking-water sources; outer zones contain the inner ones."""
    plan = [
        ("耙船洞", "东陂河", 0.30),
        ("星子河水口村", "星子河", 0.655),
        ("保安河", "保安河", 0.60),
        ("细沙洞", "西江河", 0.30),
    ]
    out: list[tuple[str, str, shapely.Polygon]] = []
    for source, river, at in plan:
        course = courses[river]
        for zone, up, down, side in (
            ("一级", 1000, 120, 45),
            ("二级", 3200, 330, 330),
            ("准保护区", 5600, 400, 900),
        ):
            if zone == "准保护区" and source not in {"星子河水口村", "保安河"}:
                continue
            middle = at * distances(course.line)[-1]
            along = distances(course.line)
            part = (along >= middle - up) & (along <= middle + down)
            widths = course.half_width[part] + side * np.linspace(1, 0.8, int(part.sum()))
            out.append((source, zone, shapely.simplify(swath(course.line[part], widths), 4.0)))
    lake = next(area for name, area in reservoirs if name == "上兰靛水库")
    for zone, side in (("一级", 120.0), ("二级", 650.0), ("准保护区", 1400.0)):
        out.append(("上兰靛水库", zone, shapely.simplify(lake.buffer(side), 6.0)))
    return out


def _nearest(line: np.ndarray, point: np.ndarray) -> int:
    return int(np.argmin(np.hypot(*(line - point).T)))
