"""Large files of sites: screened shard by shard, continued where they were interrupted, on one machine or many."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lzgis.cli.console import announce, stdout
from lzgis.cli.result import asked, made_at
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from lzgis.batch import Batch
    from lzgis.reading import ReadOptions
    from lzgis.words import Language

#: From so many sites on a file is screened in shards unasked.
_MANY = 20_000
#: A smaller file (bytes) cannot hold so many, for the coordinates of a point alone take 16.
_SMALL_BYTES = 16 * _MANY
#: Each process holds the layers and a shard at work, some 0.7 GB.
_MOST_WORKERS = 4
#: Problems that are shown; the files have them all.
_MOST_LINES = 40


@dataclass(frozen=True)
class ShardOptions:
    """Options of a batch: in which pieces, by whom, from the beginning or not."""

    shard_size: Annotated[
        int | None,
        typer.Option("--shard-size", min=1, help="Screen so many sites at a time; a run cut short is continued."),
    ] = None
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="tcp://…", help="A dask scheduler whose workers do the work.")
    ] = None
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help="Processes that screen beside each other; of many sites one per core, up to 4."
        ),
    ] = None
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew instead of continuing what was cut short.")] = (
        False
    )

    def processes(self, sites: Path) -> int:
        """Choose in how many processes a file of sites is screened."""
        if self.workers is not None:
            return self.workers
        return min(os.cpu_count() or 1, _MOST_WORKERS) if _many(sites) else 1

    def concerns(self, sites: Path, out: Path | None) -> bool:
        """Tell whether a file of sites is to be screened in shards.

        Raises
        ------
        ConfigError
            If that was asked for and there is no folder for them.
        """
        asked_for = self.restart or any(one is not None for one in (self.shard_size, self.scheduler, self.workers))
        if out is None:
            if asked_for:
                raise ConfigError("--out", Message("is needed for a batch"), Message("name a folder for the results"))
            return False
        if asked_for or (out / ".lzgis" / "batch").is_dir():
            return True
        return _many(sites)


def _many(sites: Path) -> bool:
    """Tell whether a file holds many sites; a small one is not opened for it."""
    if not sites.is_file() or sites.stat().st_size < _SMALL_BYTES:
        return False
    from lzgis.batch import count_of

    return count_of(sites) > _MANY


@dataclass(frozen=True)
class Question:
    """What is asked of a batch: sites, city, date, folder, formats, and how to write them."""

    sites: Path
    layers: Path | None
    as_of: str | None
    out: Path
    formats: list[str] | None
    language: Language
    overrides: Path | None
    reading: ReadOptions
    options: dict[str, Any]


def run_batch(question: Question, shards: ShardOptions) -> int:
    """Screen in shards, show verdicts and problems, and return the exit code."""
    from lzgis.batch import SHARD_SIZE, BatchOptions, screen_batch
    from lzgis.city.reference import reference_city
    from lzgis.cli.console import progress_bar
    from lzgis.words import Words

    settings = BatchOptions(
        formats=None if question.formats is None else tuple(question.formats),
        shard_size=shards.shard_size or SHARD_SIZE,
        workers=shards.processes(question.sites),
        restart=shards.restart,
        reading=question.reading,
        language=question.language,
        made_at=made_at(),
        overrides=question.overrides,
        options=question.options,
        command=asked(),
    )
    words = Words(question.language)
    with _client(shards.scheduler) as client, progress_bar(words) as progress:
        done = screen_batch(
            question.sites,
            question.layers or reference_city(),
            question.out,
            as_of=question.as_of,
            client=client,
            progress=progress,
            settings=settings,
        )
    _show(done, question.language)
    announce(done.files)
    return _exit_code(done)


def _client(address: str | None) -> Any:
    if address is None:
        return nullcontext()
    from lzgis.screening.cluster import connected

    return connected(address)


def _show(done: Batch, language: Language) -> None:
    from lzgis.cli.tables import problem_lines
    from lzgis.model.report import Verdict
    from lzgis.words import Words

    words = Words(language)
    console = stdout()
    told = words("batch", "done", sites=done.sites, shards=done.shards, reused=done.reused)
    lines = [told, *(f"{words('verdict', v)}: {done.verdicts.get(v.value, 0)}" for v in Verdict)]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    for problem in problem_lines(done.problems, words)[:_MOST_LINES]:
        console.print(problem, soft_wrap=True)
    if len(done.problems) > _MOST_LINES:
        more = words("batch", "more", count=len(done.problems) - _MOST_LINES)
        console.print(more, soft_wrap=True, markup=False, highlight=False)
    notice = words.title(done.report.city.notice, done.report.city.notice_en)
    for line in (notice, words("cli", "disclaimer")):
        console.print(line, soft_wrap=True, markup=False, highlight=False)


def _exit_code(done: Batch) -> int:
    from lzgis.model.report import Verdict

    if done.verdicts[Verdict.INCOMPLETE]:
        return 2
    return 1 if done.verdicts[Verdict.PROHIBITED] or done.verdicts[Verdict.REVIEW] else 0
