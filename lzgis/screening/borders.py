"""The setting of a city among its neighbours: features beyond its border count for its rules of distance.

A rule of a city that demands a distance looks at the features of its neighbours too, as copies of the rule with layers of
their own. Of a neighbour's features only the parts outside the city count: inside it, the layer of the city does. Where
the neighbour has no such layer, the border is where knowledge ends, as for a city alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from lzgis.city.region import EDGE_M, Region
from lzgis.coordinates.locate import all_outside
from lzgis.geometry import FeatureIndex
from lzgis.model.report import State
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.run import Checked
from lzgis.screening.setting import Setting
from lzgis.screening.stretches import closed

#: Between the id of a rule or layer and the name of the neighbour that its copy is about; no id holds it.
SEPARATOR = "\x1f"
#: How far (m) features are looked for beyond the reach of a rule, before their edges are moved exactly.
_BESIDE_M = 100.0


@dataclass(frozen=True, eq=False)
class BorderSetting(Setting):
    """A setting with the neighbours' layers in the plane of the city, and copies of rules that look at them."""

    own_book_ids: frozenset[str]
    layers_in_plane: Mapping[str, PlaneLayer]

    @property
    def plane_layers(self) -> dict[str, PlaneLayer]:
        """The layers in the plane of the city, with those of its neighbours."""
        return dict(self.layers_in_plane)


def with_neighbours(name: str, settings: Mapping[str, Setting], region: Region) -> BorderSetting:
    """Add to the setting of a city what its rules of distance need of its neighbours."""
    return _Border(name, settings, region).setting()


class _Border:
    def __init__(self, name: str, settings: Mapping[str, Setting], region: Region) -> None:
        self.own, self.region = settings[name], region
        self.distances = [rule for rule in self.own.book.rules if isinstance(rule, KeepAway)]
        self.reach_m = max((rule.reach_m for rule in self.distances), default=0.0)
        self.width_m = region.spec.region.tolerance_m
        at = list(region.cities).index(name)
        near = shapely.dwithin(region.outlines, region.outlines[at], self.reach_m + self.width_m)
        names = list(region.cities)
        self.neighbours = {names[k]: settings[names[k]] for k in np.flatnonzero(near) if k != at}
        self.outline = self._coverage(self.own, self.own.city.city.outline)

    def _coverage(self, setting: Setting, layer: str) -> shapely.Geometry:
        """Return what a coverage layer of a city covers, in the plane of this city."""
        area = shapely.union_all(setting.plane_layers[layer].index.geometries)
        if setting is self.own:
            return area
        there = setting.city.plane.unproject(shapely.segmentize([area], EDGE_M))
        window = shapely.box(*shapely.bounds(self.outline)).buffer(self.reach_m + 4 * self.width_m + 100)
        found: shapely.Geometry = shapely.intersection(self.own.city.plane.project(there)[0], window)
        return found

    def setting(self) -> BorderSetting:
        layers = dict(self.own.plane_layers)
        rules = list(self.own.book.rules)
        for name, other in self.neighbours.items():
            beyond = {
                layer: found
                for layer in dict.fromkeys(one for rule in self.distances for one in rule.layers)
                if (found := self._beyond(layer, name, other)) is not None
            }
            layers |= {found.id: found for found in beyond.values()}
            rules += [
                rule.model_copy(
                    update={
                        "id": rule.id + SEPARATOR + name,
                        "layer": rule.layer + SEPARATOR + name,
                        "baselines": [one + SEPARATOR + name for one in rule.baselines if one in beyond],
                    }
                )
                for rule in self.distances
                if any(one in beyond and not beyond[one].missing_fields(rule.where) for one in rule.layers)
            ]
        covering = self._coverings(layers)
        return BorderSetting(
            city=self.own.city,
            day=self.own.day,
            book=replace(self.own.book, rules=tuple(rules)),
            loaded=self.own.loaded,
            problems=self.own.problems,
            own_book_ids=frozenset(rule.id for rule in self.own.book.rules),
            layers_in_plane={**layers, **covering},
        )

    def _shared(self, layer: str) -> bool:
        """Return whether a layer is one that all cities share."""
        return layer in self.region.spec.layer and layer not in self.own.city.layers

    def _beyond(self, layer: str, name: str, other: Setting) -> PlaneLayer | None:
        """Return the features of a neighbour's own layer that are near and outside this city; None if there is none."""
        if layer not in other.city.layers or layer not in other.loaded or self._shared(layer):
            return None
        loaded = other.loaded[layer].layer
        if loaded.spec.baseline is None:
            return None
        found, plane = other.plane_layers[layer], self.own.city.plane
        rough = plane.project(loaded.frame.geometry.to_numpy())
        # A long edge of a feature, straight in the plane of its city, lies some metres beside it in this one.
        near = np.flatnonzero(shapely.dwithin(rough, self.outline, self.reach_m + self.width_m + _BESIDE_M))
        dense = shapely.segmentize(found.index.geometries[near], EDGE_M)
        shapes = plane.project(other.city.plane.unproject(dense))
        outside = shapely.difference(shapes, self.outline)
        kept = ~shapely.is_empty(outside) & (shapely.get_dimensions(outside) == shapely.get_dimensions(shapes))
        if not kept.any():
            return None
        frame = found.frame.iloc[near[kept]].reset_index(drop=True)
        doubtful = tuple(plane.project(np.array(loaded.doubtful, dtype=object))) if loaded.doubtful else ()
        return PlaneLayer(layer + SEPARATOR + name, loaded.spec, frame, FeatureIndex(outside[kept]), doubtful)

    def _covers(self, layer: str, setting: Setting) -> bool:
        """Return whether a city knows all the features that rules of distance of this city look for in a layer."""
        if layer not in setting.loaded or self._shared(layer):
            return self._shared(layer)
        one = setting.plane_layers[layer]
        fields = [rule.where for rule in self.distances if rule.layer == layer]
        known = len(one.frame) > 0 and one.spec.baseline is not None
        if not known or any(one.missing_fields(where) for where in fields):
            return False
        area = shapely.union_all(setting.plane_layers[one.spec.coverage].index.geometries)
        return not all_outside(one.index.geometries, area)

    def _coverings(self, layers: dict[str, PlaneLayer]) -> dict[str, PlaneLayer]:
        """Set the coverage of the layers, which may reach beyond the border; return the layers that say what they cover."""
        made: dict[tuple[str, ...], PlaneLayer] = {}
        looked_at = {one for rule in self.distances for one in rule.layers}
        outline = self.own.city.city.outline
        for name, layer in list(layers.items()):
            base = name.partition(SEPARATOR)[0]
            shared = self._shared(base)
            coverage = outline if shared or SEPARATOR in name else layer.spec.coverage
            if name == outline or coverage not in self.own.plane_layers:
                continue
            whole = shared or (base not in looked_at and coverage == outline)
            others = [
                one
                for one, setting in self.neighbours.items()
                if whole or (base in looked_at and self._covers(self._object_layer(base), setting))
            ]
            if SEPARATOR not in name and not shared and base in looked_at and not self._covers(base, self.own):
                others = []
            key = (coverage, *others)
            if key not in made:
                made[key] = self._covering(key, coverage, others)
            spec = layer.spec.model_copy(update={"coverage": made[key].id})
            layers[name] = replace(layer, spec=spec)
        return {one.id: one for one in made.values()}

    def _object_layer(self, layer: str) -> str:
        """Return the layer that holds all objects of the rules that look at `layer` as a better baseline."""
        return next((rule.layer for rule in self.distances if layer in rule.layers), layer)

    def _covering(self, key: Sequence[str], coverage: str, others: Sequence[str]) -> PlaneLayer:
        own = self.own.plane_layers[coverage]
        areas = [self._coverage(self.own, coverage)]
        areas += [self._coverage(self.neighbours[one], self.neighbours[one].city.city.outline) for one in others]
        area = closed(shapely.union_all(areas), self.width_m)
        return PlaneLayer(SEPARATOR.join(("", *key)), own.spec, own.frame, FeatureIndex(np.array([area], dtype=object)))


def settled(done: Checked, setting: BorderSetting) -> tuple[Checked, np.ndarray]:
    """Join the answers of rules and of their copies: each site has one answer to each rule of the city's own book.

    Returns
    -------
    done : Checked
        With the rules and layers under their own ids.
    origin : array of str
        Name of the neighbour whose feature each finding names; empty for the city itself.
    """
    table = done.findings
    rule = table["rule"].to_numpy(dtype=object)
    split = [one.partition(SEPARATOR) for one in rule]
    base = np.array([one[0] for one in split], dtype=object)
    other = np.array([one[2] for one in split], dtype=object)
    state = table["state"].to_numpy(dtype=object)
    site = done.keys.rows.site
    copy = other != ""
    feature = table["feature_id"].to_numpy(dtype=object) != ""
    # What a copy says of coverage and of missing layers, the rule itself says as well.
    keep = ~(copy & (state == State.NOT_CHECKED) & ~feature)
    order = [one.id for one in setting.book.rules if one.id in setting.own_book_ids]
    place = np.array([order.index(one) for one in base], dtype=np.intp)
    pair = site * len(order) + place
    clear = state == State.CLEAR
    grave = np.zeros(int(pair.max(initial=-1)) + 1, dtype=bool)
    grave[pair[keep & ~clear & (state != State.NOT_APPLICABLE)]] = True
    keep &= ~(clear & grave[pair])
    # Of several 不涉及 the nearest feature is named.
    distance = np.nan_to_num(table["distance_m"].to_numpy(dtype=float), nan=np.inf)
    rows = np.flatnonzero(keep & clear)
    rows = rows[np.lexsort((copy[rows], distance[rows], pair[rows]))]
    again = np.zeros(len(rows), dtype=bool)
    again[1:] = pair[rows][1:] == pair[rows][:-1]
    keep[rows[again]] = False
    which = np.flatnonzero(keep)
    which = which[np.lexsort((which, copy[which], place[which], site[which]))]
    layer = np.array([one.partition(SEPARATOR)[0] for one in table["layer"].to_numpy(dtype=object)], dtype=object)
    findings = table.iloc[which].reset_index(drop=True)
    findings["rule"], findings["layer"] = base[which].astype(str), layer[which].astype(str)
    own = tuple(one for one in setting.book.rules if one.id in setting.own_book_ids)
    subjects = replace(done.subjects, book=replace(setting.book, rules=own))
    return done._replace(subjects=subjects, findings=findings, keys=done.keys.take(which)), other[which]
