"""Downloads from an address that the user gave and allowed, with limits of size and time."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.reading.addresses import shown
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.readers import READERS, read_file
from lzgis.reading.sandbox.working_copy import working_copy

MOST_BYTES = 500_000_000
MOST_SECONDS = 120
_CHUNK = 1 << 16
_FETCH_YOURSELF = Message("fetch the file yourself and give its path")


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
            Message("is on the network, which is not used without permission"),
            Message("fetch the file yourself, or use --allow-network"),
        )
    name = PurePosixPath(unquote(urlsplit(address).path)).name
    # No part of an address may become part of a path.
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in READERS or suffix == ".gdb":
        raise SourceError(
            place,
            Message("files that end in '{suffix}' are not read", suffix=suffix),
            Message("allowed: {known}", known=" ".join(s for s in READERS if s != ".gdb")),
        )
    with working_copy(place, f"fetched{suffix}") as copy:
        _fetch(address, copy.file, place)
        read = copy.reword_read(read_file(copy.file, replace(options, where={})))
    return replace(read, name=place)


def _fetch(address: str, file: Path, place: str) -> None:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPRedirectHandler(),
        # Without it, a redirection to an address of another scheme would return nothing.
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    end = time.monotonic() + MOST_SECONDS
    try:
        with opener.open(address, timeout=30) as answer, file.open("xb") as out:
            size = 0
            while (piece := answer.read(_CHUNK)) and size <= MOST_BYTES and time.monotonic() < end:
                out.write(piece)
                size += len(piece)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise SourceError(
            place, Message("cannot be fetched ({error})", error=library_message(error)), _FETCH_YOURSELF
        ) from None
    if size > MOST_BYTES:
        raise SourceError(place, Message("is larger than {count} bytes", count=MOST_BYTES), _FETCH_YOURSELF)
    if piece:
        what = Message("takes longer than {count} seconds to fetch", count=MOST_SECONDS)
        raise SourceError(place, what, _FETCH_YOURSELF)
