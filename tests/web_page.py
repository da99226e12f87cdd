"""The page under test: Django configured once, a database that is emptied, real worker processes on the toy city."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import toy

pytest.importorskip("django", reason="the extra web is not installed")

from lzgis.web.configuration import configure
from lzgis.web.options import Bounds, ServeOptions, data_folder

PORT = 8741
HOST = f"127.0.0.1:{PORT}"
DATA = data_folder(Path(tempfile.mkdtemp()) / "data")
CITY = toy.city(Path(tempfile.mkdtemp()) / "city")
OPTIONS = ServeOptions(
    data=DATA,
    layers=CITY,
    port=PORT,
    workers=1,
    bounds=Bounds(upload_bytes=2_000_000, user_bytes=50_000_000, open_jobs=4, job_s=120.0),
)
configure(OPTIONS)

from django.conf import settings  # noqa: E402 (after the settings)
from django.test import Client  # noqa: E402

# Hashes of passwords are slow on purpose.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

PASSWORD = "correct horse battery"


def client(**options: Any) -> Client:
    """Return a browser without cookies."""
    return Client(HTTP_HOST=HOST, **options)


def logged_in(name: str, role: str, department: str = "") -> Client:
    """Return a browser that is logged in as a new account."""
    from lzgis.web.accounts import create_account

    create_account(name, PASSWORD, role=role, department=department)
    one = client()
    answer = one.post("/login", {"name": name, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return one


def square_text(x: float, y: float, side: float = 100.0, **properties: str) -> str:
    """Return a square, in metres on the plane of the toy city, as GeoJSON."""
    ring = toy.PLANE.unproject([toy.square(x, y, side)])[0].exterior.coords
    feature = {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": [[[a, b] for a, b, *_ in ring]]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


def upload(name: str, content: bytes | str) -> Any:
    """Return a file as a browser sends it."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def content(one: Client, address: str, **options: Any) -> bytes:
    """Return a file that a browser takes."""
    answer = one.get(address, **options)
    assert answer.status_code == 200, address
    try:
        return b"".join(answer.streaming_content)
    finally:
        answer.close()


def job_of(answer: Any) -> Any:
    """Return the job that an answer leads to, when it has ended."""
    from lzgis.web.models import Job
    from lzgis.web.pages import supervisor

    assert answer.status_code == 302, answer.content.decode()[-3000:]
    return supervisor().wait(Job.objects.get(pk=answer.headers["Location"].rsplit("/", 1)[1]), 240.0)


def given(one: Client, text: str, **fields: str) -> Any:
    """Give a file of sites; return its diagnosis."""
    return job_of(one.post("/give/file", {"files": upload("sites.geojson", text), **fields}))


def screened(one: Client, text: str, **fields: str) -> Any:
    """Give a file of sites, answer every question, and have it screened; return the job."""
    check = given(one, text)
    assert check.state == "done", check.error_en
    from lzgis.web.pages import answer

    found = answer(check.folder, "diagnosis", "zh")
    said = {f"assumed-{n}": "yes" for n in range(len(found["assumed"]))}
    return job_of(one.post(f"/check/{check.key}/screen", said | {"as_of": toy.AS_OF, "activity": "housing"} | fields))
