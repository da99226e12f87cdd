"""Tables of a PostGIS database, through SQLAlchemy and psycopg (extra "postgis").

Every name is looked up in the catalogue of the database and quoted by SQLAlchemy, every value of the filter is a bound
parameter: no text of the user becomes SQL. The transaction is read-only.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.plane import Geometries
from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.addresses import shown
from lzgis.reading.arcs import OTHER_STEPS_DEG, square_metres, with_chords
from lzgis.reading.base import Decided, Read, ReadOptions
from lzgis.reading.formats.gdal import choose_layer
from lzgis.reading.near import boxes_in
from lzgis.reading.sandbox.limits import ARC_STEP_DEG
from lzgis.reading.shapes import Shapes, parse_refused_wkb

if TYPE_CHECKING:
    from sqlalchemy import ColumnClause, ColumnElement, Connection
    from sqlalchemy.engine import URL
    from sqlalchemy.sql.base import ReadOnlyColumnCollection

_LIMITS = "-c statement_timeout=120000 -c default_transaction_read_only=on"
_GEOMETRY_COLUMNS = (
    "SELECT f_table_schema, f_table_name, f_geometry_column, srid FROM geometry_columns ORDER BY 1, 2, 3"
)
# Not information_schema, which lacks materialised views.
_COLUMNS = (
    "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = :schema AND c.relname = :table ORDER BY a.attnum"
)
_KEY = (
    "SELECT a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey) "
    "WHERE i.indisprimary AND n.nspname = :schema AND c.relname = :table ORDER BY a.attnum"
)
#: The flag of an SRID in EWKB.
_SRID = 0x20000000
_SYSTEM = "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = :srid"


class _Table(NamedTuple):
    schema: str
    table: str
    geometry: str
    srid: int


def read_postgis(address: str, options: ReadOptions) -> Read:
    """Read a table or view of a PostGIS database.

    The layer is named ``schema.table``, ``table`` if it is in ``public``, or ``schema.table.column`` if a table has several
    columns of geometry. Rows come in the order of the primary key.

    Raises
    ------
    SourceError
        If the database cannot be reached, has no such table, or the extra is not installed.
    """
    place = shown(address)
    try:
        from sqlalchemy import create_engine
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.pool import NullPool

        importlib.metadata.version("psycopg")
    except ImportError:
        raise SourceError(
            place,
            Message("needs packages that are not installed: {package}", package="SQLAlchemy, psycopg"),
            Message("install it with: {command}", command="pip install 'lzgis[postgis]'"),
        ) from None
    url = _url(address, place)
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10, "options": _LIMITS})
    try:
        with engine.connect() as connection:
            return _read(connection, place, options)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        if url.password:
            for secret in (str(url.password), quote(str(url.password), safe="")):
                reason = reason.replace(secret, "…")
        raise SourceError(
            place,
            Message("the database refused ({error})", error=library_message(reason)),
            Message("check host, database, user and rights; a password may stand in PGPASSWORD or ~/.pgpass"),
        ) from None


def _url(address: str, place: str) -> URL:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url("postgresql+psycopg" + address[address.index("://") :])
    except (ArgumentError, ValueError):
        url = None
    # Parameters of an address could name other hosts, password files or options of the server.
    if url is None or not url.database or set(url.query) - {"sslmode"}:
        raise SourceError(
            place,
            Message("is no address of a database"),
            Message("write postgis://user@host:port/database, with ?sslmode=… at most"),
        )
    return url


def _read(connection: Connection, place: str, options: ReadOptions) -> Read:
    from sqlalchemy import column, func, or_, select, table, text

    found = _table(connection, place, options.layer)
    here = f"{place} {found.schema}.{found.table}"
    names = {"schema": found.schema, "table": found.table}
    kinds = {str(r[0]): str(r[1]) for r in connection.execute(text(_COLUMNS), names)}
    kept = [n for n, kind in kinds.items() if kind not in ("geometry", "geography", "raster") or n == found.geometry]
    key = [str(r[0]) for r in connection.execute(text(_KEY), names)]
    source = table(found.table, *(column(n) for n in kept), schema=found.schema)
    shape = source.c[found.geometry]
    chosen = (_drawn(shape) if n == found.geometry else [source.c[n]] for n in kept)
    query = select(*chain.from_iterable(chosen)).order_by(*(source.c[n] for n in key))
    for condition in _conditions(source.c, options.where, kept, here):
        query = query.where(condition)
    srid = _srid(connection, found, shape, here)
    crs = _system(connection, srid, here) if srid else None
    held = None
    if options.near is not None:
        held = int(connection.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        boxes = boxes_in(options.near, crs)
        # The operator of the spatial index of the table.
        meets = (shape.op("&&")(func.ST_MakeEnvelope(*box, srid)) for box in boxes)
        query = query.where(or_(shape.is_(None), *meets))
    shapes = _shapes(pd.read_sql(query, connection), found.geometry, crs, here)
    frame, problems = shapes.frame, list(shapes.problems)
    left_out = [n for n in kinds if n not in kept]
    if left_out:
        what = Message("has more than one column of shapes; {names} were left out", names=", ".join(left_out))
        problems.append(Problem("warning", here, what, Message("give them as files of their own")))
    if options.where:
        what = Message("{count} rows meet the filter", count=len(frame))
        problems.append(Problem("note", here, what, Message("as the filter demands")))
    decided = Decided(crs.name, Message("SRID {srid} of the table", srid=srid)) if crs is not None else None
    noted, digest = tuple(problems), content_sha256(frame)
    engine, others = _engine(connection), 0 if held is None else held - len(frame)
    return Read(frame, engine, noted, crs=decided, sha256=digest, name=here, changes=shapes.changes, others=others)


def _drawn(shape: ColumnClause[Any]) -> list[ColumnElement[Any]]:
    """Query the shapes with arcs as chords of the usual angle and, if there are arcs, again with other chords."""
    from sqlalchemy import case, func

    # With tolerance type 2, the tolerance is the angle of a chord in radians.
    chords = {step: func.ST_CurveToLine(shape, math.radians(step), 2, 0) for step in (ARC_STEP_DEG, *OTHER_STEPS_DEG)}
    others = [case((func.ST_HasArc(shape), chords[step])).label(_column(step)) for step in OTHER_STEPS_DEG]
    return [chords[ARC_STEP_DEG].label(shape.name), *others]


def _column(step_deg: float) -> str:
    return f"lzgis: arcs as chords of {step_deg}°"


def _shapes(table: pd.DataFrame, geometry: str, crs: CRS | None, here: str) -> Shapes:
    """Return shapes from the text that the database returns; what shapely refuses is treated as in files."""
    chords = {step: _parsed(table.pop(_column(step))) for step in OTHER_STEPS_DEG}
    bent = np.flatnonzero(~shapely.is_missing(chords[OTHER_STEPS_DEG[0]]))
    found = _parsed(table[geometry])
    drawn = with_chords(found, bent, chords.__getitem__, place=here, unit_m2=square_metres(crs))
    raw = np.array(
        [None if text is None else _without_srid(bytes.fromhex(text)) for text in _texts(table[geometry])], object
    )
    missing = np.flatnonzero(shapely.is_missing(found))
    shapes, problems, changes = parse_refused_wkb(drawn.shapes, raw, missing, here)
    if crs is not None and len(missing):
        shapes[missing] = shapely.set_srid(shapes[missing], shapely.get_srid(found).max(initial=0))
    frame = gpd.GeoDataFrame(table.assign(**{geometry: shapes}), geometry=geometry, crs=crs)
    return Shapes(frame, (*drawn.problems, *problems), (*drawn.changes, *changes))


def _parsed(column: pd.Series) -> Geometries:
    found: Geometries = shapely.from_wkb(np.array(_texts(column), dtype=object), on_invalid="ignore")
    return found


def _texts(column: pd.Series) -> list[str | None]:
    return [None if pd.isna(text) else str(text) for text in column]


def _without_srid(wkb: bytes) -> bytes:
    """Return WKB without the SRID of EWKB, which only PostGIS writes."""
    order: Literal["little", "big"] = "little" if wkb[0] == 1 else "big"
    code = int.from_bytes(wkb[1:5], order)
    return wkb if not code & _SRID else wkb[:1] + (code & ~_SRID).to_bytes(4, order) + wkb[9:]


def _table(connection: Connection, place: str, layer: str | None) -> _Table:
    from sqlalchemy import text

    try:
        tables = [
            _Table(str(r[0]), str(r[1]), str(r[2]), int(r[3])) for r in connection.execute(text(_GEOMETRY_COLUMNS))
        ]
    except Exception as error:
        if "geometry_columns" not in str(error):
            raise
        raise SourceError(
            place, Message("is no PostGIS database"), Message("CREATE EXTENSION postgis there, or give another one")
        ) from None
    called: dict[str, list[_Table]] = {}
    for one in tables:
        called.setdefault(f"{one.schema}.{one.table}", []).append(one)
    wanted = f"public.{layer}" if layer is not None and layer not in called and f"public.{layer}" in called else layer
    columns = {f"{t}.{one.geometry}": one for t, several in called.items() if len(several) > 1 for one in several}
    if wanted in columns:
        return columns[wanted]
    plain = [name for name, several in called.items() if len(several) == 1]
    if wanted in called and wanted not in plain:
        wanted = None
        plain = [name for name, one in columns.items() if f"{one.schema}.{one.table}" in (layer, f"public.{layer}")]
        choose_layer(place, plain, wanted)
    return called[choose_layer(place, [*plain, *columns], wanted)][0]


def _conditions(
    columns: ReadOnlyColumnCollection[str, ColumnClause[Any]],
    where: Mapping[str, Sequence[str]],
    known: Sequence[str],
    here: str,
) -> list[ColumnElement[bool]]:
    from sqlalchemy import Text, cast

    for name in where:
        if name not in known:
            raise SourceError(
                here,
                Message("has no field '{name}'", name=name),
                Message("there are {names}", names=", ".join(known)),
            )
    # Values become bound parameters.
    return [cast(columns[name], Text).in_([str(v) for v in values]) for name, values in where.items()]


def _srid(connection: Connection, found: _Table, column: ColumnClause[Any], here: str) -> int:
    """Return the SRID of a table, or that of its rows if the table has none."""
    from sqlalchemy import func, select

    if found.srid > 0:
        return found.srid
    srid = func.ST_SRID(column)
    borne = sorted(int(r[0]) for r in connection.execute(select(srid).where(column.is_not(None)).distinct()))
    if len(borne) > 1:
        what = Message("mixes reference systems: SRID {names}", names=", ".join(map(str, borne)))
        raise SourceError(here, what, Message("bring them to one, or give a view of the rows of one"))
    return borne[0] if borne else 0


def _system(connection: Connection, srid: int, here: str) -> CRS:
    from sqlalchemy import text

    row = connection.execute(text(_SYSTEM), {"srid": srid}).first()
    authority, code, wkt = row if row is not None else ("EPSG", srid, "")
    for given in (f"{authority}:{code}", wkt):
        # A custom system has an authority that is not in PROJ; it is stored as WKT.
        with suppress(CRSError):
            return CRS.from_user_input(given)
    raise SourceError(
        here,
        Message("'{crs}' is no reference system", crs=f"SRID {srid}"),
        Message("correct spatial_ref_sys, or the SRID of the table"),
    )


def _engine(connection: Connection) -> str:
    from sqlalchemy import text

    server = connection.execute(text("SHOW server_version")).scalar_one()
    postgis = connection.execute(text("SELECT postgis_lib_version()")).scalar_one()
    own = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in ("SQLAlchemy", "psycopg"))
    return f"{own}, PostgreSQL {str(server).split()[0]}, PostGIS {postgis}"


def content_sha256(frame: gpd.GeoDataFrame) -> str:
    """Return a checksum of a table: names of columns and values of rows, independent of the order of rows.

    Examples
    --------
    >>> one = gpd.GeoDataFrame({"id": [1, 2]}, geometry=[shapely.Point(0, 0), shapely.Point(1, 1)])
    >>> content_sha256(one) == content_sha256(one.iloc[::-1]), content_sha256(one) == content_sha256(one.iloc[:1])
    (True, False)
    """
    wkb = shapely.to_wkb(frame.geometry.to_numpy(), hex=True, include_srid=True)
    attributes = frame.drop(columns=frame.geometry.name)
    rows = (
        repr([None if v is None or v is pd.NaT or v != v else str(v) for v in values] + [shape])  # noqa: PLR0124
        for *values, shape in zip(*(attributes[c].tolist() for c in attributes), wkb, strict=True)
    )
    digests = sorted(hashlib.sha256(row.encode("utf-8", "surrogatepass")).digest() for row in rows)
    head = repr([str(c) for c in attributes]).encode("utf-8")
    return hashlib.sha256(head + b"".join(digests)).hexdigest()
