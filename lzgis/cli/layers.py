"""The command ``layers``: the layers and rasters of a city, with measured and declared figures and problems."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from lzgis.cli.console import ExitCode, print_lines, print_problems, stdout
from lzgis.cli.options import Lang, LangOption, LayersOption

if TYPE_CHECKING:
    from lzgis.model.report import Problem
    from lzgis.words import Words


def layers(layers: LayersOption = None, lang: LangOption = Lang.zh) -> None:
    """Show a city's layers and rasters, measured beside declared, their problems, and what is missing to screen."""
    from lzgis.city.catalogue import open_catalogue, unknown_values
    from lzgis.city.outline_shift import outline_problems
    from lzgis.city.readiness import missing_for_screen
    from lzgis.city.reference import city_or_reference
    from lzgis.cli.tables import layers_table, rasters_table

    city = open_catalogue(city_or_reference(layers))
    table, problems = layers_table(city, lang.words)
    loaded = {name: city.load(name).layer for name in city.layers if city.exists(name)}
    shifts = outline_problems(city, loaded) if city.city.outline in loaded else []
    missing = missing_for_screen(city, loaded, dt.date.today())
    console = stdout()
    console.print(table)
    if city.spec.raster:
        table, more = rasters_table(city, lang.words)
        problems.extend(more)
        console.print(table)
    print_problems([*problems, *shifts], lang.words)
    print_missing(missing, lang.words)
    # A warning that changes no answer, as a repair that keeps the area, does not change the exit code.
    faults = any(one.level == "error" for one in problems) or any(one.doubtful for one in loaded.values())
    unknown = any(unknown_values(city.book, one) for one in loaded.values())
    needed = {name for rule in city.book.rules for name in rule.layers}
    lacking = any(one.level == "error" for one in missing) or (set(city.layers) & needed) - set(loaded)
    sound = not (faults or shifts or unknown or lacking)
    raise typer.Exit(ExitCode.OK if sound else ExitCode.INCOMPLETE)


def print_missing(missing: Sequence[Problem], words: Words) -> None:
    """Print what a city lacks to be screened as a numbered list, the gravest first; a sentence if nothing is missing."""
    from lzgis.cli.tables import MOST_ROWS

    if not missing:
        print_lines([words("cli", "nothing_missing")])
        return
    print_lines([words("cli", "missing_for_screen")])
    for number, one in enumerate(missing[:MOST_ROWS], start=1):
        print_lines([f"{number}. {words('level', one.level)}: {words.sentence(one.place, one.what, one.remedy)}"])
    rest = [words.message(one.place) for one in missing[MOST_ROWS:]]
    if rest:
        # The list ends, and names everything.
        names = words("picture", "separator").join(dict.fromkeys(rest))
        print_lines([words("cli", "also_missing", count=len(rest), names=names)])
