"""The command ``init``: an empty city for an office that holds the official data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lzgis.cli.console import stdout


def init(folder: Annotated[Path, typer.Argument(help="Folder to make.")]) -> None:
    """Write an empty city for an office that holds the official data."""
    from lzgis.city.new_city import start_city

    made = start_city(folder)
    stdout().print(f"{made}: {', '.join(sorted(p.name for p in made.iterdir()))}", markup=False, highlight=False)
