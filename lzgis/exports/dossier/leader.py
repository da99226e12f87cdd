"""The leader's summary as a document: verdicts with a chart and the gravest findings on one page, then the tables."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lzgis.exports.dossier import document_bytes
from lzgis.exports.dossier.alternatives import alternatives_grid, summary_grid
from lzgis.exports.dossier.content import about_facts
from lzgis.exports.dossier.document import Abstract, Column, Dossier, Grid, Picture, Section
from lzgis.exports.dossier.grids import first_problems_grid, provenance_grids
from lzgis.exports.dossier.project import DossierSource
from lzgis.exports.dossier.sections import provenance_section
from lzgis.exports.fonts import font
from lzgis.exports.leader_summary import VERDICTS, Summary, summary_of
from lzgis.exports.paper.rendering import settings
from lzgis.exports.rounding import NONE
from lzgis.exports.symbology import VERDICT_COLOURS
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.model.report import Report
from lzgis.words import Language

_CHART_MM = (78.0, 40.0)
_DPI = 200
#: The most rules in the document; the workbook has all.
_MOST_RULES = 25
#: The most problems and repairs in the document.
_MOST_PROBLEMS = 20


def write_summary(report: Report, path: str | Path, *, language: Language = "zh") -> None:
    """Write the leader's summary of a report as ``.docx``, ``.pdf`` or ``.html``.

    Raises
    ------
    ExportError
        If the suffix is unknown, a package is missing, or the file cannot be written.
    """
    path = Path(path)
    write_bytes_atomic(path, document_bytes(leader_dossier(report, language=language), report, path))


def leader_dossier(report: Report, *, language: Language = "zh") -> Dossier:
    """Return the summary in the model of documents.

    Parameters
    ----------
    report : Report
        The report.
    language : {"zh", "en"}
        Language of titles and wording.
    """
    source = DossierSource(report, language)
    summary, words, about = summary_of(source.texts), source.words, about_facts(source)
    count = sum(number for _, number in summary.verdicts)
    facts = [(source.texts.word("verdict", verdict), str(number)) for verdict, number in summary.verdicts]
    grids = (
        _townships(source, summary),
        _rules(source, summary),
        alternatives_grid(source, summary.alternatives),
    )
    return Dossier(
        language=language,
        title=words("summary", "title", city=source.texts.city),
        subtitle=words("summary", "lead", as_of=about["as_of"], count=count),
        verdict="",
        verdict_code="",
        project={"id": words("summary", "sheet")},
        about=about,
        abstract=Abstract(
            facts=tuple(facts),
            picture=_chart(source, summary),
            findings=_gravest(source, summary),
            lines=_lines(source),
            control=_control(source, about),
        ),
        sections=tuple(_sections(source, [grid for grid in grids if grid], about)),
        tables=(),
    )


def _sections(source: DossierSource, grids: Sequence[Grid], about: dict[str, str]) -> Iterable[Section]:
    ordinals = source.wording("numbers").split("|")
    for ordinal, grid in zip(ordinals, grids, strict=False):
        yield Section(grid.name, ordinal, grid.title, grids=(replace(grid, title="", fine=True),))
    problems = first_problems_grid(source, _MOST_PROBLEMS)
    made = provenance_section(source, about, provenance_grids(source), problems=problems)
    yield Section("provenance", ordinals[len(grids)], source.words("dossier_section", "provenance"), **made)


def _townships(source: DossierSource, summary: Summary) -> Grid:
    words = source.words
    heads = [("township", 2.2), *((source.texts.word("verdict", one), 1.5) for one in VERDICTS), ("total", 0.8)]
    rows = [
        [name or words("summary", "nowhere"), *map(str, counts), str(sum(counts))] for name, counts in summary.townships
    ]
    sums = [sum(counts[at] for _, counts in summary.townships) for at in range(len(VERDICTS))]
    rows.append([words("summary", "total"), *map(str, sums), str(sum(sums))])
    return summary_grid(source, "townships", heads, rows)


def _rules(source: DossierSource, summary: Summary) -> Grid:
    heads = (
        ("layer", 2.0),
        ("rule", 3.6),
        ("severity", 1.2),
        ("sites", 0.9),
        ("area_m2", 1.5),
        ("area_ha", 1.5),
        ("length_m", 1.3),
    )
    rounding = source.rounding
    rows = [
        [
            one.layer,
            one.rule,
            source.texts.word("severity", one.severity),
            str(one.sites),
            _known(one.area_m2, rounding.square_metres),
            _known(one.area_m2, rounding.hectares),
            _known(one.length_m, rounding.metres),
        ]
        for one in summary.rules[:_MOST_RULES]
    ]
    return summary_grid(source, "rules", heads, rows)


def _gravest(source: DossierSource, summary: Summary) -> Grid | None:
    if not summary.gravest:
        return None
    rows = [
        (f"{one.site_id} {one.site_name}", one.rule, one.sentence, source.texts.word("verdict", one.verdict))
        for one in summary.gravest
    ]
    heads = (("site_name", 2.7), ("rule", 2.3), ("fact", 4.0), ("verdict", 1.9))
    marks = tuple(one.verdict for one in summary.gravest)
    return replace(summary_grid(source, "gravest", heads, rows), marks=marks, marked="verdict")


def _lines(source: DossierSource) -> tuple[tuple[str, str], ...]:
    matters = source.wording("separator").join(one.title for one in source.texts.not_covered)
    disclaimer = (source.wording("abstract-conclusion"), source.texts.disclaimer)
    return (disclaimer, *(((source.wording("abstract-not_covered"), matters),) if matters else ()))


def _control(source: DossierSource, about: dict[str, str]) -> Grid:
    heads = source.wording("control").split("|")
    columns = tuple(Column(name, "", weight) for name, weight in (("h1", 2.1), ("v1", 3.0), ("h2", 1.0), ("v2", 1.8)))
    number = f"{about['adcode']}-{about['as_of'].replace('-', '')}"
    rows = (
        (heads[0], number, heads[1], ""),
        (heads[2], "\n\n", heads[3], ""),
        (heads[4], about["made_at"][:10], heads[5], ""),
    )
    return Grid("control", columns, rows, heads=False)


def _chart(source: DossierSource, summary: Summary) -> Picture:
    """Draw the number of sites by verdict as bars, in the colours of the verdicts and with their numbers."""
    with settings():
        figure = Figure(figsize=(_CHART_MM[0] / 25.4, _CHART_MM[1] / 25.4), dpi=_DPI, facecolor="white")
        axes = figure.add_axes((0.34, 0.04, 0.56, 0.92))
        counts = [number for _, number in summary.verdicts]
        axes.barh(range(len(counts)), counts, color=[VERDICT_COLOURS[one] for one, _ in summary.verdicts], height=0.6)
        for row, number in enumerate(counts):
            axes.text(number, row, f" {number}", va="center", fontproperties=font(9))
        axes.set_yticks(
            range(len(counts)),
            [source.texts.word("verdict", one) for one, _ in summary.verdicts],
            fontproperties=font(8),
        )
        axes.invert_yaxis()
        axes.set_xlim(0, max(*counts, 1) * 1.15)
        axes.xaxis.set_visible(False)
        axes.tick_params(left=False)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        saved = io.BytesIO()
        FigureCanvasAgg(figure).print_png(saved, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return Picture("chart", source.words("summary", "verdicts"), saved.getvalue(), *_CHART_MM)


def _known(value: float, form: Callable[[float], str]) -> str:
    return NONE if math.isnan(value) else form(value)
