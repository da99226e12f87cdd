"""The command line: arguments in, tables, files and an exit code out.

Exit codes: 0 nothing found, 1 conflicts, 2 bad input or an incomplete check. What is heavy is imported by the command
that needs it.
"""

from __future__ import annotations

import gc
import sys

import typer

from lzgis.cli.audit import audit
from lzgis.cli.avoid import avoid
from lzgis.cli.console import ExitCode, stderr
from lzgis.cli.demo import demo
from lzgis.cli.diff import diff
from lzgis.cli.indicators import indicators
from lzgis.cli.init import init
from lzgis.cli.inspect import inspect
from lzgis.cli.layers import layers
from lzgis.cli.map import draw_maps
from lzgis.cli.override import override
from lzgis.cli.raster import app as raster_app
from lzgis.cli.screen import screen
from lzgis.cli.verify import verify
from lzgis.errors import LzgisError
from lzgis.words import Words

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(raster_app, name="raster")
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
app.command("override")(override)
app.command("avoid")(avoid)
app.command("init")(init)


def main() -> None:
    """Run the command line; an error of lzgis is printed as one line on standard error, with exit code 2."""
    _replace_unencodable()
    try:
        app()
    except LzgisError as error:
        # The options may not have been parsed, so the language is searched for in the arguments.
        words = Words("en" if {"--lang=en", "en"} & set(sys.argv[1:]) else "zh")
        text = words.sentence(error.place, error.what, error.remedy)
        stderr().print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(ExitCode.INCOMPLETE)
    finally:
        # The process ends: without this, Python searches all objects of the imported packages for cycles, for some 0.2 s.
        gc.freeze()


def _replace_unencodable() -> None:
    """Make consoles print a substitute for characters that they cannot encode (GBK on Windows), instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
