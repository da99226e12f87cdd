"""How what was found is spread over townships and villages: parts that sum exactly to the whole as it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.geometry import FeatureIndex, overlaps
from lzgis.measure import Plane
from lzgis.model import BREAKDOWN_COLUMNS, Layer, State

Floats = npt.NDArray[np.float64]

#: Decimals to which square metres, hectares, mu and metres are printed, and so adjusted.
_PLACES = {"area_m2": 2, "area_ha": 4, "area_mu": 4, "length_m": 3}
_MU_PER_M2 = 15 / 10_000
#: A remainder smaller than this (m² or m) comes from computing; a larger one lies in no division, or in two.
_REMAINDER = 0.01


def breakdown(
    findings: gpd.GeoDataFrame, layers: Mapping[str, Layer], divisions: Iterable[str], plane: Plane
) -> pd.DataFrame:
    """Spread every overlap over the divisions of each level; columns as in `lzgis.model.BREAKDOWN_COLUMNS`.

    Cutting adds vertices and printing rounds, so the parts are adjusted, each by less than one unit of the last
    digit, until they sum to the whole; ``adjustment`` says by how much. What lies in no division is a part without
    a name; where divisions overlap, that part is negative.
    """
    shapes = findings.geometry.to_numpy()
    caught = findings["state"].isin([State.INVOLVED, State.SLIVER]) & (findings["kind"] != "identify")
    # Missing shapes have dimension -1, points 0: neither has parts.
    lasting = (shapely.get_dimensions(shapes) > 0) & ~shapely.is_empty(shapes)
    which = np.flatnonzero(caught.to_numpy() & lasting)
    parts = plane.project(shapes[which])
    rows: list[dict[str, Any]] = []
    for level in divisions:
        if level not in layers or not len(layers[level].frame):
            continue
        frame = layers[level].frame
        found = overlaps(parts, FeatureIndex(plane.project(frame.geometry.to_numpy())))
        ends = np.searchsorted(found.left, np.arange(len(which) + 1))
        for here, row in enumerate(which):
            mine = slice(ends[here], ends[here + 1])
            areal = shapely.get_dimensions(parts[here]) == 2
            measured = (found.area if areal else found.length)[mine]
            whole = float(findings["area_m2" if areal else "length_m"].iloc[row])
            # A band's shape may be that of the possible part, which is not what the certain area measures.
            if not np.isfinite(whole) or abs(whole - _size(parts[here])) > max(_REMAINDER, 1e-6 * whole):
                continue
            names = [(frame["id"].iloc[i], frame["name"].iloc[i]) for i in found.right[mine]]
            rest = whole - float(measured.sum())
            if abs(rest) > _REMAINDER:
                names, measured = [*names, ("", "")], np.r_[measured, rest]
            rows += _rows(measured, names, whole, {"finding": int(row), "level": level, "areal": areal})
    table = pd.DataFrame(rows, columns=[c.name for c in BREAKDOWN_COLUMNS])
    place = table["finding"].to_numpy(dtype=int)
    for name in ("site_id", "rule", "feature_id"):
        table[name] = findings[name].to_numpy()[place]
    return table


def apportioned(parts: npt.ArrayLike, whole: float, places: int) -> Floats:
    """Round parts so that they sum to the rounded whole, none by more than one unit of the last digit.

    Examples
    --------
    >>> apportioned([33.333, 33.333, 33.334], 100.0, 2)
    array([33.33, 33.33, 33.34])
    """
    unit = 10**places
    exact = np.asarray(parts, dtype=float) * unit
    lower = np.floor(exact)
    # Those whose lost fraction is largest are rounded up; equal ones in their order.
    order = np.argsort(lower - exact, kind="stable")
    lack = round(round(whole, places) * unit) - int(lower.sum())
    lower[order] += lack // len(order) + (np.arange(len(order)) < lack % len(order))
    return np.asarray([round(value / unit, places) for value in lower], dtype=float)


def _size(shape: Any) -> float:
    return float(shapely.area(shape) if shapely.get_dimensions(shape) == 2 else shapely.length(shape))


def _rows(
    measured: Floats, names: list[tuple[Any, Any]], whole: float, facts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    nothing = np.full(len(measured), np.nan)
    sizes = dict.fromkeys(_PLACES, nothing)
    if facts["areal"]:
        sizes["area_m2"] = apportioned(measured, whole, _PLACES["area_m2"])
        sizes["area_ha"] = apportioned(measured / 10_000, whole / 10_000, _PLACES["area_ha"])
        sizes["area_mu"] = apportioned(measured * _MU_PER_M2, whole * _MU_PER_M2, _PLACES["area_mu"])
    else:
        sizes["length_m"] = apportioned(measured, whole, _PLACES["length_m"])
    printed = sizes["area_m2" if facts["areal"] else "length_m"]
    return [
        {"finding": facts["finding"], "level": facts["level"], "division_id": one, "division_name": name}
        | {key: float(values[i]) for key, values in sizes.items()}
        | {"share": float(measured[i] / whole), "adjustment": float(printed[i] - measured[i])}
        for i, (one, name) in enumerate(names)
    ]
