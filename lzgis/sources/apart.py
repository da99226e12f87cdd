"""A file of a stranger is opened in a process apart, with limits: whatever it does, lzgis lives on and says why.

The process reads while the caller does something else; nothing of it comes back but numbers and text.
"""

from __future__ import annotations

import glob
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType

from lzgis.errors import LzgisError, SourceError
from lzgis.messages import Message
from lzgis.sources.addresses import address_of, file_of, scheme_of, shown
from lzgis.sources.base import Read, ReadOptions
from lzgis.sources.child import ANSWER, ERROR, REQUEST, too_much_memory
from lzgis.sources.limits import MEMORY_BYTES, TIME_S, environment
from lzgis.sources.packing import unpack, unpack_error
from lzgis.sources.table import READERS, is_address, read_vector


@dataclass(frozen=True)
class Limits:
    """What the process that reads may use: address space (bytes) and time on the clock (s)."""

    memory_bytes: int = MEMORY_BYTES
    time_s: float = TIME_S


@dataclass(eq=False)
class Reading:
    """A reading that was begun; a context that ends the process when it is left."""

    place: str
    options: ReadOptions
    limits: Limits
    _folder: Path
    _process: subprocess.Popen[bytes] | None
    _read: Read | None = field(default=None, repr=False)

    def result(self) -> Read:
        """Wait for what was read.

        Raises
        ------
        SourceError, LayerError, ConfigError
            If the file cannot be read, or reading it took more memory or time than it may, or killed the process.
        """
        if self._read is None:
            try:
                self._read = self._collected()
            finally:
                self.close()
        return self._read

    def close(self) -> None:
        """End the process if it still runs, and remove what it left."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Reading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _collected(self) -> Read:
        assert self._process is not None
        try:
            code = self._process.wait(self.limits.time_s)
        except subprocess.TimeoutExpired:
            what = Message("was not read within {seconds} s", seconds=round(self.limits.time_s))
            raise SourceError(self.place, what, Message("split it, or look whether it is what it says")) from None
        if code == 0 and (self._folder / ANSWER).exists():
            return unpack(self._folder / ANSWER)
        told = (self._folder / ERROR).exists()
        error = unpack_error((self._folder / ERROR).read_text("ascii")) if told else self._ended_by(code)
        raise error

    def _ended_by(self, code: int) -> LzgisError:
        names = {-int(one): one.name for one in signal.Signals}
        # What is written in C ends itself when it gets no memory, and the kernel ends what takes too much.
        if names.get(code) in ("SIGABRT", "SIGKILL"):
            return too_much_memory(self.place, self.limits.memory_bytes)
        what = Message("made the library that reads it crash ({code})", code=names.get(code, f"exit code {code}"))
        return SourceError(self.place, what, Message("it is damaged or hostile: ask for it again"))


def begin_reading(
    path: str | Path, *, layer: str | None = None, options: ReadOptions | None = None, limits: Limits | None = None
) -> Reading:
    """Begin to read a file in a process apart.

    Raises
    ------
    SourceError
        At once if there is no such file, or nothing reads what has its suffix.
    """
    chosen = options or ReadOptions()
    chosen = chosen if layer is None else replace(chosen, layer=layer)
    most = limits or Limits()
    place = shown(path)
    if scheme_of(path) in ("postgis", "postgresql"):
        return Reading(place, chosen, most, Path(), None, read_vector(path, options=chosen))
    asked = address_of(path) if is_address(path) else str(checked_path(path))
    folder = Path(tempfile.mkdtemp(prefix="lzgis-read-"))
    request = {"path": asked, "options": asdict(chosen), "memory_bytes": most.memory_bytes}
    (folder / REQUEST).write_text(json.dumps(request), "utf-8")
    process = subprocess.Popen(
        # -P: what lies in the current folder is not imported.
        [sys.executable, "-P", "-m", "lzgis.sources.child", str(folder)],
        cwd=folder,
        env=environment(chosen.network),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    return Reading(place, chosen, most, folder, process)


def checked_path(path: str | Path) -> Path:
    """Make sure that something is a file or folder here, and that it does not lead elsewhere.

    Raises
    ------
    SourceError
        If it is no path of a file, does not exist, nothing reads what has its suffix, or it or a file of the same name
        beside it is a link to another folder: a link can show what is none of the sender's business.
    """
    file_of(path)
    found = Path(path).absolute()
    if found.suffix.lower() not in READERS:
        raise SourceError(
            str(path),
            Message("files that end in '{suffix}' are not read", suffix=found.suffix),
            Message("allowed: {known}", known=" ".join(READERS)),
        )
    home = found.parent.resolve()
    parts = found.rglob("*") if found.is_dir() else found.parent.glob(glob.escape(found.stem) + ".*")
    for part in (found, *parts):
        if part.is_symlink() and not part.resolve().is_relative_to(home):
            what = Message("is a link to a file in another folder")
            raise SourceError(str(part), what, Message("give the path of the file itself, or put a copy in its place"))
    return found


def read_apart(
    path: str | Path, *, layer: str | None = None, options: ReadOptions | None = None, limits: Limits | None = None
) -> Read:
    """Read a file in a process apart and wait for it; arguments and errors as :func:`begin_reading`."""
    with begin_reading(path, layer=layer, options=options, limits=limits) as reading:
        return reading.result()
