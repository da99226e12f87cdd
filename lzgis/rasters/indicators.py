"""Compare the indicators of a plan with their targets: measured on layers and rasters, or taken from the city's table."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lzgis.city.catalogue import Catalogue, area_km2, open_catalogue
from lzgis.config import is_file_name, load_toml, nearest, parse
from lzgis.errors import ConfigError
from lzgis.messages import Message, library_message
from lzgis.model.indicators import Indicator, IndicatorBook, Measure, PlanSpec, Standing
from lzgis.reading.encoding import decoded

FILE = "indicators.toml"
COLUMNS = ("number", "part", "year", "value", "source")


@dataclass(frozen=True)
class IndicatorState:
    """An indicator with its latest value.

    Attributes
    ----------
    indicator : Indicator
        What the plan states.
    value : float or None
        The measured value, or else the latest one of the table; None if there is none.
    year : int or None
        The year of a value of the table; None for a measured one.
    source : str
        Where the value is from: the layer or raster that was measured, or the source that the table names.
    standing : dict
        For each year of the plan, how the value stands against the target.
    """

    indicator: Indicator
    value: float | None
    year: int | None
    source: str
    standing: dict[int, Standing]


@dataclass(frozen=True)
class IndicatorReport:
    """All indicators of a city's plan."""

    plan: PlanSpec
    rows: tuple[IndicatorState, ...]

    def count(self, year: int, standing: Standing) -> int:
        """Count the rows that stand so against the target of a year."""
        return sum(row.standing[year] is standing for row in self.rows)


def indicators(city: Catalogue | str | Path) -> IndicatorReport:
    """Measure the indicators that layers and rasters can measure, and take the others from the city's table.

    Parameters
    ----------
    city : Catalogue or path
        The city, or its folder, with ``indicators.toml``.

    Raises
    ------
    ConfigError
        If the file or the table is missing or not valid, or a measure names a layer that the city lacks.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> report = indicators(reference_city())
    >>> next(row.value for row in report.rows if row.indicator.number == 25)
    86.38
    """
    city = open_catalogue(city) if isinstance(city, str | Path) else city
    book = parse(IndicatorBook, load_toml(city.root / FILE), FILE)
    _check_book(book)
    table = _table(_values_file(city.root, book.plan.values), book)
    return IndicatorReport(book.plan, tuple(_state(city, one, book.plan, table) for one in book.indicator))


_Values = dict[tuple[int, str], list[tuple[int, float, str]]]


def _table(path: Path, book: IndicatorBook) -> _Values:
    known = {(one.number, one.part) for one in book.indicator}
    found: _Values = {}
    try:
        data = path.read_bytes()
    except OSError as e:
        what = Message("the file cannot be read ({why})", why=library_message(e))
        raise ConfigError(path.name, what, Message("check its permissions")) from e
    # Excel writes CSV in GBK.
    text, _ = decoded(data, path.name)
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for row in rows:
            place = Message("{file}, line {number}", file=path.name, number=rows.line_num)
            key, value = _row(row, place)
            if key not in known:
                what = Message("there is no indicator {key}", key=" ".join(map(str, key)).strip())
                raise ConfigError(place, what, Message("correct number and part"))
            if value[0] in (year for year, _, _ in found.get(key, ())):
                what = Message("gives the value of {year} again", year=value[0])
                raise ConfigError(place, what, Message("keep the one that is meant"))
            found.setdefault(key, []).append(value)
    except csv.Error as error:
        here = Message("{file}, line {number}", file=path.name, number=rows.line_num)
        what = Message("is no line of a table ({error})", error=library_message(error))
        raise ConfigError(here, what, Message("look for a quotation mark without its pair")) from None
    return found


def _row(row: Mapping[str | None, Any], place: str) -> tuple[tuple[int, str], tuple[int, float, str]]:
    """Return number and part, and year, value and source of a row of the table."""
    try:
        key = int(row["number"]), str(row["part"])
        value = int(row["year"]), float(row["value"]), str(row["source"])
    except (KeyError, TypeError, ValueError):
        value = 0, math.nan, ""
    if None in row or not math.isfinite(value[1]):
        what = Message("is not a row of indicator values")
        raise ConfigError(place, what, Message("its columns are {names}", names=", ".join(COLUMNS)))
    return key, value


def _check_book(book: IndicatorBook) -> None:
    """Refuse an indicator that is given twice."""
    numbered = Counter((one.number, one.part) for one in book.indicator)
    for (number, part), count in numbered.items():
        if count > 1:
            what = Message("indicator {key} is given twice", key=f"{number} {part}".strip())
            raise ConfigError(FILE, what, Message("correct number and part"))


def _values_file(root: Path, name: str) -> Path:
    """Return the table of values, which is in the folder of the city."""
    path = root / name
    here = Message("{file}, {key}", file=FILE, key="plan.values")
    if not is_file_name(name):
        raise ConfigError(here, Message("is no name of a file"), Message("give a path relative to the catalogue"))
    if not path.resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            here, Message("'{source}' is outside the folder of the city", source=name), Message("copy it there")
        )
    if path.exists() and not path.is_file():
        # Reading a pipe or a device may never end.
        raise ConfigError(here, Message("is no ordinary file"), Message("give a file"))
    return path


def _state(city: Catalogue, one: Indicator, plan: PlanSpec, table: _Values) -> IndicatorState:
    value: float | None = None
    year: int | None = None
    source, slack = "", 0.0
    if one.measure is not None:
        value, source, slack = *_measured(city, one.measure), one.measure.tolerance
    elif values := table.get((one.number, one.part)):
        year, value, source = max(values)
    return IndicatorState(one, value, year, source, {y: _standing(one, value, y, slack) for y in plan.years})


def _standing(one: Indicator, value: float | None, year: int, slack: float) -> Standing:
    if year not in one.targets:
        return Standing.IN_WORDS
    if value is None:
        return Standing.NO_VALUE
    return Standing.MET if value >= one.targets[year] - slack - 1e-9 else Standing.NOT_MET


def _measured(city: Catalogue, measure: Measure) -> tuple[float, str]:
    if (measure.layer is None) == (measure.raster is None):
        what = Message("a measure names either a layer or a raster")
        raise ConfigError(FILE, what, Message("write 'layer' or 'raster' under 'measure'"))
    if measure.raster is not None:
        from lzgis.rasters.stats import raster_stats

        found = raster_stats(city, measure.raster).composition
        whole = found[found["level"] == found["level"].iloc[0]]
        share = whole.loc[whole["role"].isin(measure.roles), "area_m2"].sum() / whole["area_m2"].sum()
        return float(share) * measure.scale, measure.raster
    for name in (measure.layer, measure.of):
        if name is not None and name not in city.layers:
            what = Message("the city has no layer '{layer}'", layer=name)
            raise ConfigError(FILE, what, nearest(name, city.layers))
    area = area_km2(city, str(measure.layer), measure.where)
    whole_km2 = area_km2(city, measure.of) if measure.of else 1.0
    if not whole_km2:
        what = Message("layer '{layer}' has no area", layer=measure.of)
        raise ConfigError(FILE, what, Message("name a layer of areas under 'of'"))
    return area / whole_km2 * measure.scale, str(measure.layer)
