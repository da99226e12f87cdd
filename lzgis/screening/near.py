"""Reading large layers by the windows of the sites, with the answers that the whole layers would give.

A rule needs the features within its reach of a site, and most rules report the nearest feature however far it lies. So the
windows begin at the reach. A site that has no feature yet, or whose nearest one is farther than what was read around it, gets
a larger window, until nothing farther could be nearer, or the whole layer has been read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.city.known_features import KnownFeatures
from lzgis.city.prepared import LoadedLayer
from lzgis.coordinates.locate import all_outside
from lzgis.coordinates.plane import Plane
from lzgis.geometry import FeatureIndex
from lzgis.messages import Message
from lzgis.model.catalogue import LayerSpec
from lzgis.model.report import Layer, Problem, SiteTable
from lzgis.model.rules import Rule
from lzgis.reading.near import grown
from lzgis.rules.for_sites import KINDS
from lzgis.rules.for_sites.baselines import HALF_WIDTH_FIELD
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.setting import Setting

#: What is read around a site at first beyond the reach of the rules, m, and how many times farther each next time.
_FIRST_M, _STEP = 3_000.0, 4.0
#: Sites within such a distance (m) are screened together, in so many cells across at most.
_PLACE_M, _MOST_ACROSS = 60_000.0, 8
_DEGREE_M = 111_000.0
#: A window of this size (m) holds the whole earth.
_EVERYTHING_M = 2.1e7
#: Of so many vertices one bounds the distance of a feature.
_SAMPLED = 16


def places(sites: SiteTable) -> list[npt.NDArray[np.intp]]:
    """Return the rows of sites that are screened together: those in one cell of a grid, and those without a geometry."""
    bounds = shapely.bounds(sites.frame.geometry.to_numpy())
    there = np.isfinite(bounds).all(axis=1)
    if not there.any():
        return [np.arange(len(bounds))]
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    size = np.ptp(middle[there], axis=0) * np.array([np.cos(np.radians(middle[there, 1].mean())), 1.0]) * _DEGREE_M
    cells = np.clip(np.ceil(size / _PLACE_M), 1, _MOST_ACROSS)
    low, high = middle[there].min(axis=0), middle[there].max(axis=0)
    cell = np.minimum(np.floor((middle - low) / np.maximum(high - low, 1e-12) * cells), cells - 1)
    number = np.where(there, cell[:, 0] * cells[1] + cell[:, 1], 0.0)
    return [np.flatnonzero(number == one) for one in np.unique(number)]


def known_features(setting: Setting) -> dict[str, KnownFeatures]:
    """Return what holds the features of the layers that are read by window, by layer; nothing is read yet."""
    return {name: KnownFeatures(setting.city, name) for name in sorted(setting.by_window)}


def near_sites(setting: Setting, sites: SiteTable, known: Mapping[str, KnownFeatures] | None = None) -> Setting:
    """Return the setting with the features near some sites of the layers that are read by window.

    Features in `known` are not read again; those that are read are added to it.

    Raises
    ------
    SourceError, LayerError
        If a layer cannot be read.
    """
    if not setting.by_window:
        return setting
    geometry = sites.frame.geometry.to_numpy()
    geometry = geometry[~shapely.is_missing(geometry) & ~shapely.is_empty(geometry)]
    known = known_features(setting) if known is None else known
    read = {name: _read_near(setting, one, name, geometry) for name, one in known.items()}
    return replace(setting, loaded={**setting.loaded, **read}, by_window=frozenset(), before=setting)


def united(setting: Setting, known: Mapping[str, KnownFeatures]) -> Setting:
    """Return the setting with all features that were read for some places, and how many these are."""
    loaded = dict(setting.loaded)
    for name, one in known.items():
        made = one.all()
        if made is not None:
            made = _with_spec(made, loaded[name].layer.spec)
            loaded[name] = replace(made, problems=(*made.problems, *_of_window(made)))
    return replace(setting, loaded=loaded, by_window=frozenset(), before=setting)


def _of_window(loaded: LoadedLayer) -> list[Problem]:
    if not loaded.others:
        return []
    place = Message("layer '{layer_id}' ({source})", layer_id=loaded.layer.id, source=loaded.source.name)
    count = len(loaded.layer.frame)
    what = Message(
        "{read} of {held} features were read, those near the sites; only these were checked",
        read=count,
        held=count + loaded.others,
    )
    return [Problem("note", place, what, Message("lzgis layers reads and checks all of them"))]


def _read_near(setting: Setting, known: KnownFeatures, name: str, sites: npt.NDArray[np.object_]) -> LoadedLayer:
    fields = setting.loaded[name].layer
    if not len(sites):
        return setting.loaded[name]
    rules = [rule for rule in setting.book.rules if name in rule.layers]
    if any(isinstance(rule, KeepAway) for rule in rules) and HALF_WIDTH_FIELD in fields.frame:
        # A feature reaches as far as its own half-width says, which is only known once it has been read.
        return _with_spec(known.whole(), fields.spec)
    reach = np.full(len(sites), max((rule.reach_m for rule in rules), default=0.0) + _FIRST_M)
    while reach.max() <= _EVERYTHING_M:
        # What the rules say of the layer was added to its description.
        made = _with_spec(known.near(shapely.bounds(sites), reach), fields.spec)
        if not made.others:
            return made
        needed = _needed_m(setting.city.plane, made.layer, rules, sites, reach)
        if not len(made.layer.frame) or _elsewhere(setting, made):
            needed[:] = np.inf
        if (needed <= reach).all():
            return made
        # Nothing is nearer than the nearest feature of what lies within its distance.
        farther = np.where(np.isfinite(needed), np.maximum(needed * 1.01, reach), reach * _STEP)
        reach = np.where(needed <= reach, reach, farther)
    return _with_spec(known.whole(), fields.spec)


def _with_spec(loaded: LoadedLayer, spec: LayerSpec) -> LoadedLayer:
    return replace(loaded, layer=replace(loaded.layer, spec=spec))


def _needed_m(
    plane: Plane, layer: Layer, rules: Iterable[Rule], sites: npt.NDArray[np.object_], reach: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how far around each site the layer must be read, m: beyond the nearest feature of each rule.

    At most `reach` where the features read there are enough; infinite where no feature of a rule was read.
    """
    needed = np.zeros(len(reach))
    bare = PlaneLayer(layer.id, layer.spec, layer.frame, FeatureIndex(layer.frame.geometry.to_numpy()))
    for where in {repr(rule.where): rule.where for rule in rules if not KINDS[rule.kind].informs}.values():
        if bare.missing_fields(where):
            continue
        features = bare.index.geometries[bare.matching(where)]
        if not len(features):
            return np.full(len(reach), np.inf)
        nearest = _at_most_m(plane, features, sites)
        # Lengths in a plane are right to a hundredth at least. What is near by this bound need not be measured.
        beyond = np.flatnonzero(nearest > 0.99 * reach)
        nearest[beyond] = np.minimum(nearest[beyond], _nearest_m(plane, features, sites[beyond], reach[beyond]))
        needed = np.maximum(needed, nearest)
    return needed


def _nearest_m(
    plane: Plane, features: npt.NDArray[np.object_], sites: npt.NDArray[np.object_], reach: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the distance (m) of the nearest feature of each site; infinite if its box lies beyond `reach`."""
    nearest = np.full(len(sites), np.inf)
    boxes = shapely.box(*grown(shapely.bounds(sites), reach).T)
    which = np.unique(shapely.STRtree(features).query(boxes)[1])
    if not len(which) or not len(sites):
        return nearest
    tree = shapely.STRtree(plane.project(features[which]))
    (found, _), distance = tree.query_nearest(plane.project(sites), return_distance=True, all_matches=False)
    nearest[found] = distance
    return nearest


def _at_most_m(
    plane: Plane, features: npt.NDArray[np.object_], sites: npt.NDArray[np.object_]
) -> npt.NDArray[np.float64]:
    """Return a distance (m) that the nearest feature of each site does not exceed: that of two of their vertices."""
    points, owner = shapely.get_coordinates(features, return_index=True)
    first = np.r_[True, owner[1:] != owner[:-1]] if len(owner) else np.zeros(0, dtype=bool)
    first[::_SAMPLED] = True
    tree = shapely.STRtree(plane.project(shapely.points(points[first])))
    # A site without vertices is empty, and was left out.
    own, of = shapely.get_coordinates(sites, return_index=True)
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    bound = np.full(len(sites), np.inf)
    (found, _), distance = tree.query_nearest(
        plane.project(shapely.points(own[starts])), return_distance=True, all_matches=False
    )
    bound[found] = distance
    return bound


def _elsewhere(setting: Setting, made: LoadedLayer) -> bool:
    """Return whether all features that were read lie outside the area of the layer; others may lie inside."""
    coverage = made.layer.spec.coverage
    if coverage not in setting.loaded:
        return False
    area = shapely.union_all(setting.loaded[coverage].layer.frame.geometry.to_numpy())
    return all_outside(made.layer.frame.geometry.to_numpy(), area)
