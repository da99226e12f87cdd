"""How long comparing layers of a million vertices takes, and how much memory it needs.

    python benchmarks/run_audit.py [VERTICES]

Two layers of 30 polygons each, their borders as ragged as a redline drawn of 30 m cells, crossing each other everywhere:
overlap, what sticks out, and near borders. Then the reference city.
"""

from __future__ import annotations

import os
import sys
import time
from types import SimpleNamespace

import numpy as np
import shapely

from lzgis.audits.audit import audit
from lzgis.city.reference import reference_city
from lzgis.coordinates.plane import Plane
from lzgis.geometry import FeatureIndex
from lzgis.model.report import State
from lzgis.rules.for_layers import LAYER_KINDS
from lzgis.rules.for_layers.base import AuditContext
from lzgis.rules.for_sites.plane import PlaneLayer

FEATURES = 30


def layer(name: str, vertices: int, seed: int) -> PlaneLayer:
    """Make a layer of ragged polygons on a grid of 10 km, moved a little by the seed."""
    import geopandas as gpd

    rng = np.random.default_rng(seed)
    n = vertices // FEATURES
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    shapes = []
    for i in range(FEATURES):
        # Waves that stand out from the border as peninsulas do, and a metre or two of noise.
        radius = 4000 * (1 + 0.15 * np.sin(7 * angle + rng.uniform(0, 6)) + 0.02 * np.sin(300 * angle))
        radius += rng.normal(0, 1.0, n).cumsum() * 0.02
        centre = np.array([i % 6, i // 6]) * 10_000 + rng.uniform(-1500, 1500, 2)
        shapes.append(shapely.Polygon(np.c_[np.cos(angle), np.sin(angle)] * radius[:, None] + centre))
    made = shapely.make_valid(np.array(shapes, dtype=object))
    frame = gpd.GeoDataFrame({"id": [f"{name}{i}" for i in range(FEATURES)], "name": ""}, geometry=list(made))
    spec = SimpleNamespace(title=name, declared=[])
    return PlaneLayer(name, spec, frame, FeatureIndex(made))  # type: ignore[arg-type]


def peak_gb() -> float:
    """Return the peak memory of the process, if the system reports it."""
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(vertices: int) -> None:
    """Measure, and print."""
    layers = {"a": layer("a", vertices, 1), "b": layer("b", vertices, 2)}
    for one in layers.values():
        print(one.id, int(shapely.get_num_coordinates(one.index.geometries).sum()), "vertices")
    common = {"id": "x", "title": "x", "severity": "notice", "strength": "advice", "basis": [{"document": "x"}]}
    common |= {"effective_from": "2020-01-01", "layer": "a", "other": "b"}
    context = AuditContext(layers, "b", Plane(112.5, 25.0), threads=min(4, os.cpu_count() or 1))
    whole = time.perf_counter()
    for kind in ("no_overlap", "inside", "no_gaps", "same_edge"):
        start = time.perf_counter()
        rule = LAYER_KINDS[kind].rule.model_validate(common | {"kind": kind})
        found = LAYER_KINDS[kind].check(rule, context)
        caught = sum(one.state != State.CLEAR for one in found)
        print(f"{kind}: {time.perf_counter() - start:.2f} s, {caught} findings")
    print(f"together: {time.perf_counter() - whole:.2f} s, peak {peak_gb():.2f} GB")
    start = time.perf_counter()
    audit(reference_city(), as_of="2026-11-21")
    print(f"reference city: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
