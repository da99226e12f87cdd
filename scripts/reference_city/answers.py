"""Sites with a known answer: each tests one thing that a screening must get right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
import shapely.ops
from scipy import ndimage

from .frame import CELL_M
from .layers import Feature, Layers, Scene
from .lines import distances
from .zoning import Terrain


@dataclass(frozen=True)
class Answers:
    """The layers in metres, with masks that are used to place the sites."""

    scene: Scene
    terrain: Terrain
    layers: Layers

    def metres(self, layer: str) -> np.ndarray:
        """Geometries of a layer in metres."""
        return self.scene.frame.metres([f["geometry"] for f in self.layers[layer]])

    @cached_property
    def redline(self) -> shapely.Geometry:
        """The whole redline in metres."""
        return shapely.union_all(self.metres("redline"))

    @cached_property
    def busy(self) -> np.ndarray:
        """Cells on or near roads and waters, in reserves, water sources or parks."""
        frame, zones = self.scene.frame, self.scene.zones
        lines = [*self.metres("roads"), *self.metres("river_centrelines"), *self.metres("rivers")]
        areas = [
            g
            for name in (
                "reservoirs",
                "drinking_water_zones",
                "industrial_parks",
                "river_management",
                "road_control_zones",
            )
            for g in self.metres(name)
        ]
        return frame.burn([*lines, *areas], all_touched=True) | (zones.reserves > 0)

    def middle(self, mask: np.ndarray) -> np.ndarray:
        """Find the cell of a mask that lies farthest from its border."""
        room = ndimage.distance_transform_edt(mask)
        row, col = np.unravel_index(int(np.argmax(room)), room.shape)
        return np.array([self.scene.frame.xy[0][0, col], self.scene.frame.xy[1][row, 0]])


def make_answers(scene: Scene, terrain: Terrain, layers: Layers) -> list[Feature]:
    """Make the sites T01 to T14."""
    city = Answers(scene, terrain, layers)
    makers: list[Callable[[Answers], tuple[str, str, str, shapely.Geometry]]] = [
        _inside_redline,
        _touching_redline,
        _in_road_corridor,
        _outside,
        _straddling,
        _in_gap,
        _core_point,
        _crossing_line,
        _clean,
        _thin_overlap,
        _no_activity,
        _quarry,
        _petrochemical,
        _by_small_river,
    ]
    out = []
    for number, maker in enumerate(makers, 1):
        name, activity, expected, shape = maker(city)
        geometry = shape if number == 2 else scene.frame.degrees([shape])[0]
        out.append(
            {
                "id": f"T{number:02d}",
                "name": f"已知答案{number:02d} {name}",
                "activity": activity,
                "source": "已知答案样例",
                "expected": expected,
                "note": "虚构地块，用于核对结果",
                "geometry": geometry,
            }
        )
    return out


def square(centre: np.ndarray, width: float, height: float | None = None) -> shapely.Polygon:
    """Draw a rectangle around a point."""
    half = np.array([width, height or width]) / 2
    return shapely.box(*(centre - half), *(centre + half))


def _inside_redline(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    at = city.middle(city.scene.zones.redline & ~city.busy & (city.scene.frame.rim_m > 500))
    return "红线内100米见方", "住宅", "生态保护红线 涉及 10000 ㎡；占用地块 100%", square(at, 100)


def _touching_redline(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    """Take some vertices of the redline unchanged, and close the ring outside the redline; in degrees."""
    frame, zones = city.scene.frame, city.scene.zones
    clear = ~(zones.town | zones.farmland | city.busy) & (frame.rim_m > 2000)
    for feature in city.layers["redline"]:
        for part in shapely.get_parts(feature["geometry"]):
            ring = shapely.get_coordinates(part.exterior)
            for start in range(0, len(ring) - 14, 14):
                site = _outer_strip(frame.metres([shapely.LineString(ring[start : start + 13])])[0])
                if site is None or not clear[frame.cell(site.centroid.x, site.centroid.y)]:
                    continue
                if shapely.intersection(site.buffer(45), city.redline).area > site.buffer(45).area * 0.55:
                    continue
                outer = shapely.get_coordinates(frame.degrees([site])[0].exterior)[13:-1]
                polygon = shapely.Polygon(np.vstack([ring[start : start + 13], outer]))
                if polygon.is_valid and shapely.intersection(site, city.redline).area < 1e-3:
                    return (
                        "与红线共边",
                        "住宅",
                        "生态保护红线 不涉及（只共边界，面积 0）",
                        shapely.orient_polygons(polygon),
                    )
    raise ValueError("no stretch of the redline fits a site that touches it")


def _outer_strip(edge: shapely.LineString) -> shapely.Polygon | None:
    """Close a ring on the outer side: the right one, as the redline's rings run anticlockwise."""
    points = shapely.get_coordinates(edge)
    run = points[-1] - points[0]
    length = float(np.hypot(*run))
    if length < 150:
        return None
    away = np.array([run[1], -run[0]]) / length * 130
    site = shapely.Polygon(np.vstack([points, points[-1] + away, points[0] + away]))
    return site if site.is_valid else None


def _beside(city: Answers, line: shapely.LineString, gap: float, size: float) -> shapely.Polygon:
    """Place a square at an exact distance from a line, where nothing else is near."""
    frame, zones = city.scene.frame, city.scene.zones
    unfit = zones.redline | zones.farmland | (zones.reserves > 0) | (frame.rim_m < 600)
    fence = shapely.union_all([*city.metres("drinking_water_zones"), *city.metres("road_control_zones")])
    others = [
        g
        for g in [*city.metres("roads"), *city.metres("rivers"), *city.metres("river_centrelines")]
        if not shapely.intersects(g, line.buffer(1)) or g.distance(line) > 0
    ]
    others_tree = shapely.STRtree(others)
    points = shapely.get_coordinates(line)
    for k in range(12, len(points) - 12):
        before, after = points[k] - points[k - 1], points[k + 1] - points[k]
        if abs(float(np.cross(np.append(before, 0), np.append(after, 0))[2])) > 25:
            continue
        for side in (1, -1):
            site = _at_distance(points[k - 1 : k + 2], line, side, gap, size)
            row, col = frame.cell(site.centroid.x, site.centroid.y)
            near = others_tree.query(site, predicate="dwithin", distance=260)
            if not unfit[row - 5 : row + 6, col - 5 : col + 6].any() and not len(near) and site.distance(fence) > 60:
                return site
    raise ValueError("no free place beside the line")


def _at_distance(three: np.ndarray, line: shapely.LineString, side: int, gap: float, size: float) -> shapely.Polygon:
    run = (three[2] - three[0]) / np.hypot(*(three[2] - three[0]))
    out = np.array([-run[1], run[0]]) * side
    corner = three[1] - run * size / 2
    base = np.array([corner, corner + run * size, corner + run * size + out * size, corner + out * size])
    shift = gap
    for _ in range(8):
        site = shapely.Polygon(base + out * shift)
        shift += gap - shapely.distance(site, line)
    return shapely.Polygon(base + out * shift)


def _way(city: Answers, road: str) -> tuple[shapely.LineString, float]:
    way = max((w for w in city.scene.ways if w.road == road), key=lambda w: w.line.length)
    return way.line, float(way.half_width or 0.0)


def _in_road_corridor(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    ways = sorted((w for w in city.scene.ways if w.road == "G107"), key=lambda w: -w.line.length)
    for way in ways:
        try:
            site = _beside(city, way.line, float(way.half_width or 0) + 16.0, 40)
        except ValueError:
            continue
        return (
            "国道建筑控制区内4米",
            "住宅",
            "国道建筑控制区 涉及：距公路用地外缘16米，深入20米控制区4米",
            site,
        )
    raise ValueError("no free place beside the G107")


def _outside(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    west, _, _, north = city.scene.frame.outline.bounds
    at = np.array([west + 1500, north - 1500])
    return "市域外", "住宅", "位于市域外：各图层均未核查", square(at, 200)


def _straddling(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    """Draw a square on the city's border, far from the redline."""
    frame, zones = city.scene.frame, city.scene.zones
    border = shapely.get_coordinates(shapely.segmentize(frame.outline.boundary, 300))
    far = ndimage.distance_transform_edt(~(zones.redline | (zones.reserves > 0) | city.busy)) * CELL_M
    at = border[int(np.argmax(far[frame.cell(*border.T)]))]
    site = square(at, 240)
    share = shapely.intersection(site, frame.outline).area / site.area
    return "跨市界", "光伏发电", f"市域内约 {share:.1%}，市域外部分未核查", site


def _in_gap(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    gap = city.scene.zones.shapes["gap"][0]
    at = shapely.get_coordinates(gap.centroid)[0]
    return "管控单元缝隙内", "住宅", "环境管控单元 未核查：单元图层在此有空隙", square(at, 9, 6)


def _core_point(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    at = city.middle(city.scene.zones.reserves == 3)
    return (
        "核心保护区内的点",
        "生态旅游",
        "广东连州田心省级自然保护区核心保护区 涉及（点）",
        shapely.Point(at),
    )


def _crossing_line(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    """Draw a line of 3 km from west to east through a part of the redline."""
    zones = city.scene.zones
    sources = city.scene.frame.burn(city.metres("drinking_water_zones"))
    alone = ndimage.distance_transform_edt(~sources & (zones.reserves == 0)) * CELL_M > 1700
    inside = ndimage.distance_transform_edt(zones.redline & alone & (city.scene.frame.rim_m > 2500))
    for row, col in np.argwhere((inside >= 10) & (inside < 11))[::5]:
        at = np.array([city.scene.frame.xy[0][0, col], city.scene.frame.xy[1][row, 0]])
        line = shapely.LineString(at + np.array([(-1500, 0), (1500, 0)]))
        length = shapely.intersection(line, city.redline).length
        if 900 < length < 2000:
            break
    else:
        raise ValueError("no part of the redline to cross")
    return "穿越红线的线", "公路", f"生态保护红线 涉及 穿越长度 {length:.1f} 米（全长 3000.0 米）", line


def _clean(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    zones = city.scene.zones
    mask = zones.town & ~zones.redline & ~zones.farmland & ~city.busy & (zones.key == 0)
    return (
        "城镇开发边界内净地",
        "住宅",
        "无禁止性冲突：只涉及城镇开发边界和所在管控单元",
        square(city.middle(mask), 120),
    )


def _thin_overlap(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    """Draw a square that enters the redline by half a metre, along a straight side of it with open land to the east."""
    frame, zones = city.scene.frame, city.scene.zones
    red = zones.redline
    open_land = ~(red | zones.town | zones.farmland | city.busy | (zones.reserves > 0)) & (frame.rim_m > 1500)
    edge = ndimage.binary_erosion(red[:, :-1], np.ones((5, 1)))
    for shift in range(1, 7):
        ahead = np.zeros_like(edge)
        ahead[:, : edge.shape[1] - shift + 1] = open_land[:, shift:]
        edge = edge & ndimage.binary_erosion(ahead, np.ones((5, 1)))
    row, col = (int(v[0]) for v in np.nonzero(edge))
    x, y = frame.extent[0] + (col + 1) * CELL_M, float(frame.xy[1][row, 0])
    site = shapely.box(x - 0.5, y - 30, x + 80, y + 30)
    area = shapely.intersection(site, city.redline).area
    return "压红线半米", "住宅", f"生态保护红线 疑似边界误差：重叠 {area:.1f} ㎡，宽 0.5 米", site


def _no_activity(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    frame, zones = city.scene.frame, city.scene.zones
    south = np.broadcast_to(frame.xy[1] < -12000, frame.shape)
    at = city.middle(zones.redline & (zones.reserves == 0) & ~city.busy & south & (frame.rim_m > 200))
    return "红线内未填活动", "", "生态保护红线 涉及 6400 ㎡；未填活动，按最严判定并提示补充", square(at, 80)


def _quarry(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    line, half = _way(city, "S259")
    site = _beside(city, line, half + 150.0, 90)
    return "省道旁采石场", "采石", "距省道公路用地外缘150米：100米禁采范围 不涉及", site


def _petrochemical(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    zones = city.scene.zones
    mask = zones.town & ~city.busy & (zones.key == 5)
    return (
        "园区外石化项目",
        "石化",
        "不在任何产业园区内：石化项目须进规范园区",
        square(city.middle(mask), 300, 200),
    )


def _by_small_river(city: Answers) -> tuple[str, str, str, shapely.Geometry]:
    for course in city.scene.courses.values():
        if course.river.water or distances(course.line)[-1] < 3000:
            continue
        try:
            site = _beside(city, shapely.LineString(course.line), 10.0, 40)
        except ValueError:
            continue
        return (
            "小河旁（仅中心线）",
            "住宅",
            f"水系廊道20米 涉及：距{course.name}中心线10米，基线为中心线",
            site,
        )
    raise ValueError("no free place beside a small river")
