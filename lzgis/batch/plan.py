"""The plan of a batch: what it is made from, and its sites cut into shards on disk."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from pydantic import BaseModel, ConfigDict

import lzgis
from lzgis.answering import Ground
from lzgis.batch.tables import problems_of, problems_told, read_frame, sentence_of, sentence_told, write_frame
from lzgis.errors import ExportError, SourceError
from lzgis.messages import Message
from lzgis.model import Problem, SiteTable, Source
from lzgis.placing import UNFINISHED, digest_of, put_bytes
from lzgis.sources import ReadOptions, sha256_of

_PLAN = "plan.json"
#: The name of the fingerprint of the sites among the inputs.
SITES = "sites"


class Shard(BaseModel):
    """A part of the sites: its number from 1, how many sites it has, and the fingerprint of their file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    number: int
    sites: int
    sha256: str

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.number:06d}"


class Plan(BaseModel):
    """A batch as it was begun.

    `inputs` are the fingerprints of all that its answers depend on, by name; `columns` the types of columns that look
    different from one shard to the next, as whole numbers do where one is missing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    inputs: dict[str, str]
    made_at: dt.datetime
    source: dict[str, str]
    transforms: list[Any]
    problems: list[Any]
    shards: list[Shard]
    columns: dict[str, str] = {}

    @property
    def key(self) -> str:
        """One fingerprint of all inputs."""
        return hashlib.sha256(json.dumps(self.inputs, sort_keys=True).encode()).hexdigest()

    @property
    def sites(self) -> int:
        """How many sites there are."""
        return sum(shard.sites for shard in self.shards)

    def table(self, frame: gpd.GeoDataFrame, *, problems: bool) -> SiteTable:
        """Make a table of sites of a frame, with the problems of the file if they are wanted."""
        told = problems_told(self.problems) if problems else ()
        transforms = tuple(sentence_told(one) for one in self.transforms)
        return SiteTable(frame, told, Source(**self.source), transforms)


def batch_folder(out: Path) -> Path:
    """Name the folder of a batch that is not finished."""
    return out / UNFINISHED / "batch"


def sites_file(folder: Path, shard: Shard) -> Path:
    """Name the file of the sites of a shard."""
    return folder / "sites" / f"{shard.name}.parquet"


def inputs_of(sites: Path, ground: Ground, shard_size: int, reading: ReadOptions) -> dict[str, str]:
    """Fingerprint all that the answers of a batch depend on: sites and how they are read, layers, rules, date, code."""
    inputs = {SITES: digest_of(sites) if sites.is_file() else _of_folder(sites), "catalogue": ground.city.described}
    inputs |= {f"layer {name}": one.source.sha256 for name, one in ground.loaded.items()}
    inputs |= {f"rules {name}": digest for name, digest in ground.city.book.files}
    inputs |= {
        "as-of": ground.day.isoformat(),
        "shard size": str(shard_size),
        "reading": repr(reading),
        "lzgis": _code(),
    }
    return inputs | {name: version(name) for name in ("numpy", "shapely", "pyproj", "geopandas")}


def _of_folder(path: Path) -> str:
    return sha256_of(path) if path.is_dir() else ""


def _code() -> str:
    """Tell the version of the code, and of each of its files, for a change between two versions counts as well."""
    digest = hashlib.sha256()
    root = Path(str(files("lzgis")))
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{lzgis.__version__} {digest.hexdigest()}"


def begun(out: Path, inputs: Mapping[str, str], *, restart: bool) -> Plan | None:
    """Give the plan of the batch that a folder holds unfinished; None if there is none to continue.

    Raises
    ------
    ExportError
        If it is a batch of other inputs, and is not to be thrown away.
    """
    folder = batch_folder(out)
    if restart:
        shutil.rmtree(folder, ignore_errors=True)
    if not (folder / _PLAN).is_file():
        return None
    plan = Plan.model_validate_json((folder / _PLAN).read_bytes())
    if plan.inputs == dict(inputs):
        return plan
    names = sorted({name for name, _ in plan.inputs.items() ^ inputs.items()})
    what = Message("holds an unfinished batch of other inputs ({names} differ)", names=", ".join(names))
    remedy = Message("continue it with those inputs, begin anew with --restart, or choose another folder")
    raise ExportError(str(out), what, remedy)


def begin(
    out: Path, pieces: Iterator[SiteTable], inputs: Mapping[str, str], made_at: dt.datetime | None = None
) -> Plan:
    """Cut the sites into shards on disk, and write the plan last.

    Raises
    ------
    SourceError
        If two sites share an id.
    ExportError
        If a shard cannot be written.
    """
    folder = batch_folder(out)
    # What a process left that was killed before it had a plan.
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "sites").mkdir(parents=True)
    shards: list[Shard] = []
    problems: dict[Problem, None] = {}
    first: SiteTable | None = None
    known: set[str] = set()
    types: dict[str, set[str]] = {}
    for number, piece in enumerate(pieces, start=1):
        first = first or replace(piece, frame=piece.frame.iloc[:0])
        problems |= dict.fromkeys(piece.problems)
        _check_ids(piece, known)
        for name, dtype in piece.frame.dtypes.items():
            types.setdefault(str(name), set()).add(str(dtype))
        shard = Shard(number=number, sites=len(piece.frame), sha256="")
        write_frame(sites_file(folder, shard), piece.frame)
        shards.append(shard.model_copy(update={"sha256": digest_of(sites_file(folder, shard))}))
    assert first is not None
    source = {name: str(getattr(first.source, name)) for name in Source.__dataclass_fields__}
    transforms = [sentence_of(what) for what in first.transforms]
    when = made_at or dt.datetime.now().astimezone().replace(microsecond=0)
    plan = Plan(
        inputs=dict(inputs),
        made_at=when,
        source=source,
        transforms=transforms,
        problems=problems_of(list(problems)),
        shards=shards,
        columns={name: _common(found) for name, found in types.items() if len(found) > 1},
    )
    put_bytes(folder / _PLAN, plan.model_dump_json(indent=1).encode())
    return plan


def _common(types: set[str]) -> str:
    """Choose the type that a column has if all of it is read at once."""
    try:
        return str(np.result_type(*types)) if "bool" not in types else "object"
    except TypeError:
        return "object"


def _check_ids(piece: SiteTable, known: set[str]) -> None:
    before = len(known)
    ids = piece.frame["id"].tolist()
    twice = next((one for one in ids if one in known), "") if not known.isdisjoint(ids) else ""
    known.update(ids)
    if twice or len(known) != before + len(ids):
        raise SourceError(
            piece.source.name,
            Message("two sites share the id '{value}'", value=twice),
            Message("give each site an id of its own"),
        )


def shard_sites(folder: Path, plan: Plan, shard: Shard) -> SiteTable:
    """Read the sites of a shard.

    Raises
    ------
    ExportError
        If the file is not the one that was written.
    """
    path = sites_file(folder, shard)
    if not path.is_file() or digest_of(path) != shard.sha256:
        raise ExportError(str(path), Message("is damaged or missing"), Message("begin the batch anew with --restart"))
    frame = read_frame(path)
    return plan.table(frame.astype(plan.columns) if plan.columns else frame, problems=False)
