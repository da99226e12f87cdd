"""The features of a layer that windows have read, so that each is located, repaired and held once however windows overlap."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from lzgis.city.catalogue import Catalogue
from lzgis.city.prepared import LoadedLayer
from lzgis.errors import LayerError
from lzgis.messages import Message
from lzgis.model.report import Problem, Repair
from lzgis.reading.near import grown, windows

_Integers = npt.NDArray[np.intp]
#: Added to the reach where no other system is in the way, m.
_NEXT_M = 200.0


class _Known(NamedTuple):
    """Where a feature is held: number of the table, and row; -1 without a usable geometry. `shape` tells it from others."""

    table: int
    row: int
    shape: tuple[float, ...]


class KnownFeatures:
    """A layer that is read by windows, with the features that were read so far.

    Parameters
    ----------
    city : Catalogue
        The city.
    layer_id : str
        The layer; its source can be read by windows (:func:`lzgis.reading.near.can_read_near`).
    """

    def __init__(self, city: Catalogue, layer_id: str) -> None:
        self._city, self._id = city, layer_id
        self._tables: list[gpd.GeoDataFrame] = []
        self._known: dict[str, _Known] = {}
        self._problems: dict[Problem, None] = {}
        self._repairs: dict[Repair, None] = {}
        self._doubtful: list[shapely.Geometry | None] = []
        self._last: LoadedLayer | None = None
        self._held = 0
        self._whole: LoadedLayer | None = None

    def near(self, bounds: npt.NDArray[np.float64], reach_m: npt.NDArray[np.float64]) -> LoadedLayer:
        """Return the features near some sites, and those without a geometry, in the order of the file.

        Parameters
        ----------
        bounds : array of float, shape (n, 4)
            West, south, east and north of each site, in degrees.
        reach_m : array of float, shape (n,)
            How far from each site features are wanted, m; some that lie farther are returned as well.

        Raises
        ------
        ConfigError, SourceError, LayerError
            As for the whole layer, as far as it was read; also if an id was read twice with different shapes.
        """
        if self._whole is not None:
            return self._whole
        ids: list[str] = []
        shapes: list[tuple[float, ...]] = []

        boxes, read = windows(bounds, reach_m), 0

        def unknown(frame: gpd.GeoDataFrame) -> _Integers:
            nonlocal read
            read = len(frame)
            rows = self._beside(frame, bounds, reach_m)
            ids.extend(frame["id"].iloc[rows])
            shapes.extend(_shapes(frame.geometry.to_numpy()[rows]))
            return rows[[self._is_new(*one) for one in zip(ids, shapes, strict=True)]]

        made = self._city.load_near(self._id, boxes, chosen=unknown)
        self._held = read + made.others
        if len(ids) == self._held:
            return self.whole()
        self._add(made, dict(zip(ids, shapes, strict=True)))
        return self._of([self._known[one] for one in ids if self._known[one].row >= 0], self._held - len(ids))

    def whole(self) -> LoadedLayer:
        """Return the whole layer."""
        if self._whole is None:
            self._whole = self._city.load(self._id)
            self._tables, self._known = [], {}
        return self._whole

    def all(self) -> LoadedLayer | None:
        """Return all features that were read; None if no window was read yet."""
        if self._whole is not None or self._last is None:
            return self._whole
        used = [one for one in self._known.values() if one.row >= 0]
        return self._of(used, self._held - len(self._known))

    def _beside(
        self, frame: gpd.GeoDataFrame, bounds: npt.NDArray[np.float64], reach_m: npt.NDArray[np.float64]
    ) -> _Integers:
        """Return the rows of a table, read by windows that hold many sites, that lie near a site or nowhere."""
        geometry = frame.geometry.to_numpy()
        if self._city.layers[self._id].shifted or frame.crs is None or frame.crs.to_epsg() != 4490:
            return np.arange(len(frame))
        boxes = shapely.box(*grown(bounds, reach_m + _NEXT_M).T)
        nowhere = np.flatnonzero(shapely.is_missing(geometry) | shapely.is_empty(geometry))
        return np.union1d(shapely.STRtree(geometry).query(boxes)[1], nowhere)

    def _is_new(self, name: str, shape: tuple[float, ...]) -> bool:
        known = self._known.get(name)
        if known is not None and known.shape != shape:
            place = Message(
                "layer '{layer_id}' ({source})", layer_id=self._id, source=self._city.layers[self._id].source
            )
            raise LayerError(
                Message("{place}, feature '{value}'", place=place, value=name),
                Message("the id is given twice"),
                Message("give each feature its own"),
            )
        return known is None

    def _add(self, made: LoadedLayer, shapes: dict[str, tuple[float, ...]]) -> None:
        frame = made.layer.frame
        rows = {name: row for row, name in enumerate(frame["id"])}
        for name, shape in shapes.items():
            if name not in self._known:
                self._known[name] = _Known(len(self._tables), rows.get(name, -1), shape)
        self._tables.append(frame)
        self._problems |= dict.fromkeys(made.problems)
        self._repairs |= dict.fromkeys(made.repairs)
        self._doubtful += made.layer.doubtful
        self._last = made

    def _of(self, features: list[_Known], others: int) -> LoadedLayer:
        """Return some features as a layer, with all that was found while reading."""
        assert self._last is not None
        table = np.array([one.table for one in features], dtype=np.intp)
        row = np.array([one.row for one in features], dtype=np.intp)
        there = np.unique(table)
        if not len(there):
            frame = self._tables[-1].iloc[[]].reset_index(drop=True)
        else:
            chosen = pd.concat([self._tables[at].iloc[row[table == at]] for at in there], ignore_index=True)
            order = np.concatenate([np.flatnonzero(table == at) for at in there])
            chosen = chosen.iloc[np.argsort(order)].reset_index(drop=True)
            frame = gpd.GeoDataFrame(chosen, geometry="geometry", crs=self._last.layer.frame.crs)
        layer = replace(self._last.layer, frame=frame, doubtful=tuple(self._doubtful))
        found = (tuple(self._problems), tuple(self._repairs))
        return replace(self._last, layer=layer, problems=found[0], repairs=found[1], others=others)


def _shapes(geometry: np.ndarray) -> list[tuple[float, ...]]:
    """Return the bounds and the number of vertices of each geometry as it was read."""
    numbers = np.column_stack([shapely.bounds(geometry), shapely.get_num_coordinates(geometry)])
    return list(map(tuple, np.nan_to_num(numbers, nan=np.inf).tolist()))
