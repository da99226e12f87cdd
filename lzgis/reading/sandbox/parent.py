"""Reading of untrusted files in a separate process with limits: if it crashes, an error says why.

The process reads while the caller continues; only numbers and text come back.
"""

from __future__ import annotations

import atexit
import contextlib
import glob
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from lzgis.errors import LzgisError, SourceError
from lzgis.messages import Message, library_message
from lzgis.reading.addresses import address_of, file_of, scheme_of, shown
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.readers import READERS, is_address, read_vector
from lzgis.reading.sandbox.limits import MEMORY_BYTES, TIME_S, Network, environment, too_much_memory
from lzgis.reading.sandbox.request import ANSWER, COUNTED, DRAFT, ERROR, REQUEST, Request, is_answered, write_request
from lzgis.reading.sandbox.warm import Fork, warm_start

#: How many files one process reads; then a new one is started, because libraries leak memory.
_IN_ONE_PROCESS = 50
#: How often it is looked whether rows have been counted, in seconds.
_INTERVAL_S = 0.01


#: The folders of requests that have not been removed. A signal may end the process between any two statements, so each is
#: listed before it exists, and what is left is removed when the process ends.
_FOLDERS: set[Path] = set()


@atexit.register
def _remove_all() -> None:
    for folder in list(_FOLDERS):
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove the folder of a request, also if this process can open no more files: names are removed without that."""
    with contextlib.suppress(OSError):
        for name in (REQUEST, DRAFT, ANSWER, ERROR, COUNTED):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
    if folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        _FOLDERS.discard(folder)


@dataclass(frozen=True)
class Limits:
    """Limits of the reading process: address space (bytes) and elapsed time (s)."""

    memory_bytes: int = MEMORY_BYTES
    time_s: float = TIME_S


@dataclass(eq=False)
class Reading:
    """A running reading; as a context manager it ends the process on exit."""

    place: str
    options: ReadOptions
    limits: Limits
    most: int | None = None
    _folder: Path | None = None
    _process: subprocess.Popen[bytes] | Fork | None = None
    _read: Read | None = field(default=None, repr=False)

    def result(self) -> Read:
        """Wait for the result.

        Raises
        ------
        SourceError, LayerError, ConfigError
            If the file cannot be read, or reading it exceeded the limits or crashed the process.
        """
        if self._read is None:
            assert self._process is not None
            assert self._folder is not None
            try:
                code = self._process.wait(self.limits.time_s)
                self._read = _answer(self._folder, code, self.place, self.limits)
            except subprocess.TimeoutExpired:
                late = _timeout_error(self.place, self.limits)
                raise late from None
            finally:
                self.close()
        return self._read

    def is_long(self) -> bool:
        """Return whether the input has more rows than `most`, so that only its first is read; wait until they are counted."""
        if self.most is None or self._folder is None or self._process is None:
            return False
        folder, until = self._folder, time.monotonic() + self.limits.time_s
        while not (folder / COUNTED).exists() and self._process.poll() is None and time.monotonic() < until:
            time.sleep(_INTERVAL_S)
        if (folder / COUNTED).exists() or not (folder / ANSWER).exists():
            # What went wrong is raised by `result`.
            return False
        return (self.result().total or 0) > self.most

    def close(self) -> None:
        """End the process if it is running, and remove its folder."""
        _end(self._process)
        if self._folder is not None:
            _remove(self._folder)

    def __enter__(self) -> Reading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def begin_reading(
    path: str | Path,
    *,
    layer: str | None = None,
    options: ReadOptions | None = None,
    limits: Limits | None = None,
    most: int | None = None,
) -> Reading:
    """Start reading a file in a separate process.

    Of a file with more than `most` rows, in a format that is read from any row on, only the first row is read; `Reading.is_long`
    says so.

    Raises
    ------
    SourceError
        Immediately, if there is no such file, or no reader for its suffix.
    """
    chosen = options or ReadOptions()
    chosen = chosen if layer is None else replace(chosen, layer=layer)
    bounds = limits or Limits()
    if scheme_of(path) in ("postgis", "postgresql"):
        # A database returns rows, not a file that a library must parse.
        return Reading(shown(path), chosen, bounds, _read=read_vector(path, options=chosen))
    folder = _write_folder(path, chosen, bounds, most)
    return Reading(shown(path), chosen, bounds, most, folder, _start([folder], chosen.network))


def read_many_in_sandbox(
    requests: Sequence[tuple[str | Path, ReadOptions]], *, limits: Limits | None = None
) -> list[Read | LzgisError]:
    """Read many files in one separate process, which is started again after a file that crashes it.

    Returns
    -------
    list
        The result or the error of each file, in their order. The limits hold for each file: one that exceeds them, or
        crashes the process, after others were read in it, is read again as the first file of a new process.
    """
    most = limits or Limits()
    results: dict[int, Read | LzgisError] = {}
    folders: dict[int, Path] = {}
    try:
        for i, (path, options) in enumerate(requests):
            try:
                folders[i] = _write_folder(path, options, most)
            except LzgisError as error:
                results[i] = error
        waiting = list(folders)
        while waiting:
            some = waiting[:_IN_ONE_PROCESS]
            network: Network = "allowed" if any(requests[i][1].network == "allowed" for i in some) else "refused"
            code, late = _run([folders[i] for i in some], network, most)
            for n, i in enumerate(some):
                place = shown(requests[i][0])
                done = is_answered(folders[i])
                if not done and n:
                    # What a process read before may be the cause: a file is blamed only if it was the first one.
                    break
                try:
                    results[i] = (
                        _timeout_error(place, most) if late and not done else _answer(folders[i], code, place, most)
                    )
                except LzgisError as error:
                    results[i] = error
                waiting.remove(i)
    finally:
        for folder in folders.values():
            _remove(folder)
    return [results[i] for i in range(len(requests))]


def _write_folder(path: str | Path, options: ReadOptions, limits: Limits, most: int | None = None) -> Path:
    source = address_of(path) if is_address(path) else str(checked_path(path))
    folder = Path(tempfile.gettempdir()) / f"lzgis-read-{secrets.token_hex(16)}"
    _FOLDERS.add(folder)
    folder.mkdir(mode=0o700)
    write_request(Request(source, options, limits.memory_bytes, most), folder)
    return folder


def _start(folders: Sequence[Path], network: Network) -> subprocess.Popen[bytes] | Fork:
    fork = warm_start(folders) if network == "refused" else None
    return fork or _new_process(folders, network)


def _new_process(folders: Sequence[Path], network: Network) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # -P: modules in the current folder are not imported.
        [sys.executable, "-P", "-m", "lzgis.reading.sandbox.child", *map(str, folders)],
        cwd=folders[0],
        env=environment(network),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _run(folders: Sequence[Path], network: Network, limits: Limits) -> tuple[int, bool]:
    """Run a process over several requests; return its exit code, and whether it was ended because of the time limit."""
    process = _new_process(folders, network)
    try:
        done, since = 0, time.monotonic()
        while process.poll() is None:
            now_done = sum(map(is_answered, folders))
            if now_done > done:
                done, since = now_done, time.monotonic()
            if time.monotonic() - since > limits.time_s:
                return 0, True
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        return process.returncode, False
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes] | Fork | None) -> None:
    if process is not None and process.poll() is None:
        process.kill()
        process.wait()


def _answer(folder: Path, code: int, place: str, limits: Limits) -> Read:
    # Imported here: importing geopandas takes longer than starting the process.
    from lzgis.reading.sandbox.exchange import unpack, unpack_error

    if (folder / ERROR).exists():
        try:
            error = unpack_error((folder / ERROR).read_text("ascii"))
        except ValueError:
            # The disk was full when the error was written.
            what = Message("cannot be read: the process that reads it could not write its answer")
            remedy = Message(
                "look whether the disk and the folder for temporary files (TMPDIR) have room and can be written to"
            )
            raise SourceError(place, what, remedy) from None
        raise error from None
    if not (folder / ANSWER).exists():
        cause = _crash_error(code, place, limits)
        raise cause from None
    try:
        return unpack(folder / ANSWER)
    except Exception as error:
        # A process taken over by a hostile file can write anything; here it wrote no valid data.
        what = Message("made the process that read it answer nonsense ({error})", error=library_message(error))
        raise SourceError(place, what, Message("it is damaged or hostile: ask for it again")) from error


def _crash_error(code: int, place: str, limits: Limits) -> SourceError:
    names = {-int(one): one.name for one in signal.Signals}
    # C libraries abort when they get no memory, and the kernel kills processes that take too much.
    if names.get(code) in ("SIGABRT", "SIGKILL"):
        return too_much_memory(place, limits.memory_bytes)
    what = Message("made the library that reads it crash ({code})", code=names.get(code, f"exit code {code}"))
    return SourceError(place, what, Message("it is damaged or hostile: ask for it again"))


def _timeout_error(place: str, limits: Limits) -> SourceError:
    what = Message("was not read within {seconds} s", seconds=round(limits.time_s))
    return SourceError(place, what, Message("split it, or look whether it is what it says"))


def checked_path(path: str | Path) -> Path:
    """Check that a path is an existing file or folder and no link to another folder.

    Raises
    ------
    SourceError
        If it is no path of a file, does not exist, has no reader for its suffix, or is a link to another folder, or a file
        of the same name beside it is: links could expose files that the sender has no access to.
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


def read_in_sandbox(
    path: str | Path, *, layer: str | None = None, options: ReadOptions | None = None, limits: Limits | None = None
) -> Read:
    """Read a file in a separate process and wait for it; arguments and errors as :func:`begin_reading`."""
    with begin_reading(path, layer=layer, options=options, limits=limits) as reading:
        return reading.result()
