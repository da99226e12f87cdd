"""The tables: accounts, uploads, jobs, versions of the city, documents, comments, tokens, failed logins, the log."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone

from lzgis.web.options import CITIES, DOCUMENTS, JOBS, UPLOADS
from lzgis.web.requests import Request

#: The user of a page without accounts.
LOCAL_USER = "local"


def new_key() -> str:
    """Return a key that cannot be guessed; it names a row in addresses and its folder on the disk."""
    return secrets.token_hex(16)


def _choices(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(str(one), str(one)) for one in values]


class Role(StrEnum):
    """What a user may do; each may do what those before it may."""

    VIEWER = "viewer"
    PLANNER = "planner"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"

    @property
    def rank(self) -> int:
        """0 for the one that may do least."""
        return list(Role).index(self)


class User(AbstractUser):
    """An account."""

    role = models.CharField(max_length=16, choices=_choices(Role), default=Role.VIEWER)
    department = models.CharField(max_length=80, blank=True, default="")

    def may(self, role: str) -> bool:
        """Return whether the account may do what `role` may."""
        return bool(self.is_active) and Role(self.role).rank >= Role(role).rank

    @property
    def edition(self) -> str:
        """The edition of answers that the account sees."""
        return "internal" if self.may(Role.PLANNER) else "public"


class Upload(models.Model):
    """Something that a user gave: its files are in a folder named by the key."""

    key = models.CharField(primary_key=True, max_length=32, default=new_key, editable=False)
    owner = models.ForeignKey(User, models.CASCADE)
    name = models.CharField(max_length=200)
    how = models.CharField(max_length=8)
    size_bytes = models.BigIntegerField(default=0)
    created = models.DateTimeField(default=timezone.now)

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return Path(settings.LZGIS.data) / UPLOADS / str(self.key)

    @property
    def path(self) -> Path:
        """The file that is read."""
        return self.folder / str(self.name)


class State(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


OPEN_STATES = (State.QUEUED, State.RUNNING)


class Turn(IntEnum):
    """How long a job is expected to take; what is short comes first."""

    QUICK = 0
    SHORT = 1
    FILES = 2
    LONG = 3


#: After each such time (s) of waiting, a job comes as early as one that is a class shorter.
PROMOTED_S = 60.0


class Jobs(models.QuerySet):
    """Jobs, and those that a user may see."""

    def visible_to(self, user: User) -> Jobs:
        """Return the user's own jobs and those of the department; an administrator sees all."""
        if user.may(Role.ADMINISTRATOR):
            return self
        own = models.Q(owner=user)
        found: Jobs = self.filter(own | models.Q(department=user.department) if user.department else own)
        return found


class Job(models.Model):
    """Something that a worker does. Its folder, named by the key, holds the answers."""

    key = models.CharField(primary_key=True, max_length=32, default=new_key, editable=False)
    kind = models.CharField(max_length=8)
    owner = models.ForeignKey(User, models.CASCADE)
    department = models.CharField(max_length=80, blank=True, default="")
    upload = models.ForeignKey(Upload, models.CASCADE, null=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    state = models.CharField(max_length=12, choices=_choices(State), default=State.QUEUED, db_index=True)
    turn = models.IntegerField(default=Turn.SHORT)
    step = models.CharField(max_length=20, blank=True, default="")
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    request_json = models.TextField(default="{}")
    result_json = models.TextField(default="{}")
    error_zh = models.TextField(blank=True, default="")
    error_en = models.TextField(blank=True, default="")
    title = models.CharField(max_length=200, blank=True, default="")
    tags = models.CharField(max_length=200, blank=True, default="")
    search = models.TextField(blank=True, default="")
    basis = models.CharField(max_length=64, blank=True, default="")
    created = models.DateTimeField(default=timezone.now, db_index=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)

    objects = Jobs.as_manager()

    @property
    def folder(self) -> Path:
        """The folder of the answers."""
        return Path(settings.LZGIS.data) / JOBS / str(self.key)

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN_STATES

    @property
    def request(self) -> Request:
        """What was requested."""
        return Request.from_json(str(self.request_json))

    @property
    def result(self) -> dict[str, Any]:
        """The short result; empty until it is done."""
        found: dict[str, Any] = json.loads(str(self.result_json))
        return found

    @property
    def ahead(self) -> int:
        """How many jobs wait before this one."""
        order = waiting_order()
        return order.index(self.key) if self.key in order else 0

    @property
    def poll_ms(self) -> int:
        """After how many milliseconds a page asks again: seldom while many jobs come first, as each question costs time."""
        return min(350 + 200 * self.ahead, 3_000) if self.state == State.QUEUED else 350

    def error(self, language: str) -> str:
        """Return why it failed, in a language."""
        return str(self.error_en if language == "en" else self.error_zh)


def waiting_order(most: Turn = Turn.LONG) -> list[str]:
    """Return the keys of the jobs that wait, in the order in which they are done.

    What is short comes first, and who waits long comes earlier. Among jobs of the same length the users take turns, so that
    one who gives many does not keep the others waiting.
    """
    waiting = Job.objects.filter(state=State.QUEUED, turn__lte=most).order_by("created")
    busy = Counter(Job.objects.filter(state=State.RUNNING).values_list("owner_id", flat=True))
    now, places = timezone.now(), []
    for key, turn, owner, created in waiting.values_list("key", "turn", "owner_id", "created"):
        promoted = int((now - created).total_seconds() / PROMOTED_S)
        places.append((max(turn - promoted, 0), busy[owner], created, key))
        busy[owner] += 1
    return [key for *_, key in sorted(places)]


class Standing(StrEnum):
    """Whether a version of the city may be used."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


class CityVersion(models.Model):
    """A version of the city: a folder of its own that is never changed. One approved version is in force."""

    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    base = models.ForeignKey("self", models.PROTECT, null=True)
    part = models.CharField(max_length=80, blank=True, default="")
    file_name = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=1000, blank=True, default="")
    standing = models.CharField(max_length=12, choices=_choices(Standing), default=Standing.PROPOSED)
    in_force = models.BooleanField(default=False)
    job = models.OneToOneField(Job, models.SET_NULL, null=True)
    proposed_by = models.CharField(max_length=150)
    proposed = models.DateTimeField(default=timezone.now)
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided = models.DateTimeField(null=True)

    @property
    def folder(self) -> Path:
        """The folder of the city."""
        return Path(settings.LZGIS.data) / CITIES / str(self.key)

    @classmethod
    def current(cls) -> CityVersion | None:
        """Return the version in force; None while the city is the folder that the server was started with."""
        found: CityVersion | None = cls.objects.filter(in_force=True).first()
        return found


class Document(models.Model):
    """An entry of the register of documents: a report as it was issued, under a number that is used once."""

    number = models.CharField(max_length=40, unique=True)
    year = models.IntegerField()
    ordinal = models.IntegerField()
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="documents")
    writing = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="document")
    department = models.CharField(max_length=80, blank=True, default="")
    title = models.CharField(max_length=200)
    verdicts = models.CharField(max_length=80, blank=True, default="")
    as_of = models.CharField(max_length=10, blank=True, default="")
    issued_by = models.CharField(max_length=150)
    issued = models.DateTimeField(default=timezone.now)
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")
    reason = models.CharField(max_length=1000, blank=True, default="")
    file_name = models.CharField(max_length=200, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        """A number within a year is used once."""

        constraints = (models.UniqueConstraint(fields=("year", "ordinal"), name="document_ordinal"),)

    @property
    def folder(self) -> Path:
        """The folder of its file."""
        return Path(settings.LZGIS.data) / DOCUMENTS / str(self.number)


class Comment(models.Model):
    """What a user wrote about a screening."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, models.CASCADE)
    text = models.CharField(max_length=2000)
    created = models.DateTimeField(default=timezone.now)


class Token(models.Model):
    """A token of a program. Only its digest is stored."""

    owner = models.ForeignKey(User, models.CASCADE)
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now)
    used = models.DateTimeField(null=True)

    @staticmethod
    def digest_of(secret: str) -> str:
        """Return what is stored of a token."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def issue(cls, owner: User, name: str) -> str:
        """Make a token and return it; it cannot be shown again."""
        secret = f"lzgis_{secrets.token_urlsafe(32)}"
        cls.objects.create(owner=owner, name=name, digest=cls.digest_of(secret))
        return secret


class LoginFailure(models.Model):
    """A login that failed, by name and address."""

    name = models.CharField(max_length=150, db_index=True)
    address = models.CharField(max_length=64, db_index=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    #: How many failures of a name, or of an address, within the period lock it until the period is over.
    MOST_OF_NAME, MOST_OF_ADDRESS = 5, 30
    PERIOD = timedelta(minutes=15)

    @classmethod
    def is_locked(cls, name: str, address: str) -> bool:
        """Return whether logins of a name or from an address are refused."""
        recent = cls.objects.filter(at__gt=timezone.now() - cls.PERIOD)
        of_name = recent.filter(name=name).count() >= cls.MOST_OF_NAME
        return bool(of_name or recent.filter(address=address).count() >= cls.MOST_OF_ADDRESS)


class Entry(models.Model):
    """An entry of the log of changes; it is never changed."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    user = models.CharField(max_length=150)
    address = models.CharField(max_length=64, blank=True, default="")
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True, default="")
    detail = models.CharField(max_length=500, blank=True, default="")
