"""Run the cases and compare what lzgis makes of each with its truth."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
import toy

from bad_inputs import (
    by_format,
    fresh,
    geometry,
    heads,
    hostile,
    kinds,
    layers,
    lost_rows,
    outlines,
    packaging,
    points,
    position,
    tables,
    twice,
    unseen,
    words,
)
from bad_inputs.case import CASES, Case, Request
from bad_inputs.hostile import SECRET
from bad_inputs.listening import calls
from lzgis.city.catalogue import Catalogue, open_catalogue
from lzgis.errors import LzgisError
from lzgis.model.report import Report, State
from lzgis.reading import Limits, Read, Reading, ReadOptions, begin_reading, read_many_in_sandbox
from lzgis.screening.screen import screen

FAMILIES = (
    packaging,
    position,
    geometry,
    layers,
    hostile,
    tables,
    points,
    outlines,
    words,
    heads,
    lost_rows,
    kinds,
    twice,
    unseen,
    by_format,
    fresh,
)


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes
    ----------
    result : str
        right, repaired, open (未核查 where it must be), refused; or, if it is not as it must be: wrong, false clear, leak,
        refused wrongly, not refused, unreported, crash.
    message : str
        The message, or the problem that the case is about.
    is_complete : bool
        Whether the message names the file, the row or feature where one is at fault, a cause and a remedy.
    texts : tuple of (place, what, remedy)
        The error, or all problems of the report.
    """

    case: Case
    result: str
    message: str
    is_complete: bool
    texts: tuple[tuple[str, str, str], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether what must happen did."""
        wanted = {"answer": ("right",), "repaired": ("repaired",), "open": ("open",), "refused": ("refused",)}
        return self.result in wanted[self.case.must]


def outcomes(cases: Iterable[Case], folder: Path) -> list[Outcome]:
    """Run cases, the files of nearly all of them read by one process."""
    made = []
    for case in cases:
        own = folder / case.id
        own.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.append((case, case.request(own)))
    # Those with limits of their own have a process of their own.
    common = [(c, a) for c, a in made if a.limits is None]
    before = {case.id: _bytes(request) for case, request in made}
    calls()
    read = read_many_in_sandbox([(a.path, a.options) for _, a in common])
    found = {case.id: result for (case, _), result in zip(common, read, strict=True)}
    harmed = {case.id for case, request in made if _bytes(request) != before[case.id]}
    # Nobody can say who called; all who might have did.
    harmed |= {case.id for case, _ in made if case.id.startswith("E")} if calls() else set()
    city = open_catalogue(toy.city(folder / "city"))
    return [
        replace(one, result="leak") if one.case.id in harmed else one
        for one in (_outcome(case, request, found.get(case.id), city) for case, request in made)
    ]


def _outcome(case: Case, request: Request, read: Read | LzgisError | None, city: Catalogue) -> Outcome:
    try:
        report = _report(request, read, city)
    except LzgisError as error:
        message = str(error)
        result = "leak" if _leaks(message) else "refused" if case.must == "refused" else "refused wrongly"
        if case.says and not re.search(case.says, message, re.DOTALL) and result == "refused":
            result = "refused for another reason"
        parts = (error.place, error.what, error.remedy)
        return Outcome(case, result, message, _is_complete(case, request, *parts), (parts,))
    check_sums(report)
    leak = _leaks(str(report.problems) + report.sites.drop(columns="geometry").to_csv())
    result = "leak" if leak else _judged(case, report)
    problem = next((p for p in report.problems if case.says and re.search(case.says, str(p), re.DOTALL)), None)
    if case.says and problem is None and result in ("right", "repaired", "open"):
        result = "unreported"
    complete = problem is None or _is_complete(case, request, problem.place, problem.what, problem.remedy)
    texts = tuple((one.place, one.what, one.remedy) for one in report.problems)
    return Outcome(case, result, str(problem or ""), complete, texts)


def _report(request: Request, read: Read | LzgisError | None, city: Catalogue) -> Report:
    if isinstance(read, LzgisError):
        raise read
    there = city if request.city is None else open_catalogue(request.city)
    if read is not None:
        reading = Reading(str(request.path), request.options, Limits(), _read=read)
    else:
        reading = begin_reading(request.path, options=request.options, limits=request.limits)
    return screen(reading, there, as_of=toy.AS_OF)


def _judged(case: Case, report: Report) -> str:
    """Hold the answers under the rule of the redline against the truth."""
    if case.must == "refused":
        return "not refused"
    ids = report.sites["id"].tolist()
    if len(ids) != len(case.truth):
        return "wrong"
    redline = report.findings[report.findings["rule"] == "redline"]
    for row, (state, area) in case.truth.items():
        own = redline[redline["site_id"] == ids[row]]
        states = set(own["state"])
        if state not in states:
            return "false clear" if states == {str(State.CLEAR)} else "wrong"
        if area is not None:
            # Features that overlap each other give a row each: what is counted is the setting, once.
            measured = _union_m2(own)
            if not np.isclose(measured, area, rtol=2e-4):
                return "wrong"
    if case.must == "repaired":
        return "repaired" if report.provenance.repairs else "unreported"
    return "open" if case.must == "open" else "right"


def _union_m2(findings: gpd.GeoDataFrame) -> float:
    shapes = toy.PLANE.project(findings.geometry.to_numpy())
    return float(shapely.area(shapely.union_all(shapes)))


def check_sums(report: Report) -> None:
    """Each site has one answer under each rule, counted where the rule is not meant for it; they sum to all pairs."""
    order = [State.INVOLVED, State.SLIVER, State.NOT_CHECKED, State.CLEAR, State.NOT_APPLICABLE]
    rank = report.findings["state"].map({str(state): i for i, state in enumerate(order)})
    pairs = rank.groupby([report.findings["site_id"], report.findings["rule"]]).min()
    counted = pairs.value_counts().sum() + report.verdicts["not_applicable"].sum()
    assert not rank.isna().any()
    assert counted == len(report.sites) * len(report.book.rules)


def _is_complete(case: Case, request: Request, place: str, what: str, remedy: str) -> bool:
    """Whether a message names the file (or what stands for it), the feature or row, a cause and a remedy."""
    name = Path(str(request.path)).name[:30]
    stems = [name, Path(name).stem, "--crs", "layer '", str(request.path)[:30]]
    stems += ["redline.gpkg", "catalog.toml"] if request.city else []
    named = not case.names or re.search(case.names, f"{place}: {what}")
    return bool(any(stem and stem in place for stem in stems) and named and what and remedy)


def _leaks(text: str) -> bool:
    return SECRET in text


def _bytes(request: Request) -> int:
    path = Path(str(request.path)[:200].replace("\0", ""))
    return hash(path.read_bytes()) if path.is_absolute() and path.is_file() else 0


def table(found: list[Outcome]) -> list[str]:
    """Set out the outcomes as lines of a table."""
    lines = ["| case | input | must | lzgis | message |", "| --- | --- | --- | --- | --- |"]
    for one in found:
        message = one.message.replace("|", "\\|").replace("\n", " ")
        message = re.sub(r"\S*/", "", message)
        lines.append(f"| {one.case.id} | {one.case.title} | {one.case.must} | {one.result} | {message[:160]} |")
    return lines


__all__ = ["CASES", "Outcome", "ReadOptions", "check_sums", "outcomes", "table"]
