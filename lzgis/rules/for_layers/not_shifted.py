"""``not_shifted``: no layer that follows the city's outline is shifted as GCJ-02 or BD-09 would shift it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import shapely
from pydantic import Field

from lzgis.coordinates.candidates import compass
from lzgis.coordinates.shifted_maps import THERE, TITLES, Shift
from lzgis.messages import Message
from lzgis.model.report import Reason, State
from lzgis.model.rules import EVERY_LAYER, OUTLINE, LayerRule, Severity
from lzgis.rules.for_layers.base import AuditContext, LayerFinding, clear_row, not_checked_reason, unchecked_row
from lzgis.rules.for_sites.hits import Floats

#: Points of the outline that are compared.
_POINTS = 2000


class NotShifted(LayerRule):
    """``not_shifted``: compare the layer, or every one (``"*"``), with the outline as it is and as each shift moves it.

    A border within `near_m` of a point of the outline follows it there. Layers that follow the outline at a share of
    less than `follows` of its points, shifted or not, cannot be compared.
    """

    kind: Literal["not_shifted"]
    layer: str = EVERY_LAYER
    other: str = OUTLINE
    near_m: float = Field(default=5.0, gt=0)
    follows: float = Field(default=0.1, gt=0, le=1)


def check_not_shifted(rule: LayerRule, context: AuditContext) -> list[LayerFinding]:
    """Return a row per layer that follows the outline, shifted or not, and one that names the layers that do not."""
    assert isinstance(rule, NotShifted)
    other = context.layer_id(rule.other)
    reason = not_checked_reason(context, other, rule.other_where)
    if reason is not Reason.NONE:
        return [unchecked_row(other, reason)]
    here, moved = _points(context, other)
    rows, undetermined = [], []
    for layer in context.layers_of(rule):
        which = context.areal_features(layer, {})
        if not len(which):
            continue
        tree = context.borders(layer, which).index.tree
        as_is = _share_near(tree, here, rule.near_m)
        shares = {shift: _share_near(tree, points, rule.near_m) for shift, points in moved.items()}
        likeliest = max(shares, key=lambda shift: shares[shift])
        if max(as_is, shares[likeliest]) < rule.follows:
            undetermined.append(context.layers[layer].spec.title)
        elif shares[likeliest] > 3 * as_is:
            shares_of_points = (as_is, shares[likeliest])
            rows.append(_row(context, (layer, other), shares_of_points, likeliest, moved[likeliest] - here))
        else:
            rows.append(clear_row(layer, other, measured=as_is))
    if undetermined:
        what = Message(
            "cannot be determined, as they do not follow the outline: {titles}", titles="、".join(undetermined)
        )
        rows.append(LayerFinding(other, State.NOT_CHECKED, Reason.NONE, Severity.NOTICE, what=what))
    return rows or [clear_row(other)]


def _row(
    context: AuditContext, pair: tuple[str, str], shares: tuple[float, float], likeliest: Shift, moved: Floats
) -> LayerFinding:
    layer, other = pair
    shift = np.hypot(*moved.T).mean()
    east, north = moved.mean(axis=0)
    what = Message(
        "{layer} looks shifted by {shift:.0f} m to the {direction}, as {title} would be: it follows the outline at "
        "{as_is:.0%} of its points, and at {shifted:.0%} if the outline is shifted alike",
        layer=context.layers[layer].spec.title,
        shift=shift,
        direction=compass(float(np.degrees(np.arctan2(east, north)))),
        title=TITLES[likeliest],
        as_is=shares[0],
        shifted=shares[1],
    )
    return LayerFinding(layer, other_layer=other, length_m=float(shift), measured=shares[1], what=what)


def _points(context: AuditContext, outline: str) -> tuple[Floats, dict[Shift, Floats]]:
    """Return points along the outline in the plane, as they are and as each shift moves them."""
    rings = shapely.get_parts(shapely.boundary(context.union(outline, context.areal_features(outline, {}))))
    share = shapely.length(rings) / shapely.length(rings).sum()
    steps = [_along(ring, max(8, int(_POINTS * part))) for ring, part in zip(rings, share, strict=True)]
    here = shapely.points(np.concatenate(steps))
    lon, lat = shapely.get_coordinates(context.plane.unproject(here)).T
    moved = {shift: context.plane.project(shapely.points(*to(lon, lat))) for shift, to in THERE.items()}
    return shapely.get_coordinates(here), {shift: shapely.get_coordinates(points) for shift, points in moved.items()}


def _along(ring: shapely.LineString, count: int) -> Floats:
    """Return points at even steps along a ring. Interpolating all at once avoids a walk from the first vertex for each."""
    vertices = shapely.get_coordinates(ring)
    run = np.r_[0.0, np.hypot(*np.diff(vertices, axis=0).T).cumsum()]
    at = np.linspace(0, run[-1], count, endpoint=False)
    return np.column_stack([np.interp(at, run, vertices[:, axis]) for axis in (0, 1)])


def _share_near(tree: shapely.STRtree, points: Floats, near: float) -> float:
    found = tree.query(shapely.points(points), predicate="dwithin", distance=near)[0]
    return len(np.unique(found)) / len(points)
