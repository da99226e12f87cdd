"""Accounts: made on the machine itself or by an administrator, with checked passwords."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.web.models import LOCAL_USER, Entry, Role, User


def create_account(name: str, password: str, *, role: str = Role.PLANNER, department: str = "") -> User:
    """Make an account.

    Raises
    ------
    ConfigError
        If the name is taken or not allowed, there is no such role, or the password is too weak.
    """
    place = Message("account '{name}'", name=name)
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        what = Message("the name is not allowed")
        raise ConfigError(place, what, Message("use letters, digits and the signs @.+-_ only")) from None
    if name == LOCAL_USER or User.objects.filter(username=name).exists():
        raise ConfigError(place, Message("the name is taken"), Message("choose another name"))
    if role not in list(Role):
        what = Message("there is no role '{role}'", role=role)
        raise ConfigError(place, what, Message("use one of {known}", known=", ".join(Role)))
    user = User(username=name, role=role, department=department.strip()[:80])
    set_password(user, password)
    return user


def set_password(user: User, password: str) -> None:
    """Give an account a password, which ends its sessions.

    Raises
    ------
    ConfigError
        If the password is too weak.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        place = Message("account '{name}'", name=user.username)
        what = Message("the password is too weak ({why})", why=", ".join(str(one.code) for one in error.error_list))
        raise ConfigError(place, what, Message("use at least 10 characters that are no common word")) from None
    user.set_password(password)
    user.save()


def create_administrator(name: str, password: str) -> User:
    """Make an administrator from the machine itself, and log it."""
    user = create_account(name, password, role=Role.ADMINISTRATOR)
    Entry.objects.create(user="", action="createadmin", subject=name)
    return user
