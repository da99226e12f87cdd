"""What all pages share: the language, the values of every template, answers read from files, and the supervisor."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render

from lzgis.errors import LzgisError
from lzgis.web.models import Job, Role
from lzgis.web.options import CITY
from lzgis.web.requests import Edition, answer_file
from lzgis.words import Language, Words

if TYPE_CHECKING:
    from lzgis.web.supervisor import Supervisor

LANGUAGE_COOKIE = "lzgis-language"
_SUPERVISOR: list[Supervisor] = []


def use(supervisor: Supervisor) -> None:
    """Let the pages use a supervisor."""
    _SUPERVISOR[:] = [supervisor]


def supervisor() -> Supervisor:
    """Return the supervisor of this server."""
    return _SUPERVISOR[0]


def language_of(request: HttpRequest) -> Language:
    """Return the language of a request: that of the cookie, else Chinese."""
    return "en" if request.COOKIES.get(LANGUAGE_COOKIE) == "en" else "zh"


def edition_of(request: HttpRequest) -> Edition:
    """Return the edition that the user of a request sees."""
    return cast(Edition, request.user.edition)


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the values that every template has."""
    language = language_of(request)
    user = getattr(request, "user", None)
    known = bool(user is not None and user.is_authenticated)
    values: dict[str, Any] = {
        "words": Words(language),
        "language": language,
        "other_language": "zh" if language == "en" else "en",
        "accounts": getattr(request, "lzgis_accounts", False),
        "city": city(request) if known else {},
        "base_map": base_map_address(),
        "base_zooms": base_map_zooms(),
        "base_credit": settings.LZGIS.bounds.base_map_credit,
        "may": {one.value: known and user is not None and user.may(one) for one in Role},
    }
    return values


def base_map_address() -> str:
    """Return the address of the tiles below the layers, on this server or that of the setting; empty if there is none."""
    given = str(settings.LZGIS.bounds.base_map)
    return "/tiles/{z}/{x}/{y}" if given.endswith(".mbtiles") else given


def base_map_zooms() -> tuple[int, int]:
    """Return the levels at which the map below the layers has tiles; beyond them, those of the nearest level are stretched."""
    given = Path(str(settings.LZGIS.bounds.base_map))
    if given.suffix != ".mbtiles":
        return 0, 18
    try:
        return _zooms(given, given.stat().st_mtime_ns)
    except (OSError, sqlite3.Error):
        return 0, 18


@lru_cache(maxsize=2)
def _zooms(file: Path, _: int) -> tuple[int, int]:
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
        least, most = base.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
    return int(least or 0), int(most or 18)


def answer_bytes(folder: Path, name: str, language: Language, edition: Edition = "internal") -> bytes:
    """Return what a worker wrote, as it was written.

    Raises
    ------
    Http404
        If it is not there.
    """
    try:
        return answer_file(folder, name, language, edition).read_bytes()
    except OSError:
        raise Http404 from None


def json_response(request: HttpRequest, text: bytes) -> HttpResponse:
    """Return JSON that a worker wrote; compressed, and not sent again if the browser has it."""
    tag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        # It holds nothing of the request, so that its length gives nothing away.
        text, headers = gzip.compress(text, 5, mtime=0), headers | {"Content-Encoding": "gzip"}
    return HttpResponse(text, content_type="application/json", headers=headers)


def answer(folder: Path, name: str, language: Language, edition: Edition = "internal") -> dict[str, Any]:
    """Return what a worker wrote.

    Raises
    ------
    Http404
        If it is not there.
    """
    try:
        found: dict[str, Any] = json.loads(answer_file(folder, name, language, edition).read_bytes())
    except OSError:
        raise Http404 from None
    return found


def of_job(request: HttpRequest, job: Job, name: str) -> dict[str, Any]:
    """Return an answer of a job in the language and edition of a request."""
    return answer(job.folder, name, language_of(request), edition_of(request))


def city(request: HttpRequest) -> dict[str, Any]:
    """Return what forms need of the city; empty until a worker has opened it."""
    file = answer_file(Path(settings.LZGIS.data) / CITY, "city", language_of(request))
    try:
        return _city(file, file.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=4)
def _city(file: Path, _: int) -> dict[str, Any]:
    # Every page needs it, and it changes when the workers open the city again.
    found: dict[str, Any] = json.loads(file.read_bytes())
    return found


def page(request: HttpRequest, template: str, status: int = 200, **values: Any) -> HttpResponse:
    """Return a page."""
    return render(request, f"web/{template}.html", values, status=status)


def progress_part(request: HttpRequest, job: Job, poll: str) -> HttpResponse:
    """Return the part of a page that changes while a job runs; once it has ended, the browser loads the page again.

    Parameters
    ----------
    request : HttpRequest
        The request.
    job : Job
        The job.
    poll : str
        Name of the view that the part is loaded from.
    """
    if not job.is_open:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return page(request, "_progress", job=job, poll=poll, warm=supervisor().is_warm)


def refusal(request: HttpRequest, error: LzgisError) -> str:
    """Return an error as a sentence in the language of a request."""
    return Words(language_of(request)).sentence(error.place, error.what, error.remedy)
