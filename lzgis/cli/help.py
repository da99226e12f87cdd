"""Help and wrong use of the command line in the language of the output.

The program writes its help in English in the code. Translations are in the section ``[help]`` of the wording, with the
English text as key; the examples of each command are in ``[example]``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from lzgis.words import Words


#: What typer says of a value that is none of a few words.
_CHOICE = re.compile(r"'([^']*)' is not one of '(.*)'")


def _folded(make: Callable[..., Any]) -> Callable[..., Any]:
    """Return `make` so that its texts are folded: text without spaces, as Chinese, would be cut at the first line."""

    def folded(**given: Any) -> Any:
        text = make(**given)
        text.overflow = "fold"
        return text

    return folded


def worded_help(command: Any, words: Words) -> Any:
    """Put the help of a command and of all below it into the language of `words`, with examples; return the command."""
    frame = cache(partial(_word_frame, words))
    for path, one in commands_below(command):
        one.help = _worded(one.help, words)
        one.short_help = _worded(one.short_help, words)
        if words.has("example", path):
            one.epilog = words("help_frame", "examples") + "\n\n" + words("example", path).replace("\n", "\n\n")
        one.format_help = _framed(one.format_help, frame)
        one.get_usage = _usage(one.get_usage, words)
        one.get_help_option = _help_option(one.get_help_option, words)
        for param in one.params:
            if getattr(param, "help", None):
                param.help = _worded(param.help, words)
    return command


def _word_frame(words: Words) -> None:
    """Put what surrounds every help text into the language of `words`."""
    from typer import rich_utils

    for name in ("ARGUMENTS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "COMMANDS_PANEL_TITLE", "DEFAULT_STRING"):
        setattr(rich_utils, name, words("help_frame", name))
    rich_utils.REQUIRED_LONG_STRING = words("help_frame", "REQUIRED_LONG_STRING")
    # Not exported, and without a setting for it.
    rich_utils._make_rich_text = _folded(rich_utils._make_rich_text)


def _framed(format_help: Callable[..., None], frame: Callable[[], None]) -> Callable[..., None]:
    """Return `format_help` that calls `frame` first: the module that draws the frame is imported for help alone."""

    def framed(*given: Any) -> None:
        frame()
        format_help(*given)

    return framed


def commands_below(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Iterate over a command and all below it, with their words after the name of the program."""
    yield path, command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands_below(one, f"{path} {name}".strip())


def _worded(text: str | None, words: Words) -> str | None:
    key = " ".join(text.split()) if text else ""
    return words("help", key) if words.has("help", key) else text


def _usage(get: Callable[[Any], str], words: Words) -> Callable[[Any], str]:
    return lambda ctx: get(ctx).replace("Usage:", words("help_frame", "usage"))


def _help_option(get: Callable[[Any], Any], words: Words) -> Callable[[Any], Any]:
    def option(ctx: Any) -> Any:
        found = get(ctx)
        if found is not None:
            found.help = _worded(found.help, words)
        return found

    return option


def misuse(error: Any) -> ConfigError:
    """Return a wrong use of the command line as an error with place, fault and remedy.

    Parameters
    ----------
    error : exception
        What the parser of the command line raised.
    """
    from lzgis.config import nearest

    context = getattr(error, "ctx", None)
    place = getattr(context, "command_path", "") or "lzgis"
    see = Message("see: {command}", command=f"{place} --help")
    text = str(getattr(error, "message", "") or error)
    option = getattr(error, "option_name", None)
    if option and hasattr(error, "possibilities"):
        near = [one for param in context.command.params for one in param.opts] if context else []
        return ConfigError(place, Message("has no option {name}", name=option), nearest(option, near))
    if text.startswith("No such command") and context is not None:
        names = [name for name, _ in context.command.commands.items()]
        given = text.split("'")[1]
        return ConfigError(place, Message("has no command '{name}'", name=given), nearest(given, names))
    param = getattr(error, "param", None)
    if param is not None:
        return _of_value(error, _name_of(param), place)
    if option:
        return ConfigError(place, Message("option {name} needs a value", name=option), see)
    return ConfigError(place, Message("the arguments cannot be read ({text})", text=text), see)


def _of_value(error: Any, name: str, command: str) -> ConfigError:
    """Return the error of an argument that is missing, or of a value that is not allowed."""
    from lzgis.config import nearest

    see = Message("see: {command}", command=f"{command} --help")
    if type(error).__name__ == "MissingParameter":
        return ConfigError(command, Message("{name} is missing", name=name), see)
    text = str(getattr(error, "message", "") or error)
    choice = _CHOICE.search(text)
    if choice:
        return ConfigError(
            name, Message("'{name}' is not known", name=choice[1]), nearest(choice[1], choice[2].split("', '"))
        )
    least = getattr(error.param, "min", None)
    if least is not None and "number" not in text and "integer" not in text:
        return ConfigError(name, Message("must be at least {least}", least=least), see)
    if "number" in text or "integer" in text:
        return ConfigError(name, Message("the value is not a number"), see)
    return ConfigError(name, Message("the value cannot be read ({text})", text=text), see)


def _name_of(param: Any) -> str:
    longest = max(param.opts, key=len)
    return longest if longest.startswith("-") else str(param.metavar or param.name or "").strip("[].").upper()
