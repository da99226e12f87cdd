"""Adopt a delivery that is made from the reference city, and compare the answers: ``python scripts/try_delivery.py``.

The layers are written as bureaus deliver them: a file geodatabase in a zone of three degrees with its number, names and fields
of the standards, codes for classes, heights. Then `lzgis adopt` makes a city of it, and the sites of the reference city are
screened in both. Rules on the delivered layers must give the same states, and areas that agree to 0.1 m² and 10⁻⁶.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

import lzgis as lz
from lzgis.city.adoption import adopt

CITY = Path(__file__).parent.parent / "layers"
AS_OF = "2026-11-21"
ZONE = 4526
#: Delivered name and fields of a layer, and the codes that stand for its classes.
LAYERS = {
    "city": ("县级行政区", {"name": "XZQMC"}, {}),
    "redline": ("STBHHX_441882", {"name": "HXMC", "function": "HXLX"}, {}),
    "farmland": ("YJJBNT", {"name": "TBBH"}, {}),
    "town_boundary": ("CZKFBJ", {"name": "BJMC", "status": "ZT"}, {}),
    "protected_areas": (
        "ZRBHD",
        {"name": "BHDMC", "level": "BHDJB", "kind": "BHDLX", "zone": "GNFQ"},
        {"zone": {"核心保护区": "核心区", "一般控制区": "实验区"}},
    ),
    "control_units": (
        "HJGKDY",
        {"code": "HJGKDYBM", "name": "HJGKDYMC", "class": "GKDYFL", "layout": "QYBJGK"},
        {"class": {"优先保护单元": 1, "重点管控单元": 2, "一般管控单元": 3}},
    ),
    "drinking_water_zones": (
        "YYSSYBHQ",
        {"name": "BHQMC", "source_name": "SYDMC", "zone": "BHQJB"},
        {"zone": {"一级": "一级保护区", "二级": "二级保护区"}},
    ),
}


def deliver(path: Path) -> None:
    """Write the geodatabase."""
    for name, (delivered, fields, codes) in LAYERS.items():
        frame = gpd.read_file(CITY / f"{name}.gpkg").to_crs(ZONE)
        for field, pairs in codes.items():
            codes_of = pd.Series([pairs.get(one, one) for one in frame[field]])
            # The format knows integers of 32 bits.
            frame[field] = codes_of.astype("int32") if pd.api.types.is_integer_dtype(codes_of) else codes_of
        columns = {"BSM": frame["id"]} | {field: frame[own] for own, field in fields.items()}
        if name == "city":
            columns["XZQDM"] = pd.Series(["441882"])
        # Heights, as three-dimensional geodatabases have them.
        shapes = shapely.force_3d(frame.geometry.to_numpy(), 0.0)
        made = gpd.GeoDataFrame(columns, geometry=shapes, crs=ZONE)
        made.to_file(path, layer=delivered, driver="OpenFileGDB", geometry_type="MultiPolygon Z", promote_to_multi=True)


def answers(city: Path) -> pd.DataFrame:
    """Return states and areas by site, rule and layer, of the delivered layers."""
    report = lz.screen(CITY / "sites.gpkg", city, as_of=AS_OF)
    found = report.findings
    found = found[found["layer"].isin(LAYERS)]
    keys = ["site_id", "rule", "layer", "state"]
    return pd.DataFrame(found).groupby(keys, dropna=False)["area_m2"].agg(["size", "sum"])


def main() -> None:
    """Deliver, adopt, screen, compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        deliver(folder / "441882.gdb")
        adopted = adopt(folder / "441882.gdb", folder / "city")
        ours, theirs = answers(CITY), answers(folder / "city")
    print(f"{len(adopted.layers)} layers adopted, {len(adopted.decisions)} to decide, {len(adopted.assumed)} assumed")
    # The city's own rules are not delivered; the rules of nation and province are in both books.
    rules = set(ours.index.get_level_values("rule")) & set(theirs.index.get_level_values("rule"))
    own = ours[ours.index.get_level_values("rule").isin(rules)]
    both = own.merge(theirs, how="outer", left_index=True, right_index=True, suffixes=("_ours", "_theirs"))
    far = (both["sum_ours"] - both["sum_theirs"]).abs() > 0.1 + 1e-6 * both["sum_ours"]
    wrong = both[both.isna().any(axis=1) | far | (both["size_ours"] != both["size_theirs"])]
    print(f"{len(both)} answers of {len(rules)} rules compared, {len(wrong)} differ")
    if len(wrong):
        sys.exit(wrong.to_string())


if __name__ == "__main__":
    main()
