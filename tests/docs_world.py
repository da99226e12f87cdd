"""A folder with every file that the pages of the documentation name, so that their commands run as they stand.

The cities are the toy city, and the sites are a few squares in it, under the ids that the pages use.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely
import toy

from lzgis.coordinates.gauss_kruger import Zone

ROOT = Path(__file__).parent.parent
CITIES = ("mycity", "layers", "oldcity", "newcity", "本市", "旧版", "新版", "county1", "county2", "jia", "yi", "bing")
AS_OF = "2026-11-21"


def build(folder: Path) -> Path:
    """Write the files and return the folder."""
    for name in CITIES:
        toy.city(folder / name)
    _rasters(folder / "layers")
    _regions(folder)
    _sites(folder)
    _texts(folder)
    with zipfile.ZipFile(Path(__file__).parent / "city" / "deliveries" / "delivery.gdb.zip") as packed:
        for name in ("delivery", "汇交"):
            packed.extractall(folder / name)
    shutil.copytree(folder / "delivery" / "delivery.gdb", folder / "三区三线.gdb")
    return folder


def _rasters(city: Path) -> None:
    """Declare the rasters of the reference city, which lie in the same place."""
    text = (ROOT / "layers" / "catalog.toml").read_text("utf-8")
    for source in re.findall(r'^source = "(\S+\.tif)"', text, re.M):
        shutil.copy(ROOT / "layers" / source, city / source)
    with (city / "catalog.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n" + text[text.index("[raster.dem]") :])


def _regions(folder: Path) -> None:
    province = folder / "province"
    province.mkdir()
    for name in ("county1", "county2"):
        toy.city(province / name)


def _sites(folder: Path) -> None:
    squares = [toy.square(x, y) for x, y in ((300.0, 300.0), (-2500.0, 0.0), (2000.0, -2950.0))]
    frame = toy.sites(*squares)
    frame["id"] = ["T01", "T03", "P36"]
    for name in ("sites.gpkg", "layers/sites.gpkg", "million.gpkg", "plan.shp", "sites.shp", "my-sites.shp", "地块.shp"):
        path = folder / name
        frame.to_file(path, encoding="utf-8") if path.suffix == ".shp" else frame.to_file(path, layer="sites")
    (folder / "moved").mkdir()
    shutil.copy(folder / "sites.gpkg", folder / "moved" / "sites.gpkg")
    frame.to_file(folder / "sites.geojson", driver="GeoJSON")
    lines = frame.set_geometry(frame.to_crs(4546).centroid.buffer(50).boundary.to_crs(4490))
    lines.to_file(folder / "line.gpkg")


def _texts(folder: Path) -> None:
    pass


__all__ = ["AS_OF", "CITIES", "build", "gpd", "pd", "shapely", "Zone"]
