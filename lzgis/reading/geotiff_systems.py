"""Where a GeoTIFF states its system: codes, parameters and citations in its keys, a .prj and a world file beside it.

GDAL takes the code and ignores the others; here they are compared.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio import Affine

from lzgis.coordinates.stated_twice import check_alike, of_code, statements_of
from lzgis.errors import SourceError
from lzgis.files.geotiff import opened_tiff
from lzgis.messages import Message
from lzgis.reading.base import ReadOptions, beside
from lzgis.reading.datum_words import datum_word

Keys = Mapping[int, Any]
Statements = list[tuple[str, CRS]]

_DIRECTORY, _NUMBERS, _TEXTS, _DESCRIPTION = 34735, 34736, 34737, 270
#: Keys of the codes, of the units, and of the texts.
_GEOGRAPHIC, _PROJECTED, _ANGLE, _LENGTH = 2048, 3072, 2054, 3076
_CITATIONS = (1026, 3073, 2049)
_USER_DEFINED, _DEGREE, _METRE = 32767, 9102, 9001
#: Keys of parameters, with their names in a projection.
_PARAMETERS = {
    3080: "Longitude of natural origin",
    3084: "Longitude of natural origin",
    3088: "Longitude of natural origin",
    3081: "Latitude of natural origin",
    3082: "False easting",
    3083: "False northing",
    3092: "Scale factor at natural origin",
}
_AXIS, _FLATTENING = 2057, 2059
_WORLD_FILES = (".tfw", ".tifw", ".tiffw", ".wld")
#: Grids are the same if they differ by less than this share of a cell.
_SAME = 0.01


@contextmanager
def opened_geotiff(path: Path) -> Iterator[Any]:
    """Open a GeoTIFF as :func:`lzgis.files.geotiff.opened_tiff` does, and check what it states of its system.

    Raises
    ------
    SourceError
        As `opened_tiff` and `check_geotiff_systems`.
    """
    with opened_tiff(path) as source:
        check_geotiff_systems(path, source)
        yield source


def check_geotiff_systems(path: Path, source: Any) -> None:
    """Compare all statements of the system and the position of a GeoTIFF.

    Parameters
    ----------
    path : Path
        The file.
    source : rasterio.DatasetReader
        The same, opened by GDAL, with the system and the position that GDAL found.

    Raises
    ------
    SourceError
        If two statements put the cells elsewhere, or a text or the name of the file names a datum before CGCS2000.
    """
    keys, description = geo_keys(path)
    wkt = "" if source.crs is None else source.crs.to_wkt()
    found = [*_of_code(keys), *(statements_of(wkt) if wkt else [])]
    if found:
        used = found[0][1].sub_crs_list[0] if found[0][1].is_compound else found[0][1]
        found += [*_of_parameters(keys, used), *_of_texts(keys, used)]
        prj = beside(path, ".prj")
        found += statements_of(prj.read_text("utf-8", "replace"))[:1] if prj is not None else []
        options = ReadOptions(crs=used.to_wkt())
        for text in (path.stem, description, *(str(keys.get(one, "")) for one in _CITATIONS)):
            datum_word(text, options, str(path))
    _check_world_file(path, source.transform)
    a, b, c, d, e, f = source.transform[:6]
    x = [c + a * column + b * row for column in (0, source.width) for row in (0, source.height)]
    y = [f + d * column + e * row for column in (0, source.width) for row in (0, source.height)]
    check_alike(found, (min(x), min(y), max(x), max(y)), str(path))


def geo_keys(path: Path) -> tuple[dict[int, Any], str]:
    """Return the keys of a GeoTIFF with their values, and its description; empty if it has none.

    Examples
    --------
    >>> import numpy, rasterio, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.tif"
    >>> with rasterio.open(
    ...     path, "w", driver="GTiff", width=1, height=1, count=1, dtype="uint8",
    ...     crs="EPSG:4526", transform=Affine(10, 0, 38_350_000, 0, -10, 2_766_000),
    ... ) as out:
    ...     out.write(numpy.ones((1, 1, 1), "uint8"))
    >>> geo_keys(path)[0][3072]
    4526
    """
    with path.open("rb") as stream, warnings.catch_warnings():
        # Damaged tags, of which Pillow warns, are found when cells are read.
        warnings.simplefilter("ignore")
        head = stream.read(8)
        try:
            tags = ImageFileDirectory_v2(head + (stream.read(8) if 43 in head[2:4] else b""))
            stream.seek(tags.next)
            tags.load(stream)
            directory, numbers = np.ravel(tags.get(_DIRECTORY, ())), np.ravel(tags.get(_NUMBERS, ()))
            text, description = tags.get(_TEXTS, ""), str(tags.get(_DESCRIPTION, ""))
        except Exception:  # Pillow raises many kinds for damaged files; GDAL has read this one.
            return {}, ""
    keys: dict[int, Any] = {}
    for at in range(4, len(directory) - 3, 4):
        key, place, count, value = map(int, directory[at : at + 4])
        if place == 0:
            keys[key] = value
        elif place == _NUMBERS and value < len(numbers):
            keys[key] = float(numbers[value])
        elif place == _TEXTS:
            keys[key] = str(text)[value : value + count].strip("|\0 ")
    return keys, description


def _of_code(keys: Keys) -> Statements:
    code = keys.get(_PROJECTED) or keys.get(_GEOGRAPHIC)
    return of_code("EPSG", code) if code not in (None, 0, _USER_DEFINED) else []


def _of_parameters(keys: Keys, used: CRS) -> Statements:
    """Return the system with the parameters, the ellipsoid and the geographic code that stand beside its code."""
    definition = used.to_json_dict()
    conversion, base = definition.get("conversion"), definition.get("base_crs", definition)
    if keys.get(_ANGLE, _DEGREE) != _DEGREE or keys.get(_LENGTH, _METRE) != _METRE:
        return []
    parameters = {one["name"]: one for one in (conversion or {}).get("parameters", ())}
    stated = {name: keys[key] for key, name in _PARAMETERS.items() if key in keys and name in parameters}
    for name, value in stated.items():
        parameters[name]["value"] = value
    ellipsoid = base.get("datum", base.get("datum_ensemble", {})).get("ellipsoid")
    if ellipsoid and _AXIS in keys and keys.get(_FLATTENING):
        stated |= {"ellipsoid": ""}
        ellipsoid |= {"semi_major_axis": keys[_AXIS], "inverse_flattening": keys[_FLATTENING]}
        ellipsoid.pop("semi_minor_axis", None)
    found = [_system(Message("its parameters"), definition)] if stated else []
    code = keys.get(_GEOGRAPHIC)
    if conversion and code not in (None, 0, _USER_DEFINED):
        found += [_on(used, crs, where) for where, crs in of_code("EPSG", code)]
    return [one for one in found if one is not None]


def _of_texts(keys: Keys, used: CRS) -> Statements:
    """Return the systems that citations name, or define as ESRI does."""
    found: list[tuple[str, CRS] | None] = []
    for key in _CITATIONS:
        text = str(keys.get(key, ""))
        definition = text.partition("ESRI PE String =")[2].strip()
        found += statements_of(definition)[:1] if definition else []
        for part in [] if definition else text.split("|"):
            kind, equals, name = part.rpartition("=")
            if equals and kind.strip() not in ("PCS Name", "GCS Name", "Datum"):
                continue
            found += [_named(name.strip(), used)]
    return [one for one in found if one is not None]


def _named(name: str, used: CRS) -> tuple[str, CRS] | None:
    if not re.search(r"\d", name):
        return None
    where = Message("its citation")
    try:
        crs = CRS.from_user_input(name)
    except CRSError:
        return None
    if _plain(crs.name) != _plain(name) and not _is_alias(name):
        return None
    if crs.is_projected == used.is_projected:
        return where, crs
    return _on(used, crs, where) if crs.is_geographic else None


def _is_alias(name: str) -> bool:
    """Return whether a name is one of ESRI, which PROJ knows as aliases of whole names."""
    return re.fullmatch(r"\w+", name) is not None


def _on(used: CRS, base: CRS, where: str) -> tuple[str, CRS] | None:
    """Return a projected system on another geographic one."""
    definition = used.to_json_dict()
    if "base_crs" not in definition or not base.is_geographic or len(base.axis_info) != 2:
        return None
    definition["base_crs"] = base.to_json_dict()
    return _system(where, definition, f"{base.name} ({used.name})")


def _system(where: str, definition: dict[str, Any], name: str = "") -> tuple[str, CRS] | None:
    changed = {key: value for key, value in definition.items() if key != "id"}
    try:
        return where, CRS.from_json_dict(changed | ({"name": name} if name else {}))
    except CRSError:
        return None


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())


def _check_world_file(path: Path, transform: Affine) -> None:
    """Refuse a raster that a world file beside it puts elsewhere than its own tags, which GDAL takes."""
    for suffix in _WORLD_FILES:
        world = beside(path, suffix)
        if world is None:
            continue
        try:
            a, d, b, e, x, y = (float(line) for line in world.read_text("ascii", "replace").split()[:6])
        except ValueError:
            continue
        # A world file states the centre of the first cell.
        stated = (a, b, x - (a + b) / 2, d, e, y - (d + e) / 2)
        if any(abs(one - other) > _SAME * abs(a) for one, other in zip(stated, transform[:6], strict=True)):
            what = Message(
                "states two different positions: '{name}' puts it elsewhere than the file does",
                name=world.name,
            )
            raise SourceError(str(path), what, Message("look which of the two is right, and correct the other"))
