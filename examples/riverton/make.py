"""Make the layers and the sites of Riverton, a borough that does not exist; the same files every time.

Run ``python examples/riverton/make.py`` to write the GeoJSON files beside this script.
"""

from __future__ import annotations

import json
from pathlib import Path

#: South-west corner of the borough (WGS 84), and the degrees of 100 m there to within a metre.
WEST, SOUTH, EAST_STEP, NORTH_STEP = -1.60, 53.70, 0.001514, 0.000899


def at(x: float, y: float) -> list[float]:
    """Return longitude and latitude of a point that lies `x` and `y` hundreds of metres east and north of the corner."""
    return [round(WEST + x * EAST_STEP, 7), round(SOUTH + y * NORTH_STEP, 7)]


def area(*corners: tuple[float, float]) -> dict[str, object]:
    """Return a polygon."""
    return {"type": "Polygon", "coordinates": [[at(*one) for one in (*corners, corners[0])]]}


def block(x: float, y: float, width: float, height: float) -> dict[str, object]:
    """Return a rectangle."""
    return area((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def line(*points: tuple[float, float]) -> dict[str, object]:
    """Return a line."""
    return {"type": "LineString", "coordinates": [at(*one) for one in points]}


BOROUGH = area((0, 0), (60, -2), (118, 5), (122, 80), (60, 96), (-3, 84))
WARDS = [
    ("W1", "Old Town", area((-3, 84), (0, 0), (60, -2), (60, 96))),
    ("W2", "Mill Side", area((60, -2), (118, 5), (122, 80), (60, 96))),
]
CONSERVATION = [
    ("CA1", "Market Place", block(20, 40, 12, 9), "Article 4"),
    ("CA2", "Canal Basin", area((70, 20), (84, 22), (82, 34), (71, 31)), ""),
]
FLOOD = [
    ("FZ3-1", "3", area((0, 60), (40, 63), (80, 58), (121, 62), (121, 66), (80, 62), (40, 67), (0, 64))),
    ("FZ2-1", "2", area((0, 57), (40, 60), (80, 55), (121, 59), (121, 62), (80, 58), (40, 63), (0, 60))),
]
ROADS = [
    ("A6101", "Primary road", line((0, 20), (40, 18), (80, 26), (120, 24))),
    ("B6220", "Secondary road", line((60, -2), (58, 40), (62, 96))),
]
SITES = [
    ("S1", "Market Place flats", "housing", block(25, 43, 2, 2)),
    ("S2", "Riverside flats", "housing", block(38, 63, 4, 3)),
    ("S3", "Meadow nursery", "school", block(44, 51, 3, 3)),
    ("S4", "A6101 depot", "warehouse", block(10, 18.5, 4, 2)),
    ("S5", "Hilltop homes", "housing", block(90, 75, 5, 4)),
    ("S6", "Mast at Mill Side", "mast", {"type": "Point", "coordinates": at(100, 45)}),
    ("S7", "Greenway", "path", line((10, 70), (30, 45), (50, 42))),
    ("S8", "Solar park across the border", "solar", block(114, 40, 14, 6)),
]


def collection(rows: list[tuple[dict[str, object], dict[str, str]]]) -> str:
    """Return a GeoJSON collection, a feature a line."""
    features = [json.dumps({"type": "Feature", "properties": about, "geometry": shape}) for shape, about in rows]
    crs = '{"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}'
    return f'{{"type": "FeatureCollection", "crs": {crs}, "features": [\n' + ",\n".join(features) + "\n]}\n"


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "borough.geojson": collection([(BOROUGH, {"id": "B1", "name": "Riverton"})]),
        "wards.geojson": collection([(shape, {"id": one, "name": name}) for one, name, shape in WARDS]),
        "conservation_areas.geojson": collection(
            [(shape, {"id": one, "name": name, "direction": note}) for one, name, shape, note in CONSERVATION]
        ),
        "flood_zones.geojson": collection(
            [(shape, {"id": one, "name": f"Flood zone {zone}", "zone": zone}) for one, zone, shape in FLOOD]
        ),
        "roads.geojson": collection([(shape, {"id": one, "name": one, "class": kind}) for one, kind, shape in ROADS]),
        "sites.geojson": collection(
            [(shape, {"id": one, "name": name, "activity": activity}) for one, name, activity, shape in SITES]
        ),
    }


if __name__ == "__main__":
    for name, text in files().items():
        (Path(__file__).parent / name).write_text(text, "utf-8", newline="\n")
