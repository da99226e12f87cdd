"""`AuditContext` and `LayerFinding`: what the check of a kind for layers gets and returns; functions that several kinds use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from lzgis.coordinates.plane import Plane
from lzgis.geometry import mean_width
from lzgis.geometry.layer_pieces import Pieces, border_chains, cut_to_pieces, patches
from lzgis.messages import Message
from lzgis.model.report import RESOLUTION_M, Reason, State
from lzgis.model.rules import EVERY_LAYER, OUTLINE, LayerRule, Severity
from lzgis.rules.for_sites.hits import Geometries, Integers
from lzgis.rules.for_sites.plane import PlaneLayer


@dataclass(frozen=True, eq=False, slots=True)
class LayerFinding:
    """One answer of a rule; columns as in `lzgis.model.audit.AUDIT_COLUMNS`.

    `feature` and `other` are positions in `layer` and `other_layer`, -1 for none. `severity` is that of the rule if None.
    `geometry` is in the plane of the city.
    """

    layer: str
    state: State = State.INVOLVED
    reason: Reason = Reason.NONE
    severity: Severity | None = None
    feature: int = -1
    other_layer: str = ""
    other: int = -1
    geometry: shapely.Geometry | None = None
    area_m2: float = np.nan
    mean_width_m: float = np.nan
    length_m: float = np.nan
    measured: float = np.nan
    declared: float = np.nan
    what: str = ""


@dataclass(frozen=True, eq=False)
class AuditContext:
    """What all rules of an audit share.

    Attributes
    ----------
    layers : mapping of PlaneLayer
        The layers by id, in the plane of the city.
    outline : str
        Id of the layer that holds the city's outline.
    plane : Plane
        The plane of the city.
    adcode : str
        Division code of the city.
    sliver_width_m : float
        Mean width (m) below which a patch may be a boundary error.
    threads : int
        Threads for overlays.
    earlier : mapping of PlaneLayer
        The layers of the earlier version, if two versions are compared.
    cache : dict
        What rules have computed; see `remember`.
    """

    layers: Mapping[str, PlaneLayer]
    outline: str
    plane: Plane
    adcode: str = ""
    sliver_width_m: float = 1.0
    threads: int = 2
    earlier: Mapping[str, PlaneLayer] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict)

    def layer_id(self, layer: str) -> str:
        """Return the id of a layer that a rule names: ``"outline"`` means the layer with the city's outline."""
        return self.outline if layer == OUTLINE else layer

    def layers_of(self, rule: LayerRule) -> list[str]:
        """Return the ids of the layers that a rule checks: its own, or for ``"*"`` all but the one it compares them with."""
        if rule.layer != EVERY_LAYER:
            return [self.layer_id(rule.layer)]
        other = self.layer_id(rule.other)
        return [name for name in self.layers if name != other]

    def areal_features(self, layer: str, where: Mapping[str, list[str]]) -> Integers:
        """Positions of the matching features of a layer that have an area."""
        here = self.layers[layer]
        which = here.matching(where)
        return which[shapely.area(here.index.geometries[which]) > 0]

    def pieces(self, layer: str, which: Integers) -> Pieces:
        """Features of a layer cut into pieces."""
        made: Pieces = self.remember(
            ("pieces", layer, which.tobytes()), lambda: cut_to_pieces(self.layers[layer].index.geometries[which])
        )
        return made

    def borders(self, layer: str, which: Integers) -> Pieces:
        """Borders of features of a layer cut into short lines."""
        made: Pieces = self.remember(
            ("borders", layer, which.tobytes()), lambda: border_chains(self.layers[layer].index.geometries[which])
        )
        return made

    def is_coverage(self, layer: str, which: Integers) -> bool:
        """Return whether the features are a valid coverage: they share all vertices of common borders and do not overlap."""
        answer: bool = self.remember(
            ("is_coverage", layer, which.tobytes()),
            lambda: bool(shapely.coverage_is_valid(self.layers[layer].index.geometries[which])),
        )
        return answer

    def union(self, layer: str, which: Integers) -> shapely.Geometry:
        """Union of features of a layer."""

        def unite() -> shapely.Geometry:
            geometries = self.layers[layer].index.geometries[which]
            if len(geometries) > 1 and self.is_coverage(layer, which):
                return shapely.coverage_union_all(geometries)
            return shapely.union_all(geometries)

        united: shapely.Geometry = self.remember(("union", layer, which.tobytes()), unite)
        return united

    def area_m2(self, layer: str, where: Mapping[str, list[str]]) -> float:
        """Area (m²) on the ellipsoid of the union of the matching features."""
        return float(shapely.area(self.union(layer, self.areal_features(layer, where))))

    def remember(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return the cached result for `key`, or call `make` and cache it."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def width_for(self, rule: LayerRule) -> float:
        """Mean width (m) below which a patch may be a boundary error, of the rule or else of the book."""
        return self.sliver_width_m if rule.sliver_width_m is None else rule.sliver_width_m


def clear_row(layer: str, other_layer: str = "", **more: Any) -> LayerFinding:
    """Return a 不涉及 row: the rule holds."""
    return LayerFinding(layer, State.CLEAR, other_layer=other_layer, **more)


def not_checked_reason(context: AuditContext, layer: str, where: Mapping[str, list[str]], *fields: str) -> Reason:
    """Return why a layer cannot be checked; `Reason.NONE` if it can."""
    here = context.layers.get(layer)
    if here is None:
        return Reason.LAYER_MISSING
    if not len(here.frame):
        return Reason.LAYER_EMPTY
    wanted = [*where, *(name for name in fields if name)]
    return Reason.FIELD_MISSING if set(wanted) - set(here.frame.columns) else Reason.NONE


def unchecked_row(layer: str, reason: Reason, other_layer: str = "") -> LayerFinding:
    """Return a 未核查 row."""
    return LayerFinding(layer, State.NOT_CHECKED, reason, other_layer=other_layer)


def missing_input_rows(
    context: AuditContext, rule: LayerRule, layer: str, other: str, *fields: str
) -> list[LayerFinding]:
    """Return the 未核查 row of a rule if one of its two layers cannot be used; empty if both can."""
    for name, where, wanted in ((layer, rule.where, fields), (other, rule.other_where, fields)):
        reason = not_checked_reason(context, name, where, *wanted)
        if reason is not Reason.NONE:
            return [unchecked_row(layer, reason, other)]
    return []


def patch_rows(
    parts: Geometries,
    owner: Integers,
    widest: np.ndarray,
    tolerance: float,
    describe: Callable[[int, float, float], dict[str, Any]],
) -> list[LayerFinding]:
    """Return a row for each patch of each part. A patch that is narrow, beside a wider feature, is 疑似边界误差.

    Parameters
    ----------
    parts : array of shapely geometries
        The parts found; `owner` and `widest` have one element for each.
    owner : array of int
        What the part belongs to; passed to `describe`.
    widest : array of float
        Mean width (m) of the feature: a patch as narrow as the feature itself is no error.
    tolerance : float
        Mean width (m) below which a patch may be an error.
    describe : callable
        Called with ``(owner, area_m2, width_m)``; returns the attributes of the row except geometry, sizes and state.
    """
    found, of = patches(parts, RESOLUTION_M)
    area, width = shapely.area(found), mean_width(found)
    narrow = width < np.minimum(tolerance, 0.5 * widest[of])
    order = np.argsort(-area, kind="stable")
    columns = (
        found[order],
        owner[of[order]].tolist(),
        area[order].tolist(),
        width[order].tolist(),
        narrow[order].tolist(),
    )
    return [
        LayerFinding(
            geometry=shape,
            area_m2=size,
            mean_width_m=wide,
            state=State.SLIVER if sliver else State.INVOLVED,
            **describe(whose, size, wide),
        )
        for shape, whose, size, wide, sliver in zip(*columns, strict=True)
    ]


def feature_name(layer: PlaneLayer, feature: int) -> str:
    """Return the name of a feature, or its id if it has none."""
    names, ids = layer.names_and_ids
    return str(names[feature] or ids[feature])


def overlap_sentence(mine: str, theirs: str, area: float, width: float) -> Message:
    """Return the sentence that says that two features overlap."""
    return Message(
        "{mine} and {theirs} overlap by {area:.2f} ㎡, {width:.2f} m wide on average",
        mine=mine,
        theirs=theirs,
        area=area,
        width=width,
    )
