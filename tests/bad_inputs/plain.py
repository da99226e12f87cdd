"""What plain geopandas makes of the same inputs: ``python -m bad_inputs.plain FOLDER ID…`` prints an outcome a line.

It reads as a careful user would: the layer, encoding and system declared where the case declares them, sites brought to
the system of the redline, the overlap taken in the plane.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
import toy

from bad_inputs.case import IN, OUT, Case, Request
from bad_inputs.hostile import SECRET
from bad_inputs.listening import calls
from bad_inputs.running import CASES

#: So long a case may take, s.
_PATIENCE_S = 60.0


def outcome(case: Case, folder: Path) -> str:
    """Say what plain geopandas makes of a case."""
    request = case.request(folder)
    calls()
    try:
        frame = _read(request)
        found = _answers(frame, _redline(request, folder))
    except Exception as error:
        text = str(error).replace("\n", " ")
        leak = SECRET in text or calls()
        return "leak" if leak else f"error, {_names(request, case, text)}"
    if SECRET in frame.drop(columns="geometry", errors="ignore").to_csv() or calls():
        return "leak"
    return _judged(case, found)


def _judged(case: Case, found: list[tuple[str, float]]) -> str:
    if case.must == "refused":
        return "silently wrong"
    truth = case.geometric or case.truth
    if len(found) != len(truth):
        return "silently wrong"
    for row, (state, area) in truth.items():
        stated, measured = found[row]
        if state not in (IN, OUT):
            return "silently wrong"
        if stated != state:
            return "conflict lost" if state == IN else "silently wrong"
        if area is not None and not np.isclose(measured, area, rtol=2e-4):
            return "silently wrong"
    return "right"


def _read(request: Request) -> gpd.GeoDataFrame:
    options = request.options
    more = {name: value for name in ("layer", "encoding") if (value := getattr(options, name)) is not None}
    frame = gpd.read_file(str(request.path), **more)
    return frame.set_crs(options.crs) if options.crs and frame.crs is None else frame


def _redline(request: Request, folder: Path) -> gpd.GeoDataFrame:
    city = request.city or toy.city(folder / "plain-city")
    return gpd.read_file(city / "redline.gpkg")


def _answers(sites: gpd.GeoDataFrame, redline: gpd.GeoDataFrame) -> list[tuple[str, float]]:
    there = toy.PLANE.project(sites.to_crs(4490).geometry.to_numpy())
    lines = redline.geometry.to_numpy() if redline.crs is None else redline.to_crs(4490).geometry.to_numpy()
    pairs = gpd.overlay(
        gpd.GeoDataFrame({"row": np.arange(len(there))}, geometry=there),
        gpd.GeoDataFrame(geometry=toy.PLANE.project(lines)),
        how="intersection",
        keep_geom_type=False,
    )
    area = pairs.geometry.area.groupby(pairs["row"]).sum()
    hit = set(pairs["row"][(pairs.geometry.area > 0) | (shapely.get_dimensions(pairs.geometry) < 2)])
    return [(IN if row in hit else OUT, float(area.get(row, 0.0))) for row in range(len(there))]


def _names(request: Request, case: Case, text: str) -> str:
    name = Path(str(request.path)).name
    return "names the file" if name in text and not case.names else "does not say where"


def all_outcomes() -> dict[str, str]:
    """Run every case in a process that is started again when one ends it."""
    found: dict[str, str] = {}
    waiting = [case.id for case in CASES]
    while waiting:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "bad_inputs.plain", folder, *waiting]
            try:
                run = subprocess.run(
                    command, capture_output=True, encoding="utf-8", timeout=_PATIENCE_S * 10, check=False
                )
                lines, end = run.stdout.splitlines(), f"crash ({run.returncode})"
            except subprocess.TimeoutExpired as late:
                lines, end = (late.stdout or b"").decode().splitlines(), "never ends"
        for line in lines:
            case_id, _, result = line.partition("\t")
            found[case_id] = result
        waiting = [one for one in waiting if one not in found]
        if waiting:
            found[waiting.pop(0)] = end
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    by_id = {case.id: case for case in CASES}
    for one in sys.argv[2:]:
        own = Path(sys.argv[1]) / one
        own.mkdir()
        print(one, outcome(by_id[one], own), sep="\t", flush=True)
