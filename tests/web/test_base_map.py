"""The map below the layers: tiles that GDAL made of a raster lie where they belong."""

from __future__ import annotations

import io
import urllib.request
import warnings

import numpy as np
import pytest
import toy
from map_page import browser as chromium
from web_office import Office

pytestmark = pytest.mark.browser

#: A raster of 1024 x 1024 pixels around 112.5 E 25 N in Web Mercator, 38.2 m each (zoom 12), a colour for each quarter.
CENTRE = (12_523_442.714, 2_875_744.624)
SIDE, PIXEL_M = 1024, 40075016.685578488 / 256 / 2**12
QUARTERS = {(112.45, 25.05): (200, 30, 30), (112.55, 25.05): (30, 160, 30), (112.45, 24.95): (30, 30, 200),
            (112.55, 24.95): (220, 190, 20)}  # fmt: skip


#: Only the tiles are looked at.
HIDDEN = """document.querySelectorAll('.leaflet-pane:not(.leaflet-map-pane):not(.leaflet-tile-pane)')
    .forEach(one => { one.style.display = 'none'; })"""


def tiles(path):
    """Write the raster as tiles with overviews, as ``gdal_translate -of MBTiles`` and ``gdaladdo`` do."""
    import rasterio
    from affine import Affine
    from rasterio.shutil import copy

    half, colours = SIDE // 2, list(QUARTERS.values())
    image = np.zeros((3, SIDE, SIDE), dtype="uint8")
    for at, colour in enumerate(colours):
        rows, columns = slice(at // 2 * half, (at // 2 + 1) * half), slice(at % 2 * half, (at % 2 + 1) * half)
        image[:, rows, columns] = np.array(colour, dtype="uint8")[:, None, None]
    corner = Affine(PIXEL_M, 0, CENTRE[0] - half * PIXEL_M, 0, -PIXEL_M, CENTRE[1] + half * PIXEL_M)
    with rasterio.open(path.with_suffix(".tif"), "w", driver="GTiff", width=SIDE, height=SIDE, count=3, dtype="uint8",
                       crs="EPSG:3857", transform=corner) as raster:  # fmt: skip
        raster.write(image)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy(path.with_suffix(".tif"), path, driver="MBTiles", TILE_FORMAT="PNG")
        with rasterio.open(path, "r+") as made:
            made.build_overviews([2, 4, 8])
    return path


def test_tiles_of_a_raster_lie_where_they_belong(tmp_path):
    pytest.importorskip("rasterio")
    from PIL import Image

    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    base = tiles(tmp_path / "base.mbtiles")
    (data / "settings.toml").write_text(f"base_map = '{base.as_posix()}'\nbase_map_credit = '测绘院'\n", "utf-8")
    office = Office(data, toy.city(tmp_path / "city"))
    office.start()
    try:
        with chromium() as browser:
            page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
            faults = []
            page.on("console", lambda message: faults.append(message.text))
            page.goto(office.address)
            page.wait_for_selector("body.map-ready", timeout=90_000)
            # Between the levels of the tiles, and where they are stretched because there are none.
            for zoom, part in ((11, 1.0), (14, 0.1)):
                page.evaluate(f"lzPage.map.setView([25, 112.5], {zoom}, {{animate: false}})")
                page.evaluate(HIDDEN)
                page.wait_for_timeout(1_500)
                box = page.locator("#map").bounding_box()
                image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
                for (east, north), colour in QUARTERS.items():
                    place = [25 + (north - 25) * part, 112.5 + (east - 112.5) * part]
                    at = page.evaluate(f"lzPage.map.latLngToContainerPoint({place})")
                    seen = image.getpixel((int(box["x"] + at["x"]), int(box["y"] + at["y"])))
                    assert np.abs(np.subtract(seen, colour)).max() <= 6, (zoom, place, seen, colour)
            assert "测绘院" in page.inner_text(".leaflet-control-attribution")
            assert faults == []
        with urllib.request.urlopen(f"{office.address}tiles/0/0/0") as answer:
            assert answer.status == 204
    finally:
        office.end()
