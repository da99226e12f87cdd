"""Run a batch: cut the sites into shards and screen those that are not done yet."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.batch.answers import AnySetting, Parts, refuse_unknown
from lzgis.batch.plan import Begun, Plan, Shard, batch_folder, begin, begun, cut, inputs_of
from lzgis.batch.processes import do_tasks
from lzgis.batch.reading import SitesFile, rows_ahead, site_pieces
from lzgis.batch.shard import Common, Task, do_shard, do_task, is_done
from lzgis.errors import ConfigError, LayerError, SourceError
from lzgis.model.report import SiteTable, Source
from lzgis.screening.check import Progress
from lzgis.screening.cluster import worked_through

if TYPE_CHECKING:
    from distributed import Client

#: The least number of shards for which processes are started.
_FEW = 2


@dataclass(frozen=True)
class WorkOptions:
    """How a batch is screened: sites per shard, processes, whether to discard an unfinished one, the time it states."""

    shard_size: int
    workers: int
    restart: bool
    made_at: dt.datetime | None


class Work:
    """The screening of a batch in a folder.

    Parameters
    ----------
    file : SitesFile
        The sites.
    setting : Setting or RegionSetting
        City, rules and layers that the sites are screened in.
    out : Path
        The folder of the result.
    options : WorkOptions
        How it is screened.

    Raises
    ------
    ExportError
        If the folder holds an unfinished batch of other inputs that is not to be discarded.
    """

    def __init__(self, file: SitesFile, setting: AnySetting, out: Path, options: WorkOptions) -> None:
        self._file, self._setting, self._out, self._options = file, setting, out, options
        self.reused = 0
        inputs = inputs_of(file.sha256, setting, options.shard_size, file.options)
        found = begun(out, inputs, restart=options.restart)
        self._continued = found is not None
        self._start: Begun = found if found is not None else begin(out, inputs, options.made_at)
        self._plan = found if isinstance(found, Plan) else None
        self._rows = 0 if self._plan else rows_ahead(file, options.shard_size)
        if self._plan is None and (options.workers == 1 or not self._rows):
            # If no other process could screen meanwhile, errors in the file are reported before the screening.
            for _ in self._shards():
                pass

    @property
    def sites(self) -> int:
        """Number of sites, also before all of them are read."""
        return self._plan.sites if self._plan else self._rows

    @property
    def plan(self) -> Plan:
        """The plan; it exists once all sites are cut."""
        assert self._plan is not None
        return self._plan

    def do(self, client: Client | None, progress: Progress | None, *, parts: Parts = "built") -> None:
        """Screen the shards that are not done: in this process, in others, or on the workers of a cluster.

        `parts` says whether shards that are screened now hold the parts of findings.

        Raises
        ------
        SourceError, LayerError
            If the sites cannot be read; there is then nothing to continue.
        ExportError
            If something cannot be written, or a process that screened was ended.
        """
        whole = -(-self.sites // self._options.shard_size)

        def step(done: int, _: int = 0) -> None:
            if progress:
                progress("shards", self.reused + done, max(whole, self.reused + done))

        tasks = self._tasks(parts)
        first = list(islice(tasks, _FEW))
        ahead = chain(first, tasks)
        step(0)
        if client is not None:
            worked_through(client, do_task, ahead, name="lzgis-shard", step=step)
        elif self._options.workers > 1 and len(first) >= (1 if self._continued else _FEW):
            # A site that ends the process that screens it may have interrupted the batch: not in this process.
            do_tasks(ahead, self._options.workers, step=step)
        else:
            for done, task in enumerate(ahead, start=1):
                do_shard(task.common, task.shard, self._setting)
                step(done)

    def _tasks(self, parts: Parts) -> Iterator[Task]:
        """Iterate over the shards that are not done, each as soon as it is cut."""
        folder, reference = batch_folder(self._out).absolute(), self._setting.reference()
        for shard, source in self._shards():
            common = Common(folder, self._start.key, source, parts)
            if is_done(common, shard):
                self.reused += 1
            else:
                yield Task(common, shard, reference)

    def _accepted(self, pieces: Iterator[SiteTable]) -> Iterator[SiteTable]:
        """Refuse activities that are not in the vocabulary if the reading options say so; yield the pieces."""
        first_row = 1
        for piece in pieces:
            if piece.activities == "refused":
                refuse_unknown(piece, self._setting, first_row=first_row)
            first_row += len(piece.frame)
            yield piece

    def _shards(self) -> Iterator[tuple[Shard, Source]]:
        if self._plan is not None:
            source = Source(**self._plan.source)
            yield from ((shard, source) for shard in self._plan.shards)
            return
        try:
            pieces = self._accepted(site_pieces(self._file, self._options.shard_size, self._rows))
            self._plan = yield from cut(self._out, pieces, self._start)
        except (SourceError, LayerError, ConfigError):
            # A repaired file is another batch: there is nothing to continue.
            shutil.rmtree(batch_folder(self._out), ignore_errors=True)
            raise
