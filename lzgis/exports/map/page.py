"""Rendering of a folium map as one self-contained HTML page that makes no request.

Three steps: number the elements, so that the same map gives the same bytes; render them with the vendored libraries
inline instead of links; and forbid, by a content security policy, every request and every other script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from html import escape
from html.parser import HTMLParser
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Template
from typing import Any

import folium
from branca.element import CssLink, Element, Figure, JavascriptLink, MacroElement
from folium.template import Template as FoliumTemplate

from lzgis.errors import ExportError
from lzgis.exports.symbology import Sign

_STATIC = files("lzgis.exports") / "static"
_ASSETS = files("lzgis.exports.map") / "assets"
_LIBRARIES = {
    "leaflet": "leaflet/leaflet.js",
    "cluster": "markercluster/leaflet.markercluster.js",
    "topojson": "topojson-client/topojson-client.min.js",
    "leaflet_css": "leaflet/leaflet.css",
}
_SCRIPTS = (
    "dom", "layers", "legend", "findings", "clauses", "corridors", "sites", "sheets", "panel", "measure", "swipe",
    "inset",     "printing", "start",
)  # fmt: skip

# Keys of the wording used in the template of the page, and of that used by its scripts.
PAGE_WORDS = (
    "sites", "legend", "search", "print", "skip", "noscript", "collapse-sites", "collapse-legend",
    "north", "tabs", "tab-map", "tab-notes",
)  # fmt: skip
SCRIPT_WORDS = (
    "all", "back", "zoom", "print-whole", "previous", "next", "no-match", "shown", "no-shape", "conflicts", "clear",
    "not-applicable", "rule", "answer", "figures", "locate", "no-findings", "group-review", "group-constraint",
    "group-zoning", "group-context", "group-missing", "missing", "sites-by-verdict", "list-title",
    "parts", "parts-prohibited", "parts-conditional", "parts-sliver", "opacity", "others", "relief",
    "home", "identify", "nothing-here", "measure", "measure-hint", "measure-length", "measure-area",
    "measure-note", "measure-clear", "approximate", "problems", "not-covered", "unnamed", "square-metres", "hectares",
    "clauses", "back-to-site", "documents", "exceptions", "unit-list", "corridors", "band-certain",
    "band-possible", "distance-line", "band-label", "inset", "withheld", "group-withheld", "tianditu",
    "cluster", "layer-off", "layer-show", "print-scale", "other-run", "swipe",
)  # fmt: skip


class OfflineMap(folium.Map):
    """A folium map that links only to the vendored libraries it needs."""

    default_js = [
        ("leaflet", _LIBRARIES["leaflet"]),
        ("cluster", _LIBRARIES["cluster"]),
        ("topojson", _LIBRARIES["topojson"]),
    ]
    default_css = [("leaflet_css", _LIBRARIES["leaflet_css"])]


class Review(MacroElement):
    """The scripts that draw a report on the map that this element is added to."""

    _template = FoliumTemplate(
        """
        {% macro script(this, kwargs) %}
            {{ this.code }}
            lzgis.start({{ this._parent.get_name() }}, {{ this.backdrop_name }}, [{{ this.tile_names }}]);
        {% endmacro %}
        """
    )

    @property
    def backdrop_name(self) -> str:
        """The JavaScript name of the relief, or ``null``."""
        return self.backdrop.get_name() if self.backdrop else "null"

    @property
    def tile_names(self) -> str:
        """The JavaScript names of the tile layers, separated by commas."""
        return ", ".join(one.get_name() for one in self.tiles)

    def __init__(self, backdrop: Element | None, tiles: Sequence[Element] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Review"
        self.backdrop = backdrop
        self.tiles = tiles
        self.code = "\n".join(_guard((_ASSETS / f"{name}.js").read_text("utf-8")) for name in _SCRIPTS)


def sign_data(title: str, colour: str, sign: Sign) -> dict[str, str]:
    """Return a verdict or kind of change for the scripts: title, colour and the paths of its sign."""
    return {"title": title, "colour": colour, "outline": sign.outline, "strokes": sign.strokes, "dash": sign.dash}


def inert_json(data: Any) -> str:
    r"""Serialise data to JSON that is safe inside an HTML script element.

    Examples
    --------
    >>> inert_json("</script><!-- \u2028 &")
    '"\\u003c/script\\u003e\\u003c!-- \\u2028 \\u0026"'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # One character at a time: many times as fast as `str.translate`, and a page has millions.
    for c in "<>&\u2028\u2029":
        text = text.replace(c, f"\\u{ord(c):04x}")
    # A lone surrogate cannot be encoded in UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def assemble(
    figure: Figure,
    *,
    title: str,
    language: str,
    data: dict[str, Any],
    words: dict[str, str],
    hosts: Sequence[str] = (),
) -> str:
    """Render a map and its report as one self-contained page.

    Parameters
    ----------
    figure : Figure
        Root of the map. It can be rendered only once.
    title, language : str
        Title and language of the page.
    data : dict
        Data for the scripts; each entry becomes a JSON block named by its key.
    words : dict
        Wording of the template of the page.
    hosts : sequence of str
        Origins from which images may be loaded, besides the page itself.
    """
    _number(figure)
    for child in figure._children.values():
        child.render()
    for link in figure.header._children.values():
        if isinstance(link, JavascriptLink | CssLink):
            link.code = _library(link.url)  # type: ignore[assignment]
    parts = {part: getattr(figure, part).render(embedded=True) for part in ("header", "html", "script")}
    page = Template((_ASSETS / "page.html").read_text("utf-8")).substitute(
        {f"word_{key}": escape(text) for key, text in words.items()},
        language=escape(language),
        title=escape(title),
        header=parts["header"],
        style=(_ASSETS / "style.css").read_text("utf-8") + (_ASSETS / "print.css").read_text("utf-8"),
        body=parts["html"],
        data="\n".join(
            f'<script type="application/json" id="lz-{key}">{inert_json(value)}</script>' for key, value in data.items()
        ),
        script=parts["script"],
        policy="POLICY-GOES-HERE",
    )
    # Spaces at the ends of lines and blank lines come from folium's templates.
    page = "\n".join(line.rstrip() for line in page.split("\n") if line.strip()) + "\n"
    return page.replace("POLICY-GOES-HERE", _policy(page, blocks=len(data), hosts=hosts), 1)


def _number(figure: Figure) -> None:
    """Give all elements numbers as ids, in place of the random ones of folium."""
    ahead: list[Element] = [figure]
    count = 0
    while ahead:
        element = ahead.pop(0)
        element._id = str(count)
        count += 1
        ahead.extend(element._children.values())


def _library(name: str) -> str:
    if name not in _LIBRARIES.values():
        raise ExportError(f"map element '{name}'", "links to a library that is not vendored", "add it to the vendored")
    source = _STATIC / name
    text = source.read_text("utf-8")
    if name.endswith(".css"):
        folder = _STATIC / name.split("/", maxsplit=1)[0]
        return re.sub(r"url\((images/[\w.-]+)\)", lambda found: f"url({_data_uri(folder / found[1])})", text)
    return _guard(re.sub(r"//# sourceMappingURL=\S+\s*$", "", text))


def _data_uri(image: Traversable) -> str:
    return "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode()


def _guard(script: str) -> str:
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


class _Scripts(HTMLParser):
    """Collects the scripts of a page: those that run, and the number of those that hold data."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.running: list[str] = []
        self.data = 0
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self._open = dict(attrs).get("type") is None
            self.data += not self._open
            if self._open:
                self.running.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.running[-1] += data


def _policy(page: str, *, blocks: int, hosts: Sequence[str]) -> str:
    """Return the policy that allows the scripts of the page by hash, its styles, and images inside it or from `hosts`."""
    found = _Scripts()
    found.feed(page)
    found.close()
    # Leaflet, its clusters, topojson, folium's settings and the map itself. One more would be data that became a script.
    if len(found.running) != 5 or found.data != blocks:
        raise ExportError("map page", "holds a script that lzgis did not write", "report this as a fault of lzgis")
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in found.running
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        f"img-src {' '.join(['data:', *hosts])}; "
        "base-uri 'none'; form-action 'none'"
    )
