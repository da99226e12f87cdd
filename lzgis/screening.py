"""Screening: every site against every rule in force, with a proof of coverage for each answer.

This is the door alone, which imports nothing heavy: a file of sites is being read in a process apart while what makes
the report of them is still imported.
"""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.sources.apart import Reading, begin_reading

if TYPE_CHECKING:
    import geopandas as gpd
    from distributed import Client

    from lzgis.catalogue import Catalogue
    from lzgis.check import Progress
    from lzgis.model import Report, SiteTable


def screen(  # noqa: PLR0913 (what a screening may be given)
    sites: SiteTable | Reading | gpd.GeoDataFrame | str | Path,
    city: Catalogue | str | Path,
    *,
    as_of: dt.date | str | None = None,
    made_at: dt.datetime | None = None,
    progress: Progress | None = None,
    overrides: str | Path | None = None,
    client: Client | None = None,
) -> Report:
    """Check sites against all rules of a city that are in force on a date.

    Parameters
    ----------
    sites : SiteTable, Reading, GeoDataFrame or path
        What to check: points, lines and polygons in any mixture. What a file does not say itself, and whether repairs
        are accepted, is given with :func:`lzgis.sources.begin_reading`.
    city : Catalogue or path
        The city, or its folder.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    made_at : datetime, optional
        The time to be printed as that of the report; now if not given.
    progress : callable, optional
        Called with what is being done, how many steps are done, and how many there are.
    overrides : path, optional
        Decisions of planners, to stand beside the findings; ``overrides.toml`` in the city's folder if not given.
    client : distributed.Client, optional
        A dask cluster whose workers shall do the work; they must see the city's folder under the same path.

    Returns
    -------
    Report
        One or more findings per site and rule, one verdict per site, and where all of it comes from.

    Raises
    ------
    SourceError
        If the sites or a layer cannot be read, or an activity is not in the vocabulary.
    ConfigError, LayerError
        If the city's folder is not in order.

    Examples
    --------
    >>> from lzgis.catalogue import reference_city
    >>> report = screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21")
    >>> report.verdicts.set_index("site_id").loc["T01", "verdict"]
    '存在禁止性冲突'
    """
    given = begin_reading(sites) if isinstance(sites, str | Path) else sites
    with given if isinstance(given, Reading) else nullcontext():
        from lzgis.catalogue import open_catalogue
        from lzgis.reporting import screened

        opened = open_catalogue(city) if isinstance(city, str | Path) else city
        return screened(
            given, opened, as_of=as_of, made_at=made_at, progress=progress, overrides=overrides, client=client
        )
