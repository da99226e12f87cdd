"""Whether the outline of a city, or a layer, was drawn on a shifted map: what lies outside the outline, as is and shifted back.

Outlines often come from web maps in GCJ-02. Their vertices are not those of the layers, so that no vertices coincide; but
the layers stick out on one side, and fit when the shift is removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.coordinates.candidates import compass
from lzgis.coordinates.plane import ELLIPSOID
from lzgis.coordinates.shifted_maps import BACK, TITLES, Shift, shifted_back, vertices
from lzgis.messages import Message
from lzgis.model.report import Layer, Problem

#: Areas outside the outline below this (m²) say nothing.
_LEAST_M2 = 10_000.0
#: A shift is suspected if removing it leaves less than this share of the area outside.
_SHARE = 0.5


class _Outside(NamedTuple):
    """Areas of a layer outside the outline (m²): as they are, with the outline shifted back, with the layer shifted back."""

    as_is: float
    outline_back: dict[Shift, float]
    layer_back: dict[Shift, float]


def outline_problems(city: Catalogue, layers: Mapping[str, Layer]) -> list[Problem]:
    """Report the outline, or layers, that fit each other once GCJ-02 or BD-09 is removed from one of them.

    Parameters
    ----------
    city : Catalogue
        The city.
    layers : mapping of str to Layer
        Its layers; those of polygons are compared with the outline.

    Returns
    -------
    list of Problem
        One remark on the outline, or one on each layer that is shifted. Empty if nothing suggests a shift.
    """
    outline = np.array([city.outline], dtype=object)
    border = city.plane.project(outline)[0]
    shapely.prepare(border)
    compared = {
        name: layer
        for name, layer in layers.items()
        if name != city.city.outline and city.layers[name].geometry == "polygon" and not city.layers[name].shifted
    }
    # Most layers lie in the outline; those need not be projected.
    if sum(_area_as_is(city, layer, border) for layer in compared.values()) < _LEAST_M2:
        return []
    back = {shift: city.plane.project(shifted_back(outline, shift))[0] for shift in BACK}
    for one in back.values():
        shapely.prepare(one)
    found = {name: _outside(city, layer, border, back) for name, layer in compared.items()}
    of_outline = None if city.layers[city.city.outline].shifted else _outline_problem(city, found)
    return [of_outline] if of_outline is not None else _layer_problems(city, layers, found)


def _area_as_is(city: Catalogue, layer: Layer, border: shapely.Geometry) -> float:
    """Return how much of a layer lies outside the outline, m²; features inside it in degrees are inside."""
    degrees = layer.frame.geometry.to_numpy()
    outline = city.outline
    shapely.prepare(outline)
    return _area_outside(city.plane.project(degrees[~shapely.contains_properly(outline, degrees)]), border)


def _outside(
    city: Catalogue, layer: Layer, border: shapely.Geometry, back: Mapping[Shift, shapely.Geometry]
) -> _Outside:
    degrees = layer.frame.geometry.to_numpy()
    here = city.plane.project(degrees)
    as_is = _area_outside(here, border)
    if as_is < _LEAST_M2:
        # The layer fits: only the outline may be shifted, and then it would not.
        return _Outside(
            as_is, {shift: _area_outside(here, one) for shift, one in back.items()}, dict.fromkeys(BACK, as_is)
        )
    return _Outside(
        as_is,
        {shift: _area_outside(here, one) for shift, one in back.items()},
        {shift: _area_outside(city.plane.project(shifted_back(degrees, shift)), border) for shift in BACK},
    )


def _area_outside(shapes: np.ndarray, border: shapely.Geometry) -> float:
    crossing = shapes[~shapely.contains_properly(border, shapes)]
    return float(shapely.area(shapely.difference(crossing, border)).sum())


def _outline_problem(city: Catalogue, found: Mapping[str, _Outside]) -> Problem | None:
    before = sum(one.as_is for one in found.values())
    after = {shift: sum(one.outline_back[shift] for one in found.values()) for shift in BACK}
    shift = min(after, key=after.__getitem__)
    layers_back = sum(min(one.layer_back.values()) for one in found.values())
    worse = [one for one in found.values() if one.outline_back[shift] > one.as_is + _LEAST_M2]
    if worse or after[shift] >= _SHARE * before or layers_back <= after[shift]:
        return None
    names = [city.layers[name].title for name, one in found.items() if one.as_is >= _LEAST_M2]
    return _problem(city, city.city.outline, shift, (before, after[shift]), "、".join(names))


def _layer_problems(city: Catalogue, layers: Mapping[str, Layer], found: Mapping[str, _Outside]) -> list[Problem]:
    problems = []
    for name, one in found.items():
        shift = min(one.layer_back, key=one.layer_back.__getitem__)
        if (
            one.as_is >= _LEAST_M2
            and one.layer_back[shift] < _SHARE * one.as_is
            and one.layer_back[shift] < one.outline_back[shift]
        ):
            problems.append(_problem(city, name, shift, (one.as_is, one.layer_back[shift]), layers[name].spec.title))
    return problems


def _problem(city: Catalogue, layer: str, shift: Shift, outside: tuple[float, float], names: str) -> Problem:
    spec = city.layers[layer]
    shapes = city.load(layer).layer.frame.geometry.to_numpy()
    points = vertices(shapes)
    points = points[:: max(1, len(points) // 1000)]
    moved = np.column_stack(BACK[shift](*points.T))
    azimuth, _, distance = ELLIPSOID.inv(*moved.T, *points.T)
    what = Message(
        "{title} looks shifted by {shift:.0f} m to the {direction}, as {map} would be: of {names}, {before:.2f} km² lie "
        "outside the outline as they are, {after:.2f} km² with the shift taken away",
        title=spec.title,
        shift=float(np.mean(distance)),
        direction=compass(float(np.median(azimuth))),
        map=TITLES[shift],
        names=names,
        before=outside[0] / 1e6,
        after=outside[1] / 1e6,
    )
    place = Message("layer '{layer_id}' ({source})", layer_id=layer, source=city.load(layer).source.name)
    return Problem("warning", place, what, Message('if it is, write from = "{name}" in its entry', name=shift))
