"""The plan of a batch: its inputs, and its sites cut into shards on disk."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

import lzgis
from lzgis.batch.answers import AnySetting
from lzgis.batch.tables import (
    problems_from,
    read_frame,
    repairs_from,
    serialised_problems,
    serialised_repairs,
    serialised_text,
    text_from,
    write_frame,
)
from lzgis.errors import ExportError, SourceError
from lzgis.files.atomic_write import UNFINISHED, digest_of, write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.report import Problem, Repair, SiteTable, Source
from lzgis.reading import ReadOptions

_PLAN, _BEGUN = "plan.json", "begun.json"


class Shard(BaseModel):
    """A part of the sites: its number from 1, the number of sites, the hash of their file, and which are outlines."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: int
    sites: int
    sha256: str
    enclosing: list[str] = []

    @property
    def name(self) -> str:
        """The stem of its files."""
        return f"{self.number:06d}"


class Begun(BaseModel):
    """A batch before its first site is read: when it was begun, and its inputs.

    `inputs` are the hashes of everything that its answers depend on, by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    inputs: dict[str, str]
    made_at: dt.datetime

    @property
    def key(self) -> str:
        """One hash of all inputs."""
        return hashlib.sha256(json.dumps(self.inputs, sort_keys=True).encode()).hexdigest()


class Plan(Begun):
    """A batch whose sites are cut.

    `columns` are the types of columns whose type differs between shards, as that of integers does if one is missing.
    """

    source: dict[str, str]
    transforms: list[Any]
    problems: list[Any]
    repairs: list[Any]
    shards: list[Shard]
    columns: dict[str, str] = {}

    @property
    def sites(self) -> int:
        """Number of sites."""
        return sum(shard.sites for shard in self.shards)

    def table(self, frame: gpd.GeoDataFrame, *, problems: bool) -> SiteTable:
        """Return a table of the sites in a frame, with the problems and repairs of the file if `problems`."""
        found = problems_from(self.problems) if problems else ()
        repairs = repairs_from(self.repairs) if problems else ()
        transforms = tuple(text_from(one) for one in self.transforms)
        return SiteTable(frame, found, Source(**self.source), transforms, repairs)


def batch_folder(out: Path) -> Path:
    """Return the folder of an unfinished batch."""
    return out / UNFINISHED / "batch"


def sites_file(folder: Path, shard: Shard) -> Path:
    """Return the file of the sites of a shard."""
    return folder / "sites" / f"{shard.name}.parquet"


def inputs_of(sites_sha256: str, setting: AnySetting, shard_size: int, reading: ReadOptions) -> dict[str, str]:
    """Return the hashes of all that answers depend on: sites and how they are read, layers, rules, date, code."""
    inputs = {"sites": sites_sha256} | setting.inputs()
    inputs |= {
        "shard size": str(shard_size),
        "reading": repr(reading),
        "lzgis": _code(),
    }
    return inputs | {name: version(name) for name in ("numpy", "shapely", "pyproj", "geopandas")}


def _code() -> str:
    """Return the version of the package and a hash of its files, since code may change between versions."""
    digest = hashlib.sha256()
    root = Path(str(files("lzgis")))
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{lzgis.__version__} {digest.hexdigest()}"


def begun(out: Path, inputs: Mapping[str, str], *, restart: bool) -> Begun | None:
    """Return the unfinished batch of a folder: its plan, or a `Begun` if not all sites were cut; None if there is none.

    Raises
    ------
    ExportError
        If it is a batch of other inputs, and `restart` is false.
    """
    folder = batch_folder(out)
    if restart:
        shutil.rmtree(folder, ignore_errors=True)
    found: Begun
    if (folder / _PLAN).is_file():
        found = Plan.model_validate_json((folder / _PLAN).read_bytes())
    elif (folder / _BEGUN).is_file():
        found = Begun.model_validate_json((folder / _BEGUN).read_bytes())
    else:
        return None
    if found.inputs == dict(inputs):
        return found
    names = sorted({name for name, _ in found.inputs.items() ^ inputs.items()})
    what = Message("holds an unfinished batch of other inputs ({names} differ)", names=", ".join(names))
    remedy = Message("continue it with those inputs, begin anew with --restart, or choose another folder")
    raise ExportError(str(out), what, remedy)


def begin(out: Path, inputs: Mapping[str, str], made_at: dt.datetime | None = None) -> Begun:
    """Begin a batch in a folder.

    Raises
    ------
    ExportError
        If it cannot be written to.
    """
    folder = batch_folder(out)
    # Left by a process that was killed before it had begun.
    shutil.rmtree(folder, ignore_errors=True)
    when = made_at or dt.datetime.now().astimezone().replace(microsecond=0)
    made = Begun(inputs=dict(inputs), made_at=when)
    write_bytes_atomic(folder / _BEGUN, made.model_dump_json(indent=1).encode())
    return made


def cut(out: Path, pieces: Iterator[SiteTable], start: Begun) -> Generator[tuple[Shard, Source], None, Plan]:
    """Cut the sites into shards on disk, yielding each as soon as it is written; write the plan last and return it.

    The same sites give the same files again, so that earlier answers for them stay valid.

    Raises
    ------
    SourceError
        If two sites share an id.
    ExportError
        If a shard cannot be written.
    """
    folder = batch_folder(out)
    (folder / "sites").mkdir(exist_ok=True)
    shards: list[Shard] = []
    problems: dict[Problem, None] = {}
    repairs: list[Repair] = []
    first: SiteTable | None = None
    hashes: list[np.ndarray] = []
    types: dict[str, set[str]] = {}
    for number, piece in enumerate(pieces, start=1):
        first = first or replace(piece, frame=piece.frame.iloc[:0])
        problems |= dict.fromkeys(piece.problems)
        hashes.append(_hashes_of(piece))
        repairs += piece.repairs
        for name, dtype in piece.frame.dtypes.items():
            types.setdefault(str(name), set()).add(str(dtype))
        enclosing = [one for one in piece.frame["id"] if one in piece.enclosing]
        shard = Shard(number=number, sites=len(piece.frame), sha256="", enclosing=enclosing)
        write_frame(sites_file(folder, shard), piece.frame)
        shards.append(shard.model_copy(update={"sha256": digest_of(sites_file(folder, shard))}))
        yield shards[-1], piece.source
    assert first is not None
    _check_ids(folder, shards, hashes, first.source.name)
    source = {name: str(getattr(first.source, name)) for name in Source.__dataclass_fields__}
    transforms = [serialised_text(what) for what in first.transforms]
    plan = Plan(
        inputs=start.inputs,
        made_at=start.made_at,
        source=source,
        transforms=transforms,
        problems=serialised_problems(list(problems)),
        repairs=serialised_repairs(repairs),
        shards=shards,
        columns={name: _common(found) for name, found in types.items() if len(found) > 1},
    )
    write_bytes_atomic(folder / _PLAN, plan.model_dump_json(indent=1).encode())
    return plan


def _common(types: set[str]) -> str:
    """Return the type that a column has if all of it is read at once."""
    try:
        return str(np.result_type(*types)) if "bool" not in types else "object"
    except TypeError:
        return "object"


def _hashes_of(piece: SiteTable) -> np.ndarray:
    """Return hashes of the ids of a piece, 8 bytes each: the ids of millions would take ten times the memory."""
    ids = (str(one).encode("utf-8", "surrogatepass") for one in piece.frame["id"].tolist())
    return np.frombuffer(b"".join(hashlib.blake2b(one, digest_size=8).digest() for one in ids), dtype=np.uint64)


def _check_ids(folder: Path, shards: list[Shard], hashes: list[np.ndarray], name: str) -> None:
    """Refuse an id that occurs in two shards; ids are compared only if two have the same hash."""
    every = np.concatenate(hashes)
    if len(np.unique(every)) == len(every):
        return
    known: set[str] = set()
    for shard in shards:
        for one in pd.read_parquet(sites_file(folder, shard), columns=["id"])["id"].tolist():
            if one in known:
                what = Message("two sites share the id '{value}'", value=one)
                raise SourceError(name, what, Message("give each site an id of its own"))
            known.add(one)


def shard_sites(folder: Path, shard: Shard, source: Source) -> SiteTable:
    """Read the sites of a shard.

    Raises
    ------
    ExportError
        If the file is not the one that was written.
    """
    path = sites_file(folder, shard)
    if not path.is_file() or digest_of(path) != shard.sha256:
        raise ExportError(str(path), Message("is damaged or missing"), Message("begin the batch anew with --restart"))
    return SiteTable(read_frame(path), (), source, enclosing=frozenset(shard.enclosing))
