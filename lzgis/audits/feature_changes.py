"""Compare two versions of a layer feature by feature: added, removed, moved, or with other fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lzgis.geometry import buffered, part_of_dimension
from lzgis.geometry.layer_pieces import cut_to_pieces, patches, uncovered_parts
from lzgis.model.report import RESOLUTION_M, SEPARATOR
from lzgis.rules.for_sites.hits import Geometries, Integers
from lzgis.rules.for_sites.plane import PlaneLayer

_SAME_M = 1e-6


@dataclass(frozen=True, eq=False)
class Pairing:
    """The features that two versions of a layer have in common, and those that only one has.

    Attributes
    ----------
    before, after : PlaneLayer
        The two versions.
    old, new : array of int
        Positions of the paired features in the older and in the newer version.
    renamed : array of bool
        Whether a pair has equal shapes but different ids.
    shape : array of bool
        Whether the shapes of a pair differ.
    fields : list of str
        The fields that differ, for each pair; empty if none does.
    removed, added : array of int
        Positions of the features that only the older, or only the newer, version has.
    """

    before: PlaneLayer
    after: PlaneLayer
    old: Integers
    new: Integers
    renamed: np.ndarray
    shape: np.ndarray
    fields: list[str]
    removed: Integers
    added: Integers

    @cached_property
    def changed_old(self) -> Integers:
        """Positions, in the older version, of the features that were changed or removed."""
        return np.union1d(self.removed, self.old[self._differs])

    @cached_property
    def changed_new(self) -> Integers:
        """Positions, in the newer version, of the features that were changed or added."""
        return np.union1d(self.added, self.new[self._differs])

    @property
    def _differs(self) -> np.ndarray:
        return np.asarray(self.shape | self.renamed | np.array([text != "" for text in self.fields], dtype=bool))

    @property
    def reordered(self) -> bool:
        """Whether the paired features are in a different order in the two versions."""
        return bool((np.diff(self.new[np.argsort(self.old)]) < 0).any())


def pair_features(before: PlaneLayer, after: PlaneLayer) -> Pairing:
    """Pair the features of two versions by id, and features whose ids differ by equal shape."""
    old_ids, new_ids = before.frame["id"].to_numpy(), after.frame["id"].to_numpy()
    new_at = pd.Index(new_ids).get_indexer(old_ids)
    old = np.flatnonzero(new_at >= 0)
    new = new_at[old]
    only_old, only_new = np.flatnonzero(new_at < 0), np.setdiff1d(np.arange(len(new_ids)), new)
    again = _same_shapes(before.index.geometries[only_old], after.index.geometries[only_new])
    renamed = np.r_[np.zeros(len(old), dtype=bool), np.ones(len(again), dtype=bool)]
    old, new = np.r_[old, only_old[again[:, 0]]], np.r_[new, only_new[again[:, 1]]]
    # In the order of the older version, whether paired by id or by shape.
    order = np.argsort(old, kind="stable")
    old, new, renamed = old[order], new[order], renamed[order]
    shape = ~_equal(before.index.geometries[old], after.index.geometries[new])
    fields = _fields(before.frame.iloc[old], after.frame.iloc[new])
    removed, added = np.setdiff1d(only_old, old), np.setdiff1d(only_new, new)
    return Pairing(before, after, old, new, renamed, shape, fields, removed, added)


def _equal(a: Geometries, b: Geometries) -> np.ndarray:
    """Return whether shapes are equal vertex by vertex; rings may start at different vertices."""
    same = shapely.equals_exact(a, b, _SAME_M)
    rest = np.flatnonzero(~same)
    if len(rest):
        same[rest] = shapely.equals_exact(shapely.normalize(a[rest]), shapely.normalize(b[rest]), _SAME_M)
    return np.asarray(same, dtype=bool)


def _same_shapes(old: Geometries, new: Geometries) -> np.ndarray:
    """Pair equal shapes: each old one with the first equal new one that is not paired yet."""
    if not len(old) or not len(new):
        return np.zeros((0, 2), dtype=np.intp)
    left, right = shapely.STRtree(new).query(old)
    equal = _equal(old[left], new[right])
    pairs: dict[int, int] = {}
    for a, b in sorted(zip(left[equal].tolist(), right[equal].tolist(), strict=True)):
        if a not in pairs and b not in pairs.values():
            pairs[a] = b
    return np.array(list(pairs.items()), dtype=np.intp).reshape(-1, 2)


def _fields(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> list[str]:
    names = [str(n) for n in dict.fromkeys([*old.columns, *new.columns]) if n not in ("id", "geometry")]
    differences: list[list[str]] = [[] for _ in range(len(old))]
    for name in names:
        before, after = (_texts(frame, name) for frame in (old, new))
        for i in np.flatnonzero(before != after):
            differences[i].append(f"{name}: {before[i]} → {after[i]}")
    return [SEPARATOR.join(parts) for parts in differences]


def _texts(frame: gpd.GeoDataFrame, name: str) -> np.ndarray:
    values = frame[name].tolist() if name in frame.columns else [None] * len(frame)
    texts = np.empty(len(values), dtype=object)
    texts[:] = ["" if pd.isna(v) else str(v) for v in values]
    return texts


def gained_and_lost(before: Geometries, after: Geometries) -> tuple[Geometries, Geometries]:
    """Return the area that each polygon gained and the area that it lost; strips narrower than 1 mm count as neither."""
    return _beyond(after, before), _beyond(before, after)


def _beyond(these: Geometries, those: Geometries) -> Geometries:
    """Return the part of each geometry that lies outside its counterpart."""
    dimension = shapely.get_dimensions(these)
    # Lines that run within the resolution of each other are the same line.
    lines = dimension == 1
    those = those.copy()
    those[lines] = buffered(those[lines], RESOLUTION_M)
    more = part_of_dimension(shapely.difference(these, those), dimension)
    areal = np.flatnonzero((dimension == 2) & ~shapely.is_empty(more))
    found, owner = patches(more[areal], RESOLUTION_M)
    for n, i in enumerate(areal):
        kept = found[owner == n]
        more[i] = shapely.union_all(kept) if len(kept) else shapely.Polygon()
    return more


def layer_gained_and_lost(before: PlaneLayer | None, after: PlaneLayer | None) -> tuple[Geometries, Geometries]:
    """Return the patches that only the newer version of a layer covers, and those that only the older one covers."""
    return _patches(after, before), _patches(before, after)


def _patches(layer: PlaneLayer | None, less: PlaneLayer | None) -> Geometries:
    mine, theirs = _polygons(layer), _polygons(less)
    if not len(mine):
        return mine
    if len(theirs):
        cut = cut_to_pieces(theirs)
        # Overlapping features would yield the same patch twice, so their remaining parts are united.
        mine = uncovered_parts(cut_to_pieces(mine), cut.index, threads=2)
    rest = shapely.union_all(mine[~shapely.is_empty(mine)])
    found, _ = patches(np.array([rest], dtype=object), RESOLUTION_M)
    return found[np.argsort(-shapely.area(found), kind="stable")]


def _polygons(layer: PlaneLayer | None) -> Geometries:
    if layer is None:
        return np.empty(0, dtype=object)
    geometries = layer.index.geometries
    return np.asarray(geometries[shapely.get_dimensions(geometries) == 2], dtype=object)


def change_rows(layer: str, pairing: Pairing) -> list[dict[str, Any]]:
    """Make the rows of `CHANGE_COLUMNS` for one layer; ``geometry`` is the newer shape, ``where`` the differing part."""
    before, after = pairing.before.index.geometries, pairing.after.index.geometries
    gained, lost = gained_and_lost(before[pairing.old], after[pairing.new])
    rows = []
    for i, (old, new) in enumerate(zip(pairing.old, pairing.new, strict=True)):
        moved = bool(pairing.shape[i]) and not _only_redrawn(before[old], after[new], gained[i], lost[i])
        if not moved and not pairing.renamed[i] and not pairing.fields[i]:
            continue
        change = "moved" if moved else "renamed" if pairing.renamed[i] else "changed"
        row: dict[str, Any] = {"layer": layer, "change": change, "fields": pairing.fields[i]}
        row |= _names(pairing.after, new)
        row["former_id"] = str(pairing.before.frame["id"].iloc[old]) if pairing.renamed[i] else ""
        row |= _sizes(before[old], after[new], (gained[i], lost[i]))
        differs = gained[i] if not shapely.is_empty(gained[i]) else lost[i]
        rows.append(row | {"geometry": after[new], "where": after[new] if shapely.is_empty(differs) else differs})
    for change, version, which in (
        ("removed", pairing.before, pairing.removed),
        ("added", pairing.after, pairing.added),
    ):
        for i in which:
            shape = version.index.geometries[i]
            nothing = shapely.Polygon()
            gone = change == "removed"
            sizes = _sizes(shape, None, (nothing, shape)) if gone else _sizes(None, shape, (shape, nothing))
            named = {"layer": layer, "change": change, "fields": "", "former_id": "", **_names(version, int(i))}
            rows.append(named | sizes | {"geometry": shape, "where": shape})
    return rows


def _only_redrawn(a: shapely.Geometry, b: shapely.Geometry, gained: shapely.Geometry, lost: shapely.Geometry) -> bool:
    """Return whether two shapes cover the same area and differ in their vertices only."""
    same_dimension = shapely.get_dimensions(a) == shapely.get_dimensions(b)
    return bool(same_dimension and shapely.is_empty(gained) and shapely.is_empty(lost))


def _names(layer: PlaneLayer, feature: int) -> dict[str, str]:
    row = layer.frame.iloc[feature]
    return {"feature_id": str(row["id"]), "feature_name": str(row["name"])}


def _sizes(
    old: shapely.Geometry | None, new: shapely.Geometry | None, parts: tuple[shapely.Geometry, shapely.Geometry]
) -> dict[str, float]:
    dimension = max(int(shapely.get_dimensions(g)) for g in (old, new) if g is not None)
    sizes = dict.fromkeys(
        ("before_m2", "after_m2", "gained_m2", "lost_m2", "gained_m", "lost_m", "moved_m"), float("nan")
    )
    if dimension == 2:
        areas = [0.0 if g is None else float(shapely.area(g)) for g in (old, new, *parts)]
        sizes |= dict(zip(("before_m2", "after_m2", "gained_m2", "lost_m2"), areas, strict=True))
    elif dimension == 1:
        sizes |= {"gained_m": float(shapely.length(parts[0])), "lost_m": float(shapely.length(parts[1]))}
    elif old is not None and new is not None:
        sizes["moved_m"] = float(shapely.distance(old, new))
    return sizes
