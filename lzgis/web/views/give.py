"""The first step: a file, text or a drawing is given, and its diagnosis begins."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from lzgis.errors import LzgisError
from lzgis.reading.readers import READERS
from lzgis.web.access import needs
from lzgis.web.cities import folder_in_force
from lzgis.web.jobs import new_job
from lzgis.web.models import Job, Role, Upload
from lzgis.web.options import CITY
from lzgis.web.pages import answer_bytes, edition_of, json_response, language_of, page, refusal, supervisor
from lzgis.web.requests import Request, answer_file
from lzgis.web.uploads import Part, drawn_part, files_of, safe_name, store, text_part
from lzgis.words import Words

#: How long a page waits for a short job before it is shown.
WAIT_S = 1.5
#: The largest window of the map that is drawn in detail, in degrees, and how long a page waits for it.
_WINDOW_DEG, _WINDOW_S = 0.8, 20.0
#: Reference systems that a form offers.
SYSTEMS = ("EPSG:4490", "EPSG:4526", "EPSG:4547", "EPSG:4525", "EPSG:4546", "EPSG:4326")
_EXAMPLE = "sites.gpkg"
#: How files of images begin.
_IMAGES = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg", b"RIFF": "image/webp"}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the page of the first step; viewers see the screenings instead."""
    if not request.user.may(Role.PLANNER):
        return redirect("history")
    return _home(request)


def _home(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    recent = Job.objects.visible_to(request.user).filter(kind__in=("screen", "recheck")).order_by("-created")[:5]
    return page(
        request,
        "give",
        status,
        problem=problem,
        recent=recent,
        accept=",".join((*READERS, ".dbf", ".prj", ".cpg", ".shx")),
        kinds=" ".join(READERS),
        systems=SYSTEMS,
        most_mb=settings.LZGIS.bounds.upload_bytes // 1024**2,
        example=_example() is not None,
        unusable=supervisor().unusable.get(language_of(request), ""),
    )


def _example() -> Path | None:
    found = folder_in_force() / _EXAMPLE
    return found if found.is_file() else None


@require_POST
@needs(Role.PLANNER)
def give_file(request: HttpRequest) -> HttpResponse:
    """Take a file, or the parts of a shapefile."""
    return _taken(request, lambda: files_of(request.FILES.getlist("files")), "file")


@require_POST
@needs(Role.PLANNER)
def give_text(request: HttpRequest) -> HttpResponse:
    """Take pasted coordinates, WKT, GeoJSON or boundary points."""
    text, shape = request.POST.get("text", ""), request.POST.get("shape", "polygon")
    return _taken(request, lambda: [text_part(text, shape)], "text")


@require_POST
@needs(Role.PLANNER)
def give_drawn(request: HttpRequest) -> HttpResponse:
    """Take drawn shapes."""
    return _taken(request, lambda: [drawn_part(request.POST.get("shapes", ""))], "drawn")


@require_POST
@needs(Role.PLANNER)
def give_example(request: HttpRequest) -> HttpResponse:
    """Take the projects that come with the city."""
    source = _example()
    if source is None:
        raise Http404
    return _taken(request, lambda: [Part(safe_name(source.name), [source.read_bytes()])], "example")


def _taken(request: HttpRequest, parts: Callable[[], Sequence[Part]], how: str) -> HttpResponse:
    try:
        upload = store(request.user, parts(), how)
        crs = request.POST.get("crs", "")
        job = inspected(request, upload, {"crs": crs} if crs in SYSTEMS else {})
        if how in ("text", "drawn"):
            Job.objects.filter(pk=job.key).update(title=_title(request, how))
    except LzgisError as error:
        return _home(request, refusal(request, error), 400)
    supervisor().wait(job, WAIT_S)
    return redirect("check", key=job.key)


def _title(request: HttpRequest, how: str) -> str:
    """Return a title for what has no file name: the name of a drawing, else how and when it was given."""
    given: str = request.POST.get("name", "").strip()[:100]
    if how == "drawn" and given:
        return given
    at = timezone.localtime().strftime("%m-%d %H:%M")
    return f"{Words(language_of(request))('web', f'title_{how}')} {at}"


def inspected(request: HttpRequest, upload: Upload, reading: dict[str, str]) -> Job:
    """Begin the diagnosis of an upload."""
    asked = Request("inspect", "", source=str(upload.path), reading=reading)
    return new_job(request, asked, upload=upload)


@require_GET
def city_map(request: HttpRequest) -> HttpResponse:
    """Return the layers of the city for the map; to a page that asks again by itself, nothing while there are none."""
    language, edition = language_of(request), edition_of(request)
    folder = settings.LZGIS.data / CITY
    if "page" in request.GET and not answer_file(folder, "map", language, edition).is_file():
        return HttpResponse(status=204)
    return json_response(request, answer_bytes(folder, "map", language, edition))


@require_GET
def city_window(request: HttpRequest) -> HttpResponse:
    """Return the layers in a window of the map, `?in=west,south,east,north`, in more detail than `city_map`."""
    bounds = _bounds(request.GET.get("in", ""))
    if bounds is None:
        return HttpResponseBadRequest()
    language, edition = language_of(request), edition_of(request)
    folder = settings.LZGIS.data / CITY / f"window-{uuid4().hex}"
    asked = Request("window", str(folder), bounds=bounds, language=language, edition=edition)
    try:
        if supervisor().ask(asked, wait_s=_WINDOW_S) is not None:
            return HttpResponse(status=503)
        return json_response(request, answer_bytes(folder, "window", language, edition))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bounds(text: str) -> tuple[float, ...] | None:
    """Return a window as numbers; None if it is none, or larger than a screen that shows details."""
    if len(text) > 100 or not re.fullmatch(r"-?[\d.]+(,-?[\d.]+){3}", text):
        return None
    with contextlib.suppress(ValueError):
        west, south, east, north = (float(one) for one in text.split(","))
        if 0 < east - west <= _WINDOW_DEG and 0 < north - south <= _WINDOW_DEG:
            return west, south, east, north
    return None


@require_GET
def tile(_: HttpRequest, z: int, x: int, y: int) -> HttpResponse:
    """Return a tile of the map below the layers, of the file that the setting names; nothing where it has none."""
    file = Path(settings.LZGIS.bounds.base_map)
    if file.suffix != ".mbtiles" or z > 24:
        raise Http404
    try:
        # Rows of the file are counted from the south.
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            found = base.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (z, x, 2**z - 1 - y),
            ).fetchone()
    except sqlite3.Error:
        raise Http404 from None
    data = bytes(found[0]) if found else b""
    kind = next((kind for sign, kind in _IMAGES.items() if data.startswith(sign)), "")
    if not kind:
        return HttpResponse(status=204)
    return HttpResponse(data, content_type=kind, headers={"Cache-Control": "private, max-age=86400"})
