"""Open a region: several cities that are screened together, and the layers and rules that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely

from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue, open_catalogue, read_described
from lzgis.city.prepared import LoadedLayer
from lzgis.city.reference import city_or_reference
from lzgis.config import is_file_name, load_toml, nearest, parse
from lzgis.coordinates.plane import Geometries, Plane, plane_for
from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.model.region import RegionInfo, RegionSpec
from lzgis.model.rules import RuleBook
from lzgis.reading import is_address
from lzgis.rules.book import read_rulebook

REGION_FILE = "region.toml"
#: Edges are no longer than this (m) before they are moved from one plane to another: a chord then leaves its edge by less
#: than a millimetre.
EDGE_M = 500.0


@dataclass(frozen=True, eq=False)
class Region:
    """Several opened cities, and what they share.

    Attributes
    ----------
    root : Path
        The folder that names in `spec` are relative to.
    spec : RegionSpec
        What ``region.toml`` says.
    cities : mapping of str to Catalogue
        The cities by name, in the order in which they are shown.
    described : bool
        Whether there is a ``region.toml``; otherwise the cities were given one by one.
    """

    root: Path
    spec: RegionSpec
    cities: Mapping[str, Catalogue]
    described: bool = False
    _read: dict[str, LoadedLayer] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Let cities that share layers share the plane as well: large layers are projected and indexed once for all."""
        if self.spec.layer:
            shared = {name: replace(one, plane_of=lambda: self.plane) for name, one in self.cities.items()}
            object.__setattr__(self, "cities", shared)

    @property
    def name(self) -> str:
        """The name of the region."""
        return self.spec.region.name

    @cached_property
    def book(self) -> RuleBook | None:
        """The rule book that all cities share, if there is one."""
        return read_rulebook(self.root / self.spec.region.rules) if self.spec.region.rules else None

    @cached_property
    def vocabulary(self) -> RuleBook:
        """A rule book with the activities and facts of all cities; of what several describe, the first city's."""
        books = [one.book for one in self.cities.values() if self.book is None or (one.root / one.city.rules).is_file()]
        every = [one for one in (self.book, *books) if one is not None]
        activities, facts = (
            {key: value for one in reversed(every) for key, value in getattr(one, part).items()}
            for part in ("activities", "facts")
        )
        return replace(every[0], activities=activities, facts=facts)

    @cached_property
    def outline(self) -> shapely.Geometry:
        """The union of the outlines in EPSG:4490."""
        return shapely.union_all([one.outline for one in self.cities.values()])

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that hold what the region is made of."""
        own = (self.root,) if self.described else ()
        return (*own, *(one.root for one in self.cities.values()))

    @cached_property
    def plane(self) -> Plane:
        """The equal-area plane in which outlines are compared and sites are divided."""
        return plane_for(tuple(shapely.total_bounds([one.outline for one in self.cities.values()])))

    @cached_property
    def outlines(self) -> Geometries:
        """The outlines of the cities in that plane, in their order."""
        found = np.full(len(self.cities), None, dtype=object)
        for at, city in enumerate(self.cities.values()):
            # An edge is straight in the plane of its city, where the layers of the city are compared with it.
            own = shapely.segmentize(city.plane.project([city.outline]), EDGE_M)
            found[at] = self.plane.project(city.plane.unproject(own))[0]
        shapely.prepare(found)
        return found

    def load(self, layer_id: str) -> LoadedLayer:
        """Read a layer that the cities share.

        Raises
        ------
        SourceError, LayerError
            As for the layer of a city.
        """
        if layer_id not in self._read:
            part_of_world = next(iter(self.cities.values())).city.profile
            self._read[layer_id] = read_described(self.root, layer_id, self.spec.layer[layer_id], part_of_world)
        return self._read[layer_id]


def is_region(folder: str | Path) -> bool:
    """Return whether a folder, or a file, describes a region and not one city."""
    path = Path(folder)
    return path.name == REGION_FILE or (path.is_dir() and (path / REGION_FILE).is_file())


def open_region(*folders: str | Path | Catalogue, tolerance_m: float | None = None) -> Region:
    """Open several cities to screen sites that lie in more than one of them.

    Parameters
    ----------
    *folders : path or Catalogue
        Either one folder with a ``region.toml``, or the folders of cities.
    tolerance_m : float, optional
        Gaps and overlaps between outlines up to this width are reported and change no answer; that of ``region.toml``, or
        10 m, if not given.

    Returns
    -------
    Region
        The cities by name, in the order in which they are shown.

    Raises
    ------
    ConfigError
        If a folder is neither, is given twice, or two cities have the same name.

    Examples
    --------
    >>> from lzgis.city.reference import reference_city
    >>> region = open_region(reference_city())
    >>> list(region.cities)
    ['连州市']
    """
    if not folders:
        raise ConfigError("open_region", Message("no city is given"), Message("give the folders of the cities"))
    first = folders[0]
    if len(folders) == 1 and not isinstance(first, Catalogue) and is_region(first):
        return _described(Path(first), tolerance_m)
    opened = [one if isinstance(one, Catalogue) else _city(Path(one)) for one in folders]
    names = [one.city.name for one in opened]
    english = [one.city.name_en or one.city.name for one in opened]
    folders_named = [one.root.name or "." for one in opened]
    info = RegionInfo(name="、".join(names), name_en=", ".join(english), cities=folders_named)
    if tolerance_m is not None:
        info = info.model_copy(update={"tolerance_m": tolerance_m})
    return Region(Path(), RegionSpec(region=info), _by_name(opened, "--layers"))


def region_or_city(folders: Sequence[Path] | None) -> Region | Path:
    """Return the region of several folders; of one folder itself, and of none that of the reference city."""
    if folders and len(folders) > 1:
        return open_region(*folders)
    return city_or_reference(folders[0] if folders else None)


def open_city_or_region(city: Catalogue | Region | str | Path) -> Catalogue | Region:
    """Return a city or region, opened if its folder is given."""
    if not isinstance(city, str | Path):
        return city
    return open_region(city) if is_region(city) else open_catalogue(city)


def _described(path: Path, tolerance_m: float | None) -> Region:
    file = path if path.name == REGION_FILE else path / REGION_FILE
    spec = parse(RegionSpec, load_toml(file), str(file))
    if tolerance_m is not None:
        spec = spec.model_copy(update={"region": spec.region.model_copy(update={"tolerance_m": tolerance_m})})
    _check_names(file, spec)
    opened = [_city(file.parent / one) for one in spec.region.cities]
    if not spec.region.rules:
        for one in opened:
            _ = one.book
    return Region(file.parent, spec, _by_name(opened, str(file)), described=True)


def _city(folder: Path) -> Catalogue:
    if is_region(folder):
        what = Message("'{folder}' is a region, which cannot be part of another", folder=folder.name)
        raise ConfigError(str(folder), what, Message("give it alone, or give the folders of its cities"))
    if not (folder / CATALOGUE_FILE if folder.is_dir() else folder).is_file():
        here = folder.parent if folder.parent.is_dir() else Path()
        others = sorted(one.parent.name for one in here.glob(f"*/{CATALOGUE_FILE}"))
        raise ConfigError(str(folder), Message("is no folder of a city"), nearest(folder.name, others))
    return open_catalogue(folder)


def _check_names(file: Path, spec: RegionSpec) -> None:
    """Refuse names that are none, and layers and rules outside of the folder, also through links."""
    home = file.parent.resolve()
    layers = {f"layer.{name}": (one.source, *(v.source for v in one.versions)) for name, one in spec.layer.items()}
    named = [(key, one) for key, sources in layers.items() for one in sources if not is_address(one)]
    named.append(("region.rules", spec.region.rules))
    for key, source in [*named, *(("region.cities", one) for one in spec.region.cities)]:
        here = Message("{file}, {key}", file=file, key=key)
        if not is_file_name(source):
            raise ConfigError(here, Message("is no name of a file"), Message("give a path relative to the catalogue"))
        if key != "region.cities" and not (home / source).resolve().is_relative_to(home):
            what = Message("'{source}' is outside the folder of the region", source=source)
            raise ConfigError(here, what, Message("copy it there"))


def _by_name(opened: Sequence[Catalogue], place: str) -> dict[str, Catalogue]:
    found: dict[str, Catalogue] = {}
    for one in opened:
        if one.city.name in found:
            what = Message("two cities are called '{name}'", name=one.city.name)
            raise ConfigError(place, what, Message("name each folder once, or correct 'name' in a catalogue"))
        found[one.city.name] = one
    return found
