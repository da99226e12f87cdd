"""The records of a region of several cities: the typed form of ``region.toml``."""

from __future__ import annotations

from pydantic import Field

from lzgis.model.catalogue import LayerSpec
from lzgis.model.rules import Data


class RegionInfo(Data):
    """The ``[region]`` table.

    `cities` names the folders of the cities, in the order in which they are shown. `rules` names a rule book that applies
    in all of them; an entry of a city's own book replaces the entry with the same id. Gaps and overlaps between the outlines
    of two cities up to `tolerance_m` wide are reported and change no answer.
    """

    name: str
    name_en: str = ""
    cities: list[str] = Field(min_length=1)
    rules: str = ""
    tolerance_m: float = Field(default=10.0, ge=0, le=1000)
    notice: str = ""
    notice_en: str = ""


class RegionSpec(Data):
    """The whole of ``region.toml``: ``[region]``, and one ``[layer.ID]`` for each layer that all cities share.

    A layer of the region covers all its cities; a city's own layer with the same id is used in its place.
    """

    region: RegionInfo
    layer: dict[str, LayerSpec] = {}
