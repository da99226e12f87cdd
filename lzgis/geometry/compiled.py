"""Loops compiled by numba where it is installed.

numba is imported when the first loop is called, not before: whoever only maps a kept index, or has the loops as machine
code (`lzgis.geometry.machine`), never pays for it. Without numba the loops stay plain Python: right, but slow; the public
functions then go by way of shapely.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast

from lzgis.geometry.calls import UnfitError

P = ParamSpec("P")
R = TypeVar("R")


@cache
def available() -> bool:
    """Tell whether numba is installed, without importing it."""
    return find_spec("numba") is not None


@cache
def warm() -> bool:
    """Tell whether loops compiled from this very code lie where numba keeps them, without importing it.

    Where it keeps them elsewhere, as for a package it may not write to, they count as not there.
    """
    named = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(named) if named else Path(__file__).parent / "__pycache__"
    # An index names the code that it was made from, as `_dispatcher` sets it.
    return any(sources().encode() in path.read_bytes() for path in folder.rglob("*.nbi"))


#: Where to look for machine code before numba is asked.
_places: list[Callable[[], object]] = []


class _Waiting(Generic[P, R]):
    """A loop that is compiled, with all that wait like it, when one of them is first called."""

    def __init__(self, loop: Callable[P, R]) -> None:
        self.loop = loop
        self.__wrapped__ = loop
        self.__doc__ = loop.__doc__
        self.__name__ = loop.__name__
        self.__module__ = loop.__module__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return _ready(self)(*args, **kwargs)


class _Kept(_Waiting[P, R]):
    """A loop that is there as machine code; what that was not made for is left to numba."""

    def __init__(self, loop: Callable[P, R], call: Callable[..., R]) -> None:
        super().__init__(loop)
        self.call = call

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return self.call(*args, **kwargs)
        except UnfitError:
            return _ready(self)(*args, **kwargs)


def put_in_place(calls: Mapping[str, Callable[..., Any]]) -> None:
    """Let loops be called as machine code, wherever a module of this floor names them.

    Parameters
    ----------
    calls : mapping of callable
        The loops by module and name, as ``lzgis.geometry.cells.cut``.
    """
    kept: dict[Any, Any] = {}
    for name, call in calls.items():
        home, _, own = name.rpartition(".")
        loop = _plain(getattr(import_module(home), own))
        kept[loop] = _Kept(loop, call)
    _replace(lambda value: kept.get(_plain(value), value))


def in_place() -> bool:
    """Tell whether loops are called as machine code."""
    first = sys.modules.get(f"{__package__}.segments")
    return isinstance(getattr(first, "segments", None), _Kept)


def compiled(loop: Callable[P, R]) -> Callable[P, R]:
    """Compile a function of arrays and numbers, kept on disk between runs, free of the interpreter's lock.

    No fast-math: sums keep their order, so that answers are the same bytes whatever the number of threads.
    """
    if not available():
        return loop
    return _Waiting(loop)


def look_first(place: Callable[[], object]) -> None:
    """Have `place` called, once, before numba is asked for the first loop: it may put machine code in place by then.

    Parameters
    ----------
    place : callable
        Looks where machine code is kept, and calls `put_in_place` if there is some.
    """
    _places[:] = [place]


def _ready(waiting: _Waiting[P, R]) -> Callable[P, R]:
    if _places:
        _places.pop()()
        put = getattr(sys.modules[waiting.__module__], waiting.__name__, waiting)
        if isinstance(put, _Kept) and put is not waiting:
            return put
    _all_ready()
    return cast(Callable[P, R], _dispatcher(waiting.loop))


def _all_ready() -> None:
    """Put what is compiled in the place of what waits, wherever a module of this floor names it."""
    _replace(lambda value: _dispatcher(value.loop) if isinstance(value, _Waiting) else value)


def _replace(other: Callable[[Any], Any]) -> None:
    """Put something else in the place of loops, wherever a module of this floor names them."""
    modules = [m for name, m in sorted(sys.modules.items()) if name.startswith(f"{__package__}.")]
    for module in modules:
        for name, value in list(vars(module).items()):
            if callable(value) and other(value) is not value:
                setattr(module, name, other(value))


def _plain(value: Any) -> Any:
    """Return a loop as it was written, whatever stands in its place."""
    return value.loop if isinstance(value, _Waiting) else getattr(value, "py_func", value)


def fresh(loop: Callable[..., Any]) -> Any:
    """Return numba's dispatcher of a loop, with nothing compiled yet and nothing kept on disk."""
    import numba

    _all_ready()
    return numba.njit(nogil=True, error_model="numpy")(_plain(loop))


@cache
def _dispatcher(loop: Callable[..., Any]) -> Any:
    import numba

    made = numba.njit(cache=True, nogil=True, error_model="numpy")(loop)
    # numba looks at the age of the loop's own module only; what it calls in others is compiled into it too.
    kept: Any = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):
        kept._source_stamp = sources()
    return made


@cache
def sources() -> str:
    """Return the SHA-256 of all modules that may hold loops: the version of the code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
