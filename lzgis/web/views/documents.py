"""The register of documents: reports issued under a number, and corrected ones that replace them."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from lzgis.errors import ConfigError, LzgisError
from lzgis.exports.formats import FORMATS
from lzgis.messages import Message
from lzgis.model.report import Verdict
from lzgis.web.access import log, needs
from lzgis.web.documents import ISSUED, visible
from lzgis.web.jobs import SCREENINGS, find, new_job
from lzgis.web.models import Document, Job, Role, State
from lzgis.web.pages import language_of, page, refusal, supervisor
from lzgis.web.requests import Request
from lzgis.web.views.files import sent
from lzgis.web.views.give import WAIT_S
from lzgis.words import Words


@require_GET
@needs(Role.PLANNER)
def register(request: HttpRequest) -> HttpResponse:
    """List the documents, the newest first."""
    return _register(request)


def _register(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    word = request.GET.get("q", "").strip()
    found = Document.objects.filter(visible(request.user)).select_related("replaces", "replaced_by", "writing", "job")
    if word:
        found = found.filter(Q(number__icontains=word) | Q(title__icontains=word))
    pages = Paginator(found.order_by("-year", "-ordinal"), 50).get_page(request.GET.get("page", "1"))
    words = Words(language_of(request))
    rows = [{"one": one, "verdicts": _verdicts(one, words)} for one in pages]
    return page(request, "documents", status, rows=rows, listed=pages, asked=request.GET, problem=problem)


def _verdicts(one: Document, words: Words) -> list[dict[str, object]]:
    counts = [int(count) for count in str(one.verdicts).split(",") if count]
    return [
        {"rank": rank, "label": words("verdict", verdict), "count": count}
        for rank, (verdict, count) in enumerate(zip(Verdict, counts, strict=False))
        if count
    ]


@require_POST
@needs(Role.PLANNER)
def issue(request: HttpRequest, key: str) -> HttpResponse:
    """Issue a screening as a document under the next number; it may replace an earlier document."""
    job = find(request, key, *SCREENINGS)
    name = request.POST.get("formats", "")
    if job.state != State.DONE or name not in ISSUED or not FORMATS[name].installed:
        raise Http404
    try:
        replaced = _replaced(request)
        made = _numbered(request, job, replaced)
        _write(request, made, job, name)
    except LzgisError as error:
        return _register(request, refusal(request, error), 400)
    log(request, "document-issued", made.number, f"{job.key} {f'replaces {replaced.number}' if replaced else ''}")
    return redirect("documents")


def _replaced(request: HttpRequest) -> Document | None:
    number, reason = (request.POST.get(name, "").strip() for name in ("replaces", "reason"))
    if not number:
        return None
    place = Message("document {number}", number=number[:40])
    found: Document | None = Document.objects.filter(visible(request.user), number=number).first()
    if found is None:
        raise ConfigError(place, Message("is not in the register"), Message("choose one of the list"))
    if hasattr(found, "replaced_by"):
        what = Message("was replaced by {number} already", number=found.replaced_by.number)
        raise ConfigError(place, what, Message("replace that one"))
    if not reason:
        raise ConfigError(place, Message("can be replaced for a reason only"), Message("write what was corrected"))
    return found


def _numbered(request: HttpRequest, job: Job, replaced: Document | None) -> Document:
    """Make an entry under the next number of the year; two that are made at once get two numbers."""
    year = dt.date.today().year
    for _ in range(20):
        last = Document.objects.filter(year=year).aggregate(last=Max("ordinal"))["last"] or 0
        number = f"{settings.LZGIS.bounds.document_prefix}{year}-{last + 1:04d}"
        try:
            with transaction.atomic():
                made: Document = Document.objects.create(
                    number=number, year=year, ordinal=last + 1, job=job, department=job.department, title=job.title,
                    verdicts=",".join(map(str, job.result.get("verdicts", []))), as_of=job.result.get("as_of", ""),
                    issued_by=request.user.username, replaces=replaced,
                    reason=request.POST.get("reason", "").strip()[:1000],
                )  # fmt: skip
        except IntegrityError:
            continue
        return made
    raise ConfigError(Message("register"), Message("no number is free"), Message("try again"))


def _write(request: HttpRequest, made: Document, job: Job, name: str) -> None:
    replaced = made.replaces.number if made.replaces else ""
    asked = Request(
        "issue", "", earlier=str(job.folder), formats=(name,), language=language_of(request), number=made.number,
        replaces=replaced, reason=made.reason, after=str(made.folder),
    )  # fmt: skip
    writing = new_job(request, asked)
    Document.objects.filter(pk=made.pk).update(writing=writing)
    Job.objects.filter(pk=writing.key).update(title=made.number)
    supervisor().wait(writing, WAIT_S)


@require_POST
@needs(Role.PLANNER)
def again(request: HttpRequest, number: str) -> HttpResponse:
    """Write a document again whose writing failed."""
    one = _found(request, number)
    if one.file_name or one.job is None or one.writing is None or one.writing.is_open:
        raise Http404
    try:
        _write(request, one, one.job, one.writing.request.formats[0])
    except LzgisError as error:
        return _register(request, refusal(request, error), 400)
    return redirect("documents")


def _found(request: HttpRequest, number: str) -> Document:
    one: Document | None = Document.objects.filter(visible(request.user), number=number).first()
    if one is None:
        raise Http404
    return one


@require_GET
@needs(Role.PLANNER)
def download(request: HttpRequest, number: str) -> HttpResponse:
    """Return the file of a document as it was issued."""
    one = _found(request, number)
    if not one.file_name:
        raise Http404
    return sent(one.folder / str(one.file_name), str(one.file_name))
