"""Works around which laws keep a distance: ranges of reservoirs, dikes, ferries, bridges of railways, pipelines below ground."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
import shapely.ops

from . import places
from .layers import Feature, Layers
from .lines import distances, normals
from .sketch import Sketch, numbered

#: Metres from the water: the management range of a reservoir, and its protection range beyond.
RESERVOIR_RANGES_M = {"管理范围": (0.0, 30.0), "保护范围": (30.0, 200.0)}
#: Metres from the edge of the river management range: the dike with the land that protects it, and its safety zone.
DIKE_M, DIKE_SAFETY_M = 12.0, 50.0
#: Dikes are drawn within so many metres of the town.
DIKED_M = 3500.0
# name, river, place along it as a share
FERRIES = [("示意渡口一", "连江", 0.62), ("示意渡口二", "连江", 0.83)]
TUNNEL_M = 800.0


def make_works(sketch: Sketch) -> Layers:
    """Make the layers of works."""
    rails = sketch.frame.metres([f["geometry"] for f in sketch.layers["railways"]])
    pipes = [f for f in sketch.layers["pipelines"] if f["class"] == "天然气长输管道"]
    return {
        "reservoir_ranges": _reservoir_ranges(sketch),
        "dikes": _dikes(sketch),
        "ferries": numbered("DK", [_ferry(sketch, *row) for row in FERRIES]),
        "railway_bridges": numbered("TQ", _crossings(sketch, shapely.union_all(rails), "铁路桥")),
        "pipeline_crossings": numbered(
            "CY", _crossings(sketch, shapely.union_all(sketch.frame.metres([f["geometry"] for f in pipes])), "管道穿越")
        ),
        "pipeline_tunnels": numbered("GS", [_tunnel(sketch, f) for f in pipes]),
    }


def _reservoir_ranges(sketch: Sketch) -> list[Feature]:
    rows: list[Feature] = []
    for lake, shape in zip(
        sketch.layers["reservoirs"],
        sketch.frame.metres([f["geometry"] for f in sketch.layers["reservoirs"]]),
        strict=True,
    ):
        for kind, (inner, outer) in RESERVOIR_RANGES_M.items():
            ring = shapely.buffer(shape, outer, quad_segs=3)
            if inner:
                ring = shapely.difference(ring, shapely.buffer(shape, inner, quad_segs=3))
            drawn = sketch.degrees(shapely.intersection(ring, sketch.whole))
            rows.append({"name": f"{lake['name']}{kind}", "class": kind, "reservoir": lake["name"], "geometry": drawn})
    return numbered("SKF", rows)


def _dikes(sketch: Sketch) -> list[Feature]:
    """Draw dikes along both edges of the managed range of the main river where it passes the town."""
    ranges = [f for f in sketch.layers["river_management"] if "连江" in f["name"]]
    whole = shapely.simplify(shapely.union_all(sketch.frame.metres([f["geometry"] for f in ranges])), 3)
    seat = shapely.Point(sketch.frame.points([places.TOWNSHIPS["连州镇"]])[0])
    near = shapely.intersection(seat.buffer(DIKED_M), sketch.inner)
    dike = shapely.difference(whole, shapely.buffer(whole, -DIKE_M))
    safety = shapely.difference(shapely.buffer(whole, DIKE_SAFETY_M, quad_segs=3), whole)
    rows: list[Feature] = []
    for kind, shape in (("堤防和护堤地", dike), ("堤防安全保护区", safety)):
        parts = [p for p in shapely.get_parts(shapely.intersection(shape, near)) if p.area > 500]
        rows += [
            {"name": f"连江{kind}{n}", "class": kind, "river": "连江", "geometry": sketch.degrees(part)}
            for n, part in enumerate(parts, 1)
        ]
    return numbered("DF", rows)


def _ferry(sketch: Sketch, name: str, river: str, share: float) -> Feature:
    """Draw a ferry from bank to bank."""
    course = sketch.scene.courses[river]
    at = int(share * (len(course.line) - 1))
    across = normals(course.line)[at] * (course.half_width[at] + 10)
    line = shapely.LineString([course.line[at] - across, course.line[at] + across])
    return {"name": f"{river}{name}", "river": river, "geometry": sketch.degrees(line)}


def _crossings(sketch: Sketch, line: Any, what: str) -> list[Feature]:
    """Return the stretches of a line above or below each river that it crosses."""
    rows: list[Feature] = []
    for course in sketch.scene.courses.values():
        for point in shapely.get_parts(shapely.intersection(line, shapely.LineString(course.line))):
            if point.geom_type != "Point" or not sketch.inner.contains(point.buffer(100)):
                continue
            near = int(np.argmin(np.hypot(*(course.line - (point.x, point.y)).T)))
            length = float(np.round(course.half_width[near] * 2 + 60))
            parts = [p for p in shapely.get_parts(shapely.line_merge(line)) if p.distance(point) < 1]
            at = parts[0].project(point)
            stretch = shapely.ops.substring(parts[0], max(at - length / 2, 0), at + length / 2)
            kind = "500米以上" if length >= 500 else "100至500米" if length >= 100 else "不足100米"
            facts = {"name": f"{course.name}{what}", "river": course.name, "class": kind, "length_m": length}
            rows.append({**facts, "geometry": sketch.degrees(stretch)})
    if not rows:
        raise ValueError(f"no river is crossed: {what}")
    return rows


def _tunnel(sketch: Sketch, pipe: Feature) -> Feature:
    """Put a pipeline into a tunnel of its own where the land above it rises most."""
    line = shapely.segmentize(sketch.frame.metres([pipe["geometry"]])[0], 60)
    points = shapely.get_coordinates(line)
    height = sketch.terrain.above[sketch.frame.cell(*points.T)]
    inside = shapely.contains_xy(sketch.inner, *points.T)
    at = float(distances(points)[int(np.argmax(np.where(inside, height, -1)))])
    tube = shapely.simplify(shapely.ops.substring(line, max(at - TUNNEL_M / 2, 0), at + TUNNEL_M / 2), 1)
    return {
        "name": f"{pipe['name']}专用隧道",
        "length_m": float(np.round(tube.length)),
        "geometry": sketch.degrees(tube),
    }
