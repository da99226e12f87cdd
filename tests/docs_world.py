"""A folder with every file that the pages of the documentation name, so that their commands run as they stand.

The cities are the toy city, and the sites are a few squares in it, under the ids that the pages use.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import docx
import ezdxf
import geopandas as gpd
import toy
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import lzgis as lz
from lzgis.coordinates.plane import Plane

ROOT = Path(__file__).parent.parent
CITIES = ("mycity", "layers", "oldcity", "newcity", "本市", "旧版", "新版")
COUNTIES = ("jia", "yi", "bing", "county1", "county2", "province/a", "province/b")
AS_OF = "2026-11-21"
_FARMLAND = """
[layer.farmland]
title = "永久基本农田"
title_en = "Permanent basic farmland"
role = "constraint"
source = "farmland.gpkg"
"""
_SHAPES = ("sites.shp", "my-sites.shp", "地块.shp")


def build(folder: Path) -> Path:
    """Write the files and return the folder."""
    for name in CITIES:
        toy.city(folder / name)
    _rasters(folder / "layers")
    for number, name in enumerate(COUNTIES):
        # Beside each other, the first around the sites.
        city = toy.city(folder / name, Plane(112.5 + 0.2 * (number % 2 if number > 2 else number), 25.0))
        file = city / "catalog.toml"
        file.write_text(file.read_text("utf-8").replace("玩具市", f"{name}市"), "utf-8")
    (folder / "province" / "region.toml").write_text('[region]\nname = "a"\ncities = ["a", "b"]\n', "utf-8")
    _sites(folder)
    _office(folder)
    with zipfile.ZipFile(Path(__file__).parent / "city" / "deliveries" / "delivery.gdb.zip") as packed:
        for name in ("delivery", "汇交"):
            packed.extractall(folder / name)
    shutil.copytree(folder / "delivery" / "delivery.gdb", folder / "三区三线.gdb")
    for name in ("redline-2025.gpkg", "redline-2026.gpkg"):
        shutil.copy(folder / "mycity" / "redline.gpkg", folder / name)
    return folder


def _rasters(city: Path) -> None:
    """Declare the rasters of the reference city, which lie in the same place."""
    text = (ROOT / "layers" / "catalog.toml").read_text("utf-8")
    for source in re.findall(r'^source = "(\S+\.tif)"', text, re.M):
        shutil.copy(ROOT / "layers" / source, city / source)
    with (city / "catalog.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n" + text[text.index("[raster.dem]") :] + _FARMLAND)
    shutil.copy(city / "town.gpkg", city / "farmland.gpkg")
    redline = gpd.read_file(city / "redline.gpkg").assign(function="水源涵养")
    redline.to_file(city / "redline.gpkg")


def _sites(folder: Path) -> None:
    squares = [toy.square(x, y) for x, y in ((300.0, 300.0), (-2500.0, 0.0), (2000.0, -2950.0))]
    frame = toy.sites(*squares)
    frame["id"] = ["T01", "T03", "P36"]
    for name in ("sites.gpkg", "layers/sites.gpkg", "million.gpkg", *_SHAPES):
        frame.to_file(folder / name, **({} if name.endswith(".gpkg") else {"encoding": "utf-8"}))
    # Of an old datum, and without a word on the system and the encoding.
    frame.to_crs(4610).to_file(folder / "plan.shp", encoding="utf-8")
    frame.to_crs(4526).to_file(folder / "旧地块.shp", encoding="gbk")
    for suffix in (".prj", ".cpg"):
        (folder / "旧地块").with_suffix(suffix).unlink()
    (folder / "shapefiles").mkdir()
    frame.to_crs(4526).to_file(folder / "shapefiles" / "STBHHX.shp", encoding="utf-8")
    (folder / "moved").mkdir()
    shutil.copy(folder / "sites.gpkg", folder / "moved" / "sites.gpkg")
    frame.to_file(folder / "sites.geojson", driver="GeoJSON")
    frame.set_geometry(frame.boundary).to_file(folder / "line.gpkg")
    for name in ("plan.txt", "sites.txt"):
        lz.write_coordfile(frame, folder / name)
    drawing = ezdxf.new("R2000")
    corners = frame.to_crs(4526).geometry.iloc[0].exterior.coords
    drawing.modelspace().add_lwpolyline(corners[:-1], "xy", close=True)
    drawing.saveas(folder / "plan.dxf")
    with zipfile.ZipFile(folder / "资料.zip", "w") as packed:
        frame.to_file(folder / "新增.gpkg", layer="新增")
        packed.write(folder / "新增.gpkg", "成果/地块.gpkg")


def _office(folder: Path) -> None:
    """The files that an office has of its own: a template, evidence, a report of before."""
    template = docx.Document()
    template.add_paragraph("关于 {{ project.name }} 选址的意见：{{ verdict }}")
    template.save(str(folder / "office.docx"))
    (folder / "memo.pdf").write_bytes(b"%PDF-1.4\n")
    key = Ed25519PrivateKey.generate()
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "office.pem").write_bytes(key.private_bytes(*form))
    report = lz.screen(folder / "sites.gpkg", folder / "oldcity", as_of=AS_OF)
    lz.export(report, folder / "report.json")
