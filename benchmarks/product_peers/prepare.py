"""What the peers of the product are given: the rules as plain records, the layers projected, cut up and ready to index.

    python -m benchmarks.product_peers.prepare CITY FOLDER

Made once and not timed. The peers need not read layers in degrees, match fields, or look for baselines.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import lzgis as lz

AS_OF = dt.date(2026, 11, 21)
#: Vertices in a piece of a layer, and of a baseline, which is cut finer, because it is buffered.
PIECE, BASELINE_PIECE = 128, 32
_INNER = ("centreline", "roadbed-edge")


def prepare(city_folder: Path, folder: Path) -> None:
    """Write rules, layers, baselines and their pieces, once."""
    if (folder / "rules.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    city = lz.open_catalogue(city_folder)
    book = city.book.as_of(AS_OF)
    frames = {}
    for name in city.layers:
        frame = city.load(name).layer.frame
        frames[name] = frame.set_geometry(city.plane.project(frame.geometry.to_numpy()), crs=city.plane.crs)
    rules, baselines, used = [], {}, {city.city.outline}
    for rule in book.rules:
        if not any(name in frames for name in rule.layers):
            continue
        activities = [a for a in book.activities if not rule.activities or book.widening(a) & set(rule.activities)]
        record: dict[str, Any] = {"id": rule.id, "kind": str(rule.kind), "layer": rule.layer, "activities": activities}
        if rule.kind == "keep_away":
            key = repr((rule.layers, rule.where, rule.assumed_half_width_m, rule.assumed_by))
            if key not in baselines:
                baselines[key] = f"baseline{len(baselines)}"
                made = _baselines(rule, frames, city.spec.layer).set_crs(city.plane.crs)
                _write(folder, baselines[key], made, BASELINE_PIECE)
            record |= {
                "features": baselines[key],
                "distance_m": rule.distance_m,
                "zone_distance_m": rule.from_zone_m,
            }
        else:
            used.add(rule.layer)
            which = np.flatnonzero(_matching(frames[rule.layer], rule.where))
            record |= {"features": rule.layer, "which": which.tolist(), "whole": len(which) == len(frames[rule.layer])}
        rules.append(record)
    for name in sorted(used):
        plain = gpd.GeoDataFrame({"fid": frames[name]["id"].astype(str)}, geometry=frames[name].geometry.to_numpy())
        _write(folder, name, plain.set_crs(city.plane.crs), PIECE)
    outline = {"outline": city.city.outline, "wkt": city.plane.crs.to_wkt()}
    outline["proj"] = (
        f"+proj=laea +lat_0={city.plane.lat_deg} +lon_0={city.plane.lon_deg} +ellps=GRS80 +units=m +no_defs"
    )
    (folder / "plane.json").write_text(json.dumps(outline), "utf-8")
    (folder / "rules.json").write_text(json.dumps(rules, ensure_ascii=False), "utf-8")


def _matching(frame: gpd.GeoDataFrame, where: dict[str, list[str]]) -> np.ndarray:
    keep = np.ones(len(frame), dtype=bool)
    for field, values in where.items():
        keep &= frame[field].isin(values).to_numpy()
    return keep


def _objects(name: str, frame: gpd.GeoDataFrame, spec: Any) -> np.ndarray:
    own = name + ":" + frame["id"].astype(str)
    if spec.group is None or spec.group not in frame.columns:
        return own.to_numpy(dtype=object)
    group = frame[spec.group]
    return group.where(group.notna() & (group != ""), own).to_numpy(dtype=object)


def _baselines(rule: Any, frames: dict[str, gpd.GeoDataFrame], specs: Any) -> gpd.GeoDataFrame:
    """Return what distances are measured from: of each object its best baseline, and a lesser one where that ends."""
    primary = frames.get(rule.layer)
    wanted: set[Any] | None = None
    if primary is not None and set(rule.where) <= set(primary.columns):
        wanted = set(_objects(rule.layer, primary, specs[rule.layer])[_matching(primary, rule.where)])
    parts, covered = [], {}
    for name in (n for n in rule.layers if n in frames):
        frame, spec = frames[name], specs[name]
        objects = _objects(name, frame, spec)
        if set(rule.where) <= set(frame.columns):
            keep = _matching(frame, rule.where)
        elif wanted is not None:
            keep = np.isin(objects, list(wanted))
        else:
            continue
        frame, objects = frame[keep], objects[keep]
        shapes, whole = frame.geometry.to_numpy().copy(), frame.geometry.to_numpy()
        for i, key in enumerate(objects):
            if key in covered:
                shapes[i] = shapely.difference(shapes[i], shapely.union_all(covered[key]))
        for key, shape in zip(objects, whole, strict=True):
            if shapely.get_dimensions(shape) == 2:
                covered.setdefault(key, []).append(shape)
        known, assumed = _half_widths(rule, frame, str(spec.baseline))
        columns = {"layer": name, "fid": frame["id"].astype(str).to_numpy(), "object": objects.astype(str)}
        columns |= {"known": known, "assumed": assumed, "zone": str(spec.baseline) == "delimited-zone"}
        part = gpd.GeoDataFrame(columns, geometry=shapes)
        parts.append(part[~part.geometry.is_empty])
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry")


def _half_widths(rule: Any, frame: gpd.GeoDataFrame, baseline: str) -> tuple[np.ndarray, np.ndarray]:
    known = np.zeros(len(frame))
    if baseline not in _INNER:
        return known, known
    if "half_width_m" in frame.columns:
        known = np.nan_to_num(pd.to_numeric(frame["half_width_m"], errors="coerce").to_numpy(dtype=float))
    widths = rule.assumed_half_width_m
    default = widths.get("*", 0.0)
    if baseline == "roadbed-edge":
        assumed = np.full(len(frame), widths.get("roadbed-edge", default))
    elif rule.assumed_by in frame.columns:
        assumed = frame[rule.assumed_by].map(widths).fillna(default).to_numpy(dtype=float)
    else:
        assumed = np.full(len(frame), default)
    return known, np.where(known > 0, 0.0, assumed)


def _write(folder: Path, name: str, frame: gpd.GeoDataFrame, most: int) -> None:
    frame.to_parquet(folder / f"{name}.parquet")
    pieces, owner = _cut(*shapely.get_parts(frame.geometry.to_numpy(), return_index=True), most)
    gpd.GeoDataFrame({"of": owner}, geometry=pieces, crs=frame.crs).to_parquet(folder / f"{name}.pieces")


def _cut(shapes: np.ndarray, owner: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Halve shapes across their longer side until none has more than `most` vertices."""
    done, of = [], []
    while len(shapes):
        small = shapely.get_num_coordinates(shapes) <= most
        done.append(shapes[small])
        of.append(owner[small])
        shapes, owner = shapes[~small], owner[~small]
        bounds = shapely.bounds(shapes)
        halves, halves_of = [], []
        for shape, one, (left, low, right, high) in zip(shapes, owner, bounds, strict=True):
            x, y = (left + right) / 2, (low + high) / 2
            across = right - left > high - low
            for box in (
                ((left, low, x, high), (x, low, right, high))
                if across
                else (
                    (left, low, right, y),
                    (left, y, right, high),
                )
            ):
                found = shapely.get_parts(shapely.clip_by_rect(shape, *box))
                found = found[shapely.get_dimensions(found) == shapely.get_dimensions(shape)]
                halves.append(found)
                halves_of.append(np.full(len(found), one))
        shapes = np.concatenate(halves) if halves else shapes
        owner = np.concatenate(halves_of) if halves else owner
    pieces, of = np.concatenate(done), np.concatenate(of)
    invalid = ~shapely.is_valid(pieces)
    pieces[invalid] = shapely.make_valid(pieces[invalid])
    return pieces, of


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
