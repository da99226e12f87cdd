"""Options of a command gathered in a record, so that a command has few parameters however many options it has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from inspect import Parameter
from typing import Any, get_type_hints


def gathers(record: type[Any], name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take the fields of `record` as options of its own, gathered in its parameter `name`."""
    hints = get_type_hints(record, include_extras=True)

    def around(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def call(**given: Any) -> None:
            given[name] = record(**{field.name: given.pop(field.name) for field in fields(record)})
            command(**given)

        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != name]
        more = [
            Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(record)
        ]
        # What typer reads instead of the command's own.
        call.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
        call.__annotations__ = {p.name: p.annotation for p in (*own, *more)}
        return call

    return around
