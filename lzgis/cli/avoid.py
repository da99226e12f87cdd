"""The command ``avoid``: the part of a site that nothing forbids, and the shortest move that clears the whole site.

Exit codes: 0 nothing forbids the site where it is, 1 it has to be moved, or no move within the distance is enough.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lzgis.cli.console import ExitCode, compile_loops, print_json, print_lines
from lzgis.cli.options import AsOfOption, Lang, LangOption, LayersOption, SitesOption, gathers

if TYPE_CHECKING:
    from lzgis.screening.avoidance import Avoidance
    from lzgis.words import Language, Words


@dataclass(frozen=True)
class AvoidOptions:
    """Options of an avoidance: the file of the sites, the longest move, and whether JSON is printed."""

    sites: SitesOption = None
    within: Annotated[float, typer.Option("--within", help="How far the site may be moved, in metres.")] = 500.0
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
    from lzgis.screening.avoidance import avoid
    from lzgis.words import Words

    words = Words(language)
    compile_loops(words)
    city = open_catalogue(city_or_reference(layers))
    found = avoid(site, sites_or_reference(options.sites), city, as_of=as_of, within_m=options.within)
    if options.as_json:
        print_json(_record(found))
    else:
        notice = words.title(city.city.notice, city.city.notice_en)
        print_lines([*_lines(found, options.within, words), notice, words("cli", "disclaimer")])
    return ExitCode.FOUND if found.shift is None or found.shift.distance_m > 0 else ExitCode.OK


def _record(found: Avoidance) -> dict[str, Any]:
    import shapely

    shift = found.shift
    return {
        "site_id": found.site_id,
        "rules": [rule.id for rule in found.rules],
        "remaining_size": found.remaining_size,
        "remaining_share": None if math.isnan(found.remaining_share) else found.remaining_share,
        "remaining": None if found.remaining is None else json.loads(shapely.to_geojson(found.remaining)),
        "shift": None
        if shift is None
        else {
            "distance_m": shift.distance_m,
            "azimuth_deg": shift.azimuth_deg,
            "verdict": shift.verdict,
            "geometry": json.loads(shapely.to_geojson(shift.geometry)),
        },
    }


def _lines(found: Avoidance, within_m: float, words: Words) -> list[str]:
    shift = found.shift
    lines = [words("avoid", "obstacle", rule=words.title(rule.title, rule.title_en)) for rule in found.rules]
    if not math.isnan(found.remaining_share):
        share = f"{100 * found.remaining_share:.1f}"
        lines.append(words("avoid", "remaining", size=f"{found.remaining_size:,.2f}", share=share))
    if shift is None:
        return [*lines, words("avoid", "none", site=found.site_id, within=f"{within_m:g}")]
    if shift.distance_m == 0:
        lines.append(words("avoid", "stays", site=found.site_id))
    else:
        distance, azimuth = f"{shift.distance_m:.2f}", f"{round(shift.azimuth_deg, 1) % 360:.1f}"
        lines.append(words("avoid", "moved", site=found.site_id, distance=distance, azimuth=azimuth))
    return [*lines, words("avoid", "verdict", verdict=words("verdict", shift.verdict))]
