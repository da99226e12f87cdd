"""Provenance of a result: city, rules, layers, dates and software."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping

import geopandas as gpd
import pyogrio
import pyproj
import shapely

import lzgis
from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue
from lzgis.city.prepared import LoadedLayer
from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.model.report import RESOLUTION_M, Provenance, SiteTable, Source
from lzgis.model.rules import RuleBook
from lzgis.reading.repair import TOLERANCE_M2, TOLERANCE_SHARE


def date_of(as_of: dt.date | str | None) -> dt.date:
    """Parse the date whose rules apply; today if it is None.

    Raises
    ------
    ConfigError
        If it is not a date.
    """
    if as_of is None:
        return dt.date.today()
    if isinstance(as_of, dt.date):
        return as_of
    try:
        return dt.date.fromisoformat(as_of)
    except ValueError:
        raise ConfigError(
            Message("as_of"),
            Message("'{as_of}' is not a date", as_of=as_of),
            Message("write it as 2026-11-21"),
        ) from None


def provenance_of(
    city: Catalogue,
    book: RuleBook,
    layers: Mapping[str, LoadedLayer],
    times: tuple[dt.date, dt.datetime | None],
    sites: SiteTable | None = None,
) -> Provenance:
    """Collect the provenance of a report: city, rules, layers, sites if any, and software.

    Parameters
    ----------
    city : Catalogue
        The city.
    book : RuleBook
        Its rules in force.
    layers : mapping of str to LoadedLayer
        The layers that were read.
    times : tuple
        The date whose rules apply, and the time of the report (None: now).
    sites : SiteTable, optional
        The sites.
    """
    day, made_at = times
    books = tuple(Source("rules", name, digest) for name, digest in book.files)
    catalogue = Source("catalogue", CATALOGUE_FILE, city.described)
    transforms = [*(sites.transforms if sites else ()), *(t for one in layers.values() for t in one.transforms)]
    plane = city.plane
    transforms.append(
        Message(
            "all layers and sites: projected to {name}, where areas are those on the ellipsoid", name=plane.crs.name
        )
    )
    return Provenance(
        as_of=day,
        made_at=made_at or dt.datetime.now().astimezone().replace(microsecond=0),
        rule_book=book.name,
        rule_book_version=book.version,
        plane=plane.crs.name,
        sources=(*((sites.source,) if sites else ()), *(one.source for one in layers.values()), catalogue, *books),
        transforms=tuple(transforms),
        tolerances={
            "sliver_width_m": book.tolerance.sliver_width_m,
            "touching_below_m": RESOLUTION_M,
            "repair_m2": TOLERANCE_M2,
            "repair_share": TOLERANCE_SHARE,
        },
        versions=software(),
        repairs=(*(sites.repairs if sites else ()), *(r for one in layers.values() for r in one.repairs)),
    )


def software() -> dict[str, str]:
    """Return the versions of the software that computes results."""
    return {
        "lzgis": lzgis.__version__,
        "python": platform.python_version(),
        "geopandas": gpd.__version__,
        "shapely": shapely.__version__,
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
        "pyogrio": pyogrio.__version__,
        "GDAL": pyogrio.__gdal_version_string__,
    }
