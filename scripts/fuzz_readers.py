"""Read mutated files of every format: each gives a result or a clear error. The long run of tests/reading/test_fuzzing.py.

python scripts/fuzz_readers.py --each 2000
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd

#: Suffixes of the formats that are mutated.
FORMATS = (".gpkg", ".shp", ".geojson", ".fgb", ".parquet", ".kml", ".gml", ".dxf", ".xlsx", ".csv", ".txt", ".zip")
_SEED = 20261121


def originals(folder: Path, sites: gpd.GeoDataFrame) -> dict[str, Path]:
    """Write good files of every format into a folder."""
    made = {suffix: folder / f"sites{suffix}" for suffix in FORMATS}
    for suffix in (".gpkg", ".shp", ".fgb"):
        sites.to_file(made[suffix], engine="pyogrio")
    for suffix in (".geojson", ".gml"):
        sites.to_crs(4326).to_file(made[suffix], engine="pyogrio")
    sites.to_file(made[".kml"], driver="KML", engine="pyogrio")
    sites.to_parquet(made[".parquet"])
    sites[["geometry"]].to_crs(4547).boundary.to_frame("geometry").set_geometry("geometry").to_file(
        made[".dxf"], driver="DXF", engine="pyogrio"
    )
    table = sites.drop(columns="geometry").assign(WKT=sites.geometry.to_wkt())
    table.to_csv(made[".csv"], index=False)
    table.to_excel(made[".xlsx"], index=False, engine="xlsxwriter")
    head = "[属性描述]\n坐标系=2000国家大地坐标系\n带号=38\n[地块坐标]\n4,1.0000,P1,甲,面,,,,@\n"
    points = "J1,1,2765000,38445000\nJ2,1,2765100,38445000\nJ3,1,2765100,38445100\nJ4,1,2765000,38445100\n"
    made[".txt"].write_text(head + points, "gb18030")
    with zipfile.ZipFile(made[".zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        for part in folder.glob("sites.[sdpc][hbrp][pfxjg]"):
            archive.write(part, part.name)
    return made


def mutated(original: Path, folder: Path, count: int, first: int = 0) -> list[Path]:
    """Write so many mutations of a file: bits turned, bytes overwritten, a piece taken out, doubled, or the end cut off.

    The same numbers give the same files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = original.read_bytes()
    paths = []
    for number in range(first, first + count):
        random = np.random.default_rng([_SEED, number])
        own = folder / f"{number}"
        own.mkdir()
        if original.suffix == ".shp":
            for part in original.parent.glob(f"{original.stem}.*"):
                if part.suffix in (".shx", ".dbf", ".prj", ".cpg"):
                    shutil.copyfile(part, own / part.name)
        path = own / original.name
        path.write_bytes(_mutation(data, random))
        paths.append(path)
    return paths


def _mutation(data: bytes, random: np.random.Generator) -> bytes:
    raw = np.frombuffer(data, dtype=np.uint8).copy()
    kind, at = int(random.integers(5)), int(random.integers(max(1, len(raw))))
    # Most of what a library relies on stands at the beginning.
    at = at if random.random() < 0.5 else min(at, int(random.integers(1, 200)))
    if kind == 0:
        for _ in range(int(random.integers(1, 30))):
            raw[int(random.integers(len(raw)))] ^= np.uint8(1 << int(random.integers(8)))
    elif kind == 1:
        end = min(len(raw), at + int(random.integers(1, 64)))
        raw[at:end] = random.integers(0, 256, end - at, dtype=np.uint8)
    elif kind == 2:
        raw = raw[:at]
    elif kind == 3:
        raw = np.delete(raw, slice(at, at + int(random.integers(1, 200))))
    else:
        raw = np.insert(raw, at, raw[at : at + int(random.integers(1, 200))])
    return raw.tobytes()


def main() -> int:
    """Run the given number of mutations of each format; return 1 if any error is incomplete."""
    root = Path(__file__).parent.parent
    sys.path[:0] = [str(root), str(root / "tests")]
    import toy

    from lzgis.errors import LzgisError
    from lzgis.reading import ReadOptions, read_many_in_sandbox

    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=2000, help="mutations of each format (default 2000)")
    parser.add_argument("formats", nargs="*", help="suffixes; all if none")
    options = parser.parse_args()
    bad = 0
    for suffix in options.formats or FORMATS:
        began, outcomes = time.monotonic(), Counter[str]()
        for first in range(0, options.each, 100):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                original = originals(folder, toy.sites(toy.square(0, 0), toy.square(200, 0)))[suffix]
                paths = mutated(original, folder / "mutated", min(100, options.each - first), first)
                for number, one in enumerate(read_many_in_sandbox([(p, ReadOptions()) for p in paths]), first):
                    outcome = _outcome(one) if isinstance(one, LzgisError) else "read"
                    outcomes[outcome] += 1
                    if outcome in ("crash", "late", "memory"):
                        print(f"{suffix} {number}: {one}")
                    bad += isinstance(one, LzgisError) and not (one.place and one.what and one.remedy)
        took = time.monotonic() - began
        print(f"{suffix}: {options.each} files, {dict(outcomes)}, {took:.0f} s", flush=True)
    return 1 if bad else 0


def _outcome(error: Exception) -> str:
    message = str(error)
    for word, name in (("crash", "crash"), ("was not read within", "late"), ("needs more than", "memory")):
        if word in message:
            return name
    return "refused"


if __name__ == "__main__":
    sys.exit(main())
