"""Files: results to take, and those that the pages are made of."""

from __future__ import annotations

import mimetypes
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from lzgis.errors import LzgisError
from lzgis.web.access import is_open, needs
from lzgis.web.guard import SANDBOX
from lzgis.web.jobs import SCREENINGS, find, new_job
from lzgis.web.models import Job, Role, State
from lzgis.web.pages import edition_of, language_of, page, refusal, supervisor
from lzgis.web.requests import LARGE, Request, files_folder
from lzgis.web.views.give import WAIT_S
from lzgis.web.views.read import OFFERED

_ZIP = ".lzgis-all.zip"
_KINDS = ("files", "audit")


@require_POST
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """Begin to write a screening in some formats, unless that is done or running."""
    job = find(request, key, *SCREENINGS)
    name = request.POST.get("formats", "")
    edition, language = edition_of(request), language_of(request)
    if name not in OFFERED or (edition == "public" and name != "html") or job.state != State.DONE:
        raise Http404
    asked = Request("files", str(job.folder), formats=OFFERED[name], language=language, edition=edition)
    made = _earlier(job, asked)
    if made is None:
        try:
            made = new_job(request, asked, parent=job)
        except LzgisError as error:
            return page(request, "_file", problem=refusal(request, error), name=name)
        made = supervisor().wait(made, WAIT_S)
    return page(request, "_file", **_values(request, made))


@require_POST
@needs(Role.REVIEWER)
def begin_audit(request: HttpRequest) -> HttpResponse:
    """Begin an audit of the layers."""
    name = "html" if request.POST.get("formats") == "html" else "xlsx"
    try:
        made = new_job(request, Request("audit", "", formats=(name,), language=language_of(request)))
    except LzgisError as error:
        return page(request, "_file", problem=refusal(request, error), name="audit")
    return page(request, "_file", **_values(request, supervisor().wait(made, WAIT_S)))


def _earlier(job: Job, asked: Request) -> Job | None:
    wanted = (State.QUEUED, State.RUNNING, State.DONE)
    same = job.children.filter(kind="files", request_json=asked.to_json(), state__in=wanted)
    found: Job | None = same.order_by("-created").first()
    return found if found is None or found.is_open or _file(found).is_file() else None


@require_GET
def state(request: HttpRequest, key: str) -> HttpResponse:
    """Return how far the files are, or the link to take them."""
    return page(request, "_file", **_values(request, find(request, key, *_KINDS)))


def _values(request: HttpRequest, job: Job) -> dict[str, Any]:
    formats = job.request.formats
    name = next((name for name, some in OFFERED.items() if some == formats), "all")
    shown = "audit" if job.kind == "audit" else name
    return {"job": job, "name": shown, "error": job.error(language_of(request)), "is_map": name == "html"}


def _file(job: Job) -> Path:
    """Return the file of a job of files; its name comes from the worker, and stays in the folder."""
    folder = files_folder(job.request).resolve()
    found = (folder / str(job.result.get("file", ""))).resolve()
    if not found.is_relative_to(folder):
        raise Http404
    return found


def _permitted(request: HttpRequest, key: str) -> Job:
    job = find(request, key, *_KINDS)
    # A file of the internal edition is not for viewers, also if another account had it made.
    if job.state != State.DONE or (edition_of(request) == "public" and job.request.edition != "public"):
        raise Http404
    return job


@require_GET
def download(request: HttpRequest, key: str) -> HttpResponse:
    """Return a file to be saved."""
    job = _permitted(request, key)
    path = _file(job)
    return sent(path, download_name(job, path))


@require_GET
@needs(Role.PLANNER)
def large(request: HttpRequest, key: str, name: str) -> HttpResponse:
    """Return a file of the result of a large file of sites."""
    job = find(request, key, *SCREENINGS)
    if name not in job.result.get("large", []):
        raise Http404
    return sent(job.folder / LARGE / name, f"{Path(str(job.title)).stem or 'lzgis'}-{name}")


def download_name(job: Job, path: Path) -> str:
    """Return the name under which a browser saves a file."""
    stem = Path(str(job.title)).stem or "lzgis"
    return f"{stem}-{'-'.join(job.request.formats)}.zip" if path.name == _ZIP else f"{stem}-{path.name}"


def sent(path: Path, name: str) -> HttpResponse:
    """Return a file as a download."""
    try:
        stream = path.open("rb")
    except OSError:
        raise Http404 from None
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"Content-Security-Policy": SANDBOX}
    return FileResponse(stream, as_attachment=True, filename=name, content_type=kind, headers=headers)


@require_GET
def show_map(request: HttpRequest, key: str) -> HttpResponse:
    """Return the map as a page without an origin."""
    job = _permitted(request, key)
    path = _file(job)
    if path.suffix != ".html" or not path.is_file():
        raise Http404
    return HttpResponse(path.read_bytes(), content_type="text/html; charset=utf-8",
                        headers={"Content-Security-Policy": SANDBOX})  # fmt: skip


@cache
def _static_files() -> dict[str, Traversable]:
    """Return the files of the pages by name: there is no other way to a file from an address."""
    own, maps = files("lzgis.web") / "static", files("lzgis.exports") / "static"
    found: dict[str, Traversable] = {}
    for root, names in ((own, ("web", "htmx", "geoman")), (maps, ("leaflet", "topojson-client"))):
        for name in names:
            found |= {f"{name}/{below}": one for below, one in _below(root / name)}
    drawing = files("lzgis.exports.map") / "assets"
    return found | {f"map/{name}.js": drawing / f"{name}.js" for name in ("dom", "layers")}


def _below(folder: Traversable, before: str = "") -> list[tuple[str, Traversable]]:
    found = []
    for one in folder.iterdir():
        found += _below(one, f"{before}{one.name}/") if one.is_dir() else [(before + one.name, one)]
    return found


@is_open
@require_GET
def static(request: HttpRequest, name: str) -> HttpResponse:
    """Return a file of the pages."""
    one = _static_files().get(name)
    if one is None:
        raise Http404
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return HttpResponse(one.read_bytes(), content_type=kind, headers={"Cache-Control": "private, max-age=600"})
