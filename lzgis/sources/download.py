"""A file fetched from an address that the user gave and allowed; within limits of size and time."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.sources.addresses import shown
from lzgis.sources.base import Read, ReadOptions
from lzgis.sources.table import READERS, read_file
from lzgis.sources.working_copy import working_copy

MOST_BYTES = 500_000_000
MOST_SECONDS = 120.0
_CHUNK = 1 << 16


def read_download(address: str, options: ReadOptions) -> Read:
    """Fetch a file and read it.

    Raises
    ------
    SourceError
        If the network was not allowed, there is no reader for the file, or it cannot be fetched.
    """
    place = shown(address)
    if options.network != "allowed":
        raise SourceError(
            place,
            Message("is on the network, which is not used unasked"),
            Message("fetch the file yourself, or use --allow-network"),
        )
    name = PurePosixPath(unquote(urlsplit(address).path)).name
    # Nothing of what an address says may become a path.
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in READERS or suffix == ".gdb":
        raise SourceError(
            place,
            Message("files that end in '{suffix}' are not read", suffix=suffix),
            Message("allowed: {known}", known=" ".join(s for s in READERS if s != ".gdb")),
        )
    with working_copy(place) as copy:
        file = copy.folder / f"fetched{suffix}"
        _fetch(address, file, place)
        read = copy.retold(read_file(file, replace(options, where={})))
    return replace(read, name=place)


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follow a redirection to another address of the web, and to nothing else."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.URLError("redirected to something that is no web address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(address: str, file: Path, place: str) -> None:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _OnlyWeb(),
    ):
        opener.add_handler(handler)
    end = time.monotonic() + MOST_SECONDS
    try:
        with opener.open(address, timeout=30) as answer, file.open("xb") as out:
            _copy(answer, out, end)
    except (OSError, HTTPException, ValueError) as error:
        raise SourceError(
            place,
            Message("cannot be fetched ({error})", error=error),
            Message("fetch the file yourself and give its path"),
        ) from error


def _copy(answer: HTTPResponse, out, end: float) -> None:  # type: ignore[no-untyped-def]
    size = 0
    while piece := answer.read(_CHUNK):
        size += len(piece)
        out.write(piece)
        if size > MOST_BYTES:
            raise OSError(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > end:
            raise OSError(f"more than {MOST_SECONDS:g} seconds")
