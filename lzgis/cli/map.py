"""The command ``map``: a map on paper for each chosen site, or one overview of all sites."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.console import announce
from lzgis.cli.options import AsOfOption, Lang, LangOption, LayersOption, ReadingOptions, SitesOption, gathers
from lzgis.cli.result import given_inputs, result_in
from lzgis.cli.screen import screened
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
    """Orientations of the paper."""

    landscape = "landscape"
    portrait = "portrait"


@dataclass(frozen=True)
class SheetOptions:
    """Options of the maps: folder, formats, paper."""

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
        """Return the requested formats without duplicates.

        Raises
        ------
        ConfigError
            If a format is not known.
        """
        names = [name.strip().lower() for one in self.formats or ["png"] for name in one.split(",")]
        for name in names:
            if name not in SUFFIXES:
                what = Message("'{name}' is not known", name=name)
                raise ConfigError("--format", what, Message("allowed: {names}", names=", ".join(SUFFIXES)))
        return list(dict.fromkeys(names))


@gathers(ReadingOptions, "reading")
@gathers(SheetOptions, "sheets")
def draw_maps(  # noqa: PLR0913 (a command has as many options as it needs)
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[SITE]...", help="Ids of sites; none for all on one map.")
    ] = None,
    *,
    sites: SitesOption = None,
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    sheets: SheetOptions = SheetOptions(),
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008 (frozen)
) -> None:
    """Draw maps on paper: one for each SITE, or an overview of them all."""
    from lzgis.city.reference import sites_or_reference
    from lzgis.reading import begin_reading

    sheets.suffixes()
    with begin_reading(sites_or_reference(sites), options=reading.options()) as table:
        report = screened(table, layers, as_of, lang)
    announce(write_sheets(report, ids or [], sheets, lang.code, given_inputs(sites, layers)), lang.words)


def write_sheets(
    report: Report, site_ids: list[str], options: SheetOptions, language: Language, given: InputPaths | None = None
) -> list[Path]:
    """Write the maps and return the files."""
    from lzgis.exports.gis.json import provenance_object
    from lzgis.exports.paper import PaperSheet, write_maps

    sheet = PaperSheet(options.paper.value, options.orientation.value, options.map_number.strip())
    suffixes = options.suffixes()
    with result_in(options.out, "map", provenance_object(report.provenance), given) as stage:
        made = write_maps(report, stage.folder, site_ids, sheet=sheet, suffixes=suffixes, language=language)
    return [stage.final(path) for path in made]
