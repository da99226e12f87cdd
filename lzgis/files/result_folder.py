"""A folder of results as one unit: it is changed from one whole result to the next, or not at all.

Everything is made in ``.lzgis`` in the folder itself, read back and forced to the disk; then one rename of a folder
says that the new result counts, and only then do its files take the place of the old ones, which keep a second
name until all is done. A process that is killed before that rename has changed nothing; one that is killed after it is
finished by the next that comes. Files that no manifest names are the user's and are not touched.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lzgis.errors import ExportError
from lzgis.files.atomic_write import NO_LOCKS, UNFINISHED, export_errors, sync, working_folder
from lzgis.files.lock import Lock
from lzgis.files.manifest import MANIFEST, Manifest, Result, describe_files, read_manifest, state_of
from lzgis.messages import Message

_READY = "ready"
_NEW, _OLD, _PLAN, _UNDO = "new", "old", "plan.json", "undo.json"


@dataclass
class Stage:
    """Where the files of a result are made, and what is to be said of them in the manifest.

    `result` must be set before the end; a stage without it changes nothing.
    """

    out: Path
    folder: Path
    result: Result | None = None

    def final(self, path: Path) -> Path:
        """Name the place that a file of the stage will have."""
        return self.out / path.relative_to(self.folder)


@contextmanager
def locked_folder(out: str | Path) -> Iterator[Path]:
    """Have a folder for oneself: made if need be, what a killed process had decided finished, and locked to the end.

    Raises
    ------
    ExportError
        If it cannot be written to, or another process is writing there.
    """
    out = Path(out)
    lock = _locked(out)
    try:
        with export_errors(out):
            finish(out)
        # Better now than after an hour of work.
        read_manifest(out)
        yield out
    finally:
        lock.release()
        _tidy(out)


@contextmanager
def new_result(out: Path, name: str) -> Iterator[Stage]:
    """Let a result be made beside its folder, and put all of it in its place at the end.

    Parameters
    ----------
    out : Path
        The folder, which must be `locked_folder`.
    name : str
        What the manifest calls the result; an older one of that name is replaced. Its files that are not written again
        stay if they were made from the same inputs, rules and versions, and are removed otherwise.

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
            # A reader knows the place of the file, not where it was being made.
            where = str(error.place).replace(str(stage.folder), str(out))
            raise ExportError(where, error.what, error.remedy) from error
        if stage.result is not None:
            _decide(stage, name, stage.result)
    with export_errors(out):
        finish(out)


def is_unfinished(out: Path) -> bool:
    """Tell whether a process was killed between deciding on a result and putting all of it in place."""
    return (out / UNFINISHED / _READY).is_dir()


def finish(out: Path) -> bool:
    """Finish what a process had decided and was killed over; say whether there was anything.

    Raises
    ------
    OSError
        If a file cannot be replaced; all those replaced before have then got their old content back.
    """
    ready = out / UNFINISHED / _READY
    if not ready.is_dir():
        return False
    if (ready / _UNDO).exists():
        _undo(out, ready)
        return True
    plan = json.loads((ready / _PLAN).read_text("utf-8"))
    try:
        for name in (*plan["files"], MANIFEST):
            # If it is not there, it was moved before the process was killed.
            if (ready / _NEW / name).exists():
                (ready / _NEW / name).replace(out / name)
    except OSError:
        (ready / _PLAN).replace(ready / _UNDO)
        _undo(out, ready)
        raise
    for name in plan["obsolete"]:
        (out / name).unlink(missing_ok=True)
        _remove_empty(out, (out / name).parent)
    for folder in sorted({(out / name).parent for name in plan["files"]} | {out}):
        sync(folder)
    _drop(ready)
    return True


def _undo(out: Path, ready: Path) -> None:
    """Give every file that was replaced its old content; may be cut short and begun again."""
    plan = json.loads((ready / _UNDO).read_text("utf-8"))
    for name in (*plan["files"], MANIFEST):
        if (ready / _NEW / name).exists():
            continue
        if name in plan["fresh"]:
            (out / name).unlink(missing_ok=True)
        elif (ready / _OLD / name).exists():
            (ready / _OLD / name).replace(out / name)
    _drop(ready)


def _drop(ready: Path) -> None:
    # Under another name first: half of a decision must never be taken for one.
    gone = ready.with_name("w-done")
    shutil.rmtree(gone, ignore_errors=True)
    ready.replace(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _locked(out: Path) -> Lock:
    with export_errors(out):
        while True:
            (out / UNFINISHED).mkdir(parents=True, exist_ok=True)
            lock = Lock(out / UNFINISHED / "lock")
            try:
                taken = lock.take()
                if taken:
                    lock.sign()
            except FileNotFoundError:  # The holder before has just tidied up.
                continue
            except OSError as error:
                _tidy(out)
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


def _tidy(out: Path) -> None:
    # Not empty: somebody else is at work, or a batch is to be continued.
    with contextlib.suppress(OSError):
        (out / UNFINISHED).rmdir()


def _decide(stage: Stage, name: str, result: Result) -> None:
    """Prepare everything that may fail, then make the new result count by one rename."""
    out, made = stage.out, stage.folder.parent
    files = sorted(p.relative_to(stage.folder).as_posix() for p in stage.folder.rglob("*") if p.is_file())
    before = read_manifest(out) or Manifest()
    older = before.results.get(name, Result(made_at=""))
    unwritten = [one for one in older.files if one.name not in files and state_of(out, one) == "same"]
    kept = unwritten if older.same_inputs(result) else []
    result = result.model_copy(update={"files": [*kept, *describe_files(stage.folder, files)]})
    manifest = Manifest(results={**before.results, name: result})
    (stage.folder / MANIFEST).write_text(manifest.text(), "utf-8", newline="\n")
    # What another result names as well is not this one's to remove.
    others = {one.name for key, other in before.results.items() if key != name for one in other.files}
    obsolete = [one.name for one in unwritten if one not in kept and one.name not in others]
    fresh = [one for one in (*files, MANIFEST) if not (out / one).exists()]
    plan = {"files": files, "obsolete": obsolete, "fresh": fresh}
    (made / _PLAN).write_text(json.dumps(plan, ensure_ascii=False), "utf-8")
    for one in (*files, MANIFEST):
        (out / one).parent.mkdir(parents=True, exist_ok=True)
        (made / _OLD / one).parent.mkdir(parents=True, exist_ok=True)
        if one not in fresh:
            _name_again(out / one, made / _OLD / one)
    for path in (stage.folder / MANIFEST, made / _PLAN, stage.folder, made):
        sync(path)
    made.rename(out / UNFINISHED / _READY)
    sync(out / UNFINISHED)


def _name_again(path: Path, name: Path) -> None:
    try:
        name.hardlink_to(path)
    except OSError:  # The file system knows no second names.
        shutil.copy2(path, name)


def _remove_empty(out: Path, folder: Path) -> None:
    while folder != out:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
