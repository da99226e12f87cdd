"""Write the files of a batch from the stored answers of its shards, with at most one shard in memory where there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from lzgis.batch.plan import Plan
from lzgis.batch.shard import part_folder
from lzgis.batch.tables import read_answers, read_findings, read_problems, read_verdicts, release_memory, system_memory
from lzgis.errors import ConfigError
from lzgis.exports.folder import write_formats
from lzgis.exports.formats import FORMATS, LARGE_FORMATS, WHOLE, write_beside, writer
from lzgis.messages import Message
from lzgis.model.report import Problem, Report
from lzgis.screening.admission_lists import unit_lists
from lzgis.screening.overrides import OVERRIDES_FILE, with_overrides
from lzgis.screening.pieces import Screened, joined
from lzgis.screening.report import report_of
from lzgis.screening.setting import Setting
from lzgis.words import Language

Frame = TypeVar("Frame", bound=pd.DataFrame)

#: Sites of one piece of a report that is written in pieces.
_SLICE = 500


@dataclass(frozen=True)
class BatchOutput:
    """How the result is written: language, words of the command, options of writers, decisions of planners."""

    language: Language = "zh"
    command: tuple[str, ...] = ()
    options: dict[str, object] | None = None
    overrides: Path | None = None


class Job(NamedTuple):
    """A batch whose shards are done: their folder, the plan, and the setting that the sites were screened in."""

    folder: Path
    plan: Plan
    setting: Setting


@dataclass(frozen=True)
class Gathered:
    """The result of a batch: the files, the number of sites with each verdict, and the report without its rows."""

    files: list[Path]
    verdicts: Counter[str]
    report: Report


def allowed_formats(names: Iterable[str] | None, sites: int, default: Iterable[str]) -> list[str]:
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
            raise ConfigError("--format", what, Message("allowed: {names}", names=", ".join(known)))
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
    own = setting.city.root / OVERRIDES_FILE
    in_pieces = all(FORMATS[name].pieces_equal for name in names)
    if plan.sites <= WHOLE and (output.overrides or own.is_file() or not in_pieces):
        return _as_a_whole(job, stage, names, output)
    if output.overrides is not None:
        what = Message(
            "decisions are shown for up to {most} sites, and there are {sites}", most=WHOLE, sites=plan.sites
        )
        raise ConfigError("--overrides", what, Message("leave it out"))
    return _in_pieces(job, stage, names, output)


def _as_a_whole(job: Job, stage: Path, names: list[str], output: BatchOutput) -> Gathered:
    parts = [read_answers(part, job.plan.columns) for part in _parts(job)]
    answers = joined(parts, job.setting.city.city.divisions)
    report = _report(answers, job, answers.problems, output, answers.sites)
    report = _with_decisions(report, output.overrides, job.setting)
    dem = (output.options or {}).get("dem")
    report = replace(report, backdrop=dem) if isinstance(dem, Path) else report
    files = write_formats(report, stage, names, language=output.language, options=output.options)
    return Gathered(files, Counter(report.verdicts["verdict"].tolist()), _without_rows(report))


def _in_pieces(job: Job, stage: Path, names: list[str], output: BatchOutput) -> Gathered:
    counts: Counter[str] = Counter()
    problems: dict[Problem, None] = {}
    for part in _parts(job):
        counts.update(pd.read_parquet(part / "verdicts.parquet", columns=["verdict"])["verdict"].tolist())
        problems |= dict.fromkeys(read_problems(part))
    pieces = ShardPieces(job, _head(job, tuple(problems), output))
    files = []
    for name in names:
        files.append(stage / FORMATS[name].file_name)
        writer(FORMATS[name].pieces)(pieces, files[-1], language=output.language)
        files += write_beside(name, pieces.head, stage, language=output.language)
    return Gathered(files, counts, pieces.head)


class ShardPieces:
    """The report of a batch, read from its shards piece by piece, see `lzgis.exports.formats.ReportPieces`."""

    def __init__(self, job: Job, head: Report) -> None:
        self._job = job
        self.head = head

    def findings(self) -> Iterator[pa.Table]:
        """Iterate over the findings as they are stored."""
        for part in _parts(self._job):
            yield from read_findings(part)

    def verdicts(self) -> Iterator[Report]:
        """Iterate over the sites and verdicts, shard by shard."""
        for part in _parts(self._job):
            sites, verdicts = read_verdicts(part, self._job.plan.columns)
            yield replace(self.head, sites=sites, verdicts=verdicts)

    def reports(self) -> Iterator[Report]:
        """Iterate over reports of `_SLICE` sites: a writer needs several times the memory of what it writes."""
        head, before = self.head, 0
        for part in _parts(self._job):
            answers = read_answers(part, self._job.plan.columns)
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
                    unit_lists=unit_lists(rows, head.book, head.layers, head.provenance.as_of),
                    breakdown=own.assign(finding=own["finding"] + before),
                )
            before += len(findings)


def _parts(job: Job) -> Iterator[Path]:
    """Iterate over the folders with the answers of the shards; memory is released after each."""
    for shard in job.plan.shards:
        yield part_folder(job.folder, shard)
        # Otherwise it would grow with every shard.
        release_memory()


def _head(job: Job, problems: tuple[Problem, ...], output: BatchOutput) -> Report:
    """Return the report without its rows."""
    first = read_answers(part_folder(job.folder, job.plan.shards[0]), job.plan.columns)
    bare = replace(first, **{name: _rowless(getattr(first, name)) for name in ("sites", "findings", "verdicts")})
    # Of very many sites, the first shard decides whether all seem to be shifted as in GCJ-02.
    looked_at = first.sites
    if job.plan.sites <= WHOLE:
        every = [read_verdicts(part, job.plan.columns)[0] for part in _parts(job)]
        looked_at = gpd.GeoDataFrame(pd.concat(every, ignore_index=True), crs=first.sites.crs)
    return _without_rows(_report(bare, job, problems, output, looked_at))


def _report(
    answers: Screened, job: Job, problems: tuple[Problem, ...], output: BatchOutput, looked_at: gpd.GeoDataFrame
) -> Report:
    table = job.plan.table(looked_at, problems=True)
    whole = replace(answers, problems=tuple(dict.fromkeys((*table.problems, *problems))))
    report = report_of(whole, job.setting, table, job.plan.made_at)
    return replace(report, provenance=replace(report.provenance, command=output.command))


def _with_decisions(report: Report, overrides: Path | None, setting: Setting) -> Report:
    own = setting.city.root / OVERRIDES_FILE
    chosen = overrides if overrides is not None else own if own.is_file() else None
    return report if chosen is None else with_overrides(report, chosen)


def _without_rows(report: Report) -> Report:
    tables = ("sites", "findings", "verdicts", "unit_lists", "breakdown", "overrides")
    return replace(report, **{name: _rowless(getattr(report, name)) for name in tables})


def _rowless(frame: Frame) -> Frame:
    # A slice without rows would hold on to the memory of all of them.
    return frame.take([])
