"""The command ``init``: an empty city for an office that holds the official data."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from lzgis.cli.console import stdout
from lzgis.cli.options import Lang, LangOption


def init(folder: Annotated[Path, typer.Argument(help="Folder to make.")], lang: LangOption = Lang.zh) -> None:
    """Write an empty city for an office that holds the official data."""
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.new_city import start_city
    from lzgis.city.readiness import missing_for_screen
    from lzgis.cli.layers import print_missing

    made = start_city(folder)
    stdout().print(f"{made}: {', '.join(sorted(p.name for p in made.iterdir()))}", markup=False, highlight=False)
    city = open_catalogue(made)
    print_missing(missing_for_screen(city, {}, dt.date.today()), lang.words)
