"""Jobs as pages and programs make and find them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.web.access import log
from lzgis.web.models import OPEN_STATES, Job, State, Turn, Upload, User
from lzgis.web.pages import supervisor
from lzgis.web.requests import Request

SCREENINGS = ("screen", "recheck")
#: Up to so many sites are screened before others, and more than so many after others; and so is a large file.
_FEW_SITES, _MANY_SITES = 5, 200
_SMALL_BYTES, _LARGE_BYTES = 10_000, 2_000_000


def new_job(request: HttpRequest, asked: Request, *, upload: Upload | None = None, parent: Job | None = None) -> Job:
    """Put a job into the queue.

    Raises
    ------
    SourceError
        If too many jobs of the user wait already.
    """
    user: User = request.user
    waiting = Job.objects.filter(owner=user, state__in=OPEN_STATES).count()
    if waiting >= settings.LZGIS.bounds.open_jobs:
        what = Message("{count} jobs of yours wait already", count=waiting)
        raise SourceError(Message("queue"), what, Message("wait until some are done, or cancel them"))
    title = upload.name if upload is not None else parent.title if parent is not None else ""
    job = Job(kind=asked.kind, owner=user, department=user.department, upload=upload, parent=parent, title=title)
    job.search, job.turn = title.casefold(), turn_of(asked, upload)
    folder = str(parent.folder if asked.kind == "files" and parent is not None else job.folder)
    job.request_json = replace(asked, folder=folder).to_json()
    job.save()
    log(request, asked.kind, job.key, title)
    supervisor().submitted()
    return job


def turn_of(asked: Request, upload: Upload | None) -> Turn:
    """Return how long a job is expected to take, from its kind, the size of the file, and the number of sites in it."""
    if asked.kind in ("audit", "propose", "diff"):
        return Turn.LONG
    if asked.kind in ("files", "issue"):
        return Turn.FILES
    if upload is not None and upload.size_bytes > _LARGE_BYTES:
        return Turn.LONG
    if asked.kind == "inspect":
        return Turn.QUICK
    seen = Job.objects.filter(upload=upload, state=State.DONE, kind__in=("inspect", *SCREENINGS)).order_by("-created")
    # A program gives a file that no one has looked at.
    guess = _FEW_SITES if upload is None or upload.size_bytes <= _SMALL_BYTES else _MANY_SITES
    sites = next((int(one.result.get("sites", 0)) for one in seen[:1]), guess)
    if sites > _MANY_SITES:
        return Turn.LONG
    return Turn.QUICK if sites <= _FEW_SITES and asked.kind == "screen" else Turn.SHORT


def find(request: HttpRequest, key: str, *kinds: str) -> Job:
    """Return a job that the user may see; others do not exist for this user.

    Raises
    ------
    Http404
        If there is none.
    """
    found: Job = get_object_or_404(Job.objects.visible_to(request.user), pk=key, kind__in=kinds)
    return found


def remove(job: Job) -> None:
    """Remove a screening or a check with its files, and its upload if nothing else uses it."""
    upload, folders = job.upload, [job.folder, *(child.folder for child in job.children.all())]
    job.delete()
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    if upload is not None and not Job.objects.filter(upload=upload).exists():
        shutil.rmtree(upload.folder, ignore_errors=True)
        upload.delete()


def remove_old() -> int:
    """Remove what is older than the retention allows; return how many jobs that were."""
    days = settings.LZGIS.bounds.retention_days
    if not days:
        return 0
    old = Job.objects.filter(created__lt=timezone.now() - timedelta(days=days)).exclude(state__in=OPEN_STATES)
    count = 0
    for job in old:
        remove(job)
        count += 1
    return count
