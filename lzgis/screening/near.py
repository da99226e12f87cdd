"""Reading large layers by the windows of the sites, with the answers that the whole layers would give.

A rule needs the features within its reach of a site, and most rules report the nearest feature however far it lies. So the
windows begin at the reach. A site that has no feature yet, or whose nearest one is farther than what was read around it, gets
a larger window, until nothing farther could be nearer, or the whole layer has been read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.city.plane_layers import in_plane
from lzgis.city.prepared import LoadedLayer
from lzgis.coordinates.locate import all_outside
from lzgis.messages import Message
from lzgis.model.catalogue import LayerSpec
from lzgis.model.report import Problem, SiteTable
from lzgis.model.rules import Rule
from lzgis.reading.near import windows
from lzgis.rules.for_sites import KINDS
from lzgis.rules.for_sites.baselines import HALF_WIDTH_FIELD
from lzgis.rules.for_sites.keep_away import KeepAway
from lzgis.rules.for_sites.plane import PlaneLayer
from lzgis.screening.setting import Setting

if TYPE_CHECKING:
    from lzgis.geometry import SiteShapes

#: What is read around a site at first beyond the reach of the rules, m, and how many times farther each next time.
_FIRST_M, _STEP = 3_000.0, 4.0
#: Sites within such a distance (m) are screened together, in so many cells across at most.
_PLACE_M, _MOST_ACROSS = 60_000.0, 8
_DEGREE_M = 111_000.0
#: A window of this size (m) holds the whole earth.
_EVERYTHING_M = 2.1e7


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


def near_sites(setting: Setting, sites: SiteTable) -> Setting:
    """Return the setting with the features near some sites of the layers that are read by window.

    Raises
    ------
    SourceError, LayerError
        If a layer cannot be read.
    """
    if not setting.by_window:
        return setting
    geometry = sites.frame.geometry.to_numpy()
    geometry = geometry[~shapely.is_missing(geometry) & ~shapely.is_empty(geometry)]
    read = {name: _read_near(setting, name, geometry) for name in sorted(setting.by_window)}
    return replace(setting, loaded={**setting.loaded, **read}, by_window=frozenset(), before=setting)


def united(setting: Setting, settings: Sequence[Setting]) -> Setting:
    """Return the setting with all features that were read for some places, and how many these are."""
    loaded = dict(setting.loaded)
    for name in sorted(setting.by_window):
        read = [one.loaded[name] for one in settings]
        held = max(len(one.layer.frame) + one.others for one in read)
        frames = [one.layer.frame for one in read]
        frame = frames[0]
        if len(frames) > 1:
            together = pd.concat(frames, ignore_index=True)
            frame = gpd.GeoDataFrame(together[~together["id"].duplicated()].reset_index(drop=True), crs=frames[0].crs)
        doubtful = {shapely.to_wkb(one) if one is not None else None: one for r in read for one in r.layer.doubtful}
        layer = replace(read[0].layer, frame=frame, doubtful=tuple(doubtful.values()))
        problems = tuple(dict.fromkeys(one for r in read for one in r.problems))
        repairs = tuple(dict.fromkeys(one for r in read for one in r.repairs))
        made = replace(read[0], layer=layer, problems=problems, repairs=repairs, others=max(held - len(frame), 0))
        loaded[name] = replace(made, problems=(*problems, *_of_window(made)))
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


def _read_near(setting: Setting, name: str, sites: npt.NDArray[np.object_]) -> LoadedLayer:
    from lzgis.geometry import SiteShapes

    fields = setting.loaded[name].layer
    if not len(sites):
        return setting.loaded[name]
    rules = [rule for rule in setting.book.rules if name in rule.layers]
    if any(isinstance(rule, KeepAway) for rule in rules) and HALF_WIDTH_FIELD in fields.frame:
        # A feature reaches as far as its own half-width says, which is only known once it has been read.
        return _with_spec(setting.city.load(name), fields.spec)
    city = setting.city
    bounds, shapes = shapely.bounds(sites), SiteShapes(np.asarray(city.plane.project(sites), dtype=object))
    reach = np.full(len(sites), max((rule.reach_m for rule in rules), default=0.0) + _FIRST_M)
    while reach.max() <= _EVERYTHING_M:
        # What the rules say of the layer was added to its description.
        made = _with_spec(city.load_near(name, windows(bounds, reach)), fields.spec)
        if not made.others:
            return made
        short = _too_short(in_plane(made.layer, city), rules, shapes, reach)
        if not len(made.layer.frame) or _elsewhere(setting, made):
            short[:] = True
        if not short.any():
            return made
        reach = np.where(short, reach * _STEP, reach)
    return _with_spec(city.load(name), fields.spec)


def _with_spec(loaded: LoadedLayer, spec: LayerSpec) -> LoadedLayer:
    return replace(loaded, layer=replace(loaded.layer, spec=spec))


def _too_short(
    layer: PlaneLayer, rules: Iterable[Rule], sites: SiteShapes, reach: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Return the sites whose nearest feature of a rule may not have been read."""
    from lzgis.geometry import nearest_rounded

    short = np.zeros(len(reach), dtype=bool)
    wheres = {repr(rule.where): rule.where for rule in rules if not KINDS[rule.kind].informs}
    for where in wheres.values():
        if layer.missing_fields(where):
            continue
        which = layer.matching(where)
        index = layer.index if len(which) == len(layer.frame) else layer.index.take(which)
        if not len(which):
            short[:] = True
            continue
        distance = nearest_rounded(sites, index).distance
        short |= ~(distance <= reach)
    return short


def _elsewhere(setting: Setting, made: LoadedLayer) -> bool:
    """Return whether all features that were read lie outside the area of the layer; others may lie inside."""
    coverage = made.layer.spec.coverage
    if coverage not in setting.loaded:
        return False
    area = shapely.union_all(setting.loaded[coverage].layer.frame.geometry.to_numpy())
    return all_outside(made.layer.frame.geometry.to_numpy(), area)
