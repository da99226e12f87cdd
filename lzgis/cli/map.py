"""The command ``map``: maps on paper for sites of a file, or the overview of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.result import result_in
from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from lzgis.files.manifest import InputPaths
    from lzgis.model.report import Report
    from lzgis.words import Language

SUFFIXES = ("png", "pdf", "svg")


class Paper(StrEnum):
    """Sizes of paper."""

    A4 = "A4"
    A3 = "A3"


class Orientation(StrEnum):
    """How the paper lies."""

    landscape = "landscape"
    portrait = "portrait"


@dataclass(frozen=True)
class SheetOptions:
    """Options of the sheets: where, in which formats, on what paper."""

    out: Annotated[Path, typer.Option("--out", "-o", help="Folder that receives the maps.")] = Path("out")
    formats: Annotated[
        list[str] | None, typer.Option("--format", help="png, pdf or svg; may be given again; png if not given.")
    ] = None
    paper: Annotated[Paper, typer.Option("--paper", help="Size of the paper.")] = Paper.A4
    orientation: Annotated[Orientation, typer.Option("--orientation", help="How it lies.")] = Orientation.landscape
    map_number: Annotated[
        str, typer.Option("--map-number", metavar="审图号", help="Approval number, printed only if given.")
    ] = ""

    def suffixes(self) -> list[str]:
        """Give the formats asked for, each once.

        Raises
        ------
        ConfigError
            If one is not known.
        """
        names = [name.strip().lower() for one in self.formats or ["png"] for name in one.split(",")]
        for name in names:
            if name not in SUFFIXES:
                what = Message("'{name}' is not known", name=name)
                raise ConfigError("--format", what, Message("allowed: {names}", names=", ".join(SUFFIXES)))
        return list(dict.fromkeys(names))


def write_sheets(
    report: Report, site_ids: list[str], options: SheetOptions, language: Language, given: InputPaths | None = None
) -> list[Path]:
    """Write the maps that the options ask for, and return the files."""
    from lzgis.exports.gis.json import provenance_object
    from lzgis.exports.paper import Sheet, write_maps

    sheet = Sheet(options.paper.value, options.orientation.value, options.map_number.strip())
    suffixes = options.suffixes()
    with result_in(options.out, "map", provenance_object(report.provenance), given) as stage:
        made = write_maps(report, stage.folder, site_ids, sheet=sheet, suffixes=suffixes, language=language)
    return [stage.final(path) for path in made]
