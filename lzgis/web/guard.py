"""The first middleware: only requests of the page itself are answered, and every answer carries a strict policy."""

from __future__ import annotations

import errno
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

#: What a page may load: files of this server, and nothing inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: For documents made of users' data, as maps: they have no origin, so that they can reach nothing of the page.
SANDBOX = "sandbox allow-scripts allow-popups allow-modals; frame-ancestors 'self'"
_SAFE = ("GET", "HEAD", "OPTIONS")


class Guard:
    """Checks Host, Origin and where a request comes from, and adds the headers of security."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request, or refuse it."""
        fault = _fault(request)
        answer = HttpResponse(fault, status=400, content_type="text/plain") if fault else self._next(request)
        answer.headers.setdefault("Content-Security-Policy", POLICY.replace("img-src", f"img-src{_tiles()}"))
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        answer.headers.setdefault("Cache-Control", "no-store")
        if settings.LZGIS.is_https:
            answer.headers["Strict-Transport-Security"] = "max-age=31536000"
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say that the disk is full, if that is why a request failed."""
        if not is_full(error):
            return None
        from lzgis.web.views.errors import full

        return full(request)


def _tiles() -> str:
    """Return the origin of the map below the layers, if it is on another server."""
    parts = urlsplit(settings.LZGIS.bounds.base_map)
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""


def is_full(error: BaseException) -> bool:
    """Return whether an error says that the disk is full."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or (isinstance(error, DatabaseError) and "disk" in str(error))


def _fault(request: HttpRequest) -> str:
    """Return why a request is refused, or nothing."""
    options = settings.LZGIS
    # A page of another name that resolves to this computer sends its own name here.
    if request.META.get("HTTP_HOST", "").lower() not in options.hosts:
        return "Host: not this server"
    origin = request.META.get("HTTP_ORIGIN", "").lower()
    if origin and origin.partition("://")[2] not in options.hosts:
        return "Origin: not this server"
    if options.is_https and origin and not origin.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        return "Origin: not encrypted"
    site, mode = (request.META.get(f"HTTP_SEC_FETCH_{one}", "") for one in ("SITE", "MODE"))
    if site in ("cross-site", "same-site") and (request.method not in _SAFE or mode != "navigate"):
        return "Sec-Fetch-Site: another site"
    return ""
