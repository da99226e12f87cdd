"""The command ``sign``: an office signs a folder of results with its key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lzgis.cli.console import ExitCode, announce
from lzgis.cli.options import Lang, LangOption


def sign(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of results.")],
    key: Annotated[Path, typer.Option("--key", help="The office's private key: Ed25519 in a PEM file.")],
    lang: LangOption = Lang.zh,
) -> None:
    """Sign results, so that `verify --key` proves who wrote them."""
    from lzgis.audits.signature import sign as signed

    announce([signed(folder, key)], lang.words)
    raise typer.Exit(ExitCode.OK)
