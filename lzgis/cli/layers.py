"""The command ``layers``: the layers and rasters of a city, with measured and declared figures and problems."""

from __future__ import annotations

import typer

from lzgis.cli.console import ExitCode, print_problems, stdout
from lzgis.cli.options import Lang, LangOption, LayersOption


def layers(layers: LayersOption = None, lang: LangOption = Lang.zh) -> None:
    """Show a city's layers and rasters, measured beside declared, and their problems."""
    from lzgis.city.catalogue import open_catalogue, unknown_values
    from lzgis.city.outline_shift import outline_problems
    from lzgis.city.reference import city_or_reference
    from lzgis.cli.tables import layers_table, rasters_table

    city = open_catalogue(city_or_reference(layers))
    table, problems = layers_table(city, lang.words)
    for name in city.layers:
        if city.exists(name):
            problems.extend(unknown_values(city.book, city.load(name).layer))
    loaded = {name: city.load(name).layer for name in city.layers if city.exists(name)}
    if city.city.outline in loaded:
        problems.extend(outline_problems(city, loaded))
    console = stdout()
    console.print(table)
    if city.spec.raster:
        table, more = rasters_table(city, lang.words)
        problems.extend(more)
        console.print(table)
    print_problems(problems, lang.words)
    sound = all(problem.level == "note" for problem in problems)
    raise typer.Exit(ExitCode.OK if sound else ExitCode.INCOMPLETE)
