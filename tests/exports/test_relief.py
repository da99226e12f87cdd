from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from raster_fixture import hill, write_dem

from lzgis.errors import ExportError
from lzgis.exports.relief import hillshade, relief

BOUNDS = (112.1, 24.6, 112.8, 25.2)


@pytest.mark.parametrize("towards", [(-1, 0), (1, 0), (0, 1), (0, -1)])
def test_a_plane_is_shaded_according_to_its_normal(towards: tuple[int, int]) -> None:
    rise_east, rise_north = 0.5 * towards[0], 0.5 * towards[1]
    row, column = np.mgrid[0:5, 0:5]
    shade = hillshade(column * 10 * rise_east - row * 20 * rise_north, (10, 20))
    sun = np.array([-0.5, 0.5, np.sqrt(0.5)])  # from the north-west, 45 degrees high
    normal = np.array([-rise_east, -rise_north, 1]) / np.sqrt(1.25)
    assert shade[2, 2] == pytest.approx(sun @ normal)


def test_the_side_facing_the_sun_is_lighter(tmp_path: Path) -> None:
    picture = relief(write_dem(tmp_path / "dem.tif", hill()), BOUNDS, size=200)
    brightness = picture.palette[picture.index][..., :3].sum(axis=2).astype(int)
    rows, columns = brightness.shape
    assert max(rows, columns) == 200
    assert brightness[rows // 2 - 12, columns // 2 - 12] > brightness[rows // 2 + 12, columns // 2 + 12] + 60
    assert picture.bounds == BOUNDS


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4546", "EPSG:3857"])
def test_the_relief_lies_at_the_same_place_in_every_crs(tmp_path: Path, crs: str) -> None:
    elevation = np.full((300, 340), 100.0)
    elevation[150:, :] = 900.0  # a step at the middle row of the file
    picture = relief(write_dem(tmp_path / "dem.tif", elevation, crs), BOUNDS, size=300)
    middle = picture.index[:, picture.index.shape[1] // 2]
    step = int(np.abs(np.diff(middle.astype(int))).argmax())
    mercator = np.arcsinh(np.tan(np.radians([25.2, 24.9, 24.6])))
    expected = (mercator[0] - mercator[1]) / (mercator[0] - mercator[2]) * len(middle)
    assert step == pytest.approx(expected, abs=4)


def test_the_png_decodes_to_the_picture_and_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    elevation = hill()
    elevation[:40] = -9999
    path = write_dem(tmp_path / "dem.tif", elevation)
    picture = relief(path, BOUNDS, size=120)
    assert picture.png == relief(path, BOUNDS, size=120).png
    with Image.open(io.BytesIO(picture.png)) as image:
        assert image.mode == "P"
        assert (np.asarray(image) == picture.index).all()
        assert (np.asarray(image.convert("RGBA")) == picture.palette[picture.index]).all()
    assert (picture.palette[picture.index][0, :, 3] == 0).all()
    assert (picture.palette[picture.index][-1, :, 3] == 255).all()


def test_a_raster_without_nodata_is_transparent_beyond_its_edge(tmp_path: Path) -> None:
    path = write_dem(tmp_path / "dem.tif", hill(), nodata=None)
    picture = relief(path, (111.5, 24.6, 112.5, 25.2), size=100)
    assert (picture.index[:, :40] == 0).all()
    assert (picture.index[:, -20:] > 0).all()


def test_a_flat_raster_has_a_picture(tmp_path: Path) -> None:
    picture = relief(write_dem(tmp_path / "dem.tif", np.full((20, 20), 250.0)), BOUNDS, size=50)
    assert len(np.unique(picture.index)) == 1


def test_errors_name_the_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"no raster")
    with pytest.raises(ExportError, match=r"broken\.tif: cannot be read as elevation"):
        relief(broken, BOUNDS)
    with pytest.raises(ExportError, match=r"absent\.tif: cannot be read"):
        relief(tmp_path / "absent.tif", BOUNDS)
    with pytest.raises(ExportError, match=r"bare\.tif: has no coordinate system"):
        relief(write_dem(tmp_path / "bare.tif", hill(), crs=None), BOUNDS)
    with pytest.raises(ExportError, match=r"far\.tif: holds no elevation inside the city"):
        relief(write_dem(tmp_path / "far.tif", hill()), (100.0, 30.0, 101.0, 31.0))
