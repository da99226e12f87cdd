"""Family D: the layers of the city, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import toy
from shapely import LineString, MultiPolygon, Polygon, affinity, box

from bad_inputs.case import BOTH_OPEN, IN, OPEN, OUT, TRUTH, Request, case, degrees, saved
from bad_inputs.geometry import BOW_TIE
from bad_inputs.packaging import cut

REDLINE = 'source = "redline.gpkg"'
SQUARE = Polygon(box(0, 0, 1000, 1000).exterior.coords, [box(400, 400, 500, 500).exterior.coords])


def city(folder: Path) -> Path:
    """Copy the toy city, and the sites beside it."""
    saved(folder / "sites.gpkg")
    return toy.city(folder / "city")


def with_redline(folder: Path, *shapes: Any, keys: str = "", crs: int = 4490, **columns: list[Any]) -> Request:
    """Write another redline, in plane metres, and more keys of its layer."""
    there = city(folder)
    (there / "redline.gpkg").unlink()
    data = {"id": [f"r{i + 1}" for i in range(len(shapes))], "name": ["红线"] * len(shapes)} | columns
    frame = gpd.GeoDataFrame(data, geometry=degrees(*shapes), crs=4490)
    frame = frame.set_crs(crs, allow_override=True)
    frame.to_file(there / "redline.gpkg", engine="pyogrio")
    if keys:
        toy.changed(there, "catalog.toml", (REDLINE, f"{REDLINE}\n{keys}"))
    return Request(folder / "sites.gpkg", city=there)


@case(
    "D",
    "a redline without shape: nothing is proved clear",
    "open",
    "has no geometry",
    truth={**TRUTH, 1: (OPEN, None)},
    names="r2",
)
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, None)


@case(
    "D",
    "a bow tie of redline near the second site",
    "open",
    "a repair would change",
    truth={**TRUTH, 1: (OPEN, None)},
    names="r2",
)
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, Polygon([(-3200, -200), (-2700, 100), (-2700, -200), (-3200, 100)]))


@case("D", "the same far from both sites", "answer", "a repair would change", names="r2")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, affinity.translate(BOW_TIE, 3000, 3000))


@case(
    "D",
    "a repair that the catalogue accepts",
    "repaired",
    "was repaired",
    names="r1",
    truth=TRUTH,
)
def _(folder: Path) -> Request:
    return with_redline(folder, BOW_TIE, keys='repairs = "accepted"')


@case("D", "equal shells of redline: must not cancel out", "open", "a repair would change", names="r1", truth=TRUTH)
def _(folder: Path) -> Request:
    return with_redline(folder, MultiPolygon([SQUARE, SQUARE]))


@case("D", "a feature twice, under two ids", "answer", "have the shape of another: r2 = r1")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, SQUARE)


@case("D", "features that overlap", "answer")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, box(0, 150, 1000, 1000))


@case("D", "an id given twice", "refused", "feature 'x': the id is given twice", names="x")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, box(2000, 0, 2010, 10), id=["x", "x"])


@case("D", "no id field", "refused", "has no field 'id'; name the id field")
def _(folder: Path) -> Request:
    there = city(folder)
    frame = gpd.GeoDataFrame({"which": ["a"]}, geometry=degrees(SQUARE), crs=4490)
    frame.to_file(there / "redline.gpkg", engine="pyogrio")
    return Request(folder / "sites.gpkg", city=there)


@case("D", "the standard's own field for ids", "answer", "field 'BSM' is read as 'id'")
def _(folder: Path) -> Request:
    there = city(folder)
    frame = gpd.GeoDataFrame({"BSM": [7]}, geometry=degrees(SQUARE), crs=4490)
    frame.to_file(there / "redline.gpkg", engine="pyogrio")
    return Request(folder / "sites.gpkg", city=there)


@case("D", "another system than the catalogue says", "refused", "the catalogue (says|names)")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, crs=4326)


@case("D", "Xian 1980", "refused", "the catalogue (says|names)|datum")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, crs=4610)


@case("D", "Xian 1980, as the catalogue says", "refused", "datum")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, crs=4610, keys='crs = "EPSG:4610"')


@case("D", "an empty layer is not a passed one", "open", truth=BOTH_OPEN)
def _(folder: Path) -> Request:
    there = city(folder)
    frame = gpd.read_file(there / "redline.gpkg", engine="pyogrio").iloc[:0]
    (there / "redline.gpkg").unlink()
    frame.to_file(there / "redline.gpkg", engine="pyogrio")
    return Request(folder / "sites.gpkg", city=there)


@case("D", "a missing layer is not a passed one", "open", "has no such layer", truth=BOTH_OPEN)
def _(folder: Path) -> Request:
    there = city(folder)
    (there / "redline.gpkg").unlink()
    return Request(folder / "sites.gpkg", city=there)


@case("D", "another city's redline", "open", truth=BOTH_OPEN)
def _(folder: Path) -> Request:
    return with_redline(folder, affinity.translate(SQUARE, 200_000, 100_000))


@case("D", "a layer cut short", "refused", "damaged|cannot be read")
def _(folder: Path) -> Request:
    there = city(folder)
    cut(there / "redline.gpkg")
    return Request(folder / "sites.gpkg", city=there)


@case("D", "a line among polygons", "refused", "is a LineString, the catalogue says polygon", names="r2")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, LineString([(0, 0), (9, 9)]))


@case("D", "two layers in one file", "refused", "holds 2 layers; name one of")
def _(folder: Path) -> Request:
    there = city(folder)
    frame = gpd.read_file(there / "redline.gpkg", engine="pyogrio")
    frame.to_file(there / "redline.gpkg", layer="other", engine="pyogrio")
    return Request(folder / "sites.gpkg", city=there)


@case("D", "another file than the catalogue describes", "answer", "is not the one the catalogue describes")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, keys=f'sha256 = "{"0" * 64}"')


@case("D", "zones of repealed law", "answer", "names of repealed law")
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, keys='fields = { zone = ["GNFQ"] }', GNFQ=["缓冲区"])


def _half_width(folder: Path, text: str) -> Request:
    there = city(folder)
    roads = gpd.read_file(there / "roads.gpkg", engine="pyogrio")
    (there / "roads.gpkg").unlink()
    roads.assign(half_width_m=pd.Series([text, None, None], dtype=object)).to_file(
        there / "roads.gpkg", engine="pyogrio"
    )
    return Request(folder / "sites.gpkg", city=there)


@case("D", "numbers as text, in full width", "answer", "stand as text and were read as numbers")
def _(folder: Path) -> Request:
    return _half_width(folder, "６.５")


@case("D", "a number that is none", "refused", "field 'half_width_m'.*'约6米' is not a number", names="roads-1")
def _(folder: Path) -> Request:
    return _half_width(folder, "约6米")


@case("D", "the outline in two that overlap", "answer", truth=TRUTH)
def _(folder: Path) -> Request:
    there = city(folder)
    (there / "city.gpkg").unlink()
    toy.write(there / "city.gpkg", [box(-5000, -5000, 100, 5000), box(-100, -5000, 5000, 5000)])
    return Request(folder / "sites.gpkg", city=there)


@case("D", "a key that the catalogue does not know", "refused", "titel.*did you mean|not known", names="redline")
def _(folder: Path) -> Request:
    there = city(folder)
    toy.changed(there, "catalog.toml", (REDLINE, f'{REDLINE}\ntitel = "x"'))
    return Request(folder / "sites.gpkg", city=there)


@case("D", "a catalogue that is no TOML", "refused", r"catalog\.toml")
def _(folder: Path) -> Request:
    there = city(folder)
    (there / "catalog.toml").write_text("[city\nname = ", "utf-8")
    return Request(folder / "sites.gpkg", city=there)


@case("D", "a layer that is a description of others (VRT)", "refused", "is no GeoPackage")
def _(folder: Path) -> Request:
    there = city(folder)
    (there / "redline.gpkg").rename(there / "real.gpkg")
    vrt = '<OGRVRTDataSource><OGRVRTLayer name="real"><SrcDataSource>real.gpkg</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    (there / "redline.gpkg").write_text(vrt)
    return Request(folder / "sites.gpkg", city=there)


@case("D", "a redline of no width beside the site", "answer", truth={0: (IN, 5_000.0), 1: (OUT, None)})
def _(folder: Path) -> Request:
    return with_redline(folder, SQUARE, box(-2900, 0, -2899.9999, 100))
