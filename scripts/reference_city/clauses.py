"""Schematic list clauses of the control units, under the four headings used in Guangdong."""

from __future__ import annotations

HEADINGS = {"layout": "区域布局", "energy": "能源资源", "pollution": "污染物排放", "risk": "环境风险"}

PRIORITY: dict[str, list[str]] = {
    "layout": [
        "{town}生态保护红线内严格禁止开发性、生产性建设活动，法律法规允许的有限人为活动除外",
        "自然保护地核心保护区原则上禁止人为活动，一般控制区严格控制开发建设",
        "一般生态空间内可开展生态保护修复、适度生态旅游和农业种植，不得新建采石采矿项目",
    ],
    "energy": ["严格控制水资源取用，保障河道生态流量", "禁止新建高耗能、高耗水项目"],
    "pollution": ["饮用水水源保护区内禁止新建排污口", "现有畜禽养殖、旅游设施污水须处理后回用"],
    "risk": ["建立森林火灾、外来物种和突发环境事件的监测预警机制"],
}
KEY: dict[str, list[str]] = {
    "layout": [
        "{town}引导工业项目进入依法设立的园区，石化、化工、焦化、有色冶炼、平板玻璃项目须布局在规范园区内",
        "居民区、学校、医院周边不得新建重金属、恶臭排放项目",
        "城镇建设应避让永久基本农田和生态保护红线",
    ],
    "energy": [
        "园区单位工业增加值能耗、水耗达到省内先进水平",
        "推进集中供热和中水回用",
        "高污染燃料禁燃区内禁止新建燃用高污染燃料的设施",
    ],
    "pollution": [
        "园区污水集中处理，达标后排放",
        "重点行业挥发性有机物实行总量等量替代",
        "石材加工废水循环利用，不外排",
    ],
    "risk": ["园区编制突发环境事件应急预案并配套事故应急池", "土壤污染重点监管单位落实自行监测"],
}
GENERAL: dict[str, list[str]] = {
    "layout": [
        "{town}永久基本农田实行严格保护，一经划定任何单位和个人不得擅自占用",
        "畜禽养殖禁养区内禁止新建规模化养殖场",
    ],
    "energy": ["推广节水灌溉，提高农业用水效率"],
    "pollution": ["推进农村生活污水治理，规模化养殖粪污资源化利用", "化肥农药使用量保持零增长"],
    "risk": ["加强受污染耕地安全利用和废弃矿山治理"],
}
LISTS = {1: PRIORITY, 2: KEY, 3: GENERAL}


def clauses(unit_class: int, town: str) -> dict[str, str]:
    """Write the clauses of one unit by heading, one numbered clause per line."""
    out = {}
    for number, (column, heading) in enumerate(HEADINGS.items(), 1):
        lines = LISTS[unit_class][column]
        out[column] = "\n".join(
            f"{number}-{k}.【{heading}】{text.format(town=town)}。（示意）" for k, text in enumerate(lines, 1)
        )
    return out
