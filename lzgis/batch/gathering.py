"""From the answers of all shards to the files that were asked for, never holding more than a shard where there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

from lzgis.batch.plan import Plan
from lzgis.batch.shard import part_folder
from lzgis.batch.tables import borrowed, give_back, read_answers, read_findings, read_problems, read_verdicts
from lzgis.errors import ConfigError
from lzgis.exports import FORMATS
from lzgis.exports.folder import write_formats
from lzgis.exports.gis import geojson, json, jsonfg
from lzgis.exports.gis.features import GisLayer, gis_layers, has_part
from lzgis.exports.gis.gpkg import write_pieces as write_gpkg_pieces
from lzgis.exports.gis.parquet import findings_table, verdicts_table
from lzgis.exports.gis.parquet import write_pieces as write_parquet_pieces
from lzgis.exports.report_text import ReportText
from lzgis.exports.tables.tables import rule_table, verdict_table
from lzgis.exports.tables.xlsx import write_growing
from lzgis.messages import Message
from lzgis.model.report import Problem, Report
from lzgis.screening.admission_lists import unit_lists
from lzgis.screening.overrides import OVERRIDES_FILE, with_overrides
from lzgis.screening.pieces import Screened, joined
from lzgis.screening.report import report_of
from lzgis.screening.setting import Setting
from lzgis.words import Language

Frame = TypeVar("Frame", bound=pd.DataFrame)

#: Up to so many sites a report is put together whole, and every format can be written of it.
WHOLE = 20_000
#: The most sites of which a format is written. Beyond `WHOLE` a workbook holds verdicts, and no findings.
MOST_SITES: dict[str, int] = {
    "html": 2_000,
    "docx": 2_000,
    "htmldoc": 2_000,
    "pdf": 2_000,
    "png": 5_000,
    "xlsx": 200_000,
    "json": 200_000,
    "geojson": 200_000,
    "jsonfg": 200_000,
}
#: Formats of any number of sites; of all others that are not named above, up to `WHOLE`.
BOUNDLESS = ("parquet", "verdicts", "gpkg")
#: Formats that are the same bytes, written of all rows at once or of some at a time.
_BY_ROW = ("parquet", "verdicts", "json", "geojson", "jsonfg")
#: The most sites of which a format is written unasked, where that is fewer: JSON, which takes 43 kB a site, is for programs.
_MOST_UNASKED = {"json": 2_000}
#: Sites whose rows are brought to the form of a file at a time.
_SLICE = 500
#: What is written of many sites if nothing was asked for.
LARGE_FORMATS = ("parquet", "verdicts", "gpkg", "xlsx")


@dataclass(frozen=True)
class Wishes:
    """How it was asked for: language, words of the command, options of exporters, decisions of planners."""

    language: Language = "zh"
    command: tuple[str, ...] = ()
    options: dict[str, object] | None = None
    overrides: Path | None = None


class Job(NamedTuple):
    """A batch at work: where its shards stand, its plan, and what the sites are held against."""

    folder: Path
    plan: Plan
    setting: Setting


@dataclass(frozen=True)
class Gathered:
    """What came out of a batch: the files, how many sites have each verdict, and what must be known."""

    files: list[Path]
    verdicts: Counter[str]
    report: Report


def most_sites(name: str) -> float:
    """Tell the most sites of which a format is written."""
    return float("inf") if name in BOUNDLESS else MOST_SITES.get(name, WHOLE)


def allowed_formats(names: Iterable[str] | None, sites: int, default: Iterable[str]) -> list[str]:
    """Choose the formats for so many sites.

    Raises
    ------
    ConfigError
        If one is asked for that cannot be written of so many.
    """
    if names is None:
        usual = default if sites <= WHOLE else LARGE_FORMATS
        return [name for name in usual if sites <= min(most_sites(name), _MOST_UNASKED.get(name, sites))]
    wanted = list(names)
    for name in wanted:
        if sites > most_sites(name):
            what = Message(
                "'{name}' is written of up to {most} sites, and there are {sites}",
                name=name,
                most=int(most_sites(name)),
                sites=sites,
            )
            known = [n for n in FORMATS if sites <= most_sites(n)]
            raise ConfigError("--format", what, Message("allowed: {names}", names=", ".join(known)))
    return wanted


@borrowed()
def gathered(job: Job, stage: Path, names: list[str], wishes: Wishes) -> Gathered:
    """Write the formats of a finished batch into a folder.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    plan, setting = job.plan, job.setting
    own = setting.city.root / OVERRIDES_FILE
    if plan.sites <= WHOLE and (wishes.overrides or own.is_file() or not set(names) <= set(_BY_ROW)):
        parts = [read_answers(part, plan.columns) for part in _parts(job)]
        answers = joined(parts, setting.city.city.divisions)
        report = _decided(_report(answers, job, answers.problems, wishes, answers.sites), wishes.overrides, setting)
        dem = (wishes.options or {}).get("dem")
        report = replace(report, backdrop=dem) if isinstance(dem, Path) else report
        files = write_formats(report, stage, names, language=wishes.language, options=wishes.options)
        return Gathered(files, Counter(report.verdicts["verdict"].tolist()), _bare(report))
    if wishes.overrides is not None:
        what = Message(
            "decisions are shown for up to {most} sites, and there are {sites}", most=WHOLE, sites=plan.sites
        )
        raise ConfigError("--overrides", what, Message("leave it out"))
    return _in_pieces(job, stage, names, wishes)


def _in_pieces(job: Job, stage: Path, names: list[str], wishes: Wishes) -> Gathered:
    counts: Counter[str] = Counter()
    problems: dict[Problem, None] = {}
    for part in _parts(job):
        counts.update(pd.read_parquet(part / "verdicts.parquet", columns=["verdict"])["verdict"].tolist())
        problems |= dict.fromkeys(read_problems(part))
    texts = ReportText(_head(job, tuple(problems), wishes), wishes.language)
    files = []
    for name in names:
        files.append(stage / FORMATS[name].file_name)
        _WRITERS[name](job, texts, files[-1])
    return Gathered(files, counts, texts.report)


def _write_parquet(job: Job, texts: ReportText, path: Path) -> None:
    write_parquet_pieces(texts, ahead(findings_table(texts, rows) for rows in _findings(job)), path)


def _write_verdicts(job: Job, texts: ReportText, path: Path) -> None:
    write_parquet_pieces(texts, ahead(map(verdicts_table, _verdicts(job, texts))), path)


def _write_gpkg(job: Job, texts: ReportText, path: Path) -> None:
    about = [layer for layer in gis_layers(texts) if layer.name == "about"]
    rows = (_drawn(ReportText(one, texts.words.language)) for one in _slices(job, texts.report))
    write_gpkg_pieces(texts, _chained(rows, about), path)


def _write_xlsx(job: Job, texts: ReportText, path: Path) -> None:
    write_growing(texts, lambda: map(verdict_table, _verdicts(job, texts)), [rule_table(texts)], path)


def _write_json(exporter: ModuleType, job: Job, texts: ReportText, path: Path) -> None:
    exporter.write_pieces(texts.report, lambda: _slices(job, texts.report), path, language=texts.words.language)


_WRITERS: dict[str, Callable[[Job, ReportText, Path], None]] = {
    "parquet": _write_parquet,
    "verdicts": _write_verdicts,
    "gpkg": _write_gpkg,
    "xlsx": _write_xlsx,
    "json": partial(_write_json, json),
    "geojson": partial(_write_json, geojson),
    "jsonfg": partial(_write_json, jsonfg),
}


def _parts(job: Job) -> Iterator[Path]:
    """Name the folders of the answers of all shards; what was read of one is given back before the next."""
    for shard in job.plan.shards:
        yield part_folder(job.folder, shard)
        # Kept, it would be more with every shard.
        give_back()


def _head(job: Job, problems: tuple[Problem, ...], wishes: Wishes) -> Report:
    """Make the report without its rows."""
    first = read_answers(part_folder(job.folder, job.plan.shards[0]), job.plan.columns)
    bare = replace(first, **{name: _rowless(getattr(first, name)) for name in ("sites", "findings", "verdicts")})
    # Whether all were shifted, as GCJ-02 would be, the first of very many tell.
    looked_at = first.sites
    if job.plan.sites <= WHOLE:
        every = [read_verdicts(part, job.plan.columns)[0] for part in _parts(job)]
        looked_at = gpd.GeoDataFrame(pd.concat(every, ignore_index=True), crs=first.sites.crs)
    return _bare(_report(bare, job, problems, wishes, looked_at))


def _findings(job: Job) -> Iterator[pa.Table]:
    for part in _parts(job):
        yield from read_findings(part)


def _verdicts(job: Job, texts: ReportText) -> Iterator[ReportText]:
    for part in _parts(job):
        sites, verdicts = read_verdicts(part, job.plan.columns)
        yield ReportText(replace(texts.report, sites=sites, verdicts=verdicts), texts.words.language)


def _drawn(texts: ReportText) -> list[GisLayer]:
    """Give what has a shape, and clause lists: the table of every finding has millions of rows, and is in the GeoParquet."""
    conflicts = has_part(texts.report.findings).to_numpy()
    shown = replace(texts.report, findings=texts.report.findings[conflicts].reset_index(drop=True))
    layers = gis_layers(ReportText(shown, texts.words.language))
    return [layer for layer in layers if layer.name not in ("about", "findings")]


def _slices(job: Job, head: Report) -> Iterator[Report]:
    """Cut the answers into reports of few sites, for exporters hold a multiple of what they write."""
    before = 0
    for part in _parts(job):
        answers = read_answers(part, job.plan.columns)
        sites, findings, spread = answers.sites, answers.findings, answers.breakdown
        code = pd.Index(sites["id"]).get_indexer(findings["site_id"])
        for start in range(0, len(sites), _SLICE):
            end = min(start + _SLICE, len(sites))
            first, last = np.searchsorted(code, [start, end])
            rows = findings.iloc[first:last].reset_index(drop=True)
            mine = spread[(spread["finding"] >= first) & (spread["finding"] < last)]
            yield replace(
                head,
                sites=sites.iloc[start:end].reset_index(drop=True),
                findings=rows,
                verdicts=answers.verdicts.iloc[start:end].reset_index(drop=True),
                unit_lists=unit_lists(rows, head.book, head.layers, head.provenance.as_of),
                breakdown=mine.assign(finding=mine["finding"] + before),
            )
        before += len(findings)


def _chained(pieces: Iterable[list[GisLayer]], last: list[GisLayer]) -> Iterator[list[GisLayer]]:
    yield from pieces
    yield last


def _report(
    answers: Screened, job: Job, problems: tuple[Problem, ...], wishes: Wishes, looked_at: gpd.GeoDataFrame
) -> Report:
    table = job.plan.table(looked_at, problems=True)
    whole = replace(answers, problems=tuple(dict.fromkeys((*table.problems, *problems))))
    report = report_of(whole, job.setting, table, job.plan.made_at)
    return replace(report, provenance=replace(report.provenance, command=wishes.command))


def _decided(report: Report, overrides: Path | None, setting: Setting) -> Report:
    own = setting.city.root / OVERRIDES_FILE
    chosen = overrides if overrides is not None else own if own.is_file() else None
    return report if chosen is None else with_overrides(report, chosen)


def _bare(report: Report) -> Report:
    """Leave of a report what it says of itself."""
    tables = ("sites", "findings", "verdicts", "unit_lists", "breakdown", "overrides")
    return replace(report, **{name: _rowless(getattr(report, name)) for name in tables})


def _rowless(frame: Frame) -> Frame:
    # A slice without rows would keep all of them in memory.
    return frame.take([])


Piece = TypeVar("Piece")


def ahead(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Give pieces in their order, making the next one in a thread; so two of them are held, and no more.

    Examples
    --------
    >>> list(ahead(n * n for n in range(4)))
    [0, 1, 4, 9]
    """
    source = iter(pieces)
    end = object()
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, end)
        while (piece := coming.result()) is not end:
            coming = maker.submit(next, source, end)
            yield piece  # type: ignore[misc]
