"""Family H: 界址点 files, in all their dialects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from shapely import box

from bad_inputs.case import OUT, Request, case, degrees, pair
from lzgis.reading import ReadOptions

HEADER = """[属性描述]
格式版本号=1.01版本
数据产生单位=测绘院
数据产生日期=2026-11-21
坐标系=2000国家大地坐标系
几度分带=3
投影类型=高斯克吕格
计量单位=米
带号=38
精度=0.001
转换参数=,,,,,,
"""
#: Without an activity the redline is 未核查 where it is hit; the points say it in their use (用途) or not at all.
HIT = {0: ("未核查", None), 1: (OUT, None)}


def rings(prefix: int = 38_000_000, *shapes: Any) -> list[np.ndarray]:
    """Give corners as X (north), Y (east) in zone 38, the number of the zone before the easting or not."""
    given = pair().geometry if not shapes else gpd.GeoSeries(degrees(*shapes), crs=4490)
    return [np.array(s.exterior.coords)[:-1, ::-1] + [0, prefix] for s in given.to_crs(4547)]


def parcel(
    number: int,
    *parts: np.ndarray,
    area: str = "1.0000",
    fields: int = 9,
    closed: int = 0,
    swap: int = 1,
    count: int | None = None,
) -> str:
    """Write a parcel: its line and those of its points."""
    points = []
    for r, part in enumerate(parts, 1):
        corners = np.vstack([part, part[:1]]) if closed else part
        points += [f"J{i + 1},{r},{a:.4f},{b:.4f}" for i, (a, b) in enumerate(corners[:, ::swap])]
    values = [
        str(len(points) if count is None else count),
        area,
        f"s{number}",
        f"地块{number}",
        "面",
        "",
        "住宅",
        "0701",
        "@",
    ]
    line = ",".join([*values[: fields - 1], "@"][:fields] if fields < 9 else [*values[:8], *[""] * (fields - 9), "@"])
    return "\n".join([line, *points]) + "\n"


def written(folder: Path, body: str, *, header: str = HEADER, encoding: str = "gb18030") -> Path:
    """Write a file."""
    (folder / "plan.txt").write_bytes((header + "[地块坐标]\n" + body).encode(encoding))
    return folder / "plan.txt"


def both(**how: Any) -> str:
    """Write the two parcels."""
    return "".join(parcel(i, part, **how) for i, part in enumerate(rings(), 1))


GOOD = {
    "in order": {},
    "closing point repeated": {"closed": 1},
    "count without the closing point": {"closed": 1, "count": 4},
    "area in m²": {"area": "10000.00"},
    "8 fields": {"fields": 8},
    "12 fields": {"fields": 12},
    "13 fields": {"fields": 13},
    "X and Y exchanged": {"swap": -1},
}
for _title, _how in GOOD.items():

    @case("H", _title, "open", truth=HIT)
    def _(folder: Path, how: dict[str, Any] = _how) -> Path:
        return written(folder, both(**how))


for _encoding in ("utf-8", "utf-8-sig", "gbk"):

    @case("H", f"in {_encoding}", "open", truth=HIT)
    def _(folder: Path, encoding: str = _encoding) -> Path:
        return written(folder, both(), encoding=encoding)


@case("H", "full-width digits and commas", "open", truth=HIT)
def _(folder: Path) -> Path:
    return written(folder, both().translate(str.maketrans("0123456789,.", "０１２３４５６７８９，．")))


@case("H", "other brackets", "open", truth=HIT)
def _(folder: Path) -> Path:
    path = written(folder, both())
    path.write_text(path.read_text("gb18030").replace("[", "【").replace("]", "】"), "gb18030")
    return path


@case("H", "no zone before the eastings, but in the header", "open", truth=HIT)
def _(folder: Path) -> Path:
    return written(folder, "".join(parcel(i, part) for i, part in enumerate(rings(0), 1)))


@case("H", "no zone at all", "refused", "zone|system")
def _(folder: Path) -> Path:
    header = HEADER.replace("带号=38\n", "")
    return written(folder, "".join(parcel(i, part) for i, part in enumerate(rings(0), 1)), header=header)


@case("H", "no zone at all, system declared", "open", truth=HIT)
def _(folder: Path) -> Request:
    header = HEADER.replace("带号=38\n", "")
    path = written(folder, "".join(parcel(i, part) for i, part in enumerate(rings(0), 1)), header=header)
    return Request(path, ReadOptions(crs="EPSG:4547"))


@case("H", "the header says 37, the eastings 38", "refused", "zone|带号|37")
def _(folder: Path) -> Path:
    return written(folder, both(), header=HEADER.replace("带号=38", "带号=37"))


@case("H", "no header", "refused", "system|header|坐标系")
def _(folder: Path) -> Path:
    (folder / "plan.txt").write_text(both(), "gb18030")
    return folder / "plan.txt"


@case("H", "Xian 1980", "refused", "datum|西安|1980|Xian")
def _(folder: Path) -> Path:
    return written(folder, both(), header=HEADER.replace("2000国家大地坐标系", "1980西安坐标系"))


@case("H", "a hole by its ring", "open", "taken as a hole", truth=HIT)
def _(folder: Path) -> Path:
    outer, inner, other = rings(38_000_000, box(-50, 100, 50, 200), box(-40, 110, -30, 120), box(-3000, 0, -2900, 100))
    return written(folder, parcel(1, outer, inner, area="0.9900") + parcel(2, other))


@case("H", "a second part by its ring", "open", "taken as another part", truth=HIT)
def _(folder: Path) -> Path:
    one, part, other = rings(38_000_000, box(-50, 100, 50, 200), box(-250, 100, -150, 200), box(-3000, 0, -2900, 100))
    return written(folder, parcel(1, one, part, area="2.0000") + parcel(2, other))


@case("H", "rings that cross", "refused", "crosses ring", names="line")
def _(folder: Path) -> Path:
    one, part = rings(38_000_000, box(-50, 100, 50, 200), box(0, 150, 100, 250))
    return written(folder, parcel(1, one, part, area="2.0000"))


@case("H", "a point missing", "refused", "declares 6 points, but 3 are listed", names="line")
def _(folder: Path) -> Path:
    return written(folder, parcel(1, rings()[0][:3], count=6))


@case("H", "a coordinate that is none", "refused", "line", names="line")
def _(folder: Path) -> Path:
    body = both()
    return written(folder, body.replace("J3,1,2", "J3,1,二", 1))


@case("H", "cut short within a line", "refused", "line|points", names="line")
def _(folder: Path) -> Path:
    return written(folder, both()[:-30])


@case("H", "points out of order", "refused", "is out of order", names="line")
def _(folder: Path) -> Path:
    lines = parcel(1, rings()[0]).splitlines()
    lines[2], lines[3] = lines[3], lines[2]
    return written(folder, "\n".join(lines) + "\n")


@case("H", "an area that no unit fits", "open", "no unit fits", truth=HIT, names="line")
def _(folder: Path) -> Path:
    return written(folder, both(area="7.7777"))


@case("H", "not a text of points", "refused", "has 1 fields", names="line")
def _(folder: Path) -> Path:
    (folder / "plan.txt").write_text("关于地块的说明\n详见附件\n", "utf-8")
    return folder / "plan.txt"


@case("H", "an id given twice", "refused", "share the id 's1'")
def _(folder: Path) -> Path:
    one, other = rings()
    return written(folder, parcel(1, one) + parcel(1, other))
