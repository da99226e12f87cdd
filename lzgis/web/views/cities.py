"""Versions of the city: propose a new file, see what it changes, approve or refuse it, put an earlier one back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from lzgis.city.new_version import RULES
from lzgis.city.region import is_region
from lzgis.errors import ConfigError, LzgisError
from lzgis.messages import Message
from lzgis.web.access import log, needs
from lzgis.web.cities import (
    approve,
    base_version,
    folder_in_force,
    judged_screenings,
    may_decide,
    parts_of_city,
    put_in_force,
)
from lzgis.web.guard import SANDBOX
from lzgis.web.jobs import new_job
from lzgis.web.models import CityVersion, Job, Role, Standing, State
from lzgis.web.pages import language_of, of_job, page, progress_part, refusal, supervisor
from lzgis.web.requests import Request
from lzgis.web.uploads import files_of, store_version
from lzgis.web.views.check import checked_day
from lzgis.web.views.files import sent
from lzgis.web.views.give import WAIT_S
from lzgis.words import Words

#: Files of a proposal or comparison that can be taken.
_FILES = ("audit.xlsx", "audit.html", "diff.xlsx", "diff.html")


@require_GET
@needs(Role.REVIEWER)
def listed(request: HttpRequest) -> HttpResponse:
    """List the versions of the city, and ask for a new one."""
    return _listed(request)


def _listed(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    versions = CityVersion.objects.select_related("job", "base").order_by("-pk")
    return page(
        request,
        "versions",
        status,
        versions=[
            {"version": one, "folder": one.folder.exists(), "title": _title(request, one.part)} for one in versions
        ],
        current=CityVersion.current(),
        parts=parts_of_city(),
        rules="" if is_region(folder_in_force()) else RULES,
        problem=problem,
        given=request.POST,
    )


@require_POST
@needs(Role.ADMINISTRATOR)
def propose(request: HttpRequest) -> HttpResponse:
    """Take a new file for a layer or the rule book, and begin to find out what it changes."""
    post, user = request.POST, request.user
    part, reason = post.get("part", ""), post.get("reason", "").strip()[:1000]
    try:
        parts = dict(parts_of_city())
        if part != RULES and part not in parts:
            raise Http404
        if not reason:
            raise ConfigError(
                Message("new version"), Message("needs a reason"), Message("write why it replaces the other")
            )
        keys = {name: post.get(name, "").strip()[:200] for name in ("version", "status", "basis")}
        keys["date"] = checked_day(post.get("date", ""))
        table = post.get("table", "").strip()[:127]
        upload = None if table else store_version(user, files_of(request.FILES.getlist("files")), part)
        base, name = base_version(user), table if upload is None else upload.name
        made = CityVersion(base=base, part=part, file_name=name, reason=reason, proposed_by=user.username)
        reports, _ = judged_screenings()
        asked = Request(
            "propose", "", source="" if upload is None else str(upload.path), part=part, keys=keys | {"table": table},
            before=str(base.folder), after=str(made.folder), as_of=dt.date.today().isoformat(),
            reports=tuple((one.key, str(one.folder)) for one in reports),
        )  # fmt: skip
        made.job = new_job(request, asked, upload=upload)
    except LzgisError as error:
        return _listed(request, refusal(request, error), 400)
    made.save()
    log(request, "city-proposed", str(made.pk), f"{part} {name}: {reason}")
    supervisor().wait(made.job, WAIT_S)
    return redirect("version", number=made.pk)


@require_GET
@needs(Role.REVIEWER)
def show(request: HttpRequest, number: int) -> HttpResponse:
    """Show what a version changes, and what can be decided."""
    return _shown(request, get_object_or_404(CityVersion, pk=number))


def _shown(request: HttpRequest, version: CityVersion, problem: str = "", status: int = 200) -> HttpResponse:
    job = version.job
    values: dict[str, Any] = {"version": version, "job": job, "problem": problem, "poll": "version-body"}
    values |= {"warm": supervisor().is_warm, "title": _title(request, version.part)}
    values |= {"decide": may_decide(request.user, version) and job is not None and job.state == State.DONE}
    values |= {"older": judged_screenings()[1], "standing": version.standing}
    if job is not None and job.state == State.DONE:
        found = of_internal(request, job)
        seen = {one.key: one.title for one in Job.objects.visible_to(request.user).filter(
            pk__in={row["job"] for row in found["rows"]})}  # fmt: skip
        rows = [row | {"title": seen[row["job"]]} for row in found["rows"] if row["job"] in seen]
        values |= {"found": found, "rows": rows, "hidden": len(found["rows"]) - len(rows), "files": _FILES}
    elif job is not None and not job.is_open:
        values["error"] = job.error(language_of(request))
    return page(request, "version", status, **values)


def _title(request: HttpRequest, part: str) -> str:
    """Return the title of a part of the city, as of a layer."""
    titles = dict(parts_of_city()) | {RULES: Words(language_of(request))("web", "rule_book")}
    return titles.get(part, part)


def of_internal(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Return what a proposal or comparison found; only reviewers see it, who see every layer."""
    return of_job(request, job, "proposal")


@require_GET
@needs(Role.REVIEWER)
def body(request: HttpRequest, key: str) -> HttpResponse:
    """Return the part of the page that changes while a version is compared."""
    job = get_object_or_404(Job, pk=key, kind__in=("propose", "diff"))
    return progress_part(request, job, "version-body")


@require_POST
@needs(Role.REVIEWER)
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Approve a proposal, which puts it in force, or refuse it."""
    version = get_object_or_404(CityVersion, pk=number)
    if not may_decide(request.user, version):
        words = Words(language_of(request))
        return _shown(request, version, words("web", "second_person"), 403)
    if request.POST.get("decision") == "approve":
        try:
            approve(version, request.user)
        except LzgisError as error:
            return _shown(request, version, refusal(request, error), 400)
        log(request, "city-approved", str(version.pk), version.part)
    else:
        version.standing, version.decided_by = Standing.REFUSED, request.user.username
        version.decided = timezone.now()
        version.save()
        log(request, "city-refused", str(version.pk), version.part)
    return redirect("version", number=version.pk)


@require_POST
@needs(Role.ADMINISTRATOR)
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """Put an approved version back in force."""
    version = get_object_or_404(CityVersion, pk=number)
    try:
        put_in_force(version)
    except LzgisError as error:
        return _listed(request, refusal(request, error), 400)
    log(request, "city-restored", str(version.pk), version.part)
    return redirect("versions")


@require_POST
@needs(Role.REVIEWER)
def compare(request: HttpRequest) -> HttpResponse:
    """Begin to compare two versions."""
    numbers = [int(one) if one.isdecimal() else -1 for one in (request.POST.get(n, "") for n in ("before", "after"))]
    before, after = (get_object_or_404(CityVersion, pk=one) for one in numbers)
    if not (before.folder.exists() and after.folder.exists()):
        raise Http404
    try:
        asked = Request("diff", "", before=str(before.folder), after=str(after.folder))
        made = new_job(request, asked)
    except LzgisError as error:
        return _listed(request, refusal(request, error), 400)
    Job.objects.filter(pk=made.key).update(title=f"{before.pk} → {after.pk}")
    supervisor().wait(made, WAIT_S)
    return redirect("comparison", key=made.key)


@require_GET
@needs(Role.REVIEWER)
def comparison(request: HttpRequest, key: str) -> HttpResponse:
    """Show a comparison of two versions."""
    job = get_object_or_404(Job, pk=key, kind="diff")
    values: dict[str, Any] = {"job": job, "poll": "version-body", "warm": supervisor().is_warm}
    if job.state == State.DONE:
        values |= {"found": of_internal(request, job), "files": _FILES[2:]}
    elif not job.is_open:
        values["error"] = job.error(language_of(request))
    return page(request, "comparison", **values)


@require_GET
@needs(Role.REVIEWER)
def file(request: HttpRequest, key: str, name: str) -> HttpResponse:
    """Return a file of a proposal or comparison; a map is shown without an origin."""
    job = get_object_or_404(Job, pk=key, kind__in=("propose", "diff"))
    if name not in _FILES:
        raise Http404
    stem, _, suffix = name.partition(".")
    path = job.folder / f"{stem}-{language_of(request)}.{suffix}"
    if suffix == "html" and path.is_file():
        return HttpResponse(path.read_bytes(), headers={"Content-Security-Policy": SANDBOX})
    return sent(path, name)
