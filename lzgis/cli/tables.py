"""Tables and summaries that the command line prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from lzgis.city.catalogue import Catalogue, DeclaredCheck, area_km2, measure_declared
from lzgis.cli.site_lines import rule_title
from lzgis.errors import LzgisError
from lzgis.exports.report_text import records
from lzgis.exports.rounding import NONE, Rounding
from lzgis.model.report import Problem, Report

if TYPE_CHECKING:
    from lzgis.rasters.stats import RasterMeasured
    from lzgis.words import Words

#: The most problems that are printed.
MOST_ROWS = 20
#: From the most severe level.
_LEVEL_STYLE = {"error": "red", "warning": "yellow", "note": "dim"}


def city_table(report: Report, words: Words, *, place: str = "") -> Table:
    """Make a table of what was found in each city under each rule, of at most `MOST_ROWS` rows."""
    table = Table(title=Text(words("cli", "city_rules_title")), title_justify="left")
    for heading in ("city", "rule", "state", "sites", "area_ha", "length_m"):
        right = heading in ("sites", "area_ha", "length_m")
        table.add_column(words("column", heading), overflow="fold", justify="right" if right else "left")
    shown, rounding = report.city_rules[:MOST_ROWS], Rounding(report)
    layer_of = {rule.id: rule.layer for rule in report.book.rules}
    for row in records(shown, shown.columns):
        layer = layer_of.get(row["rule"], "")
        both = (rounding.hectares(row["area_m2"], layer), rounding.metres(row["length_m"], layer))
        sizes = ["" if size == NONE else size for size in both]
        city = row["city"] or words("table", "no_city")
        title = rule_title(report, row["rule"], words)
        table.add_row(Text(city), Text(title), words("state", row["state"]), str(row["sites"]), *sizes)
    if len(report.city_rules) > MOST_ROWS:
        key = "more_in" if place else "more_rows"
        table.caption = Text(words("cli", key, count=len(report.city_rules) - MOST_ROWS, place=place))
        table.caption_justify = "left"
    return table


def more_lines(count: int, words: Words, *, place: str = "") -> list[Text]:
    """Return the line that says how many problems are not printed, and which file has them all."""
    if count <= MOST_ROWS:
        return []
    key = "more_in" if place else "more_rows"
    return [Text(words("cli", key, count=count - MOST_ROWS, place=place), style="dim")]


def summary_lines(report: Report, words: Words) -> list[Text]:
    """Return the number of overruled findings, and the notices that every output carries."""
    lines = []
    if len(report.overrides):
        stale = int((report.overrides["status"] != "current").sum())
        lines.append(Text(words("override", "summary", count=len(report.overrides), stale=stale), style="bold"))
    notice = words.title(report.city.notice, report.city.notice_en)
    return [*lines, Text(notice, style="bold"), Text(words("cli", "disclaimer"))]


def problem_lines(problems: tuple[Problem, ...], words: Words) -> list[Text]:
    """Return one line per problem, the most severe first."""
    order = list(_LEVEL_STYLE)
    ranked = sorted(problems, key=lambda p: order.index(p.level))
    return [
        Text(f"{words('level', p.level)}: {words.sentence(p.place, p.what, p.remedy)}", style=_LEVEL_STYLE[p.level])
        for p in ranked
    ]


def layers_table(city: Catalogue, words: Words) -> tuple[Table, list[Problem]]:
    """Make a table with one row per layer and declared figure; return it with the problems of all layers."""
    table = Table(title=Text(city.city.name), title_justify="left")
    for heading in ("layer", "title", "status", "features", "measured_area", "declared", "measured", "holds"):
        table.add_column(words("cli", heading), overflow="fold")
    problems: list[Problem] = []
    # Without an outline the city has no plane to measure in.
    measured = city.exists(city.city.outline)
    for name, spec in city.layers.items():
        title = words.title(spec.title, spec.title_en)
        if not city.exists(name):
            table.add_row(name, Text(title), words("cli", "missing"))
            continue
        loaded = city.load(name)
        problems.extend(loaded.problems)
        frame = loaded.layer.frame
        area = f"{area_km2(city, name):,.3f} km²" if measured and spec.geometry == "polygon" else ""
        checks: list[DeclaredCheck | None] = [*(measure_declared(city, name) if measured else [])] or [None]
        for i, check in enumerate(checks):
            first = (name, Text(title), words("status", spec.status), str(len(frame)), area) if i == 0 else ("",) * 5
            table.add_row(*first, *_declared_cells(check, words))
    return table, problems


def rasters_table(city: Catalogue, words: Words) -> tuple[Table, list[Problem]]:
    """Make a table with one row per raster and declared figure; return it with the problems of all rasters."""
    from lzgis.rasters.city import city_raster
    from lzgis.rasters.stats import raster_declared

    table = Table(title=Text(words("raster", "rasters_title")), title_justify="left")
    for heading in ("raster_id", "title", "status", "date", "cells", "declared", "measured", "holds"):
        table.add_column(words("cli", heading), overflow="fold")
    problems: list[Problem] = []
    for name, spec in city.spec.raster.items():
        title = words.title(spec.title, spec.title_en)
        try:
            one = city_raster(city, name)
            checks: list[RasterMeasured | None] = [*raster_declared(city, name)] or [None]
        except LzgisError as error:
            table.add_row(name, Text(title), Text(words("cli", "unusable"), "red"))
            problems.append(Problem("error", error.place, error.what, error.remedy))
            continue
        problems.extend(one.problems)
        date = "" if spec.date is None else spec.date.isoformat()
        cells = f"{one.grid.shape[0]} × {one.grid.shape[1]}"
        for i, check in enumerate(checks):
            first = (name, Text(title), words("status", spec.status), date, cells) if i == 0 else ("",) * 5
            table.add_row(*first, *_declared_cells(check, words))
    return table, problems


DECLARED_FORMATS = {
    "area_km2": "{:,.3f} km²",
    "count": "{:,.0f}",
    "groups": "{:,.0f}",
    "length_km": "{:,.3f} km",
    "share_of_city": "{:.4%}",
    "stated": "{:,.2f}",
}


def _declared_cells(check: DeclaredCheck | RasterMeasured | None, words: Words) -> tuple[str | Text, ...]:
    """Return the declared figure, the measured one, and whether it holds; empty cells if no figure is declared."""
    if check is None:
        return ("", "", "")
    declared = check.declared
    value = DECLARED_FORMATS[declared.what]
    label = value.format(declared.value)
    if declared.where:
        label += f" ({'、'.join(v for values in declared.where.values() for v in values)})"
    if declared.denominator_km2:
        label += f" / {declared.denominator_km2:,.2f} km²"
    holds = Text(words("cli", "yes"), "green") if check.holds else Text(words("cli", "no"), "red")
    return (Text(label), value.format(check.measured), holds)
