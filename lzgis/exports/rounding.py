"""Rounding of figures by what the data can bear: the only place that decides how many digits documents print.

A figure from a schematic or draft layer, or of a city whose notice says that its data are no basis of a decision, is rounded
to 0.1 m and 1 m². A figure from a layer in force has 0.01 m and 0.01 m². All digits are in ``report.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lzgis.exports.report_text import number
from lzgis.model.report import ReportContext

#: Printed where there is no figure.
NONE = "—"
M2_PER_HA, M2_PER_MU = 10_000.0, 10_000.0 / 15.0


def plain(value: Any) -> str:
    """Format a figure of a rule, such as a required distance, without trailing zeros.

    Examples
    --------
    >>> plain(7.25), plain(30.0)
    ('7.25', '30')
    """
    found = number(value, 3)
    return NONE if found is None else f"{found:g}"


class Places(NamedTuple):
    """Decimals of figures: lengths (m), areas (m²), areas in hectares and in mu."""

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
    >>> rounding = Rounding(SimpleNamespace(city=SimpleNamespace(notice="示意数据"), layers={}))
    >>> rounding.metres(3384.26), rounding.square_metres(10000.01), rounding.hectares(10000.01), rounding.mu(10000.01)
    ('3,384.3', '10,000', '1.0000', '15.00')
    """

    def __init__(self, context: ReportContext) -> None:
        self._noticed = bool(context.city.notice)
        self._layers = context.layers

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
        >>> rounding = Rounding(SimpleNamespace(city=SimpleNamespace(notice="示意数据"), layers={}))
        >>> rounding.metres(29.996), rounding.metres(29.996, limit=30.0)
        ('30.0', '29.996')
        """
        found, most = number(value), number(limit)
        if found is None:
            return NONE
        places = self.places(layer).m
        while most is not None and found < most and round(found, places) >= most and places < 3:
            places += 1
        return f"{round(found, places) + 0.0:,.{places}f}"

    def square_metres(self, value: Any, layer: str = "") -> str:
        """Format an area, given in m²; one that would be rounded to nothing keeps its digits."""
        found, places = number(value), self.places(layer).m2
        if found is None:
            return NONE
        return f"{found:,.2f}" if found and not round(found, places) else f"{round(found, places) + 0.0:,.{places}f}"

    def hectares(self, value: Any, layer: str = "") -> str:
        """Format an area, given in m², in hectares."""
        found, places = number(value), self.places(layer).ha
        return NONE if found is None else f"{round(found / M2_PER_HA, places) + 0.0:,.{places}f}"

    def mu(self, value: Any, layer: str = "") -> str:
        """Format an area, given in m², in mu."""
        found, places = number(value), self.places(layer).mu
        return NONE if found is None else f"{round(found / M2_PER_MU, places) + 0.0:,.{places}f}"

    def percent(self, value: Any) -> str:
        """Format a share; one that is neither nothing nor everything is printed as neither.

        Examples
        --------
        >>> from types import SimpleNamespace
        >>> rounding = Rounding(SimpleNamespace(city=SimpleNamespace(notice=""), layers={}))
        >>> rounding.percent(0.0089), rounding.percent(0.00001), rounding.percent(0.9999), rounding.percent(1.0)
        ('0.9%', '<0.1%', '>99.9%', '100%')
        """
        found = number(value)
        if found is None:
            return NONE
        if 0 < found < 0.0005:
            return "<0.1%"
        if 0.9995 <= found < 1 - 1e-9:
            return ">99.9%"
        return f"{100 * found:.1f}".removesuffix(".0") + "%"


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
