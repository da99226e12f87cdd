"""Cut a table of sites into pieces to be screened separately, and join the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.model.deferred import DeferredTable
from lzgis.model.report import Problem, SiteTable

if TYPE_CHECKING:
    from distributed import Client

#: Sites in a piece for a worker: smaller pieces cost more to send than to screen, larger ones leave workers idle at the end.
_LEAST_PIECE, _MOST_PIECE = 100, 5000
#: Held while a piece is screened: the threads of one process take turns.
ONE_AT_A_TIME = Lock()


@dataclass(frozen=True, eq=False)
class Screened:
    """The result of screening some sites: tables as in `Report`, and the problems of these sites alone."""

    sites: gpd.GeoDataFrame
    findings: gpd.GeoDataFrame
    verdicts: pd.DataFrame
    divided: DeferredTable
    problems: tuple[Problem, ...]

    @property
    def breakdown(self) -> pd.DataFrame:
        """The findings by division, see `Report`."""
        return self.divided.get()


def pieces_of(sites: SiteTable, size: int) -> list[SiteTable]:
    """Cut a table of sites into consecutive pieces of at most `size` rows; the first holds the problems and repairs."""
    pieces = [sites.frame.iloc[start : start + size] for start in range(0, len(sites.frame), size)]
    bare = replace(sites, problems=(), repairs=())
    return [replace(bare if at else sites, frame=piece) for at, piece in enumerate(pieces)]


def piece_size(client: Client, sites: int) -> int:
    """Return the number of sites in a piece for the workers of a cluster."""
    threads: int = max(1, sum(client.nthreads().values()))
    return min(max(-(-sites // (4 * threads)), _LEAST_PIECE), _MOST_PIECE)


def joined(parts: Sequence[Screened], divisions: Sequence[str]) -> Screened:
    """Join the results of consecutive pieces, as if all sites had been screened at once.

    Parameters
    ----------
    parts : sequence of Screened
        The results, in the order of the sites; at least one.
    divisions : sequence of str
        The layers of divisions in the order of the breakdown.

    Returns
    -------
    Screened
        The same rows in the same order as one screening of all the sites gives.
    """
    if len(parts) == 1:
        return parts[0]
    return Screened(
        sites=_joined([part.sites for part in parts]),
        findings=_joined([part.findings for part in parts]),
        verdicts=pd.concat([part.verdicts for part in parts], ignore_index=True),
        divided=DeferredTable(partial(_joined_breakdown, parts, divisions)),
        problems=tuple(dict.fromkeys(problem for part in parts for problem in part.problems)),
    )


def _joined_breakdown(parts: Sequence[Screened], divisions: Sequence[str]) -> pd.DataFrame:
    starts = np.cumsum([0, *(len(part.findings) for part in parts)])
    spread = [
        part.breakdown.assign(finding=part.breakdown["finding"] + start)
        for part, start in zip(parts, starts[:-1], strict=True)
        if len(part.breakdown)
    ]
    breakdown = pd.concat(spread, ignore_index=True) if spread else parts[0].breakdown
    # Level by level, within each by the order of the findings.
    rank = breakdown["level"].map({level: place for place, level in enumerate(divisions)}).to_numpy(dtype=float)
    order = np.argsort(rank, kind="stable")
    return breakdown.iloc[order].reset_index(drop=True)


def in_order(screened: Screened, rows: np.ndarray, divisions: Sequence[str]) -> Screened:
    """Return the result of screening sites in the order `rows` as if they had been screened in the order of their table."""
    if (np.diff(rows) > 0).all():
        return screened
    place = pd.Series(rows, index=screened.sites["id"].to_numpy())
    findings = np.argsort(screened.findings["site_id"].map(place).to_numpy(), kind="stable")
    became = np.empty(len(findings), dtype=np.intp)
    became[findings] = np.arange(len(findings))

    def divided() -> pd.DataFrame:
        spread = screened.breakdown.assign(finding=became[screened.breakdown["finding"].to_numpy(dtype=np.intp)])
        rank = spread["level"].map({level: at for at, level in enumerate(divisions)}).to_numpy(dtype=float)
        return spread.iloc[np.lexsort((spread["finding"], rank))].reset_index(drop=True)

    return Screened(
        sites=screened.sites.iloc[np.argsort(rows)].reset_index(drop=True),
        findings=screened.findings.iloc[findings].reset_index(drop=True),
        verdicts=screened.verdicts.iloc[
            np.argsort(screened.verdicts["site_id"].map(place).to_numpy(), kind="stable")
        ].reset_index(drop=True),
        divided=DeferredTable(divided),
        problems=screened.problems,
    )


def _joined(frames: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    joined = pd.concat(frames, ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry=frames[0].geometry.name, crs=frames[0].crs)
