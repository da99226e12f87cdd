"""The records of a city's catalogue: the typed form of ``catalog.toml``.

Data only. :mod:`lzgis.config` reads the file, :mod:`lzgis.city.catalogue` opens the layers.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from lzgis.config import checked_number


class Baseline(StrEnum):
    """What the geometry of a layer represents when a distance is measured from it, and what a finding was measured from.

    A layer of centrelines says ``centreline``; a finding says ``centreline-with-half-width`` where the data gave one. The
    ``edge`` of an area (a reserve, a water) is a limit from which a rule demands its distance; a ``delimited-zone`` is the
    controlled strip itself, from which a rule demands its own `zone_distance_m`, usually 0.
    """

    DELIMITED_ZONE = "delimited-zone"
    EDGE = "edge"
    ROAD_LAND_EDGE = "road-land-edge"
    ROADBED_EDGE = "roadbed-edge"
    MANAGEMENT_RANGE = "management-range"
    BANK_LINE = "bank-line"
    WATER_POLYGON = "water-polygon"
    CENTRELINE = "centreline"
    CENTRELINE_WITH_HALF_WIDTH = "centreline-with-half-width"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        return checked_number(value, cls.model_fields[str(info.field_name)].annotation)


class Style(_Data):
    """How a layer is drawn; colours are ``#rrggbb``."""

    fill: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    stroke: str = Field(default="#444444", pattern=r"^#[0-9a-fA-F]{6}$")
    width: float = Field(default=1.0, ge=0, le=20)
    opacity: float = Field(default=0.35, ge=0, le=1)
    dash: str | None = Field(default=None, pattern=r"^\d+( \d+)*$")
    shown: bool = True
    by: str | None = None
    colours: dict[str, str] = {}


class Declared(_Data):
    """A figure that a document declares for a layer. It is compared with the measured figure and never replaces it.

    ``area_km2`` is the ellipsoidal area of the union of all features, ``count`` the number of distinct feature ids,
    ``groups`` the number of distinct values of the field that the layer names under `group`, ``length_km`` the sum of the
    ellipsoidal lengths, ``share_of_city`` that area divided by `denominator_km2`. `where` selects features with
    these field values.

    ``stated`` is a figure without a geometry, in `unit`: it is compared with `against`, which stands in `against_basis`.
    It must equal it or, with the `sense` ``at_most``, not be larger.
    """

    what: Literal["area_km2", "count", "groups", "length_km", "share_of_city", "stated"]
    value: float
    tolerance: float = Field(default=0.0, ge=0)
    denominator_km2: float | None = Field(default=None, gt=0)
    where: dict[str, list[str]] = {}
    basis: str = ""
    note: str = ""
    unit: str = ""
    against: float | None = None
    against_basis: str = ""
    sense: Literal["equal", "at_most"] = "equal"

    def holds(self, measured: float) -> bool:
        """Return whether the figure agrees with the measured one within its tolerance.

        A difference of exactly the tolerance, half of the last printed digit, still holds: rounding must not break it.
        """
        gap = self.value - measured if self.sense == "at_most" else abs(measured - self.value)
        return gap <= self.tolerance + 1e-12


class LayerVersion(_Data):
    """Another state of a layer, in force from `effective_from` until the day before `effective_to`.

    A key that is not given is that of the layer's own entry.
    """

    source: str
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    source_layer: str | None = None
    encoding: str | None = None
    where: dict[str, list[str]] = {}
    crs: str = "EPSG:4490"
    date: dt.date | None = None
    version: str = ""
    status: Literal["in-force", "draft", "schematic"] = "in-force"
    basis: str = ""
    declared: list[Declared] = []
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class LayerSpec(_Data):
    """One layer of a city, as the catalogue describes it.

    `fields` maps a canonical field name to the names it may have in the file; the first one found is used. `values` maps,
    per canonical field, values of the file to those that rules use. `group` names a field that is equal for all features
    of one object (both carriageways of a road, the reaches of a river). `repairs` says whether a repair that changes the
    area of a feature is used (``accepted``), or sites near the feature are 未核查 (``listed``).

    `source` is a file in the city's folder, or the address of a database (``postgis://user@host/database``); `source_layer`
    names the layer in it, `where` selects rows by the values of fields, `encoding` is that of its text if it names none.

    The entry is in force from `effective_from` until the day before `effective_to`, always if neither is given. `versions`
    are other states of the layer, each with its own source and period; a screening takes the one in force on its date.
    `read` says whether a screening reads the layer ``whole`` or by the ``window`` of its sites: the features that lie as near
    to a site as a rule reaches, and the nearest ones. If it is not given, a file of more than 400 MB is read by window.
    The key ``from`` (`shifted`) says that the layer was drawn on a map in GCJ-02 or BD-09; it is shifted back.
    """

    model_config = ConfigDict(populate_by_name=True)

    title: str
    title_en: str = ""
    role: Literal["outline", "constraint", "zoning", "context"] = "constraint"
    source: str
    source_layer: str | None = None
    encoding: str | None = None
    where: dict[str, list[str]] = {}
    crs: str = "EPSG:4490"
    shifted: Literal["gcj02", "bd09"] | None = Field(default=None, alias="from")
    id: str = "id"
    name: str = "name"
    group: str | None = None
    geometry: Literal["polygon", "line", "point"] = "polygon"
    baseline: Baseline | None = None
    coverage: str = "city"
    fields: dict[str, list[str]] = {}
    values: dict[str, dict[str, str]] = {}
    date: dt.date | None = None
    version: str = ""
    status: Literal["in-force", "draft", "schematic"] = "in-force"
    basis: str = ""
    confidentiality: Literal["public", "internal", "confidential"] = "internal"
    declared: list[Declared] = []
    repairs: Literal["listed", "accepted"] = "listed"
    read: Literal["whole", "window"] | None = Field(default=None, exclude_if=lambda value: value is None)
    style: Style = Style()
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    effective_from: dt.date | None = None
    effective_to: dt.date | None = None
    versions: list[LayerVersion] = []

    def in_force(self, day: dt.date) -> bool:
        """Return whether the entry itself is in force on `day`."""
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.effective_to is None or day < self.effective_to)

    def state(self, number: int) -> LayerSpec:
        """Return state `number` of the layer without the others: 0 for the entry itself, then `versions` in order."""
        if not self.versions:
            return self
        own: dict[str, Any] = {"versions": []}
        if number:
            one = self.versions[number - 1]
            # Neither the period, the date nor the hash of another state is true of this one.
            own |= {"effective_from": None, "effective_to": None, "date": None, "version": "", "sha256": None}
            own |= {"declared": []} | {name: getattr(one, name) for name in one.model_fields_set}
        return self.model_copy(update=own)

    def on(self, day: dt.date) -> LayerSpec:
        """Return the state of the layer in force on `day`; if none is, the first one after it, else the last before it."""
        states = [self.state(number) for number in range(len(self.versions) + 1)]
        begins = [one.effective_from or dt.date.min for one in states]
        there = [one for one in states if one.in_force(day)]
        later = [at for at, begun in enumerate(begins) if begun > day]
        if there or not states[1:]:
            return (there or states)[0]
        return states[min(later, key=begins.__getitem__) if later else max(range(len(states)), key=begins.__getitem__)]


class CitySpec(_Data):
    """What the catalogue says of the city as a whole.

    `outline` names the layer with the city's boundary, `notice` the sentence that every output must carry, `dem` an
    elevation raster used only as the background of maps, `neighbours` a file of the neighbouring counties (areas with a
    column ``name``) that maps draw and name outside the city. `divisions` names the layers of townships and villages by which
    findings are broken down; one that the city does not have is skipped. `outside` names folders outside the city's own from
    which files may be read; without it, every file is in the folder of the catalogue. `profile` names the part of the world
    that the city lies in: ``cn``, mainland China, or ``world``. `numbers` shows how documents write figures, if not as the
    profile says.
    """

    name: str
    name_en: str = ""
    adcode: str = Field(default="", pattern=r"^(\d{6})?$")
    outline: str = "city"
    divisions: list[str] = ["townships", "villages"]
    rules: str = "rules.toml"
    notice: str = ""
    notice_en: str = ""
    dem: str | None = None
    neighbours: str | None = Field(default=None, exclude_if=lambda value: value is None)
    outside: list[str] = []
    profile: Literal["cn", "world"] = Field(default="cn", exclude_if=lambda value: value == "cn")
    numbers: Literal["1,234.5", "1.234,5", "1 234,5", "1 234.5", "1’234.5", "1234.5", "1234,5"] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )


class CoverClass(_Data):
    """A class of land cover; `role` says in which figures it counts, independent of its title."""

    title: str
    title_en: str = ""
    colour: str = Field(default="#808080", pattern=r"^#[0-9a-fA-F]{6}$")
    role: Literal["farmland", "forest", "grass", "water", "built", "unused", ""] = ""


class RasterSpec(_Data):
    """One raster of a city, as the catalogue describes it.

    `classes` maps cell values to classes of land cover. `declared` holds figures of documents; their `where` selects
    classes by title or by role: ``where = { role = ["forest"] }``. `nodata` says what a cell without a value means.
    """

    title: str
    title_en: str = ""
    source: str
    kind: Literal["landcover", "elevation"]
    band: int = Field(default=1, ge=1)
    classes: dict[int, CoverClass] = {}
    nodata: str = ""
    date: dt.date | None = None
    version: str = ""
    status: Literal["in-force", "draft", "schematic"] = "in-force"
    basis: str = ""
    confidentiality: Literal["public", "internal", "confidential"] = "internal"
    declared: list[Declared] = []
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class CatalogueSpec(_Data):
    """The whole of ``catalog.toml``: ``[city]``, one ``[layer.ID]`` for each layer, one ``[raster.ID]`` for each raster."""

    city: CitySpec
    layer: dict[str, LayerSpec]
    raster: dict[str, RasterSpec] = {}
