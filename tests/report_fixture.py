"""A report made by hand: one site per verdict and one with a hostile name, over three small layers."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString, Point, Polygon, box

from lzgis.coordinates.plane import plane_for
from lzgis.model.catalogue import Baseline, CitySpec, LayerSpec, Style
from lzgis.model.deferred import DeferredTable
from lzgis.model.report import (
    FINDING_COLUMNS,
    UNIT_LIST_COLUMNS,
    VERDICT_COLUMNS,
    Layer,
    Problem,
    Provenance,
    Report,
    Source,
)
from lzgis.model.rules import Activity, Basis, Certainty, Document, Rule, RuleBook, Severity, Strength

AS_OF = dt.date(2026, 11, 21)
BOUNDS = (112.20, 24.70, 112.60, 25.05)
PLANE = plane_for(BOUNDS)

FORMULA = "=cmd|' /C calc'!A0"
LINK = '=HYPERLINK("http://x","y")'
SCRIPT = "<script>alert(1)</script></script>"
CONTROLS = "控制" + "".join(map(chr, range(32))) + "\x7f止"
RIGHT_TO_LEFT = "\u202eabc\u200f"
EMOJI = "🏭化工园$x^{2$"
LONG = "长" * 5000
HOSTILE = (
    FORMULA,
    LINK,
    SCRIPT,
    CONTROLS,
    RIGHT_TO_LEFT,
    EMOJI,
    LONG,
    "@SUM(1)",
    "+1",
    "-1",
    "{{7*7}}",
    "&amp;",
)


def toy_report(**changes: Any) -> Report:
    """Return a small report with every state, verdict and kind of rule; `changes` replace its fields."""
    layers, sites, book = _layers(), _sites(), _book()
    if "unit_lists" in changes:
        changes["listed"] = DeferredTable(changes.pop("unit_lists"))
    report = Report(
        city=CitySpec(
            name="连州市",
            name_en="Lianzhou",
            adcode="441882",
            notice="示意数据，仅供演示，不得用于审批。",
            notice_en="Schematic data for demonstration only; not for approval.",
        ),
        book=book,
        layers=layers,
        sites=sites,
        findings=_findings(layers, sites),
        verdicts=_verdicts(sites),
        listed=DeferredTable(_unit_lists()),
        backdrop=None,
        problems=(
            Problem("note", "roads.gpkg, road 2", "has no half-width", "4 m by technical class assumed"),
            Problem(
                "warning",
                "redline",
                "measured 560.10 km², declared 568.74 km²",
                "look at the layer's version",
            ),
            Problem("error", f"sites, {SCRIPT}", f"ring crosses itself {CONTROLS}", "redraw the ring"),
        ),
        provenance=_provenance(),
    )
    return dataclasses.replace(report, **changes)


def big_report(sites: int, findings_per_site: int, vertices: int = 0) -> Report:
    """Repeat the toy's rows for `sites` sites; with `vertices`, the redline gets as many."""
    toy = toy_report()
    ids = [f"P{i:05d}" for i in range(sites)]
    frame = toy.sites.iloc[np.arange(sites) % 4].reset_index(drop=True)
    shift = np.random.default_rng(1).uniform(-0.1, 0.1, (sites, 2))
    frame["geometry"] = [shapely.transform(g, lambda c, d=d: c + d) for g, d in zip(frame.geometry, shift, strict=True)]
    frame["id"], frame["name"] = ids, [f"项目{i}" for i in ids]
    verdicts = toy.verdicts.iloc[np.arange(sites) % 4].reset_index(drop=True)
    verdicts["site_id"], verdicts["site_name"] = ids, frame["name"]
    findings = toy.findings.iloc[np.arange(sites * findings_per_site) % len(toy.findings)].reset_index(drop=True)
    findings["site_id"] = np.repeat(ids, findings_per_site)
    findings["site_name"] = "项目" + findings["site_id"]
    layers = dict(toy.layers)
    if vertices:
        turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
        radius = 0.12 + 0.01 * np.sin(turn * 40) + 0.0005 * np.sin(turn * 5000)
        ring = np.column_stack((112.4 + radius * np.cos(turn), 24.87 + radius * np.sin(turn)))
        redline = gpd.GeoDataFrame(
            {"id": ["R1"], "name": ["红线"], "class": ["水源涵养"]}, geometry=[Polygon(ring)], crs="EPSG:4490"
        )
        layers["redline"] = dataclasses.replace(toy.layers["redline"], frame=redline)
    return toy_report(sites=frame, verdicts=verdicts, findings=findings, layers=layers)


def _frame(geometries: list[Any], **columns: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometries, crs="EPSG:4490")


def _layers() -> dict[str, Layer]:
    west, south, east, north = BOUNDS
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    blob = Polygon(
        np.column_stack((112.32 + 0.06 * np.cos(turn), 24.95 + 0.05 * np.sin(turn) + 0.01 * np.sin(5 * turn)))
    )
    hole = blob.difference(Point(112.31, 24.95).buffer(0.012))
    city = box(*BOUNDS).segmentize(0.02).buffer(0.004)
    return {
        "city": Layer(
            "city",
            LayerSpec(
                title="市域",
                title_en="City",
                role="outline",
                source="city.gpkg",
                style=Style(stroke="#333333", width=1.6),
            ),
            _frame([city], id=["441882"], name=["连州市"]),
        ),
        "units": Layer(
            "units",
            LayerSpec(
                title="环境管控单元",
                title_en="Control units",
                role="zoning",
                source="units.gpkg",
                date=dt.date(2023, 12, 1),
                version="2023",
                style=Style(
                    fill="#cccccc",
                    stroke="#888888",
                    width=0.6,
                    opacity=0.3,
                    by="class",
                    colours={"优先": "#7fbf7b", "重点": "#f4a582", "一般": "#fff2b2"},
                ),
            ),
            _frame(
                [
                    box(west, 24.88, 112.42, north),
                    box(112.42, 24.88, east, north),
                    box(west, south, east, 24.88),
                ],
                id=["ZH44188210001", "ZH44188220001", "ZH44188230001"],
                name=["北部优先单元", "东部重点单元", "南部一般单元"],
                **{"class": ["优先", "重点", "一般"]},
            ),
        ),
        "redline": Layer(
            "redline",
            LayerSpec(
                title="生态保护红线",
                title_en="Ecological redline",
                source="redline.gpkg",
                status="schematic",
                date=dt.date(2022, 10, 14),
                version="三区三线",
                style=Style(fill="#d7301f", stroke="#b30000", width=1.0, opacity=0.25),
            ),
            _frame(
                [hole, box(112.50, 24.74, 112.55, 24.78)],
                id=["R1", "R2"],
                name=["南岭水源涵养", "连江"],
                **{"class": ["水源涵养", "水土保持"]},
            ),
        ),
        "roads": Layer(
            "roads",
            LayerSpec(
                title="公路",
                title_en="Roads",
                source="roads.gpkg",
                geometry="line",
                baseline=Baseline.CENTRELINE,
                status="draft",
                style=Style(stroke="#8c510a", width=1.8, opacity=0.9, by="class", colours={"expressway": "#54278f"}),
            ),
            _frame(
                [
                    LineString([(112.20, 24.76), (112.35, 24.80), (112.47, 24.86), (112.60, 24.88)]),
                    LineString([(112.44, 24.70), (112.45, 24.85), (112.40, 25.05)]),
                ],
                id=["G0421", "S259"],
                name=["清连高速", "省道259"],
                **{"class": ["expressway", "provincial"]},
            ),
        ),
    }


def _sites() -> gpd.GeoDataFrame:
    return _frame(
        [
            Polygon([(112.34, 24.93), (112.375, 24.935), (112.40, 24.92), (112.39, 24.90), (112.345, 24.905)]),
            LineString([(112.30, 24.75), (112.40, 24.83), (112.47, 24.84)]),
            Point(112.53, 24.98),
            box(112.25, 24.83, 112.256, 24.835),
            box(112.548, 24.77, 112.56, 24.776),
        ],
        id=["S1", "S2", "S3", "S4", FORMULA],
        name=["星子光伏一期", "旅游公路", "采石点", "卫生院（鄠堃镕塆）", SCRIPT],
        activity=["photovoltaic", "road", "", "clinic", "photovoltaic"],
        owner=[EMOJI, CONTROLS, RIGHT_TO_LEFT, LINK, LONG],
        invest=[1.5, float("nan"), 3.0, 0.1, 2.0],
        fid=[7, 7, 8, 9, 10],
    )


def _rule(rule_id: str, kind: str, title: str, layer: str, **more: Any) -> Rule:
    defaults = {
        "title_en": rule_id.replace("-", " ").capitalize(),
        "severity": Severity.PROHIBITED,
        "strength": Strength.LAW,
        "basis": [Basis(document="redline-2022", article="第一条", article_en="Art 1")],
        "effective_from": dt.date(2022, 8, 16),
    }
    return Rule(id=rule_id, kind=kind, title=title, layer=layer, **(defaults | more))


def _book() -> RuleBook:
    road_basis = [
        Basis(document="highway", article="第十一条", article_en="Art 11"),
        Basis(document="plan", article="生态廊道"),
    ]
    rules = (
        _rule("redline", "avoid", "生态保护红线内禁止开发建设", "redline", procedure="报省级政府出具认定意见"),
        _rule("road-expressway", "keep_away", "高速公路建筑控制区30米", "roads", basis=road_basis),
        _rule(
            "road-provincial",
            "keep_away",
            "省道建筑控制区15米",
            "roads",
            severity=Severity.CONDITIONAL,
            basis=road_basis,
        ),
        _rule("unit", "identify", "所在环境管控单元", "units", severity=Severity.NOTICE, strength=Strength.PLAN),
        _rule("town", "stay_inside", "城镇开发边界内", "town", severity=Severity.CONDITIONAL),
        _rule("farmland", "avoid", "永久基本农田", "farmland"),
        _rule("old", "avoid", "已失效规则", "redline", effective_to=dt.date(2025, 1, 1)),
    )
    documents = {
        "redline-2022": Document(
            title="自然资发〔2022〕142号",
            title_en="MNR notice 142 (2022)",
            certainty=Certainty.PART,
            effective_from=dt.date(2022, 8, 16),
        ),
        "highway": Document(title="公路安全保护条例", title_en="Highway Safety Regulation", certainty=Certainty.READ),
        "plan": Document(
            title="连州市生态规划",
            certainty=Certainty.PLAN,
            repealed_on=dt.date(2026, 8, 15),
            repealed_by="生态环境法典",
        ),
    }
    activities = {
        "photovoltaic": Activity(title="光伏电站", title_en="Photovoltaic plant"),
        "road": Activity(title="公路", title_en="Road"),
        "clinic": Activity(title="医疗卫生", title_en="Clinic"),
    }
    layers = {
        "redline": "生态保护红线",
        "roads": "公路",
        "units": "环境管控单元",
        "farmland": "永久基本农田",
        "town": "城镇开发边界",
    }
    return RuleBook("示例规则库", "2026.11", rules, documents, activities, layers)


_HIT = {
    "state": "涉及",
    "reason": "",
    "strength": "law",
    "certainty": "part",
    "basis": "自然资发〔2022〕142号 第一条",
}
_ROAD = {
    "kind": "keep_away",
    "layer": "roads",
    "baseline": "centreline",
    "basis": "公路安全保护条例 第十一条；连州市生态规划 生态廊道",
}
_REPEALED = "连州市生态规划，自2026-08-15起，由生态环境法典废止"


def _findings(layers: dict[str, Layer], sites: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    site = dict(zip(sites["id"], sites.geometry, strict=True))
    red = layers["redline"].frame.geometry
    units = layers["units"].frame.geometry
    overlap = site["S1"].intersection(red.iloc[0])
    crossing = site["S2"].intersection(box(112.38, 24.80, 112.47, 24.86))
    rows: list[dict[str, Any]] = [
        _row(
            "S1",
            "redline",
            overlap,
            **_HIT,
            kind="avoid",
            layer="redline",
            feature_id="R1",
            feature_name="南岭水源涵养",
            severity="prohibited",
            share=0.31234567,
            distance_m=0.0,
            mean_width_m=812.123456,
            procedure="报省级政府出具认定意见",
        ),
        _row(
            "S1",
            "road-expressway",
            None,
            **_ROAD,
            state="不涉及",
            severity="prohibited",
            feature_id="G0421",
            feature_name="清连高速",
            distance_m=7012.34567,
            required_m=30.0,
            required_possible_m=44.0,
            margin=-6982.34567,
            band="possible",
            half_width_m=14.0,
            repealed=_REPEALED,
        ),
        _row(
            "S1",
            "unit",
            site["S1"].intersection(units.iloc[0]),
            **_HIT | {"strength": "plan"},
            kind="identify",
            layer="units",
            feature_id="ZH44188210001",
            feature_name="北部优先单元",
            severity="notice",
            share=1.0,
        ),
        _row(
            "S1",
            "farmland",
            None,
            kind="avoid",
            layer="farmland",
            state="未核查",
            severity="prohibited",
            reason="layer-missing",
        ),
        _row(
            "S1",
            "town",
            None,
            kind="stay_inside",
            layer="town",
            state="未核查",
            severity="conditional",
            reason="layer-missing",
        ),
        _row(
            "S2",
            "road-provincial",
            crossing,
            **_ROAD,
            state="涉及",
            severity="conditional",
            feature_id="S259",
            feature_name="省道259",
            area_m2=1203.456,
            area_possible_m2=2603.4567,
            length_m=7120.5,
            distance_m=0.0,
            required_m=15.0,
            required_possible_m=20.0,
            margin=15.0,
            band="certain",
            half_width_m=5.0,
            item="第6项",
            procedure="涉路施工许可",
            note="弯道须按安全视距核定",
            repealed=_REPEALED,
        ),
        _row(
            "S2",
            "redline",
            None,
            kind="avoid",
            layer="redline",
            state="不涉及",
            severity="prohibited",
            feature_id="R2",
            feature_name="连江",
            distance_m=4321.0987,
        ),
        _row(
            "S2",
            "unit",
            site["S2"],
            **_HIT,
            kind="identify",
            layer="units",
            feature_id="ZH44188230001",
            feature_name="南部一般单元",
            severity="notice",
            share=1.0,
            length_m=19000.0,
        ),
        _row(
            "S2",
            "farmland",
            None,
            kind="avoid",
            layer="farmland",
            state="未核查",
            severity="prohibited",
            reason="layer-missing",
        ),
        _row(
            "S3",
            "redline",
            None,
            kind="avoid",
            layer="redline",
            state="未核查",
            severity="prohibited",
            reason="activity-missing",
        ),
        _row(
            "S3",
            "road-provincial",
            None,
            **_ROAD,
            state="未核查",
            severity="conditional",
            reason="reach-outside",
            unchecked_share=0.125,
        ),
        _row(
            "S3",
            "unit",
            site["S3"],
            **_HIT,
            kind="identify",
            layer="units",
            feature_id="ZH44188220001",
            feature_name="东部重点单元",
            severity="notice",
        ),
        _row(
            "S4",
            "redline",
            None,
            kind="avoid",
            layer="redline",
            state="不涉及",
            severity="prohibited",
            feature_id="R1",
            feature_name="南岭水源涵养",
            distance_m=9000.123,
        ),
        _row(
            "S4",
            "unit",
            site["S4"],
            **_HIT,
            kind="identify",
            layer="units",
            feature_id="ZH44188230001",
            feature_name="南部一般单元",
            severity="notice",
            share=1.0,
        ),
        _row(
            FORMULA,
            "redline",
            site[FORMULA].intersection(red.iloc[1]),
            kind="avoid",
            layer="redline",
            state="疑似边界误差",
            severity="prohibited",
            feature_id=LINK,
            feature_name=SCRIPT,
            share=0.01,
            distance_m=0.0,
            mean_width_m=0.4,
            reason="partly-outside",
            unchecked_share=0.25,
            item=EMOJI,
            procedure=RIGHT_TO_LEFT,
            note=LONG,
            basis=CONTROLS,
        ),
    ]
    geometries = [row.pop("geometry") for row in rows]
    data = {c.name: [row[c.name] for row in rows] for c in FINDING_COLUMNS}
    return gpd.GeoDataFrame(data, geometry=geometries, crs="EPSG:4490")


def _row(site: str, rule: str, geometry: Any, **more: Any) -> dict[str, Any]:
    sites = _sites().set_index("id")
    row: dict[str, Any] = {c.name: float("nan") if c.dtype == "float" else "" for c in FINDING_COLUMNS}
    row |= {
        "site_id": site,
        "site_name": sites.loc[site, "name"],
        "activity": sites.loc[site, "activity"],
        "rule": rule,
    }
    row |= {"strength": "law", "certainty": "read", "as_of": AS_OF.isoformat(), "unchecked_share": 0.0}
    if geometry is not None and geometry.geom_type.endswith("Polygon"):
        row["area_m2"] = float(shapely.area(PLANE.project(geometry))[0])
        row["margin"] = row["area_m2"]
    return row | {"geometry": geometry} | more


def _verdicts(sites: gpd.GeoDataFrame) -> pd.DataFrame:
    answers = ["存在禁止性冲突", "需进一步论证", "核查不完整", "未发现冲突", "需进一步论证"]
    projected = PLANE.project(sites.geometry.to_numpy())
    area = shapely.area(projected)
    length = shapely.length(projected)
    line = shapely.get_type_id(projected) == 1
    columns = {
        "site_id": list(sites["id"]),
        "site_name": list(sites["name"]),
        "activity": list(sites["activity"]),
        "verdict": answers,
        "site_area_m2": np.where(area > 0, area, np.nan),
        "site_length_m": np.where(line, length, np.nan),
        "prohibited": [("redline",), (), (), (), ()],
        "conditional": [(), ("road-provincial",), (), (), ("redline",)],
        "notices": [("unit",), ("unit",), ("unit",), ("unit",), ()],
        "not_checked": [("farmland", "town"), ("farmland",), ("redline", "road-provincial"), (), ()],
        "not_applicable": [0, 0, 0, 0, 0],
        "nearest_rule": ["road-expressway", "redline", "", "redline", ""],
        "nearest_m": [6982.34567, 4321.0987, float("nan"), 9000.123, float("nan")],
        "ladder": [(a,) * 4 for a in answers[:4]] + [(answers[1], answers[1], "未发现冲突", "未发现冲突")],
    }
    assert list(columns) == [c.name for c in VERDICT_COLUMNS]
    return pd.DataFrame(columns)


def _unit_lists() -> pd.DataFrame:
    basis = "连州市生态规划"
    first, second = ("ZH44188210001", "北部优先单元", "优先"), ("ZH44188230001", "南部一般单元", "一般")
    ban = "禁止新建、扩建化工、焦化项目。" * 6
    nan = float("nan")
    rows = [
        (
            "S1",
            "city",
            "",
            "",
            "",
            "区域布局管控",
            "严禁任意改变生态保护红线用途。",
            nan,
            basis,
            "plan",
            "归类系规则库所加",
        ),
        ("S1", "unit", *first, "区域布局管控", ban, 1.0, "示意", "", ""),
        ("S1", "unit", *first, "能源资源利用", "落实最严格水资源管理制度。", 1.0, "示意", "", ""),
        ("S2", "unit", *second, "污染物排放管控", FORMULA, 0.75, "", "", ""),
        (FORMULA, "city", "", "", "", SCRIPT, LONG, nan, FORMULA, "lore", SCRIPT),
        (FORMULA, "unit", second[0], SCRIPT, "一般", "环境风险防控", LONG * 8, nan, "", "", ""),
    ]
    return pd.DataFrame(rows, columns=[c.name for c in UNIT_LIST_COLUMNS])


def _provenance() -> Provenance:
    return Provenance(
        as_of=AS_OF,
        made_at=dt.datetime(2026, 11, 21, 9, 30, 15, tzinfo=dt.UTC),
        rule_book="示例规则库",
        rule_book_version="2026.11",
        plane="CGCS2000 / equal-area plane at 112.4 24.88",
        sources=(
            Source("layer", "redline.gpkg", "a" * 64, "三区三线", "2022-10-14", "EPSG:4490", "pyogrio"),
            Source("sites", f"sites {FORMULA}.zip", "b" * 64, crs="EPSG:4525", engine="fiona"),
        ),
        transforms=("EPSG:4525 → EPSG:4490: Inverse of 3-degree Gauss-Kruger zone 37",),
        tolerances={"sliver_width_m": 1.0},
        versions={"lzgis": "0.1.0", "GEOS": "3.13.1"},
    )
