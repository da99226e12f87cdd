"""Filling of Word templates in a separate process with limits of memory and time, and without a network.

A template decides what rendering it costs. Both processes exchange frames on pipes: the length of a frame, eight bytes, and its
bytes. The separate process is given the template and dossiers; it returns documents or errors as text, and nothing that it
returns is executed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO

from lzgis.errors import ExportError
from lzgis.exports.dossier.document import Dossier
from lzgis.messages import Message, library_message
from lzgis.reading.sandbox.exchange import pack_error, unpack_error
from lzgis.reading.sandbox.limits import MEMORY_BYTES, environment, limit_this_process

#: Elapsed time (s) in which one document must be filled.
TIME_S = 60.0
#: How many documents one process fills: its processor time is limited.
_IN_ONE_PROCESS = 40
_LENGTH = 8
_DONE, _FAILED = b"d", b"e"


class TemplateFiller:
    """Fills one template with dossiers; a context manager that ends its process on exit.

    Parameters
    ----------
    template : path
        The template, a Word document.
    time_s : float
        Elapsed time (s) allowed for one document.
    memory_bytes : int
        Address space allowed to the process.
    """

    def __init__(self, template: str | Path, *, time_s: float = TIME_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._template, self._time_s, self._memory_bytes = Path(template), time_s, memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._filled = 0

    def fill(self, dossier: Dossier, made_at: dt.datetime) -> bytes:
        """Return the template filled with a dossier, as `filled_template` does.

        Raises
        ------
        ExportError
            As `filled_template`, and if filling the template takes more time or memory than allowed.
        """
        if self._process is None or self._filled >= _IN_ONE_PROCESS:
            self._start()
        assert self._process is not None
        process, late = self._process, threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._time_s, stop)
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            # The process may end while it is written to: it then answers nothing.
            with contextlib.suppress(BrokenPipeError):
                _send(process.stdin, pickle.dumps((dossier, made_at)))
            answer = _receive(process.stdout)
        finally:
            timer.cancel()
        self._filled += 1
        if answer[:1] == _DONE:
            return answer[1:]
        if answer[:1] == _FAILED:
            error = unpack_error(answer[1:].decode("utf-8"))
            raise error from None
        self.close()
        if late.is_set():
            what = Message("was not filled within {seconds} s", seconds=f"{self._time_s:g}")
        else:
            what = Message("made the process that fills it end: it needs too much memory, or is damaged")
        raise ExportError(str(self._template), what, Message("see docs/templates.md for how to write one"))

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> TemplateFiller:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _start(self) -> None:
        self.close()
        try:
            template = self._template.read_bytes()
        except OSError as error:
            what = Message("cannot be read as a Word document: {why}", why=library_message(error))
            raise ExportError(str(self._template), what, Message("give a file *.docx made with Word")) from error
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(self._memory_bytes)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._filled = 0
        assert self._process.stdin is not None
        _send(self._process.stdin, pickle.dumps((str(self._template), template)))


def _send(stream: IO[bytes], frame: bytes) -> None:
    stream.write(len(frame).to_bytes(_LENGTH, "big") + frame)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    """Read one frame; empty at the end of the stream."""
    head = stream.read(_LENGTH)
    return stream.read(int.from_bytes(head, "big")) if len(head) == _LENGTH else b""


def main(memory_bytes: int) -> int:
    """Fill the template on standard input with every dossier that follows it."""
    from lzgis.exports.dossier.template import filled_template

    limit_this_process(memory_bytes, "refused")
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    place, template = pickle.loads(_receive(stdin))
    while frame := _receive(stdin):
        dossier, made_at = pickle.loads(frame)
        try:
            answer = _DONE + filled_template(place, template, dossier, made_at)
        except ExportError as error:
            answer = _FAILED + pack_error(error).encode("utf-8")
        _send(stdout, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
