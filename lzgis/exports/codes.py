"""The codes of verdicts and states in files for programs, in the language that the profile of the city names."""

from __future__ import annotations

from typing import Any

from lzgis.coordinates.profiles import profile
from lzgis.model.catalogue import CitySpec
from lzgis.model.codes import ENGLISH
from lzgis.model.report import SEPARATOR

#: Longer codes first: one is a part of another.
_SIGNS = {
    **{code: ENGLISH[code] for code in sorted(ENGLISH, key=len, reverse=True)},
    **{"　": "  ", "；": "; ", "，": ", ", "、": ", ", "：": ": ", "（": " (", "）": ")", "㎡": "m²"},
}


class Codes:
    """The codes that files of a city hold.

    Examples
    --------
    >>> Codes(CitySpec(name="Riverton", profile="world"))("未核查"), Codes(CitySpec(name="连州市"))("未核查")
    ('not-checked', '未核查')
    """

    def __init__(self, city: CitySpec) -> None:
        self.english = profile(city.profile).codes == "en"

    def __call__(self, value: Any) -> Any:
        """Return a value of a column, a text or a tuple of texts, with the codes of the city and its separator of lists."""
        if not self.english:
            return value
        if isinstance(value, tuple | list):
            return tuple(self(one) for one in value)
        if not isinstance(value, str):
            return value
        return "; ".join(ENGLISH.get(part, part) for part in value.split(SEPARATOR)).replace("\u3000", "  ")

    def shown(self, text: str) -> str:
        """Return a text that people read with the signs and codes of the city.

        Examples
        --------
        >>> Codes(CitySpec(name="Riverton", profile="world")).shown("a；b　120 ㎡（不涉及）")
        'a; b  120 m² (not-involved)'
        """
        if not self.english:
            return text
        for chinese, english in _SIGNS.items():
            text = text.replace(chinese, english)
        return text

    def columns(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Return columns of texts with the codes of the city; columns of numbers stay as they are."""
        if not self.english:
            return columns
        return {name: self._column(column) for name, column in columns.items()}

    def _column(self, column: Any) -> Any:
        if isinstance(column, list):
            return [self(one) for one in column]
        return column if column.dtype.kind in "iufb" else column.map(self)
