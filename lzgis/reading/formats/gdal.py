"""Vector files read by GDAL: with pyogrio, or with fiona if pyogrio refuses them."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import geopandas as gpd
import numpy as np
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Near, Read, ReadOptions
from lzgis.reading.formats.flatgeobuf_rows import rows_of_flatgeobuf
from lzgis.reading.near import boxes_in, sha256_once
from lzgis.reading.repair import Change
from lzgis.reading.sandbox.limits import ARC_STEP_DEG
from lzgis.reading.shapes import CLOSED, LOOK_FOR_POINTS, WINDOW, read_frame, rows_in

PYOGRIO = f"pyogrio {pyogrio.__version__}, GDAL {pyogrio.__gdal_version_string__}"


class Kind(NamedTuple):
    """A kind of file: its GDAL driver, its name, and the bytes that every such file begins with."""

    driver: str
    title: str
    begins: tuple[bytes, ...] = ()


GPKG = Kind("GPKG", "GeoPackage", (b"SQLite format 3\0",))
FLATGEOBUF = Kind("FlatGeobuf", "FlatGeobuf", (b"fgb\x03fgb",))
FILEGDB = Kind("OpenFileGDB", "file geodatabase")


def read_gpkg(path: Path, options: ReadOptions) -> Read:
    """Read a layer of a GeoPackage."""
    check_beginning(path, GPKG)
    only = check_geopackage(path, options.layer)
    if options.near is not None:
        return _read_near(path, GPKG, options, options.near, only=only, IMMUTABLE="YES")
    read = read_gdal(path, GPKG, options, only=only, IMMUTABLE="YES", **_window(options))
    layer = only or options.layer or _layer(path, None)
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        asked = "SELECT table_name, identifier, description FROM gpkg_contents WHERE table_name = ?"
        titles = tuple(str(one) for one in database.execute(asked, (layer,)).fetchone() or () if one)
        name = layer.replace('"', '""')
        held = int(database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
    # GDAL believes the count that a table of the file states (gpkg_ogr_contents).
    if len(read.frame) != (stated := rows_in(held, **_window(options))):
        refuse_lost(len(read.frame), stated, str(path))
    return _with_total(replace(read, titles=titles), path, options)


def read_filegdb(path: Path, options: ReadOptions) -> Read:
    """Read a layer of a file geodatabase (a folder)."""
    if not any(path.glob("*.gdbtable")):
        raise SourceError(
            str(path), Message("is no {kind}", kind=FILEGDB.title), Message("copy the whole folder, with all its files")
        )
    read = read_gdal(path, FILEGDB, options)
    if any("guess feature locations" in one.what for one in read.problems):
        # GDAL guesses where the rows are.
        what = Message("a table has no index (.gdbtablx)")
        raise SourceError(str(path), what, Message("copy the whole folder, with all its files"))
    return read


def read_flatgeobuf(path: Path, options: ReadOptions) -> Read:
    """Read a FlatGeobuf, and report that its rows are not in the order in which they were written.

    Raises
    ------
    SourceError
        If it has fewer rows than its header states: GDAL reads a file that is cut short within its index as empty.
    """
    check_beginning(path, FLATGEOBUF)
    if options.near is not None:
        return _read_near(path, FLATGEOBUF, options, options.near)
    held = rows_of_flatgeobuf(path) if options.rows is None else None
    read = read_gdal(path, FLATGEOBUF, options, **_window(options))
    features = int(pyogrio.read_info(path)["features"])
    # A header may leave the number open.
    stated = rows_in(features, **_window(options)) if features >= 0 else len(read.frame)
    if len(read.frame) != stated:
        what = Message("is cut short: {read} of {stated} rows can be read", read=len(read.frame), stated=stated)
        raise SourceError(str(path), what, Message("export the file again"))
    if held is not None and held != stated:
        refuse_lost(len(read.frame), held, str(path))
    what = Message("rows stand in the order of the file's spatial index, not in the one they were written in")
    problem = Problem("note", str(path), what, Message("go by ids, not by row numbers"))
    return _with_total(replace(read, problems=(*read.problems, problem)), path, options)


def _window(options: ReadOptions) -> dict[str, Any]:
    return {} if options.rows is None else dict(zip(WINDOW, options.rows, strict=True))


def _read_near(
    path: Path, kind: Kind, options: ReadOptions, near: Near, *, only: str | None = None, **opening: Any
) -> Read:
    """Read the rows whose boxes meet a window, and those without a geometry, in the order of the file."""
    layer = only or _layer(path, options.layer)
    info = pyogrio.read_info(path, layer=layer, force_feature_count=True, **opening)
    boxes = boxes_in(near, info["crs"])
    if kind is GPKG:
        status = path.stat()
        _refuse_stale_index(path, layer, str(info["geometry_name"]), (status.st_size, status.st_mtime_ns))
    fids = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *_found(path, layer, boxes, info, opening)]))
    if len(fids):
        read = read_gdal(path, kind, options, only=layer, fids=fids, **opening)
    else:
        # One row is enough for the columns and their types.
        read = read_gdal(path, kind, options, only=layer, skip_features=0, max_features=1, **opening).only([])
    if len(read.frame) != len(fids):
        refuse_lost(len(read.frame), len(fids), str(path))
    return replace(read, others=int(info["features"]) - len(fids), sha256=sha256_once(path), name=path.name)


@lru_cache(maxsize=64)
def _refuse_stale_index(path: Path, layer: str, column: str, state: tuple[int, int]) -> None:
    """Refuse a GeoPackage whose index of places lacks shapes, which windows would not find; checked once for each state."""
    del state
    table, shape, index = (name.replace('"', '""') for name in (layer, column, f"rtree_{layer}_{column}_rowid"))
    # The fifth bit of the fourth byte of a shape says that it is empty; empty shapes are in no index.
    filled = f"\"{shape}\" IS NOT NULL AND substr(hex(substr(\"{shape}\", 4, 1)), 1, 1) IN ('0', '2')"
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        asked = "SELECT count(*) FROM sqlite_master WHERE lower(name) = lower(?)"
        if not database.execute(asked, (f"rtree_{layer}_{column}_rowid",)).fetchone()[0]:
            return
        lacking = f'SELECT count(*) FROM "{table}" AS t WHERE {filled} AND NOT EXISTS '
        lacking += f'(SELECT 1 FROM "{index}" AS i WHERE i.rowid = t.rowid)'
        count = int(database.execute(lacking).fetchone()[0])
    if count:
        what = Message("its index of places lacks {count} shapes, so that it cannot be read by windows", count=count)
        raise SourceError(str(path), what, Message('save the layer again, or write read = "whole" into the catalogue'))


def _found(
    path: Path, layer: str, boxes: Sequence[tuple[float, float, float, float]], info: dict[str, Any], opening: Any
) -> Iterator[np.ndarray]:
    """Iterate over the numbers of the rows that meet each box, then of those without a geometry."""
    asked: dict[str, Any] = {"layer": layer, "columns": [], "read_geometry": False, "return_fids": True, **opening}
    for box in boxes:
        yield pyogrio.raw.read(path, bbox=box, **asked)[1]
    if info["driver"] == GPKG.driver:
        column = str(info["geometry_name"]).replace('"', '""')
        yield pyogrio.raw.read(path, where=f'"{column}" IS NULL', **asked)[1]


def _with_total(read: Read, path: Path, options: ReadOptions) -> Read:
    """Add the number of all rows if only some were read."""
    if options.rows is None:
        return read
    info = pyogrio.read_info(path, layer=_layer(path, options.layer), force_feature_count=True)
    return replace(read, total=int(info["features"]))


def check_beginning(path: Path, kind: Kind) -> None:
    """Refuse a file whose content does not match its suffix: GDAL would open it as another format.

    Raises
    ------
    SourceError
        If it does not begin with the bytes of its format.
    """
    with path.open("rb") as stream:
        head = stream.read(max(map(len, kind.begins)))
    if not head.startswith(kind.begins):
        raise SourceError(
            str(path),
            Message("is no {kind}", kind=kind.title),
            Message("check the file and its suffix, or export it again"),
        )


def read_gdal(path: Path, kind: Kind, options: ReadOptions, *, only: str | None = None, **opening: Any) -> Read:
    """Read a layer with pyogrio, or with fiona if pyogrio refuses it.

    Parameters
    ----------
    path : Path
        The file, already checked to be of its kind.
    kind : Kind
        The kind.
    options : ReadOptions
        Which layer.
    only : str, optional
        The layer, if it is already known.
    **opening
        Options of the driver, or of :func:`pyogrio.read_dataframe`.

    Raises
    ------
    SourceError
        If it has several layers and none was named, or neither library reads it.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            layer = only or _layer(path, options.layer)
            frame, found, changes = read_frame(path, layer, **opening)
        problems = (*found, *_warnings(caught, path))
        return Read(frame, PYOGRIO, problems, crs=_crs_of(frame), changes=changes)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as first:
        if "fids" in opening:
            # Fiona would read all rows.
            refuse(path, first)
        return _read_by_fiona(path, kind, replace(options, encoding=opening.get("encoding")), first)
    except (pyogrio.errors.GeometryError, UnicodeDecodeError, ValueError, RuntimeError) as error:
        refuse(path, error)


def refuse(path: Path, error: Exception) -> NoReturn:
    """Raise the error for a file that cannot be read."""
    raise SourceError(
        str(path), Message("cannot be read ({first})", first=error), Message("save it again as GeoPackage")
    ) from error


def refuse_lost(read: int, stated: int, place: str) -> NoReturn:
    """Raise the error for a file of which the reader skips rows."""
    what = Message("holds {stated} rows, of which only {read} can be read", stated=stated, read=read)
    raise SourceError(place, what, Message("export the file again"))


def choose_layer(place: str, layers: Sequence[str], wanted: str | None) -> str:
    """Return one of several layers (sheets, members): the one that was named, or the only one.

    Raises
    ------
    SourceError
        If there are several and none was named, or there is none of that name.
    """
    names = ", ".join(layers)
    if wanted is not None and wanted not in layers:
        raise SourceError(
            place,
            Message("has no layer '{layer}'", layer=wanted),
            Message("name one of {names}", names=names),
        )
    if wanted is None and len(layers) != 1:
        raise SourceError(
            place,
            Message("holds {count} layers", count=len(layers))
            if layers
            else Message("holds no layer that can be read"),
            Message("name one of {names}", names=names)
            if layers
            else Message("the file may be cut short; export it again"),
        )
    return wanted if wanted is not None else layers[0]


def _layer(path: Path, wanted: str | None) -> str:
    listed = [(str(name), shape) for name, shape in pyogrio.list_layers(path) if name != "layer_styles"]
    with_shape = [name for name, shape in listed if shape is not None]
    # Tables without geometry are only read if there is no other layer.
    return choose_layer(str(path), (with_shape if wanted is None else []) or [n for n, _ in listed], wanted)


def _warnings(caught: Sequence[warnings.WarningMessage], path: Path) -> tuple[Problem, ...]:
    texts = dict.fromkeys(str(one.message) for one in caught if not issubclass(one.category, DeprecationWarning))
    remedy = Message("look at the file in the program it comes from")
    return tuple(
        Problem("warning", str(path), Message("reading it, GDAL said: {text}", text=library_message(text)), remedy)
        for text in texts
    )


def _crs_of(frame: gpd.GeoDataFrame) -> Decided | None:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None:
        return None
    return Decided(CRS.from_user_input(frame.crs).name, Message("named in the file"))


@contextmanager
def logged(logger: str, level: int = logging.ERROR) -> Iterator[list[str]]:
    """Collect the log messages of a package from a level on; a context manager."""
    caught: list[str] = []
    handler = logging.Handler(level)
    handler.emit = lambda record: caught.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger(logger)
    before, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        yield caught
    finally:
        log.removeHandler(handler)
        log.propagate = before


def _crs_by_fiona(source: Any) -> CRS | None:
    """Return the reference system; None if it is invalid."""
    from fiona._err import CPLE_BaseError

    try:
        return CRS.from_wkt(source.crs_wkt) if source.crs_wkt else None
    except (CPLE_BaseError, CRSError):
        return None


def _stated(source: Any, otherwise: int) -> int:
    try:
        return len(source)
    except TypeError:  # A driver that does not count: a drawing.
        return otherwise


def _read_by_fiona(path: Path, kind: Kind, options: ReadOptions, first: Exception) -> Read:
    try:
        import fiona
    except ImportError:
        refuse(path, first)
    try:
        # An encoding is only given where pyogrio reads bytes too.
        more = {"encoding": options.encoding} if options.encoding else {}
        with (
            logged(fiona.log.name) as errors,
            fiona.Env(OGR_ARC_STEPSIZE=str(ARC_STEP_DEG)),
            fiona.open(path, layer=options.layer, allowed_drivers=[kind.driver], **more) as source,
        ):
            crs = _crs_by_fiona(source)
            rows = list(source)
            stated = _stated(source, len(rows))
            frame = gpd.GeoDataFrame.from_features(rows, crs=crs)
    except (fiona.errors.FionaError, fiona.errors.FionaValueError, ValueError) as second:
        what = Message("cannot be read (pyogrio: {first}; fiona: {second})", first=first, second=second)
        raise SourceError(str(path), what, Message("save it again as GeoPackage")) from second
    if errors:
        # Fiona logs what GDAL could not read and returns the rest, which must not be taken for the whole.
        what = Message(
            "cannot be read (pyogrio: {first}; fiona: {second})", first=first, second=library_message(errors[0])
        )
        raise SourceError(str(path), what, Message("save it again as GeoPackage")) from first
    if len(frame) != stated:
        # Where pyogrio stops at a broken row, fiona skips it without a message.
        refuse(path, first)
    note = Problem(
        "note",
        str(path),
        Message("was read by fiona, because pyogrio refused it ({first})", first=first),
        Message("look at its arcs, if it has any: they are drawn as chords"),
    )
    engine = f"fiona {fiona.__version__}, GDAL {fiona.__gdal_version__}"
    open_rows = tuple(i for i, row in enumerate(rows) if row.geometry is not None and _is_open(row.geometry))
    unclosed = tuple(
        Problem("warning", Message("{place}, row {row}", place=path, row=row + 1), CLOSED, LOOK_FOR_POINTS)
        for row in open_rows
    )
    changes = (Change(open_rows, CLOSED),) if open_rows else ()
    return Read(frame, engine, (note, *unclosed), crs=_crs_of(frame), changes=changes)


def _is_open(geometry: Any) -> bool:
    """Return whether a polygon read by fiona has an unclosed ring, which shapely would close without a message."""
    if geometry.type == "GeometryCollection":
        return any(map(_is_open, geometry.geometries))
    polygons = {"Polygon": [geometry.coordinates], "MultiPolygon": geometry.coordinates}.get(geometry.type, ())
    return any(ring[0] != ring[-1] for polygon in polygons for ring in polygon if len(ring))


#: Every layer except the one of styles, and whether it is a table with geometries.
_LAYERS = """
SELECT c.table_name, c.data_type = 'features' AND g.table_name IS NOT NULL AND m.name IS NOT NULL FROM gpkg_contents c
LEFT JOIN gpkg_geometry_columns g ON g.table_name = c.table_name
LEFT JOIN sqlite_master m ON m.name = c.table_name AND m.type = 'table'
WHERE c.table_name <> 'layer_styles'
"""


def check_geopackage(path: Path, wanted: str | None) -> str | None:
    """Refuse layers that are views, and a file whose last changes are in a journal beside it.

    Parameters
    ----------
    path : Path
        The file.
    wanted : str, optional
        The layer to read; any, if None.

    Returns
    -------
    str or None
        The layer to read, if it is the only one; else GDAL lists the layers.

    Raises
    ------
    SourceError
        If it is no database, the layer (or one of several) is a view, or there is a journal beside it.
    """
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.is_file() and beside.stat().st_size:
            what = Message("has changes beside it that are not in it ({name})", name=beside.name)
            raise SourceError(str(path), what, Message("close it in the program that writes it, then read it again"))
    try:
        # Immutable: SQLite locks nothing and writes no files beside it.
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            # Triggers do not run when reading; a view can compute anything.
            rows = database.execute(
                "SELECT c.table_name FROM gpkg_contents c JOIN sqlite_master m ON lower(m.name) = lower(c.table_name) "
                "WHERE m.type = 'view'"
            ).fetchall()
            layers = database.execute(_LAYERS).fetchall()
        finally:
            database.close()
    except sqlite3.Error as error:
        raise SourceError(
            str(path),
            Message("is damaged ({error})", error=library_message(error)),
            Message("fetch or export the file again"),
        ) from None
    views = [str(name) for (name,) in rows]
    if wanted in views or (wanted is None and views):
        what = Message("layer '{layer}' is a view, not a table", layer=wanted or views[0])
        raise SourceError(str(path), what, Message("save what it shows as a table of its own, or name another layer"))
    only = str(layers[0][0]) if len(layers) == 1 and layers[0][1] else None
    return only if wanted in (None, only) else None
