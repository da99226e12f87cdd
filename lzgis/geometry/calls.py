"""Calling a loop that lies in memory as machine code: arrays and numbers in, arrays and numbers out, as numba would.

What numba compiles takes each array apart into words of 8 bytes (owner, parent, size, size of an item, address, shape,
strides), tuples into their parts one after the other; what it gives back is laid out likewise, at an address given to it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np

#: Words of an array before its shape, and where among them its owner and its address stand.
_BEFORE, _OWNER, _ADDRESS = 5, 0, 4


class UnfitError(Exception):
    """A loop was given what its machine code was not made for, or it found fault with what it was given."""


@dataclass(frozen=True)
class Number:
    """A number: ``int64`` or ``float64``."""

    kind: str


@dataclass(frozen=True)
class Array:
    """An array, row after row, of items such as ``float64``."""

    kind: str
    dimensions: int


@dataclass(frozen=True)
class Several:
    """A tuple; a named one is told by where its class is, as ``lzgis.geometry.chains:Chains``."""

    parts: tuple[Kind, ...]
    named: str = ""


Kind = Number | Array | Several


def plain(kind: Kind) -> list[Any]:
    """Say a kind in lists, numbers and text.

    Examples
    --------
    >>> plain(Several((Array("int64", 1), Number("float64"))))
    ['several', '', ['array', 'int64', 1], ['number', 'float64']]
    """
    if isinstance(kind, Number):
        return ["number", kind.kind]
    if isinstance(kind, Array):
        return ["array", kind.kind, kind.dimensions]
    return ["several", kind.named, *map(plain, kind.parts)]


def kind_of(said: Sequence[Any]) -> Kind:
    """Read what `plain` says.

    Examples
    --------
    >>> kind_of(["array", "int64", 1])
    Array(kind='int64', dimensions=1)
    """
    if said[0] == "number":
        return Number(said[1])
    if said[0] == "array":
        return Array(said[1], said[2])
    return Several(tuple(map(kind_of, said[2:])), said[1])


@dataclass(frozen=True, eq=False)
class Call:
    """A loop at an address; may be called by several threads at once.

    Parameters
    ----------
    address : int
        Where it lies.
    takes, gives : Kind
        Its arguments, as a tuple, and what it gives back.
    release : callable
        Gives memory back to the C library.
    engine : object
        What owns the memory that the loop lies in, and must live as long as this.
    """

    address: int
    takes: Several
    gives: Kind
    release: Callable[[int], object]
    engine: object

    @cached_property
    def _function(self) -> Any:
        words = [ctypes.c_double if one == "float64" else ctypes.c_int64 for one in _words(self.takes)]
        return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *words)(self.address)

    def __call__(self, *arguments: Any) -> Any:
        """Call the loop.

        Raises
        ------
        UnfitError
            If the arguments are not of the kinds that it was made for, or it raised an error.
        """
        given: list[float] = []
        _take_apart(arguments, self.takes, given)
        answer = np.zeros(max(sum(1 for _ in _words(self.gives)), 1), np.int64)
        trouble = ctypes.c_void_p()
        if self._function(answer.ctypes.data, ctypes.addressof(trouble), *given):
            raise UnfitError
        owners: set[int] = set()
        try:
            return _put_together(self.gives, answer, iter(range(len(answer))), owners)
        finally:
            for owner in owners:
                self.release(owner)


def _words(kind: Kind) -> Iterator[str]:
    if isinstance(kind, Number):
        yield kind.kind
    elif isinstance(kind, Array):
        yield from ["int64"] * (_BEFORE + 2 * kind.dimensions)
    else:
        for part in kind.parts:
            yield from _words(part)


def _take_apart(value: Any, kind: Kind, given: list[float]) -> None:
    if isinstance(kind, Array):
        if not isinstance(value, np.ndarray) or value.dtype != kind.kind or value.ndim != kind.dimensions:
            raise UnfitError
        flags = value.flags
        if not (flags.c_contiguous and flags.writeable and flags.aligned):
            raise UnfitError
        given += [0, 0, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides]
    elif isinstance(kind, Number):
        allowed = (int, np.int64) if kind.kind == "int64" else float
        if not isinstance(value, allowed) or isinstance(value, bool):
            raise UnfitError
        given.append(int(value) if kind.kind == "int64" else float(value))
    else:
        if not isinstance(value, tuple) or len(value) != len(kind.parts):
            raise UnfitError
        for one, part in zip(value, kind.parts, strict=True):
            _take_apart(one, part, given)


def _put_together(kind: Kind, answer: np.ndarray, place: Iterator[int], owners: set[int]) -> Any:
    if isinstance(kind, Number):
        word = answer[next(place)]
        return float(word.view(np.float64)) if kind.kind == "float64" else int(word)
    if isinstance(kind, Array):
        words = [int(answer[next(place)]) for _ in range(_BEFORE + 2 * kind.dimensions)]
        if words[_OWNER]:
            owners.add(words[_OWNER])
        shape, strides = words[_BEFORE : _BEFORE + kind.dimensions], words[_BEFORE + kind.dimensions :]
        return _copied(words[_ADDRESS], np.dtype(kind.kind), shape, strides)
    parts = [_put_together(part, answer, place, owners) for part in kind.parts]
    if not kind.named:
        return tuple(parts)
    module, _, name = kind.named.partition(":")
    return getattr(import_module(module), name)(*parts)


def _copied(address: int, item: np.dtype[Any], shape: list[int], strides: list[int]) -> np.ndarray:
    made = np.empty(shape, item)
    if made.size:
        reach = sum((n - 1) * step for n, step in zip(shape, strides, strict=True)) + item.itemsize
        held = memoryview((ctypes.c_char * reach).from_address(address))
        made[...] = np.ndarray(shape, item, held, strides=strides)
    return made
