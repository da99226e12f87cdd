"""Slides for a meeting: a summary, then one slide per project with its map, verdict and three gravest findings."""

from __future__ import annotations

import datetime as dt
import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.enum.text import MSO_ANCHOR
from pptx.exc import PackageNotFoundError
from pptx.oxml.ns import qn
from pptx.util import Emu, Inches, Pt

from lzgis.errors import ExportError
from lzgis.exports.dossier.abstract import nearest_line, not_covered_line, route_word
from lzgis.exports.dossier.maps import ProjectMaps
from lzgis.exports.dossier.project import DossierSource, Project
from lzgis.exports.dossier.word import rezipped
from lzgis.exports.fonts import MM_PER_POINT, width_mm
from lzgis.exports.gis.json import origin_text
from lzgis.exports.leader_summary import VERDICTS, Summary, summary_of
from lzgis.exports.report_text import visible
from lzgis.exports.sentences import gravest
from lzgis.exports.symbology import VERDICT_COLOURS
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.messages import Message, library_message
from lzgis.model.report import Report
from lzgis.words import Language

_FACE = "微软雅黑"
_WIDTH_IN, _HEIGHT_IN = 13.333, 7.5
_RED, _BLACK, _GREY = "#b00000", "#111111", "#555555"
_MOST_FINDINGS, _MOST_ROWS = 3, 10
#: Sizes of type of the gravest findings, in points; the largest that fits is used.
_SIZES = (15.0, 14.0, 13.0, 12.0, 11.0, 10.0)
_EMU_PER_MM = 36_000
#: A template's slide has to have room for a title, the map and the findings.
_TITLE_IN, _FOOT_IN = 1.0, 0.45


class _Box(NamedTuple):
    """A rectangle on a slide, as shares of its width and height."""

    left: float
    top: float
    width: float
    height: float


def write_pptx(
    report: Report, path: str | Path, *, language: Language = "zh", slides_template: str | Path | None = None
) -> None:
    """Write a report as slides, see `lzgis.exports.formats.ReportWriter`.

    Parameters
    ----------
    report, path, language
        As in `ReportWriter`.
    slides_template : path, optional
        An office's own presentation or template; its slides are dropped, its master, size and fonts are used.

    Raises
    ------
    ExportError
        If the template cannot be read, or the file cannot be written.
    """
    deck = _Deck(report, language, Path(slides_template) if slides_template else None)
    write_bytes_atomic(Path(path), deck.made())


class _Deck:
    """The presentation while it is made."""

    def __init__(self, report: Report, language: Language, template: Path | None) -> None:
        self._source = DossierSource(report, language)
        self._texts = self._source.texts
        self._maps = ProjectMaps(self._source)
        self._slides: Any = _opened(template)
        if template is None:
            self._slides.slide_width, self._slides.slide_height = Inches(_WIDTH_IN), Inches(_HEIGHT_IN)
        self._face = "" if template else _FACE

    def made(self) -> bytes:
        """Make all slides, and return the file; the same report gives the same bytes."""
        self._summary(summary_of(self._texts))
        self._slides.slides[0].notes_slide.notes_text_frame.text = origin_text(self._source.report)
        for site in self._source.sites:
            self._project(Project(self._source, site))
        properties = self._slides.core_properties
        when = self._source.report.provenance.made_at.astimezone(dt.UTC).replace(tzinfo=None)
        properties.author = properties.last_modified_by = "lzgis"
        properties.title = visible(self._texts.words("summary", "title", city=self._texts.city))[:255]
        properties.comments = visible(self._texts.notice)[:255]
        properties.created = properties.modified = when
        saved = io.BytesIO()
        self._slides.save(saved)
        return _without_times(rezipped(saved.getvalue()))

    def _summary(self, summary: Summary) -> None:
        words = self._texts.words
        slide = self._slide(visible(words("summary", "title", city=self._texts.city)), _BLACK)
        as_of = self._source.report.provenance.as_of.isoformat()
        lead = words("summary", "lead", as_of=as_of, count=sum(count for _, count in summary.verdicts))
        self._text(slide, _Box(0.04, 0.135, 0.9, 0.06), [(lead, 16, _GREY)])
        self._chart(slide, summary)
        lines = [(words("summary", "gravest"), 16, _BLACK)]
        colon = words("dossier", "colon")
        grave = summary.gravest[:_MOST_ROWS]
        said = [f"{one.site_id} {one.site_name}{colon}{one.sentence}" for one in grave]
        box = _Box(0.46, 0.2, 0.5, 0.72)
        size = self._size_for(said, box)
        self._text(slide, box, [*lines, *((line, size, _BLACK) for line in said)])

    def _size_for(self, lines: Sequence[str], box: _Box) -> float:
        """Return the largest size of type with which lines, below a heading, fill no more than a box."""
        wide, high = (float(one) / _EMU_PER_MM for one in self._place(box)[2:])
        for size in _SIZES:
            rows = sum(math.ceil(width_mm(line, size) / (wide - 8)) for line in lines)
            if rows * size * 1.25 * MM_PER_POINT + (len(lines) + 1) * 1.5 + 10 <= high:
                return size
        return _SIZES[-1]

    def _chart(self, slide: Any, summary: Summary) -> None:
        data: Any = CategoryChartData()
        data.categories = [self._texts.word("verdict", verdict) for verdict in reversed(VERDICTS)]
        data.add_series(self._texts.words("summary", "sites"), [count for _, count in reversed(summary.verdicts)])
        frame = slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *self._place(_Box(0.03, 0.2, 0.41, 0.68)), data)
        chart = frame.chart
        chart.has_legend = chart.has_title = False
        plot = chart.plots[0]
        plot.gap_width, plot.has_data_labels = 50, True
        plot.data_labels.font.size = Pt(14)
        chart.category_axis.tick_labels.font.size = Pt(13)
        chart.value_axis.visible = chart.value_axis.has_major_gridlines = False
        for number, verdict in enumerate(reversed(VERDICTS)):
            fill = plot.series[0].points[number].format.fill
            fill.solid()
            fill.fore_color.rgb = _rgb(VERDICT_COLOURS[verdict])

    def _project(self, project: Project) -> None:
        source, texts = self._source, self._texts
        verdict = project.verdict["verdict"]
        name = visible(project.verdict["site_name"]) or source.wording("unnamed")
        slide = self._slide(f"{visible(project.id)}　{name}", _BLACK)
        picture = self._maps.slide(project)
        if picture:
            left, top, wide, high = self._place(_Box(0.03, 0.15, 0.56, 0.76))
            share = min(wide / picture.width_mm, high / picture.height_mm)
            size = (Emu(round(share * picture.width_mm)), Emu(round(share * picture.height_mm)))
            slide.shapes.add_picture(io.BytesIO(picture.png), left, top, *size)
        facts = "　".join(part for part in (project.activity, project.whole_size_in_mu) if part)
        lines = [(texts.word("verdict", verdict), 26, VERDICT_COLOURS[verdict]), (facts, 15, _GREY)]
        for number, one in enumerate(gravest(project.findings, _MOST_FINDINGS), start=1):
            route = route_word(project, one)
            head = f"{number}. {visible(texts.rule(one['rule']))}" + (
                source.wording("in-brackets", text=route) if route else ""
            )
            lines += [(head, 17, _BLACK), (source.sentences.of(one), 15, _BLACK)]
        near = nearest_line(project)
        lines += [(source.wording("abstract-nearest"), 17, _BLACK), (near, 15, _BLACK)] if near else []
        counts = project.counts
        lines.append((source.wording("slide-counts", **counts), 13, _GREY))
        covered = not_covered_line(project)
        lines += [(source.wording("slide-not-covered", matters=covered), 12, _GREY)] if covered else []
        self._text(slide, _Box(0.61, 0.16, 0.36, 0.74), lines)

    def _slide(self, title: str, colour: str) -> Any:
        """Add a slide with its title, and the notice and confidentiality at its foot."""
        slide = self._slides.slides.add_slide(_layout(self._slides))
        for shape in list(slide.placeholders):
            if slide.shapes.title is None or shape.placeholder_format.idx != slide.shapes.title.placeholder_format.idx:
                shape._element.getparent().remove(shape._element)
        if slide.shapes.title is not None:
            place = self._place(_Box(0.03, 0.02, 0.94, 0.12))
            shape = slide.shapes.title
            shape.left, shape.top, shape.width, shape.height = place
            self._fill(shape.text_frame, [(title, 24, colour)])
        else:
            self._text(slide, _Box(0.03, 0.02, 0.94, 0.12), [(title, 24, colour)])
        texts = self._texts
        foot = "　".join(part for part in (texts.confidentiality, texts.notice, texts.other_dates_in_short) if part)
        self._text(slide, _Box(0.03, 0.925, 0.94, 0.06), [(visible(foot), 12, _RED)])
        return slide

    def _text(self, slide: Any, box: _Box, lines: Sequence[tuple[str, float, str]]) -> None:
        frame = slide.shapes.add_textbox(*self._place(box)).text_frame
        frame.word_wrap = True
        frame.vertical_anchor = MSO_ANCHOR.TOP
        self._fill(frame, lines)

    def _fill(self, frame: Any, lines: Sequence[tuple[str, float, str]]) -> None:
        for number, (line, size, colour) in enumerate(lines):
            text = self._texts.code.shown(line)
            paragraph = frame.paragraphs[0] if not number else frame.add_paragraph()
            run = paragraph.add_run()
            run.text = text
            run.font.size, run.font.color.rgb = Pt(size), _rgb(colour)
            paragraph.space_after = Pt(4)
            if self._face:
                run.font.name = self._face
                east = run.font._element.makeelement(qn("a:ea"), {"typeface": self._face})
                run.font._element.append(east)

    def _place(self, box: _Box) -> tuple[Emu, Emu, Emu, Emu]:
        width, height = self._slides.slide_width, self._slides.slide_height
        return (
            Emu(round(box.left * width)),
            Emu(round(box.top * height)),
            Emu(round(box.width * width)),
            Emu(round(box.height * height)),
        )


def _opened(template: Path | None) -> Any:
    """Open a template without its slides, or an empty presentation."""
    if template is None:
        return Presentation()
    try:
        slides = Presentation(io.BytesIO(template.read_bytes()))
    except (OSError, PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as error:
        what = Message("cannot be read as a presentation: {why}", why=library_message(error))
        raise ExportError(str(template), what, Message("give a file *.pptx made with PowerPoint")) from error
    listed = slides.slides._sldIdLst
    for one in list(listed):
        slides.part.drop_rel(one.rId)
        listed.remove(one)
    return slides


def _layout(slides: Any) -> Any:
    """Return the layout with a title and the fewest other placeholders; the first of several."""
    titled = [one for one in slides.slide_layouts if any(p.placeholder_format.idx == 0 for p in one.placeholders)]
    return min(titled or list(slides.slide_layouts), key=lambda one: len(one.placeholders))


def _rgb(colour: str) -> RGBColor:
    red, green, blue = bytes.fromhex(colour.lstrip("#"))
    return RGBColor(red, green, blue)


def _without_times(data: bytes) -> bytes:
    """Rewrite the workbooks of charts inside a presentation, which carry the time of writing, with one date."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as written,
    ):
        for part in given.infolist():
            body = given.read(part)
            written.writestr(part, rezipped(_untimed(body)) if part.filename.endswith(".xlsx") else body)
    return packed.getvalue()


def _untimed(data: bytes) -> bytes:
    """Remove the times from the properties of a workbook."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(packed, "w") as written:
        for part in given.infolist():
            if part.filename != "docProps/core.xml":
                written.writestr(part, given.read(part))
                continue
            text = given.read(part).decode("utf-8")
            head, found, rest = text.partition("<dcterms:created")
            written.writestr(part, head + rest[rest.index("</cp:coreProperties>") :] if found else text)
    return packed.getvalue()
