"""Applies what the user declared: the reference system of an input that has none, and a filter of rows."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.packed_degrees import unpack_geometries
from lzgis.errors import SourceError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Read, ReadOptions


def as_declared(read: Read, options: ReadOptions, place: str) -> Read:
    """Apply what the user declared.

    Raises
    ------
    SourceError
        If the declared system does not exist or differs from that of the input, the input lacks a field, or its
        coordinates are no packed degrees though they are declared so.
    """
    if isinstance(read.frame, gpd.GeoDataFrame) and options.crs:
        read = _in_declared_crs(read, options.crs, place)
    if options.degrees == "packed":
        read = _unpacked(read, place)
    return _kept(read, options, place) if options.where else read


def _in_declared_crs(read: Read, declared: str, place: str) -> Read:
    try:
        crs = CRS.from_user_input(declared)
    except CRSError:
        raise SourceError(
            place,
            Message("'{crs}' is no reference system", crs=declared),
            Message("write one like EPSG:4490"),
        ) from None
    own = read.frame.crs
    if own is None:
        return replace(read, frame=read.frame.set_crs(crs), crs=Decided(declared, Message("declared")))
    own = CRS.from_user_input(own)
    if own == crs or (own.to_epsg() is not None and own.to_epsg() == crs.to_epsg()):
        return read
    what = Message("is in {own} by its own word, but {crs} was declared", own=own.name, crs=declared)
    raise SourceError(place, what, Message("leave out the declared system, or correct the file"))


def _unpacked(read: Read, place: str) -> Read:
    """Return what was read with decimal degrees in place of packed ones."""
    frame = read.frame
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None or not CRS.from_user_input(frame.crs).is_geographic:
        what = Message("packed degrees were declared, but its coordinates are no degrees")
        raise SourceError(place, what, Message("leave --degrees out, or declare a system in degrees with --crs"))
    shapes = unpack_geometries(frame.geometry.to_numpy(), place)
    note = Problem(
        "note",
        place,
        Message("its degrees were read as ddd.mmss (degrees, minutes and seconds), as declared"),
        Message("nothing to do if that is what they are"),
    )
    return replace(read, frame=frame.set_geometry(shapes, crs=frame.crs), problems=(*read.problems, note))


def _kept(read: Read, options: ReadOptions, place: str) -> Read:
    frame = read.frame
    keep = pd.Series(True, index=frame.index)
    for name, values in options.where.items():
        if name not in frame.columns:
            raise SourceError(
                place,
                Message("has no field '{name}'", name=name),
                Message("there are {names}", names=", ".join(str(c) for c in frame.columns)),
            )
        keep &= frame[name].astype(str).isin([str(v) for v in values])
    if keep.all():
        return read
    what = Message("{kept} of {count} rows are used", kept=int(keep.sum()), count=len(frame))
    problem = Problem("note", place, what, Message("as the filter demands"))
    return replace(read.only(np.flatnonzero(keep).tolist()), problems=(*read.problems, problem))


def may_be_shifted(place: str, system: str) -> Problem:
    """Return the warning for coordinates in degrees whose system is only assumed."""
    what = Message("names no system; its longitudes and latitudes are taken as {system}", system=system)
    remedy = Message("declare another if it is one; positions from maps of the internet may be in GCJ-02")
    return Problem("warning", place, what, remedy)
