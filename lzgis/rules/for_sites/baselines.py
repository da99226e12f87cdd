"""The baseline of a corridor: the line from which its distance is measured, the best that the data have for each object.

An object (a road, a river) may be in several layers: its delimited zone, the edge of its land, its water polygon, its
centreline. A lesser baseline is used only where no better one covers the object. To a centreline a half-width is added.
It is known from the data, or assumed by class; an assumed one makes the answer a band.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lzgis.geometry import FeatureIndex
from lzgis.model.catalogue import Baseline
from lzgis.rules.for_sites.hits import Floats, Geometries, Integers, full
from lzgis.rules.for_sites.plane import PlaneLayer

#: Baselines inside the legal one: a half-width is added to reach it.
INNER = (Baseline.CENTRELINE, Baseline.ROADBED_EDGE)
#: The field of a layer of centrelines that holds the measured half-width of the road land or water, m.
HALF_WIDTH_FIELD = "half_width_m"


@dataclass(frozen=True, eq=False)
class BaselineFeatures:
    """Features to measure from; arrays of equal length.

    Attributes
    ----------
    layer, feature : array
        Id of the layer, and the position of the feature in it.
    key : array of str
        The object that the feature is part of.
    known_m, assumed_m : array of float
        Half-width to add to the geometry to reach the legal baseline: known from the data, or assumed; 0 if none.
    is_zone : array of bool
        Whether the geometry is the delimited zone itself, which has its own distance.
    """

    geometry: Geometries
    layer: np.ndarray
    feature: Integers
    key: np.ndarray
    baseline: np.ndarray
    known_m: Floats
    assumed_m: Floats
    is_zone: np.ndarray

    @cached_property
    def index(self) -> FeatureIndex:
        """The geometries, indexed."""
        return FeatureIndex(self.geometry)

    def places(self, layer: np.ndarray, feature: Integers) -> Integers:
        """Return the positions here of features given by layer and position in it."""
        found = np.zeros(len(feature), dtype=np.intp)
        for name in pd.unique(self.layer):
            mine, theirs = np.flatnonzero(self.layer == name), np.flatnonzero(layer == name)
            order = mine[np.argsort(self.feature[mine], kind="stable")]
            found[theirs] = order[np.searchsorted(self.feature[order], feature[theirs])]
        return found


def baseline_features(
    layers: list[PlaneLayer],
    primary: PlaneLayer | None,
    where: Mapping[str, list[str]],
    *,
    assumed_half_width_m: Mapping[str, float],
    assumed_by: str,
) -> BaselineFeatures:
    """Return the features of `layers`, best baseline first, each without the part that a better baseline covers.

    A layer with the fields of `where` is filtered by them. A layer without these fields is filtered to the objects that
    match in the `primary` layer.
    """
    wanted = None if primary is None or primary.missing_fields(where) else set(primary.objects[primary.matching(where)])
    parts: list[BaselineFeatures] = []
    for layer in layers:
        if not layer.missing_fields(where):
            which = layer.matching(where)
        elif wanted is not None:
            which = np.flatnonzero(pd.Index(layer.objects).isin(wanted))
        else:
            continue
        parts.append(_of_layer(layer, which, assumed_half_width_m, assumed_by))
    return _without_covered(parts)


def _of_layer(
    layer: PlaneLayer, which: Integers, assumed_half_width_m: Mapping[str, float], assumed_by: str
) -> BaselineFeatures:
    n = len(which)
    frame = layer.frame.iloc[which]
    known, assumed = np.zeros(n), np.zeros(n)
    baseline = np.full(n, layer.spec.baseline, dtype=object)
    if layer.spec.baseline in INNER:
        if HALF_WIDTH_FIELD in frame.columns:
            known = np.nan_to_num(pd.to_numeric(frame[HALF_WIDTH_FIELD], errors="coerce").to_numpy(dtype=float))
        default = assumed_half_width_m.get("*", 0.0)
        if layer.spec.baseline == Baseline.ROADBED_EDGE:
            assumed = np.full(n, assumed_half_width_m.get("roadbed-edge", default))
        elif assumed_by in frame.columns:
            assumed = frame[assumed_by].map(assumed_half_width_m).fillna(default).to_numpy(dtype=float)
        else:
            assumed = np.full(n, default)
        assumed = np.where(known > 0, 0.0, assumed)
        baseline[known > 0] = Baseline.CENTRELINE_WITH_HALF_WIDTH
    return BaselineFeatures(
        geometry=layer.index.geometries[which],
        layer=full(n, layer.id),
        feature=which,
        key=layer.objects[which],
        baseline=baseline,
        known_m=known,
        assumed_m=assumed,
        is_zone=np.full(n, layer.spec.baseline == Baseline.DELIMITED_ZONE),
    )


def _without_covered(parts: list[BaselineFeatures]) -> BaselineFeatures:
    remaining: list[BaselineFeatures] = []
    better: dict[str, list[shapely.Geometry]] = {}
    for part in parts:
        geometry = part.geometry.copy()
        for i, key in enumerate(part.key):
            if key in better:
                geometry[i] = shapely.difference(geometry[i], shapely.union_all(better[key]))
        left = np.flatnonzero(~shapely.is_empty(geometry))
        for i in range(len(part.key)):
            if shapely.get_dimensions(part.geometry[i]) == 2:
                better.setdefault(part.key[i], []).append(part.geometry[i])
        remaining.append(
            BaselineFeatures(
                geometry[left],
                *(getattr(part, name)[left] for name in _OTHERS),
            )
        )
    columns: list[Any] = [
        np.concatenate([getattr(part, name) for part in remaining]) if remaining else np.zeros(0)
        for name in ("geometry", *_OTHERS)
    ]
    return BaselineFeatures(*columns)


_OTHERS = ("layer", "feature", "key", "baseline", "known_m", "assumed_m", "is_zone")
