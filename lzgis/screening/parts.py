"""The parts of sites that findings are about: built from the positions of rule, site and feature when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from geopandas.array import GeometryArray

from lzgis.rules.for_sites.base import Rows
from lzgis.rules.for_sites.hits import Geometries, Integers

CGCS2000 = "EPSG:4490"
#: Builds the parts of some findings, in EPSG:4490; None where a finding is about no part.
PartMaker = Callable[["PartKeys"], Geometries]


class PartKeys(NamedTuple):
    """What the parts of findings are built from: the position of the rule in the book, and the rows of the site and feature."""

    rule: Integers
    rows: Rows

    def take(self, which: Any) -> PartKeys:
        """Return some of the findings."""
        return PartKeys(self.rule[which], self.rows.take(which))


class PartArray(GeometryArray):  # type: ignore[misc]
    """An array of geometries like any other of geopandas, whose geometries are built when they are first used.

    Some of its elements, taken before that, are built without the others.
    """

    def __init__(self, make: PartMaker, keys: PartKeys) -> None:
        self._make, self._keys = make, keys
        self._made: Geometries | None = None
        self._crs = None
        self._sindex = None
        self.crs = CGCS2000

    @property
    def _data(self) -> Geometries:
        if self._made is None:
            self._made = self._make(self._keys)
            # What it was built from is not needed again: sites and layers as the loops read them, and all that rules measured.
            self._make = _nothing
        return self._made

    @_data.setter
    def _data(self, made: Geometries) -> None:
        self._made = made

    def __len__(self) -> int:
        return len(self._keys.rule)

    @property
    def size(self) -> int:
        """Number of parts."""
        return len(self)

    @property
    def shape(self) -> tuple[int]:
        """Number of parts, as a tuple."""
        return (len(self),)

    @property
    def nbytes(self) -> int:
        """Memory of the parts built so far."""
        return 0 if self._made is None else int(self._made.nbytes)

    def __getitem__(self, at: Any) -> Any:
        if self._made is None and not isinstance(at, int | np.integer | tuple):
            which = np.asarray(at) if isinstance(at, Sequence | np.ndarray) else at
            if isinstance(which, slice) or (isinstance(which, np.ndarray) and which.dtype.kind in "bi"):
                return PartArray(self._make, self._keys.take(which))
        return super().__getitem__(at)

    def take(self, indices: npt.ArrayLike, allow_fill: bool = False, fill_value: Any = None) -> GeometryArray:
        """Return some of the parts, unbuilt if these are."""
        which = np.asarray(indices, dtype=np.intp)
        if self._made is None and not (allow_fill and (which < 0).any()):
            return PartArray(self._make, self._keys.take(which))
        return super().take(indices, allow_fill=allow_fill, fill_value=fill_value)

    def copy(self, *args: Any, **kwargs: Any) -> GeometryArray:
        """Return a copy, unbuilt if the parts are."""
        if self._made is None:
            return PartArray(self._make, self._keys)
        return GeometryArray(self._made.copy(), crs=self.crs)

    def view(self, dtype: Any = None) -> GeometryArray:
        """Return the same parts."""
        if dtype is None:
            return self[:]
        return super().view(dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        return _plain, (self._data, CGCS2000)


def _nothing(keys: PartKeys) -> Geometries:
    return np.full(len(keys.rule), None, dtype=object)


def _plain(made: Geometries, crs: str) -> GeometryArray:
    return GeometryArray(made, crs=crs)
