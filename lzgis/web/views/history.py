"""Past screenings, and the city: its layers, rules and map."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lzgis.model.report import Verdict
from lzgis.web.jobs import SCREENINGS
from lzgis.web.models import Job, State
from lzgis.web.pages import city, language_of, page, supervisor
from lzgis.words import Words


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """List the screenings that the user may see, the newest first."""
    jobs = Job.objects.visible_to(request.user).filter(kind__in=SCREENINGS).select_related("owner")
    word, state, tag = (request.GET.get(name, "").strip() for name in ("q", "state", "tag"))
    if word:
        jobs = jobs.filter(search__contains=word.casefold()) | jobs.filter(title__icontains=word)
    if state in list(State):
        jobs = jobs.filter(state=state)
    if tag:
        jobs = jobs.filter(tags__icontains=tag)
    given = request.GET.get("page", "1")
    listed = Paginator(jobs.order_by("-created"), 25).get_page(given)
    words = Words(language_of(request))
    rows = [_row(job, words) for job in listed]
    return page(request, "history", rows=rows, listed=listed, asked=request.GET, states=list(State))


def _row(job: Job, words: Words) -> dict[str, Any]:
    counts = job.result.get("verdicts", [])
    verdicts = [
        {"rank": rank, "label": words("verdict", verdict), "count": count}
        for rank, (verdict, count) in enumerate(zip(Verdict, counts, strict=False))
        if count
    ]
    return {"job": job, "verdicts": verdicts, "stale": supervisor().is_stale(job), "result": job.result}


@require_GET
def city_page(request: HttpRequest) -> HttpResponse:
    """Show the layers and rules of the city, and its map."""
    return page(request, "city", found=city(request))
