"""Formatting of figures: square metres to two decimals, hectares and mu to four, metres to three, shares to two."""

from __future__ import annotations

from typing import Any

from lzgis.exports.report_text import hectares, number

#: Printed where there is no figure.
NONE = "—"

_MU_PER_M2 = 15 / 10_000


def square_metres(value: Any) -> str:
    """Print an area in square metres.

    Examples
    --------
    >>> square_metres(12345.678), square_metres(float("nan"))
    ('12,345.68', '—')
    """
    return _printed(number(value, 2), ",.2f")


def in_hectares(value: Any) -> str:
    """Print an area, given in square metres, in hectares.

    Examples
    --------
    >>> in_hectares(12345.678)
    '1.2346'
    """
    return _printed(hectares(value), ",.4f")


def in_mu(value: Any) -> str:
    """Print an area, given in square metres, in mu (15 to the hectare).

    Examples
    --------
    >>> in_mu(10_000)
    '15.0000'
    """
    area = number(value)
    return NONE if area is None else f"{round(area * _MU_PER_M2, 4):,.4f}"


def metres(value: Any) -> str:
    """Print a length to the millimetre, so that 29.996 m is not read as 30 m.

    Examples
    --------
    >>> metres(29.9959)
    '29.996'
    """
    return _printed(number(value, 3), ",.3f")


def percent(value: Any) -> str:
    """Print a share.

    Examples
    --------
    >>> percent(0.31234567)
    '31.23%'
    """
    return _printed(number(value, 4), ".2%")


def plain(value: Any) -> str:
    """Print a number without trailing zeros.

    Examples
    --------
    >>> plain(7.25), plain(30.0)
    ('7.25', '30')
    """
    found = number(value, 3)
    return NONE if found is None else f"{found:g}"


def _printed(value: float | None, form: str) -> str:
    # Adding 0.0 removes the sign of a negative zero.
    return NONE if value is None else format(value + 0.0, form)
