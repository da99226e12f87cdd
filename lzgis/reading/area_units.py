"""The unit of a declared area: the one in which it agrees with the computed area, if any does."""

from __future__ import annotations

from dataclasses import dataclass

from lzgis.messages import Message
from lzgis.model.report import Problem

#: Units of declared areas, in square metres.
AREA_UNITS_M2 = {"㎡": 1.0, "公顷": 10_000.0, "亩": 10_000.0 / 15.0, "k㎡": 1e6}
_ALIASES = {
    "平方米": "㎡",
    "m2": "㎡",
    "m²": "㎡",
    "ha": "公顷",
    "hm2": "公顷",
    "平方公里": "k㎡",
    "平方千米": "k㎡",
    "km2": "k㎡",
}
#: Relative tolerance: surveys measure in the plane of their zone, where areas are up to a few thousandths off.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class AreaFit:
    """A declared area with the unit that fits and the computed area it agrees with."""

    declared: float
    unit: str
    computed_m2: float
    measured: str

    def note(self, place: str) -> Problem:
        """Return a sentence that names the unit."""
        what = Message(
            "its area {declared:.10g} is in {unit}: {computed:,.2f} ㎡ are computed {measured}",
            declared=self.declared,
            unit=self.unit,
            computed=self.computed_m2,
            measured=Message("in the projection") if self.measured == "plane" else Message("on the ellipsoid"),
        )
        return Problem("note", place, what, Message("nothing to do: areas are measured anew"))


def fitting_unit(
    declared: float, computed_m2: tuple[float, float], *, decimals: int = 0, unit: str = ""
) -> AreaFit | None:
    """Find the unit in which a declared area agrees with a computed one.

    Parameters
    ----------
    declared : float
        The declared number.
    computed_m2 : pair of float
        The area in the projection and on the ellipsoid; NaN if there is none.
    decimals : int
        Number of its decimals: half of the last one is tolerated.
    unit : str
        The unit, if it is written after the number; then no other is tried.

    Examples
    --------
    >>> fitting_unit(1.2345, (12345.6, 12340.0), decimals=4).unit
    '公顷'
    >>> fitting_unit(18.52, (12345.6, 12340.0), decimals=2).unit
    '亩'
    >>> fitting_unit(999.0, (12345.6, 12340.0)) is None
    True
    """
    units = AREA_UNITS_M2
    known = _ALIASES.get(unit.lower(), unit)
    if unit:
        units = {known: AREA_UNITS_M2[known]} if known in AREA_UNITS_M2 else {}
    best: tuple[float, AreaFit] | None = None
    for title, size in units.items():
        for measured, area in zip(("plane", "ellipsoid"), computed_m2, strict=True):
            off = abs(declared * size - area)
            if off <= _TOLERANCE * area + 0.5 * size * 10.0**-decimals and (best is None or off < best[0]):
                best = (off, AreaFit(declared, title, area, measured))
    return best[1] if best else None
