"""The command line: arguments in, tables, files and an exit code out.

Exit codes are in `lzgis.cli.console.ExitCode`. What is heavy is imported by the command that needs it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lzgis.cli.adopt import adopt
from lzgis.cli.audit import audit
from lzgis.cli.avoid import avoid
from lzgis.cli.console import ExitCode, print_json, stderr
from lzgis.cli.demo import demo
from lzgis.cli.diff import diff
from lzgis.cli.help import misuse, worded_help
from lzgis.cli.indicators import indicators
from lzgis.cli.init import init
from lzgis.cli.inspect import inspect
from lzgis.cli.layers import layers
from lzgis.cli.map import draw_maps
from lzgis.cli.override import override
from lzgis.cli.raster import app as raster_app
from lzgis.cli.rules import app as rules_app
from lzgis.cli.screen import screen
from lzgis.cli.serve import app as serve_app
from lzgis.cli.sign import sign
from lzgis.cli.verify import verify
from lzgis.errors import ConfigError, LzgisError, SourceError
from lzgis.files.own_process import search_seldom_for_cycles
from lzgis.messages import Message, library_message
from lzgis.words import Words


def _show_version(wanted: bool) -> None:
    if wanted:
        from lzgis import __version__

        typer.echo(f"lzgis {__version__}")
        raise typer.Exit


class _Commands(TyperGroup):
    """The commands; an option that a command takes once is refused where it is given again."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse `--layers` given several times to a command that takes one city: click would use the last."""
        before = args[: args.index("--")] if "--" in args else args
        given = sum(word == "--layers" or word.startswith("--layers=") for word in before)
        if given > 1 and args[0] not in _SEVERAL_CITIES:
            what = Message("is given {count} times, but this command takes one city", count=given)
            names = "、".join(_SEVERAL_CITIES)
            raise ConfigError(
                "--layers", what, Message("give one folder; several cities are for: {names}", names=names)
            )
        return super().parse_args(ctx, args)


#: Commands that take `--layers` several times.
_SEVERAL_CITIES = ("screen",)
app = typer.Typer(cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(raster_app, name="raster")
app.add_typer(rules_app, name="rules")
app.add_typer(serve_app, name="serve")
# In the order of the help text.
app.command("screen")(screen)
app.command("demo")(demo)
app.command("layers")(layers)
app.command("map")(draw_maps)
app.command("audit")(audit)
app.command("indicators")(indicators)
app.command("diff")(diff)
app.command("inspect")(inspect)
app.command("verify")(verify)
app.command("sign")(sign)
app.command("override")(override)
app.command("avoid")(avoid)
app.command("init")(init)
app.command("adopt")(adopt)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Screen sites of a city against redlines and zoning rules, and write reports, maps and documents."""


#: Places of errors that are values of options, named as functions name them.
_OPTIONS = ("as_of", "within_m")


class _Signal(BaseException):
    """A signal that ends the command; no handler of exceptions in a library catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> None:
    """Run the command line and end the process with its exit code.

    An error is printed as one line on standard error, with `--json` also as JSON on standard output. Nothing ends in a
    traceback, and a signal runs all cleaning up before the process ends.
    """
    search_seldom_for_cycles()
    _replace_unencodable()
    # The options may not have been parsed, so the language is searched for in the arguments.
    words = Words("en" if {"--lang=en", "en"} & set(sys.argv[1:]) else "zh")
    try:
        _answer_signals(_raise_signal)
        code = _failed_for_memory(words) if _has_little_memory() else _run(words)
        code = _flushed(code, words)
        # What is done is done: a signal from here on would end in a traceback.
        _answer_signals(signal.SIG_IGN)
    except MemoryError:
        # Not even enough for the message: nothing but this is tried.
        os.write(2, b"lzgis: the memory of this computer is not enough\n")
        os._exit(ExitCode.NO_RESULT)
    except _Signal as caught:
        code = _interrupted(caught, words)
    finally:
        # The process ends: without this, Python searches all objects of the imported packages for cycles, for some 0.2 s.
        gc.freeze()
    sys.exit(code)


def _answer_signals(handler: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


#: Libraries that cannot be loaded for lack of memory end the process themselves, with the exit code 1: less address space
#: than this is refused before.
_LEAST_BYTES = 448 * 1024**2


def _has_little_memory() -> bool:
    """Return whether the address space of this process is limited to less than the libraries need."""
    if sys.platform == "win32":
        return False
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return limit not in (-1, resource.RLIM_INFINITY) and limit < _LEAST_BYTES


def _failed_for_memory(words: Words) -> int:
    stated = unexpected(MemoryError())
    return _failed(words.sentence(stated.place, stated.what, stated.remedy), stated, ExitCode.NO_RESULT, words)


def _raise_signal(number: int, _: object) -> None:
    # A second signal must not interrupt the cleaning up after the first.
    _answer_signals(signal.SIG_IGN)
    _received.append(_Signal(number))
    raise _received[0]


#: The signal that came, which code outside Python may turn into an error of its own: pydantic does while it builds a model.
_received: list[_Signal] = []


def _run(words: Words) -> int:
    """Run a command; return its exit code, whatever happens."""
    try:
        command = worded_help(typer.main.get_command(app), words)
        return int(command.main(prog_name="lzgis", standalone_mode=False) or ExitCode.OK)
    except LzgisError as error:
        text = words.sentence(error.place, error.what, error.remedy)
        return _failed(text, error, _code_of(error), words)
    except typer.Abort:
        return _failed(words("cli", "interrupted"), None, ExitCode.NO_RESULT, words)
    except (BrokenPipeError, SystemExit):
        # typer exits by itself when the reader of a pipe has gone.
        return ExitCode.NO_RESULT
    except Exception as error:
        if _received:
            raise _received[0] from error
        if _is_usage(error):
            return _misused(error, words)
        stated = unexpected(error)
        text = words.sentence(stated.place, stated.what, stated.remedy)
        return _failed(text, stated, ExitCode.NO_RESULT, words)


#: What the loader of libraries reports where memory is short.
_FOR_MEMORY = re.compile(r"failed to map segment|cannot allocate memory|cannot map", re.IGNORECASE)


def unexpected(error: Exception) -> LzgisError:
    """Return an error of the system or a fault of the program in the form of all errors, with its place."""
    if isinstance(error, MemoryError) or (isinstance(error, ImportError) and _FOR_MEMORY.search(str(error))):
        what = Message("the memory of this computer is not enough")
        return SourceError("lzgis", what, Message("close other programs, or screen fewer sites at a time"))
    if isinstance(error, RecursionError):
        what = Message("the input is nested too deeply")
        return SourceError("lzgis", what, Message("look whether it is what it says"))
    if isinstance(error, OSError):
        what = Message("the system reports: {why}", why=library_message(error))
        remedy = Message(
            "look whether the disk and the folder for temporary files (TMPDIR) have room and can be written to"
        )
        return SourceError(str(error.filename or "lzgis"), what, remedy)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    why = Message("{kind}: {why}", kind=type(error).__name__, why=library_message(" ".join(str(error).split())[:300]))
    what = Message("a fault of the program at {where} ({why})", where=where, why=why)
    return SourceError("lzgis", what, Message("report it with the command and, if possible, the input"))


def _code_of(error: LzgisError) -> ExitCode:
    place = str(error.place)
    wrong_use = isinstance(error, ConfigError) and (place.startswith("--") or place in _OPTIONS)
    return ExitCode.USAGE if wrong_use else ExitCode.NO_RESULT


def _is_usage(error: Exception) -> bool:
    # typer contains its own copy of click in some versions, so the class is recognised by what it has.
    return callable(getattr(error, "show", None)) and hasattr(error, "exit_code")


def _misused(error: Exception, words: Words) -> int:
    """Say in one line what is wrong with the arguments; show the help where nothing was given."""
    if type(error).__name__ == "NoArgsIsHelpError":
        with contextlib.suppress(OSError):
            getattr(error, "show")()  # noqa: B009 (see _is_usage)
        return ExitCode.USAGE
    stated = misuse(error)
    text = words.sentence(stated.place, stated.what, stated.remedy)
    return _failed(text, stated, ExitCode.USAGE, words)


def _failed(text: str, error: LzgisError | None, code: ExitCode, words: Words) -> int:
    with contextlib.suppress(OSError):
        stderr().print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    _print_json_error(text, error, code, words)
    return code


def _print_json_error(text: str, error: LzgisError | None, code: int, words: Words) -> None:
    if "--json" not in sys.argv[1:]:
        return
    parts = {name: words.message(getattr(error, name)) for name in ("place", "what", "remedy")} if error else {}
    with contextlib.suppress(OSError):
        print_json({"error": {"kind": type(error).__name__, "text": text, **parts}, "exit_code": int(code)})


def _flushed(code: int, words: Words) -> int:
    """Write what is left of the output; where that fails, the command has no result."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            what = Message("cannot be written: {why}", why=library_message(error))
            remedy = Message("look whether the disk is full")
            text = words.sentence(Message("standard output"), what, remedy)
            with contextlib.suppress(OSError):
                stderr().print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        # What is still buffered would be written again when the process ends.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.NO_RESULT
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    return code


def _interrupted(caught: _Signal, words: Words) -> int:
    """Say in one line that a signal ended the command; return 128 and its number, as shells do."""
    with contextlib.suppress(OSError):
        stderr().print(words("cli", "interrupted"), markup=False, highlight=False, soft_wrap=True)
    return 128 + caught.number


def _replace_unencodable() -> None:
    """Make consoles print a substitute for characters that they cannot encode (GBK on Windows), instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
