"""Large files of sites for ``screen``: screened in shards and resumable, on one machine or a cluster."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lzgis.cli.console import (
    ExitCode,
    announce,
    code_of_verdicts,
    compile_loops,
    print_lines,
    print_problems,
    progress_bar,
    stdout,
)
from lzgis.cli.result import made_at, recorded_command
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from lzgis.batch import Batch
    from lzgis.reading import ReadOptions
    from lzgis.words import Language

#: A file with more sites than this is screened in shards by default.
_MANY = 20_000
#: The fewest bytes of a row, by suffix of the formats that are read from any row on. The coordinates of a point take 16;
#: a GeoPackage adds a header of 8 to its geometry of 21, and one of 3 to the row, a FlatGeobuf tables of more.
_LEAST_BYTES = {".gpkg": 32, ".fgb": 32, ".parquet": 16, ".geoparquet": 16}
#: The default number of processes; each holds the layers and a shard, about 0.7 GB.
_MOST_WORKERS = 4
#: Problems that are printed; the files hold all of them.
_MOST_LINES = 40


@dataclass(frozen=True)
class ShardOptions:
    """Options of a batch: size of the shards, processes or scheduler, and whether it starts again."""

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
        """Return the number of processes that screen a file of sites."""
        if self.workers is not None:
            return self.workers
        return min(os.cpu_count() or 1, _MOST_WORKERS) if _many(sites) else 1

    def requested(self, out: Path | None) -> bool:
        """Return whether sites are screened in shards, however many they are.

        Raises
        ------
        ConfigError
            If an option of a batch is given and no folder for the results.
        """
        requested = self.restart or any(one is not None for one in (self.shard_size, self.scheduler, self.workers))
        if out is None:
            if requested:
                raise ConfigError("--out", Message("is needed for a batch"), Message("name a folder for the results"))
            return False
        return requested or (out / ".lzgis" / "batch").is_dir()


def most_at_once(sites: Path) -> int | None:
    """Return how many sites are screened without shards; None if the file cannot hold more, or is read as a whole."""
    least = _LEAST_BYTES.get(sites.suffix.lower())
    return None if least is None or not sites.is_file() or sites.stat().st_size < least * _MANY else _MANY


def _many(sites: Path) -> bool:
    """Return whether a file holds many sites."""
    from lzgis.reading import begin_reading

    most = most_at_once(sites)
    if most is None:
        return False
    with begin_reading(sites, most=most) as reading:
        return reading.is_long()


@dataclass(frozen=True)
class BatchRequest:
    """The arguments of a batch: sites, city, date, folder, formats, and options of the formats."""

    sites: Path
    layers: list[Path] | None
    as_of: str | None
    out: Path
    formats: list[str] | None
    language: Language
    overrides: Path | None
    reading: ReadOptions
    options: dict[str, Any]
    per_city: tuple[str, ...] = ()


def run_batch(request: BatchRequest, shards: ShardOptions) -> ExitCode:
    """Screen in shards, show verdicts and problems, and return the exit code."""
    from lzgis.batch import SHARD_SIZE, BatchOptions, screen_batch
    from lzgis.city.region import region_or_city
    from lzgis.words import Words

    settings = BatchOptions(
        formats=None if request.formats is None else tuple(request.formats),
        shard_size=shards.shard_size or SHARD_SIZE,
        workers=shards.processes(request.sites),
        restart=shards.restart,
        reading=request.reading,
        language=request.language,
        made_at=made_at(),
        overrides=request.overrides,
        options=request.options,
        command=recorded_command(),
        per_city=request.per_city,
    )
    words = Words(request.language)
    if not shards.scheduler:
        compile_loops(words)
    with _client(shards.scheduler) as client, progress_bar(words) as progress:
        done = screen_batch(
            request.sites,
            region_or_city(request.layers),
            request.out,
            as_of=request.as_of,
            client=client,
            progress=progress,
            settings=settings,
        )
    _show(done, request.language)
    announce(done.files, words)
    return code_of_verdicts({verdict for verdict, count in done.verdicts.items() if count})


def _client(address: str | None) -> Any:
    if address is None:
        return nullcontext()
    from lzgis.screening.cluster import connected

    return connected(address)


def _show(done: Batch, language: Language) -> None:
    from lzgis.cli.tables import city_table
    from lzgis.model.report import Verdict
    from lzgis.words import Words

    words = Words(language)
    summary = words("batch", "done", sites=done.sites, shards=done.shards, reused=done.reused)
    print_lines([summary, *(f"{words('verdict', v)}: {done.verdicts.get(v.value, 0)}" for v in Verdict)])
    if len(done.report.city_rules):
        stdout().print(city_table(done.report, words, place=done.files[0].name if done.files else ""))
    print_problems(done.problems, words, most=_MOST_LINES)
    if len(done.problems) > _MOST_LINES:
        print_lines([words("batch", "more", count=len(done.problems) - _MOST_LINES)])
    print_lines([words.title(done.report.city.notice, done.report.city.notice_en), words("cli", "disclaimer")])
