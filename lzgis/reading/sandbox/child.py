"""The process that opens untrusted files: ``python -m lzgis.reading.sandbox.child FOLDER…``.

Each folder holds a request; the process writes the result or an error there. It is started by
:mod:`lzgis.reading.sandbox.parent`, which continues if this process crashes.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from pathlib import Path

from lzgis.errors import LzgisError, SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.addresses import shown
from lzgis.reading.base import Read, ReadOptions
from lzgis.reading.readers import read_vector
from lzgis.reading.sandbox.exchange import pack, pack_error
from lzgis.reading.sandbox.limits import limit_this_process, too_much_memory
from lzgis.reading.sandbox.request import ANSWER, COUNTED, DRAFT, ERROR, read_request

#: At most so many warnings of the libraries are reported.
_WARNINGS = 20


def main(folders: list[Path]) -> int:
    """Process the request in each folder; return 0 when all of them hold a result or an error, 1 if memory ran out."""
    for folder in folders:
        path, options, memory_bytes, most = read_request(folder)
        if folder is folders[0]:
            limit_this_process(memory_bytes, options.network)
        failure: LzgisError
        try:
            long = None if most is None else _first_of_more(path, options, most)
            if long is None:
                (folder / COUNTED).touch()
            pack(long or read_with_warnings(path, options), folder / DRAFT)
            (folder / DRAFT).replace(folder / ANSWER)
            continue
        except LzgisError as error:
            failure = error
        except MemoryError:
            if folder is not folders[0]:
                # Others were read before: without an answer it is read again in a process of its own.
                return 1
            failure = too_much_memory(shown(path), memory_bytes)
        except RecursionError:
            what = Message("is nested too deeply")
            failure = SourceError(shown(path), what, Message("save it again as GeoPackage"))
        except Exception as error:
            # What was read from a broken file may not be serialisable: invalid text, invalid times.
            what = Message("cannot be read ({first})", first=library_message(_short(error)))
            failure = SourceError(shown(path), what, Message("save it again as GeoPackage"))
        (folder / ERROR).write_text(pack_error(failure), "ascii")
    return 0


def _first_of_more(path: str, options: ReadOptions, most: int) -> Read | None:
    """Read the first row of a file that has more than `most`; None if it has not, or if they cannot be counted."""
    try:
        first = read_with_warnings(path, replace(options, rows=(0, 1)))
    except LzgisError:
        return None
    return first if first.total is not None and first.total > most else None


def read_with_warnings(path: str, options: ReadOptions) -> Read:
    """Read a file, and report warnings of the libraries as problems.

    Raises
    ------
    SourceError
        If it cannot be read, for any error of the libraries.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            read = read_vector(path, options=options)
        except (LzgisError, MemoryError, RecursionError):
            raise
        except Exception as error:
            # Libraries raise errors of any kind for broken files; for the user it is a file that cannot be read.
            what = Message("cannot be read ({first})", first=library_message(_short(error)))
            raise SourceError(shown(path), what, Message("save it again as GeoPackage")) from error
    texts = dict.fromkeys(
        _short(one.message) for one in caught if issubclass(one.category, RuntimeWarning | UserWarning)
    )
    remedy = Message("look whether all of it was read")
    more = tuple(
        Problem(
            "warning", Path(shown(path)).name, Message("the reader says: {text}", text=library_message(text)), remedy
        )
        for text in list(texts)[:_WARNINGS]
    )
    return replace(read, problems=(*read.problems, *more))


def _short(message: object) -> str:
    text = " ".join(str(message).split()) or type(message).__name__
    return text if len(text) <= 300 else text[:300] + "…"


if __name__ == "__main__":
    sys.exit(main([Path(name) for name in sys.argv[1:]]))
