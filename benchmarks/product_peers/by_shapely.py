"""The screening as a skilled user of shapely 2 writes it: arrays, STRtrees over cut layers, threads where GEOS does the work.

    python -m benchmarks.product_peers.by_shapely SITES PREPARED OUT.parquet

The last line is JSON with the seconds of each step; compute is all but start, reading and writing.
"""

from __future__ import annotations

import time

_BEGUN = time.perf_counter()

import json  # noqa: E402 (the imports are timed)
import os  # noqa: E402
import sys  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Callable  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from functools import cached_property  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import geopandas as gpd  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import shapely  # noqa: E402

THREADS = os.cpu_count() or 1
#: Segments of a quarter circle of a corridor.
ARC_SEGMENTS = 64
CONTACT_M, CONTACT_M2 = 1e-3, 1e-4


@dataclass
class Layer:
    """A layer, whole and in pieces; `of` is the feature of each piece."""

    frame: gpd.GeoDataFrame
    pieces: np.ndarray
    of: np.ndarray

    @cached_property
    def tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.pieces)


@dataclass
class Sites:
    shapes: np.ndarray
    ids: np.ndarray
    activities: np.ndarray
    dimension: np.ndarray


class Rows:
    """Rows of the answer, gathered column by column."""

    def __init__(self, sites: Sites) -> None:
        self.sites, self.parts = sites, []

    def add(self, rule: dict[str, Any], state: str, site: np.ndarray, ref: Any, **columns: Any) -> None:
        blank = {"area": np.nan, "area_possible": np.nan, "dist": np.nan, "reach": np.nan}
        known = {"site_id": self.sites.ids[site], "rule": rule["id"], "ref": ref, "kind": rule["kind"], "state": state}
        self.parts.append(pd.DataFrame(known | blank | columns))

    def table(self) -> pd.DataFrame:
        return pd.concat(self.parts, ignore_index=True)


def threaded(function: Callable[..., np.ndarray], *columns: np.ndarray) -> np.ndarray:
    """Apply a vectorised function to chunks of its columns in threads; GEOS runs without the lock."""
    n = len(columns[0])
    if n < 64:
        return function(*columns)
    ends = np.linspace(0, n, 8 * THREADS + 1).astype(int)
    with ThreadPoolExecutor(THREADS) as pool:
        chunks = [tuple(c[a:b] for c in columns) for a, b in zip(ends[:-1], ends[1:], strict=True)]
        return np.concatenate(list(pool.map(lambda chunk: function(*chunk), chunks)))


def read_layers(folder: Path, rules: list[dict[str, Any]]) -> dict[str, Layer]:
    found = {}
    for name in {rule["features"] for rule in rules}:
        pieces = gpd.read_parquet(folder / f"{name}.pieces")
        whole = gpd.read_parquet(folder / f"{name}.parquet")
        found[name] = Layer(whole, pieces.geometry.to_numpy(), pieces["of"].to_numpy())
    return found


def cut_to(shapes: np.ndarray, outline: shapely.Geometry) -> np.ndarray:
    """Return what of each site lies in the city; None where nothing does."""
    shapely.prepare(outline)
    inside = shapes.copy()
    inside[~shapely.intersects(outline, shapes)] = None
    border = np.flatnonzero(~shapely.is_missing(inside) & ~shapely.contains_properly(outline, shapes))
    inside[border] = shapely.intersection(shapes[border], outline)
    return inside


def common_areas(shapes: np.ndarray, layer: Layer, who: np.ndarray, dimension: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return sites, features and common areas of the pairs that have one; points count wherever they touch."""
    left, right = layer.tree.query(shapes[who], predicate="intersects")
    left = who[left]
    shapely.prepare(layer.pieces)
    covered = shapely.covers(layer.pieces[right], shapes[left])
    area = np.where(covered, shapely.area(shapes[left]), 0.0)
    cut = np.flatnonzero(~covered & (dimension[left] == 2))
    both = threaded(lambda a, b: shapely.area(shapely.intersection(a, b)), shapes[left[cut]], layer.pieces[right[cut]])
    area[cut] = both
    pairs, group = np.unique(np.stack([left, layer.of[right]]), axis=1, return_inverse=True)
    total = np.bincount(group.ravel(), weights=area, minlength=pairs.shape[1])
    real = (total > CONTACT_M2) | (dimension[pairs[0]] == 0)
    return pairs[0][real], pairs[1][real], total[real]


def overlay_rules(
    rules: list[dict[str, Any]], layers: dict[str, Layer], sites: Sites, inside: np.ndarray, rows: Rows
) -> None:
    """Rules of `avoid`, `identify` and `stay_inside`: one overlay a layer, one search for the nearest a set of features."""
    by_layer = defaultdict(list)
    for rule in rules:
        by_layer[rule["features"]].append(rule)
    for name, own in by_layer.items():
        layer = layers[name]
        for clipped in (False, True):
            some = [rule for rule in own if (rule["kind"] != "avoid") == clipped]
            if not some:
                continue
            shapes = inside if clipped else sites.shapes
            meant = np.logical_or.reduce([rule["meant"] for rule in some])
            pairs = common_areas(shapes, layer, np.flatnonzero(meant & ~shapely.is_missing(shapes)), sites.dimension)
            for rule in some:
                if rule["kind"] == "stay_inside":
                    _outside(rule, layer, sites, inside, pairs, rows)
                else:
                    _overlaps(rule, layer, sites, pairs, rows)
            if not clipped:
                _clear(some, layer, sites, pairs, rows)


def _overlaps(rule: dict[str, Any], layer: Layer, sites: Sites, pairs: tuple[np.ndarray, ...], rows: Rows) -> None:
    site, feature, area = pairs
    keep = rule["meant"][site] & np.isin(feature, rule["which"])
    site, feature, area = site[keep], feature[keep], area[keep]
    ref = layer.frame["fid"].to_numpy()[feature]
    rows.add(rule, "hit", site, ref, area=np.where(sites.dimension[site] == 2, area, np.nan), dist=0.0)


def _clear(rules: list[dict[str, Any]], layer: Layer, sites: Sites, pairs: tuple[np.ndarray, ...], rows: Rows) -> None:
    """Distances to the nearest feature, of rules with the same features at once."""
    same = defaultdict(list)
    for rule in rules:
        same[tuple(rule["which"])].append(rule)
    for which, own in same.items():
        chosen = np.ones(len(layer.of), dtype=bool) if own[0]["whole"] else np.isin(layer.of, which)
        free = np.logical_or.reduce([rule["meant"] for rule in own])
        free[pairs[0][np.isin(pairs[1], which)]] = False
        who = np.flatnonzero(free)
        tree = layer.tree if chosen.all() else shapely.STRtree(layer.pieces[chosen])
        (left, right), distance = tree.query_nearest(sites.shapes[who], return_distance=True, all_matches=False)
        site, ref = who[left], layer.frame["fid"].to_numpy()[layer.of[chosen][right]]
        for rule in own:
            keep = rule["meant"][site]
            rows.add(rule, "clear", site[keep], ref[keep], dist=distance[keep])


def _outside(
    rule: dict[str, Any], layer: Layer, sites: Sites, inside: np.ndarray, pairs: tuple[np.ndarray, ...], rows: Rows
) -> None:
    covered = np.bincount(pairs[0], weights=pairs[2], minlength=len(inside))
    met = np.zeros(len(inside), dtype=bool)
    met[pairs[0]] = True
    who = np.flatnonzero(rule["meant"] & ~shapely.is_missing(inside))
    (_, _), distance = layer.tree.query_nearest(inside[who], return_distance=True, all_matches=False)
    areal = sites.dimension[who] == 2
    rest = shapely.area(inside[who]) - covered[who]
    out = np.where(areal, rest > CONTACT_M2, ~met[who])
    for state, keep in (("hit", out), ("clear", ~out)):
        area = np.where(areal & out, rest, np.nan)[keep]
        rows.add(rule, state, who[keep], "", area=area, dist=distance[keep])


@dataclass
class Near:
    """Pairs of sites and baselines; pieces of the baseline that are near are sorted by the pair."""

    site: np.ndarray
    baseline: np.ndarray
    distance: np.ndarray
    pieces: np.ndarray
    starts: np.ndarray


def near_pairs(layer: Layer, sites: Sites, who: np.ndarray, reach: float) -> Near:
    left, right = layer.tree.query(sites.shapes[who], predicate="dwithin", distance=reach)
    left = who[left]
    distance = threaded(shapely.distance, sites.shapes[left], layer.pieces[right])
    order = np.lexsort((layer.of[right], left))
    left, right, distance = left[order], right[order], distance[order]
    new = np.ones(len(left), dtype=bool)
    new[1:] = (left[1:] != left[:-1]) | (layer.of[right][1:] != layer.of[right][:-1])
    starts = np.flatnonzero(new)
    least = np.minimum.reduceat(distance, starts) if len(starts) else distance
    return Near(left[starts], layer.of[right[starts]], least, right, np.append(starts, len(left)))


def local_baselines(layer: Layer, near: Near, which: np.ndarray) -> np.ndarray:
    """Return the pieces of each pair as one geometry: lines merged, polygons as they are."""
    count = np.diff(near.starts)[which]
    picked = np.repeat(near.starts[which] - np.r_[0, np.cumsum(count)[:-1]], count) + np.arange(count.sum())
    owner = np.repeat(np.arange(len(which)), count)
    parts, within = shapely.get_parts(layer.pieces[near.pieces[picked]], return_index=True)
    owner = owner[within]
    made = np.empty(len(which), dtype=object)
    lines = shapely.get_dimensions(parts) == 1
    for some, join in ((lines, shapely.multilinestrings), (~lines, shapely.multipolygons)):
        if some.any():
            index, place = np.unique(owner[some], return_inverse=True)
            made[index] = join(parts[some], indices=place)
    return made


def encroached(site: np.ndarray, baseline: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Return the part of each site within `radius` of its baseline."""
    local, lines = baseline.copy(), shapely.get_dimensions(baseline) == 1
    box = shapely.bounds(site[lines]) + np.array([-1, -1, 1, 1]) * (radius[lines, None] + 1)
    local[lines] = shapely.line_merge(shapely.intersection(baseline[lines], shapely.box(*box.T)))
    wide = radius > 0
    local[wide] = shapely.buffer(local[wide], radius[wide], quad_segs=ARC_SEGMENTS)
    for i in np.flatnonzero(~wide):
        local[i] = shapely.union_all(shapely.get_parts(local[i]))
    return shapely.intersection(site, local)


def corridor_rules(rules: list[dict[str, Any]], layers: dict[str, Layer], sites: Sites, rows: Rows) -> None:
    """Rules of `keep_away`: pairs and distances once a baseline, corridors once a distance."""
    by_baseline: dict[str, dict[tuple[float, float], list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for rule in rules:
        by_baseline[rule["features"]][rule["distance_m"], rule["zone_distance_m"]].append(rule)
    for name, by_distance in by_baseline.items():
        layer = layers[name]
        if not len(layer.frame):
            continue
        known, assumed, zone = (layer.frame[c].to_numpy() for c in ("known", "assumed", "zone"))
        required = {key: np.where(zone, key[1], key[0]) + known for key in by_distance}
        reach = max(float((need + assumed).max()) for need in required.values())
        everyone = np.logical_or.reduce([r["meant"] for own in by_distance.values() for r in own])
        near = near_pairs(layer, sites, np.flatnonzero(everyone), reach)
        nearest = _nearest_baselines(layer, sites, np.flatnonzero(everyone), known)
        for key, own in by_distance.items():
            meant = np.logical_or.reduce([rule["meant"] for rule in own])
            caught = _caught(own, meant, layer, sites, near, required[key], rows)
            for rule in own:
                keep = rule["meant"][nearest["site"]] & ~caught[nearest["site"]]
                rows.add(rule, "clear", nearest["site"][keep], nearest["ref"][keep], dist=nearest["distance"][keep])


def _nearest_baselines(layer: Layer, sites: Sites, who: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    """Find the baseline with the nearest edge, the known half-width included."""
    (left, right), distance = layer.tree.query_nearest(sites.shapes[who], return_distance=True, all_matches=False)
    if known.max() > 0:
        near = distance + known.max() + 1e-6
        left, right = layer.tree.query(sites.shapes[who], predicate="dwithin", distance=near)
        distance = threaded(shapely.distance, sites.shapes[who[left]], layer.pieces[right]) - known[layer.of[right]]
        order = np.lexsort((layer.of[right], distance, left))
        first = order[np.unique(left[order], return_index=True)[1]]
        left, right, distance = left[first], right[first], distance[first]
    ref = layer.frame["fid"].to_numpy()[layer.of[right]]
    return {"site": who[left], "ref": ref, "distance": np.maximum(distance, 0.0)}


def _caught(
    rules: list[dict[str, Any]], meant: np.ndarray, layer: Layer, sites: Sites, near: Near, need: np.ndarray, rows: Rows
) -> np.ndarray:
    """Add the rows of sites that are too near, and return which sites these are."""
    known, assumed = layer.frame["known"].to_numpy(), layer.frame["assumed"].to_numpy()
    required, extra = need[near.baseline], assumed[near.baseline]
    certain = (required - near.distance > CONTACT_M) | ((required == 0) & (near.distance == 0))
    possible = (extra > 0) & (required + extra - near.distance > CONTACT_M)
    which = np.flatnonzero((certain | possible) & meant[near.site])
    site, baseline, distance = near.site[which], near.baseline[which], near.distance[which]
    certain, required, extra = certain[which], required[which], extra[which]
    areal = sites.dimension[site] == 2
    local = local_baselines(layer, near, which)
    part = np.full(len(which), shapely.Polygon(), dtype=object)
    todo = np.flatnonzero(certain & areal)
    part[todo] = threaded(encroached, sites.shapes[site[todo]], local[todo], required[todo])
    wider, todo = part.copy(), np.flatnonzero((extra > 0) & areal)
    wider[todo] = threaded(encroached, sites.shapes[site[todo]], local[todo], (required + extra)[todo])
    touching = certain & (required == 0) & areal & (shapely.area(part) <= CONTACT_M2)
    keep = ~touching
    site, baseline, distance, areal, part, wider = (c[keep] for c in (site, baseline, distance, areal, part, wider))
    certain, required, extra = certain[keep], required[keep], extra[keep]
    # One row a site and object: that of its worst baseline, with the area within any of them.
    code = np.unique(layer.frame["object"].to_numpy().astype(str), return_inverse=True)[1][baseline]
    order = np.lexsort((baseline, -(required + extra - distance), ~certain, code, site))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (site[order][1:] != site[order][:-1]) | (code[order][1:] != code[order][:-1])
    starts, first = np.flatnonzero(new), order[new]
    band = np.maximum.reduceat(extra[order], starts) > 0 if len(starts) else new
    area = np.where(areal[first], _areas(part[order], starts), np.nan)
    possible_area = np.where(areal[first] & band, _areas(wider[order], starts), np.nan)
    ref, dist = layer.frame["fid"].to_numpy()[baseline[first]], np.maximum(distance - known[baseline], 0)[first]
    reach = (required + extra)[first]
    for rule in rules:
        k = rule["meant"][site[first]]
        rows.add(
            rule,
            "hit",
            site[first][k],
            ref[k],
            area=area[k],
            area_possible=possible_area[k],
            dist=dist[k],
            reach=reach[k],
        )
    caught = np.zeros(len(meant), dtype=bool)
    caught[site] = True
    return caught


def _areas(parts: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the area of the union of each run of parts."""
    area = shapely.area(parts)
    ends = np.append(starts[1:], len(parts))
    many = np.flatnonzero(ends - starts > 1)
    total = area[starts] if len(starts) else area
    total[many] = [shapely.area(shapely.union_all(parts[starts[i] : ends[i]])) for i in many]
    return total


def main() -> None:
    path, folder, out = map(Path, sys.argv[1:4])
    laps, last = {"start": time.perf_counter() - _BEGUN}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        laps[name], last = time.perf_counter() - last, time.perf_counter()

    frame = gpd.read_file(path)
    lap("read sites")
    rules = json.loads((folder / "rules.json").read_text("utf-8"))
    plane = json.loads((folder / "plane.json").read_text("utf-8"))
    layers = read_layers(folder, rules)
    outline = gpd.read_parquet(folder / f"{plane['outline']}.parquet").union_all()
    lap("read layers")
    shapes = frame.set_crs("EPSG:4490", allow_override=True).to_crs(plane["wkt"]).geometry.to_numpy()
    ids, activities = frame["id"].to_numpy(), frame["activity"].to_numpy()
    sites = Sites(shapes, ids, activities, shapely.get_dimensions(shapes))
    rows = Rows(sites)
    for rule in rules:
        rule["meant"] = np.isin(activities, rule["activities"])
    inside = cut_to(shapes, outline)
    lap("project, clip to the city")
    overlay_rules([r for r in rules if r["kind"] != "keep_away"], layers, sites, inside, rows)
    lap("overlays and nearest")
    corridor_rules([r for r in rules if r["kind"] == "keep_away"], layers, sites, rows)
    lap("corridors")
    table = rows.table()
    lap("table")
    table.to_parquet(out)
    lap("write")
    compute = sum(s for name, s in laps.items() if name.partition(" ")[0] not in ("start", "read", "write"))
    print(json.dumps({"compute_s": compute, "rows": len(table), "laps": {k: round(v, 3) for k, v in laps.items()}}))


if __name__ == "__main__":
    main()
