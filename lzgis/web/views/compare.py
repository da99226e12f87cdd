"""Alternatives side by side: sites of one screening or of several, as they were answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from lzgis.web.jobs import SCREENINGS, find
from lzgis.web.models import Job, State
from lzgis.web.pages import language_of, of_job, page
from lzgis.web.views.read import COMPARED, detail_of
from lzgis.words import Words

#: Sites of which a few are chosen, and screenings that they come from.
_LISTED, _JOBS = 200, 20
_SITE = re.compile(r"([0-9a-f]{32})-(\d{1,7})")


class Compared(NamedTuple):
    """A site of a screening, by its position there."""

    job: Job
    number: int
    row: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The site as an address names it."""
        return f"{self.job.key}-{self.number}"


@require_GET
def of_screening(request: HttpRequest, key: str) -> HttpResponse:
    """Compare the sites of one screening."""
    job = find(request, key, *SCREENINGS)
    return redirect(f"{reverse('compare')}?{urlencode({'job': job.key})}")


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show two to six sites side by side; ask which ones if more are meant."""
    found, words = _wanted(request), Words(language_of(request))
    if not 2 <= len(found) <= COMPARED:
        said = words("web", "compare_one") if len(found) < 2 else words("web", "compare_many", most=COMPARED)
        return page(request, "compare_choose", 200 if found else 400, sites=found[:_LISTED], said=said, most=COMPARED)
    summaries = {one.job.key: of_job(request, one.job, "summary") for one in found}
    details = [detail_of(request, one.job, one.number) for one in found]
    columns = [
        {
            "one": one,
            "summary": summaries[one.job.key],
            "without": urlencode([("site", other.name) for other in found if other is not one]),
        }
        for one in found
    ]
    values: dict[str, Any] = {"columns": columns, "rules": _rules(details), "lines": _lines(details)}
    values |= {"differs": len({(s["as_of"], s["book"], k.basis) for k, s in _pairs(found, summaries)}) > 1}
    values |= {"error": next((one["error"] for one in details if "error" in one), "")}
    values |= {"query": urlencode([("site", one.name) for one in found]), "removable": len(found) > 2}
    return page(request, "compare", **values)


@require_GET
def shapes(request: HttpRequest) -> HttpResponse:
    """Return the sites that are compared and their conflict parts for the map."""
    made: dict[str, list[Any]] = {"sites": [], "parts": []}
    for one in _wanted(request)[:COMPARED]:
        found = of_job(request, one.job, "shapes")
        for name, key in (("sites", "id"), ("parts", "site")):
            made[name] += [f for f in found[name]["features"] if f["properties"][key] == one.row["id"]]
    return JsonResponse({name: {"type": "FeatureCollection", "features": some} for name, some in made.items()})


def _wanted(request: HttpRequest) -> list[Compared]:
    """Return the sites that an address names, and all sites of the screenings that it names."""
    found: list[Compared] = []
    for key in dict.fromkeys(request.GET.getlist("job")[:_JOBS]):
        job = find(request, key, *SCREENINGS)
        found += [Compared(job, n, row) for n, row in enumerate(_sites(request, job))]
    for name in dict.fromkeys(request.GET.getlist("site")[:_LISTED]):
        match = _SITE.fullmatch(name)
        if match is None:
            continue
        job = find(request, match[1], *SCREENINGS)
        rows = _sites(request, job)
        if int(match[2]) < len(rows):
            found.append(Compared(job, int(match[2]), rows[int(match[2])]))
    return found


def _sites(request: HttpRequest, job: Job) -> list[dict[str, Any]]:
    # Of a large file there are only counts.
    if job.state != State.DONE or "large" in job.result:
        return []
    rows: list[dict[str, Any]] = of_job(request, job, "summary")["sites"]
    return rows


def _pairs(found: Sequence[Compared], summaries: Mapping[str, Any]) -> list[tuple[Job, Mapping[str, Any]]]:
    return [(one.job, summaries[one.job.key]) for one in found]


def _rules(details: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each rule that one of the sites meets, and in it a cell for each site."""
    rules: dict[str, Mapping[str, Any]] = {}
    for one in details:
        for row in one.get("by_rule", []):
            rules.setdefault(row["id"], row)
    order = ("prohibited", "conditional", "notice")
    met = [{row["id"]: row for row in one.get("by_rule", [])} for one in details]
    return [
        {"title": row["title"], "label": row["label"], "severity": row["severity"], "cells": [m.get(name) for m in met]}
        for name, row in sorted(rules.items(), key=lambda pair: order.index(pair[1]["severity"]))
    ]


def _lines(details: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return what each site would need and what is open, label by label."""
    labels = dict.fromkeys(pair[0] for one in details for pair in one.get("lines", []))
    texts = [{pair[0]: pair[1] for pair in one.get("lines", [])} for one in details]
    return [(label, [one.get(label, "") for one in texts]) for label in labels]
