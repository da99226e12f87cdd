"""What every command that writes a folder has in common: its words, the time of the result, the folder as one unit."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from lzgis.files.manifest import InputPaths
    from lzgis.files.result_folder import Stage

_SECRET_OPTIONS = ("--tianditu-key",)
_SECRET = "***"
# The password in an address such as postgis://user:password@host/database.
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*(?=@)")
#: The agreed way to give a build one time for all that it writes: seconds since 1970.
_EPOCH = "SOURCE_DATE_EPOCH"


def asked(arguments: Sequence[str] | None = None) -> tuple[str, ...]:
    """Give the words of the command line as they were given, with what is secret left out.

    Examples
    --------
    >>> asked(["screen", "postgis://me:secret@host/db", "--tianditu-key", "abc", "--tianditu-key=abc"])
    ('lzgis', 'screen', 'postgis://me:***@host/db', '--tianditu-key', '***', '--tianditu-key=***')
    """
    words: list[str] = []
    for word in sys.argv[1:] if arguments is None else arguments:
        name, equals, _ = word.partition("=")
        if words and words[-1] in _SECRET_OPTIONS:
            words.append(_SECRET)
        elif equals and name in _SECRET_OPTIONS:
            words.append(f"{name}={_SECRET}")
        else:
            words.append(_PASSWORD.sub(rf"\1:{_SECRET}", word))
    return ("lzgis", *words)


def made_at(environment: Mapping[str, str] = os.environ) -> dt.datetime:
    """Give the time that results bear: now, or the one of ``SOURCE_DATE_EPOCH``.

    Raises
    ------
    ConfigError
        If that is no number of seconds.

    Examples
    --------
    >>> made_at({"SOURCE_DATE_EPOCH": "1763683200"}).isoformat()
    '2025-11-21T00:00:00+00:00'
    """
    given = environment.get(_EPOCH, "")
    if not given:
        return dt.datetime.now().astimezone().replace(microsecond=0)
    try:
        return dt.datetime.fromtimestamp(int(given), dt.UTC)
    except (ValueError, OverflowError, OSError):
        what = Message("'{given}' is no number of seconds since 1970", given=given)
        raise ConfigError(_EPOCH, what, Message("write a whole number, or leave it out")) from None


@contextmanager
def result_in(out: Path, name: str, provenance: Mapping[str, Any], given: InputPaths | None = None) -> Iterator[Stage]:
    """Let a command make its files beside `out`, and put them there as one unit under the name of the command.

    Raises
    ------
    ExportError
        If another process is writing there, or a file cannot be written; what was there before is then untouched.
    """
    from lzgis.files.manifest import InputPaths, Result
    from lzgis.files.result_folder import locked_folder, new_result

    with locked_folder(out) as place, new_result(place, name) as stage:
        yield stage
        told = dict(provenance)
        stage.result = Result(
            made_at=str(told.get("made_at") or made_at().isoformat()),
            command=list(asked()),
            given=given or InputPaths(),
            provenance=told,
        )
