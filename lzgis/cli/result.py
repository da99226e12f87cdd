"""Results of a command: what the manifest records of it, its time, and writing its files as one unit."""

from __future__ import annotations

import datetime as dt
import os
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
#: Environment variable with the time of reproducible builds, in seconds since 1970.
_EPOCH = "SOURCE_DATE_EPOCH"


def recorded_command(arguments: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the words of the command line, with secrets replaced by ``***``.

    Examples
    --------
    >>> recorded_command(["screen", "postgis://me:secret@host/db", "--tianditu-key", "abc", "--tianditu-key=abc"])
    ('lzgis', 'screen', 'postgis://me:***@host/db', '--tianditu-key', '***', '--tianditu-key=***')
    """
    from lzgis.reading.addresses import without_secrets

    words: list[str] = []
    for word in sys.argv[1:] if arguments is None else arguments:
        name, equals, _ = word.partition("=")
        if words and words[-1] in _SECRET_OPTIONS:
            words.append(_SECRET)
        elif equals and name in _SECRET_OPTIONS:
            words.append(f"{name}={_SECRET}")
        else:
            words.append(without_secrets(word) if ":" in word else word)
    return ("lzgis", *words)


def made_at(environment: Mapping[str, str] = os.environ) -> dt.datetime:
    """Return the time that results carry: now, or that of the environment variable ``SOURCE_DATE_EPOCH``.

    Raises
    ------
    ConfigError
        If the variable is not a number of seconds.

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


def given_inputs(sites: Path | None, *layers: Path | None, overrides: Path | None = None) -> InputPaths:
    """Return the inputs of a command as the manifest records them; the password of a database is left out."""
    from lzgis.files.manifest import InputPaths
    from lzgis.reading import is_address, shown

    known_as = shown(sites) if sites is not None and is_address(sites) else str(sites or "")
    return InputPaths(
        sites=known_as, layers=os.pathsep.join(str(one) for one in layers if one), overrides=str(overrides or "")
    )


@contextmanager
def result_in(out: Path, name: str, provenance: Mapping[str, Any], given: InputPaths | None = None) -> Iterator[Stage]:
    """Write the files of a command in a folder beside `out`, and move them into `out` as one unit.

    Parameters
    ----------
    out : Path
        The folder of results.
    name : str
        The name of the result in the manifest of the folder.
    provenance : mapping
        Where the result comes from.
    given : InputPaths, optional
        The inputs as they were given.

    Raises
    ------
    ExportError
        If another process is writing to `out`, or a file cannot be written. `out` is then unchanged.
    """
    from lzgis.files.manifest import InputPaths, Result
    from lzgis.files.result_folder import locked_folder, new_result

    with locked_folder(out) as place, new_result(place, name) as stage:
        yield stage
        recorded = dict(provenance)
        stage.result = Result(
            made_at=str(recorded.get("made_at") or made_at().isoformat()),
            command=list(recorded_command()),
            given=given or InputPaths(),
            provenance=recorded,
        )
