"""Family B: where coordinates lie, and what they say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import toy
from pyproj import CRS

from bad_inputs.case import BOTH_OPEN, IN, OPEN, OUT, Request, case, pair, saved
from lzgis.coordinates.shifted_maps import to_bd09, to_gcj02
from lzgis.reading import ReadOptions


def moved(move: Any) -> gpd.GeoDataFrame:
    """Move the coordinates of the two sites, their system staying what it was."""
    frame = pair()
    shapes = shapely.transform(frame.geometry.to_numpy(), move, interleaved=False)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


def without(frame: gpd.GeoDataFrame, crs: int | None = None) -> gpd.GeoDataFrame:
    """Take the system away, or put another in its place, coordinates staying as they are."""
    return frame.set_crs(None, allow_override=True) if crs is None else frame.set_crs(crs, allow_override=True)


for _code, _name in {
    4490: "CGCS2000 in degrees",
    4525: "zone 37 with its number",
    4526: "zone 38 with its number",
    4546: "meridian 111 without number",
    4547: "meridian 114 without number",
    32649: "UTM 49 N",
    3857: "Web Mercator, whose areas are 22 % too large",
}.items():

    @case("B", _name, "answer")
    def _(folder: Path, code: int = _code) -> Path:
        return saved(folder / "sites.gpkg", crs=code)


@case("B", ".prj as ArcGIS writes it", "answer")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=4526)
    path.with_suffix(".prj").write_text(CRS.from_epsg(4526).to_wkt("WKT1_ESRI"))
    return path


@case("B", "latitude before longitude", "refused", "exchange|swap|outside")
def _(folder: Path) -> Path:
    return saved(folder / "sites.geojson", without(moved(lambda x, y: (y, x)), 4326))


@case("B", "metres declared as degrees", "refused", "degree|outside|metres")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", without(pair().to_crs(4526), 4490))


@case("B", "degrees declared as metres", "refused", "degree|outside|metres|zone")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", without(pair(), 4526))


@case("B", "zone 37 declared as zone 38", "refused", "begin with zone 37")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", without(pair().to_crs(4525), 4526))


@case("B", "zone number that the system has not", "refused", "begin with zone 38")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", without(pair().to_crs(4526), 4547))


@case("B", "meridian 114 declared as 111: 300 km off", "refused", "EPSG:4547|outside|far")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", without(pair().to_crs(4547), 4546))


@case("B", "UTM 49 declared as 50: 600 km off", "refused", "EPSG:32649|outside|far")
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", without(pair().to_crs(32649), 32650))


@case("B", "no system, candidates named", "refused", "has no coordinate reference system; declare it.*EPSG:4526")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=4526)
    path.with_suffix(".prj").unlink()
    return path


@case("B", "a .prj that is none", "refused", r"\.prj names no system")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp")
    path.with_suffix(".prj").write_text("GEOGCS[nothing at all")
    return path


@case("B", "a local system", "refused", "datum|local|system")
def _(folder: Path) -> Path:
    path = saved(folder / "sites.shp", crs=4547)
    path.with_suffix(".prj").write_text('LOCAL_CS["grid of the works",UNIT["metre",1]]')
    return path


@case("B", "a declared system that is not the file's", "refused", "declared")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg", crs=4526), ReadOptions(crs="EPSG:4525"))


@case("B", "a declared system that does not exist", "refused", "is no reference system")
def _(folder: Path) -> Request:
    path = saved(folder / "sites.shp", crs=4526)
    path.with_suffix(".prj").unlink()
    return Request(path, ReadOptions(crs="EPSG:1"))


for _code, _datum in {
    4610: "Xian 1980",
    2362: "Xian 1980, zone 38",
    4214: "Beijing 1954",
    2434: "Beijing 1954, CM 111",
}.items():

    @case("B", f"{_datum}: PROJ would shift it by nothing", "refused", "datum|Xian|Beijing")
    def _(folder: Path, code: int = _code) -> Path:
        here = {2362: 4526, 2434: 4546}
        return saved(folder / "sites.gpkg", without(pair().to_crs(here.get(code, 4490)), code))


@case("B", "GCJ-02, declared by the user", "answer")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg", moved(to_gcj02)), ReadOptions(shifted="gcj02"))


@case("B", "BD-09, declared by the user", "answer")
def _(folder: Path) -> Request:
    return Request(saved(folder / "sites.gpkg", moved(to_bd09)), ReadOptions(shifted="bd09"))


@case("B", "feet", "answer")
def _(folder: Path) -> Path:
    wkt = CRS.from_epsg(4547).to_wkt("WKT1_ESRI")
    return saved(folder / "sites.shp", crs=wkt.replace('UNIT["Meter",1.0]', 'UNIT["Foot_US",0.3048006096012192]'))


@case("B", "outside the city", "open", truth=BOTH_OPEN)
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", toy.sites(toy.square(9000, 9000), toy.square(-9000, 9000)))


@case("B", "astride the border of the city", "open", truth={0: (OPEN, None), 1: (OUT, None)})
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", toy.sites(toy.square(-5050, 0), toy.square(-3000, 0)))


@case("B", "astride the border of the zones 37 and 38", "answer", truth={0: (IN, 5_000.0), 1: (OUT, None)})
def _(folder: Path) -> Path:
    return saved(folder / "sites.gpkg", crs=4526)


@case("B", "at 0 E 0 N", "refused", "outside|China")
def _(folder: Path) -> Path:
    frame = pair().set_geometry(gpd.GeoSeries([shapely.box(0, 0, 0.001, 0.001)] * 2, crs=4490))
    return saved(folder / "sites.gpkg", frame)


@case("B", "across the antimeridian", "refused", "outside|China|antimeridian")
def _(folder: Path) -> Path:
    frame = pair().set_geometry(gpd.GeoSeries([shapely.box(-179.9, 25, 179.9, 25.1)] * 2, crs=4490))
    return saved(folder / "sites.gpkg", frame)


@case("B", "over the pole", "refused", "outside|China|pole|no degrees")
def _(folder: Path) -> Path:
    frame = pair().set_geometry(gpd.GeoSeries([shapely.Point(0, 90).buffer(2)] * 2, crs=4490))
    return saved(folder / "sites.gpkg", frame)


@case("B", "one site of two far away", "open", truth={0: (IN, 5_000.0), 1: (OPEN, None)})
def _(folder: Path) -> Path:
    frame = pair()
    far = shapely.transform(np.array([frame.geometry.iloc[1]], dtype=object), lambda xy: xy + np.array([1.0, 0.5]))[0]
    return saved(folder / "sites.gpkg", frame.set_geometry(gpd.GeoSeries([frame.geometry.iloc[0], far], crs=4490)))
