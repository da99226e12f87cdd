"""A screening of 300 awkward sites beside an independent slow computation: site by site, feature by feature, in shapely.

The slow computation shares with the product the files, the rules and the plane. It has no index, no compiled loops and no
buffers of whole lines: what is near a baseline is the union of the stadiums around its single segments. Areas must agree
within 1e-6 m² and 1e-9 of the area, distances within 1e-6 m; areas of corridors also within what an arc loses to the
chords of 64 segments per quarter circle. No row may be missing or extra.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon

import lzgis as lz

AS_OF = "2026-11-21"
SITES = 300
AREA_M2, AREA_SHARE, DISTANCE_M = 1e-6, 1e-9, 1e-6
#: Narrower than this is contact, m.
CONTACT_M = 1e-3
HIT, CLEAR, UNKNOWN = ("涉及", "疑似边界误差"), "不涉及", "未核查"


# --- sites ----------------------------------------------------------------------------------------------------


class Draw:
    """Draws sites of many shapes over a city, and along the borders of its features."""

    def __init__(self, outline, features, seed):
        self.rng, self.outline = np.random.default_rng(seed), outline
        self.features = [f for f in features if shapely.get_dimensions(f) == 2]

    def place(self):
        left, low, right, high = self.outline.bounds
        return np.array([self.rng.uniform(left, right), self.rng.uniform(low, high)])

    def ring(self, at, size, corners=None):
        n = corners or int(self.rng.integers(4, 30))
        angle = np.sort(self.rng.uniform(0, 2 * np.pi, n))
        radius = size * self.rng.uniform(0.4, 1.0, n)
        return at + np.c_[radius * np.cos(angle), radius * np.sin(angle)]

    def star(self):
        return Polygon(self.ring(self.place(), 10 ** self.rng.uniform(1, 3.5)))

    def with_holes(self):
        at, size = self.place(), 10 ** self.rng.uniform(1.5, 3.3)
        shell = Polygon(at + size * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]))
        holes = [Polygon(self.ring(at + size * np.array([x, 0.1]), 0.3 * size)) for x in (-0.5, 0.5)]
        return shell.difference(shapely.union_all([h for h in holes if h.is_valid]))

    def several(self):
        at, size = self.place(), 10 ** self.rng.uniform(1.5, 3)
        parts = [Polygon(self.ring(at + np.array([3 * size * k, 0]), size)) for k in range(3)]
        return MultiPolygon([p for p in parts if p.is_valid])

    def strip(self):
        at, turn = self.place(), self.rng.uniform(0, 2 * np.pi)
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        long, wide = self.rng.uniform(200, 6000), self.rng.choice([0.05, 0.5, 3.0])
        return Polygon([at, at + long * along, at + long * along + wide * across, at + wide * across])

    def line(self):
        steps = self.rng.normal(0, 10 ** self.rng.uniform(1, 3), (int(self.rng.integers(2, 9)), 2))
        return LineString(self.place() + np.cumsum(steps, axis=0))

    def lines(self):
        one = self.line()
        return MultiLineString([one, shapely.affinity.translate(one, 333.0, 10.0)])

    def point(self):
        return Point(self.place())

    def points(self):
        at = self.place()
        return MultiPoint([at, at + np.array([100, 40])])

    def edge(self):
        feature = self.features[self.rng.integers(len(self.features))]
        ring = shapely.get_parts(feature)[0].exterior.coords
        i = int(self.rng.integers(len(ring) - 1))
        return np.array(ring[i][:2]), np.array(ring[i + 1][:2])

    def beside(self, shift):
        """Draw a rectangle with the edge of a feature as one side, pushed over it by `shift` metres."""
        a, b = self.edge()
        out = np.array([(b - a)[1], -(b - a)[0]]) / np.hypot(*(b - a)) * self.rng.choice([-1, 1])
        return Polygon([a - shift * out, b - shift * out, b + 40 * out, a + 40 * out])

    def touching(self):
        return self.beside(0.0)

    def slightly_over(self):
        return self.beside(0.3)

    def vertex(self):
        return Point(self.edge()[0])

    def feature(self):
        return self.features[self.rng.integers(len(self.features))]

    def all(self, n):
        kinds = (
            *(2 * [self.star, self.with_holes, self.several, self.strip, self.line, self.touching, self.slightly_over]),
            *(self.lines, self.point, self.points, self.vertex, self.feature),
        )
        found = (kind() for kind in itertools.cycle(kinds))
        return list(itertools.islice((s for s in found if s.is_valid and not s.is_empty), n))


# --- the slow computation -------------------------------------------------------------------------------------


@dataclass
class Place:
    """What distances of a rule are measured from: one feature, or what a better baseline leaves of it."""

    layer: str
    fid: str
    object: str
    shape: shapely.Geometry
    known: float
    assumed: float
    zone: bool


class Slow:
    """Layers of a city in the plane, and rules computed by loops over their features."""

    def __init__(self, city, book):
        self.city, self.book = city, book
        self.frames = {name: city.load(name).layer.frame for name in city.layers}
        self.shapes = {n: city.plane.project(f.geometry.to_numpy()) for n, f in self.frames.items()}
        self.specs = city.spec.layer
        self.outline = shapely.union_all(self.shapes[city.city.outline])
        self.places = {}

    def matching(self, layer, where):
        frame = self.frames[layer]
        keep = [all(str(frame[k].iloc[i]) in v for k, v in where.items()) for i in range(len(frame))]
        return np.flatnonzero(keep)

    def key(self, layer, i):
        group, frame = self.specs[layer].group, self.frames[layer]
        value = frame[group].iloc[i] if group in frame.columns else None
        return f"{layer}:{frame['id'].iloc[i]}" if pd.isna(value) or value == "" else str(value)

    def baselines(self, rule):
        asked = repr((rule.layers, rule.where, rule.assumed_half_width_m, rule.assumed_by))
        if asked not in self.places:
            self.places[asked] = list(self._baselines(rule))
        return self.places[asked]

    def _baselines(self, rule):
        main = rule.layer if rule.layer in self.frames and set(rule.where) <= set(self.frames[rule.layer]) else None
        wanted = {self.key(main, i) for i in self.matching(main, rule.where)} if main else None
        better = {}
        for layer in (name for name in rule.layers if name in self.frames):
            frame = self.frames[layer]
            if set(rule.where) <= set(frame):
                which = self.matching(layer, rule.where)
            elif wanted is None:
                continue
            else:
                which = [i for i in range(len(frame)) if self.key(layer, i) in wanted]
            here = []
            for i in which:
                shape, key = self.shapes[layer][i], self.key(layer, i)
                for other in better.get(key, []):
                    shape = shape.difference(other)
                known, assumed = self.half_width(rule, layer, i)
                if not shape.is_empty:
                    zone = self.specs[layer].baseline == "delimited-zone"
                    yield Place(layer, str(frame["id"].iloc[i]), key, shape, known, assumed, zone)
                if shapely.get_dimensions(self.shapes[layer][i]) == 2:
                    here.append((key, self.shapes[layer][i]))
            for key, shape in here:
                better.setdefault(key, []).append(shape)

    def half_width(self, rule, layer, i):
        frame, baseline = self.frames[layer], self.specs[layer].baseline
        if baseline not in ("centreline", "roadbed-edge"):
            return 0.0, 0.0
        known = pd.to_numeric(frame["half_width_m"].iloc[i], errors="coerce") if "half_width_m" in frame else np.nan
        if known > 0:
            return float(known), 0.0
        widths = rule.assumed_half_width_m
        by = "roadbed-edge" if baseline == "roadbed-edge" else None
        by = by or (frame[rule.assumed_by].iloc[i] if rule.assumed_by in frame else "*")
        return 0.0, float(widths.get(by, widths.get("*", 0.0)))

    # -- one site and one rule: hits by feature or object, and the distance to the nearest --

    def overlaps(self, site, layer, which):
        """Return sizes of the overlaps by feature id: real ones, and those that may be contact."""
        real, doubtful = {}, set()
        for i in which:
            feature = self.shapes[layer][i]
            if not site.intersects(feature):
                continue
            verdict, size = overlap(site, feature)
            fid = str(self.frames[layer]["id"].iloc[i])
            if verdict is None:
                doubtful.add(fid)
            elif verdict:
                real[fid] = size
        return real, doubtful

    def too_near(self, site, rule):
        """Return for every object that is too near: distance, area or length within, and the same with the assumed width."""
        found = {}
        distances = shapely.distance(site, [p.shape for p in self.baselines(rule)])
        for place, distance in zip(self.baselines(rule), distances, strict=True):
            need = (rule.from_zone_m if place.zone else rule.distance_m) + place.known
            certain = need - distance > CONTACT_M
            if need == 0:
                certain = distance == 0 and bool(overlap(site, place.shape)[0])
            if certain or (place.assumed > 0 and need + place.assumed - distance > CONTACT_M):
                found.setdefault(place.object, []).append((place, float(distance), need, certain))
        return {key: self._object(site, near) for key, near in found.items()}

    def _object(self, site, near):
        place, distance, _, certain = min(near, key=lambda n: (not n[3], n[1] - n[2] - n[0].assumed))
        sure = [(p.shape, need) for p, _, need, yes in near if yes]
        wide = [(p.shape, need + p.assumed) for p, _, need, yes in near if yes or p.assumed > 0]
        band = any(p.assumed > 0 for p, *_ in near)
        nothing = (0.0, 0.0) if shapely.get_dimensions(site) else (np.nan, 0.0)
        return {
            "distance": max(distance - place.known, 0.0),
            "certain": certain,
            "size": within(site, sure) if sure else nothing,
            "possible": within(site, wide) if band else (np.nan, 0.0),
            "several": len(near) > 1,
        }


def within_shape(site, feature):
    """Return whether a part of a line or point lies in a site, or of a point on a line; None: too close to its border."""
    border = shapely.boundary(site)
    common = site.intersection(feature)
    if shapely.get_dimensions(feature) == 1:
        length = common.difference(border.buffer(CONTACT_M, quad_segs=2)).length
        return length > CONTACT_M if length == 0 or length > 20 * CONTACT_M else None
    distance = min((border.distance(p) for p in shapely.get_parts(common)), default=0.0)
    return distance > CONTACT_M if distance == 0 or distance > 20 * CONTACT_M else None


def overlap(site, feature):
    """Return whether two shapes overlap by more than contact (None: too close to tell), and the common area or length."""
    dimension = shapely.get_dimensions(site)
    if shapely.get_dimensions(feature) < dimension:
        return within_shape(site, feature), np.nan
    if dimension == 0:
        inside = [
            p for p in shapely.get_parts(site) if feature.contains(p) and feature.boundary.distance(p) > CONTACT_M
        ]
        return bool(inside), np.nan
    common = [p for p in shapely.get_parts(site.intersection(feature)) if shapely.get_dimensions(p) == dimension]
    if dimension == 1:
        off_border = shapely.union_all(common).difference(feature.boundary.buffer(CONTACT_M, quad_segs=2))
        rest = shapely.union_all(common).length
        along = rest - off_border.length > 100 * CONTACT_M
        return (off_border.length > CONTACT_M if along or rest < CONTACT_M else True), (np.nan if along else rest)
    area = sum(p.area for p in common)
    width = max((2 * p.area / p.length for p in common), default=0.0)
    if CONTACT_M / 20 < width < 20 * CONTACT_M:
        return None, area
    return width > CONTACT_M, area


def stadiums(shape, radius, window, segments):
    """Return all within `radius` of a shape, near a window, as a union over its single segments."""
    if radius == 0:
        return shape
    if shapely.get_dimensions(shape) == 0:
        return shapely.buffer(shape, radius, quad_segs=segments)
    parts = [shape] if shapely.get_dimensions(shape) == 2 else []
    for line in shapely.get_parts(shape.boundary if shapely.get_dimensions(shape) == 2 else shape):
        points = shapely.get_coordinates(line)
        edges = shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1))
        near = edges[shapely.distance(edges, window) <= radius]
        parts += list(shapely.buffer(near, radius, quad_segs=segments))
    return shapely.union_all(parts)


def within(site, baselines):
    """Return the area (m²) or length (m) of a site within the radii of its baselines, and what 64 chords would lose of it.

    A polygon of n chords loses a share of 1/n²: two n give the size within true arcs. Arcs shorter than a chord lose the
    same with any n, and each at most what a full chord of 64 loses.
    """
    dimension = shapely.get_dimensions(site)
    if dimension == 0:
        return np.nan, 0.0
    measure = shapely.area if dimension == 2 else shapely.length
    few, many = (
        float(measure(site.intersection(shapely.union_all([stadiums(b, r, site, n) for b, r in baselines]))))
        for n in (32, 128)
    )
    step = np.pi / 128
    bends = sum(
        np.count_nonzero(shapely.distance(shapely.points(shapely.get_coordinates(b)), site) <= r) * r**2
        for b, r in baselines
    )
    return many + (many - few) / 15, abs(many - few) * 4 / 15 + bends * step**3 / 12


# --- side by side ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scene():
    city = lz.open_catalogue(lz.reference_city())
    slow = Slow(city, city.book.as_of(pd.Timestamp(AS_OF).date()))
    used = {r.layer for r in slow.book.rules if r.layer in slow.frames}
    drawn = Draw(slow.outline, [f for name in sorted(used) for f in slow.shapes[name]], 13).all(SITES)
    activity = np.random.default_rng(14).choice(["", *slow.book.activities], SITES)
    ids = [f"s{i}" for i in range(SITES)]
    columns = {"id": ids, "name": ids, "activity": activity}
    frame = gpd.GeoDataFrame(columns, geometry=city.plane.unproject(np.array(drawn, dtype=object)), crs="EPSG:4490")
    report = lz.screen(frame, city, as_of=AS_OF)
    names = ["site_id", "rule", "layer", "feature_id", "state", "reason"]
    found = pd.DataFrame({c: report.findings[c].astype(object) for c in names})
    for c in ("area_m2", "area_possible_m2", "length_m", "distance_m"):
        found[c] = report.findings[c].to_numpy(dtype=float)
    rows = dict(list(found.groupby(["rule", "site_id"])))
    sites = city.plane.project(report.sites.geometry.to_numpy())
    return slow, list(zip(ids, activity, sites, strict=True)), rows


def meant(slow, rule, activity):
    return not rule.activities or activity == "" or bool(slow.book.widening(activity) & set(rule.activities))


def asked(slow, sites, kinds):
    """Yield the rules of some kinds that have a layer, with every site that they concern."""
    for rule in slow.book.rules:
        if rule.kind in kinds and any(name in slow.frames for name in rule.layers):
            for site_id, activity, site in sites:
                if meant(slow, rule, activity):
                    yield rule, site_id, site


def same(got, expected, slack=0.0):
    """Whether two areas or lengths agree; NaN agrees with NaN."""
    if np.isnan(got) or np.isnan(expected):
        return np.isnan(got) and np.isnan(expected)
    return abs(got - expected) <= AREA_M2 + AREA_SHARE * abs(expected) + slack


def size_of(row, site):
    return row.length_m if shapely.get_dimensions(site) == 1 else row.area_m2


def hits_of(rows):
    """Return the rows with an overlap; they are unknown where the rule depends on an activity or a fact that is not declared."""
    open_ = ("activity-missing", "fact-missing")
    return [r for r in rows.itertuples() if r.state in HIT or (r.state == UNKNOWN and r.reason in open_)]


def clear_is(slow, rule, rows, site, distance):
    """Check the row of a site without a hit: the distance to the nearest, or unknown near and beyond the border of the city."""
    where = (rule.id, rows["site_id"].iloc[0], site.geom_type)
    clear = rows[(rows["state"] == CLEAR) & (rows["reason"] == "")]
    if len(clear):
        measured = clear["distance_m"].iloc[0]
        assert abs(measured - distance) <= DISTANCE_M or (np.isnan(measured) and np.isinf(distance)), where
        assert len(clear) == 1, where
    else:
        assert (rows["state"] == UNKNOWN).any(), where
        at_border = slow.outline.boundary.distance(site) < getattr(rule, "reach_m", 0.0) + CONTACT_M
        elsewhere = not slow.outline.contains_properly(site)
        assert elsewhere or at_border or "layer" in "".join(rows["reason"]), where


def test_every_kind_of_rule_is_computed(scene):
    slow, sites, rows = scene
    assert {r.kind for r in slow.book.rules} <= {"avoid", "identify", "stay_inside", "keep_away"}
    concerned = sum(meant(slow, rule, activity) for rule in slow.book.rules for _, activity, _ in sites)
    assert sum((frame["state"] != "不适用").any() for frame in rows.values()) == concerned


def test_overlaps_and_distances_to_features(scene):
    slow, sites, rows = scene
    hits = 0
    for rule, site_id, whole in asked(slow, sites, ("avoid", "identify")):
        where, own = (rule.id, site_id, whole.geom_type), rows[rule.id, site_id]
        # What lies outside the city is unknown to a rule that says where a site lies.
        site = whole.intersection(slow.outline) if rule.kind == "identify" else whole
        which = slow.matching(rule.layer, rule.where)
        expected, doubtful = slow.overlaps(site, rule.layer, which)
        got = {row.feature_id: row for row in hits_of(own)}
        assert got.keys() - doubtful == expected.keys(), (*where, sorted(got.keys() ^ expected.keys()))
        for fid, size in expected.items():
            hits += 1
            assert np.isnan(size) or same(size_of(got[fid], whole), size), (*where, fid)
            assert got[fid].distance_m == 0
        if rule.kind == "avoid" and not got:
            nearest = shapely.distance(whole, slow.shapes[rule.layer][which]).min(initial=np.inf)
            clear_is(slow, rule, own, whole, nearest)
    assert hits > SITES


def test_parts_outside(scene):
    slow, sites, rows = scene
    outside = 0
    for rule, site_id, whole in asked(slow, sites, ("stay_inside",)):
        where, own, got = (rule.id, site_id, whole.geom_type), rows[rule.id, site_id], hits_of(rows[rule.id, site_id])
        features = slow.shapes[rule.layer][slow.matching(rule.layer, rule.where)]
        site, union = whole.intersection(slow.outline), shapely.union_all(features)
        if site.is_empty:
            assert not got, where
            continue
        distance = float(shapely.distance(site, features).min(initial=np.inf))
        rest = site.difference(union)
        dimension = shapely.get_dimensions(site)
        pieces = [p for p in shapely.get_parts(rest) if shapely.get_dimensions(p) == dimension and not p.is_empty]
        width = max((2 * p.area / p.length if dimension == 2 else p.length for p in pieces if p.length), default=0.0)
        if dimension and CONTACT_M / 20 < width < 20 * CONTACT_M:
            continue
        out = union.distance(site) > CONTACT_M if dimension == 0 else width > CONTACT_M
        if site.geom_type == "MultiPoint":
            out = bool(pieces)
        assert len(got) == int(out), where
        if out:
            outside += 1
            nowhere = np.isnan(got[0].distance_m) and np.isinf(distance)
            assert nowhere or abs(got[0].distance_m - distance) <= DISTANCE_M, where
            slack = 0.2 if dimension == 1 else 0.0
            assert dimension == 0 or same(size_of(got[0], whole), sum(p.area or p.length for p in pieces), slack), where
        else:
            clear_is(slow, rule, own, whole, distance)
    assert outside > SITES / 3


def corridors(scene):
    """Yield every site too near to an object: rule and names, site, row, and what is expected; check rows and distances."""
    slow, sites, rows = scene
    computed = {}
    for rule, site_id, site in asked(slow, sites, ("keep_away",)):
        where, own = (rule.id, site_id, site.geom_type), rows[rule.id, site_id]
        places = slow.baselines(rule)
        key = (id(places), rule.distance_m, rule.from_zone_m, site_id)
        if key not in computed:
            computed[key] = slow.too_near(site, rule)
        expected, hits = computed[key], hits_of(own)
        object_of = {(p.layer, p.fid): p.object for p in places}
        got = {object_of[row.layer, row.feature_id]: row for row in hits}
        assert got.keys() == expected.keys(), where
        assert len(got) == len(hits), where
        for name, near in expected.items():
            assert abs(got[name].distance_m - near["distance"]) <= DISTANCE_M, (*where, name)
            yield (*where, name), site, got[name], near
        if not got and places:
            edge = shapely.distance(site, [p.shape for p in places]) - np.array([p.known for p in places])
            clear_is(slow, rule, own, site, max(float(edge.min()), 0.0))


def test_corridors(scene):
    measured = 0
    for where, site, row, near in corridors(scene):
        dimension = shapely.get_dimensions(site)
        if dimension == 1 and near["several"]:
            continue
        measured += 1
        size, loss = near["size"] if near["certain"] or dimension == 2 else near["possible"]
        assert same(size_of(row, site), size, 2 * loss), (*where, size_of(row, site), size, loss)
        if dimension == 2:
            size, loss = near["possible"]
            assert same(row.area_possible_m2, size, 2 * loss), (*where, row.area_possible_m2, size, loss)
    assert measured > SITES / 3


def test_lines_near_several_baselines_of_one_object(scene):
    for where, site, row, near in corridors(scene):
        if shapely.get_dimensions(site) == 1 and near["several"]:
            size, loss = near["size"] if near["certain"] else near["possible"]
            assert same(row.length_m, size, 2 * loss), (*where, row.length_m, size, loss)
