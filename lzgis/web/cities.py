"""Versions of the city: which one is in force, what a proposal is made from, approval and the way back."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lzgis.city.catalogue import CATALOGUE_FILE
from lzgis.city.reference import city_or_reference
from lzgis.city.region import is_region
from lzgis.config import load_toml
from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.web.models import LOCAL_USER, CityVersion, Job, Role, Standing, User
from lzgis.web.pages import supervisor
from lzgis.web.region_versions import files_below, parts_of_region, state_of_region

#: How many of the newest screenings are judged by a proposed version.
JUDGED = 50


def folder_in_force() -> Path:
    """Return the folder of the city that the workers have open."""
    current = CityVersion.current()
    return current.folder if current else city_or_reference(settings.LZGIS.layers)


def base_version(user: User) -> CityVersion:
    """Return the version that a proposal is made from: the one in force, or one made of the folder of the server."""
    current = CityVersion.current()
    if current is not None:
        return current
    for one in CityVersion.objects.filter(part="").order_by("-pk"):
        if not one.folder.exists() or _state(one.folder) == _state(folder_in_force()):
            found: CityVersion = one
            return found
    made: CityVersion = CityVersion.objects.create(
        standing=Standing.APPROVED, proposed_by=user.username, decided_by=user.username, decided=timezone.now()
    )
    return made


def _state(folder: Path) -> list[tuple[str, int, int]]:
    return state_of_region(folder) if is_region(folder) else files_below(folder)


def parts_of_city() -> list[tuple[str, str]]:
    """Return what a new version can be given of: the id and title of each layer, and for a region of each rule book."""
    if is_region(folder_in_force()):
        return parts_of_region(folder_in_force())
    layers = load_toml(folder_in_force() / CATALOGUE_FILE).get("layer", {})
    return [(name, str(one.get("title", name))) for name, one in layers.items()]


def may_decide(user: User, version: CityVersion) -> bool:
    """Return whether a user may approve or refuse a proposal: a reviewer other than the one who made it.

    Without accounts there is no second person, and the one user decides.
    """
    if version.standing != Standing.PROPOSED or not user.may(Role.REVIEWER):
        return False
    return bool(user.username == LOCAL_USER or user.username != version.proposed_by)


def approve(version: CityVersion, user: User) -> None:
    """Put a proposed version in force.

    Raises
    ------
    ConfigError
        If its comparison is not done, or another version came into force since it was made.
    """
    current = CityVersion.current()
    place = Message("version {number}", number=version.pk)
    if version.job is None or version.job.state != "done" or not version.folder.exists():
        raise ConfigError(place, Message("has not been compared yet"), Message("wait until that is done"))
    if current is not None and version.base_id != current.pk:
        what = Message(
            "was made from version {old}, and version {new} is in force", old=version.base_id, new=current.pk
        )
        raise ConfigError(place, what, Message("propose the file again"))
    if current is None and _state(version.base.folder) != _state(folder_in_force()):
        what = Message("the folder of the city has changed since this was made")
        raise ConfigError(place, what, Message("propose the file again"))
    version.standing, version.decided_by, version.decided = Standing.APPROVED, user.username, timezone.now()
    version.save()
    put_in_force(version)


def put_in_force(version: CityVersion) -> None:
    """Have the workers open an approved version; that is how an earlier one comes back, too.

    Raises
    ------
    ConfigError
        If its folder is not there.
    """
    if version.standing != Standing.APPROVED or not version.folder.exists():
        place = Message("version {number}", number=version.pk)
        raise ConfigError(place, Message("cannot be used"), Message("choose an approved version"))
    with transaction.atomic():
        CityVersion.objects.filter(in_force=True).update(in_force=False)
        CityVersion.objects.filter(pk=version.pk).update(in_force=True)
    supervisor().use_city(version.folder)


def judged_screenings() -> tuple[list[Job], int]:
    """Return the newest screenings, whose verdicts a proposal may change, and how many older ones there are."""
    found = Job.objects.filter(kind__in=("screen", "recheck"), state="done").exclude(result_json__contains='"large"')
    return list(found.order_by("-created")[:JUDGED]), max(found.count() - JUDGED, 0)
