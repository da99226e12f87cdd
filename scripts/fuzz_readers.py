"""Read mutated files of every format: each gives every row, or a clear error. The long run of tests/reading/test_fuzzing.py.

python scripts/fuzz_readers.py --each 2000
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import csv
import io
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from lxml import etree

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
    made[".txt"].write_text(_plan(), "gb18030")
    with zipfile.ZipFile(made[".zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        for part in folder.glob("sites.[sdpc][hbrp][pfxjg]"):
            archive.write(part, part.name)
    return made


def _plan() -> str:
    """Return a 界址点 file of three parcels."""
    lines = ["[属性描述]", "坐标系=2000国家大地坐标系", "带号=38", "[地块坐标]"]
    for number, name in enumerate("甲乙丙"):
        north, east = 2765000, 38445000 + 200 * number
        ring = [(north, east), (north + 100, east), (north + 100, east + 100), (north, east + 100)]
        lines.append(f"4,1.0000,P{number + 1},{name},面,,,,@")
        lines += [f"J{i},1,{x},{y}" for i, (x, y) in enumerate(ring, 1)]
    return "\n".join(lines) + "\n"


def mutated(original: Path, folder: Path, count: int, first: int = 0) -> list[Path]:
    """Write so many mutations of a file; the same numbers give the same files.

    Every second one of a format that is text, XML or packed is changed by lines, by elements, or within one part, so that
    more of them can still be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = original.read_bytes()
    change = next((own for own, formats in _CHANGES.items() if original.suffix in formats), mutation)
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
        path.write_bytes(change(data, random) if number % 2 else mutation(data, random))
        paths.append(path)
    return paths


def mutation(data: bytes, random: np.random.Generator) -> bytes:
    """Return a mutation of bytes: bits turned, bytes overwritten, a piece taken out, doubled, or the end cut off."""
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


def changed_lines(data: bytes, random: np.random.Generator) -> bytes:
    """Return text with lines removed, doubled, exchanged, or with characters of a line replaced, one to four times."""
    lines = data.splitlines(keepends=True)
    for _ in range(int(random.integers(1, 5))):
        kind, at, other = int(random.integers(4)), int(random.integers(len(lines))), int(random.integers(len(lines)))
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[at])
        elif kind == 2:
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at] = _changed_line(lines[at], random)
    return b"".join(lines)


def changed_elements(data: bytes, random: np.random.Generator) -> bytes:
    """Return XML with elements removed, doubled, moved, or with characters of a text replaced, one to four times."""
    root = etree.fromstring(data)
    for _ in range(int(random.integers(1, 5))):
        every = list(root.iter())
        at, other = every[int(random.integers(len(every)))], every[int(random.integers(len(every)))]
        above = at.getparent()
        kind = int(random.integers(4)) if above is not None else 3
        if kind == 0:
            above.remove(at)
        elif kind == 1:
            above.insert(above.index(at), copy.deepcopy(at))
        elif kind == 2:
            other.append(copy.deepcopy(at))
        elif at.text:
            at.text = re.sub("[^ -\ud7ff]", "", _changed_line(at.text.encode(), random).decode("utf-8", "replace"))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _changed_line(line: bytes, random: np.random.Generator) -> bytes:
    raw = bytearray(line)
    characters = b"0123456789.,-+eE<>/@\"';: \t\r\n"
    for _ in range(int(random.integers(1, 4))):
        at = int(random.integers(len(raw) + 1))
        raw[at : at + int(random.integers(2))] = bytes([characters[int(random.integers(len(characters)))]])
    return bytes(raw)


def changed_part(data: bytes, random: np.random.Generator) -> bytes:
    """Return a packed file of which one part is changed, by bytes or, if it is XML, by pieces, and packed again."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as changed:
        names = archive.namelist()
        # What a table holds stands in its sheets and texts.
        likely = [name for name in names if "sheet" in name or "sharedStrings" in name] or names
        chosen = str(random.choice(likely if random.random() < 0.7 else names))
        for name in names:
            part = archive.read(name)
            if name == chosen:
                part = changed_elements(part, random) if part.startswith(b"<?xml") else mutation(part, random)
            changed.writestr(name, part)
    return packed.getvalue()


def main() -> int:
    """Run the given number of mutations of each format; return 1 if any error is incomplete, or a row is lost."""
    root = Path(__file__).parent.parent
    sys.path[:0] = [str(root), str(root / "tests")]
    import toy

    from lzgis.errors import LzgisError
    from lzgis.reading import ReadOptions, read_many_in_sandbox

    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=2000, help="mutations of each format (default 2000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.add_argument("formats", nargs="*", help="suffixes; all if none")
    options = parser.parse_args()
    bad = 0
    for suffix in options.formats or FORMATS:
        began, outcomes = time.monotonic(), Counter[str]()
        end = options.first + options.each
        for first in range(options.first, end, 100):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                original = originals(folder, toy.sites(toy.square(0, 0), toy.square(200, 0)))[suffix]
                paths = mutated(original, folder / "mutated", min(100, end - first), first)
                answers = read_many_in_sandbox([(p, ReadOptions()) for p in paths])
                for number, (path, one) in enumerate(zip(paths, answers, strict=True), first):
                    outcome = _outcome(one) if isinstance(one, LzgisError) else _counted(path, one)
                    outcomes[outcome] += 1
                    if outcome in ("crash", "late", "memory"):
                        print(f"{suffix} {number}: {one}")
                    if outcome == "rows lost":
                        print(f"{suffix} {number}: {rows_held(path)} rows are held, {len(one.frame)} read")
                    bad += outcome == "rows lost"
                    bad += isinstance(one, LzgisError) and not (one.place and one.what and one.remedy)
        took = time.monotonic() - began
        print(f"{suffix}: {options.each} files, {dict(outcomes)}, {took:.0f} s", flush=True)
    return 1 if bad else 0


_CHANGES = {
    changed_lines: (".geojson", ".dxf", ".csv", ".txt"),
    changed_elements: (".kml", ".gml"),
    changed_part: (".xlsx", ".zip"),
}


def _counted(path: Path, read: Any) -> str:
    held = rows_held(path)
    skipped = sum("skipped" in problem.what for problem in read.problems)
    return "rows lost" if held is not None and len(read.frame) + skipped < held else "read"


def rows_held(path: Path) -> int | None:
    """Return how many rows a file holds, counted without the readers; None where they cannot be counted so."""
    try:
        return _HELD[path.suffix](path)
    except Exception:
        return None


def _held_in_gpkg(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM sites").fetchone()[0])


def _held_in_shp(path: Path) -> int:
    """Walk the records of the file of shapes."""
    data, at, count = path.read_bytes(), 100, 0
    while at + 8 <= len(data):
        at += 8 + 2 * int.from_bytes(data[at + 4 : at + 8], "big", signed=True)
        count += 1
    return count


def _held_in_workbook(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    rows = re.findall(r"<row [^>]*>(.*?)</row>", sheet, re.DOTALL)
    return sum("<v>" in row for row in rows) - 1


def _held_in_table(path: Path) -> int:
    # Rows with a coordinate of the sites: damaged rows of the head, which are stated, are none.
    rows = csv.reader(io.StringIO(path.read_text("utf-8"), newline=""))
    return sum(any("112." in cell for cell in row) for row in rows)


def _held_in_json(path: Path) -> int:
    return len(json.loads(path.read_text("utf-8"))["features"])


def _held_in_parquet(path: Path) -> int:
    import pyarrow.parquet

    return int(pyarrow.parquet.ParquetFile(path).metadata.num_rows)


def _held_in_zip(path: Path) -> int:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        return _held_in_shp(Path(folder) / "sites.shp")


def _held_by(pattern: str) -> Callable[[Path], int]:
    def count(path: Path) -> int:
        text = path.read_bytes().decode("utf-8", "replace") if path.suffix != ".txt" else path.read_text("gb18030")
        return len(re.findall(pattern, re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL), re.IGNORECASE))

    return count


_HELD: dict[str, Callable[[Path], int]] = {
    ".gpkg": _held_in_gpkg,
    ".shp": _held_in_shp,
    ".geojson": _held_in_json,
    ".parquet": _held_in_parquet,
    ".kml": _held_by(r"<placemark[\s>]"),
    ".gml": _held_by(r"<(?:\w+:)?sites[\s>]"),
    ".dxf": _held_by(r"\n\s*0\r?\n(?:LW)?POLYLINE\r?\n"),
    ".xlsx": _held_in_workbook,
    ".csv": _held_in_table,
    ".txt": _held_by(r",@\s*(?:\n|$)"),
    ".zip": _held_in_zip,
}


def _outcome(error: Exception) -> str:
    message = str(error)
    for word, name in (("crash", "crash"), ("was not read within", "late"), ("needs more than", "memory")):
        if word in message:
            return name
    return "refused"


if __name__ == "__main__":
    sys.exit(main())
