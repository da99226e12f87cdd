"""Options of the command line on how an input is read."""

from __future__ import annotations

import json

import pytest
import raw_shapefile
import toy
from command_line import run

from lzgis.cli.options import ReadingOptions, ShiftedMap
from lzgis.errors import ConfigError
from lzgis.reading import ReadOptions


def test_options_become_options_of_readers():
    assert ReadingOptions().options() == ReadOptions()
    given = ReadingOptions(
        "一", "EPSG:4526", "GBK", ShiftedMap.gcj02, ["状态=拟建", "状态=已建", "a=b=c"], allow_network=True
    )
    assert given.options() == ReadOptions(
        layer="一",
        crs="EPSG:4526",
        encoding="GBK",
        shifted="gcj02",
        where={"状态": ["拟建", "已建"], "a": ["b=c"]},
        network="allowed",
    )
    with pytest.raises(ConfigError, match="--where: '状态' is no filter; write FIELD=VALUE, as 状态=拟建"):
        ReadingOptions(where=["状态"]).options()


def test_a_shapefile_without_crs_and_encoding_is_screened_with_those_of_the_options(tmp_path):
    folder = toy.city(tmp_path / "city")
    path = tmp_path / "地块.shp"
    raw_shapefile.write(path, ["编号", "状态"], [["甲", "拟建"], ["乙", "已建"]], "gbk", prj="")
    options = ["--layers", folder, "--as-of", toy.AS_OF, "--json", "--lang", "en"]
    refused = run("screen", path, *options)
    assert refused.returncode == 3
    assert "has no coordinate reference system" in refused.stderr
    done = run("screen", path, *options, "--crs", "EPSG:4490", "--encoding", "GBK", "--where", "状态=已建")
    assert [v["site_id"] for v in json.loads(done.stdout)["verdicts"]] == ["乙"], done.stderr


def test_the_network_is_not_used_without_permission(tmp_path):
    done = run("screen", "https://me:s3cret@127.0.0.1:9/sites.gpkg", "--lang", "en")
    assert done.returncode == 3
    assert done.stderr.startswith(
        "https://127.0.0.1:9/sites.gpkg: is on the network, which is not used without permission"
    )
    done = run("screen", "https://me:s3cret@127.0.0.1:9/sites.gpkg", "--lang", "en", "--allow-network")
    assert "cannot be fetched" in done.stderr
    assert "s3cret" not in done.stderr
