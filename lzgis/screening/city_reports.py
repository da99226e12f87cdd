"""The report of each city of a region: its own stretches, rules and layers, among its neighbours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.model.report import Layer, Report, SiteTable
from lzgis.rules.for_sites.hits import Integers
from lzgis.screening.pieces import Screened
from lzgis.screening.region_setting import RegionSetting
from lzgis.screening.report import report_of
from lzgis.screening.setting import Setting

#: The ids that features of neighbours have in the report of a city, by neighbour, layer and id.
_Named = dict[tuple[str, str, str], str]


@dataclass(frozen=True, eq=False)
class CityAnswers:
    """The answers in one city, and the positions of its findings in the report of the region."""

    name: str
    result: Screened
    origin: np.ndarray
    positions: Integers


class CityReports(Mapping[str, Report]):
    """The reports of the cities that sites lie in, by name; each is made when it is asked for.

    Parameters
    ----------
    answers : sequence of CityAnswers
        The answers, in the order of the cities.
    setting : RegionSetting
        The cities.
    table : SiteTable
        The sites of the region, whose source and changes of coordinates every report states.
    made_at : datetime, optional
        The time that the reports state.
    """

    def __init__(
        self, answers: tuple[CityAnswers, ...], setting: RegionSetting, table: SiteTable, made_at: dt.datetime | None
    ) -> None:
        self._answers = {one.name: one for one in answers}
        self._setting, self._table, self._made_at = setting, table, made_at

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the cities."""
        return iter(self._answers)

    def __len__(self) -> int:
        """Return the number of cities."""
        return len(self._answers)

    def __reduce__(self) -> tuple[type[dict[str, Report]], tuple[()]]:
        """Leave the cities out where a report is sent to another process or stored: they hold all layers."""
        return dict, ()

    def __getitem__(self, name: str) -> Report:
        """Return the report of a city."""
        one, own = self._answers[name], self._setting.city(self._setting.names.index(name))
        findings, named = _with_names(one, own)
        layers = _with_features(named, own, {city: self._settled(city) for city, _, _ in named})
        sites = replace(self._table, frame=one.result.sites, problems=())
        made = report_of(replace(one.result, findings=findings), own, sites, self._made_at)
        return replace(made, layers={**made.layers, **layers})

    def _settled(self, name: str) -> Setting:
        return self._setting.city(self._setting.names.index(name))

    def decided(self, report: Report, name: str, overrides: pd.DataFrame) -> Report:
        """Add to the report of a city the decisions on its findings; `overrides` are those of the report of the region."""
        one = self._answers[name]
        at = pd.Index(one.positions).get_indexer(pd.Index(overrides["finding"]))
        own = overrides[at >= 0].assign(finding=at[at >= 0]).reset_index(drop=True)
        if not len(own):
            return report
        rules = report.findings["rule"].to_numpy(dtype=object)[own["finding"]]
        return replace(report, overrides=own.assign(rule=rules))


def city_reports(report: Report) -> Iterator[tuple[str, Report]]:
    """Iterate over the cities that sites of a report lie in, with the report of each.

    Parameters
    ----------
    report : Report
        The report of a screening in a region; that of one city gives nothing.

    Yields
    ------
    tuple of str and Report
        The name of the city, and its report.

    Examples
    --------
    >>> import lzgis as lz
    >>> city = lz.reference_city()
    >>> report = lz.screen(city / "sites.gpkg", lz.open_region(city), as_of="2026-11-21")
    >>> [(name, len(one.sites)) for name, one in city_reports(report)]
    [('连州市', 50)]
    """
    for name in report.of_cities:
        one = report.of_cities[name]
        if isinstance(report.of_cities, CityReports):
            one = report.of_cities.decided(one, name, report.overrides)
        command = report.provenance.command
        yield name, replace(one, provenance=replace(one.provenance, command=command), backdrop=report.backdrop)


def _with_names(one: CityAnswers, own: Setting) -> tuple[gpd.GeoDataFrame, _Named]:
    """Name the features of neighbours in the findings of a city; where the city has a feature of that id, with the neighbour."""
    findings = one.result.findings
    named: _Named = {}
    ids = findings["feature_id"].to_numpy(dtype=object).copy()
    layer = findings["layer"].to_numpy(dtype=object)
    for at in np.flatnonzero((one.origin != one.name) & (ids != "")):
        city, feature = str(one.origin[at]), str(ids[at])
        known = own.layers[layer[at]].frame["id"] if layer[at] in own.layers else pd.Series(dtype=object)
        name = f"{feature}@{city}" if feature in set(known) else feature
        named[city, str(layer[at]), feature] = name
        ids[at] = name
    return findings.assign(feature_id=pd.Series(ids, index=findings.index).astype(str)), named


def _with_features(named: _Named, own: Setting, neighbours: Mapping[str, Setting]) -> dict[str, Layer]:
    """Return the layers of a city that findings name features of neighbours in, with those features."""
    found: dict[str, Layer] = {}
    for city, layer in dict.fromkeys((city, layer) for city, layer, _ in named):
        there = neighbours[city].layers[layer]
        wanted = {feature: name for (c, kind, feature), name in named.items() if (c, kind) == (city, layer)}
        rows = there.frame[there.frame["id"].isin(wanted)]
        rows = rows.assign(id=rows["id"].map(wanted))
        here = found.get(layer) or own.layers.get(layer)
        if here is None:
            found[layer] = replace(there, frame=rows.reset_index(drop=True))
        else:
            frame = gpd.GeoDataFrame(pd.concat([here.frame, rows], ignore_index=True), crs=here.frame.crs)
            found[layer] = replace(here, frame=frame)
    return found
