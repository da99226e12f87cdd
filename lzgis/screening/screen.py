"""The public entry point of screening: every site against every rule in force, with a proof of coverage for each answer.

This module imports nothing heavy. A separate process reads the file of sites while the modules that screen them are
still being imported.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.reading.sandbox.parent import Reading, begin_reading

if TYPE_CHECKING:
    import geopandas as gpd
    from distributed import Client

    from lzgis.city.catalogue import Catalogue
    from lzgis.city.region import Region
    from lzgis.model.report import Report, SiteTable
    from lzgis.screening.check import Progress


def screen(  # noqa: PLR0913 (what a screening may be given)
    sites: SiteTable | Reading | gpd.GeoDataFrame | str | Path,
    city: Catalogue | Region | str | Path,
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
        Geometries of any types. :func:`lzgis.reading.begin_reading` takes declarations on a file and accepts repairs.
    city : Catalogue, Region or path
        The city or several, or the folder of either.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    made_at : datetime, optional
        The time printed as that of the report; now if not given.
    progress : callable, optional
        Called with the name of the step, how many parts of it are done, and how many there are.
    overrides : path, optional
        Decisions of planners, shown with the findings; ``overrides.toml`` in the city's folder if not given.
    client : distributed.Client, optional
        A dask cluster that does the work; its workers must see the city's folder under the same path.

    Returns
    -------
    Report
        One or more findings per site and rule, one verdict per site, and the provenance of both.

    Raises
    ------
    SourceError
        If the sites or a layer cannot be read, or an activity is unknown and the sites have ``activities="refused"``.
    ConfigError, LayerError
        If the city's folder is not valid.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> report = screen(reference_city() / "sites.gpkg", reference_city(), as_of="2026-11-21")
    >>> report.verdicts.set_index("site_id").loc["T01", "verdict"]
    '存在禁止性冲突'
    """
    with _begun(sites) as given:
        from lzgis.city.provenance import date_of
        from lzgis.city.region import Region, open_city_or_region
        from lzgis.screening.region import screen_region
        from lzgis.screening.run import RunOptions, run_screening

        options = RunOptions(date_of(as_of), made_at, progress, overrides, client)
        place = open_city_or_region(city)
        if isinstance(place, Region):
            return screen_region(given, place, options)
        return run_screening(given, place, options)


@contextmanager
def _begun(
    sites: SiteTable | Reading | gpd.GeoDataFrame | str | Path,
) -> Iterator[SiteTable | Reading | gpd.GeoDataFrame]:
    """Begin to read a file of sites; its reading process ends with the context. Sites in memory are returned as they are."""
    given = begin_reading(sites) if isinstance(sites, str | Path) else sites
    with given if isinstance(given, Reading) else nullcontext():
        yield given
