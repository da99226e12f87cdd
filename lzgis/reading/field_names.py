"""What fields and values are called in files, as data: the standard's names, the offices' names, the old names."""

from __future__ import annotations

#: What the columns of a site table may be called; the first found is taken.
SITE_FIELDS = {
    "id": ("id", "site_id", "编号", "项目编号", "地块编号", "BSM", "XMBH"),
    "name": ("name", "site_name", "名称", "项目名称", "地块名称", "XMMC"),
    "activity": ("activity", "活动类型", "项目类型", "活动", "建设类型", "XMLX"),
}

#: What the fields of a layer may be called where the catalogue names none that is there; a use of it is noted.
LAYER_FIELDS = {
    "id": ("BSM", "HJZHGKDYBM", "HJGKDYBM", "标识码"),
    "name": ("MC", "HJZHGKDYMC", "HJGKDYMC", "HXMC", "BHDMC", "名称", "XZQMC"),
    "feature_code": ("YSDM", "要素代码"),
    "division_code": ("XZQDM", "行政区代码"),
    "division": ("XZQMC", "行政区名称"),
    "declared_area": ("MJ", "面积"),
    "remark": ("BZ", "备注"),
    "class": ("ZHGKDYFL", "GKDYFL", "单元分类"),
    "layout": ("KJBJYS", "QYBJGK", "空间布局约束", "区域布局管控"),
    "energy": ("ZYKFXLYQ", "NYZYLY", "资源开发效率要求", "能源资源利用"),
    "pollution": ("PWWPFGK", "WRWPFGK", "污染物排放管控"),
    "risk": ("HJFXFK", "环境风险防控"),
    "zone": ("GNFQ", "FQMC", "功能分区"),
}

#: Those whose built-in names are used; the others are kept under the name that they have.
LAYER_FIELDS_USED = ("id", "name", "class", "layout", "energy", "pollution", "risk", "zone")

#: Values of old law that mean another of today; a use of it is a warning.
#: Zones of nature reserves: the regulation in force since 2026-03-15 knows 核心保护区 and 一般控制区 only.
OLD_VALUES = {"zone": {"核心区": "核心保护区", "缓冲区": "核心保护区", "实验区": "一般控制区"}}

#: Fields of layers that rules reckon with.
NUMBER_FIELDS = ("half_width_m",)
