"""Write the files of a batch from the stored answers of its shards, with at most one shard in memory where there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import pandas as pd

from lzgis.batch.answers import (
    Answers,
    AnySetting,
    CityPieces,
    RegionPieces,
    joined_answers,
    own_overrides,
    read_answers,
    report_from,
    rowless,
    with_decisions,
)
from lzgis.batch.plan import Plan
from lzgis.batch.shard import part_folder
from lzgis.batch.tables import read_frame, read_problems, read_screened, release_memory, system_memory
from lzgis.errors import ConfigError
from lzgis.exports.file_names import file_stems
from lzgis.exports.folder import CITIES_FOLDER, write_cities, write_formats
from lzgis.exports.formats import FORMATS, LARGE_FORMATS, WHOLE, by_profile, write_beside, writer
from lzgis.messages import Message
from lzgis.model.report import Problem, Report
from lzgis.screening.region_setting import RegionSetting
from lzgis.words import Language


@dataclass(frozen=True)
class BatchOutput:
    """How the result is written: language, words of the command, options of writers, decisions, formats for each city."""

    language: Language = "zh"
    command: tuple[str, ...] = ()
    options: dict[str, object] | None = None
    overrides: Path | None = None
    per_city: tuple[str, ...] = ()


class Job(NamedTuple):
    """A batch whose shards are done: their folder, the plan, and the setting that the sites were screened in."""

    folder: Path
    plan: Plan
    setting: AnySetting


@dataclass(frozen=True)
class Gathered:
    """The result of a batch: the files, the number of sites with each verdict, and the report without its rows."""

    files: list[Path]
    verdicts: Counter[str]
    report: Report


def allowed_formats(
    names: Iterable[str] | None, sites: int, default: Iterable[str], *, option: str = "--format"
) -> list[str]:
    """Return the formats to write for so many sites: the given ones, otherwise the default ones.

    Raises
    ------
    ConfigError
        If a given format cannot be written for so many sites.
    """
    if names is None:
        usual = default if sites <= WHOLE else LARGE_FORMATS
        return [name for name in usual if FORMATS[name].holds(sites) and sites <= _most_by_default(name, sites)]
    wanted = list(names)
    for name in wanted:
        if not FORMATS[name].holds(sites):
            what = Message(
                "'{name}' is written of up to {most} sites, and there are {sites}",
                name=name,
                most=FORMATS[name].most_sites,
                sites=sites,
            )
            known = [name for name, one in FORMATS.items() if one.holds(sites)]
            raise ConfigError(option, what, Message("allowed: {names}", names=", ".join(known)))
    return wanted


def _most_by_default(name: str, sites: int) -> int:
    most = FORMATS[name].most_by_default
    return sites if most is None else most


@system_memory()
def gathered(job: Job, stage: Path, names: list[str], output: BatchOutput) -> Gathered:
    """Write the formats of a finished batch into a folder.

    The report is written as a whole if there are few sites, unless every format gives the same bytes in pieces.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    plan, setting = job.plan, job.setting
    own = own_overrides(setting)
    in_pieces = all(FORMATS[name].pieces_equal for name in names) and not output.per_city
    if plan.sites <= WHOLE and (output.overrides or own or not in_pieces):
        return _as_a_whole(job, stage, names, output)
    if output.overrides is not None:
        what = Message(
            "decisions are shown for up to {most} sites, and there are {sites}", most=WHOLE, sites=plan.sites
        )
        raise ConfigError("--overrides", what, Message("leave it out"))
    return _in_pieces(job, stage, names, output)


def _as_a_whole(job: Job, stage: Path, names: list[str], output: BatchOutput) -> Gathered:
    parts = [read_answers(part, job.plan.columns, job.setting) for part in _parts(job)]
    answers = joined_answers(parts, job.setting)
    report = _report(answers, job, answers.problems, output, answers.sites)
    report = with_decisions(report, job.setting, output.overrides)
    dem = (output.options or {}).get("dem")
    report = replace(report, backdrop=dem) if isinstance(dem, Path) else report
    files = write_formats(report, stage, names, language=output.language, options=output.options)
    files += write_cities(report, stage, output.per_city, language=output.language, options=output.options)
    return Gathered(files, Counter(report.verdicts["verdict"].tolist()), rowless(report))


def _in_pieces(job: Job, stage: Path, names: list[str], output: BatchOutput) -> Gathered:
    counts: Counter[str] = Counter()
    problems: dict[Problem, None] = {}
    for part in _parts(job):
        counts.update(pd.read_parquet(part / "verdicts.parquet", columns=["verdict"])["verdict"].tolist())
        problems |= dict.fromkeys(read_problems(part))
    pieces: CityPieces | RegionPieces
    if isinstance(job.setting, RegionSetting):
        table = job.plan.table(_looked_at(job), problems=True)
        pieces = RegionPieces(partial(_parts, job), job.plan.columns, job.setting, table, job.plan.made_at)
        pieces.head = _with_command(pieces.head, output)
    else:
        pieces = CityPieces(partial(_parts, job), job.plan.columns, _head(job, tuple(problems), output))
    files = []
    for name in by_profile(names, pieces.head.city)[0]:
        files.append(stage / FORMATS[name].file_name)
        writer(FORMATS[name].pieces)(pieces, files[-1], language=output.language)
        files += write_beside(name, pieces.head, stage, language=output.language)
    if isinstance(pieces, RegionPieces) and output.per_city:
        files += _cities_in_pieces(pieces, stage, output)
    return Gathered(files, counts, pieces.head)


def _cities_in_pieces(pieces: RegionPieces, stage: Path, output: BatchOutput) -> list[Path]:
    """Write formats for each city into a folder of its name, shard by shard; return the files."""
    written: list[Path] = []
    cities = list(pieces.cities())
    for (_, own), folder in zip(cities, file_stems([name for name, _ in cities]), strict=True):
        below = stage / CITIES_FOLDER[output.language] / folder
        below.mkdir(parents=True)
        for name in by_profile(output.per_city, own.head.city)[0]:
            written.append(below / FORMATS[name].file_name)
            writer(FORMATS[name].pieces)(own, written[-1], language=output.language)
            written += write_beside(name, own.head, below, language=output.language)
    return written


def _parts(job: Job) -> Iterator[Path]:
    """Iterate over the folders with the answers of the shards; memory is released after each."""
    for shard in job.plan.shards:
        yield part_folder(job.folder, shard)
        # Otherwise it would grow with every shard.
        release_memory()


def _head(job: Job, problems: tuple[Problem, ...], output: BatchOutput) -> Report:
    """Return the report on one city without its rows."""
    first = read_screened(part_folder(job.folder, job.plan.shards[0]), job.plan.columns)
    bare = replace(first, **{name: getattr(first, name).take([]) for name in ("sites", "findings", "verdicts")})
    return rowless(_report(bare, job, problems, output, _looked_at(job)))


def _looked_at(job: Job) -> gpd.GeoDataFrame:
    """Return the sites in which a shift as in GCJ-02 may be seen: of very many, those of the first shard."""
    shards = [*_parts(job)] if job.plan.sites <= WHOLE else [part_folder(job.folder, job.plan.shards[0])]
    frames = [read_frame(part / "sites.parquet") for part in shards]
    every = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=frames[0].crs)
    return every.astype(dict(job.plan.columns)) if job.plan.columns else every


def _report(
    answers: Answers, job: Job, problems: tuple[Problem, ...], output: BatchOutput, looked_at: gpd.GeoDataFrame
) -> Report:
    table = job.plan.table(looked_at, problems=True)
    whole = replace(answers, problems=tuple(dict.fromkeys((*table.problems, *problems))))
    return _with_command(report_from(whole, job.setting, table, job.plan.made_at), output)


def _with_command(report: Report, output: BatchOutput) -> Report:
    return replace(report, provenance=replace(report.provenance, command=output.command))
