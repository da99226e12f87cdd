"""Read TOML files into typed records. Errors name the place and the nearest allowed key or value."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from lzgis.errors import ConfigError
from lzgis.messages import Message, library_message

Model = TypeVar("Model", bound=BaseModel)
#: No figure of a city or a rule is larger than this; larger ones would overflow in sums and products.
_LARGEST = 1e12
#: No file system has longer names, in bytes.
_LONGEST_NAME = 255


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If the file is missing, not UTF-8 or not TOML.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            # Reading a pipe or a device may never end.
            raise ConfigError(str(path), Message("is no ordinary file"), Message("give a file"))
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        made = Message("make one with 'lzgis init DIR'")
        remedy = made if path.name in ("catalog.toml", "rules.toml") else Message("check the path")
        raise ConfigError(str(path), Message("the file does not exist"), remedy) from None
    except OSError as e:
        raise ConfigError(
            str(path),
            Message("the file cannot be read ({why})", why=library_message(e)),
            Message("check its permissions"),
        ) from e
    except UnicodeDecodeError as e:
        raise ConfigError(
            str(path), Message("byte {start} is not UTF-8", start=e.start), Message("save the file as UTF-8")
        ) from e
    except RecursionError as e:
        raise ConfigError(str(path), Message("is nested too deeply"), Message("look whether it is what it says")) from e
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(
            str(path), Message("is not TOML: {e}", e=library_message(e)), Message("correct the line named")
        ) from e


def is_file_name(text: str) -> bool:
    """Return whether a text can name a file on any file system.

    Examples
    --------
    >>> is_file_name("layers/a.gpkg"), is_file_name("a" + chr(0)), is_file_name("a" * 300)
    (True, False, False)
    """
    return "\0" not in text and all(len(part.encode("utf-8", "replace")) <= _LONGEST_NAME for part in text.split("/"))


def parse(model: type[Model], data: Any, place: str) -> Model:
    """Validate `data` as a `model`; the first failure becomes an error with its place.

    Raises
    ------
    ConfigError
        If a key is unknown or missing, or a value is not allowed.
    """
    try:
        return model.model_validate(data)
    except ValidationError as e:
        raise _config_error(model, e, place) from None


def checked_number(value: Any, annotation: Any) -> Any:
    """Return a value of a TOML file; refuse what is no finite number of a sensible size where a number is needed.

    For validators of records: text and true or false are not taken for numbers.

    Raises
    ------
    PydanticCustomError
        If a number is needed and the value, or one in the list or table, is none.

    Examples
    --------
    >>> checked_number(20.0, float), checked_number("20", str)
    (20.0, '20')
    >>> checked_number("20", float)
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.PydanticCustomError: a finite number is needed, without quotes
    """
    inner = get_args(annotation)
    if isinstance(value, dict):
        return {k: checked_number(v, inner[-1]) for k, v in value.items()} if get_origin(annotation) is dict else value
    if isinstance(value, list):
        return [checked_number(one, inner[0]) for one in value] if get_origin(annotation) in (list, tuple) else value
    kinds = set(inner or (annotation,))
    if not kinds & {int, float}:
        return value
    wrong = (isinstance(value, bool) and bool not in kinds) or (isinstance(value, str) and str not in kinds)
    if wrong or (isinstance(value, int | float) and not abs(value) <= _LARGEST):
        raise PydanticCustomError("number", "a finite number is needed, without quotes")
    return value


#: The most names that are listed where none is near.
_MOST_NAMES = 20


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a message that names what is allowed instead of `word`: the nearest known word, or the first 20 if none is.

    Examples
    --------
    >>> nearest("p12", ["P12", "P13"]), nearest("住房", ["住宅", "工厂"])
    ("did you mean 'P12'?", "did you mean '住宅'?")
    >>> nearest("住房", ["机房", "住宅"])
    "did you mean '住宅'?"
    """
    known = sorted(known)
    folded = {one.casefold(): one for one in reversed(known)}
    # Two characters that share one are near: most Chinese words have two.
    cutoff = 0.6 if word.isascii() else 0.5
    near = difflib.get_close_matches(word.casefold(), folded, n=5, cutoff=cutoff)
    if near:
        # Of equally near words, the one with the same first character: 住宅, not 机房, for 住房.
        best = min(near, key=lambda one: (-_likeness(word, one), one[:1] != word.casefold()[:1]))
        return Message("did you mean '{near}'?", near=folded[best])
    more = ["…"] if len(known) > _MOST_NAMES else []
    names = ", ".join([*known[:_MOST_NAMES], *more])
    return Message("allowed: {names}", names=names) if known else Message("nothing is allowed here")


def _likeness(word: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, word.casefold()).ratio()


def _config_error(model: type[BaseModel], error: ValidationError, place: str) -> ConfigError:
    first = error.errors(include_url=False)[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        parent = ".".join(where[:-1])
        known = _keys_at(model, where[:-1])
        return ConfigError(
            _within(place, parent),
            Message("key '{where}' is not known", where=where[-1]),
            nearest(where[-1], known),
        )
    if first["type"] == "missing":
        parent = ".".join(where[:-1])
        return ConfigError(
            _within(place, parent), Message("key '{where}' is missing", where=where[-1]), Message("add it")
        )
    given = first.get("input")
    if first["type"] == "enum" and isinstance(given, str):
        allowed = [w.strip(" '") for w in first["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return ConfigError(
            _within(place, ".".join(where)),
            Message("'{given}' is not allowed", given=given),
            nearest(given, allowed),
        )
    return ConfigError(
        _within(place, ".".join(where)), Message("{given!r} is not allowed", given=given), validation_message(error)
    )


def validation_message(error: ValidationError) -> Message:
    """Return what pydantic reports first as a message."""
    first = error.errors(include_url=False)[0]
    return library_message(first.get("ctx", {}).get("error", first["msg"]))


def _within(place: str, key: str) -> str:
    return Message("{place}, {key}", place=place, key=key) if key else place


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """Return the keys of the record at `path` below `model`."""
    here: Any = model
    for part in path:
        fields = getattr(here, "model_fields", None)
        if fields and part in fields:
            here = _record_in(fields[part].annotation)
        # Any other part is a key of a mapping or a position in a list: its record has been found already.
    return list(here.model_fields) if here is not None else []


def _record_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _record_in(inner)
        if found is not None:
            return found
    return None
