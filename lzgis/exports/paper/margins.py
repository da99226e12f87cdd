"""Title, verdict, inset, findings, list of sites and notes around a map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.patches import Rectangle

from lzgis.coordinates.gauss_kruger import Zone, moved
from lzgis.exports.fonts import font, measured_mm, printable, shortened, wrapped
from lzgis.exports.paper.conflicts import GRAVITIES, gravity
from lzgis.exports.paper.frame import Frame, of_dimension, paths
from lzgis.exports.paper.layout import Rect
from lzgis.exports.paper.legend import draw_heading, layer_title
from lzgis.exports.paper.mapped_site import MappedSite, finding_figures, metres, square_metres
from lzgis.exports.report_text import ReportText, text
from lzgis.exports.symbology import VERDICT_COLOURS, VERDICT_SIGNS
from lzgis.model.report import State, Verdict

FOOT_PT = 6.0
FOOT_LINE_MM = 3.0
_SIZE = 6.4
_LINE_MM = 3.0
_OVERRIDE_COLOUR = "#4a148c"
MARKERS = {verdict: sign.marker for verdict, sign in VERDICT_SIGNS.items()}
#: Type and height of a line of the list of sites where there is room for it, and the width of its column.
_LARGE, _WIDE_MM = (7.6, 3.8), 60.0
_ORDER = {verdict: rank for rank, verdict in enumerate(Verdict)}


def draw_title(page: Axes, texts: ReportText, title: str, rect: tuple[float, float, float]) -> None:
    """Write title, notice and confidentiality above the map; `rect` is left, width and top edge, in millimetres."""
    left, width, top = rect
    mark = printable(texts.confidentiality)
    free = width - 2 * (30.0 if mark else 4.0)
    size = next((s for s in (15.0, 13.0, 11.5, 10.0) if shortened(title, free, s) == title), 10.0)
    page.text(
        left + width / 2,
        top,
        shortened(title, free, size),
        ha="center",
        va="top",
        fontproperties=font(size),
    )
    for line in wrapped(printable(texts.notice), free, 7.6, lines=1):
        place = (left + width / 2, top - 7.2)
        page.text(*place, line, ha="center", va="top", fontproperties=font(7.6), color="#b00000")
    if mark:
        style: dict[str, Any] = {"boxstyle": "square,pad=0.35", "facecolor": "white", "edgecolor": "#b00000"}
        place = (left + width - 1, top - 0.5)
        page.text(*place, mark, ha="right", va="top", fontproperties=font(7.6), color="#b00000", bbox=style)


def foot_lines(texts: ReportText, crs: str, more: list[str], width_mm: float) -> list[str]:
    """Return the notes that must stand below the map: reference system, dates, disclaimer, and what is not drawn."""
    provenance, words = texts.report.provenance, texts.words
    made_at = provenance.made_at.strftime("%Y-%m-%d %H:%M")
    book = {"book": provenance.rule_book, "version": provenance.rule_book_version}
    rules = words("picture", "rules", as_of=provenance.as_of.isoformat(), made_at=made_at, **book)
    lines = [
        texts.code.shown(words("dossier", "semicolon").join((words("picture", "crs", crs=crs), rules))),
        words("picture", "dates", layers=data_dates(texts)),
        " ".join([texts.disclaimer, words("picture", "caution"), *more]),
        " ".join(one for one in (texts.coverage, texts.other_dates_in_short) if one),
        words("paper", "signed"),
    ]
    return [part for line in lines for part in wrapped(printable(line), width_mm, FOOT_PT, lines=4)]


def draw_foot(page: Axes, lines: list[str], rect: tuple[float, float, float], map_number: str) -> None:
    """Write the notes at the foot, and the approval number of the map below them if one was given."""
    left, top, width = rect
    for number, line in enumerate(lines):
        place = (left, top - FOOT_LINE_MM * number)
        page.text(*place, line, va="top", fontproperties=font(FOOT_PT), color="#333333")
    if map_number:
        place = (left + width, top - FOOT_LINE_MM * len(lines))
        page.text(*place, printable(map_number), ha="right", va="top", fontproperties=font(7.6))


def data_dates(texts: ReportText) -> str:
    """Return the versions and dates of the layers that maps show, and how many others were checked.

    Layers of the same version and date are listed together.
    """
    together: dict[str, list[str]] = {}
    drawn = [layer for layer in texts.report.layers.values() if layer.spec.style.shown]
    for layer in drawn:
        spec = layer.spec
        facts = [*([spec.version] if spec.version else []), *([spec.date.isoformat()] if spec.date else [])]
        fact = " ".join(facts) or texts.words("paper", "undated")
        together.setdefault(fact, []).append(layer_title(texts, layer))
    comma, colon = texts.words("picture", "separator"), texts.code.shown(texts.words("dossier", "colon"))
    dated = texts.code.shown(texts.words("dossier", "semicolon")).join(
        f"{fact}{colon}{comma.join(titles)}" for fact, titles in together.items()
    )
    rest = len(texts.report.layers) - len(drawn)
    return dated + (texts.words("paper", "other_layers", count=rest) if rest else "")


def draw_verdict(page: Axes, texts: ReportText, site: MappedSite, rect: Rect) -> float:
    """Write the verdict, id, activity and size of the site; return the height taken."""
    verdict = text(site.verdict.get("verdict"))
    colour = VERDICT_COLOURS.get(verdict, "#333333")
    label = texts.word("verdict", verdict)
    style: dict[str, Any] = {"facecolor": colour, "edgecolor": colour}
    page.add_patch(Rectangle((rect.left, rect.top - 6.2), rect.width, 6.2, **style))
    middle = (rect.left + rect.width / 2, rect.top - 3.2)
    head: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": "white"}
    page.text(*middle, printable(label), **head, fontproperties=font(9.5))
    size = square_metres(site.verdict.get("site_area_m2"), texts) or metres(site.verdict.get("site_length_m"), texts)
    facts = [
        texts.words("paper", "site_id", id=site.site_id),
        texts.words("paper", "activity", activity=texts.activity(site.activity) or "—"),
        *([texts.words("paper", "size", size=size)] if size else []),
    ]
    lines = wrapped(
        printable(texts.code.shown(texts.words("dossier", "semicolon").join(facts))),
        rect.width - 1,
        _SIZE + 0.4,
        lines=2,
    )
    for number, line in enumerate(lines):
        place = (rect.left, rect.top - 7.6 - number * 3.3)
        page.text(*place, line, va="top", fontproperties=font(_SIZE + 0.4))
    return 7.6 + 3.3 * len(lines) + 1.6


def draw_inset(
    page: Axes, texts: ReportText, zone: Zone, rect: Rect, frame: Frame, others: Sequence[Frame] = ()
) -> float:
    """Draw the city with its townships, a box where the map lies, and those of `others`; return the height taken."""
    outline = texts.report.layers.get(texts.report.city.outline)
    if outline is None or not len(outline.frame):
        return 0.0
    high = draw_heading(page, texts.words("paper", "inset", city=texts.city), rect.left, rect.top, rect.width)
    city = zone.project(outline.frame.geometry.to_numpy())
    spot = shapely.box(frame.west, frame.south, frame.east, frame.north)
    west, south, east, north = shapely.total_bounds([*city, spot]).tolist()
    step = max((east - west) / rect.width, (north - south) / (rect.height - high))
    left = rect.left + (rect.width - (east - west) / step) / 2

    def on_page(x: Any, y: Any) -> tuple[Any, Any]:
        return left + (x - west) / step, rect.top - high - (north - y) / step

    def add(shapes: Any, **style: Any) -> None:
        parts, _ = of_dimension(moved(shapely.simplify(shapes, step * 0.08), on_page), 2)
        if len(parts):
            page.add_collection(PathCollection(paths(parts), **style), autolim=False)

    add(city, facecolor="#faf7f2", edgecolor="none", zorder=1)
    for name, style in _INSET.items():
        layer = texts.report.layers.get(name)
        if layer is not None and layer.spec.style.shown:
            add(zone.project(layer.frame.geometry.to_numpy()), **style, zorder=1.2)
    add(city, facecolor="none", edgecolor="#3c3c3c", linewidth=0.9, zorder=1.4)
    for number, other in enumerate(others, start=1):
        left_m, low, right, top = moved(shapely.box(*other[:4]), on_page)[0].bounds
        page.add_patch(Rectangle((left_m, low), right - left_m, top - low, **_OTHER_SHEET))
        said: dict[str, Any] = {"ha": "center", "va": "center", "fontproperties": font(4.6), "color": "#1a237e"}
        page.text((left_m + right) / 2, (low + top) / 2, str(number), **said, zorder=1.9)
    _mark_on_inset(page, moved(spot, on_page)[0])
    return rect.height


_OTHER_SHEET: dict[str, Any] = {"facecolor": "none", "edgecolor": "#1a237e", "linewidth": 0.5, "zorder": 1.8}


_INSET: dict[str, dict[str, Any]] = {
    "redline": {"facecolor": "#f6b0b0", "edgecolor": "none", "alpha": 0.8},
    "townships": {"facecolor": "none", "edgecolor": "#9a9a9a", "linewidth": 0.35},
}


def _mark_on_inset(page: Axes, box: Any) -> None:
    """Draw a box on the inset; a small one gets cross hairs so that it is found."""
    west, south, east, north = box.bounds
    style: dict[str, Any] = {"color": "#d50000", "linewidth": 1.0, "zorder": 2}
    half = 0.9
    x, y = (west + east) / 2, (south + north) / 2
    west, east = min(west, x - half), max(east, x + half)
    south, north = min(south, y - half), max(north, y + half)
    page.plot((west, east, east, west, west), (south, south, north, north, south), **style)
    if east - west < 4:
        for ends in (
            ((west - 3, west), (y, y)),
            ((east, east + 3), (y, y)),
            ((x, x), (south - 3, south)),
            ((x, x), (north, north + 3)),
        ):
            page.plot(*ends, **style)


def draw_findings(page: Axes, texts: ReportText, site: MappedSite, rect: Rect) -> float:
    """List the findings of a site, conflicts first, then what was not checked; return the height taken."""
    words = texts.words
    high = draw_heading(page, words("paper", "findings"), rect.left, rect.top, rect.width)
    blocks = [_conflict(texts, f["number"], f, rect.width) for f in site.conflicts]
    apart = 0.7
    if sum(len(block) * _LINE_MM + apart for block in blocks) > (rect.height - high) * 0.8:
        blocks, apart = [_short_conflict(texts, f["number"], f, rect.width) for f in site.conflicts], 0.0
    if not blocks:
        blocks = [[("#333333", words("paper", "no_conflict"))]]
    blocks += _unchecked_and_notices(texts, site, rect.width)
    clear = len({f["rule"] for f in site.of_state(State.CLEAR)} - {f["rule"] for f in site.conflicts})
    counted = [words("paper", "clear", count=clear)]
    unmeant = len({f["rule"] for f in site.of_state(State.NOT_APPLICABLE)}) + int(site.verdict.get("not_applicable", 0))
    counted += [words("paper", "not_applicable", count=unmeant)] if unmeant else []
    blocks.append([("#333333", texts.code.shown("　".join(counted)))])
    left_out = 0
    for number, block in enumerate(blocks):
        # Room for the line that says how many are left out, unless none can be.
        spare = 0 if number == len(blocks) - 1 and not left_out else 1
        if high + (len(block) + spare) * _LINE_MM + 0.8 > rect.height:
            left_out += 1
            continue
        for colour, line in block:
            place = (rect.left, rect.top - high)
            page.text(*place, line, va="top", color=colour, fontproperties=font(_SIZE))
            high += _LINE_MM
        high += apart
    if left_out:
        line = words("paper", "more_findings", count=left_out)
        page.text(rect.left, rect.top - high, line, va="top", fontproperties=font(_SIZE), color="#333333")
        high += _LINE_MM
    return high + 1.5


def _unchecked_and_notices(texts: ReportText, site: MappedSite, width: float) -> list[list[tuple[str, str]]]:
    """Return the lines on what was not checked, by reason, and on notices."""
    words = texts.words
    reasons: dict[str, list[dict[str, Any]]] = {}
    for finding in site.of_state(State.NOT_CHECKED):
        reasons.setdefault(texts.reason(finding), []).append(finding)
    groups = [("not_checked", reason, findings) for reason, findings in reasons.items()]
    blocks = []
    for key, reason, findings in [*groups, ("notices", "", site.notices)]:
        names = list(dict.fromkeys(texts.rule(f["rule"]) for f in findings))
        if names:
            facts = {"rules": words("picture", "separator").join(names), "count": len(names)}
            sentence = words("paper", key, **facts, reason=reason) if reason else words("paper", key, **facts)
            colour = VERDICT_COLOURS[Verdict.INCOMPLETE] if key == "not_checked" else "#333333"
            blocks.append([(colour, line) for line in wrapped(printable(sentence), width - 1, _SIZE, lines=8)])
    return blocks


def _short_conflict(texts: ReportText, number: int, finding: dict[str, Any], width: float) -> list[tuple[str, str]]:
    size = square_metres(finding["area_m2"], texts, finding["layer"]) or metres(
        finding["length_m"], texts, finding["layer"]
    )
    override = texts.column("override") if texts.override(finding) else ""
    # The figure stands before the name, which may be cut.
    facts = [f"{number} {texts.rule(finding['rule'])}", override, size, text(finding["feature_name"])]
    line = shortened(
        printable(texts.code.shown(texts.words("paper", "comma").join(one for one in facts if one))), width - 1, _SIZE
    )
    return [(GRAVITIES[gravity(finding)][0], line)]


def _conflict(texts: ReportText, number: int, finding: dict[str, Any], width: float) -> list[tuple[str, str]]:
    kind = gravity(finding)
    colour = GRAVITIES[kind][0]
    head = f"{number} {texts.words('paper', kind)}　{texts.rule(finding['rule'])}"
    facts = texts.words("paper", "comma").join(
        part for part in (finding_figures(finding, texts), text(finding["feature_name"])) if part
    )
    facts = texts.code.shown(facts)
    lines = [(colour, shortened(printable(head), width - 1, _SIZE))]
    override = texts.override(finding)
    if override:
        lines += [(_OVERRIDE_COLOUR, "　" + one) for one in wrapped(printable(override), width - 4, _SIZE, lines=2)]
    return [*lines, *(("#333333", "　" + one) for one in wrapped(printable(facts), width - 4, _SIZE, lines=2))]


def draw_site_list(page: Axes, texts: ReportText, rect: Rect) -> float:
    """List the sites by verdict, the most severe first, and count those that do not fit; return the height taken."""
    rows = sorted(texts.verdicts(), key=lambda row: _ORDER.get(row["verdict"], 9))
    high = draw_heading(page, texts.words("paper", "site_list", count=len(rows)), rect.left, rect.top, rect.width)
    columns = _list_columns(len(rows), rect, high + 3.4)
    per = max(1, int((rect.height - high - 3.4) / 2.85))
    size, line = _list_type(len(rows) / columns, rect, columns, high + 3.4)
    shown = rows[: per * columns]
    column_mm = rect.width / columns
    ids = max((measured_mm(_id(row), size) for row in shown), default=0.0)
    names = [printable(text(row["site_name"])) for row in shown]
    listed = _listed(names, (column_mm - ids - 5.4, size), columns, int((rect.height - high - 3.4) / line))
    for row, (column, above, parts) in zip(shown, listed, strict=True):
        x, y = rect.left + column * column_mm, rect.top - high - (above + 0.5) * line
        colour = VERDICT_COLOURS.get(row["verdict"], "#333333")
        page.plot(x + 1, y, marker=MARKERS.get(row["verdict"], "."), color=colour, markersize=3.2, markeredgewidth=0)
        style: dict[str, Any] = {"va": "center_baseline", "fontproperties": font(size)}
        page.text(x + 2.6, y, _id(row), **style, color=colour)
        for number, part in enumerate(parts):
            page.text(x + 3.8 + ids, y - number * line, part, **style)
    high += max((above + len(parts) for _, above, parts in listed), default=0) * line
    if len(rows) > len(shown):
        more = texts.words("paper", "more_sites", count=len(rows) - len(shown))
        page.text(rect.left, rect.top - high - 0.6, more, va="top", fontproperties=font(_SIZE))
        high += 3.4
    return high


def _listed(
    names: Sequence[str], type_mm: tuple[float, float], columns: int, most: int
) -> list[tuple[int, int, list[str]]]:
    """Return for each name its column, the lines above it and its own lines.

    Names that are too wide are broken where all of them fit in `most` lines a column, and shortened where they do not.
    `type_mm` is the width of a column and the size of the type.
    """
    broken = [wrapped(name, *type_mm, lines=2) or [""] for name in names]
    for lines in (broken, [[shortened(name, *type_mm)] for name in names]):
        deep, placed, column, above = math.ceil(sum(map(len, lines)) / columns), [], 0, 0
        for parts in lines:
            if above >= deep and column < columns - 1:
                column, above = column + 1, 0
            placed.append((column, above, parts))
            above += len(parts)
        if all(above + len(parts) <= most for _, above, parts in placed):
            break
    return placed


def _list_columns(count: int, rect: Rect, head: float) -> int:
    """Return the fewest columns in which a list fits in large type, so that names have room; else the most there can be."""
    most = max(1, int(rect.width // 46)) if count > 12 else 1
    wide = (one for one in range(1, most) if rect.width / one > _WIDE_MM)
    return next((one for one in wide if math.ceil(count / one) * _LARGE[1] < rect.height - head), most)


def _list_type(rows_per_column: float, rect: Rect, columns: int, head: float) -> tuple[float, float]:
    """Return the largest font size and line height with which the list fits; narrow columns get a small font."""
    wide = rect.width / columns > _WIDE_MM
    for size, line in (_LARGE, (_SIZE, 3.1)) if wide else ((_SIZE, 3.1),):
        if math.ceil(rows_per_column) * line < rect.height - head:
            return size, line
    return 6.0, 2.85


def _id(row: dict[str, Any]) -> str:
    return shortened(printable(text(row["site_id"])), 16.0, 6.0)
