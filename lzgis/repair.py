"""Explicit mending of geometries: every repair is listed, with the area before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from lzgis.geometry import part_of_dimension
from lzgis.measure import Geometries, ellipsoidal_area_m2
from lzgis.messages import Message
from lzgis.model import Problem


@dataclass(frozen=True, eq=False)
class Mended:
    """Geometries fit for use, `None` where there is nothing to use, and what was done."""

    geometry: Geometries
    problems: tuple[Problem, ...]

    @property
    def usable(self) -> np.ndarray:
        """Whether each geometry can be used."""
        return ~shapely.is_missing(self.geometry)


def mend(geometries: Geometries, ids: np.ndarray, place: str) -> Mended:
    """Make geometries (degrees on CGCS2000) two-dimensional, valid and of one dimension, listing every change.

    A missing or empty geometry, or one with coordinates that are no numbers, becomes `None` and an ``error``.
    """
    problems: list[Problem] = []
    array = np.asarray(geometries, dtype=object).copy()
    _drop_unusable(array, ids, place, problems)
    if shapely.has_z(array).any():
        array = shapely.force_2d(array)
        problems.append(
            Problem(
                "note",
                place,
                Message("heights (Z) were left out"),
                Message("nothing to do: areas are plane areas"),
            )
        )
    for i in np.flatnonzero(shapely.get_type_id(array) == 7):
        array[i] = _of_one_dimension(array[i], f"{place}, feature '{ids[i]}'", problems)
    present = ~shapely.is_missing(array)
    for i in np.flatnonzero(present & ~shapely.is_valid(array)):
        array[i] = _made_valid(array[i], f"{place}, feature '{ids[i]}'", problems)
    return Mended(array, tuple(problems))


def _drop_unusable(array: Geometries, ids: np.ndarray, place: str, problems: list[Problem]) -> None:
    for i in range(len(array)):
        here = Message("{place}, feature '{id}'", place=place, id=ids[i])
        if array[i] is None:
            problems.append(Problem("error", here, Message("has no geometry"), Message("draw it or remove the row")))
        elif shapely.is_empty(array[i]):
            problems.append(
                Problem("error", here, Message("its geometry is empty"), Message("draw it or remove the row"))
            )
        elif not np.isfinite(shapely.get_coordinates(array[i])).all():
            problems.append(
                Problem("error", here, Message("a coordinate is not a number"), Message("correct the coordinate"))
            )
        else:
            continue
        array[i] = None


def _of_one_dimension(mixture: shapely.Geometry, here: str, problems: list[Problem]) -> shapely.Geometry:
    """Keep the polygons of a collection, or its lines if it has none, or its points."""
    dimensions = shapely.get_dimensions(shapely.get_parts(mixture))
    most = shapely.get_dimensions(np.array([mixture]))
    if (dimensions != most[0]).any():
        kept = ("points", "lines", "polygons")[most[0]]
        what = Message("is a mixture of points, lines or polygons, of which only the {kept} are used", kept=kept)
        problems.append(Problem("warning", here, what, Message("give the others as rows of their own")))
    kept_part: shapely.Geometry = part_of_dimension(np.array([mixture]), most)[0]
    return kept_part


def _made_valid(geometry: shapely.Geometry, here: str, problems: list[Problem]) -> shapely.Geometry | None:
    why = shapely.is_valid_reason(geometry)
    dimension = shapely.get_dimensions(np.array([geometry]))
    made = shapely.make_valid(geometry, method="structure")
    valid: shapely.Geometry = part_of_dimension(np.array([made]), dimension)[0]
    if shapely.is_empty(valid):
        problems.append(
            Problem("error", here, Message("cannot be repaired ({why})", why=why), Message("draw it again"))
        )
        return None
    after = float(ellipsoidal_area_m2([valid])[0]) if dimension[0] == 2 else 0.0
    before = float(ellipsoidal_area_m2([geometry])[0]) if dimension[0] == 2 else 0.0
    what = Message(
        "was not valid ({why}) and was repaired; area {before:.2f} ㎡ before, {after:.2f} ㎡ after",
        why=why,
        before=before,
        after=after,
    )
    problems.append(Problem("warning", here, what, Message("check the shape")))
    return valid
