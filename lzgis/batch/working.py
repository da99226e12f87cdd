"""The shards of a batch, screened while the others are still cut; what was done before is not done again."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from lzgis.batch.plan import Begun, Plan, Shard, batch_folder, begin, begun, cut, inputs_of
from lzgis.batch.processes import do_tasks
from lzgis.batch.reading import SitesFile, rows_ahead, site_pieces
from lzgis.batch.shard import Common, Task, do_shard, do_task, is_done
from lzgis.errors import ConfigError, LayerError, SourceError
from lzgis.model.report import Source
from lzgis.screening.check import Progress
from lzgis.screening.cluster import worked_through
from lzgis.screening.setting import Setting

if TYPE_CHECKING:
    from distributed import Client

#: Fewer shards than this are not worth the start of processes.
_FEW = 2


@dataclass(frozen=True)
class How:
    """How a batch is done: sites in a shard, processes, whether an unfinished one is thrown away, when it is dated."""

    shard_size: int
    workers: int
    restart: bool
    made_at: dt.datetime | None


class Work:
    """A batch at work in a folder.

    Parameters
    ----------
    file : SitesFile
        The sites.
    setting : Setting
        What they are held against.
    out : Path
        The folder of the results.
    how : How
        How it is done.

    Raises
    ------
    ExportError
        If the folder holds an unfinished batch of other inputs, which is not to be thrown away.
    """

    def __init__(self, file: SitesFile, setting: Setting, out: Path, how: How) -> None:
        self._file, self._setting, self._out, self._how = file, setting, out, how
        self.reused = 0
        inputs = inputs_of(file.sha256, setting, how.shard_size, file.options)
        found = begun(out, inputs, restart=how.restart)
        self._continued = found is not None
        self._start: Begun = found if found is not None else begin(out, inputs, how.made_at)
        self._plan = found if isinstance(found, Plan) else None
        self._rows = 0 if self._plan else rows_ahead(file, how.shard_size)
        if self._plan is None and (how.workers == 1 or not self._rows):
            # Without others that screen in the meantime, what is wrong with the file is told before the work.
            for _ in self._shards():
                pass

    @property
    def sites(self) -> int:
        """How many sites there are, or will be once all of them are read."""
        return self._plan.sites if self._plan else self._rows

    @property
    def plan(self) -> Plan:
        """The plan, once all sites are cut."""
        assert self._plan is not None
        return self._plan

    def do(self, client: Client | None, progress: Progress | None) -> None:
        """Do all shards that are not done: here, in other processes, or on the workers of a cluster.

        Raises
        ------
        SourceError, LayerError
            If the sites cannot be read; nothing is then left to be continued.
        ExportError
            If something cannot be written, or a process that screened was ended.
        """
        whole = -(-self.sites // self._how.shard_size)

        def step(done: int, _: int = 0) -> None:
            if progress:
                progress("shards", self.reused + done, max(whole, self.reused + done))

        tasks = self._tasks()
        first = list(islice(tasks, _FEW))
        ahead = chain(first, tasks)
        step(0)
        if client is not None:
            worked_through(client, do_task, ahead, name="lzgis-shard", step=step)
        elif self._how.workers > 1 and len(first) >= (1 if self._continued else _FEW):
            # What was cut short may have been so by a site that ends the process it is screened in: not in this one.
            do_tasks(ahead, self._how.workers, step=step)
        else:
            for done, task in enumerate(ahead, start=1):
                do_shard(task.common, task.shard, self._setting)
                step(done)

    def _tasks(self) -> Iterator[Task]:
        """Give the shards that are not done, each as soon as it is cut."""
        folder, told = batch_folder(self._out).absolute(), self._setting.reference()
        for shard, source in self._shards():
            common = Common(folder, self._start.key, source)
            if is_done(folder, common.key, shard):
                self.reused += 1
            else:
                yield Task(common, shard, told)

    def _shards(self) -> Iterator[tuple[Shard, Source]]:
        if self._plan is not None:
            source = Source(**self._plan.source)
            yield from ((shard, source) for shard in self._plan.shards)
            return
        try:
            pieces = site_pieces(self._file, self._how.shard_size, self._rows)
            self._plan = yield from cut(self._out, pieces, self._start)
        except (SourceError, LayerError, ConfigError):
            # Whoever repairs the file makes another batch of it: there is nothing to continue.
            shutil.rmtree(batch_folder(self._out), ignore_errors=True)
            raise
