"""The second step: the diagnosis, its assumptions as questions, and what the rules ask of the sites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from lzgis.coordinates.helmert import CONVENTIONS, read_helmert
from lzgis.coordinates.locate import declared_crs
from lzgis.errors import ConfigError, LzgisError
from lzgis.web.access import needs
from lzgis.web.jobs import find, new_job
from lzgis.web.models import Job, Role, State
from lzgis.web.pages import city, language_of, of_job, page, progress_part, refusal, supervisor
from lzgis.web.requests import Request
from lzgis.web.views.give import SYSTEMS, WAIT_S, inspected
from lzgis.words import Words

#: Sites for each of which an activity can be chosen.
_LISTED = 60
_CHOICES = {"shifted": ("gcj02", "bd09"), "repairs": ("accepted",), "shapes": ("polygons",), "degrees": ("packed",)}
_FREE = ("layer", "crs", "encoding")
#: The seven parameters of `lzgis.coordinates.helmert`, with their units.
_HELMERT = (("dx", "m"), ("dy", "m"), ("dz", "m"), ("rx", "″"), ("ry", "″"), ("rz", "″"), ("s", "ppm"))


@require_GET
@needs(Role.PLANNER)
def show(request: HttpRequest, key: str) -> HttpResponse:
    """Show the diagnosis, or how far it is."""
    return page(request, "check", **_values(request, find(request, key, "inspect")))


@require_GET
@needs(Role.PLANNER)
def body(request: HttpRequest, key: str) -> HttpResponse:
    """Return the part of the page that changes while the diagnosis runs."""
    job = find(request, key, "inspect")
    return progress_part(request, job, "check-body")


def _values(request: HttpRequest, job: Job, problem: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {"job": job, "poll": "check-body", "problem": problem, "warm": supervisor().is_warm}
    if job.state != State.DONE:
        return values | {"error": job.error(language_of(request))}
    found = of_job(request, job, "diagnosis")
    book = city(request)
    titles = {one["id"]: one["title"] for one in book.get("activities", [])}
    sites = [one | {"title": titles.get(one["known"], "")} for one in found["sites"]]
    texts = " ".join(row["text"] for row in found["refused"])
    return values | {
        "found": found,
        "sites": sites[:_LISTED],
        "open": sum(not one["known"] for one in sites),
        "unknown": [one for one in sites if one["activity"] and not one["known"]],
        "proposed": list(dict.fromkeys(re.findall(r"EPSG:\d{4,6}", texts))),
        "systems": SYSTEMS,
        "reading": job.request.reading,
        "helmert": _helmert_fields(_helmert(request.POST) or job.request.reading.get("helmert", "")),
        "asks_helmert": Words(language_of(request))("web", "helmert") in texts,
        "given": request.POST,
    }


@require_GET
@needs(Role.PLANNER)
def shapes(request: HttpRequest, key: str) -> HttpResponse:
    """Return the shapes that were given, for the map."""
    return JsonResponse(of_job(request, find(request, key, "inspect"), "diagnosis")["shapes"])


@require_POST
@needs(Role.PLANNER)
def again(request: HttpRequest, key: str) -> HttpResponse:
    """Begin the diagnosis again with other declarations on the file."""
    job = find(request, key, "inspect")
    reading = {name: request.POST.get(name, "").strip()[:80] for name in _FREE}
    reading["crs"] = request.POST.get("proposed", "").strip()[:80] or reading["crs"]
    reading["helmert"] = _helmert(request.POST)
    reading |= {name: request.POST.get(name, "") for name, known in _CHOICES.items() if request.POST.get(name) in known}
    try:
        if reading["crs"]:
            declared_crs(reading["crs"])
        if reading["helmert"]:
            _check_helmert(request, reading["helmert"])
        made = inspected(request, job.upload, {name: one for name, one in reading.items() if one})
    except LzgisError as error:
        return page(request, "check", 400, **_values(request, job, refusal(request, error)))
    Job.objects.filter(pk=made.key).update(title=job.title)
    supervisor().wait(made, WAIT_S)
    return redirect("check", key=made.key)


def _helmert(given: Mapping[str, str]) -> str:
    """Return the seven parameters that a form gives as `read_helmert` reads them; empty if none is given."""
    numbers = [given.get(f"helmert-{name}", "").strip()[:20] for name, _ in _HELMERT]
    convention = given.get("helmert-convention", "")
    return ",".join([*numbers, *([convention] if convention in CONVENTIONS else [])]) if any(numbers) else ""


def _check_helmert(request: HttpRequest, text: str) -> None:
    try:
        read_helmert(text)
    except ConfigError as error:
        raise ConfigError(Words(language_of(request))("web", "helmert"), error.what, error.remedy) from error


def _helmert_fields(text: str) -> dict[str, Any]:
    """Return the seven parameters as fields of a form, and their convention."""
    numbers = text.split(",") if text else [""] * len(_HELMERT)
    fields = [
        {"name": name, "unit": unit, "value": value} for (name, unit), value in zip(_HELMERT, numbers, strict=False)
    ]
    return {"fields": fields, "convention": text.rsplit(",", maxsplit=1)[-1]}


@require_GET
@needs(Role.PLANNER)
def facts(request: HttpRequest, key: str) -> HttpResponse:
    """Return the fields of the facts on which answers depend for the activities chosen."""
    find(request, key, "inspect")
    return page(request, "_facts", facts=asked_for(request, request.GET.getlist("activity")), given=request.GET)


def asked_for(request: HttpRequest, activities: list[str]) -> list[dict[str, Any]]:
    """Return the facts that rules ask for; the worker listed them by activity when it opened the city."""
    book = city(request)
    wanted = {name for one in activities for name in book.get("asked", {}).get(one, [])}
    return [one for one in book.get("facts", []) if one["id"] in wanted]


@require_POST
@needs(Role.PLANNER)
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """Begin the screening with what was declared; every assumption must be answered."""
    job = find(request, key, "inspect")
    found = of_job(request, job, "diagnosis")
    problem = _unanswered(request, found)
    if not problem:
        try:
            asked = _asked(request, job, found)
            made = new_job(request, asked, upload=job.upload, parent=None)
        except LzgisError as error:
            problem = refusal(request, error)
    if problem:
        return page(request, "check", 400, **_values(request, job, problem))
    made.tags = request.POST.get("tags", "").strip()[:200]
    made.title = (request.POST.get("title", "").strip() or job.title)[:200]
    Job.objects.filter(pk=made.key).update(tags=made.tags, title=made.title)
    supervisor().wait(made, WAIT_S)
    return redirect("read", key=made.key)


def _unanswered(request: HttpRequest, found: Mapping[str, Any]) -> str:
    words = Words(language_of(request))
    if not found["readable"]:
        return words("web", "not_readable")
    wanted = [f"assumed-{n}" for n, row in enumerate(found["assumed"]) if row["level"] != "note"]
    missing = [name for name in wanted if request.POST.get(name) != "yes"]
    return words("web", "answer_all", count=len(missing)) if missing else ""


def _asked(request: HttpRequest, job: Job, found: Mapping[str, Any]) -> Request:
    post, known = request.POST, {one["id"] for one in city(request).get("activities", [])}
    activities = {"": post.get("activity", "")}
    activities |= {one["id"]: post.get(f"activity-{n}", "") for n, one in enumerate(found["sites"][:_LISTED])}
    chosen = {site: one for site, one in activities.items() if one in known}
    facts = {one["id"]: post.get(f"fact-{one['id']}", "").strip()[:80] for one in city(request).get("facts", [])}
    declared = {name: one for name, one in facts.items() if one}
    return Request(
        "screen",
        "",
        source=str(job.upload.path),
        checked=str(job.folder),
        reading=dict(job.request.reading),
        activities=chosen,
        facts={"": declared} if declared else {},
        as_of=checked_day(post.get("as_of", "")),
        language=language_of(request),
        place=_place(request),
    )


def _place(request: HttpRequest) -> str:
    """Return the city and rule book that were chosen among those that the form offers."""
    given = request.POST.get("place", "")
    return given if given in {one["name"] for one in city(request).get("places", [])} else ""


def checked_day(text: str) -> str:
    """Return a date as it was given, or an empty text.

    Raises
    ------
    ConfigError
        If it is no date.
    """
    from lzgis.city.provenance import date_of

    return date_of(text).isoformat() if text.strip() else ""
