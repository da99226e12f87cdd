"""The third step: verdicts and reasons, the map, details, moves, notes; and what can be done next."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from lzgis.errors import LzgisError
from lzgis.exports.formats import FORMATS
from lzgis.web.access import log, needs
from lzgis.web.documents import ISSUED
from lzgis.web.documents import visible as documents_of
from lzgis.web.jobs import SCREENINGS, find, new_job, remove
from lzgis.web.models import Comment, Document, Job, Role, State, new_key
from lzgis.web.pages import (
    answer,
    answer_bytes,
    edition_of,
    json_response,
    language_of,
    of_job,
    page,
    progress_part,
    refusal,
    supervisor,
)
from lzgis.web.requests import Request, answer_file
from lzgis.web.uploads import safe_name
from lzgis.web.views.give import WAIT_S
from lzgis.words import Words

#: Sites on one page of a list, and the most that are compared side by side.
_ROWS, COMPARED = 50, 6
#: What the page offers to take, by the name in the wording; each is one result of these formats.
OFFERED = {
    "docx": ("docx",),
    "pdf": ("pdf",),
    "xlsx": ("xlsx",),
    "gpkg": ("gpkg",),
    "html": ("html",),
    "png": ("png",),
    "json": ("json",),
    "dxf": ("dxf",),
    "pptx": ("pptx",),
    "all": ("xlsx", "gpkg", "json", "html", "docx"),
}
_PUBLIC = ("html",)


@require_GET
def show(request: HttpRequest, key: str) -> HttpResponse:
    """Show a screening, or how far it is."""
    return page(request, "read", **_values(request, find(request, key, *SCREENINGS)))


@require_GET
def body(request: HttpRequest, key: str) -> HttpResponse:
    """Return the part of the page that changes while the screening runs."""
    job = find(request, key, *SCREENINGS)
    return progress_part(request, job, "read-body")


def _values(request: HttpRequest, job: Job, problem: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {"job": job, "poll": "read-body", "problem": problem, "warm": supervisor().is_warm}
    if job.state != State.DONE:
        return values | {"error": job.error(language_of(request))}
    found = of_job(request, job, "summary")
    sites = [row | {"number": number} for number, row in enumerate(found["sites"])]
    chosen = _filtered(request, sites)
    first = _first(request, len(chosen))
    offered = {
        name: formats
        for name, formats in OFFERED.items()
        if all(FORMATS[one].installed for one in formats) and any(FORMATS[one].holds(len(sites)) for one in formats)
    }
    large = job.result.get("large", [])
    if large:
        offered = {}
    elif edition_of(request) == "public":
        offered = {name: offered[name] for name in _PUBLIC}
    return values | {
        "found": found,
        "large": large if edition_of(request) == "internal" else [],
        "rows": chosen[first : first + _ROWS],
        "shown": len(chosen),
        "pages": [(n + 1, n * _ROWS) for n in range(-(-len(chosen) // _ROWS))] if len(chosen) > _ROWS else [],
        "first": first,
        "asked": request.GET,
        "detail": detail_of(request, job, 0) if len(sites) == 1 else None,
        "changes": _changes(request, job),
        "stale": supervisor().is_stale(job),
        "offered": offered,
        "comments": job.comments.select_related("author").order_by("created"),
        "mine": job.owner_id == request.user.pk or request.user.may(Role.ADMINISTRATOR),
        "issued": [n for n in ISSUED if n in offered and FORMATS[n].installed]
        if request.user.may(Role.PLANNER)
        else [],
        "documents": job.documents.select_related("replaced_by").order_by("pk"),
        "numbers": Document.objects.filter(documents_of(request.user), replaced_by=None)
        .order_by("-pk")
        .values_list("number", flat=True)[:200],
        "can_compare": len(sites) > 1 and not large,
    }


def _filtered(request: HttpRequest, sites: list[dict[str, Any]]) -> list[dict[str, Any]]:
    word, rank = request.GET.get("q", "").strip().casefold(), request.GET.get("rank", "")
    return [
        one
        for one in sites
        if (not rank or str(one["rank"]) == rank)
        and (not word or word in f"{one['id']} {one['name']} {one['activity']}".casefold())
    ]


def _first(request: HttpRequest, count: int) -> int:
    given = request.GET.get("from", "0")
    return min(int(given), max(count - 1, 0)) if given.isdecimal() and len(given) < 9 else 0


def _changes(request: HttpRequest, job: Job) -> list[dict[str, Any]] | None:
    if job.kind != "recheck":
        return None
    rows: list[dict[str, Any]] = of_job(request, job, "changes")["rows"]
    return rows


@require_GET
def shapes(request: HttpRequest, key: str) -> HttpResponse:
    """Return sites and conflict parts for the map."""
    job = find(request, key, *SCREENINGS)
    return json_response(request, answer_bytes(job.folder, "shapes", language_of(request), edition_of(request)))


@require_GET
def site(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Return the detail of one site."""
    job = find(request, key, *SCREENINGS)
    return page(request, "_site", job=job, detail=detail_of(request, job, number))


def detail_of(request: HttpRequest, job: Job, number: int) -> dict[str, Any]:
    """Return the detail of a site, which a worker writes when it is needed first; the error if that fails."""
    language, edition = language_of(request), edition_of(request)
    name = f"detail-{number}"
    file = answer_file(job.folder, name, language, edition)
    if not file.is_file() or b'"by_rule"' not in file.read_bytes():
        asked = Request("detail", str(job.folder), site=_site_id(request, job, number), edition=edition,
                        language=language)  # fmt: skip
        error = supervisor().ask(asked)
        if error is not None:
            return {"error": error[language], "number": number}
    return answer(job.folder, name, language, edition) | {"number": number}


def _site_id(request: HttpRequest, job: Job, number: int) -> str:
    sites = of_job(request, job, "summary")["sites"]
    if number >= len(sites):
        raise Http404
    return str(sites[number]["id"])


@require_POST
@needs(Role.PLANNER)
def move(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Find the shortest move of a site that avoids prohibitions, and show it."""
    job = find(request, key, *SCREENINGS)
    given = request.POST.get("within", "500")
    within = min(float(given), 20_000.0) if given.isdecimal() and len(given) < 6 else 500.0
    asked = Request("avoid", str(job.folder), site=_site_id(request, job, number), within_m=within,
                    place=job.request.place)  # fmt: skip
    error = supervisor().ask(asked)
    if error is not None:
        return page(request, "_avoid", problem=error[language_of(request)])
    found = answer(job.folder, f"avoid-{number}", language_of(request))
    return page(request, "_avoid", job=job, number=number, found=found)


@require_GET
@needs(Role.PLANNER)
def moved(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Return the shapes of a move for the map."""
    job = find(request, key, *SCREENINGS)
    return JsonResponse(answer(job.folder, f"avoid-{number}", language_of(request)))


@require_POST
@needs(Role.REVIEWER)
def decide(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Record a decision on a finding, with its reason, its evidence and the account."""
    job = find(request, key, *SCREENINGS)
    reason, rule = request.POST.get("reason", "").strip()[:1000], request.POST.get("rule", "")[:80]
    evidence = request.FILES.get("evidence")
    asked = Request("decide", str(job.folder), site=_site_id(request, job, number), rule=rule, reason=reason,
                    author=request.user.username, evidence=_kept(job, evidence) if evidence else "")  # fmt: skip
    words = Words(language_of(request))
    error = supervisor().ask(asked) if reason else {language_of(request): words("web", "reason_needed")}
    if error is not None:
        return page(request, "read", 400, **_values(request, job, error[language_of(request)]))
    log(request, "decision", job.key, f"{asked.site} {rule}: {reason}")
    return redirect("read", key=job.key)


def _kept(job: Job, evidence: Any) -> str:
    """Store a file of evidence in the folder of a job; return its name there."""
    folder = job.folder / "evidence" / new_key()
    folder.mkdir(mode=0o700, parents=True)
    name = safe_name(evidence.name or "")
    with (folder / name).open("xb") as stream:
        for chunk in evidence.chunks():
            stream.write(chunk)
    return (folder / name).relative_to(job.folder).as_posix()


@require_POST
@needs(Role.PLANNER)
def cancel(request: HttpRequest, key: str) -> HttpResponse:
    """Cancel a job that waits or runs."""
    job = find(request, key, *SCREENINGS, "inspect", "files", "propose", "diff")
    if job.kind in ("propose", "diff") and not request.user.may(Role.REVIEWER):
        raise Http404
    supervisor().cancel(job)
    log(request, "cancel", job.key)
    supervisor().wait(job, WAIT_S)
    if job.kind in ("propose", "diff"):
        return redirect("versions")
    return redirect("check" if job.kind == "inspect" else "read", key=job.key)


@require_POST
@needs(Role.PLANNER)
def again(request: HttpRequest, key: str) -> HttpResponse:
    """Screen the same sites again: with today's layers and rules, or, if it was not done, as it was."""
    job = find(request, key, *SCREENINGS)
    asked = job.request
    if job.state == State.DONE and "large" in job.result:
        asked = replace(asked, as_of=dt.date.today().isoformat())
    elif job.state != State.DONE:
        # An earlier report that cannot be compared any more does not keep the sites from being screened.
        asked = replace(asked, kind="screen", earlier="")
    else:
        asked = replace(asked, kind="recheck", earlier=str(job.folder), as_of=dt.date.today().isoformat())
    return _begun(request, job, asked)


@require_POST
@needs(Role.PLANNER)
def declare(request: HttpRequest, key: str) -> HttpResponse:
    """Screen again with facts that would settle answers."""
    job = find(request, key, *SCREENINGS)
    named = [one["id"] for one in of_job(request, job, "summary")["open_facts"]]
    given = {name: request.POST.get(f"fact-{name}", "").strip()[:80] for name in named}
    earlier = job.request.facts
    declared = dict(earlier.get("", {})) | {name: one for name, one in given.items() if one}
    asked = replace(job.request, kind="screen", earlier="", facts={**earlier, "": declared})
    return _begun(request, job, asked)


def _begun(request: HttpRequest, job: Job, asked: Request) -> HttpResponse:
    try:
        made = new_job(request, asked, upload=job.upload, parent=job)
    except LzgisError as error:
        return page(request, "read", 400, **_values(request, job, refusal(request, error)))
    Job.objects.filter(pk=made.key).update(tags=job.tags, title=job.title)
    supervisor().wait(made, WAIT_S)
    return redirect("read", key=made.key)


@require_POST
@needs(Role.PLANNER)
def note(request: HttpRequest, key: str) -> HttpResponse:
    """Change title and tags, or add a comment."""
    job = find(request, key, *SCREENINGS)
    text = request.POST.get("comment", "").strip()[:2000]
    if text:
        Comment.objects.create(job=job, author=request.user, text=text)
        log(request, "comment", job.key, text)
    if "tags" in request.POST:
        title, tags = (request.POST.get(name, "").strip()[:200] for name in ("title", "tags"))
        Job.objects.filter(pk=job.key).update(title=title or job.title, tags=tags)
        log(request, "title", job.key, json.dumps([title, tags], ensure_ascii=False))
    return redirect("read", key=job.key)


@require_POST
@needs(Role.PLANNER)
def delete(request: HttpRequest, key: str) -> HttpResponse:
    """Delete a screening of one's own with its files."""
    job = find(request, key, *SCREENINGS)
    if job.owner_id != request.user.pk and not request.user.may(Role.ADMINISTRATOR):
        raise Http404
    if not job.is_open:
        log(request, "delete", job.key, job.title)
        remove(job)
    return redirect("history")
