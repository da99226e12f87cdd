"""What every peer is given, and what it gives back."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

POLYGONS = ["redline", "units", "reserves", "town"]
LAYERS = [*POLYGONS, "roads", "rivers"]
#: Vertices in a subdivided piece, for the peers that gain by it.
PIECE = 256

#: Computing is repeated, and its median taken, while that takes less than this in all: a short time is a noisy one.
REPEATED_UP_TO = 3.0

#: Per layer: sites, features and common areas of the pairs that overlap; and for every site the distance.
Answer = dict[str, np.ndarray]


def shapes(folder: Path, name: str) -> np.ndarray:
    """Read one file of the workload."""
    import pyarrow.parquet as pq

    # Read as a plain file and converted through a list: otherwise pyarrow would import pandas.
    table = pq.ParquetFile(folder / f"{name}.parquet").read(columns=["geometry"])
    return shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))


def answer(pairs: dict[str, tuple[Any, Any, Any]], distances: dict[str, np.ndarray]) -> Answer:
    """Bring answers into one order: by site, then feature."""
    made: Answer = {}
    for name, columns in pairs.items():
        site, feature, area = (np.asarray(column, float) for column in columns)
        order = np.lexsort((feature, site))
        order = order[area[order] > 0]
        made[f"{name}.site"], made[f"{name}.feature"] = site[order].astype(int), feature[order].astype(int)
        made[f"{name}.area"] = area[order]
    for name, distance in distances.items():
        made[f"{name}.distance"] = np.asarray(distance, float)
    return made


def without(n: int, site: Any) -> np.ndarray:
    """Return the sites that have no pair."""
    free = np.ones(n, dtype=bool)
    free[np.asarray(site, int)] = False
    return np.flatnonzero(free)


def subdivided(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    """Quarter a geometry until no piece has more than `PIECE` vertices."""
    done, todo = [], [geometry]
    while todo:
        one = todo.pop()
        if shapely.is_empty(one):
            continue
        if shapely.get_num_coordinates(one) <= PIECE:
            done.append(one)
            continue
        left, low, right, high = one.bounds
        x, y = (left + right) / 2, (low + high) / 2
        quarters = [(left, low, x, y), (x, low, right, y), (left, y, x, high), (x, y, right, high)]
        dimension = shapely.get_dimensions(one)
        parts = shapely.get_parts(shapely.intersection(one, shapely.box(*np.array(quarters).T)))
        todo += [p for p in parts if shapely.get_dimensions(p) == dimension]
    return done


def run(prepare: Callable[[Path, int], Any], compute: Callable[[Any], Answer]) -> None:
    """Do the work of a peer: ``python -m benchmarks.peers.NAME FOLDER N OUT``; times go into the answer."""
    folder, n, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    begun = time.perf_counter()
    state = prepare(folder, n)
    ready = time.perf_counter()
    taken = []
    while not taken or (sum(taken) < REPEATED_UP_TO and len(taken) < 7):
        again = time.perf_counter()
        found = compute(state)
        taken.append(time.perf_counter() - again)
    # What is repeated to be timed is no part of the process's own time.
    extra = sum(taken[1:])
    np.savez(out, seconds=np.array([ready - begun, statistics.median(taken), extra]), **found)
