"""Open the folder of a city: read and check its layers, and compare their areas with declared figures."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.city.layer_dates import check_versions
from lzgis.city.prepared import LoadedLayer, prepared
from lzgis.config import is_file_name, load_toml, nearest, parse
from lzgis.coordinates.locate import Georeference, code_of, locate, location_problems
from lzgis.coordinates.plane import Plane, ellipsoidal_length_m, length_error, plane_for
from lzgis.coordinates.profiles import DEFAULT, Profile, profile
from lzgis.coordinates.shifted_maps import shifted_by_fields
from lzgis.errors import ConfigError, LayerError
from lzgis.geometry.layer_pieces import union_area
from lzgis.geometry.threads import cores
from lzgis.messages import Message
from lzgis.model.catalogue import CatalogueSpec, CitySpec, Declared, LayerSpec
from lzgis.model.report import Layer, Problem, Source
from lzgis.model.rules import RuleBook
from lzgis.reading import SITE_FIELDS, ReadOptions, is_address, read_vector, sha256_of, shown
from lzgis.reading.attributes import layer_columns
from lzgis.reading.base import Box, Near
from lzgis.reading.repair import repair_geometries
from lzgis.rules.book import read_rulebook
from lzgis.rules.for_sites.plane import as_texts

#: Returns the positions of the rows of a table that are wanted.
Chosen = Callable[[gpd.GeoDataFrame], "np.ndarray"]

CATALOGUE_FILE = "catalog.toml"
#: Relative error of lengths in the plane of a city above which they are measured on the ellipsoid.
EXACT_LENGTHS = 2e-5
_DIMENSION = {"point": 0, "line": 1, "polygon": 2}


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The opened folder of a city. Each layer is read when it is first needed, and cached.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> city = open_catalogue(reference_city())
    >>> city.spec.layer["redline"].title
    '生态保护红线'
    """

    root: Path
    spec: CatalogueSpec
    _read: dict[str, LoadedLayer] = field(default_factory=dict, repr=False)
    #: Cached areas, km², by layer and filter of features.
    measured_km2: dict[tuple[str, str], float] = field(default_factory=dict, repr=False)
    #: Returns the plane of the region, if the city shares layers with other cities, so that these are projected once.
    plane_of: Callable[[], Plane] | None = field(default=None, repr=False)

    @property
    def city(self) -> CitySpec:
        """The catalogue's entries on the city as a whole."""
        return self.spec.city

    @property
    def layers(self) -> Mapping[str, LayerSpec]:
        """The layers by id, as the catalogue describes them."""
        return self.spec.layer

    @cached_property
    def book(self) -> RuleBook:
        """The city's rule book."""
        outside = [self.root, *(self.root / one for one in self.city.outside)]
        return read_rulebook(self.root / self.city.rules, outside=outside)

    @cached_property
    def outline(self) -> shapely.Geometry:
        """The outline of the city, in degrees on CGCS2000."""
        return shapely.union_all(self.load(self.city.outline).layer.frame.geometry.to_numpy())

    @cached_property
    def plane(self) -> Plane:
        """The equal-area plane in which areas and distances are computed."""
        if self.plane_of is not None:
            return self.plane_of()
        return plane_for(tuple(shapely.bounds(self.outline)))

    @cached_property
    def inexact_plane(self) -> Plane | None:
        """The plane, if lengths in it are off by more than `EXACT_LENGTHS` at the edge of the city; else None."""
        west, south, east, north = shapely.bounds(self.outline)
        corners = length_error(self.plane, [west, west, east, east], [south, north, south, north])
        return self.plane if corners.max() > EXACT_LENGTHS else None

    @cached_property
    def described(self) -> str:
        """The sha256 of the catalogue file, or of its serialised contents if there is no such file."""
        file = self.root / CATALOGUE_FILE
        if file.is_file():
            return sha256_of(file)
        return hashlib.sha256(json.dumps(self.spec.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    @property
    def read_so_far(self) -> Mapping[str, LoadedLayer]:
        """The layers that have been read."""
        return dict(self._read)

    @property
    def backdrop(self) -> Path | None:
        """The elevation raster for the background of maps, if the city has one."""
        path = self.root / self.city.dem if self.city.dem else None
        return path if path is not None and path.exists() else None

    @property
    def neighbours(self) -> Path | None:
        """The areas of the neighbouring counties for maps, if the city has them."""
        path = self.root / self.city.neighbours if self.city.neighbours else None
        return path if path is not None and path.exists() else None

    def as_of(self, day: dt.date) -> Catalogue:
        """Return the city with the state of every layer that is in force on `day`; layers with one state stay as they are."""
        if not any(one.versions for one in self.layers.values()):
            return self
        layers = {name: one.on(day) for name, one in self.layers.items()}
        read = {name: one for name, one in self._read.items() if layers[name] == self.layers[name]}
        return Catalogue(self.root, self.spec.model_copy(update={"layer": layers}), read, plane_of=self.plane_of)

    def exists(self, layer_id: str) -> bool:
        """Return whether the catalogue describes the layer and its file exists; a database is assumed to exist."""
        if layer_id not in self.layers:
            return False
        source = self.layers[layer_id].source
        return is_address(source) or (self.root / source).exists()

    def fingerprint(self, layer_id: str) -> tuple[str, str]:
        """Return the name of the source of a layer, as outputs print it, and its sha256; a database is read for that."""
        source = self.layers[layer_id].source
        if is_address(source):
            return shown(source), self.load(layer_id).source.sha256
        return source, sha256_of(self.root / source)

    def load(self, layer_id: str) -> LoadedLayer:
        """Read a layer.

        Raises
        ------
        ConfigError
            If the catalogue does not describe the layer.
        SourceError
            If its file is missing or cannot be read.
        LayerError
            If it differs from the catalogue (reference system, id field, type of geometry), or ids are duplicated.
        """
        if layer_id not in self.layers:
            what = Message("layer '{layer_id}' is not described", layer_id=layer_id)
            raise ConfigError(str(self.root / CATALOGUE_FILE), what, nearest(layer_id, self.layers))
        if layer_id not in self._read:
            spec = self.layers[layer_id]
            place = spec.source if is_address(spec.source) else self.root / spec.source
            outline = () if layer_id == self.city.outline else self._outline_layer
            given = outline if self.city.profile == DEFAULT else (*outline, self.city.profile)
            self._read[layer_id] = prepared(layer_id, spec, place, lambda: self._made(layer_id), given=given)
        return self._read[layer_id]

    def load_near(self, layer_id: str, boxes: tuple[Box, ...], *, chosen: Chosen | None = None) -> LoadedLayer:
        """Read the features of a layer that meet some windows, and those without a geometry. Nothing of it is cached.

        See :class:`lzgis.city.known_features.KnownFeatures` for windows that overlap.

        Parameters
        ----------
        layer_id : str
            The layer; its source can be read by windows (:func:`lzgis.reading.near.can_read_near`).
        boxes : tuple of (west, south, east, north)
            The windows, in degrees. Without any, only the fields of the layer are read.
        chosen : callable, optional
            Called with the table of the rows read; returns the positions of those that are located, repaired and returned.

        Raises
        ------
        ConfigError, SourceError, LayerError
            As for the whole layer, as far as it was read.
        """
        spec = self.layers[layer_id]
        loaded = _load(self.root, layer_id, spec, self.city.profile, near=Near(boxes, spec.crs), chosen=chosen)
        return loaded if loaded.others or chosen is not None else self.load(layer_id)

    @property
    def _outline_layer(self) -> tuple[str, ...]:
        """The outline's entry in the catalogue and its sha256: what is found of the place of a layer depends on it."""
        if not self.exists(self.city.outline):
            return ()
        outline = self.load(self.city.outline)
        return outline.layer.spec.model_dump_json(), outline.source.sha256

    def _made(self, layer_id: str) -> LoadedLayer:
        """Read a layer and check where it lies."""
        loaded = _load(self.root, layer_id, self.layers[layer_id], self.city.profile)
        if layer_id == self.city.outline or not self.exists(self.city.outline):
            return loaded
        place = Message("layer '{layer_id}' ({source})", layer_id=layer_id, source=loaded.source.name)
        far = location_problems(loaded.layer.frame.geometry.to_numpy(), self.outline, place)
        return replace(loaded, problems=(*loaded.problems, *far))


class DeclaredCheck(NamedTuple):
    """A declared figure beside the measured one."""

    layer: str
    declared: Declared
    measured: float
    holds: bool


def open_catalogue(path: str | Path) -> Catalogue:
    """Open a city by its folder or by its ``catalog.toml``. No layer is read yet.

    Parameters
    ----------
    path : path
        The folder, or the file.

    Returns
    -------
    Catalogue
        The layers by id, the plane of the city, and its rule book.

    Raises
    ------
    ConfigError
        If there is no catalogue, or it is not valid.

    Examples
    --------
    >>> import lzgis as lz
    >>> city = lz.open_catalogue(lz.reference_city())
    >>> city.spec.city.name, city.layers["redline"].title
    ('连州市', '生态保护红线')
    """
    path = Path(path)
    file = path / CATALOGUE_FILE if path.is_dir() or not path.suffix else path
    spec = _covered(parse(CatalogueSpec, load_toml(file), str(file)))
    for layer_id, layer in spec.layer.items():
        if layer.coverage not in (*spec.layer, spec.city.outline):
            here = Message("{file}, layer.{layer_id}.coverage", file=file, layer_id=layer_id)
            raise ConfigError(
                here,
                Message("layer '{coverage}' is not described", coverage=layer.coverage),
                nearest(layer.coverage, spec.layer),
            )
    if spec.city.outline not in spec.layer:
        what = Message("layer '{outline}' is not described", outline=spec.city.outline)
        raise ConfigError(Message("{file}, city.outline", file=file), what, nearest(spec.city.outline, spec.layer))
    for layer_id, layer in spec.layer.items():
        check_versions(layer_id, layer, str(file))
    _check_places(file, spec)
    for layer_id, layer in spec.layer.items():
        if any((one.what == "stated") != (one.against is not None) for one in layer.declared):
            what = Message("'against' and the kind 'stated' go together")
            raise ConfigError(Message("layer '{layer_id}'", layer_id=layer_id), what, Message("correct 'declared'"))
    return Catalogue(file.parent, spec)


def _covered(spec: CatalogueSpec) -> CatalogueSpec:
    """Let the layers that name no coverage cover the city, whatever its outline is called."""
    outline = spec.city.outline
    bare = [name for name, one in spec.layer.items() if "coverage" not in one.model_fields_set]
    if "city" in spec.layer or not bare:
        return spec
    layers = {name: spec.layer[name].model_copy(update={"coverage": outline}) for name in bare}
    return spec.model_copy(update={"layer": {**spec.layer, **layers}})


def _check_places(file: Path, spec: CatalogueSpec) -> None:
    """Refuse a catalogue whose files are outside its folder, also through links, unless it names their folder."""
    named = {f"layer.{name}.source": one.source for name, one in spec.layer.items() if not is_address(one.source)}
    named |= {
        f"layer.{name}.versions": version.source
        for name, one in spec.layer.items()
        for version in one.versions
        if not is_address(version.source)
    }
    named |= {f"raster.{name}.source": one.source for name, one in spec.raster.items()}
    named |= {"city.rules": spec.city.rules, "city.dem": spec.city.dem or ""}
    named |= {"city.neighbours": spec.city.neighbours or ""}
    for key, source in [*named.items(), *(("city.outside", one) for one in spec.city.outside)]:
        if not is_file_name(source):
            here = Message("{file}, {key}", file=file, key=key)
            raise ConfigError(here, Message("is no name of a file"), Message("give a path relative to the catalogue"))
    homes = [file.parent.resolve(), *((file.parent / one).resolve() for one in spec.city.outside)]
    for key, source in named.items():
        if not any((file.parent / source).resolve().is_relative_to(home) for home in homes):
            here = Message("{file}, {key}", file=file, key=key)
            what = Message("'{source}' is outside the folder of the city", source=source)
            raise ConfigError(here, what, Message("copy it there, or name its folder in city.outside"))


def measure_declared(catalogue: Catalogue, layer_id: str) -> list[DeclaredCheck]:
    """Measure every figure that is declared for a layer. The layer is never scaled to fit it.

    Parameters
    ----------
    catalogue : Catalogue
        The city.
    layer_id : str
        Id of the layer.

    Returns
    -------
    list of DeclaredCheck
        The declared and the measured figures, in the order of ``catalog.toml``.

    Raises
    ------
    ConfigError
        If the city has no such layer.
    LayerError
        If the layer cannot be read.

    Examples
    --------
    >>> import lzgis as lz
    >>> (one,) = measure_declared(lz.open_catalogue(lz.reference_city()), "townships")
    >>> one.measured, one.holds
    (12.0, True)
    """
    return [
        DeclaredCheck(layer_id, declared, value, declared.holds(value))
        for declared in catalogue.layers[layer_id].declared
        for value in [_measure(catalogue, layer_id, declared)]
    ]


def area_km2(catalogue: Catalogue, layer_id: str, where: Mapping[str, list[str]] | None = None) -> float:
    """Return the ellipsoidal area of a layer, or of its features that match `where`, in km²; overlaps count once.

    Raises
    ------
    LayerError
        If the layer has no such field.
    """
    key = (layer_id, repr(where or {}))
    if key not in catalogue.measured_km2:
        frame = _matching(catalogue, layer_id, where or {})
        # No name for the projected shapes, so that they are freed once they have been cut.
        area = union_area(catalogue.plane.project(frame.geometry.to_numpy()), threads=cores())
        catalogue.measured_km2[key] = area / 1e6
    return catalogue.measured_km2[key]


def _matching(catalogue: Catalogue, layer_id: str, where: Mapping[str, list[str]]) -> gpd.GeoDataFrame:
    frame = catalogue.load(layer_id).layer.frame
    for name, values in where.items():
        if name not in frame.columns:
            raise LayerError(
                Message("layer '{layer_id}'", layer_id=layer_id),
                Message("has no field '{name}'", name=name),
                Message("correct 'declared.where'"),
            )
        frame = frame[frame[name].isin(values)]
    return frame


def _group(spec: LayerSpec, layer_id: str) -> str:
    if spec.group is None:
        raise ConfigError(
            Message("layer '{layer_id}'", layer_id=layer_id),
            Message("declares groups, but no field of groups"),
            Message("name the field under 'group'"),
        )
    return spec.group


def _measure(catalogue: Catalogue, layer_id: str, declared: Declared) -> float:
    if declared.what == "count":
        return float(_matching(catalogue, layer_id, declared.where)["id"].nunique())
    if declared.against is not None:
        return declared.against
    if declared.what == "groups":
        return float(
            _matching(catalogue, layer_id, declared.where)[_group(catalogue.layers[layer_id], layer_id)].nunique()
        )
    if declared.what == "length_km":
        return float(ellipsoidal_length_m(_matching(catalogue, layer_id, declared.where).geometry).sum()) / 1e3
    area = area_km2(catalogue, layer_id, declared.where)
    if declared.what == "area_km2":
        return area
    return area / (declared.denominator_km2 or area_km2(catalogue, catalogue.city.outline))


def _load(
    root: Path,
    layer_id: str,
    spec: LayerSpec,
    part_of_world: str = DEFAULT,
    *,
    near: Near | None = None,
    chosen: Chosen | None = None,
) -> LoadedLayer:
    name = shown(spec.source)
    place = Message("layer '{layer_id}' ({source})", layer_id=layer_id, source=name)
    options = ReadOptions(layer=spec.source_layer, encoding=spec.encoding, where=spec.where, near=near)
    read = read_vector(spec.source if is_address(spec.source) else root / spec.source, options=options)
    problems: list[Problem] = list(read.problems)
    if spec.sha256 and read.sha256 != spec.sha256:
        what = Message("the file is not the one the catalogue describes (sha256 {digest}…)", digest=read.sha256[:12])
        problems.append(
            Problem("warning", place, what, Message("check the file, or correct 'sha256' in the catalogue"))
        )
    crs = _checked_crs(read.frame, spec, place, problems, of=profile(part_of_world))
    frame = layer_columns(read.frame, spec, place, problems)
    if chosen is not None:
        rows = chosen(frame)
        read, frame = read.only(rows.tolist()), frame.iloc[rows].reset_index(drop=True)
    if not spec.shifted:
        problems += shifted_by_fields(read.frame.columns, place)
    located = locate(
        frame.geometry.to_numpy(), Georeference(crs, shifted=spec.shifted or "", profile=profile(part_of_world)), place
    )
    problems += located.problems
    mended = repair_geometries(
        located.geometry, frame["id"].to_numpy(), place, accept=spec.repairs, changes=read.changes
    )
    frame = frame.set_geometry(gpd.GeoSeries(mended.geometry, index=frame.index, crs="EPSG:4490"))[mended.usable]
    frame = frame.reset_index(drop=True)
    _check_dimension(frame, spec, place)
    source = Source(layer_id, name, read.sha256, spec.version, str(spec.date or ""), crs.name, read.engine)
    layer = Layer(layer_id, spec, frame, mended.doubtful)
    found = (*problems, *mended.problems, *_repeated(frame, place))
    return LoadedLayer(layer, source, found, located.transforms, mended.repairs, read.others)


def _repeated(frame: gpd.GeoDataFrame, place: str) -> list[Problem]:
    """Report features with the same shape as another; totals count such a shape once."""
    shape = pd.Series(_digests(frame.geometry.to_numpy()), index=frame.index, dtype=object)
    again = shape.duplicated()
    if not again.any():
        return []
    first = shape[again].map(dict(zip(shape[::-1], frame["id"][::-1], strict=True)))
    pairs = [f"{other} = {one}" for other, one in zip(frame["id"][again], first, strict=True)]
    what = Message(
        "{count} features have the shape of another: {pairs}",
        count=len(pairs),
        pairs=", ".join(pairs[:10]) + (", …" if len(pairs) > 10 else ""),
    )
    return [Problem("warning", place, what, Message("remove what is there twice; totals count it once"))]


def _digests(geometry: np.ndarray) -> list[bytes]:
    """Return a digest of each shape, equal for equal shapes whatever the order of their vertices; a few at a time."""
    found: list[bytes] = []
    for start in range(0, len(geometry), 256):
        some = shapely.to_wkb(shapely.normalize(geometry[start : start + 256]))
        found += [hashlib.blake2b(wkb, digest_size=20).digest() for wkb in some]
    return found


def read_described(root: Path, layer_id: str, spec: LayerSpec, part_of_world: str = DEFAULT) -> LoadedLayer:
    """Read a layer of a folder that is described outside a city's catalogue; `part_of_world` names the profile.

    Raises
    ------
    SourceError, LayerError
        As for the layer of a city.
    """
    place = spec.source if is_address(spec.source) else root / spec.source
    return prepared(
        layer_id, spec, place, lambda: _load(root, layer_id, spec, part_of_world), given=("region", part_of_world)
    )


def read_layer(path: Path) -> LoadedLayer:
    """Read a file as a layer without a catalogue; the usual names of id fields are tried.

    Raises
    ------
    SourceError, LayerError
        If it cannot be read, has no reference system, or ids are missing or duplicated.
    """
    found = read_vector(path).frame
    known = [name for name in SITE_FIELDS["id"] if name in found.columns]
    kinds: dict[int, Literal["polygon", "line", "point"]] = {2: "polygon", 1: "line", 0: "point"}
    dimension = shapely.get_dimensions(found.geometry.to_numpy()).max(initial=-1) if "geometry" in found else 2
    own = getattr(found, "crs", None)
    spec = LayerSpec(
        title=path.stem,
        source=path.name,
        id=known[0] if known else "id",
        name=next((name for name in SITE_FIELDS["name"] if name in found.columns), "name"),
        geometry=kinds.get(int(dimension), "polygon"),
        # A reference system in the specification counts as declared, so it is set only if the file names one.
        **({} if own is None else {"crs": own.to_wkt()}),
    )
    return _load(path.parent, path.stem, spec)


def _checked_crs(frame: gpd.GeoDataFrame, spec: LayerSpec, place: str, problems: list[Problem], *, of: Profile) -> CRS:
    try:
        declared = CRS.from_user_input(spec.crs)
    except CRSError:
        raise ConfigError(
            Message("{place}, crs", place=place),
            Message("'{crs}' is no reference system", crs=spec.crs),
            Message("write one like EPSG:4490"),
        ) from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise LayerError(place, Message("has no geometry"), Message("name the layer with geometry in 'source_layer'"))
    if frame.crs is None and "crs" in spec.model_fields_set:
        what = Message("names no coordinate reference system; {crs} is taken", crs=spec.crs)
        problems.append(Problem("note", place, what, Message("as the catalogue says under 'crs'")))
        return declared
    if frame.crs is None:
        raise LayerError(
            place,
            Message("has no coordinate reference system"),
            Message("write {crs} into the file or the catalogue, if that is it", crs=spec.crs),
        )
    found = CRS.from_user_input(frame.crs)
    if not of.crs and "crs" not in spec.model_fields_set:
        return found
    if found != declared and found.to_epsg() != declared.to_epsg():
        if "crs" not in spec.model_fields_set:
            what = Message(
                "is in {name}, and the catalogue names no 'crs', which means {crs}", name=found.name, crs=of.crs
            )
            code = code_of(found)
            raise LayerError(place, what, Message('add crs = "{code}" to the layer, or correct the file', code=code))
        what = Message("is in {name}, the catalogue says {name2}", name=found.name, name2=declared.name)
        raise LayerError(place, what, Message("correct 'crs' in the catalogue, or the file"))
    return found


def _check_dimension(frame: gpd.GeoDataFrame, spec: LayerSpec, place: str) -> None:
    dimension = shapely.get_dimensions(frame.geometry.to_numpy())
    wrong = np.flatnonzero(dimension != _DIMENSION[spec.geometry])
    if len(wrong):
        first = frame.iloc[int(wrong[0])]
        what = Message(
            "is a {geom_type}, the catalogue says {geometry}",
            geom_type=first.geometry.geom_type,
            geometry=spec.geometry,
        )
        raise LayerError(
            Message("{place}, feature '{first}'", place=place, first=first["id"]),
            what,
            Message("correct 'geometry' in the catalogue, or the file"),
        )


def unknown_values(book: RuleBook, layer: Layer) -> list[Problem]:
    """List the values of a layer's fields that neither a rule nor the catalogue names; no rule applies to such features."""
    named: dict[str, set[str]] = {}
    for rule in book.rules:
        if rule.layer == layer.id:
            for name, wanted in rule.where.items():
                named.setdefault(name, set()).update(wanted)
    problems = []
    for name, values in named.items():
        if name not in layer.frame.columns:
            what = Message("has no field '{name}', which rules need", name=name)
            problems.append(
                Problem(
                    "warning",
                    Message("layer '{id}'", id=layer.id),
                    what,
                    Message("name it under 'fields' in the catalogue"),
                )
            )
            continue
        found = as_texts(layer.frame[name])
        # What the book knows and what the catalogue maps to is meant, though no rule is about it.
        meant = {*book.values.get(layer.id, {}).get(name, ()), *layer.spec.values.get(name, {}).values()}
        unknown = found[~found.isin(values | meant)]
        for value, count in unknown.fillna("").value_counts().items():
            what = Message(
                "field '{name}' is '{value}' in {count} features, which no rule names",
                name=name,
                value=value,
                count=count,
            )
            remedy = Message(
                "rules name {names}; map the value under 'values' in the catalogue",
                names="、".join(sorted(values)),
            )
            problems.append(Problem("warning", Message("layer '{id}'", id=layer.id), what, remedy))
    return problems


def missing_layers(catalogue: Catalogue, book: RuleBook) -> pd.Series:
    """Return the titles of the layers, by id, that rules of `book` need and the city lacks."""
    wanted = {name for rule in book.rules for name in rule.layers}
    return pd.Series(
        {name: book.layer_title(name) for name in sorted(wanted) if not catalogue.exists(name)}, dtype=object
    )
