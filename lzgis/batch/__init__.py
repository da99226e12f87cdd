"""Batches: sites cut into shards on disk, each screened and written for itself, and gathered into files at the end.

A batch that was interrupted is continued by the same call; one with other inputs is refused. What comes out is, byte for
byte, what one run gives.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.batch.gathering import Gathered, Job, Wishes, allowed_formats, gathered
from lzgis.batch.plan import batch_folder
from lzgis.batch.reading import count_of, sites_of
from lzgis.batch.working import How, Work
from lzgis.city.catalogue import Catalogue, open_catalogue
from lzgis.city.provenance import date_of
from lzgis.errors import ConfigError
from lzgis.exports import DEFAULT_FORMATS
from lzgis.exports.folder import result_of
from lzgis.files.manifest import InputPaths
from lzgis.files.result_folder import locked_folder, new_result
from lzgis.messages import Message
from lzgis.model.report import Problem, Report
from lzgis.reading import ReadOptions
from lzgis.screening.check import Progress
from lzgis.screening.setting import setting_of
from lzgis.words import Language

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["SHARD_SIZE", "Batch", "BatchOptions", "count_of", "screen_batch"]

#: Sites in a shard if nothing else is said.
SHARD_SIZE = 2_000


@dataclass(frozen=True)
class BatchOptions:
    """What a batch may be told.

    Attributes
    ----------
    formats : tuple of str, optional
        Keys of `lzgis.exports.FORMATS`; the usual ones that so many sites allow, if not given.
    shard_size : int
        Sites in a shard; memory grows with it, not with the number of sites.
    workers : int
        Processes that do shards beside each other; this one alone does them if 1. A script that asks for more does so
        under ``if __name__ == "__main__":``, as `multiprocessing` demands. A `client` has workers of its own.
    restart : bool
        Throw away an unfinished batch in the folder instead of continuing it.
    language : {"zh", "en"}
        The reader's language.
    made_at : datetime, optional
        The time to be printed as that of the result; when the batch was begun, if not given.
    overrides : path, optional
        Decisions of planners, as in `lzgis.screen`.
    options : mapping, optional
        Further keywords of exporters, see `lzgis.exports.Format.options`.
    command : tuple of str
        The words that it was asked for with, for the provenance.
    reading : ReadOptions
        What the file of sites does not say itself.
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


@dataclass(frozen=True)
class Batch:
    """What came out of a batch.

    Attributes
    ----------
    out : Path
        The folder.
    files : list of Path
        What was written.
    sites : int
        How many sites there are.
    verdicts : Counter
        How many of them have each verdict.
    problems : tuple of Problem
        What must be known, among it every site that could not be checked and why.
    shards, reused : int
        How many shards there are, and how many of them were there from an earlier, interrupted run.
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


def screen_batch(  # noqa: PLR0913 (what a batch may be given)
    sites: str | Path,
    city: Catalogue | str | Path,
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
    city : Catalogue or path
        The city, or its folder.
    out : path
        The folder; also where the shards stand until all are done.
    as_of : date or ISO string, optional
        The date whose rules apply; today if not given.
    client : distributed.Client, optional
        A dask cluster whose workers shall do the shards; they must see `out` and the city's folder under the same paths.
    progress : callable, optional
        Called with what is being done, how many steps are done, and how many there are.
    settings : BatchOptions, optional
        Everything else.

    Returns
    -------
    Batch
        Files, verdicts and problems.

    Raises
    ------
    SourceError, ConfigError, LayerError
        If sites or city are not in order.
    ExportError
        If another process is writing there, the folder holds an unfinished batch of other inputs, or something cannot be
        written. What was done stays done, and the result that was there before is untouched.
    """
    sites, chosen = Path(sites), settings or BatchOptions()
    _check(chosen)
    given = str(city.root if isinstance(city, Catalogue) else city)
    city = city if isinstance(city, Catalogue) else open_catalogue(city)
    with locked_folder(out) as place:
        setting = setting_of(city, date_of(as_of), progress=progress)
        how = How(chosen.shard_size, chosen.workers, chosen.restart, chosen.made_at)
        work = Work(sites_of(sites, chosen.reading, setting.city.outline), setting, place, how)
        names = allowed_formats(chosen.formats, work.sites, DEFAULT_FORMATS)
        work.do(client, progress)
        job = Job(batch_folder(place), work.plan, setting)
        done = _gather(job, place, names, chosen, InputPaths(sites=str(sites), layers=given))
        shutil.rmtree(batch_folder(place), ignore_errors=True)
    shards, report = len(job.plan.shards), done.report
    return Batch(
        Path(out), done.files, job.plan.sites, done.verdicts, report.problems, shards, reused=work.reused, report=report
    )


def _check(chosen: BatchOptions) -> None:
    for option, number in (("--shard-size", chosen.shard_size), ("--workers", chosen.workers)):
        if number < 1:
            raise ConfigError(option, Message("must be at least 1"), Message("leave it out for the usual size"))


def _gather(job: Job, out: Path, names: list[str], chosen: BatchOptions, given: InputPaths) -> Gathered:
    wishes = Wishes(chosen.language, chosen.command, dict(chosen.options or {}), chosen.overrides)
    with new_result(out, "screen") as stage:
        done = gathered(job, stage.folder, names, wishes)
        stage.result = result_of(done.report.provenance, given)
    return Gathered([stage.final(path) for path in done.files], done.verdicts, done.report)
