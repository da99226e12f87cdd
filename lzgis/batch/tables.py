"""The answers of a shard on disk, without loss: tables as Parquet, problems as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lzgis.files.atomic_write import write_atomic
from lzgis.messages import Message
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import BREAKDOWN_COLUMNS, VERDICT_COLUMNS, Problem, Repair
from lzgis.screening.pieces import Screened

_SPATIAL = ("sites", "findings")
_PLAIN = ("verdicts", "breakdown")
_TUPLES = [column.name for column in VERDICT_COLUMNS if column.dtype == "object"]
PROBLEMS = "problems.json"
#: Rows of findings that are read at a time.
_ROWS = 20_000


def write_screened(folder: Path, answers: Screened) -> list[str]:
    """Write the answers of one city into an empty folder and return the file names.

    Raises
    ------
    ExportError
        If one cannot be written, or read back.
    """
    for name in (*_SPATIAL, *_PLAIN):
        write_frame(folder / f"{name}.parquet", getattr(answers, name))
    write_problems(folder, answers.problems)
    return [*(f"{name}.parquet" for name in (*_SPATIAL, *_PLAIN)), PROBLEMS]


def read_screened(folder: Path, columns: Mapping[str, str]) -> Screened:
    """Read the answers of one city; `columns` are the types that columns of the sites have in the whole batch."""
    sites, verdicts = read_verdicts(folder, columns)
    breakdown = pd.read_parquet(folder / "breakdown.parquet")
    return Screened(
        sites=sites,
        findings=read_frame(folder / "findings.parquet"),
        verdicts=verdicts,
        divided=DeferredTable(breakdown[[column.name for column in BREAKDOWN_COLUMNS]]),
        problems=read_problems(folder),
    )


def read_verdicts(folder: Path, columns: Mapping[str, str]) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read only the sites and verdicts of answers, as `read_screened` does."""
    verdicts = pd.read_parquet(folder / "verdicts.parquet")
    for name in _TUPLES:
        verdicts[name] = pd.Series([tuple(v) for v in verdicts[name]], index=verdicts.index, dtype=object)
    sites = read_frame(folder / "sites.parquet")
    return sites.astype(dict(columns)) if columns else sites, verdicts


def write_problems(folder: Path, problems: Iterable[Problem]) -> None:
    """Write the problems of answers."""
    text = json.dumps(serialised_problems(problems), ensure_ascii=False)
    (folder / PROBLEMS).write_text(text, "utf-8")


def read_problems(folder: Path) -> tuple[Problem, ...]:
    """Read only the problems of answers."""
    return problems_from(json.loads((folder / PROBLEMS).read_text("utf-8")))


def read_findings(folder: Path) -> Iterator[pa.Table]:
    """Read only the findings of answers, `_ROWS` at a time, as `lzgis.exports.gis.parquet.table_of` returns them."""
    with pq.ParquetFile(folder / "findings.parquet") as file:
        for batch in file.iter_batches(_ROWS, use_threads=False):
            table = pa.Table.from_batches([batch])
            yield pa.table({name: _plain(table[name]) for name in table.column_names})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert a column to its type in the result, where a missing number is NaN and not null."""
    if pa.types.is_floating(column.type):
        return column.fill_null(float("nan"))
    texts = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.string() if texts else pa.binary())


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write a table or layer as Parquet; the same one gives the same bytes."""

    def make(made: Path) -> dict[str, int]:
        stored = _stored(frame)
        if isinstance(stored, gpd.GeoDataFrame):
            stored.to_parquet(made, index=False, compression="zstd", write_page_checksum=True)
        else:
            stored.to_parquet(made, engine="pyarrow", index=False, compression="zstd", write_page_checksum=True)
        return {"": len(frame)}

    write_atomic(path, make)


def read_frame(path: Path) -> gpd.GeoDataFrame:
    """Read a layer."""
    return gpd.read_parquet(path)


def serialised_problems(problems: Iterable[Problem]) -> list[Any]:
    """Serialise problems for JSON; messages keep their templates, so that they can still be translated."""
    return [[p.level, *map(serialised_text, (p.place, p.what, p.remedy))] for p in problems]


def problems_from(rows: Sequence[Sequence[Any]]) -> tuple[Problem, ...]:
    """Return problems from what `serialised_problems` gave."""
    return tuple(
        Problem(level, text_from(place), text_from(what), text_from(remedy)) for level, place, what, remedy in rows
    )


def serialised_repairs(repairs: Iterable[Repair]) -> list[Any]:
    """Serialise repairs for JSON, as `serialised_problems` does with problems."""
    return [
        [*map(serialised_text, (r.place, r.feature, r.what)), r.area_before_m2, r.area_after_m2, r.accepted]
        for r in repairs
    ]


def repairs_from(rows: Sequence[Sequence[Any]]) -> tuple[Repair, ...]:
    """Return repairs from what `serialised_repairs` gave."""
    return tuple(
        Repair(text_from(place), text_from(feature), text_from(what), *figures)
        for place, feature, what, *figures in rows
    )


def serialised_text(text: str) -> Any:
    """Serialise a text for JSON; a message includes its template."""
    if not isinstance(text, Message):
        return str(text)
    return {"template": text.template, "values": {name: _serialised_value(v) for name, v in text.values.items()}}


def _serialised_value(value: Any) -> Any:
    if isinstance(value, str):
        return serialised_text(value)
    return value.item() if hasattr(value, "item") else value if isinstance(value, int | float) else str(value)


def text_from(part: Any) -> str:
    """Return a text from what `serialised_text` gave."""
    if not isinstance(part, dict):
        return str(part)
    values = {name: text_from(v) if isinstance(v, str | dict) else v for name, v in part["values"].items()}
    return Message(part["template"], **values)


def _stored(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert columns of mixed values, which Parquet cannot store, to text, and tuples to lists."""
    stored = frame.copy()
    for name in stored.columns:
        column = stored[name]
        if name in _TUPLES and "verdict" in stored.columns:
            stored[name] = pd.Series([list(v) for v in column], index=stored.index, dtype=object)
        elif column.dtype == object and name != "geometry":
            kinds = {type(v) for v in column[column.notna()]}
            if len(kinds) > 1 or kinds & {list, tuple, dict}:
                stored[name] = [None if v is None else str(v) for v in column]
    return stored


@contextmanager
def system_memory() -> Iterator[None]:
    """Let Arrow use the memory pool of the system: its own pools retain some 60 MB of a shard in each process.

    Examples
    --------
    >>> before = pa.default_memory_pool().backend_name
    >>> with system_memory():
    ...     pa.default_memory_pool().backend_name
    'system'
    >>> pa.default_memory_pool().backend_name == before
    True
    """
    before = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        release_memory()
        pa.set_memory_pool(before)


def release_memory() -> None:
    """Return unused memory to the system."""
    pa.default_memory_pool().release_unused()
