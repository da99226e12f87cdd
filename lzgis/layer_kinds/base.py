"""What every kind of rule for layers is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from lzgis.geometry import mean_width
from lzgis.geometry.layer_pieces import Pieces, border_chains, cut_to_pieces, patches
from lzgis.kinds.base import RESOLUTION_M, Geometries, Integers, PlaneLayer
from lzgis.measure import Plane
from lzgis.messages import Message
from lzgis.model import Reason, State
from lzgis.rule import EVERY_LAYER, OUTLINE, LayerRule, Severity


@dataclass(frozen=True, eq=False)
class Found:
    """One answer of a rule; what is not given is taken of the rule, or empty. `geometry` is in the plane."""

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
class Ground:
    """What all rules of an audit share: the layers in the plane of the city, and work done once.

    `earlier` are the same layers as they were before, where two versions are compared.
    """

    layers: Mapping[str, PlaneLayer]
    outline: str
    plane: Plane
    adcode: str = ""
    sliver_width_m: float = 1.0
    threads: int = 2
    earlier: Mapping[str, PlaneLayer] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict)

    def name(self, layer: str) -> str:
        """Return the id of a layer that a rule may call the outline."""
        return self.outline if layer == OUTLINE else layer

    def of(self, rule: LayerRule, *, leaving_out: Iterable[str] = ()) -> list[str]:
        """Name the layers that a rule holds: its own, or every one that it does not compare with or leave out."""
        if rule.layer != EVERY_LAYER:
            return [self.name(rule.layer)]
        out = {self.name(rule.other), *leaving_out}
        return [name for name in self.layers if name not in out]

    def chosen(self, layer: str, where: Mapping[str, list[str]]) -> Integers:
        """Positions of the features of a layer that match, those without an area left out."""
        here = self.layers[layer]
        which = here.matching(where)
        return which[shapely.area(here.index.geometries[which]) > 0]

    def pieces(self, layer: str, which: Integers) -> Pieces:
        """Features of a layer in pieces."""
        made: Pieces = self.remember(
            ("pieces", layer, which.tobytes()), lambda: cut_to_pieces(self.layers[layer].index.geometries[which])
        )
        return made

    def borders(self, layer: str, which: Integers) -> Pieces:
        """Borders of features of a layer in short lines."""
        made: Pieces = self.remember(
            ("borders", layer, which.tobytes()), lambda: border_chains(self.layers[layer].index.geometries[which])
        )
        return made

    def fits(self, layer: str, which: Integers) -> bool:
        """Whether the features share every vertex of their common borders, and so cannot overlap."""
        answer: bool = self.remember(
            ("fits", layer, which.tobytes()),
            lambda: bool(shapely.coverage_is_valid(self.layers[layer].index.geometries[which])),
        )
        return answer

    def union(self, layer: str, which: Integers) -> shapely.Geometry:
        """Unite features of a layer, each place counted once."""

        def unite() -> shapely.Geometry:
            geometries = self.layers[layer].index.geometries[which]
            if len(geometries) > 1 and self.fits(layer, which):
                return shapely.coverage_union_all(geometries)
            return shapely.union_all(geometries)

        united: shapely.Geometry = self.remember(("union", layer, which.tobytes()), unite)
        return united

    def area_m2(self, layer: str, where: Mapping[str, list[str]]) -> float:
        """Area on the ellipsoid of the matching features, each place counted once."""
        return float(shapely.area(self.union(layer, self.chosen(layer, where))))

    def remember(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what was made for `key` before, or make it."""
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    def width_for(self, rule: LayerRule) -> float:
        """Width below which a patch may be a boundary error."""
        return self.sliver_width_m if rule.sliver_width_m is None else rule.sliver_width_m


def clear(layer: str, other_layer: str = "", **more: Any) -> Found:
    """Say that a rule holds."""
    return Found(layer, State.CLEAR, other_layer=other_layer, **more)


def unanswerable(ground: Ground, layer: str, where: Mapping[str, list[str]], *fields: str) -> Reason:
    """Say why a layer cannot be looked at; `Reason.NONE` if it can."""
    here = ground.layers.get(layer)
    if here is None:
        return Reason.LAYER_MISSING
    if not len(here.frame):
        return Reason.LAYER_EMPTY
    wanted = [*where, *(name for name in fields if name)]
    return Reason.FIELD_MISSING if set(wanted) - set(here.frame.columns) else Reason.NONE


def unchecked(layer: str, reason: Reason, other_layer: str = "") -> Found:
    """Say that a rule could not be looked at."""
    return Found(layer, State.NOT_CHECKED, reason, other_layer=other_layer)


def both(ground: Ground, rule: LayerRule, layer: str, other: str, *fields: str) -> list[Found]:
    """Give the 未核查 row of a rule whose layers are not both at hand; empty if they are."""
    for name, where, wanted in ((layer, rule.where, fields), (other, rule.other_where, fields)):
        reason = unanswerable(ground, name, where, *wanted)
        if reason is not Reason.NONE:
            return [unchecked(layer, reason, other)]
    return []


def patch_rows(
    parts: Geometries, owner: Integers, widest: np.ndarray, tolerance: float, say: Callable[[int, float, float], Found]
) -> list[Found]:
    """Give a row per patch of each part; a narrow one of a wider feature is 疑似边界误差.

    Parameters
    ----------
    parts : array of shapely geometries
        What was found, one for each element of `owner` and `widest`.
    owner : array of int
        What `say` is told it belongs to.
    widest : array of float
        Mean width of the feature: a patch as narrow as the feature itself is no error.
    tolerance : float
        Width below which a patch may be an error.
    say : callable
        ``(owner, area, width)`` to the row, to which geometry, sizes and state are added.
    """
    found, of = patches(parts, RESOLUTION_M)
    area, width = shapely.area(found), mean_width(found)
    narrow = width < np.minimum(tolerance, 0.5 * widest[of])
    rows = []
    for i in np.argsort(-area, kind="stable"):
        row = say(int(owner[of[i]]), float(area[i]), float(width[i]))
        state = State.SLIVER if narrow[i] else row.state
        rows.append(_with(row, state=state, geometry=found[i], area_m2=float(area[i]), mean_width_m=float(width[i])))
    return rows


def _with(row: Found, **columns: Any) -> Found:
    return Found(**(vars(row) | columns))


def named(layer: PlaneLayer, feature: int) -> str:
    """Name a feature in a sentence: by its name, or its id."""
    names, ids = layer.called
    return str(names[feature] or ids[feature])


def overlap_sentence(mine: str, theirs: str, area: float, width: float) -> Message:
    """Say that two features overlap."""
    return Message(
        "{mine} and {theirs} overlap by {area:.2f} ㎡, {width:.2f} m wide on average",
        mine=mine,
        theirs=theirs,
        area=area,
        width=width,
    )
