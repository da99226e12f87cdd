"""The command ``demo``: the reference city's own projects, screened and written in every default format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lzgis.cli.console import announce
from lzgis.cli.options import Lang, LangOption, formats_of
from lzgis.cli.result import given_inputs
from lzgis.cli.screen import screened, show_report, write_report


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder that receives the files.")] = Path("out"),
    lang: LangOption = Lang.zh,
) -> None:
    """Screen the reference city's own projects and write every default format."""
    from lzgis.city.reference import sites_or_reference
    from lzgis.reading import begin_reading

    with begin_reading(sites_or_reference(None)) as table:
        report = screened(table, None, None, lang)
    written = write_report(report, out, formats_of(None), lang, options={}, given=given_inputs(None, None))
    show_report(report, lang, written)
    announce(written, lang.words)
