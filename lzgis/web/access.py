"""Who may do what: the user of a request, the role that a page needs, and the log of changes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from lzgis.web.models import LOCAL_USER, Entry, Role, User

View = Callable[..., HttpResponse]


def has_accounts() -> bool:
    """Return whether the page has accounts, and so asks for a login."""
    return bool(User.objects.exclude(username=LOCAL_USER).exists())


def local_user() -> User:
    """Return the one user of a page without accounts."""
    user, made = User.objects.get_or_create(username=LOCAL_USER, defaults={"role": Role.ADMINISTRATOR})
    if made:
        user.set_unusable_password()
        user.save()
    found: User = user
    return found


def is_open(view: View) -> View:
    """Mark a view that needs no login."""
    view.lzgis_open = True  # type: ignore[attr-defined]
    return view


class Access:
    """Gives every request its user, and asks for a login where there are accounts."""

    def __init__(self, get_response: View) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        request.lzgis_accounts = has_accounts()
        if not request.lzgis_accounts:
            request.user = local_user()
        return self._next(request)

    def process_view(self, request: HttpRequest, view: View, _: Any, __: Any) -> HttpResponse | None:
        """Send a request without a user to the login."""
        if getattr(view, "lzgis_open", False) or request.user.is_authenticated:
            return None
        place = f"{reverse('login')}?next={quote(request.get_full_path())}"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": place})
        return HttpResponseRedirect(place)


def needs(role: str) -> Callable[[View], View]:
    """Return a decorator for views that only users of a role, or a higher one, may see."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
            if not request.user.may(role):
                raise PermissionDenied
            return view(request, *given, **named)

        return guarded

    return around


def log(request: HttpRequest, action: str, subject: str = "", detail: str = "") -> None:
    """Add an entry to the log of changes."""
    user = request.user.username if getattr(request, "user", None) and request.user.is_authenticated else ""
    Entry.objects.create(
        user=user, address=address_of(request), action=action, subject=subject[:200], detail=detail[:500]
    )


def address_of(request: HttpRequest) -> str:
    """Return the address that a request comes from; the one that the proxy states, if there is a proxy."""
    here = str(request.META.get("REMOTE_ADDR", ""))
    if settings.LZGIS.address:
        return str(request.META.get("HTTP_X_FORWARDED_FOR", here)).rpartition(",")[2].strip()[:64]
    return here[:64]
