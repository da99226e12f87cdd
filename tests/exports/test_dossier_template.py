"""An office's own template: every documented variable works, an unknown one is named, data stay data."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import docx
import docx.oxml.ns
import pytest
from dossier_fixture import MADE_AT, city_report, only, word_text
from report_fixture import FORMULA, LONG, SCRIPT, toy_report

from lzgis.errors import ExportError
from lzgis.exports.dossier import DossierMaker, write_docx
from lzgis.exports.dossier.document import Dossier
from lzgis.exports.dossier.template import VARIABLES
from lzgis.exports.dossier.template_process import TemplateFiller
from lzgis.exports.dossier.template_rules import cleaned
from lzgis.exports.report_text import visible

GUIDE = Path(__file__).parents[2] / "docs" / "templates.md"


def template(path: Path, *paragraphs: str, table: list[str] | None = None, header: str = "") -> Path:
    """Write a template of some paragraphs and one table whose row is repeated."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if table:
        made = document.add_table(rows=3, cols=len(table) - 1)
        made.cell(0, 0).text = f"{{%tr for row in {table[0]} %}}"
        made.cell(2, 0).text = "{%tr endfor %}"
        for column, variable in enumerate(table[1:]):
            made.cell(1, column).text = f"{{{{ {variable} }}}}"
    if header:
        document.sections[0].header.paragraphs[0].text = header
    document.save(str(path))
    return path


def written(path: Path, folder: Path, *, report: Any = None) -> str:
    [made] = write_docx(report or only(city_report(), "T01"), folder / "out", template=path)
    return word_text(made)


def test_a_template_is_filled(tmp_path: Path) -> None:
    path = template(
        tmp_path / "office.docx",
        "关于 {{ project.name }}：{{ project.area_m2 }} ㎡，{{ verdict }}",
        "{{ location_map }}",
        "{% for section in sections %}{{ section.number }}{{ section.title }};{% endfor %}",
        table=["findings_rows", "row.rule", "row.state", "row.area_m2", "row.length_m"],
        header="{{ about.notice }}",
    )
    text = written(path, tmp_path)
    assert "关于 已知答案01 红线内100米见方：10,000 ㎡，存在禁止性冲突" in text
    assert "示意数据，不得作为审批依据" in text
    assert "一、附图;二、核查结果;" in text
    assert "生态保护红线\n涉及\n（禁止类）\n10,000\n—" in text
    with zipfile.ZipFile(tmp_path / "out" / "T01.docx") as archive:
        assert [n for n in archive.namelist() if n.startswith("word/media/")] != []


def test_every_variable_can_be_used(tmp_path: Path) -> None:
    lines = []
    for name, inner in VARIABLES.items():
        if name.endswith("_rows") or name == "sections":
            fields = " ".join(f"{{{{ row.{field} }}}}" for field in inner)
            lines.append(f"{{% for row in {name} %}}{fields}{{% endfor %}}")
        elif inner:
            lines += [f"{{{{ {name}.{field} }}}}" for field in inner]
        else:
            lines.append(f"{{{{ {name} }}}}")
    path = template(tmp_path / "all.docx", *lines)
    assert len(written(path, tmp_path)) > 5000


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("project.nmae", "variable 'nmae' is not known; did you mean 'name'?"),
        ("projct.name", "variable 'projct' is not known; did you mean 'project'?"),
        ("xyzzy", "variable 'xyzzy' is not known; allowed: "),
        ("findings_rows[0].rul", "variable 'rul' is not known; did you mean 'rule'?"),
    ],
)
def test_an_unknown_variable_is_named_with_the_template(tmp_path: Path, variable: str, message: str) -> None:
    path = template(tmp_path / "office.docx", f"{{{{ {variable} }}}}")
    with pytest.raises(ExportError, match=rf"office\.docx: {re.escape(message)}"):
        written(path, tmp_path)
    assert not (tmp_path / "out" / "T01.docx").exists()


def test_an_invalid_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"office\.docx: is not in order"):
        written(template(tmp_path / "office.docx", "{% for row in findings_rows %}"), tmp_path)
    (tmp_path / "text.docx").write_text("no document", "utf-8")
    for name in ("text.docx", "nowhere.docx"):
        with pytest.raises(ExportError, match="cannot be read as a Word document"):
            written(tmp_path / name, tmp_path)


@pytest.mark.parametrize(
    "text", ["｛｛ project.name ｝｝", "｛% for s in sections %｝", "{ project.name }", "{verdict}"]
)
def test_other_braces_do_not_stay_in_a_document(tmp_path: Path, text: str) -> None:
    path = template(tmp_path / "office.docx", f"关于{text}")
    with pytest.raises(ExportError, match="has other braces; write it in plain double braces"):
        written(path, tmp_path)


def filled(path: Path, one: Dossier) -> bytes:
    with TemplateFiller(path) as filler:
        return filler.fill(one, MADE_AT)


def nested_loops(depth: int) -> str:
    begin = "".join(f"{{% for r{i} in basis_rows %}}" for i in range(depth))
    return begin + "x" + "{% endfor %}" * depth


def test_a_template_that_takes_too_long_is_refused_and_its_process_ends(tmp_path: Path) -> None:
    path = template(tmp_path / "office.docx", "{{ project.name }}")
    one = DossierMaker(toy_report()).make("S1")
    # Starting the process takes longer than that.
    with TemplateFiller(path, time_s=0.05) as filler:
        with pytest.raises(ExportError, match=r"office\.docx: was not filled within 0\.05 s; see docs/templates\.md"):
            filler.fill(one, MADE_AT)
        assert filler._process is None


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
def test_a_template_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    path = template(tmp_path / "office.docx", nested_loops(40))
    one = DossierMaker(toy_report()).make("S1")
    filler = TemplateFiller(path, memory_bytes=400 * 1024**2)
    with filler, pytest.raises(ExportError, match="made the process that fills it end"):
        filler.fill(one, MADE_AT)


def test_one_process_fills_many_documents_and_goes_on_after_an_error(tmp_path: Path) -> None:
    maker = DossierMaker(toy_report())
    with TemplateFiller(template(tmp_path / "office.docx", "{{ project.name }}")) as filler:
        documents = [filler.fill(maker.make(site), MADE_AT) for site in ("S1", "S2", "S1")]
    assert documents[0] == documents[2] != documents[1]
    with TemplateFiller(template(tmp_path / "wrong.docx", "{{ nothing }}")) as filler:
        for _ in range(2):
            with pytest.raises(ExportError, match="variable 'nothing' is not known"):
                filler.fill(maker.make("S1"), MADE_AT)


def test_a_template_cannot_reach_into_the_program(tmp_path: Path) -> None:
    path = template(tmp_path / "office.docx", "{{ ''.__class__.__mro__ }}")
    with pytest.raises(ExportError):
        written(path, tmp_path)


def test_hostile_data_is_unchanged_in_a_template(tmp_path: Path) -> None:
    path = template(tmp_path / "office.docx", "{{ project.name }}", table=["zones_rows", "row.subject", "row.note"])
    text = word_text_of(filled(path, DossierMaker(toy_report()).make(FORMULA)), tmp_path)
    assert SCRIPT in text
    assert LONG in text
    braces = "{{ 7*7 }} {_{ {% raw %} {%_ <w:p/> & ]]>"
    toy = toy_report()
    sites, verdicts = toy.sites.assign(name=braces), toy.verdicts.assign(site_name=braces)
    one = DossierMaker(toy_report(sites=sites, verdicts=verdicts)).make("S1")
    assert visible(braces) in word_text_of(filled(path, one), tmp_path)


def test_the_same_template_gives_the_same_bytes(tmp_path: Path) -> None:
    path = template(tmp_path / "office.docx", "{{ project.name }}", "{{ detail_map }}")
    one = DossierMaker(toy_report()).make("S1")
    assert filled(path, one) == filled(path, one)


def word_text_of(data: bytes, folder: Path) -> str:
    path = folder / "made.docx"
    path.write_bytes(data)
    return word_text(path)


def test_the_guide_lists_all_variables() -> None:
    listed: dict[str, set[str]] = {}
    for line in GUIDE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            name, _, inner = cells[0].strip("`").partition(".")
            fields = {inner} if inner else set(re.findall(r"`(\w+)`", cells[2])) if len(cells) > 2 else set()
            listed.setdefault(name, set()).update(fields)
    known = {name: set(inner) - {"group"} for name, inner in VARIABLES.items() if name != "sections"}
    assert listed == known
    sections = GUIDE.read_text("utf-8").split("`sections` is")[1].split("##")[0]
    assert set(VARIABLES["sections"]) <= set(re.findall(r"`(\w+)`", sections))


ATTACKS = {
    "the image's template writes a file": "{{ location_map.tpl.save('owned') }}",
    "the image's template renders a part": "{{ location_map.tpl.render_xml_part('{{ 1 }}', none, {}) }}",
    "a local file is copied": "{{ location_map.tpl.replace_zipname('word/a', '/etc/passwd') }}",
    "globals of jinja": "{{ cycler.__init__.__globals__.os.system('touch owned') }}",
    "the class of a text": "{{ verdict.__class__.__mro__ }}",
    "the class by an item": "{{ verdict['__class__'] }}",
    "the class by a filter": "{{ verdict|attr('__class__') }}",
    "the format of a text": "{{ '{0.__class__}'.format(verdict) }}",
    "the class by map": "{{ [verdict]|map(attribute='__class__')|list }}",
    "a macro": "{% macro f() %}{{ caller() }}{% endmacro %}",
    "an include": "{% include '/etc/passwd' %}",
    "an import": "{% import 'os' as os %}",
    "an extension of another template": "{% extends 'other' %}",
    "a text doubled": "{% set x = verdict %}",
    "a large number": "{{ 'a' * 1000000000 }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "a loop over a range": "{% for i in range(1000000000) %}x{% endfor %}",
    "a loop over an object": "{% for x in location_map %}x{% endfor %}",
    "a loop over the values of a record": "{% for x in project.values() %}x{% endfor %}",
    "loops in loops": "{% for a in about_rows %}{% for b in about_rows %}{% for c in about_rows %}{% for d in about_rows %}x"
    + "{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "a call block": "{% call f() %}x{% endcall %}",
    "a loop's own function": "{{ self.__init__ }}",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_template_can_do_nothing_but_render(tmp_path: Path, attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = template(tmp_path / "bad.docx", attack)
    with pytest.raises(ExportError, match=r"bad\.docx"):
        written(path, tmp_path)
    assert not (tmp_path / "owned").exists()


def test_a_refused_command_is_shown_with_its_place(tmp_path: Path) -> None:
    path = template(tmp_path / "bad.docx", "before", "here {% set x = 1 %} it is")
    with pytest.raises(ExportError, match=r"assign is not allowed, near 'here .% set x = 1 %. it is'"):
        written(path, tmp_path)


def test_external_relationships_are_dropped(tmp_path: Path) -> None:
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    document.add_paragraph("{{ verdict }}")
    link = document.part.relate_to("https://tracker.example/a", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    text = f'<w:hyperlink {nsdecls("w", "r")} r:id="{link}"><w:r><w:t>our page</w:t></w:r></w:hyperlink>'
    document.paragraphs[0]._p.append(parse_xml(text))
    other = document.part._settings_part.relate_to(
        "file:///share/x.dotm", RELATIONSHIP_TYPE.HYPERLINK, is_external=True
    )
    document.settings.element.append(parse_xml(f'<w:attachedTemplate {nsdecls("w", "r")} r:id="{other}"/>'))
    document.save(str(tmp_path / "office.docx"))
    assert "our page" in written(tmp_path / "office.docx", tmp_path)
    with zipfile.ZipFile(tmp_path / "out" / "T01.docx") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    for word in (b"tracker.example", b"x.dotm", b"External", b"attachedTemplate"):
        assert word not in content


@pytest.mark.parametrize("code", ["DDEAUTO c:\\\\x", " INCLUDEPICTURE http://x/y", "includetext /etc/passwd"])
def test_a_field_that_loads_something_is_refused(tmp_path: Path, code: str) -> None:
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    document = docx.Document()
    document.add_paragraph("x")._p.append(parse_xml(f'<w:fldSimple {nsdecls("w")} w:instr="{code}"/>'))
    document.save(str(tmp_path / "bad.docx"))
    with pytest.raises(ExportError, match="which loads something when the document is opened"):
        written(tmp_path / "bad.docx", tmp_path)


def test_a_template_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = template(tmp_path / "bad.docx", "{{ verdict }}")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/media/bomb.png", bytes(201 * 1024**2))
    with pytest.raises(ExportError, match="200 MB unpacked"):
        written(path, tmp_path)


def _with_fields(path: Path, *codes: str, nested: bool = False) -> Path:
    document = docx.Document()
    paragraph = document.add_paragraph("x")

    def add(tag: str, kind: str = "", text: str = "") -> None:
        made = docx.oxml.OxmlElement(tag)
        if kind:
            made.set(docx.oxml.ns.qn("w:fldCharType"), kind)
        else:
            made.text = text
        paragraph.add_run()._r.append(made)

    for code in codes:
        add("w:fldChar", "begin")
        add("w:instrText", text=code)
        if not nested:
            add("w:fldChar", "end")
    for _ in codes if nested else ():
        add("w:fldChar", "end")
    document.save(str(path))
    return path


@pytest.mark.parametrize("nested", [False, True])
def test_a_field_behind_or_within_another_is_found(tmp_path: Path, nested: bool) -> None:
    path = _with_fields(tmp_path / "t.docx", " IF 1=1 ", ' INCLUDEPICTURE "http://x/a.png" ', nested=nested)
    with pytest.raises(ValueError, match="a field INCLUDEPICTURE"):
        cleaned(path.read_bytes())
    assert cleaned(_with_fields(tmp_path / "p.docx", " PAGE ", " NUMPAGES ").read_bytes())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("word/embeddings/oleObject1.bin", b"\xd0\xcf\x11\xe0", "runs or loads something"),
        ("word/activeX/activeX1.xml", b"<a/>", "runs or loads something"),
        ("word/afchunk.mht", b"<script>", "runs or loads something"),
        ("word/DOCUMENT.xml", b"<x/>", "two parts of one name"),
        ("../../evil.xml", b"<x/>", "outside of itself"),
        (
            "word/header9.XML",
            '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><x/>'.encode("utf-16"),
            "document type",
        ),
    ],
)
def test_parts_that_do_not_belong_to_a_template(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = template(tmp_path / "t.docx", "{{ verdict }}")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, content)
    with pytest.raises(ValueError, match=message):
        cleaned(path.read_bytes())


def test_a_damaged_template_has_a_typed_error(tmp_path: Path) -> None:
    path = template(tmp_path / "t.docx", "{{ verdict }}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 60] = bytes(60)
    path.write_bytes(data)
    with pytest.raises(ExportError, match=r"cannot be read as a Word document|made the process"):
        written(path, tmp_path)
