"""What the command line shows: tables on standard output, progress and messages on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from lzgis.catalogue import Catalogue, Measured, area_km2, measure_declared
from lzgis.check import Progress as Report_progress
from lzgis.errors import LzgisError
from lzgis.messages import Message
from lzgis.model import Problem, Report, Verdict
from lzgis.sources import shown
from lzgis.words import Words

_VERDICT_STYLE = {
    Verdict.PROHIBITED: "bold red",
    Verdict.REVIEW: "yellow",
    Verdict.INCOMPLETE: "magenta",
    Verdict.NONE_FOUND: "green",
}
_LEVEL_STYLE = {"error": "red", "warning": "yellow", "note": "dim"}


@contextmanager
def progress_bar(words: Words) -> Iterator[Report_progress]:
    """Show a bar on standard error while something long goes on; nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, int] = {}

        def step(what: str, done: int, total: int) -> None:
            if what not in tasks:
                if what == "loops":
                    # Said where standard error is no terminal, too: nothing else would explain the wait.
                    console.print(words("cli", "compiling"), markup=False, highlight=False, soft_wrap=True)
                tasks[what] = int(bar.add_task(words("cli", what), total=total))
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield step


def verdict_table(report: Report, words: Words) -> Table:
    """One row per site."""
    table = Table(title=Text(words("cli", "verdicts_title", as_of=report.provenance.as_of)), title_justify="left")
    for heading in ("site", "name", "verdict", "area", "why", "nearest"):
        table.add_column(words("cli", heading), overflow="fold", justify="right" if heading in ("area",) else "left")
    rows: Iterable[Any] = report.verdicts.itertuples()
    for row in rows:
        style = _VERDICT_STYLE[Verdict(row.verdict)]
        size = f"{row.site_area_m2:,.0f} ㎡" if row.site_area_m2 == row.site_area_m2 else ""
        size = f"{row.site_length_m:,.0f} m" if row.site_length_m == row.site_length_m else size
        nearest = f"{_title(report, row.nearest_rule, words)} {row.nearest_m:,.0f} m" if row.nearest_rule else ""
        table.add_row(
            Text(row.site_id),
            Text(row.site_name),
            Text(words("verdict", row.verdict), style=style),
            size,
            Text(_why(report, row, words)),
            Text(nearest),
        )
    return table


def summary_lines(report: Report, words: Words) -> list[Text]:
    """Count by verdict, and say the notice that every output carries."""
    counts = report.verdicts["verdict"].value_counts()
    lines = [
        Text(f"{words('verdict', verdict)}: {counts.get(verdict.value, 0)}", style=_VERDICT_STYLE[verdict])
        for verdict in Verdict
    ]
    if len(report.overrides):
        stale = int((report.overrides["status"] != "current").sum())
        lines.append(Text(words("override", "summary", count=len(report.overrides), stale=stale), style="bold"))
    notice = words.title(report.city.notice, report.city.notice_en)
    return [*lines, Text(notice, style="bold"), Text(words("cli", "disclaimer"))]


def problem_lines(problems: tuple[Problem, ...], words: Words) -> list[Text]:
    """One line per problem, the gravest first."""
    order = list(_LEVEL_STYLE)
    ranked = sorted(problems, key=lambda p: order.index(p.level))
    return [
        Text(f"{words('level', p.level)}: {words.sentence(p.place, p.what, p.remedy)}", style=_LEVEL_STYLE[p.level])
        for p in ranked
    ]


def layers_table(city: Catalogue, words: Words) -> tuple[Table, list[Problem]]:
    """One row per layer and declared figure, measured beside declared; and the problems of all layers."""
    table = Table(title=Text(city.city.name), title_justify="left")
    for heading in ("layer", "title", "status", "features", "measured_area", "declared", "measured", "holds"):
        table.add_column(words("cli", heading), overflow="fold")
    problems: list[Problem] = []
    for name, spec in city.layers.items():
        title = words.title(spec.title, spec.title_en)
        if not city.exists(name):
            table.add_row(name, Text(title), words("cli", "missing"))
            problems.append(
                Problem(
                    "warning",
                    Message("layer '{name}'", name=name),
                    Message("the file {source} is not there", source=shown(spec.source)),
                    Message("put it there"),
                )
            )
            continue
        loaded = city.load(name)
        problems.extend(loaded.problems)
        frame = loaded.layer.frame
        area = f"{area_km2(city, name):,.3f} km²" if spec.geometry == "polygon" else ""
        checks: list[Measured | None] = [*measure_declared(city, name)] or [None]
        for i, check in enumerate(checks):
            first = (name, Text(title), words("status", spec.status), str(len(frame)), area) if i == 0 else ("",) * 5
            table.add_row(*first, *_declared_cells(check, words))
    return table, problems


def rasters_table(city: Catalogue, words: Words) -> tuple[Table, list[Problem]]:
    """One row per raster and declared figure, measured beside declared; and the problems of all rasters."""
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
            checks: list[Any] = [*raster_declared(city, name)] or [None]
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


def _declared_cells(check: Any, words: Words) -> tuple[str | Text, ...]:
    """Tell a figure as declared, as measured, and whether it holds; nothing where none is declared."""
    if check is None:
        return ("", "", "")
    declared = check.declared
    value = {"area_km2": "{:,.3f} km²", "count": "{:,.0f}", "share_of_city": "{:.4%}"}[declared.what]
    label = value.format(declared.value)
    if declared.where:
        label += f" ({'、'.join(v for values in declared.where.values() for v in values)})"
    if declared.denominator_km2:
        label += f" / {declared.denominator_km2:,.2f} km²"
    holds = Text(words("cli", "yes"), "green") if check.holds else Text(words("cli", "no"), "red")
    return (Text(label), value.format(check.measured), holds)


def _why(report: Report, row: Any, words: Words) -> str:
    lines = []
    for part in ("prohibited", "conditional", "not_checked"):
        rules = getattr(row, part)
        if rules:
            titles = "、".join(_title(report, rule, words) for rule in rules[:3])
            more = words("cli", "more", count=len(rules) - 3) if len(rules) > 3 else ""
            lines.append(f"{words('cli', part)}: {titles}{more}")
    return "\n".join(lines)


def _title(report: Report, rule_id: str, words: Words) -> str:
    rule = report.book.rule(rule_id)
    return words.title(rule.title, rule.title_en)
