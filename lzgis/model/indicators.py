"""The records of a plan's indicators: the typed form of ``indicators.toml``."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from lzgis.model.rules import Data


class Standing(StrEnum):
    """How an indicator stands against the target of a year."""

    MET = "met"
    NOT_MET = "not-met"
    NO_VALUE = "no-value"
    IN_WORDS = "in-words"


class Measure(Data):
    """How an indicator is measured: the area of a layer in km² or the share of classes of a raster in the city.

    It names either a layer or a raster.

    With `of`, the area is divided by that of another layer, or of the same one without `where`. The result is multiplied by
    `scale`; `tolerance` is the shortfall that still meets a target, in the unit of the indicator.
    """

    layer: str | None = None
    where: dict[str, list[str]] = {}
    of: str | None = None
    raster: str | None = None
    roles: list[str] = []
    scale: float = Field(default=1.0, gt=0)
    tolerance: float = Field(default=0.0, ge=0)


class Indicator(Data):
    """An indicator, or a part of one: targets are least values by year, or a requirement in words."""

    number: int = Field(ge=1)
    part: str = ""
    title: str
    title_en: str = ""
    unit: str = ""
    domain: str = ""
    kind: str = ""
    owner: str = ""
    base: float | None = None
    base_text: str = ""
    targets: dict[int, float] = {}
    required: str = ""
    measure: Measure | None = None
    note: str = ""
    note_en: str = ""


class PlanSpec(Data):
    """The plan that sets the indicators; `values` is the table (CSV) that the city keeps."""

    title: str
    base_year: int
    years: list[int]
    values: str


class IndicatorBook(Data):
    """The whole of ``indicators.toml``."""

    plan: PlanSpec
    indicator: list[Indicator]
