"""A dossier written with an office's own Word template, filled in by docxtpl."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import docx.shared
import jinja2
from docx.oxml.ns import qn
from docxtpl import DocxTemplate, InlineImage
from markupsafe import Markup, escape

from lzgis.config import nearest
from lzgis.errors import ExportError
from lzgis.exports.dossier.document import ABOUT_FACTS, GRID_COLUMNS, PICTURES, PROJECT_FACTS, Dossier
from lzgis.exports.dossier.template_rules import Fields, Rendered, TemplateEnvironment, cleaned
from lzgis.exports.dossier.word import rezipped, stamp
from lzgis.exports.rounding import NONE
from lzgis.messages import Message, library_message

#: The variables of a template, with the fields of each.
VARIABLES: dict[str, tuple[str, ...]] = {
    "project": PROJECT_FACTS,
    "about": ABOUT_FACTS,
    "verdict": (),
    "sections": ("name", "number", "title", "paragraphs", "notes"),
    **{f"{name}_rows": (*columns, "group") for name, columns in GRID_COLUMNS.items()},
    **dict.fromkeys(PICTURES, ()),
}

#: Commands in full-width braces, as Chinese input writes them, and variables in single ones: they would stay in the document.
_OTHER_BRACES = re.compile(r"｛\s*[｛%#][^｝]{0,60}|(?<!\{)\{\s*(?:" + "|".join(VARIABLES) + r")(?:\.\w+)?\s*\}(?!\})")

_UNKNOWN = re.compile(r"'([^']*)' is undefined|has no attribute '([^']*)'|no element")


def _refuse_other_braces(document: DocxTemplate, place: str) -> None:
    text = "".join(one.text or "" for one in document.docx.element.body.iter(qn("w:t")))
    found = _OTHER_BRACES.search(text)
    if found:
        what = Message("is not in order: {why}", why=Message("'{text}' has other braces", text=found[0]))
        raise ExportError(place, what, Message("write it in plain double braces"))


def filled_template(place: str, template: bytes, dossier: Dossier, made_at: dt.datetime) -> bytes:
    """Fill a template, the file named `place`, with a dossier; the same template and dossier give the same bytes.

    What filling costs depends on the template: `template_process.TemplateFiller` does it under limits.

    Raises
    ------
    ExportError
        If the template cannot be read, has a syntax error, or uses an unknown variable.
    """
    try:
        document = DocxTemplate(io.BytesIO(cleaned(template)))
        document.init_docx()
    except (ExportError, MemoryError):
        raise
    except Exception as error:
        # The libraries that unpack and parse it raise errors of any kind for a damaged document.
        what = Message("cannot be read as a Word document: {why}", why=_reason(error))
        raise ExportError(place, what, Message("give a file *.docx made with Word")) from error
    _refuse_other_braces(document, place)
    environment = TemplateEnvironment()
    try:
        document.render(context(dossier, document), environment, autoescape=True)
    except jinja2.UndefinedError as error:
        name, remedy = _unknown(error)
        what = Message("variable '{name}' is not known", name=name)
        raise ExportError(place, what, remedy) from error
    except MemoryError:
        raise
    except Exception as error:
        what = Message("is not in order: {why}", why=_reason(error))
        raise ExportError(place, what, Message("see docs/templates.md for how to write one")) from error
    stamp(document, dossier, made_at)
    saved = io.BytesIO()
    document.save(saved)
    return rezipped(saved.getvalue())


def context(dossier: Dossier, document: Any) -> dict[str, Any]:
    """Return the values of all variables; texts are escaped, so that they are never read as XML or template code."""
    grids = dossier.grids()
    pictures = {picture.name: picture for picture in dossier.pictures}
    # A template is used for projects of any geometry type, so each row has every column.
    rows = {
        f"{name}_rows": [dict.fromkeys(GRID_COLUMNS[name], NONE) | row for grid in found for row in grid.records()]
        for name, found in grids.items()
    }
    sections = [
        {
            "name": section.name,
            "number": section.number,
            "title": section.title,
            "paragraphs": list(section.paragraphs),
            "notes": list(section.notes),
        }
        for section in dossier.sections
    ]
    values = {
        "project": dict(dossier.project),
        "about": dict(dossier.about),
        "verdict": dossier.project["verdict"],
        "sections": sections,
        **rows,
    }
    variables = {name: _escaped(value) for name, value in values.items()}
    for name in PICTURES:
        picture = pictures.get(name)
        variables[name] = ""
        if picture:
            # The image knows the document, which a template must not reach.
            image = InlineImage(document, io.BytesIO(picture.png), width=docx.shared.Mm(picture.width_mm))
            variables[name] = Rendered(image.__str__)
    return variables


def _escaped(value: Any) -> Any:
    """Escape texts, including braces, which docxtpl would replace."""
    if isinstance(value, str):
        return Markup(str(escape(value)).replace("{", "&#123;").replace("}", "&#125;"))
    if isinstance(value, list):
        return [_escaped(one) for one in value]
    if isinstance(value, dict):
        return Fields({key: _escaped(one) for key, one in value.items()})
    return value


def _reason(error: Exception) -> Message:
    """Return why a template is refused: our own words, or those of a library."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Message) else library_message(str(error))


def _unknown(error: jinja2.UndefinedError) -> tuple[str, str]:
    """Return the unknown variable of a template, and the remedy with the nearest known one."""
    match = _UNKNOWN.search(str(error))
    name = next((group for group in match.groups() if group), "") if match else ""
    known = [*VARIABLES, *(inner for names in VARIABLES.values() for inner in names)]
    return name or library_message(str(error)), nearest(name, list(dict.fromkeys(known)))
