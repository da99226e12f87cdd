"""Batches: sites are cut into shards on disk, each is screened and stored, and at the end the files are written.

The same call continues a batch that was interrupted; if the inputs differ it is refused. The files have the same bytes as
those of a single run.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.batch.answers import AnySetting
from lzgis.batch.gathering import BatchOutput, Gathered, Job, allowed_formats, gathered
from lzgis.batch.plan import batch_folder
from lzgis.batch.reading import sites_of
from lzgis.batch.working import Work, WorkOptions
from lzgis.city.catalogue import Catalogue
from lzgis.city.provenance import date_of
from lzgis.city.region import Region, open_city_or_region
from lzgis.errors import ConfigError
from lzgis.exports.folder import result_of
from lzgis.exports.formats import DEFAULT_FORMATS, FORMATS
from lzgis.files.manifest import InputPaths
from lzgis.files.result_folder import locked_folder, new_result
from lzgis.messages import Message
from lzgis.model.report import Problem, Report
from lzgis.reading import ReadOptions
from lzgis.screening.check import Progress
from lzgis.screening.region_setting import RegionSetting
from lzgis.screening.setting import setting_of
from lzgis.words import Language

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["SHARD_SIZE", "Batch", "BatchOptions", "screen_batch"]

#: Sites in a shard by default.
SHARD_SIZE = 2_000


@dataclass(frozen=True)
class BatchOptions:
    """Options of a batch.

    Attributes
    ----------
    formats : tuple of str, optional
        Keys of `lzgis.exports.FORMATS`; the usual ones that so many sites allow, if not given.
    shard_size : int
        Sites in a shard; memory grows with it, not with the number of sites.
    workers : int
        Processes that screen shards in parallel; with 1 the calling process does. A script that uses more must do so
        under ``if __name__ == "__main__":``, as `multiprocessing` demands. A `client` has workers of its own.
    restart : bool
        Discard an unfinished batch in the folder instead of continuing it.
    language : {"zh", "en"}
        The reader's language.
    made_at : datetime, optional
        The time that the result states; by default when the batch was begun.
    overrides : path, optional
        Decisions of planners, as in `lzgis.screen`.
    options : mapping, optional
        Further keywords of exporters, see `lzgis.exports.Format.options`.
    command : tuple of str
        The words of the command, for the provenance.
    reading : ReadOptions
        What the file of sites does not state itself.
    per_city : tuple of str
        Formats to write for each city of a region as well.
    """

    formats: tuple[str, ...] | None = None
    shard_size: int = SHARD_SIZE
    workers: int = 1
    restart: bool = False
    language: Language = "zh"
    made_at: dt.datetime | None = None
    overrides: Path | None = None
    options: Mapping[str, object] | None = None
    command: tuple[str, ...] = ()
    reading: ReadOptions = field(default_factory=ReadOptions)
    per_city: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """The result of a batch.

    Attributes
    ----------
    out : Path
        The folder.
    files : list of Path
        The files.
    sites : int
        Number of sites.
    verdicts : Counter
        Number of sites with each verdict.
    problems : tuple of Problem
        Notes for the reader, including every site that could not be checked and why.
    shards, reused : int
        Number of shards, and how many of them an earlier, interrupted run had finished.
    report : Report
        The report without its rows: city, rules, layers, provenance.
    """

    out: Path
    files: list[Path]
    sites: int
    verdicts: Counter[str]
    problems: tuple[Problem, ...]
    shards: int
    reused: int
    report: Report


def screen_batch(  # noqa: PLR0913 (what a caller may choose)
    sites: str | Path,
    city: Catalogue | Region | str | Path,
    out: str | Path,
    *,
    as_of: dt.date | str | None = None,
    client: Client | None = None,
    progress: Progress | None = None,
    settings: BatchOptions | None = None,
) -> Batch:
    """Screen a file of any number of sites shard by shard, and write the results into a folder.

    Parameters
    ----------
    sites : path
        The file of the sites.
    city : Catalogue, Region or path
        The city or several, or the folder of either.
    out : path
        The folder; it also holds the shards until all are done.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    client : distributed.Client, optional
        A dask cluster whose workers screen the shards; they must see `out` and the city's folder under the same paths.
    progress : callable, optional
        Called with what is being done, how many steps are done, and how many there are.
    settings : BatchOptions, optional
        All other options.

    Returns
    -------
    Batch
        Files, verdicts and problems.

    Raises
    ------
    SourceError, ConfigError, LayerError
        If sites or city have errors.
    ExportError
        If another process is writing there, the folder holds an unfinished batch of other inputs, or something cannot be
        written. Finished shards stay, and an earlier result in the folder is untouched.

    Examples
    --------
    >>> import tempfile
    >>> from lzgis.city.reference import reference_city as city
    >>> with tempfile.TemporaryDirectory() as out:
    ...     screen_batch(city() / "sites.gpkg", city(), f"{out}/batch", as_of="2026-11-21").sites
    51
    """
    chosen = _checked(settings or BatchOptions())
    opened = open_city_or_region(city)
    given = InputPaths(sites=str(sites), layers=str(city) if isinstance(city, str | Path) else _folders(opened))
    with locked_folder(out) as place:
        setting = _setting(opened, date_of(as_of), progress)
        work = Work(sites_of(Path(sites), chosen.reading, setting.outline), setting, place, _work_options(chosen))
        names = _names(chosen, work)
        shown = any(FORMATS[name].shapes for name in (*names, *chosen.per_city))
        work.do(client, progress, parts="built" if shown else "left out")
        done = _gather(Job(batch_folder(place), work.plan, setting), place, names, chosen, given)
    return _batch(Path(out), work, done)


def _batch(out: Path, work: Work, done: Gathered) -> Batch:
    plan, problems = work.plan, done.report.problems
    return Batch(out, done.files, plan.sites, done.verdicts, problems, len(plan.shards), work.reused, done.report)


def _work_options(chosen: BatchOptions) -> WorkOptions:
    return WorkOptions(chosen.shard_size, chosen.workers, chosen.restart, chosen.made_at)


def _names(chosen: BatchOptions, work: Work) -> list[str]:
    """Return the formats to write; refuse what cannot be written of so many sites before the work begins."""
    names = allowed_formats(chosen.formats, work.sites, DEFAULT_FORMATS)
    allowed_formats(chosen.per_city, work.sites, (), option="--per-city")
    return names


def _folders(city: Catalogue | Region) -> str:
    """Return the folders of a city or region as the manifest records them."""
    if isinstance(city, Region) and not city.described:
        return os.pathsep.join(str(one.root) for one in city.cities.values())
    return str(city.root)


def _setting(city: Catalogue | Region, day: dt.date, progress: Progress | None) -> AnySetting:
    if isinstance(city, Region):
        return RegionSetting(city, day, progress=progress)
    return setting_of(city, day, large="window", progress=progress)


def _checked(chosen: BatchOptions) -> BatchOptions:
    for option, number in (("--shard-size", chosen.shard_size), ("--workers", chosen.workers)):
        if number < 1:
            raise ConfigError(option, Message("must be at least 1"), Message("leave it out for the usual size"))
    return chosen


def _gather(job: Job, out: Path, names: list[str], chosen: BatchOptions, given: InputPaths) -> Gathered:
    output = BatchOutput(chosen.language, chosen.command, dict(chosen.options or {}), chosen.overrides, chosen.per_city)
    with new_result(out, "screen") as stage:
        done = gathered(job, stage.folder, names, output)
        stage.result = result_of(done.report, given, language=chosen.language)
    shutil.rmtree(job.folder, ignore_errors=True)
    return Gathered([stage.final(path) for path in done.files], done.verdicts, done.report)
