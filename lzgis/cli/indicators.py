"""The command ``indicators``: the indicators of the plan against their targets, by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from lzgis.cli.console import announce, print_json, print_lines, stdout
from lzgis.cli.options import Lang, LangOption, LayersOption, OutOption
from lzgis.cli.result import given_inputs, made_at, result_in

if TYPE_CHECKING:
    from lzgis.rasters.indicators import IndicatorReport
    from lzgis.words import Words


def indicators(
    layers: LayersOption = None,
    out: OutOption = None,
    as_json: bool = typer.Option(False, "--json", help="Print the indicators as JSON on standard output."),
    lang: LangOption = Lang.zh,
) -> None:
    """Compare the plan's indicators with their targets: measured, or from the table of the city."""
    from lzgis.audits.verify import RASTER_RESULTS
    from lzgis.city.catalogue import open_catalogue
    from lzgis.city.reference import city_or_reference
    from lzgis.exports.gis.json import provenance_object
    from lzgis.exports.indicators import (
        indicator_document,
        indicator_provenance,
        write_indicators_html,
        write_indicators_xlsx,
    )
    from lzgis.rasters.indicators import indicators as measured

    words = lang.words
    city = open_catalogue(city_or_reference(layers))
    report = measured(city)
    if as_json:
        print_json(indicator_document(report))
    else:
        _show(report, words)
    if out is not None:
        when = made_at()
        origin = provenance_object(indicator_provenance(city, made_at=when))
        with result_in(out, f"{RASTER_RESULTS}indicators", origin, given_inputs(None, layers)) as stage:
            book, page = stage.folder / "indicators.xlsx", stage.folder / "indicators.html"
            write_indicators_xlsx(report, city, book, language=words.language, made_at=when)
            write_indicators_html(report, city, page, language=words.language)
        announce([stage.final(path) for path in (book, page)], lang.words)


def _show(report: IndicatorReport, words: Words) -> None:
    from rich.table import Table
    from rich.text import Text

    from lzgis.exports.indicators import LAST_COLUMNS, cells, headings, summaries

    shown = slice(-len(LAST_COLUMNS))
    table = Table(title=Text(report.plan.title), title_justify="left")
    for heading in headings(report, words)[shown]:
        table.add_column(heading, overflow="fold")
    for row in report.rows:
        table.add_row(*(Text(cell) for cell in cells(row, words)[shown]))
    stdout().print(table)
    print_lines(summaries(report, words))
