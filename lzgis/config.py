"""TOML files read into typed records, every mistake named with its place and the nearest thing that is allowed."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lzgis.errors import ConfigError

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
        raise ConfigError(str(path), "the file does not exist", "make one with 'lzgis init DIR'") from None
    except OSError as e:
        raise ConfigError(str(path), f"the file cannot be read ({e.strerror})", "check its permissions") from e
    except UnicodeDecodeError as e:
        raise ConfigError(str(path), f"byte {e.start} is not UTF-8", "save the file as UTF-8") from e
    except tomllib.TOMLDecodeError as e:
        raise ConfigError(str(path), f"is not TOML: {e}", "correct the line named") from e


def parse(model: type[Model], data: Any, place: str) -> Model:
    """Check `data` against `model`, turning the first failure into a message with its place.

    Raises
    ------
    ConfigError
        If a key is unknown or missing, or a value is not allowed.
    """
    try:
        return model.model_validate(data)
    except ValidationError as e:
        raise _explained(model, e, place) from None


def nearest(word: str, known: Iterable[str]) -> str:
    """Say what is allowed instead of `word`: the nearest known word if one is near, else all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"allowed: {', '.join(known)}" if known else "nothing is allowed here"


def _explained(model: type[BaseModel], error: ValidationError, place: str) -> ConfigError:
    first = error.errors(include_url=False)[0]
    where = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        parent = ".".join(where[:-1])
        known = _keys_at(model, where[:-1])
        return ConfigError(_within(place, parent), f"key '{where[-1]}' is not known", nearest(where[-1], known))
    if first["type"] == "missing":
        parent = ".".join(where[:-1])
        return ConfigError(_within(place, parent), f"key '{where[-1]}' is missing", "add it")
    given = first.get("input")
    if first["type"] == "enum" and isinstance(given, str):
        allowed = [w.strip(" '") for w in first["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return ConfigError(_within(place, ".".join(where)), f"'{given}' is not allowed", nearest(given, allowed))
    return ConfigError(_within(place, ".".join(where)), f"{given!r} is not allowed", first["msg"])


def _within(place: str, key: str) -> str:
    return f"{place}, {key}" if key else place


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """Name the keys of the record that lies at `path` below `model`."""
    here: Any = model
    for part in path:
        fields = getattr(here, "model_fields", None)
        if fields and part in fields:
            here = _record_in(fields[part].annotation)
        # any other part is the key of a mapping or the place in a list, whose record has been found already
    return list(here.model_fields) if here is not None else []


def _record_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _record_in(inner)
        if found is not None:
            return found
    return None
