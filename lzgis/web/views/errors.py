"""Pages for requests that cannot be answered."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from lzgis.web.access import is_open
from lzgis.web.pages import page


@is_open
def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Say that a request is not understood."""
    return page(request, "error", 400, key="error_request")


@is_open
def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Say that the account may not do this."""
    return page(request, "error", 403, key="error_forbidden")


@is_open
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form was not one of this page, or has expired."""
    return page(request, "error", 403, key="error_csrf")


@is_open
def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """Say that there is nothing here."""
    return page(request, "error", 404, key="error_found")


@is_open
def server_error(request: HttpRequest) -> HttpResponse:
    """Say that the program has a fault."""
    return page(request, "error", 500, key="error_server")


@is_open
def full(request: HttpRequest) -> HttpResponse:
    """Say that the disk is full."""
    return page(request, "error", 507, key="full")
