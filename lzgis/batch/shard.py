"""One shard: its sites are screened and its answers written as a whole or not at all, in this process or on a worker."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lzgis.batch.answers import (
    Answers,
    AnyReference,
    AnySetting,
    Parts,
    joined_answers,
    screened_sites,
    setting_of,
    write_answers,
)
from lzgis.batch.plan import Shard, shard_sites
from lzgis.batch.tables import system_memory
from lzgis.errors import ConfigError, LayerError, LzgisError, SourceError
from lzgis.files.atomic_write import digest_of, sync
from lzgis.messages import Message
from lzgis.model.report import Problem, SiteTable, Source
from lzgis.screening.pieces import ONE_AT_A_TIME, pieces_of

_SEAL = "seal.json"


class Common(NamedTuple):
    """What all shards of a batch share: its folder, the hash of its inputs, the source of its sites, what they hold."""

    folder: Path
    key: str
    source: Source
    parts: Parts = "built"


class Task(NamedTuple):
    """What a worker needs to screen a shard."""

    common: Common
    shard: Shard
    setting: AnyReference


def do_task(task: Task) -> int:
    """Screen a shard on a worker, unless it is done already; return its number."""
    # One at a time in each process: compiled loops use all cores, and prepared geometries of GEOS are not thread-safe.
    with ONE_AT_A_TIME:
        do_shard(task.common, task.shard, setting_of(task.setting))
    return task.shard.number


def read_setting(task: Task) -> None:
    """Read the setting on a worker."""
    setting_of(task.setting)


def try_sites(task: Task, first: int, end: int) -> None:
    """Screen some sites of a shard on a worker and discard the answers, to see whether the worker survives."""
    sites = shard_sites(task.common.folder, task.shard, task.common.source)
    with ONE_AT_A_TIME:
        answers_one_by_one(replace(sites, frame=sites.frame.iloc[first:end]), setting_of(task.setting))


def do_without(task: Task, deadly: tuple[int, ...], at_once: int) -> None:
    """Screen a shard on a worker, at most `at_once` sites at a time, without the `deadly` ones (positions)."""
    with ONE_AT_A_TIME:
        do_shard(task.common, task.shard, setting_of(task.setting), partial(_answers_without, deadly, at_once))


def _answers_without(deadly: tuple[int, ...], at_once: int, sites: SiteTable, setting: AnySetting) -> Answers:
    cuts = sorted({0, len(sites.frame), *range(0, len(sites.frame), at_once), *deadly, *(i + 1 for i in deadly)})
    ended = SourceError(
        sites.source.name,
        Message("could not be checked: the process that screened it ended, and so did another with it alone"),
        Message("look at its geometry"),
    )
    parts = []
    for first, end in pairwise(cuts):
        piece = replace(sites, frame=sites.frame.iloc[first:end])
        parts.append(
            screened_sites(_unusable(piece, ended), setting) if first in deadly else answers_one_by_one(piece, setting)
        )
    return joined_answers(parts, setting)


@system_memory()
def do_shard(
    common: Common,
    shard: Shard,
    setting: AnySetting,
    screened: Callable[[SiteTable, AnySetting], Answers] | None = None,
) -> None:
    """Screen a shard and write its answers, unless they are there already.

    Raises
    ------
    ExportError
        If the answers cannot be written, or the sites were damaged.
    """
    folder = common.folder
    if is_done(common, shard):
        return
    answers = (screened or answers_one_by_one)(shard_sites(folder, shard, common.source), setting)
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="w-", dir=parts))
    try:
        names = write_answers(made, answers, common.parts)
        seal: dict[str, object] = {"key": common.key, "parts": common.parts, "sites": shard.sha256}
        seal["files"] = {name: digest_of(made / name) for name in names}
        (made / _SEAL).write_text(json.dumps(seal), "utf-8")
        sync(made / _SEAL)
        sync(made)
        _publish(made, parts / shard.name, lambda: is_done(common, shard))
    finally:
        shutil.rmtree(made, ignore_errors=True)


def is_done(common: Common, shard: Shard) -> bool:
    """Return whether the answers of a shard exist, are from these inputs, hold what is wanted, and are undamaged."""
    part = part_folder(common.folder, shard)
    try:
        seal = json.loads((part / _SEAL).read_text("utf-8"))
        same = all(digest_of(part / name) == digest for name, digest in seal["files"].items())
        whole = common.parts in (seal["parts"], "left out")
        return same and whole and (seal["key"], seal["sites"]) == (common.key, shard.sha256)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def part_folder(folder: Path, shard: Shard) -> Path:
    """Return the folder of the answers of a shard."""
    return folder / "parts" / shard.name


def answers_one_by_one(sites: SiteTable, setting: AnySetting) -> Answers:
    """Screen sites; one that cannot be screened becomes 未核查, with its reason, and does not affect the others.

    After an error the sites are halved until the one that causes it is found.

    Raises
    ------
    ConfigError, LayerError
        If the city has errors, which affect every site.
    """
    try:
        return screened_sites(sites, setting)
    except (ConfigError, LayerError):
        raise
    except Exception as error:  # A geometry may raise any error in a library.
        if len(sites.frame) == 1:
            return screened_sites(_unusable(sites, error), setting)
    halves = pieces_of(sites, -(-len(sites.frame) // 2))
    return joined_answers([answers_one_by_one(half, setting) for half in halves], setting)


def _unusable(sites: SiteTable, error: Exception) -> SiteTable:
    site = sites.frame["id"].iloc[0]
    place = Message("{name}, site '{site}'", name=sites.source.name, site=site)
    if isinstance(error, LzgisError):
        problem = Problem("error", place, error.what, error.remedy)
    else:
        reason = Message("{kind}: {why}", kind=type(error).__name__, why=error)
        why = Message("could not be checked: {why}", why=reason)
        problem = Problem("error", place, why, Message("look at its geometry"))
    nothing = np.array([None], dtype=object)
    frame = sites.frame.assign(activity="").set_geometry(nothing, crs=sites.frame.crs)
    return replace(sites, frame=frame, problems=(*sites.problems, problem))


def _publish(made: Path, part: Path, done: Callable[[], bool]) -> None:
    for _ in range(2):
        with contextlib.suppress(OSError):
            made.rename(part)
            return
        # Another worker finished the same shard meanwhile, or the folder there is damaged.
        if done():
            return
        shutil.rmtree(part, ignore_errors=True)
    made.rename(part)
