"""Accounts: login and lockout, one's own password and tokens, the accounts of others, and the log of changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lzgis.errors import LzgisError
from lzgis.web.access import address_of, is_open, log, needs
from lzgis.web.accounts import create_account, set_password
from lzgis.web.models import LOCAL_USER, Entry, LoginFailure, Role, Token, User
from lzgis.web.pages import LANGUAGE_COOKIE, language_of, page, refusal
from lzgis.words import Words


@is_open
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language."""
    answer = redirect(_back(request, request.POST.get("next", "")))
    chosen = "en" if request.POST.get("language") == "en" else "zh"
    answer.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=365 * 86400, httponly=True, samesite="Lax", secure=settings.LZGIS.is_https
    )
    return answer


def _back(request: HttpRequest, place: str) -> str:
    """Return a place of this server only."""
    allowed = url_has_allowed_host_and_scheme(place, {request.get_host()}, require_https=settings.LZGIS.is_https)
    return place if allowed and place.startswith("/") else reverse("home")


@is_open
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Show the login, or log in."""
    if not request.lzgis_accounts:
        return redirect("home")
    after = request.POST.get("next") or request.GET.get("next", "")
    if request.method == "GET":
        return page(request, "login", next=after)
    name, here = request.POST.get("name", "")[:150], address_of(request)
    if LoginFailure.is_locked(name, here):
        log(request, "locked", name)
        return page(request, "login", 429, next=after, key="login_locked")
    user = authenticate(request, username=name, password=request.POST.get("password", ""))
    if user is None:
        LoginFailure.objects.create(name=name, address=here)
        log(request, "login-failed", name)
        return page(request, "login", 403, next=after, key="login_wrong")
    LoginFailure.objects.filter(name=name).delete()
    login(request, user)
    log(request, "login", name)
    return redirect(_back(request, after))


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Log out."""
    log(request, "logout")
    logout(request)
    return redirect("login")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Show one's own account; change the password, make and delete tokens."""
    values: dict[str, Any] = {"secret": "", "problem": "", "done": ""}
    action = request.POST.get("action", "")
    if action == "token":
        name = request.POST.get("name", "").strip()[:80] or "-"
        values["secret"] = Token.issue(request.user, name)
        log(request, "token", name)
    elif action == "forget":
        number = request.POST.get("token", "")
        Token.objects.filter(owner=request.user, pk=int(number) if number.isdecimal() else -1).delete()
        log(request, "token-deleted", number[:20])
    elif action == "password" and request.lzgis_accounts:
        values |= _changed_password(request)
    return page(request, "account", tokens=request.user.token_set.order_by("-created"), **values)


def _changed_password(request: HttpRequest) -> dict[str, str]:
    words = Words(language_of(request))
    if not request.user.check_password(request.POST.get("old", "")):
        return {"problem": words("web", "login_wrong")}
    try:
        set_password(request.user, request.POST.get("new", ""))
    except LzgisError as error:
        return {"problem": refusal(request, error)}
    update_session_auth_hash(request, request.user)
    log(request, "password")
    return {"done": words("web", "saved")}


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@needs(Role.ADMINISTRATOR)
def everyone(request: HttpRequest) -> HttpResponse:
    """List accounts; make one, change role and department, reset a password, close or open one."""
    problem = ""
    if request.method == "POST":
        if not request.lzgis_accounts:
            # The first administrator is made on the machine itself.
            raise Http404
        try:
            _change(request)
        except LzgisError as error:
            problem = refusal(request, error)
    users = User.objects.exclude(username=LOCAL_USER).order_by("username")
    return page(request, "accounts", 400 if problem else 200, users=users, roles=list(Role), problem=problem)


def _change(request: HttpRequest) -> None:
    post = request.POST
    action, role, department = (post.get(name, "") for name in ("action", "role", "department"))
    if action == "create":
        name = post.get("name", "").strip()
        create_account(name, post.get("password", ""), role=role, department=department)
        log(request, "account-created", name, role)
        return
    number = post.get("user", "")
    user = User.objects.exclude(username=LOCAL_USER).filter(pk=int(number) if number.isdecimal() else -1).first()
    # An administrator cannot close or degrade the own account: one would be left without any.
    if user is None or (user.pk == request.user.pk and action != "password"):
        raise Http404
    if action == "password":
        set_password(user, post.get("password", ""))
    elif action == "role" and role in list(Role):
        user.role, user.department = role, department.strip()[:80]
        user.save()
    elif action in ("close", "open"):
        user.is_active = action == "open"
        user.save()
    log(request, f"account-{action}", user.username, role)


@require_GET
@needs(Role.ADMINISTRATOR)
def entries(request: HttpRequest) -> HttpResponse:
    """Show the log of changes, the newest first."""
    found = Entry.objects.order_by("-at", "-pk")
    word = request.GET.get("q", "").strip()
    if word:
        found = found.filter(user__icontains=word) | found.filter(action__icontains=word)
    listed = Paginator(found, 100).get_page(request.GET.get("page", "1"))
    return page(request, "log", listed=listed, asked=request.GET, now=dt.datetime.now(dt.UTC))
