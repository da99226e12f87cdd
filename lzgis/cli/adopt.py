"""The command ``adopt``: a city folder from a delivery of official data.

Exit codes: 0 if nothing is left to decide, 2 otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.console import ExitCode, announce, print_problems, stdout
from lzgis.cli.options import Lang, LangOption

if TYPE_CHECKING:
    from lzgis.city.adoption import Adoption
    from lzgis.words import Words

#: The list of decisions, beside the catalogue.
DECISIONS_FILE = "decisions.md"


def adopt(
    delivery: Annotated[Path, typer.Argument(help="Folder of the delivery, or one .gdb, .gpkg or .shp of it.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="City folder to make.")],
    *,
    crs: Annotated[str | None, typer.Option(help="Reference system of layers that state none, as EPSG:4526.")] = None,
    lang: LangOption = Lang.zh,
) -> None:
    """Make a city folder from a delivery of official data, and list what the office must decide."""
    from lzgis.city.adoption import adopt as adopt_delivery
    from lzgis.files.atomic_write import write_bytes_atomic

    result = adopt_delivery(delivery, out, crs=crs)
    words = lang.words
    write_bytes_atomic(result.folder / DECISIONS_FILE, decisions_text(result, words).encode())
    _show(result, words)
    announce([result.folder / DECISIONS_FILE], words)
    raise typer.Exit(ExitCode.INCOMPLETE if result.decisions else ExitCode.OK)


def decisions_text(result: Adoption, words: Words) -> str:
    """Return the list for the office, as Markdown: what is to be decided, then what was assumed."""
    lines = [f"# {words('adopt', 'title')}", "", words("adopt", "intro"), "", f"## {words('adopt', 'decide')}", ""]
    lines += [f"- [ ] {words.sentence(one.place, one.what, one.remedy)}" for one in result.decisions]
    lines += ["", f"## {words('adopt', 'assumed')}", ""]
    lines += [f"- {words.sentence(one.place, one.what, one.remedy)}" for one in result.assumed]
    return "\n".join(lines) + "\n"


def _show(result: Adoption, words: Words) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(words("adopt", "layers")), title_justify="left")
    for key in ("layer", "source", "features", "by"):
        table.add_column(words("adopt", key), overflow="fold", justify="right" if key == "features" else "left")
    for one in result.layers:
        source = f"{one.source.path.name}/{one.source.layer}" if one.source.layer else one.source.path.name
        table.add_row(one.layer_id, Text(source), str(one.source.features), Text(words.message(one.by)))
    console = stdout()
    console.print(table)
    console.print(Text(words("adopt", "decide"), style="bold"))
    print_problems(result.decisions, words)
    counted = words("adopt", "counted", decisions=len(result.decisions), assumed=len(result.assumed))
    console.print(Text(counted), soft_wrap=True)
