"""The interface for programs: OGC API - Processes, part 1, with the classes of `CONFORMS` and no others.

A program sends the header ``Authorization: Bearer TOKEN``. Sessions of browsers are not accepted here, so that no page of
another site can use them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

import lzgis
from lzgis.errors import LzgisError, SourceError
from lzgis.exports.formats import FORMATS
from lzgis.messages import Message
from lzgis.web.access import is_open, local_user, log
from lzgis.web.jobs import SCREENINGS, find, new_job, remove
from lzgis.web.models import LOCAL_USER, Job, Role, State, Token
from lzgis.web.pages import city, page, supervisor
from lzgis.web.requests import Request, files_folder
from lzgis.web.uploads import Part, safe_name, store
from lzgis.web.views.check import checked_day
from lzgis.web.views.files import sent

_CLASS = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf"
CONFORMS = [f"{_CLASS}/{name}" for name in ("core", "json", "oas30", "ogc-process-description", "job-list", "dismiss")]
#: States of jobs in the words of the standard.
_STATUS = {
    State.QUEUED: "accepted",
    State.RUNNING: "running",
    State.DONE: "successful",
    State.FAILED: "failed",
    State.CANCELLED: "dismissed",
    State.INTERRUPTED: "failed",
}
_OUTPUTS = {
    "report": ("json", "application/json"),
    "findings": ("gpkg", "application/geopackage+sqlite3"),
    "workbook": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "map": ("html", "text/html"),
}
_PROBLEM = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
View = Callable[..., HttpResponse]


def _exception(status: int, kind: str, detail: str) -> HttpResponse:
    text = {"type": f"{_PROBLEM}/{kind}", "title": kind, "status": status, "detail": detail}
    return JsonResponse(text, status=status, content_type="application/problem+json")


def program(view: View) -> View:
    """Give a view the user whose token the request has; without one the request is refused."""

    @wraps(view)
    def guarded(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
        user = _owner(request)
        if user is None:
            answer = _exception(401, "unauthorized", "send the header Authorization: Bearer TOKEN")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        request.user = user
        try:
            return view(request, *given, **named)
        except LzgisError as error:
            return _exception(400, "invalid-parameter", str(error))
        except Http404:
            return _exception(404, "no-such-job", "there is no such job")

    return is_open(csrf_exempt(guarded))


def _owner(request: HttpRequest) -> Any:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret:
        token = Token.objects.filter(digest=Token.digest_of(secret.strip())).select_related("owner").first()
        # Tokens made before there were accounts end with the first account.
        if token is None or not token.owner.is_active:
            return None
        if request.lzgis_accounts and token.owner.username == LOCAL_USER:
            return None
        Token.objects.filter(pk=token.pk).update(used=timezone.now())
        return token.owner
    free = settings.LZGIS.api == "open" and settings.LZGIS.is_local and not request.lzgis_accounts
    return local_user() if free else None


def _link(request: HttpRequest, place: str, rel: str, kind: str = "application/json") -> dict[str, str]:
    return {"href": request.build_absolute_uri(place), "rel": rel, "type": kind}


@require_GET
@program
def conformance(_: HttpRequest) -> HttpResponse:
    """Return the conformance classes."""
    return JsonResponse({"conformsTo": CONFORMS})


@require_GET
@program
def processes(request: HttpRequest) -> HttpResponse:
    """Return the list of processes."""
    head = {name: _DESCRIPTION[name] for name in ("id", "title", "description", "version", "jobControlOptions")}
    one = head | {"links": [_link(request, "/processes/screen", "self")]}
    return JsonResponse({"processes": [one], "links": [_link(request, "/processes", "self")]})


@require_GET
@program
def process(request: HttpRequest) -> HttpResponse:
    """Return the description of the process."""
    rel = "http://www.opengis.net/def/rel/ogc/1.0/execute"
    inputs, places = _DESCRIPTION["inputs"], city(request).get("places", [])
    if places:
        titles = "; ".join(f"'{one['name']}': {one['title']}" for one in places)
        schema = _TEXT | {"enum": [one["name"] for one in places], "default": ""}
        inputs = inputs | {"place": inputs["place"] | {"description": titles, "schema": schema}}
    links = [_link(request, "/processes/screen/execution", rel)]
    return JsonResponse(_DESCRIPTION | {"inputs": inputs, "links": links})


@require_POST
@program
def execute(request: HttpRequest) -> HttpResponse:
    """Begin a screening."""
    if not request.user.may(Role.PLANNER):
        return _exception(403, "forbidden", "the account may not screen")
    inputs = _inputs(request)
    asked = Request(
        "screen",
        "",
        as_of=checked_day(inputs["as_of"]),
        reading=inputs["reading"],
        activities={"": inputs["activity"]} if inputs["activity"] else {},
        facts={"": inputs["facts"]} if inputs["facts"] else {},
        place=_place(request, inputs["place"]),
    )
    text = json.dumps(inputs["sites"], ensure_ascii=False).encode()
    upload = store(request.user, [Part(safe_name("sites.geojson"), [text])], "api")
    made = new_job(request, replace(asked, source=str(upload.path)), upload=upload)
    answer = JsonResponse(_status(request, made), status=201)
    answer.headers["Location"] = request.build_absolute_uri(f"/jobs/{made.key}")
    return answer


def _inputs(request: HttpRequest) -> dict[str, Any]:
    place = Message("inputs")
    remedy = Message("see {place}", place="/api")
    try:
        inputs = dict(json.loads(request.body)["inputs"])
        sites = inputs["sites"]
        facts = {str(k): str(v)[:80] for k, v in dict(inputs.get("facts") or {}).items()}
        texts = {name: str(inputs.get(name) or "")[:80] for name in ("as_of", "activity", "crs", "place")}
        if not isinstance(sites, dict):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SourceError(place, Message("is not what the process takes"), remedy) from None
    unknown = set(inputs) - {"sites", "facts", "as_of", "activity", "crs", "place"}
    if unknown:
        what = Message("has no '{name}'", name=", ".join(sorted(map(str, unknown)))[:200])
        raise SourceError(place, what, remedy)
    reading = {"crs": texts["crs"]} if texts["crs"] else {}
    return {"sites": sites.get("value", sites) if "type" not in sites else sites, "facts": facts, "reading": reading,
            **texts}  # fmt: skip


def _place(request: HttpRequest, given: str) -> str:
    """Return the city and rule book that a program chooses, if the city offers it."""
    offered = [one["name"] for one in city(request).get("places", [])]
    # Before the city is open nothing is offered; the worker checks the name too.
    if given and offered and given not in offered:
        what = Message("there is no city or rule book '{name}'", name=given)
        remedy = Message("choose one of {names}", names=", ".join(repr(one) for one in offered))
        raise SourceError(Message("inputs"), what, remedy)
    return given


@require_GET
@program
def jobs(request: HttpRequest) -> HttpResponse:
    """Return the jobs that the user may see, the newest first."""
    found = Job.objects.visible_to(request.user).filter(kind__in=SCREENINGS).order_by("-created")[:100]
    return JsonResponse(
        {"jobs": [_status(request, one) for one in found], "links": [_link(request, "/jobs", "self")]}
    )  # fmt: skip


@require_http_methods(["GET", "DELETE"])
@program
def job(request: HttpRequest, key: str) -> HttpResponse:
    """Return the state of a job, or dismiss it."""
    found = find(request, key, *SCREENINGS)
    if request.method == "DELETE":
        if found.owner_id != request.user.pk and not request.user.may(Role.ADMINISTRATOR):
            raise Http404
        log(request, "dismiss", found.key)
        if found.is_open:
            supervisor().cancel(found)
            found = supervisor().wait(found, 5.0)
        else:
            status = _status(request, found) | {"status": "dismissed"}
            remove(found)
            return JsonResponse(status)
    return JsonResponse(_status(request, found))


def _status(request: HttpRequest, one: Job) -> dict[str, Any]:
    place = f"/jobs/{one.key}"
    links = [_link(request, place, "self")]
    if one.state == State.DONE:
        links.append(_link(request, f"{place}/results", "http://www.opengis.net/def/rel/ogc/1.0/results"))
    status = {
        "jobID": one.key,
        "processID": "screen",
        "type": "process",
        "status": _STATUS[State(one.state)],
        "created": one.created.isoformat(),
        "progress": 100 if one.state == State.DONE else 100 * one.done // one.total if one.total else 0,
        "links": links,
    }
    times = {name: at.isoformat() for name in ("started", "finished") if (at := getattr(one, name))}
    message = {"message": one.error_en} if one.error_en else {}
    return status | times | message


@require_GET
@program
def results(request: HttpRequest, key: str) -> HttpResponse:
    """Return links to the results of a job."""
    found = find(request, key, *SCREENINGS)
    if found.is_open:
        return _exception(404, "result-not-ready", "the job has not ended")
    if found.state != State.DONE:
        return _exception(500, "job-failed", found.error_en or found.state)
    names = _OUTPUTS if request.user.edition == "internal" else {"map": _OUTPUTS["map"]}
    links = {
        name: {"href": request.build_absolute_uri(f"/jobs/{found.key}/results/{name}"), "type": kind}
        for name, (_, kind) in names.items()
    }
    return JsonResponse(links)


@require_GET
@program
def result_file(request: HttpRequest, key: str, name: str) -> HttpResponse:
    """Return one result of a job; it is written when it is first asked for."""
    found = find(request, key, *SCREENINGS)
    edition = request.user.edition
    if name not in _OUTPUTS or found.state != State.DONE or (edition == "public" and name != "map"):
        raise Http404
    asked = Request("files", str(found.folder), formats=(_OUTPUTS[name][0],), language="zh", edition=edition)
    path = files_folder(asked) / FORMATS[asked.formats[0]].file_name
    if not path.is_file():
        error = supervisor().ask(asked, 300.0)
        if error is not None:
            return _exception(500, "job-failed", error["en"])
    return sent(path, path.name)


_TEXT = {"type": "string"}
_DESCRIPTION: dict[str, Any] = {
    "id": "screen",
    "title": "Screen sites",
    "description": "Checks sites against every rule of the city that is in force on a date.",
    "version": lzgis.__version__,
    "jobControlOptions": ["async-execute", "dismiss"],
    "outputTransmission": ["reference"],
    "inputs": {
        "sites": {
            "title": "Sites",
            "description": "A GeoJSON feature collection in longitude and latitude; properties as the columns of a file.",
            "schema": {"type": "object", "contentMediaType": "application/geo+json"},
        },
        "as_of": {"title": "Date whose rules apply", "minOccurs": 0, "schema": {"type": "string", "format": "date"}},
        "activity": {"title": "Activity of the sites that give none", "minOccurs": 0, "schema": _TEXT},
        "facts": {"title": "Facts that sites do not declare", "minOccurs": 0, "schema": {"type": "object"}},
        "place": {
            "title": "City of a region, or another rule book of it; all cities or the usual rule book if not given",
            "minOccurs": 0,
            "schema": _TEXT,
        },
        "crs": {"title": "Reference system, if the collection names none", "minOccurs": 0, "schema": _TEXT},
    },
    "outputs": {
        name: {"title": name, "schema": {"type": "string", "contentMediaType": kind}}
        for name, (_, kind) in _OUTPUTS.items()
    },
}


def _operation(summary: str, *, method: str = "get", body: bool = False, key: bool = False) -> dict[str, Any]:
    one: dict[str, Any] = {
        "summary": summary,
        "responses": {"201" if body else "200": {"description": "done"}, "default": {"description": "an exception"}},
    }
    if key:
        one["parameters"] = [{"name": "jobId", "in": "path", "required": True, "schema": _TEXT}]
    if body:
        schema = {"type": "object", "required": ["inputs"], "properties": {"inputs": {"type": "object"}}}
        one["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {method: one}


_PATHS: dict[str, Any] = {
    "/conformance": _operation("Conformance classes"),
    "/processes": _operation("List of processes"),
    "/processes/screen": _operation("Description of the process"),
    "/processes/screen/execution": _operation("Begin a screening", method="post", body=True),
    "/jobs": _operation("List of jobs"),
    "/jobs/{jobId}": _operation("State of a job", key=True)
    | _operation("Dismiss a job", method="delete", key=True),
    "/jobs/{jobId}/results": _operation("Links to the results", key=True),
}  # fmt: skip


@is_open
@require_GET
def definition(request: HttpRequest) -> HttpResponse:
    """Return the definition of the interface."""
    text = {
        "openapi": "3.0.3",
        "info": {"title": "lzgis", "version": lzgis.__version__, "description": _DESCRIPTION["description"]},
        "servers": [{"url": request.build_absolute_uri("/").rstrip("/")}],
        "security": [{"token": []}],
        "paths": _PATHS,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    return JsonResponse(text, content_type="application/vnd.oai.openapi+json;version=3.0")


@require_GET
def definition_page(request: HttpRequest) -> HttpResponse:
    """Show the definition of the interface."""
    rows = [
        {"path": path, "method": method.upper(), "summary": one["summary"]}
        for path, methods in _PATHS.items()
        for method, one in methods.items()
    ]
    example = json.dumps({"inputs": {"sites": {"type": "FeatureCollection", "features": []}, "as_of": "2026-11-21"}})
    return page(request, "api", rows=rows, inputs=_DESCRIPTION["inputs"], conforms=CONFORMS, example=example)
