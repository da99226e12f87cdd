"""A result folder as one unit: it changes from one complete result to the next, or not at all.

New files are written to the folder ``.lzgis`` inside it, read back and flushed to the disk. One rename of a folder then
commits the new result. After that its files replace the old ones, which keep a second name (a hard link) until all
are replaced. A process that is killed before the rename has changed nothing; if it is killed later, the next process
completes the change. Files that the manifest does not name belong to the user and are not touched.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lzgis.config import validation_message
from lzgis.errors import ExportError
from lzgis.files.atomic_write import NO_LOCKS, UNFINISHED, check_no_link, export_errors, sync, working_folder
from lzgis.files.lock import Lock
from lzgis.files.manifest import (
    MANIFEST,
    FileName,
    Manifest,
    Result,
    describe_files,
    has_link,
    open_regular,
    read_manifest,
    state_of,
)
from lzgis.messages import Message, library_message

_READY = "ready"
_NEW, _OLD, _PLAN, _UNDO = "new", "old", "plan.json", "undo.json"


class _Plan(BaseModel):
    """What a committed result changes: files to replace, files to remove, and which of the former did not exist."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: list[FileName]
    obsolete: list[FileName]
    fresh: list[str]


@dataclass
class Stage:
    """Folder in which the files of a new result are written, and their entry in the manifest.

    `result` must be set before the end; without it nothing is changed.
    """

    out: Path
    folder: Path
    result: Result | None = None

    def final(self, path: Path) -> Path:
        """Return the final path of a file of the stage."""
        return self.out / path.relative_to(self.folder)


@contextmanager
def locked_folder(out: str | Path) -> Iterator[Path]:
    """Lock a result folder until the end; a context manager.

    The folder is created if necessary. A result that a killed process had committed is completed first.

    Raises
    ------
    ExportError
        If it cannot be written to, or another process is writing there.
    """
    out = Path(out)
    lock = _take_lock(out)
    try:
        with export_errors(out):
            finish(out)
        # A file that is no manifest of lzgis is found before the work begins.
        read_manifest(out)
        yield out
    finally:
        lock.release()
        _remove_if_empty(out)


@contextmanager
def new_result(out: Path, name: str) -> Iterator[Stage]:
    """Write a new result, and replace the old one by it at the end; a context manager.

    Parameters
    ----------
    out : Path
        The folder, which must be locked by `locked_folder`.
    name : str
        Name of the result in the manifest; an older result of that name is replaced. Old files that are not written again
        stay if they were made from the same inputs, rules and versions; otherwise they are removed.

    Raises
    ------
    ExportError
        If a file cannot be written or read back; the folder is then as it was.
    """
    with export_errors(out), working_folder(out) as place:
        stage = Stage(out, place / "made" / _NEW)
        stage.folder.mkdir(parents=True)
        try:
            yield stage
        except ExportError as error:
            # The message names the final path of the file, not the temporary one.
            where = str(error.place).replace(str(stage.folder), str(out))
            raise ExportError(where, error.what, error.remedy) from error
        if stage.result is not None:
            _commit(stage, name, stage.result)
    with export_errors(out):
        finish(out)


def is_unfinished(out: Path) -> bool:
    """Return whether a process was killed after committing a result and before replacing all files."""
    return (out / UNFINISHED / _READY).is_dir()


def finish(out: Path) -> bool:
    """Complete a committed result; return whether there was one.

    Raises
    ------
    OSError
        If a file cannot be replaced; the files replaced before are then restored.
    ExportError
        If the plan of the change is damaged, or names a file outside the folder or behind a link; nothing is changed.
    """
    ready = out / UNFINISHED / _READY
    if not ready.is_dir():
        return False
    if (ready / _UNDO).exists():
        _undo(out, ready)
        return True
    plan = _read_plan(out, ready, _PLAN)
    try:
        for name in (*plan.files, MANIFEST):
            # A missing file was moved before the process was killed.
            if (ready / _NEW / name).exists():
                (ready / _NEW / name).replace(out / name)
    except OSError:
        (ready / _PLAN).replace(ready / _UNDO)
        _undo(out, ready)
        raise
    for name in plan.obsolete:
        (out / name).unlink(missing_ok=True)
        _remove_empty(out, (out / name).parent)
    for folder in sorted({(out / name).parent for name in plan.files} | {out}):
        sync(folder)
    _drop(ready)
    return True


def _read_plan(out: Path, ready: Path, name: str) -> _Plan:
    """Read what a committed result changes; refuse a plan that reaches outside the folder."""
    try:
        for part in (
            UNFINISHED,
            f"{UNFINISHED}/{_READY}",
            f"{UNFINISHED}/{_READY}/{_NEW}",
            f"{UNFINISHED}/{_READY}/{_OLD}",
        ):
            if has_link(out, part):
                raise ValueError(Message("{name} is a link", name=part))
        with open_regular(ready / name) as file:
            plan = _Plan.model_validate_json(file.read())
        for one in (*plan.files, *plan.obsolete, MANIFEST):
            _check_place(out, ready, one)
    except (OSError, ValueError, ValidationError, RecursionError) as error:
        why = validation_message(error) if isinstance(error, ValidationError) else library_message(error)
        what = Message("an unfinished result cannot be completed ({why})", why=why)
        raise ExportError(str(out / UNFINISHED), what, Message("remove this folder, or choose another one")) from error
    return plan


def _check_place(out: Path, ready: Path, name: str) -> None:
    folders = name.rpartition("/")[0]
    if (folders and has_link(out, folders)) or any(has_link(ready / side, name) for side in (_NEW, _OLD)):
        raise ValueError(Message("{name} is a link", name=name))
    for path in (ready / _NEW / name, ready / _OLD / name):
        if path.exists() and not path.is_file():
            raise ValueError(Message("{name} is not a file", name=name))


def _undo(out: Path, ready: Path) -> None:
    """Restore every file that was replaced; may be interrupted and repeated."""
    plan = _read_plan(out, ready, _UNDO)
    for name in (*plan.files, MANIFEST):
        if (ready / _NEW / name).exists():
            continue
        if name in plan.fresh:
            (out / name).unlink(missing_ok=True)
        elif (ready / _OLD / name).exists():
            (ready / _OLD / name).replace(out / name)
    _drop(ready)


def _drop(ready: Path) -> None:
    # Renamed first: a folder that is removed halfway must not be mistaken for a committed result.
    gone = ready.with_name("w-done")
    shutil.rmtree(gone, ignore_errors=True)
    ready.replace(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _take_lock(out: Path) -> Lock:
    with export_errors(out):
        while True:
            check_no_link(out / UNFINISHED)
            (out / UNFINISHED).mkdir(parents=True, exist_ok=True)
            lock = Lock(out / UNFINISHED / "lock")
            try:
                taken = lock.take()
                if taken:
                    lock.sign()
            except FileNotFoundError:  # The last holder has just removed the folder.
                continue
            except OSError as error:
                _remove_if_empty(out)
                if error.errno not in NO_LOCKS:
                    raise
                remedy = Message("write to a folder on this computer, and copy the result")
                raise ExportError(str(out), Message("lies on a file system without locks"), remedy) from error
            if not taken:
                what = Message(
                    "another run is writing here (process {process} on {host}, since {since})", **lock.holder()
                )
                raise ExportError(str(out), what, Message("wait until it has ended, or choose another folder"))
            return lock


def _remove_if_empty(out: Path) -> None:
    # Not empty: another process is writing, or a batch will be continued.
    with contextlib.suppress(OSError):
        (out / UNFINISHED).rmdir()


def _commit(stage: Stage, name: str, result: Result) -> None:
    """Prepare everything that may fail, then commit the new result by one rename."""
    out, made = stage.out, stage.folder.parent
    files = sorted(p.relative_to(stage.folder).as_posix() for p in stage.folder.rglob("*") if p.is_file())
    before = read_manifest(out) or Manifest()
    older = before.results.get(name, Result(made_at=""))
    unwritten = [one for one in older.files if one.name not in files and state_of(out, one) == "same"]
    kept = unwritten if older.same_inputs(result) else []
    result = result.model_copy(update={"files": [*kept, *describe_files(stage.folder, files)]})
    manifest = Manifest(results={**before.results, name: result})
    (stage.folder / MANIFEST).write_text(manifest.text(), "utf-8", newline="\n")
    # Files that belong to another result too are not removed.
    others = {one.name for key, other in before.results.items() if key != name for one in other.files}
    obsolete = [one.name for one in unwritten if one not in kept and one.name not in others]
    fresh = [one for one in (*files, MANIFEST) if not (out / one).exists()]
    plan = {"files": files, "obsolete": obsolete, "fresh": fresh}
    (made / _PLAN).write_text(json.dumps(plan, ensure_ascii=False), "utf-8")
    for one in (*files, MANIFEST):
        for folder in [place for place in (out / one).parents if place.is_relative_to(out) and place != out]:
            check_no_link(folder)
        (out / one).parent.mkdir(parents=True, exist_ok=True)
        (made / _OLD / one).parent.mkdir(parents=True, exist_ok=True)
        if one not in fresh:
            _link_or_copy(out / one, made / _OLD / one)
    for path in (stage.folder / MANIFEST, made / _PLAN, stage.folder, made):
        sync(path)
    made.rename(out / UNFINISHED / _READY)
    sync(out / UNFINISHED)


def _link_or_copy(path: Path, name: Path) -> None:
    try:
        name.hardlink_to(path)
    except OSError:  # The file system has no hard links.
        shutil.copy2(path, name)


def _remove_empty(out: Path, folder: Path) -> None:
    while folder != out:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
