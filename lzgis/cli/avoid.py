"""The command ``avoid``: the part of a site that nothing forbids, and the shortest move that clears the whole site.

Exit codes: 0 nothing forbids the site where it is, 1 it has to be moved, or no move within the distance is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.console import ExitCode, announce, compile_loops, print_json, print_lines
from lzgis.cli.options import AsOfOption, Lang, LangOption, LayersOption, OutOption, SitesOption, gathers

if TYPE_CHECKING:
    from lzgis.words import Language


@dataclass(frozen=True)
class AvoidOptions:
    """Options of an avoidance: the file of the sites, the longest move, the folder of its picture, and JSON."""

    sites: SitesOption = None
    within: Annotated[float, typer.Option("--within", help="How far the site may be moved, in metres.")] = 500.0
    out: OutOption = None
    as_json: Annotated[bool, typer.Option("--json", help="Print it with both shapes (GeoJSON) on standard output.")] = (
        False
    )


@gathers(AvoidOptions, "options")
def avoid(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    layers: LayersOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.zh,
    options: AvoidOptions = AvoidOptions(),
) -> None:
    """Show the part of a site outside forbidden areas, and the shortest move that avoids them."""
    raise typer.Exit(run_avoid(site, layers, as_of, options, lang.code))


def run_avoid(site: str, layers: Path | None, as_of: str | None, options: AvoidOptions, language: Language) -> ExitCode:
    """Find the remaining part and the shortest move, show them, and return the exit code."""
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import city_or_reference, sites_or_reference
    from lzgis.exports.avoidance import avoidance_document, avoidance_lines, write_avoidance
    from lzgis.screening.avoidance import avoid
    from lzgis.words import Words

    words = Words(language)
    compile_loops(words)
    city = open_catalogue(city_or_reference(layers))
    found = avoid(site, sites_or_reference(options.sites), city, as_of=as_of, within_m=options.within)
    if options.out is not None:
        announce(write_avoidance(found, options.out, city, within_m=options.within, language=language), words)
    if options.as_json:
        print_json(avoidance_document(found))
    else:
        notice = words.title(city.city.notice, city.city.notice_en)
        print_lines([*avoidance_lines(found, options.within, words), notice, words("cli", "disclaimer")])
    return ExitCode.FOUND if found.shift is None or found.shift.distance_m > 0 else ExitCode.OK
