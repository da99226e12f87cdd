"""Loops compiled by numba where it is installed.

Only the modules that hold loops import this one, and they are imported when first needed: `import lzgis.geometry`
costs nothing of numba. Without numba the loops stay plain Python: right, but slow; the public functions then go by way
of shapely.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar, cast

Loop = TypeVar("Loop", bound=Callable[..., Any])


@cache
def available() -> bool:
    """Tell whether numba is installed, without importing it."""
    return find_spec("numba") is not None


def compiled(loop: Loop) -> Loop:
    """Compile a function of arrays and numbers, kept on disk between runs, free of the interpreter's lock.

    No fast-math: sums keep their order, so that answers are the same bytes whatever the number of threads.
    """
    if not available():
        return loop
    import numba

    compile_: Callable[[Loop], Loop] = cast(Any, numba.njit(cache=True, nogil=True, error_model="numpy"))
    return compile_(loop)
