"""The private folder in which lzgis caches what does not change between runs.

Other users must not be able to change what a run reads there. On POSIX systems a folder is created with mode 0700, and is
used only if it belongs to the user, no one else can write to it, and no one else can replace it or a folder above it. On
Windows the folder lies in the profile of the user, whose access list admits no other user.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


def user_folder() -> Path:
    """Return the folder of lzgis's cache: ``LZGIS_CACHE`` if set, else the one that the platform provides."""
    given = os.environ.get("LZGIS_CACHE")
    if given:
        return Path(given)
    import platformdirs

    return platformdirs.user_cache_path("lzgis", appauthor=False)


def create_private(folder: Path) -> str:
    """Create a folder that only its owner can write to; return why it is not private, or nothing.

    Raises
    ------
    OSError
        If it cannot be created.
    """
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        # The mode of every folder, which `parents=True` would leave to the umask.
        one.mkdir(mode=0o700, exist_ok=True)
    if os.name != "posix":
        return ""
    parents = folder.parent.resolve()
    return _fault(folder) or next(filter(None, map(_parent_fault, (parents, *parents.parents))), "")


def remove_all_but_newest(entries: Sequence[Path], newest: int) -> None:
    """Remove files and folders, except those that were used last; a link is never followed or removed."""
    used: list[tuple[float, Path]] = []
    for entry in entries:
        # Another process may remove it at the same time.
        with suppress(OSError):
            if not entry.is_symlink():
                used.append((entry.stat().st_mtime, entry))
    for _, entry in sorted(used, reverse=True)[newest:]:
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with suppress(OSError):
                entry.unlink()


def _fault(folder: Path) -> str:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return "it is a link or a file, not a folder"
    if status.st_uid != os.geteuid():
        return "it belongs to another user"
    return "other users can write to it" if status.st_mode & 0o022 else ""


def _parent_fault(folder: Path) -> str:
    """Return why others could replace what lies in a folder above the cache, or nothing."""
    status = folder.stat()
    if status.st_uid not in (0, os.geteuid()):
        return f"{folder} belongs to another user"
    # In a sticky folder, as /tmp, others can create entries but not replace those of the user.
    return f"other users can write to {folder}" if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX else ""
