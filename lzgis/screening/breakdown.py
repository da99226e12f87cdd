"""Findings broken down by township and village: the parts sum exactly to the whole as it is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lzgis.geometry import common_parts, overlapping
from lzgis.model.report import BREAKDOWN_COLUMNS, HIT_STATES
from lzgis.rules.for_sites import INFORMING_KINDS
from lzgis.rules.for_sites.hits import Floats, Integers
from lzgis.rules.for_sites.plane import PlaneLayer, PlaneSites
from lzgis.screening.parts import PartKeys

#: Decimals to which square metres, hectares, mu and metres are printed, and to which the parts are rounded.
_PLACES = {"area_m2": 2, "area_ha": 4, "area_mu": 4, "length_m": 3}
_MU_PER_M2 = 15 / 10_000
#: A remainder below this (m² or m) is numerical noise; a larger one lies in no division, or in two.
_REMAINDER = 0.01
#: A part below this (m² or m) prints as 0 and is left out.
_NOTHING = 0.001


def breakdown(
    findings: pd.DataFrame,
    keys: PartKeys,
    sites: PlaneSites,
    measure: Callable[[PlaneSites, PartKeys], Floats],
    levels: Mapping[str, PlaneLayer],
) -> pd.DataFrame:
    """Break every overlap down by the divisions of each level; columns as in `lzgis.model.report.BREAKDOWN_COLUMNS`.

    Overlays add vertices and printing rounds. So each part is adjusted, by less than one unit of the last digit, so that
    the parts sum to the whole; ``adjustment`` says by how much. What lies in no division is a part without a name. It is
    negative where divisions overlap.

    Parameters
    ----------
    findings : DataFrame
        The findings.
    keys : PartKeys
        The positions of their rules, sites and features.
    sites : PlaneSites
        The sites.
    measure : callable
        Measures for pieces of sites the parts that findings are about, which are given by the positions of the pieces.
    levels : mapping of PlaneLayer
        The layers of divisions, one for each level, by id.
    """
    hit = findings["state"].isin(HIT_STATES) & ~findings["kind"].isin(INFORMING_KINDS)
    site = keys.rows.site
    areal = sites.dimension[site] == 2
    whole = np.where(areal, *(findings[name].to_numpy(dtype=float) for name in ("area_m2", "length_m")))
    which = np.flatnonzero(hit.to_numpy(dtype=bool) & (sites.dimension[site] > 0) & (whole >= _NOTHING))
    chosen = keys.take(which)
    found = [
        _level(chosen, (areal[which], whole[which]), sites, measure, (name, layer))
        for name, layer in levels.items()
        if len(layer.frame)
    ]
    columns = {
        name: np.concatenate([part[name] for part in found]) if found else np.zeros(0)
        for name in ("finding", "level", "division_id", "division_name", *_PLACES, "share", "adjustment")
    }
    table = pd.DataFrame(columns)
    place = which[columns["finding"].astype(np.intp)]
    table["finding"] = place
    for name in ("site_id", "rule", "feature_id"):
        table[name] = findings[name].to_numpy()[place]
    return table[[c.name for c in BREAKDOWN_COLUMNS]]


def _level(
    keys: PartKeys,
    sizes: tuple[npt.NDArray[np.bool_], Floats],
    sites: PlaneSites,
    measure: Callable[[PlaneSites, PartKeys], Floats],
    of: tuple[str, PlaneLayer],
) -> dict[str, Any]:
    """Break the overlaps down by the divisions of one level; ``finding`` is the position of the overlap."""
    (areal, whole), (level, layer) = sizes, of
    site = keys.rows.site
    inside = overlapping(sites.shapes, layer.index)
    times = np.bincount(inside.left, minlength=len(sites))
    # A site that lies wholly in one division: so does all of it that is hit.
    single = np.full(len(sites), -1)
    alone = inside.whole & (times[inside.left] == 1)
    single[inside.left[alone]] = inside.right[alone]
    simple = np.flatnonzero(single[site] >= 0)
    # The others are cut by the divisions, and each piece is measured.
    cut = np.flatnonzero(np.isin(inside.left, site[single[site] < 0]))
    pieces = common_parts(sites.shapes, layer.index, inside.take(cut))
    of_site, of_division = inside.left[cut], inside.right[cut]
    first, last = np.searchsorted(of_site, site, "left"), np.searchsorted(of_site, site, "right")
    count = np.where(single[site] < 0, last - first, 0)
    group = np.repeat(np.arange(len(site)), count)
    piece = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(len(group))
    rows = keys.take(group)
    common = measure(PlaneSites(pieces, sites.plane), PartKeys(rows.rule, rows.rows._replace(site=piece)))
    real = common >= _NOTHING
    group = np.concatenate([group[real], simple])
    division = np.concatenate([of_division[piece[real]], single[site[simple]]])
    measured = np.concatenate([common[real], whole[simple]])
    rest = whole - np.bincount(group, weights=measured, minlength=len(whole))
    left_over = np.flatnonzero(np.abs(rest) > _REMAINDER)
    group = np.concatenate([group, left_over])
    division = np.concatenate([division, np.full(len(left_over), -1)])
    measured = np.concatenate([measured, rest[left_over]])
    # Divisions in the order of the layer, the remainder last.
    order = np.lexsort((np.where(division < 0, len(layer.frame), division), group))
    group, division, measured = group[order], division[order], measured[order]
    names = {name: np.append(layer.frame[name].to_numpy(dtype=object), "")[division] for name in ("id", "name")}
    plane = areal[group]
    printed_sizes = {
        "area_m2": np.where(plane, apportioned(measured, whole, group, _PLACES["area_m2"]), np.nan),
        "area_ha": np.where(plane, apportioned(measured / 1e4, whole / 1e4, group, _PLACES["area_ha"]), np.nan),
        "area_mu": np.where(
            plane, apportioned(measured * _MU_PER_M2, whole * _MU_PER_M2, group, _PLACES["area_mu"]), np.nan
        ),
        "length_m": np.where(plane, np.nan, apportioned(measured, whole, group, _PLACES["length_m"])),
    }
    printed = np.where(plane, printed_sizes["area_m2"], printed_sizes["length_m"])
    return {
        "finding": group,
        "level": np.full(len(group), level, dtype=object),
        "division_id": names["id"],
        "division_name": names["name"],
        **printed_sizes,
        "share": measured / whole[group],
        "adjustment": printed - measured,
    }


def apportioned(parts: Floats, whole: Floats, group: Integers, places: int) -> Floats:
    """Round parts so that they sum to their rounded wholes, none by more than one unit of the last digit.

    `group`, in ascending order, is the position of each part's whole.

    Examples
    --------
    >>> apportioned(np.array([33.333, 33.333, 33.334]), np.array([100.0]), np.zeros(3, dtype=np.intp), 2)
    array([33.33, 33.33, 33.34])
    """
    unit = 10**places
    exact = parts * unit
    lower = np.floor(exact)
    # The parts that lose most by rounding down are rounded up; of equal ones, the first.
    order = np.lexsort((lower - exact, group))
    size = np.bincount(group, minlength=len(whole))
    begin = np.cumsum(size) - size
    rank = np.empty(len(parts), dtype=np.intp)
    rank[order] = np.arange(len(parts)) - begin[group]
    wanted = np.rint(whole * unit)
    # Near the middle between two, the decimal rounding of Python decides, as where the whole is printed.
    unsure = np.flatnonzero(np.abs(whole * unit - np.floor(whole * unit) - 0.5) < 1e-3)
    wanted[unsure] = [round(round(float(one), places) * unit) for one in whole[unsure]]
    missing = wanted - np.bincount(group, weights=lower, minlength=len(whole))
    each = np.maximum(size, 1)
    lower += (missing // each)[group] + (rank < (missing % each)[group])
    rounded: Floats = lower / unit
    return rounded
