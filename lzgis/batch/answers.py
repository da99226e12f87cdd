"""The answers of a shard, for one city or for a region: screened, joined, stored, and made into reports."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from lzgis.batch.tables import (
    PROBLEMS,
    read_findings,
    read_frame,
    read_problems,
    read_screened,
    read_verdicts,
    write_frame,
    write_problems,
    write_screened,
)
from lzgis.exports.gis.parquet import stored_findings
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import UNIT_LIST_COLUMNS, Problem, Report, SiteTable, no_breakdown, no_rows
from lzgis.screening.admission_lists import unit_lists
from lzgis.screening.near import near_sites
from lzgis.screening.overrides import OVERRIDES_FILE, with_overrides
from lzgis.screening.pieces import Screened, joined
from lzgis.screening.region import (
    CityPart,
    RegionScreened,
    joined_in_region,
    merged_of,
    refuse_unknown_in_region,
    region_report,
    screen_in_region,
    with_own_overrides,
)
from lzgis.screening.region_setting import RegionReference, RegionSetting, region_setting_from
from lzgis.screening.report import report_of, shift_problems
from lzgis.screening.run import screen_table
from lzgis.screening.setting import Setting, SettingReference, setting_from
from lzgis.screening.stretches import Borders, Division
from lzgis.screening.subjects import refuse_unknown_activities

AnySetting: TypeAlias = Setting | RegionSetting
AnyReference: TypeAlias = SettingReference | RegionReference
Answers: TypeAlias = Screened | RegionScreened
#: Whether stored answers hold the parts of findings; building them takes longer than the screening.
Parts: TypeAlias = Literal["built", "left out"]

#: Sites of one piece of a report that is written in pieces.
_SLICE = 500
_DIVISION, _BORDERS, _PARTS = "division.parquet", "borders.json", "parts"


def setting_of(reference: AnyReference) -> AnySetting:
    """Load the setting that a reference names; the last one is cached."""
    return region_setting_from(reference) if isinstance(reference, RegionReference) else setting_from(reference)


def screened_sites(sites: SiteTable, setting: AnySetting) -> Answers:
    """Check sites against every rule; the answers of a site depend on no other site."""
    if isinstance(setting, RegionSetting):
        return screen_in_region(sites, setting)
    return screen_table(sites, setting)


def refuse_unknown(sites: SiteTable, setting: AnySetting, *, first_row: int) -> None:
    """Refuse sites with an activity that is not in the vocabulary; rows are counted from `first_row`."""
    if isinstance(setting, RegionSetting):
        refuse_unknown_in_region(sites, setting, first_row=first_row)
    else:
        refuse_unknown_activities(sites, setting.book, first_row=first_row)


def joined_answers(pieces: Sequence[Answers], setting: AnySetting) -> Answers:
    """Join the answers of consecutive pieces, as if all sites had been screened at once."""
    if isinstance(setting, RegionSetting):
        return joined_in_region(cast(Sequence[RegionScreened], pieces), setting)
    return joined(cast(Sequence[Screened], pieces), setting.city.city.divisions)


def write_answers(folder: Path, answers: Answers, parts: Parts = "built") -> list[str]:
    """Write answers into an empty folder, with or without the parts of findings; return the names of the files.

    Raises
    ------
    ExportError
        If one cannot be written, or read back.
    """
    if isinstance(answers, Screened):
        return write_screened(folder, answers if parts == "built" else _without_parts(answers))
    return _write_region(folder, answers, parts)


def _without_parts(answers: Screened) -> Screened:
    none = np.full(len(answers.findings), None, dtype=object)
    return replace(answers, findings=answers.findings.set_geometry(none, crs=answers.findings.crs))


def read_answers(folder: Path, columns: Mapping[str, str], setting: AnySetting) -> Answers:
    """Read answers; `columns` are the types that columns of the sites have in the whole batch."""
    return _read_region(folder, columns) if isinstance(setting, RegionSetting) else read_screened(folder, columns)


def _write_region(folder: Path, answers: RegionScreened, parts: Parts) -> list[str]:
    division = answers.division
    write_frame(folder / "sites.parquet", answers.sites)
    write_frame(folder / "verdicts.parquet", pd.DataFrame({"verdict": answers.verdicts}))
    table = pd.DataFrame({name: getattr(division, name) for name in ("site", "city", "book", "size")})
    write_frame(folder / _DIVISION, table)
    write_problems(folder, answers.problems)
    borders = {"gaps": answers.borders.gaps}
    pairs = {name: [[*key, n] for key, n in getattr(answers.borders, name).items()] for name in ("thin", "wide")}
    named = [{"name": part.name, "book_of": part.book_of} for part in answers.parts]
    (folder / _BORDERS).write_text(json.dumps({**borders, **pairs, "parts": named}, ensure_ascii=False), "utf-8")
    names = ["sites.parquet", "verdicts.parquet", _DIVISION, PROBLEMS, _BORDERS]
    for number, part in enumerate(answers.parts):
        own = folder / _PARTS / str(number)
        own.mkdir(parents=True)
        made = write_answers(own, part.result, parts)
        write_frame(own / "rows.parquet", pd.DataFrame({"row": part.rows}))
        write_frame(own / "origin.parquet", pd.DataFrame({"origin": part.origin.astype(object)}))
        names += [f"{_PARTS}/{number}/{name}" for name in (*made, "rows.parquet", "origin.parquet")]
    return names


def _read_region(folder: Path, columns: Mapping[str, str]) -> RegionScreened:
    table = pd.read_parquet(folder / _DIVISION)
    division = Division(*(table[name].to_numpy() for name in ("site", "city", "book", "size")))
    about = json.loads((folder / _BORDERS).read_text("utf-8"))
    thin, wide = (Counter({(a, b): n for a, b, n in about[name]}) for name in ("thin", "wide"))
    parts = []
    for number, named in enumerate(about["parts"]):
        own = folder / _PARTS / str(number)
        rows = pd.read_parquet(own / "rows.parquet")["row"].to_numpy()
        origin = pd.read_parquet(own / "origin.parquet")["origin"].to_numpy(dtype=object)
        parts.append(CityPart(named["name"], named["book_of"], rows, read_screened(own, columns), origin))
    sites = read_frame(folder / "sites.parquet")
    sites = sites.astype(dict(columns)) if columns else sites
    return RegionScreened(sites, division, Borders(about["gaps"], thin, wide), tuple(parts), read_problems(folder))


def report_from(answers: Answers, setting: AnySetting, table: SiteTable, made_at: dt.datetime) -> Report:
    """Make a report of answers; `table` gives its provenance and the vertices in which a shift may be seen."""
    if isinstance(answers, RegionScreened):
        assert isinstance(setting, RegionSetting)
        merged = merged_of(setting, answers.division.book, table, made_at)
        return region_report(answers, setting, table, merged)
    assert isinstance(setting, Setting)
    return report_of(answers, near_sites(setting, table), table, made_at)


def own_overrides(setting: AnySetting) -> Path | None:
    """Return the file of decisions in the folder of a city or a region; None if there is none."""
    if isinstance(setting, RegionSetting):
        file = setting.region.root / OVERRIDES_FILE
        return file if setting.region.described and file.is_file() else None
    file = setting.city.root / OVERRIDES_FILE
    return file if file.is_file() else None


def with_decisions(report: Report, setting: AnySetting, overrides: Path | None) -> Report:
    """Add the decisions of a file to a report, or those of the folder of the city or region."""
    if isinstance(setting, RegionSetting):
        return with_own_overrides(report, setting.region, overrides)
    chosen = overrides if overrides is not None else own_overrides(setting)
    return report if chosen is None else with_overrides(report, chosen)


class CityPieces:
    """The report of a batch, read from its shards piece by piece, see `lzgis.exports.formats.ReportPieces`."""

    def __init__(self, shards: Callable[[], Iterator[Path]], columns: Mapping[str, str], head: Report) -> None:
        self._shards, self._columns = shards, columns
        self.head = head

    def findings(self) -> Iterator[pa.Table]:
        """Iterate over the findings as they are stored."""
        for shard in self._shards():
            yield from read_findings(shard)

    def verdicts(self) -> Iterator[Report]:
        """Iterate over the sites and verdicts, shard by shard."""
        for shard in self._shards():
            sites, verdicts = read_verdicts(shard, self._columns)
            yield replace(self.head, sites=sites, verdicts=verdicts)

    def reports(self) -> Iterator[Report]:
        """Iterate over reports of `_SLICE` sites: a writer needs several times the memory of what it writes."""
        head, before = self.head, 0
        for shard in self._shards():
            answers = read_screened(shard, self._columns)
            sites, findings, spread = answers.sites, answers.findings, answers.breakdown
            code = pd.Index(sites["id"]).get_indexer(findings["site_id"])
            for start in range(0, len(sites), _SLICE):
                end = min(start + _SLICE, len(sites))
                first, last = np.searchsorted(code, [start, end])
                rows = findings.iloc[first:last].reset_index(drop=True)
                own = spread[(spread["finding"] >= first) & (spread["finding"] < last)]
                yield replace(
                    head,
                    sites=sites.iloc[start:end].reset_index(drop=True),
                    findings=rows,
                    verdicts=answers.verdicts.iloc[start:end].reset_index(drop=True),
                    listed=DeferredTable(partial(unit_lists, rows, head.book, head.layers, head.provenance.as_of)),
                    divided=DeferredTable(own.assign(finding=own["finding"] + before)),
                )
            before += len(findings)


class RegionPieces:
    """The report of a batch in a region, one shard in memory at a time, see `lzgis.exports.formats.ReportPieces`.

    Parameters
    ----------
    shards : callable
        Returns an iterator over the folders of the shards.
    columns : mapping of str to str
        The types that columns of the sites have in the whole batch.
    setting : RegionSetting
        The cities.
    table : SiteTable
        The source and the problems of the file, and the sites in which a shift may be seen.
    made_at : datetime
        The time that the report states.
    """

    def __init__(
        self,
        shards: Callable[[], Iterator[Path]],
        columns: Mapping[str, str],
        setting: RegionSetting,
        table: SiteTable,
        made_at: dt.datetime,
    ) -> None:
        self._shards, self._columns, self._setting, self._table = shards, columns, setting, table
        books = [np.unique(pd.read_parquet(one / _DIVISION, columns=["book"])["book"]) for one in shards()]
        self._merged = merged_of(setting, np.unique(np.concatenate(books)), table, made_at)
        self.head = self._head()

    def _read(self) -> Iterator[tuple[RegionScreened, Report]]:
        bare = replace(self._table, frame=self._table.frame.iloc[:0])
        for shard in self._shards():
            answers = _read_region(shard, self._columns)
            yield answers, region_report(answers, self._setting, bare, self._merged)

    def _head(self) -> Report:
        """Return the report without its rows, but with the tables of the cities."""
        borders, problems, first = Borders(), dict[Problem, None](), None
        stretches, sums = [], []
        for answers, report in self._read():
            first = first or rowless(report)
            borders += answers.borders
            problems |= dict.fromkeys(answers.problems)
            stretches.append(report.stretches)
            sums.append(report.city_rules)
        assert first is not None
        shift = shift_problems(self._table, self._merged.context["layers"])
        found = (*self._table.problems, *problems, *borders.problems(self._setting.region), *shift)
        every = (*dict.fromkeys(found), *self._merged.context["problems"])
        return replace(
            first,
            problems=every,
            stretches=pd.concat(stretches, ignore_index=True),
            city_rules=summed_city_rules(sums, self._setting.names),
        )

    def findings(self) -> Iterator[pa.Table]:
        """Iterate over the findings as they are stored."""
        for _, report in self._read():
            yield stored_findings(report)

    def verdicts(self) -> Iterator[Report]:
        """Iterate over the sites and verdicts, shard by shard."""
        for _, report in self._read():
            yield replace(self.head, sites=report.sites, verdicts=report.verdicts)

    def reports(self) -> Iterator[Report]:
        """Iterate over the reports of the shards; the first one holds the table of cities and rules of them all."""
        before = 0
        for number, (_, report) in enumerate(self._read()):
            own = report.breakdown
            yield replace(
                report,
                problems=self.head.problems,
                divided=DeferredTable(own.assign(finding=own["finding"] + before)),
                city_rules=self.head.city_rules if number == 0 else self.head.city_rules.iloc[:0],
            )
            before += len(report.findings)

    def cities(self) -> Iterator[tuple[str, CityOfPieces]]:
        """Iterate over the cities that sites lie in, with the report of each, one shard in memory at a time."""
        found = dict.fromkeys(name for _, report in self._read() for name in report.of_cities)
        for name in (one for one in self._setting.names if one in found):
            yield name, CityOfPieces(self, name)

    def reports_of(self, name: str) -> Iterator[Report]:
        """Iterate over the reports of one city, one for each shard with sites in it."""
        for _, report in self._read():
            if name in report.of_cities:
                own = report.of_cities[name]
                command = self.head.provenance.command
                yield replace(own, provenance=replace(own.provenance, command=command), backdrop=self.head.backdrop)


class CityOfPieces:
    """The report of one city of a batch in a region, see `lzgis.exports.formats.ReportPieces`.

    Parameters
    ----------
    pieces : RegionPieces
        The batch.
    name : str
        The city; sites lie in it.
    """

    def __init__(self, pieces: RegionPieces, name: str) -> None:
        self._pieces, self._name = pieces, name
        problems, first = dict[Problem, None](), None
        for report in pieces.reports_of(name):
            first = first or rowless(report)
            problems |= dict.fromkeys(report.problems)
        assert first is not None
        self.head = replace(first, problems=tuple(problems))

    def findings(self) -> Iterator[pa.Table]:
        """Iterate over the findings as they are stored."""
        for report in self._pieces.reports_of(self._name):
            yield stored_findings(report)

    def verdicts(self) -> Iterator[Report]:
        """Iterate over the sites and verdicts, shard by shard."""
        for report in self._pieces.reports_of(self._name):
            yield replace(self.head, sites=report.sites, verdicts=report.verdicts)

    def reports(self) -> Iterator[Report]:
        """Iterate over the reports of the shards."""
        before = 0
        for report in self._pieces.reports_of(self._name):
            own = report.breakdown
            yield replace(
                report, problems=self.head.problems, divided=DeferredTable(own.assign(finding=own["finding"] + before))
            )
            before += len(report.findings)


def summed_city_rules(tables: Sequence[pd.DataFrame], cities: Sequence[str]) -> pd.DataFrame:
    """Return the sums over pieces of tables of what was found by city, rule and state."""
    every = pd.concat(tables, ignore_index=True)
    sums = every.groupby(["city", "rule", "state"], sort=False).agg(
        sites=("sites", "sum"),
        area_m2=("area_m2", lambda one: one.sum(min_count=1)),
        length_m=("length_m", lambda one: one.sum(min_count=1)),
    )
    made = sums.reset_index()
    place = made["city"].map({name: at for at, name in enumerate(cities)}).fillna(len(cities))
    return made.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True)[list(every.columns)]


def rowless(report: Report) -> Report:
    """Return a report without its rows, which do not stay in memory; what was found by city and rule stays."""
    tables = ("sites", "findings", "verdicts", "overrides", "stretches")
    # A slice without rows would hold on to the memory of all of them.
    empty = {name: getattr(report, name).take([]) for name in tables}
    return replace(
        report,
        of_cities={},
        listed=DeferredTable(partial(no_rows, UNIT_LIST_COLUMNS)),
        divided=DeferredTable(no_breakdown),
        **empty,
    )
