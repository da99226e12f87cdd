"""Screened on disk, exactly as they were: tables as Parquet, problems as JSON."""

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
from lzgis.model.report import BREAKDOWN_COLUMNS, VERDICT_COLUMNS, Problem, Repair
from lzgis.screening.pieces import Screened

_SPATIAL = ("sites", "findings")
_PLAIN = ("verdicts", "breakdown")
_TUPLES = [column.name for column in VERDICT_COLUMNS if column.dtype == "object"]
_PROBLEMS = "problems.json"
#: Rows of findings that are read at a time where not all are needed at once.
_ROWS = 20_000


def write_answers(folder: Path, answers: Screened) -> list[str]:
    """Write answers into an empty folder and name the files.

    Raises
    ------
    ExportError
        If one cannot be written, or read back.
    """
    for name in (*_SPATIAL, *_PLAIN):
        write_frame(folder / f"{name}.parquet", getattr(answers, name))
    text = json.dumps(problems_of(answers.problems), ensure_ascii=False)
    (folder / _PROBLEMS).write_text(text, "utf-8")
    return [*(f"{name}.parquet" for name in (*_SPATIAL, *_PLAIN)), _PROBLEMS]


def read_answers(folder: Path, columns: Mapping[str, str]) -> Screened:
    """Read answers back as they were; `columns` are the types that columns of the sites have in the whole batch."""
    sites, verdicts = read_verdicts(folder, columns)
    breakdown = pd.read_parquet(folder / "breakdown.parquet")
    return Screened(
        sites=sites,
        findings=read_frame(folder / "findings.parquet"),
        verdicts=verdicts,
        breakdown=breakdown[[column.name for column in BREAKDOWN_COLUMNS]],
        problems=read_problems(folder),
    )


def read_verdicts(folder: Path, columns: Mapping[str, str]) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Read sites and verdicts of answers back, and nothing else; as `read_answers`."""
    verdicts = pd.read_parquet(folder / "verdicts.parquet")
    for name in _TUPLES:
        verdicts[name] = pd.Series([tuple(v) for v in verdicts[name]], index=verdicts.index, dtype=object)
    sites = read_frame(folder / "sites.parquet")
    return sites.astype(dict(columns)) if columns else sites, verdicts


def read_problems(folder: Path) -> tuple[Problem, ...]:
    """Read the problems of answers back, and nothing else."""
    return problems_told(json.loads((folder / _PROBLEMS).read_text("utf-8")))


def read_findings(folder: Path) -> Iterator[pa.Table]:
    """Read the findings of answers back, some rows at a time, as `lzgis.exports.gis.parquet.table_of` would give them."""
    with pq.ParquetFile(folder / "findings.parquet") as file:
        for batch in file.iter_batches(_ROWS, use_threads=False):
            table = pa.Table.from_batches([batch])
            yield pa.table({name: _plain(table[name]) for name in table.column_names})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Bring a column to the type that it has in the result: what is no number is none there, and not missing."""
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
    """Read a layer back."""
    return gpd.read_parquet(path)


def problems_of(problems: Iterable[Problem]) -> list[Any]:
    """Bring problems to what JSON has; sentences keep their templates, so that they can still be translated."""
    return [[p.level, *map(sentence_of, (p.place, p.what, p.remedy))] for p in problems]


def problems_told(told: Sequence[Sequence[Any]]) -> tuple[Problem, ...]:
    """Read problems back."""
    return tuple(
        Problem(level, sentence_told(place), sentence_told(what), sentence_told(remedy))
        for level, place, what, remedy in told
    )


def repairs_of(repairs: Iterable[Repair]) -> list[Any]:
    """Bring repairs to what JSON has, as `problems_of` does with problems."""
    return [
        [*map(sentence_of, (r.place, r.feature, r.what)), r.area_before_m2, r.area_after_m2, r.accepted]
        for r in repairs
    ]


def repairs_told(told: Sequence[Sequence[Any]]) -> tuple[Repair, ...]:
    """Read repairs back."""
    return tuple(
        Repair(sentence_told(place), sentence_told(feature), sentence_told(what), *figures)
        for place, feature, what, *figures in told
    )


def sentence_of(text: str) -> Any:
    """Bring a sentence to what JSON has, with its template if it has one."""
    if not isinstance(text, Message):
        return str(text)
    return {"template": text.template, "values": {name: _sentence_or(v) for name, v in text.values.items()}}


def _sentence_or(value: Any) -> Any:
    if isinstance(value, str):
        return sentence_of(value)
    return value.item() if hasattr(value, "item") else value if isinstance(value, int | float) else str(value)


def sentence_told(part: Any) -> str:
    """Read a sentence back."""
    if not isinstance(part, dict):
        return str(part)
    values = {name: sentence_told(v) if isinstance(v, str | dict) else v for name, v in part["values"].items()}
    return Message(part["template"], **values)


def _stored(frame: pd.DataFrame) -> pd.DataFrame:
    """Bring columns of mixed values, which Parquet cannot hold, to text; and tuples to lists."""
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
def borrowed() -> Iterator[None]:
    """Let Arrow borrow its memory from the system: its own pools keep some 60 MB of a shard in each process.

    Examples
    --------
    >>> before = pa.default_memory_pool().backend_name
    >>> with borrowed():
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
        give_back()
        pa.set_memory_pool(before)


def give_back() -> None:
    """Give back what is not needed any more."""
    pa.default_memory_pool().release_unused()
