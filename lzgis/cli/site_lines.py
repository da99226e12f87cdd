"""The lines that ``screen`` prints of its sites: the number per verdict, and one or two lines for each site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from lzgis.exports.rounding import Rounding, numbers_of
from lzgis.model.report import HIT_STATES, Report, State, Verdict

if TYPE_CHECKING:
    from lzgis.words import Words

#: Mark and style of each verdict. The marks are in GBK, and differ without colour.
MARKS = {
    Verdict.PROHIBITED: ("×", "bold red"),
    Verdict.REVIEW: ("!", "yellow"),
    Verdict.INCOMPLETE: ("?", "magenta"),
    Verdict.NONE_FOUND: ("√", "green"),
}
#: Up to so many sites are all listed; of more, only the `_GRAVEST` first by gravity.
_MOST_LISTED, _GRAVEST = 100, 20
#: From this width (columns), the nearest other constraint is printed too.
_WIDE = 110
_NAME_MOST, _SIZE_LEAST = 56, 13
_INDENT = 2
_ROUTES = ("prohibited", "limited", "key-project", "permit", "proof", "sliver", "not_checked")


def count_lines(report: Report, words: Words) -> list[Text]:
    """Return the number of sites and the day of the rules, and below it the number of sites per verdict."""
    counts, numbers = report.verdicts["verdict"].value_counts(), numbers_of(report.city)
    head = words("cli", "screened", count=numbers(len(report.verdicts)), as_of=report.provenance.as_of)
    line = Text()
    for verdict, (mark, style) in MARKS.items():
        line.append("   " if line else "")
        line.append(
            f"{mark} {words('cli', f'short_{verdict.name}')} {numbers(counts.get(verdict.value, 0))}", style=style
        )
    return [Text(head, style="bold"), line]


def site_lines(report: Report, words: Words, *, width: int, place: str = "") -> list[Text]:
    """Return one line per site, and a second one below it where rules are violated or were not checked.

    Parameters
    ----------
    report : Report
        The report.
    words : Words
        The reader's language.
    width : int
        Columns of the console; no line is longer.
    place : str
        The file that holds all sites. It is named where only the gravest are listed, of more than 100 sites.
    """
    verdicts = report.verdicts
    if len(verdicts) > _MOST_LISTED:
        gravity = {verdict.value: rank for rank, verdict in enumerate(Verdict)}
        verdicts = verdicts.iloc[np.argsort(verdicts["verdict"].map(gravity).to_numpy(), kind="stable")[:_GRAVEST]]
    rows: list[Any] = list(verdicts.itertuples())
    ids = max((cell_len(row.site_id) for row in rows), default=0)
    routes = routes_of(report, verdicts["site_id"].tolist())
    lines = []
    for row in rows:
        lines.append(_head(report, row, words, (width, min(ids, 24))))
        reasons = reason_groups(row, routes)
        if reasons:
            lines.append(_reasons(report, reasons, words, width))
    if len(report.verdicts) > len(rows):
        key = "more_in" if place else "more_sites"
        lines.append(
            Text(
                words("cli", key, count=numbers_of(report.city)(len(report.verdicts) - len(rows)), place=place),
                style="dim",
            )
        )
    return lines


def source_lines(report: Report, words: Words) -> list[Text]:
    """Return the line that names the command for the texts behind a rule, if a rule is violated or was not checked."""
    clear = (report.verdicts["verdict"] == Verdict.NONE_FOUND.value).all()
    return [] if clear else [Text(words("cli", "sources"), style="dim")]


def not_applicable_counts(report: Report) -> tuple[int, int]:
    """Return how many pairs of a site and a rule are 不适用, and in how many of them the site lies in the layer."""
    findings = report.findings
    unmeant = findings[(findings["state"] == State.NOT_APPLICABLE.value).to_numpy()]
    pairs = unmeant[["site_id", "rule"]].drop_duplicates()
    inside = unmeant.loc[(unmeant["reason"] == "inside-not-meant").to_numpy(), ["site_id", "rule"]].drop_duplicates()
    return int(report.verdicts["not_applicable"].sum()) + len(pairs), len(inside)


def scope_lines(report: Report, words: Words, *, width: int) -> list[Text]:
    """Return what the answers do not extend to: rules not meant for the sites, and matters that are not covered."""
    lines = []
    unmeant, inside = not_applicable_counts(report)
    if unmeant:
        numbers = numbers_of(report.city)
        lines.append(Text(words("cli", "not_applicable", count=numbers(unmeant), inside=numbers(inside))))
    if report.not_covered:
        matters = [report.book.matters[one] for one in report.not_covered]
        names = [words.title(one.title, one.title_en) for one in matters]
        head = words("cli", "not_covered", count=len(names))
        lines.append(Text(head + fitted(names, 2 * width - cell_len(head) - 4, words), style="bold"))
    return lines


def routes_of(report: Report, site_ids: Sequence[str]) -> Mapping[tuple[str, str], str]:
    """Return the route of every rule that is hit on these sites; where its findings differ, the gravest."""
    findings = report.findings
    chosen = findings["state"].isin([s.value for s in HIT_STATES]).to_numpy() & findings["site_id"].isin(site_ids)
    hits = findings[chosen]
    found: dict[tuple[str, str], str] = {}
    for site, rule, state, route in zip(hits["site_id"], hits["rule"], hits["state"], hits["route"], strict=True):
        now = "sliver" if state == State.SLIVER.value else (route if route in _ROUTES else "proof")
        before = found.get((site, rule), now)
        found[site, rule] = min(now, before, key=_ROUTES.index)
    return found


def reason_groups(row: Any, routes: Mapping[tuple[str, str], str]) -> dict[str, list[str]]:
    """Return the rules behind a verdict by route, the gravest route first, and last those that were not checked."""
    groups: dict[str, list[str]] = {name: [] for name in _ROUTES}
    groups["prohibited"] += row.prohibited
    for rule in row.conditional:
        route = routes.get((row.site_id, rule), "proof")
        # The rule prohibits on another part of the site, where it is listed already.
        groups["proof" if route == "prohibited" else route].append(rule)
    groups["not_checked"] += row.not_checked
    return {name: rules for name, rules in groups.items() if rules}


def fitted(names: Sequence[str], width: int, words: Words) -> str:
    """Join as many names as fit in `width` columns, at least one, and say how many more there are.

    Examples
    --------
    >>> from lzgis.words import Words
    >>> fitted(["红线", "农田", "湿地"], 16, Words("zh")), fitted(["红线", "农田", "湿地"], 13, Words("zh"))
    ('红线、农田、湿地', '红线、农田 +1')
    """
    comma = words("cli", "comma")
    for count in range(len(names), 1, -1):
        text = comma.join(names[:count]) + (f" +{len(names) - count}" if count < len(names) else "")
        if cell_len(text) <= width:
            return text
    more = f" +{len(names) - 1}" if len(names) > 1 else ""
    first = Text(names[0])
    first.truncate(max(width - len(more), 4), overflow="ellipsis")
    # Half a Chinese character is left as a space.
    return first.plain.replace(" …", "…") + more


def _head(report: Report, row: Any, words: Words, widths: tuple[int, int]) -> Text:
    """Return the first line of a site: mark, id, name, size and, on a wide console, the nearest other constraint."""
    width, ids = widths
    mark, style = MARKS[Verdict(row.verdict)]
    rounding = Rounding(report)
    size = _size(row, rounding, words)
    nearest = ""
    if row.nearest_rule and width >= _WIDE:
        # The distance comes first: titles may be cut.
        distance = f"{rounding.metres(row.nearest_m, _layer_of(report, row.nearest_rule))} m"
        facts = {"rule": rule_title(report, row.nearest_rule, words), "distance": distance}
        nearest = words("cli", "nearest", **facts)
    line = Text(f"{mark} ", style=style)
    line.append(_cut(row.site_id, ids))
    size = f"{size:>{_SIZE_LEAST}}"
    most = min(_NAME_MOST, width - line.cell_len - 2 - cell_len(size))
    line.append(" ").append(_cut(row.site_name, most), style="bold").append(f" {size}")
    if nearest:
        line.append("  ").append(nearest, style="dim")
        line.truncate(width, overflow="ellipsis")
    line.rstrip()
    return line


def _layer_of(report: Report, rule: str) -> str:
    return next((one.layer for one in report.book.rules if one.id == rule), "")


def _size(row: Any, rounding: Rounding, words: Words) -> str:
    # A line with a declared width has both.
    length = f"{rounding.metres(row.site_length_m)} m" if row.site_length_m == row.site_length_m else ""
    unit = "㎡" if words.language == "zh" else "m²"
    area = f"{rounding.square_metres(row.site_area_m2)} {unit}" if row.site_area_m2 == row.site_area_m2 else ""
    return " ".join(one for one in (length, area) if one)


def _reasons(report: Report, groups: Mapping[str, Sequence[str]], words: Words, width: int) -> Text:
    """Return the second line of a site: per route as many titles of rules as fit, and how many more there are."""
    titles = {name: [_label(report, rule, name, words) for rule in rules] for name, rules in groups.items()}
    labels = {name: words("cli", f"route_{name}") for name in titles}
    room = width - _INDENT - 2 * (len(titles) - 1) - sum(cell_len(one) + 1 for one in labels.values())
    shares = _shared([cell_len(words("cli", "comma").join(one)) for one in titles.values()], room)
    line = Text(" " * _INDENT)
    for (name, some), share in zip(titles.items(), shares, strict=True):
        line.append("  " if line.cell_len > _INDENT else "")
        line.append(labels[name], style="bold red" if name == "prohibited" else "bold").append(" ")
        line.append(fitted(some, share, words))
    line.truncate(width, overflow="ellipsis")
    return line


def _shared(wanted: Sequence[int], room: int) -> list[int]:
    """Divide the columns of a line: what wants less than an equal share gets it, the others share the rest.

    Examples
    --------
    >>> _shared([10, 40, 40], 70)
    [10, 30, 30]
    """
    shares = [0] * len(wanted)
    for done, at in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        shares[at] = min(wanted[at], (room - sum(shares)) // (len(wanted) - done))
    return shares


def _cut(text: str, width: int) -> str:
    """Cut or fill a text to exactly so many columns."""
    one = Text(text)
    one.truncate(max(width, 1), overflow="ellipsis", pad=True)
    return one.plain


def _label(report: Report, rule_id: str, group: str, words: Words) -> str:
    """Return the title of a rule; where it is that of the layer in which a site has to lie, say that it lies outside."""
    title, rule = rule_title(report, rule_id, words), report.book.rule(rule_id)
    of_layer = rule.kind == "stay_inside" and rule.title == report.book.layers.get(rule.layer)
    lies_outside = of_layer and group != "not_checked"
    return words("cli", "outside", layer=title) if lies_outside else title


def rule_title(report: Report, rule_id: str, words: Words) -> str:
    """Return the title of a rule in the language of the output."""
    rule = report.book.rule(rule_id)
    return words.title(rule.title, rule.title_en)
