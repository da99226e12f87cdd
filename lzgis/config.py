"""Read TOML files into typed records. Errors name the place and the nearest allowed key or value."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lzgis.errors import ConfigError
from lzgis.messages import Message

Model = TypeVar("Model", bound=BaseModel)


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    ConfigError
        If the file is missing, not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            str(path), Message("the file does not exist"), Message("make one with 'lzgis init DIR'")
        ) from None
    except OSError as e:
        raise ConfigError(
            str(path),
            Message("the file cannot be read ({strerror})", strerror=e.strerror),
            Message("check its permissions"),
        ) from e
    except UnicodeDecodeError as e:
        raise ConfigError(
            str(path), Message("byte {start} is not UTF-8", start=e.start), Message("save the file as UTF-8")
        ) from e
    except RecursionError as e:
        raise ConfigError(str(path), Message("is nested too deeply"), Message("look whether it is what it says")) from e
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(str(path), Message("is not TOML: {e}", e=e), Message("correct the line named")) from e


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


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a message that names what is allowed instead of `word`: the nearest known word, or all if none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return Message("did you mean '{near}'?", near=near[0])
    return Message("allowed: {names}", names=", ".join(known)) if known else Message("nothing is allowed here")


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
    return ConfigError(_within(place, ".".join(where)), Message("{given!r} is not allowed", given=given), first["msg"])


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
