"""The supervisor: worker processes that stay warm, the queue of jobs in the database, progress, limits, and ends.

Each worker process has a thread here that gives it one request at a time. A process that is killed, takes too long or is
cancelled ends with its request; a new one is started. Jobs that ran when the server ended are marked as interrupted.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from lzgis.errors import LzgisError
from lzgis.messages import Message
from lzgis.web.models import CityVersion, Document, Job, State, Turn, waiting_order
from lzgis.web.options import ServeOptions
from lzgis.web.process import ENDED, Process, Working
from lzgis.web.requests import LANGUAGES, Request
from lzgis.words import Words

#: How long a process may take until the city is open.
_START_S = 600.0
#: So long is waited after the database or the disk failed.
_PAUSE_S = 2.0


@dataclass(eq=False)
class Ask:
    """A request that a page waits for, without a row in the database."""

    request: Request
    answered: threading.Event = field(default_factory=threading.Event)
    error: dict[str, str] | None = None


class Supervisor:
    """Worker processes and their queue.

    Parameters
    ----------
    options : ServeOptions
        The options of the server.
    """

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self._city = options.layers
        #: The digests of the layers and rules that the workers have open, by place; empty until one is ready.
        self.bases: dict[str, str] = {}
        #: Why the city cannot be opened, by language; empty if it can.
        self.unusable: dict[str, str] = {}
        self._asks: deque[Ask] = deque()
        self._changed = threading.Condition()
        self._unsaved: deque[tuple[Job, State, dict[str, Any]]] = deque()
        self._cancelled: set[str] = set()
        #: What is set when a job ends, by its key, while a page waits for that.
        self._ends: WeakValueDictionary[str, threading.Event] = WeakValueDictionary()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._processes: dict[int, Working] = {}

    def start(self) -> None:
        """Mark what an earlier server left running, and start the workers on the version of the city in force."""
        current = CityVersion.current()
        self._city = current.folder if current else self.options.layers
        found = Job.objects.filter(state=State.RUNNING)
        found.update(state=State.INTERRUPTED, finished=timezone.now(), **_sentences("interrupted"))
        for number in range(self.options.workers):
            short = number == 0 and self.options.workers > 1
            thread = threading.Thread(target=self._serve, args=(number, short), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End all workers; jobs that run are marked as interrupted."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for process in list(self._processes.values()):
            process.end()
        for thread in self._threads:
            thread.join(timeout=10)

    def use_city(self, folder: Path) -> None:
        """Have every worker, when it has done what it does, replaced by one that opens another folder of the city."""
        with self._changed:
            self._city, self.bases = folder, {}
            self._changed.notify_all()

    def submitted(self) -> None:
        """Say that there is a new job in the database."""
        with self._changed:
            self._changed.notify_all()

    def cancel(self, job: Job) -> None:
        """Cancel a job: one that waits is not begun, the process of one that runs is ended."""
        waiting = Job.objects.filter(pk=job.key, state=State.QUEUED)
        if not waiting.update(state=State.CANCELLED, finished=timezone.now()):
            self._cancelled.add(job.key)
        else:
            self._ended_job(job.key)

    def ask(self, request: Request, wait_s: float = 60.0) -> dict[str, str] | None:
        """Have a short request done before all jobs, and wait for it; return the error by language, if there is one."""
        one = Ask(request)
        with self._changed:
            self._asks.append(one)
            self._changed.notify_all()
        if not one.answered.wait(wait_s):
            with self._changed, contextlib.suppress(ValueError):
                self._asks.remove(one)
            return _texts("busy")
        return one.error

    def wait(self, job: Job, wait_s: float) -> Job:
        """Wait until a job has ended, but not longer than the time; return it as it is then."""
        with self._changed:
            ended = self._ends.setdefault(job.key, threading.Event())
        found: Job = Job.objects.get(pk=job.key)
        if found.is_open and ended.wait(wait_s):
            found = Job.objects.get(pk=job.key)
        return found

    def _ended_job(self, key: str) -> None:
        """Tell the pages that wait for a job that it has ended."""
        with self._changed:
            event = self._ends.get(key)
        if event is not None:
            event.set()

    @property
    def is_warm(self) -> bool:
        """Whether a worker has the city open."""
        return bool(self.bases)

    def is_stale(self, job: Job) -> bool:
        """Return whether layers or rules have changed since a screening, those of the city and rule book that it used."""
        return self.is_warm and bool(job.basis) and job.basis != self.bases.get(job.request.place)

    @property
    def pids(self) -> list[int]:
        """The ids of the worker processes."""
        return [one.pid for one in self._processes.values() if isinstance(one, Process)]

    def _serve(self, number: int, short: bool) -> None:
        process: Working | None = None
        try:
            while not self._stopping:
                try:
                    process = self._turn(number, short, process)
                except (DatabaseError, OSError, LzgisError):
                    # As when the disk is full. What the process does now would be taken for the answer to the next request.
                    traceback.print_exc()
                    self._ended(number, process)
                    process = None
                    close_old_connections()
                    time.sleep(0 if self._stopping else _PAUSE_S)
        finally:
            self._ended(number, process)
            connections.close_all()

    def _turn(self, number: int, short: bool, process: Working | None) -> Working | None:
        """Do what is next; return the process that can go on."""
        if process is not None and process.city != self._city:
            self._ended(number, process)
            process = None
        process = process or self._ready(number)
        if process is None:
            return None
        task = self._next(short)
        if task is None:
            return process
        done = self._answer(process, task) if isinstance(task, Ask) else self._work(process, task)
        if not done:
            self._ended(number, process)
            return None
        return process

    def _ended(self, number: int, process: Working | None) -> None:
        self._processes.pop(number, None)
        if process is not None:
            process.end()

    def _ready(self, number: int) -> Working | None:
        """Start a process and wait until the city is open; None if that fails."""
        try:
            process = self._started()
        except LzgisError as error:
            self.unusable = {one: Words(one).sentence(error.place, error.what, error.remedy) for one in LANGUAGES}
            time.sleep(0 if self._stopping else _PAUSE_S)
            return None
        self._processes[number] = process
        until = time.monotonic() + _START_S
        while not self._stopping and time.monotonic() < until:
            line = process.line(0.5)
            if line is None:
                continue
            if line["what"] == "ready":
                if process.city == self._city:
                    self.bases, self.unusable = line["bases"], {}
                return process
            self.unusable = line.get("error") or _texts("ended")
            break
        self._ended(number, process)
        with self._changed:
            # The folder of the city may be corrected while the server runs.
            self._changed.wait(0 if self._stopping else 5)
        return None

    def _started(self) -> Working:
        if not self.options.scheduler:
            return Process(self.options, self._city)
        from lzgis.web.cluster import Remote

        return Remote(self.options, self._city)

    def _next(self, short: bool) -> Ask | Job | None:
        """Return the next request, asked or queued; None if there is none after a while."""
        with self._changed:
            if self._asks:
                return self._asks.popleft()
            self._save_left()
            job = self._claimed(short)
            if job is None:
                self._changed.wait(0.5)
            return job

    def _claimed(self, short: bool) -> Job | None:
        close_old_connections()
        for key in waiting_order(Turn.SHORT if short else Turn.LONG)[:5]:
            mine = Job.objects.filter(pk=key, state=State.QUEUED)
            if mine.update(state=State.RUNNING, started=timezone.now()):
                job: Job = Job.objects.get(pk=key)
                return job
        return None

    def _answer(self, process: Working, ask: Ask) -> bool:
        process.send(ask.request)
        until, line = time.monotonic() + 60.0, None
        while line is None and time.monotonic() < until and not self._stopping:
            line = process.line(0.5)
            line = None if line is not None and line["what"] == "progress" else line
        found = line or ENDED
        ask.error = found["error"] if found["what"] == "error" else None if found["what"] == "done" else _texts("ended")
        ask.answered.set()
        return found["what"] in ("done", "error")

    def _work(self, process: Working, job: Job) -> bool:
        """Have a job done and store what comes of it; return whether the process can go on."""
        process.send(job.request)
        until, reported_s = time.monotonic() + self.options.bounds.job_s, 0.0
        while True:
            line = process.line(0.2)
            if self._stopping:
                return self._finish(process, job, State.INTERRUPTED, **_sentences("interrupted"))
            if job.key in self._cancelled:
                self._cancelled.discard(job.key)
                return self._finish(process, job, State.CANCELLED)
            if time.monotonic() > until:
                return self._finish(process, job, State.FAILED, **_sentences("too_long"))
            if line is None:
                continue
            if line["what"] == "progress":
                if time.monotonic() > reported_s + 0.3 or line["done"] == line["total"]:
                    reported_s = time.monotonic()
                    with contextlib.suppress(DatabaseError):
                        Job.objects.filter(pk=job.key).update(step=line["step"], done=line["done"], total=line["total"])
                continue
            if line["what"] == "done":
                bases = line["result"].pop("bases", None)
                if bases and process.city == self._city:
                    self.bases = bases
                return self._finish(process, job, State.DONE, **_result(job, line["result"]))
            if line["what"] == "error":
                error = line["error"]
                self._finish(process, job, State.FAILED, error_zh=error["zh"], error_en=error["en"])
                return True
            return self._finish(process, job, State.FAILED, **_sentences("ended"))

    def _finish(self, process: Working, job: Job, state: State, **values: Any) -> bool:
        with self._changed:
            self._unsaved.append((job, state, values | {"finished": timezone.now()}))
        try:
            self._save_left()
        except DatabaseError:
            # It is saved before the next job is taken: the end of a job is not lost when the disk is full.
            traceback.print_exc()
        self.submitted()
        return state == State.DONE

    def _save_left(self) -> None:
        """Save the ends of jobs that are not saved yet."""
        with self._changed:
            while self._unsaved:
                job, state, values = self._unsaved[0]
                if state == State.DONE and job.kind == "issue":
                    made = json.loads(values["result_json"])
                    Document.objects.filter(writing=job).update(file_name=made["file"], sha256=made["sha256"])
                Job.objects.filter(pk=job.key).update(state=state, **values)
                self._unsaved.popleft()
                self._ended_job(job.key)


def _result(job: Job, result: dict[str, Any]) -> dict[str, Any]:
    names = result.pop("names", [])
    values: dict[str, Any] = {"result_json": json.dumps(result)}
    if names:
        values["search"] = "\n".join([str(job.title), *names]).casefold()
    if result.get("basis"):
        values["basis"] = result["basis"]
    return values


def _texts(key: str) -> dict[str, str]:
    return {one: Words(one).message(_MESSAGES[key]) for one in LANGUAGES}


def _sentences(key: str) -> dict[str, str]:
    texts = _texts(key)
    return {"error_zh": texts["zh"], "error_en": texts["en"]}


_MESSAGES = {
    "interrupted": Message("the server ended while this was done; run it again"),
    "too_long": Message("this took longer than allowed and was ended; give fewer sites"),
    "ended": Message("the process that did this ended, perhaps for lack of memory; run it again or give fewer sites"),
    "busy": Message("all workers are busy; try again in a minute"),
}
