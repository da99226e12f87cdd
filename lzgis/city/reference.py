"""The reference city that comes with lzgis, used if no city is given."""

from __future__ import annotations

from pathlib import Path


def reference_city() -> Path:
    """Return the folder of the reference city, which holds schematic data.

    Returns
    -------
    Path
        A folder that :func:`lzgis.open_catalogue` opens; its sites are in ``sites.gpkg``.

    Examples
    --------
    >>> sorted(path.name for path in reference_city().glob("*.toml"))
    ['catalog.toml', 'indicators.toml', 'rules.toml']
    """
    installed = Path(__file__).parent / "reference_city"
    # A checkout has no copy in the package; there the city is the folder `layers`.
    return installed if installed.is_dir() else Path(__file__).parents[2] / "layers"


def city_or_reference(folder: str | Path | None) -> Path:
    """Return the folder of a city, or that of the reference city if none is given."""
    return Path(folder) if folder else reference_city()


def sites_or_reference(file: str | Path | None) -> Path:
    """Return the file of sites, or that of the reference city if none is given."""
    return Path(file) if file else reference_city() / "sites.gpkg"
