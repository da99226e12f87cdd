"""The dossier as a self-contained web page with a print view on A4."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

import jinja2

from lzgis.exports.dossier.document import Dossier, Picture
from lzgis.exports.symbology import TINTS, VERDICT_COLOURS
from lzgis.words import Words


def html_text(dossier: Dossier) -> str:
    """Lay a dossier out as HTML; its content security policy forbids all requests and scripts."""
    words = Words("en" if dossier.language == "en" else "zh")
    style = _style(dossier, words)
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8", "replace")).digest()).decode("ascii")
    return _template().render(
        dossier=dossier,
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        classes={verdict: f"mark{number}" for number, verdict in enumerate(TINTS)},
        pictures={p.name: base64.b64encode(p.png).decode("ascii") for p in _pictures(dossier)},
        colon=": " if dossier.language == "en" else "：",
        section_maps=words("dossier_section", "maps"),
    )


def _pictures(dossier: Dossier) -> tuple[Picture, ...]:
    own = (dossier.abstract.picture, dossier.abstract.code)
    return (*(one for one in own if one), *dossier.pictures)


@cache
def _template() -> jinja2.Template:
    folder = files("lzgis.exports.dossier") / "assets"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((folder / "page.html").read_text("utf-8"))


def _style(dossier: Dossier, words: Words) -> str:
    """Return the style sheet with the texts of every printed page and the tints of verdicts."""
    before, between, after = words("dossier", "page", page="\0", pages="\0").split("\0")
    facts = {"city": dossier.about["city"], "id": dossier.project["id"], "as_of": dossier.about["as_of"]}
    texts = {
        "top-left": _quoted(dossier.about["confidentiality"]),
        "top-right": _quoted(dossier.about["notice"]),
        "bottom-left": _quoted(words("dossier", "footer", **facts)),
        "bottom-right": f"{_quoted(before)} counter(page) {_quoted(between)} counter(pages) {_quoted(after)}",
    }
    boxes = "\n".join(f"  @{place} {{ content: {content}; }}" for place, content in texts.items())
    tints = "\n".join(
        f".mark{number} {{ background: {tint}; }}\n.verdict.mark{number} {{ color: {VERDICT_COLOURS[verdict]}; }}"
        for number, (verdict, tint) in enumerate(TINTS.items())
    )
    sheet = (files("lzgis.exports.dossier") / "assets" / "page.css").read_text("utf-8")
    return f"{sheet}\n{tints}\n@page {{\n{boxes}\n}}\n"


def _quoted(text: str) -> str:
    """Return a text as a CSS string in which everything but ASCII letters and digits is escaped."""
    line = " ".join(text.split("\n"))
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in line) + '"'
