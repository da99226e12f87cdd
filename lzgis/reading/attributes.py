"""Columns found under their possible names, and values translated; every assumption is reported."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from lzgis.errors import LayerError, SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.field_names import LAYER_FIELDS, LAYER_FIELDS_USED, NUMBER_FIELDS, OLD_VALUES, SITE_FIELDS

if TYPE_CHECKING:
    from lzgis.model.catalogue import LayerSpec

#: What is said of sites without activities.
NO_ACTIVITIES = Message("has no column of activities")


def site_column(frame: gpd.GeoDataFrame, field: str, place: str, problems: list[Problem]) -> pd.Series:
    """Find a column of a table of sites, as text.

    Raises
    ------
    SourceError
        If a row has no id, or two rows have the same.
    """
    found = [alias for alias in SITE_FIELDS[field] if alias in frame.columns]
    if not found:
        return _no_column(frame, field, place, problems)
    if field == "id":
        _refuse_lost_digits(frame[found[0]], place)
    column = pd.Series([_text(value) for value in frame[found[0]]], name=found[0], dtype=object)
    others = [name for name in found[1:] if [_text(value) for value in frame[name]] != column.tolist()]
    if field == "id":
        _check_ids(column, [name for name in others if _is_unique(frame[name])], place)
    if others:
        what = Message(
            "column '{found}' is taken as {field}; {others} say something else",
            found=found[0],
            field=field,
            others="、".join(f"'{name}'" for name in others),
        )
        problems.append(Problem("warning", place, what, Message("rename the column that is meant to '{f}'", f=field)))
    return column


#: The largest number of which a floating-point number, or a cell of Excel (15 digits), holds every digit.
_EXACT = 1e15


def _refuse_lost_digits(column: pd.Series, place: str) -> None:
    """Refuse ids that are numbers with more digits than a number holds: the last ones were lost where they were written."""
    for row, value in enumerate(column, 1):
        if isinstance(value, float) and abs(value) >= _EXACT:
            raise SourceError(
                Message("{place}, row {row}, field '{found}'", place=place, row=row, found=column.name),
                Message("is a number of {count} digits, of which the last were lost", count=len(f"{abs(value):.0f}")),
                Message("store ids as text, from where their digits are still whole"),
            )


def _no_column(frame: gpd.GeoDataFrame, field: str, place: str, problems: list[Problem]) -> pd.Series:
    if field == "id":
        problems.append(Problem("note", place, Message("has no id column"), Message("rows are numbered from 1")))
        return pd.Series([str(i + 1) for i in range(len(frame))], name="id", dtype=object)
    if field == "activity":
        remedy = Message("add a column 'activity'; until then rules that depend on it are not checked")
        problems.append(Problem("warning", place, NO_ACTIVITIES, remedy))
    return pd.Series([""] * len(frame), name=field, dtype=object)


def _check_ids(column: pd.Series, others: Sequence[str], place: str) -> None:
    """Check that ids exist and are unique; a column that suits better is named, never used."""
    better = Message(", or remove this column: '{other}' has one for each", other=others[0]) if others else ""
    if (column == "").any():
        row = column.tolist().index("") + 1
        raise SourceError(
            Message("{place}, row {row}, field '{found}'", place=place, row=row, found=column.name),
            Message("is empty"),
            Message("give every site an id{better}", better=better),
        )
    twice = column[column.duplicated(keep=False)]
    if len(twice):
        rows = np.flatnonzero(column == twice.iloc[0]) + 1
        more = ", …" if len(rows) > 20 else ""
        raise SourceError(
            Message("{name}, rows {rows}", name=place, rows=", ".join(map(str, rows[:20])) + more),
            Message("share the id '{value}'", value=twice.iloc[0]),
            Message("give each site an id of its own{better}", better=better),
        )


def _is_unique(column: pd.Series) -> bool:
    text = [_text(value) for value in column]
    return all(text) and len(set(text)) == len(text)


def _text(value: object) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def layer_columns(read: gpd.GeoDataFrame, spec: LayerSpec, place: str, problems: list[Problem]) -> gpd.GeoDataFrame:
    """Rename the fields and values of a layer to the names that rules use.

    Raises
    ------
    LayerError
        If there is no id, an id is duplicated, or a field of numbers holds something else.
    """
    frame = read.rename_geometry("geometry") if read.geometry.name != "geometry" else read
    frame = _with_canonical_names(frame, spec, place, problems)
    if "id" not in frame.columns:
        raise LayerError(
            place,
            Message("has no field '{id}'", id=spec.id),
            Message("name the id field; there are {names}", names=", ".join(map(str, read.columns[:50]))),
        )
    frame["id"] = [_text(value) for value in frame["id"]]
    twice = frame["id"][frame["id"].duplicated()]
    if len(twice):
        raise LayerError(
            Message("{place}, feature '{value}'", place=place, value=twice.iloc[0]),
            Message("the id is given twice"),
            Message("give each feature its own"),
        )
    if "name" not in frame.columns:
        frame["name"] = ""
    frame["name"] = frame["name"].fillna("").astype(str)
    if spec.group is not None and spec.group in frame.columns:
        frame[spec.group] = [None if pd.isna(v) else str(v) for v in frame[spec.group]]
    elif spec.group is not None:
        what = Message("has no field '{group}', which identifies the parts of one object", group=spec.group)
        problems.append(Problem("warning", place, what, Message("every feature is taken as an object of its own")))
    _read_values(frame, spec, place, problems)
    for name in NUMBER_FIELDS:
        if name in frame.columns and not pd.api.types.is_numeric_dtype(frame[name]):
            frame[name] = _numbers(frame, name, place, problems)
        if name in frame.columns:
            frame[name] = _sizes(frame[name], place, problems)
    return frame


def _sizes(column: pd.Series, place: str, problems: list[Problem]) -> pd.Series:
    """Take a size that is negative or infinite as unknown, and report it."""
    wrong = (column < 0) | np.isinf(column.to_numpy(dtype=float, na_value=np.nan))
    if not wrong.any():
        return column
    here = Message(
        "{place}, row {row}, field '{found}'", place=place, row=wrong.tolist().index(True) + 1, found=column.name
    )
    what = Message("{count} values are negative or infinite; they are taken as unknown", count=int(wrong.sum()))
    problems.append(Problem("warning", here, what, Message("correct them, or leave them empty")))
    return column.where(~wrong)


def _with_canonical_names(
    frame: gpd.GeoDataFrame, spec: LayerSpec, place: str, problems: list[Problem]
) -> gpd.GeoDataFrame:
    """Name columns as rules do. One column may serve several names; a declared one wins over one that is called so."""
    sources = _sources(frame, spec, place, problems)
    taken = [name for name, source in sources.items() if name in frame.columns and source != name]
    first: dict[str, str] = {}
    for name, source in sources.items():
        # The column keeps its own name if that is one of those that it serves.
        if sources.get(source) != source:
            first.setdefault(source, name)
    again = {name: frame[source] for name, source in sources.items() if first.get(source, source) != name}
    frame = frame.rename(columns={name: f"{name} ({_FILE})" for name in taken if name not in first})
    frame = frame.rename(columns=first)
    return frame.assign(**again) if again else frame


#: What is added to the name of a column whose name another column is given.
_FILE = "file"


def _sources(frame: gpd.GeoDataFrame, spec: LayerSpec, place: str, problems: list[Problem]) -> dict[str, str]:
    """Return by canonical name the column that it is read from."""
    sources: dict[str, str] = {}
    aliases = {"id": [spec.id], "name": [spec.name]} | spec.fields
    for canonical, names in aliases.items():
        found = [n for n in dict.fromkeys((*names, canonical)) if n in frame.columns]
        if not found:
            continue
        sources[canonical] = found[0]
        if canonical in found[1:] and [*map(_text, frame[canonical])] != [*map(_text, frame[found[0]])]:
            what = Message(
                "field '{found}' is read as '{canonical}', as declared; the column '{canonical}' says something else",
                found=found[0],
                canonical=canonical,
            )
            remedy = Message("if that column is meant, declare it in the catalogue")
            problems.append(Problem("warning", place, what, remedy))
    there = {*frame.columns, *sources}
    for canonical in LAYER_FIELDS_USED:
        free = [n for n in LAYER_FIELDS[canonical] if n in frame.columns and n not in sources.values()]
        if canonical not in there and free:
            sources[canonical] = free[0]
            there.add(canonical)
            what = Message("field '{found}' is read as '{canonical}'", found=free[0], canonical=canonical)
            remedy = Message("say so in the catalogue under 'fields', or name another field there")
            problems.append(Problem("note", place, what, remedy))
    return sources


def _read_values(frame: gpd.GeoDataFrame, spec: LayerSpec, place: str, problems: list[Problem]) -> None:
    for name in {**spec.values, **OLD_VALUES}:
        # A value that the catalogue maps to itself is known, and is not changed.
        declared = {k: v for k, v in spec.values.get(name, {}).items() if k != v}
        old = {k: v for k, v in OLD_VALUES.get(name, {}).items() if k not in spec.values.get(name, {})}
        for mapping, level, remedy in (
            (declared, "note", Message("as the catalogue says under 'values'")),
            (
                old,
                "warning",
                Message("these are names of repealed law: check the zones, and say in the catalogue what they mean"),
            ),
        ):
            # A value that means itself is declared so that it is known; nothing is read otherwise than it stands.
            others = {value: new for value, new in mapping.items() if value != new}
            if name not in frame.columns or not (changed := (stated := _stated(frame[name])).isin(others)).any():
                continue
            frame[name] = stated.replace(others)
            pairs = "、".join(f"{old_value}→{new}" for old_value, new in others.items())
            what = Message(
                "{count} values of field '{name}' were read as {pairs}",
                count=int(changed.sum()),
                name=name,
                pairs=pairs,
            )
            problems.append(Problem(level, place, what, remedy))


def _stated(column: pd.Series) -> pd.Series:
    """Return values as the catalogue writes them: codes that a file stores as numbers (1, 1.0) are texts there ("1")."""
    if not pd.api.types.is_numeric_dtype(column):
        return column
    return pd.Series([_text(value) or None for value in column], index=column.index, dtype=object)


def _numbers(frame: gpd.GeoDataFrame, name: str, place: str, problems: list[Problem]) -> pd.Series:
    """Read numbers that are stored as text, also with full-width digits."""
    text = [unicodedata.normalize("NFKC", _text(value)) for value in frame[name]]
    numbers: pd.Series = pd.to_numeric(pd.Series(text, index=frame.index), errors="coerce").astype(float)
    wrong = [i for i, (t, number) in enumerate(zip(text, numbers, strict=True)) if t and not np.isfinite(number)]
    if wrong:
        raise LayerError(
            Message("{place}, feature '{id}', field '{name}'", place=place, id=frame["id"].iloc[wrong[0]], name=name),
            Message("'{value}' is not a number", value=text[wrong[0]][:60]),
            Message("write digits only, in metres"),
        )
    what = Message("the numbers of field '{name}' stand as text and were read as numbers", name=name)
    problems.append(Problem("note", place, what, Message("nothing to do")))
    return numbers
