"""One writer at a time: a lock that the operating system lets go when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
import sys
from pathlib import Path

# Where the lock lies in the file: far behind the text, which must stay readable while Windows locks that byte.
_FAR = 1 << 30

if sys.platform == "win32":
    import msvcrt

    def _seize(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _seize(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """A lock on a file, which says who holds it.

    A process that is killed holds nothing any more: the file that it leaves behind is no lock.

    Parameters
    ----------
    path : Path
        The file, made if need be; its folder must be there.

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
        self._descriptor = -1

    def take(self) -> bool:
        """Take the lock if nobody has it, and say whether it was taken.

        Raises
        ------
        OSError
            If the folder is gone or cannot be written to, or its file system knows no locks.
        """
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _seize(descriptor)
            except (BlockingIOError, PermissionError):
                os.close(descriptor)
                return False
            except OSError:
                os.close(descriptor)
                raise
            if _is_file(descriptor, self.path):
                break
            # Its last holder removed the file after it was opened here: that lock would keep nobody out.
            os.close(descriptor)
        self._descriptor = descriptor
        return True

    def sign(self) -> None:
        """Write down who holds the lock; a disk too full for that has told nobody, and locks all the same."""
        since = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        text = json.dumps({"process": os.getpid(), "host": platform.node(), "since": since})
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, text.encode())

    def holder(self) -> dict[str, str]:
        """Tell who holds the lock: ``process``, ``host`` and ``since``, empty where it is not known."""
        told: object = None
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(self.path.read_text("utf-8"))
        known = told if isinstance(told, dict) else {}
        return {name: str(known.get(name, "?")) for name in ("process", "host", "since")}

    def release(self) -> None:
        """Let the lock go and remove its file."""
        if self._descriptor < 0:
            return
        # Removed while held, so that nobody finds an unlocked file that is about to go; Windows wants it closed first.
        if sys.platform != "win32":
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


def _is_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
