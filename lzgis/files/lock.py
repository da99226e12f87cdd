"""One writer at a time: a lock of the operating system on a file, which ends with the process that holds it."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import os
import platform
import sys
from pathlib import Path

from filelock import FileLock, Timeout


class Lock:
    """A lock on a file, with a note beside it that says who holds it.

    The lock is one of the operating system (:class:`filelock.FileLock`): it ends when its process ends, however that
    happens, and the files that a killed process leaves behind do not block the next one.

    Parameters
    ----------
    path : Path
        The file to lock. It is created if necessary; its folder must exist.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> first, second = (Lock(Path(folder.name) / "lock") for _ in range(2))
    >>> first.take(), second.take()
    (True, False)
    >>> first.release()
    >>> second.take()
    True
    >>> second.release()
    >>> folder.cleanup()
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # A file system without locks is an error here: a marker file would outlive a process that is killed.
        self._lock = FileLock(path, timeout=0, thread_local=False, fallback_to_soft=False)
        # In a file of its own: Windows does not let other processes read a locked file.
        self._note = path.with_name(f"{path.name}.json")

    def take(self) -> bool:
        """Take the lock if no one holds it; return whether it was taken.

        Raises
        ------
        OSError
            If the folder does not exist or cannot be written to, or its file system has no locks.
        """
        while True:
            # Opening the file empties it: a link would empty a file elsewhere.
            if self.path.is_symlink():
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(self.path))
            try:
                self._lock.acquire()
            except Timeout:
                # The last holder may have removed the file between opening and locking it here: then try again.
                if self.path.exists():
                    return False
            else:
                return True

    def sign(self) -> None:
        """Write down who holds the lock; the lock also holds if the disk is too full for the note."""
        since = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        note = {"process": os.getpid(), "host": platform.node(), "since": since}
        with contextlib.suppress(OSError):
            # Removed first: what stands there may be a link to another file.
            self._note.unlink(missing_ok=True)
            with self._note.open("x", encoding="utf-8") as file:
                file.write(json.dumps(note))

    def holder(self) -> dict[str, str]:
        """Return who holds the lock as ``process``, ``host`` and ``since``; ``?`` where it is not known."""
        note: object = None
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if self._note.is_file() and not self._note.is_symlink():
                note = json.loads(self._note.read_text("utf-8"))
        known = note if isinstance(note, dict) else {}
        return {name: str(known.get(name, "?")) for name in ("process", "host", "since")}

    def release(self) -> None:
        """Release the lock and remove its files."""
        if not self._lock.is_locked:
            return
        # Removed while the lock is held: no other process may find a file that is about to be removed.
        with contextlib.suppress(OSError):
            self._note.unlink(missing_ok=True)
            if sys.platform != "win32":
                self.path.unlink(missing_ok=True)
        self._lock.release()
