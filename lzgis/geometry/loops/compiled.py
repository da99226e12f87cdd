"""The decorators of the loops, and the folder in which numba caches what it compiles.

numba caches a compiled function beside its module by default, and compares the age of that module only: a change in a
function that is compiled into it from another module goes unnoticed. The loops are therefore cached in a folder of their own,
which is named after the content of all modules of this package and the versions of numba and llvmlite.

numba unpickles and runs what it finds in a cache, so the folder must be private to the user; see
:mod:`lzgis.files.private_folder`.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.runtime.nrt import rtsys

from lzgis.files.private_folder import create_private, remove_all_but_newest, user_folder
from lzgis.geometry.loops.pipeline import InnerCompiler, only_for_loops, without_literals

Loop = TypeVar("Loop", bound=Callable[..., Any])

#: The package that holds loops.
_PACKAGE = "lzgis.geometry.loops"
#: Folders of other versions that are kept: several environments of one user may share the cache.
_OTHER_VERSIONS = 3
#: The version of numba that `pipeline` was written for, whose parts it replaces. With others compiling takes longer.
_KNOWN_NUMBA = (0, 68)


class LoopCacheWarning(UserWarning):
    """The compiled loops cannot be cached; every process compiles them anew."""


def inner_loop(loop: Loop) -> Loop:
    """Compile a function that other loops call, as a part of each of them; it is not cached by itself.

    It makes no arrays and returns none, so it counts no references to arrays: its caller holds them. Counting, by atomic
    operations, takes longer than the rest of a short loop.
    """
    return _part(loop, _nrt=False)


def inlined_loop(loop: Loop) -> Loop:
    """Compile a function that one other loop calls in one place, into that place.

    It makes and returns no arrays, as with `inner_loop`. A tuple of arrays is handed to a function as a hundred numbers, which
    takes longer than the rest of a short one.
    """
    return _part(loop, _nrt=False, forceinline=True)


def array_loop(loop: Loop) -> Loop:
    """Compile a function that other loops call, and that makes arrays or returns them."""
    return _part(loop)


def _part(loop: Loop, **options: Any) -> Loop:
    if numba.version_info[:2] != _KNOWN_NUMBA:
        return cast(Loop, _njit(**_OPTIONS, **options)(loop))
    compiled: Any = _njit(**_OPTIONS, **options, no_cpython_wrapper=True, pipeline_class=InnerCompiler)(loop)
    if compiled is not loop:
        only_for_loops(compiled)
        without_literals(compiled)
    return cast(Loop, compiled)


def entry_loop(loop: Loop) -> Loop:
    """Compile a function that Python calls, with all that it calls, and cache it on disk."""
    compiled: Any = _njit(**_OPTIONS)(loop)
    # With NUMBA_DISABLE_JIT set, numba returns the function itself.
    if compiled is not loop and cache_folder() is not None:
        compiled._cache = _LoopCache(loop)  # type: ignore[no-untyped-call]
    return cast(Loop, compiled)


#: numba's decorator; its types do not know all of its options.
_njit: Any = numba.njit
#: Loops run without the interpreter's lock. Fast-math is off: sums keep their order, so that results do not depend on the number
#: of threads. No loop is called from C, so none needs an entry for that, which takes time to compile.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


@cache
def fingerprint() -> str:
    """Name the version of the loops: SHA-256 of their source code and of the versions of numba and llvmlite."""
    digest = hashlib.sha256(f"numba {numba.__version__} llvmlite {llvmlite.__version__}".encode())
    modules = [entry for entry in files(_PACKAGE).iterdir() if entry.name.endswith(".py")]
    for module in sorted(modules, key=lambda entry: entry.name):
        digest.update(f"{_PACKAGE}.{module.name}".encode() + b"\0" + module.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def cache_folder() -> Path | None:
    """Return the folder that holds the compiled loops of this version; None if there is none that can be trusted.

    Warns
    -----
    LoopCacheWarning
        If the folder cannot be created, or other users could change what it holds.
    """
    folder = user_folder() / f"loops-{fingerprint()[:16]}"
    try:
        reason = create_private(folder)
    except OSError as error:
        reason = f"it cannot be created ({error.strerror})"
    if reason:
        warnings.warn(
            f"{folder}: {reason}; the loops are compiled in every process. Set LZGIS_CACHE to a folder that only you can "
            "write to.",
            LoopCacheWarning,
            stacklevel=2,
        )
        return None
    return folder


def remove_old_versions(folder: Path) -> None:
    """Remove the compiled loops of versions that have not been used for longest."""
    with suppress(OSError):
        os.utime(folder)
    remove_all_but_newest([one for one in folder.parent.glob("loops-*") if one != folder], _OTHER_VERSIONS)


class _Locator(_CacheLocator):
    """Places the cache of every loop in one folder, whose name stands for the version of all."""

    def __init__(self, loop: Callable[..., Any]) -> None:
        self._line = loop.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return fingerprint()

    def get_disambiguator(self) -> str:
        return str(self._line)


class _Files(CompileResultCacheImpl):
    """Names the files of one loop. Unlike numba's, it looks at no setting that could lead elsewhere."""

    def __init__(self, loop: Callable[..., Any]) -> None:
        self._lineno = loop.__code__.co_firstlineno
        self._locator = _Locator(loop)
        name = f"{loop.__module__}.{loop.__qualname__}"
        self._filename_base = self.get_filename_base(name, "")  # type: ignore[no-untyped-call]


class _LoopCache(FunctionCache):
    """numba's cache of one function, which loads what is there without preparing the compiler."""

    _impl_class = _Files

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load a compiled function; None if it is not there.

        numba would load all that it can compile first, 0.25 s of work. A compiled function only needs numba's functions
        for memory; before anything is compiled, numba itself loads the rest.
        """
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Cache a compiled function; a folder that is full or read-only costs time, not the run."""
        with suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
