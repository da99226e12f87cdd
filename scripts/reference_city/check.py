"""Checks of the finished layers, and the figures in the README of ``layers/``."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from .frame import Frame
from .layers import Layers, Scene

MAY_LEAVE = {"city", "roads", "rivers", "river_centrelines", "road_control_zones"}


def _shapes(layers: Layers, name: str, **where: str) -> list[Any]:
    return [f["geometry"] for f in layers[name] if all(f[k] == v for k, v in where.items())]


def km2(frame: Frame, geometries: list[Any]) -> float:
    """Area in the plane, in square kilometres."""
    return float(shapely.area(frame.metres(geometries)).sum()) / 1e6


def shared(frame: Frame, one: list[Any], other: list[Any]) -> float:
    """Area of the intersection of two sets of polygons, in square metres."""
    a, b = (shapely.union_all(frame.metres(v)) for v in (one, other))
    return float(shapely.intersection(a, b).area)


def check(scene: Scene, layers: Layers) -> None:
    """Check the layers against what the README states.

    Raises
    ------
    SystemExit
        If something differs; the message lists everything.
    """
    found: list[str] = []
    for name, features in layers.items():
        shapes = [f["geometry"] for f in features]
        ids = [f["id"] for f in features]
        if not shapely.is_valid(shapes).all() or shapely.is_empty(shapes).any():
            found.append(f"{name}: invalid or empty geometry")
        if len(set(ids)) != len(ids):
            found.append(f"{name}: ids are not unique")
        if name not in MAY_LEAVE:
            beyond = shapely.difference(shapely.union_all(shapes), layers["city"][0]["geometry"])
            if beyond.area > 0 or beyond.length > 0 or (shapely.get_dimensions(shapes[0]) == 0 and not beyond.is_empty):
                found.append(f"{name}: {beyond.area * 1.1e10:.6f} m2 outside the city")
    tiled = (
        "townships",
        "control_units",
        "redline",
        "protected_areas",
        "reserve_boundaries",
        "town_boundary",
        "farmland",
    )
    torn = [name for name in tiled if not shapely.coverage_is_valid(_shapes(layers, name))]
    found += [f"{name}: neighbours do not share their vertices" for name in torn]
    found += _areas_and_overlaps(scene, layers)
    if found:
        raise SystemExit("\n".join(found))


def _areas_and_overlaps(scene: Scene, layers: Layers) -> list[str]:
    frame = scene.frame
    red, town, farm = (_shapes(layers, n) for n in ("redline", "town_boundary", "farmland"))
    reserves = _shapes(layers, "protected_areas")
    outlines = {f["reserve"]: f["geometry"] for f in layers["reserve_boundaries"]}
    zones = [(f["reserve"], f["geometry"]) for f in layers["protected_areas"]]
    priority = [f["geometry"] for f in layers["control_units"] if f["class"] == "优先保护单元"]
    found = []
    for name, shapes, aim, slack in (
        ("redline", red, 568.74, 0.005),
        ("town_boundary", town, 548.0, 0.005),
        ("protected_areas", reserves, 302.82, 0.02),
    ):
        if abs(km2(frame, shapes) - aim) > slack:
            found.append(f"{name}: {km2(frame, shapes):.4f} km2 instead of {aim}")
    if shapely.difference(shapely.union_all(red), shapely.union_all(priority)).area > 0:
        found.append("redline: not wholly inside the priority units")
    found += [f"{name}: a zone beyond its reserve" for name, zone in zones if not outlines[name].covers(zone)]
    if abs(km2(frame, list(outlines.values())) - km2(frame, reserves)) > 1e-9:
        found.append("reserve_boundaries: not as large as the zones")
    if abs(km2(frame, _shapes(layers, "townships")) - km2(frame, _shapes(layers, "city"))) > 1e-9:
        found.append("townships: do not fill the city")
    for name, one, other in (
        ("town/farmland", town, farm),
        ("redline/farmland", red, farm),
        ("town/reserves", town, reserves),
    ):
        if shared(frame, one, other) > 1e-6:
            found.append(f"{name}: {shared(frame, one, other):.6f} m2 in common")
    return found


def measured(scene: Scene, layers: Layers) -> str:
    """Write the figures for the README, as Markdown."""
    frame = scene.frame
    return "\n".join([*_totals(frame, layers), "", *_conflicts(frame, layers), "", *_counts(layers)])


def _totals(frame: Frame, layers: Layers) -> list[str]:
    city = km2(frame, _shapes(layers, "city"))
    red = km2(frame, _shapes(layers, "redline"))
    rows = [
        ("city 连州市", city, "2663.33"),
        ("redline 生态保护红线", red, "568.74"),
        ("town_boundary 城镇开发边界", km2(frame, _shapes(layers, "town_boundary")), "548"),
        ("protected_areas 自然保护地", km2(frame, _shapes(layers, "protected_areas")), "302.82 (11.37 %)"),
        ("farmland 永久基本农田", km2(frame, _shapes(layers, "farmland")), "none"),
    ]
    lines = ["| layer | measured, km² | declared, km² |", "|---|---|---|"]
    lines += [f"| {name} | {area:.4f} | {declared} |" for name, area, declared in rows]
    shares = ", ".join(f"{red / d:.4%} of {d:.2f} km²" for d in (2663.33, 2668.9, city))
    return [*lines, "", f"Redline: {shares}. Declared: 21.31 %."]


def _place(frame: Frame, geometry: Any) -> str:
    lon, lat = shapely.get_coordinates(frame.degrees([shapely.point_on_surface(geometry)]))[0]
    return f"{lon:.5f} E {lat:.5f} N"


def _conflicts(frame: Frame, layers: Layers) -> list[str]:
    red, town = (shapely.union_all(frame.metres(_shapes(layers, n))) for n in ("redline", "town_boundary"))
    parts = [p for p in shapely.get_parts(shapely.intersection(red, town)) if p.geom_type == "Polygon"]
    parts.sort(key=lambda p: -p.area)
    units = shapely.union_all(frame.metres(_shapes(layers, "control_units")))
    gaps = shapely.get_parts(shapely.difference(frame.metres(_shapes(layers, "city"))[0], units))
    gaps = [g for g in gaps if g.area > 0.01]
    lines = ["| planted conflict | area, m² | width, m | place |", "|---|---|---|---|"]
    for part in parts:
        width = 2 * part.area / part.length
        name = "town boundary sliver in the redline" if width < 2 else "town boundary inside the redline"
        lines.append(f"| {name} | {part.area:.2f} | {width:.2f} | {_place(frame, part)} |")
    name = "gap between control units"
    return lines + [f"| {name} | {g.area:.2f} | {2 * g.area / g.length:.2f} | {_place(frame, g)} |" for g in gaps]


def _counts(layers: Layers) -> list[str]:
    lines = ["| layer | features | vertices |", "|---|---|---|"]
    for name, features in layers.items():
        count = int(np.sum(shapely.get_num_coordinates([f["geometry"] for f in features])))
        lines.append(f"| {name} | {len(features)} | {count} |")
    return lines
