"""Names of fields and values in files, as data: those of the standard, of the offices, and former ones.

This is the only table of aliases.
"""

from __future__ import annotations

#: Possible names of the columns of a site table; the first one found is used.
SITE_FIELDS = {
    "id": ("id", "site_id", "编号", "项目编号", "地块编号", "BSM", "XMBH"),
    "name": ("name", "site_name", "名称", "项目名称", "地块名称", "XMMC"),
    "activity": ("activity", "活动类型", "项目类型", "活动", "建设类型", "XMLX"),
}

#: Possible names of the fields of a layer, used if the layer lacks those that the catalogue names; a use is noted.
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

#: Fields that are renamed to their built-in names; the others keep their own.
LAYER_FIELDS_USED = ("id", "name", "class", "layout", "energy", "pollution", "risk", "zone")

#: Values of former law and the present ones that they mean; a use is a warning.
#: Zones of nature reserves: the regulation in force since 2026-03-15 has 核心保护区 and 一般控制区 only.
OLD_VALUES = {"zone": {"核心区": "核心保护区", "缓冲区": "核心保护区", "实验区": "一般控制区"}}

#: Fields of layers that rules calculate with.
NUMBER_FIELDS = ("half_width_m",)

#: Possible names of the column that numbers boundary points, in lower case.
POINT_LABELS = ("点号", "界址点号", "界址点", "点名", "拐点", "拐点号", "拐点编号", "界址点编号", "点编号", "点序号")
