"""Family I: outlines that come as lines or as numbered points, in every format, with and without ``--as polygons``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import toy
from shapely import LineString, Point

from bad_inputs.case import IN, OPEN, TRUTH, Request, case, saved
from lzgis.reading import ReadOptions

FORMATS = (".gpkg", ".shp", ".geojson", ".fgb", ".parquet", ".gml", ".kml", ".csv")
POLYGONS = ReadOptions(shapes="polygons")
BOTH = (toy.square(-50, 100), toy.square(-3000, 0))


def written(folder: Path, frame: gpd.GeoDataFrame, suffix: str, shapes: str = "given") -> Request:
    """Write a frame in a format; a table gets its shapes as WKT."""
    path = folder / f"sites{suffix}"
    crs = None
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix == ".csv":
        crs = "EPSG:4490"
        frame.drop(columns="geometry").assign(WKT=frame.geometry.to_wkt(rounding_precision=12)).to_csv(
            path, index=False
        )
    elif suffix in (".geojson", ".gml"):
        saved(path, frame, 4326)
    elif suffix == ".kml":
        saved(path, frame, driver="KML")
    else:
        saved(path, frame)
    return Request(path, ReadOptions(crs=crs, shapes=shapes))  # type: ignore[arg-type]


def closed() -> gpd.GeoDataFrame:
    """Make the two sites as lines that end where they begin."""
    return toy.sites(*(LineString(site.exterior.coords) for site in BOTH))


def gaping() -> gpd.GeoDataFrame:
    """Make the two sites as lines whose ends are 0.3 m apart."""
    lines = []
    for site in BOTH:
        xy = np.array(site.exterior.coords)
        xy[-1] += (xy[-2] - xy[-1]) / np.linalg.norm(xy[-2] - xy[-1]) * 0.3
        lines.append(LineString(xy))
    return toy.sites(*lines)


def chained() -> gpd.GeoDataFrame:
    """Make the two sites as four lines each, one of them in the other direction."""
    lines = []
    for site in BOTH:
        xy = list(site.exterior.coords)
        sides = [LineString(xy[i : i + 2]) for i in range(4)]
        lines += [*sides[:3], LineString(xy[3:][::-1])]
    return toy.sites(*lines)


def _sides() -> dict[int, tuple[str, float | None]]:
    """Say which of the eight lines touch the redline: those of the first site that reach x >= 0."""
    reach = [shape.bounds[2] >= 0 for shape in toy.PLANE.project(chained().geometry.to_numpy())]
    return {row: (IN if touches else OPEN, None) for row, touches in enumerate(reach)}


AS_LINES = {0: (IN, None), 1: (OPEN, None)}
KINDS: dict[str, tuple[Callable[[], gpd.GeoDataFrame], Any, str]] = {
    "closed lines": (closed, AS_LINES, "2 lines end where they begin and enclose areas"),
    "lines with a gap of 0.3 m": (gaping, AS_LINES, "2 lines end where they begin and enclose areas"),
    "lines in four pieces": (chained, _sides(), "8 lines, joined end to end, enclose 2 areas"),
}
for _title, (_make, _truth, _says) in KINDS.items():
    for _suffix in FORMATS:
        # A FlatGeobuf has its rows in the order of its index; the pieces would need ids.
        if _suffix != ".fgb" or "pieces" not in _title:

            @case("I", f"{_title}, {_suffix}", "open", _says, truth=_truth)
            def _(folder: Path, make: Any = _make, suffix: str = _suffix) -> Request:
                return written(folder, make(), suffix)

            _taken = "taken as a polygon"

            @case("I", f"{_title}, {_suffix}, taken as polygons", "repaired", _taken)
            def _(folder: Path, make: Any = _make, suffix: str = _suffix) -> Request:
                return written(folder, make(), suffix, "polygons")


def numbered() -> gpd.GeoDataFrame:
    """Make the corners of the two sites as points with their numbers."""
    corners = [Point(xy) for site in BOTH for xy in list(site.exterior.coords)[:-1]]
    return toy.sites(*corners).assign(点号=[f"J{i % 4 + 1}" for i in range(8)])


_CORNERS = toy.PLANE.project(numbered().geometry.to_numpy())
_AT = {row: (IN if point.x >= 0 else OPEN, None) for row, point in enumerate(_CORNERS)}
for _suffix in (".gpkg", ".shp", ".geojson", ".parquet", ".gml", ".kml", ".csv"):

    @case("I", f"numbered points, {_suffix}", "open", "8 numbered points enclose 2 areas", truth=_AT)
    def _(folder: Path, suffix: str = _suffix) -> Request:
        return written(folder, numbered(), suffix)

    @case(
        "I", f"numbered points, {_suffix}, taken as polygons", "repaired", "numbered points were taken as the corners"
    )
    def _(folder: Path, suffix: str = _suffix) -> Request:
        return written(folder, numbered(), suffix, "polygons")


@case(
    "I",
    "a network of lines, which encloses nothing for certain",
    "answer",
    truth={0: (IN, None), 1: (IN, None), 2: (IN, None)},
)
def _(folder: Path) -> Path:
    centre = (50.0, 150.0)
    return saved(folder / "roads.gpkg", toy.sites(*(LineString([centre, (x, 250.0)]) for x in (10.0, 60.0, 110.0))))


@case("I", "an open line, polygons wanted", "answer", "no line and no run of numbered points", truth={0: (IN, None)})
def _(folder: Path) -> Request:
    path = saved(folder / "road.gpkg", toy.sites(LineString([(-50, 100), (400, 300)])))
    return Request(path, POLYGONS)


def drawing(
    folder: Path, lines: list[list[tuple[float, float]]], *, layer: str = "0", texts: tuple[str, ...] = ()
) -> Path:
    """Write lines in plane metres as a drawing in zone 38."""
    import ezdxf

    made = ezdxf.new()
    for line in lines:
        there = gpd.GeoSeries(toy.PLANE.unproject(np.array([LineString(line)], dtype=object)), crs=4490).to_crs(4526)
        made.modelspace().add_lwpolyline(list(there.iloc[0].coords), dxfattribs={"layer": layer})
    for text in texts:
        made.modelspace().add_text(text)
    made.saveas(folder / "sites.dxf")
    return folder / "sites.dxf"


GK = ReadOptions(crs="EPSG:4526")
_BOXES = [list(site.exterior.coords) for site in BOTH]


@case("I", "closed polylines of a drawing", "open", truth={0: (OPEN, None), 1: TRUTH[1]})
def _(folder: Path) -> Request:
    return Request(drawing(folder, _BOXES), GK)


_NO_ACTIVITY = {0: (OPEN, None), 1: (OPEN, None)}


@case("I", "polylines of a drawing with a gap", "open", "enclose areas", truth=_NO_ACTIVITY)
def _(folder: Path) -> Request:
    return Request(drawing(folder, [[*box[:-1], (box[0][0], box[0][1] + 0.2)] for box in _BOXES]), GK)


@case(
    "I",
    "lines of a drawing, joined end to end",
    "open",
    "8 lines, joined end to end",
    truth=dict.fromkeys(range(8), (OPEN, None)),
)
def _(folder: Path) -> Request:
    return Request(drawing(folder, [box[i : i + 2] for box in _BOXES for i in range(4)]), GK)


@case(
    "I", "lines of a drawing, taken as polygons", "repaired", "4 lines that join", truth={0: (OPEN, None), 1: TRUTH[1]}
)
def _(folder: Path) -> Request:
    path = drawing(folder, [box[i : i + 2] for box in _BOXES for i in range(4)])
    return Request(path, ReadOptions(crs="EPSG:4526", shapes="polygons"))
