"""Slides: a summary and one slide per project, with the figures of the report; an office's presentation is used."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from dossier_fixture import city_report, only

from lzgis.errors import ExportError
from lzgis.exports.leader_summary import VERDICTS, summary_of
from lzgis.exports.report_text import ReportText

pptx = pytest.importorskip("pptx")


def texts_of(path: Path) -> list[str]:
    slides = pptx.Presentation(str(path)).slides
    return ["\n".join(shape.text_frame.text for shape in one.shapes if shape.has_text_frame) for one in slides]


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from lzgis.exports.slides import write_pptx

    path = tmp_path_factory.mktemp("slides") / "slides.pptx"
    write_pptx(only(city_report(), "P12", "T01"), path)
    return path


def test_there_is_a_summary_and_one_slide_per_project(deck: Path) -> None:
    summary, first, second = texts_of(deck)
    assert "连州市项目选址核查汇总" in summary
    assert first.startswith("P12") and second.startswith("T01")
    for text in (summary, first, second):
        assert "示意数据，不得作为审批依据" in text
    assert "存在禁止性冲突" in second and "整体位于生态保护红线内" in second and "15.00 亩" in second
    assert "未覆盖：" in second


def test_a_project_has_its_map_inside_the_slide(deck: Path) -> None:
    deck_ = pptx.Presentation(str(deck))
    for slide in list(deck_.slides)[1:]:
        [picture] = [shape for shape in slide.shapes if shape.shape_type == 13]
        assert picture.left + picture.width <= deck_.slide_width
        assert picture.top + picture.height <= deck_.slide_height


def test_the_chart_has_the_counts_of_the_verdicts(deck: Path) -> None:
    first = pptx.Presentation(str(deck)).slides[0]
    [chart] = [shape.chart for shape in first.shapes if shape.has_chart]
    counts = city_report().verdicts["verdict"].value_counts()
    values = list(chart.plots[0].series[0].values)
    assert values == [counts.get(verdict, 0) for verdict in reversed(VERDICTS)]


def test_the_slides_of_a_template_are_dropped_and_its_size_is_used(deck: Path, tmp_path: Path) -> None:
    from lzgis.exports.slides import write_pptx

    template = pptx.Presentation()
    template.slides.add_slide(template.slide_layouts[0])
    template.save(str(tmp_path / "office.pptx"))
    write_pptx(
        only(city_report(), "T01"), tmp_path / "made.pptx", slides_template=tmp_path / "office.pptx", language="en"
    )
    made = pptx.Presentation(str(tmp_path / "made.pptx"))
    assert len(made.slides) == 2
    assert (made.slide_width, made.slide_height) == (template.slide_width, template.slide_height)


def test_a_template_that_is_no_presentation_is_named(tmp_path: Path) -> None:
    from lzgis.exports.slides import write_pptx

    (tmp_path / "a.pptx").write_text("no")
    with pytest.raises(ExportError, match="cannot be read as a presentation"):
        write_pptx(only(city_report(), "T01"), tmp_path / "made.pptx", slides_template=tmp_path / "a.pptx")


def test_the_summary_adds_up() -> None:
    summary = summary_of(ReportText(city_report(), "zh"))
    assert sum(count for _, count in summary.verdicts) == len(city_report().verdicts)
    for at, (_, count) in enumerate(summary.verdicts):
        assert sum(counts[at] for _, counts in summary.townships) == count
    assert len(summary.gravest) == 10 and summary.gravest[0].verdict == "存在禁止性冲突"
    assert summary.alternatives == ()


def test_the_extra_is_named_after_the_format() -> None:
    from lzgis.exports.formats import FORMATS

    assert FORMATS["pptx"].needs == "pptx" and importlib.util.find_spec("pptx") is not None
