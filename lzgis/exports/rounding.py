"""Rounding of figures by what the data can bear: the only place that decides how many digits documents print.

A figure from a schematic or draft layer, or of a city whose notice says that its data are no basis of a decision, is rounded
to 0.1 m and 1 m². A figure from a layer in force has 0.01 m and 0.01 m². All digits are in ``report.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lzgis.coordinates.profiles import profile
from lzgis.exports.report_text import number
from lzgis.model.catalogue import CitySpec
from lzgis.model.report import ReportContext

#: Printed where there is no figure.
NONE = "—"
M2_PER_HA = 10_000.0


class Numbers(NamedTuple):
    """The signs of thousands and of decimals.

    Examples
    --------
    >>> numbers = Numbers(".", ",")
    >>> numbers(1234567.891, 2), numbers(0.5, 1), numbers(1200)
    ('1.234.567,89', '0,5', '1.200')
    """

    thousands: str
    decimal: str

    def __call__(self, value: float, places: int = 0) -> str:
        """Format a number."""
        return self.signed(f"{value:,.{places}f}")

    def signed(self, text: str) -> str:
        """Return a number that is written as ``1,234.5`` with these signs."""
        if (self.thousands, self.decimal) == (",", "."):
            return text
        return text.translate({ord(","): self.thousands, ord("."): self.decimal})


def numbers_of(city: CitySpec) -> Numbers:
    """Return the signs with which documents of a city write figures: its own, or those of its profile.

    Examples
    --------
    >>> numbers_of(CitySpec(name="Riverton", profile="world", numbers="1.234,5"))(39984.26, 1)
    '39.984,3'
    """
    shown = city.numbers or profile(city.profile).numbers
    # A line never breaks within a figure.
    return Numbers(shown[1:-5].replace(" ", "\u00a0"), shown[-2])


class Places(NamedTuple):
    """Decimals of figures: lengths (m), areas (m²), areas in hectares and in the unit of the profile, as mu."""

    m: int
    m2: int
    ha: int
    mu: int


#: Of layers that are schematic or drafts, and of all others.
COARSE, FINE = Places(1, 0, 4, 2), Places(2, 2, 4, 4)


class Rounding:
    """The rounding of the figures of one report.

    Parameters
    ----------
    context : ReportContext
        The report. The status of its layers and the notice of its city decide.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> rounding = Rounding(SimpleNamespace(city=CitySpec(name="连州市", notice="示意数据"), layers={}))
    >>> rounding.metres(3384.26), rounding.square_metres(10000.01), rounding.hectares(10000.01), rounding.mu(10000.01)
    ('3,384.3', '10,000', '1.0000', '15.00')
    """

    def __init__(self, context: ReportContext) -> None:
        self._noticed = bool(context.city.notice)
        self._layers = context.layers
        self.numbers = numbers_of(context.city)
        self._unit_m2 = profile(context.city.profile).unit_m2

    def places(self, layer: str = "") -> Places:
        """Return the decimals of a figure from a layer, or of the sites themselves if none is named."""
        known = self._layers.get(layer)
        doubtful = known is not None and known.spec.status != "in-force"
        return COARSE if self._noticed or doubtful else FINE

    def metres(self, value: Any, layer: str = "", *, limit: Any = None) -> str:
        """Format a length or distance; if it is less than `limit`, with enough digits to show that it is.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> rounding = Rounding(SimpleNamespace(city=CitySpec(name="连州市", notice="示意数据"), layers={}))
        >>> rounding.metres(29.996), rounding.metres(29.996, limit=30.0)
        ('30.0', '29.996')
        """
        found, most = number(value), number(limit)
        if found is None:
            return NONE
        places = self.places(layer).m
        while most is not None and found < most and round(found, places) >= most and places < 3:
            places += 1
        return self.numbers(round(found, places) + 0.0, places)

    def square_metres(self, value: Any, layer: str = "") -> str:
        """Format an area, given in m²; one that would be rounded to nothing keeps its digits."""
        found, places = number(value), self.places(layer).m2
        if found is None:
            return NONE
        if found and not round(found, places):
            return self.numbers(found, 2)
        return self.numbers(round(found, places) + 0.0, places)

    def hectares(self, value: Any, layer: str = "") -> str:
        """Format an area, given in m², in hectares."""
        found, places = number(value), self.places(layer).ha
        return NONE if found is None else self.numbers(round(found / M2_PER_HA, places) + 0.0, places)

    def mu(self, value: Any, layer: str = "") -> str:
        """Format an area, given in m², in the unit of the profile: mu in China, acres in the world."""
        found, places = number(value), self.places(layer).mu
        return NONE if found is None else self.numbers(round(found / self._unit_m2, places) + 0.0, places)

    def percent(self, value: Any) -> str:
        """Format a share; one that is neither nothing nor everything is printed as neither.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> rounding = Rounding(SimpleNamespace(city=CitySpec(name="连州市"), layers={}))
        >>> rounding.percent(0.0089), rounding.percent(0.00001), rounding.percent(0.9999), rounding.percent(1.0)
        ('0.9%', '<0.1%', '>99.9%', '100%')
        """
        found = number(value)
        if found is None:
            return NONE
        if 0 < found < 0.0005:
            return self.numbers.signed("<0.1%")
        if 0.9995 <= found < 1 - 1e-9:
            return self.numbers.signed(">99.9%")
        return self.numbers.signed(f"{100 * found:.1f}".removesuffix(".0") + "%")

    def plain(self, value: Any) -> str:
        """Format a figure of a rule, such as a required distance, without trailing zeros.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> rounding = Rounding(SimpleNamespace(city=CitySpec(name="连州市"), layers={}))
        >>> rounding.plain(7.25), rounding.plain(30.0)
        ('7.25', '30')
        """
        found = number(value, 3)
        return NONE if found is None else self.numbers.signed(f"{found:g}")


def rounded_parts(values: Sequence[float], places: int) -> list[float]:
    """Round parts so that they sum to their rounded sum: those with the largest remainders are rounded up.

    Examples
    --------
    >>> rounded_parts([0.4, 0.4, 0.2], 0)
    [1.0, 0.0, 0.0]
    >>> sum(rounded_parts([1440.03, 159.97], 0))
    1600.0
    """
    scaled = np.asarray(values, dtype=np.float64) * 10.0**places
    whole = np.floor(scaled)
    missing = int(round(float(scaled.sum())) - whole.sum())
    for at in np.argsort(-(scaled - whole), kind="stable")[: max(missing, 0)]:
        whole[at] += 1
    return [float(one) for one in np.round(whole / 10.0**places, places)]
