"""Reading large layers by the windows of the sites, with the answers that the whole layers would give.

A rule needs the features within its reach of a site, and most rules report the nearest feature however far it lies. So the
windows begin at the reach. A site that has no feature yet, or whose nearest one is farther than what was read around it, gets
a larger window, until nothing farther could be nearer, or the whole layer has been read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely

from lzgis.city.plane_layers import plane_layer
from lzgis.city.prepared import LoadedLayer
from lzgis.coordinates.locate import all_outside
from lzgis.model.report import SiteTable
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
#: A window of this size (m) holds the whole earth.
_EVERYTHING_M = 2.1e7


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
    loaded = dict(setting.loaded)
    for name in sorted(setting.by_window):
        made = _read_near(setting, name, geometry)
        # What the rules say of the layer was added to its description.
        layer = replace(made.layer, spec=setting.loaded[name].layer.spec)
        loaded[name] = replace(made, layer=layer)
    return replace(setting, loaded=loaded, by_window=frozenset(), before=setting)


def _read_near(setting: Setting, name: str, sites: npt.NDArray[np.object_]) -> LoadedLayer:
    from lzgis.geometry import SiteShapes

    if not len(sites):
        return setting.loaded[name]
    rules = [rule for rule in setting.book.rules if name in rule.layers]
    if any(isinstance(rule, KeepAway) for rule in rules) and HALF_WIDTH_FIELD in setting.loaded[name].layer.frame:
        # A feature reaches as far as its own half-width says, which is only known once it has been read.
        return setting.city.load(name)
    city = setting.city
    bounds, shapes = shapely.bounds(sites), SiteShapes(np.asarray(city.plane.project(sites), dtype=object))
    reach = np.full(len(sites), max((rule.reach_m for rule in rules), default=0.0) + _FIRST_M)
    while True:
        made = city.load_near(name, windows(bounds, reach))
        if not made.others:
            return made
        short = _too_short(plane_layer(made.layer, city.plane), rules, shapes, reach)
        if not len(made.layer.frame) or _elsewhere(setting, made):
            short[:] = True
        if not short.any():
            return made
        reach = np.where(short, reach * _STEP, reach)
        if reach.max() > _EVERYTHING_M:
            return city.load(name)


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
    """Whether no feature that was read lies where the layer should be; others may."""
    coverage = made.layer.spec.coverage
    if coverage not in setting.loaded:
        return False
    area = shapely.union_all(setting.loaded[coverage].layer.frame.geometry.to_numpy())
    return all_outside(made.layer.frame.geometry.to_numpy(), area)
