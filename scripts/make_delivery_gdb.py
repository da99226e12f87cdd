"""Write `delivery.gdb`, a file geodatabase with aliases and a coded domain, as offices deliver them.

It needs the Python bindings of GDAL 3.6 or newer, which lzgis does not use. The tests use the packed geodatabase:

    python scripts/make_delivery_gdb.py delivery.gdb && zip -qrX tests/city/deliveries/delivery.gdb.zip delivery.gdb
"""

import sys

from osgeo import gdal, ogr, osr

gdal.UseExceptions()

CODE, NAME = ("BSM", "标识码", None), ("XZQMC", "行政区名称", None)
UNITS = [
    ("HJGKDYBM", "单元编码", None),
    ("HJGKDYMC", "单元名称", None),
    ("GKDYFL", "单元分类", "GKDYFL"),
    ("KJBJYS", "空间布局约束", None),
]
SURVEY = [
    CODE,
    ("DLBM", "地类编码", None),
    ("DLMC", "地类名称", None),
    ("TBBH", "图斑编号", None),
    ("TBMJ", "图斑面积", None),
]
CLASSES = {"01": "优先保护单元", "02": "重点管控单元", "03": "一般管控单元"}


def box(x0, y0, x1, y1):
    return ogr.CreateGeometryFromWkt(f"MULTIPOLYGON((({x0} {y0},{x1} {y0},{x1} {y1},{x0} {y1},{x0} {y0})))")


def write_layer(data, name, alias, fields, rows):
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(4490)
    srs.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    layer = data.CreateLayer(name, srs, ogr.wkbMultiPolygon, [f"LAYER_ALIAS={alias}"])
    for field, title, domain in fields:
        definition = ogr.FieldDefn(field, ogr.OFTString)
        definition.SetAlternativeName(title)
        if domain:
            definition.SetDomainName(domain)
        layer.CreateField(definition)
    for values, shape in rows:
        feature = ogr.Feature(layer.GetLayerDefn())
        for (field, *_), value in zip(fields, values, strict=True):
            feature.SetField(field, value)
        feature.SetGeometry(shape)
        layer.CreateFeature(feature)


def main(path):
    data = gdal.GetDriverByName("OpenFileGDB").Create(path, 0, 0, 0, gdal.GDT_Unknown)
    data.AddFieldDomain(ogr.CreateCodedFieldDomain("GKDYFL", "管控单元分类", ogr.OFTString, ogr.OFSTNone, CLASSES))
    towns = [
        (("1", "441882001", "甲镇"), box(112.0, 24.6, 112.2, 24.9)),
        (("2", "441882002", "乙镇"), box(112.2, 24.6, 112.4, 24.9)),
    ]
    write_layer(data, "XZQ", "行政区", [CODE, ("XZQDM", "行政区代码", None), NAME], towns)
    units = [
        (("ZH44188210001", "甲单元", "01", "禁止开矿"), box(112.0, 24.6, 112.1, 24.9)),
        (("ZH44188220001", "乙单元", "02", "限制排放"), box(112.1, 24.6, 112.4, 24.9)),
    ]
    write_layer(data, "HJGKDY", "环境管控单元", UNITS, units)
    redline = [
        (("H1", "甲红线", "水源涵养"), box(112.02, 24.65, 112.08, 24.85)),
        (("H2", "乙红线", "水土保持"), box(112.25, 24.7, 112.3, 24.8)),
    ]
    write_layer(data, "STBHHX", "生态保护红线", [CODE, ("HXMC", "红线名称", None), ("HXLX", "红线类型", None)], redline)
    parcels = [
        (("D1", "1003", "公路用地", "1", "1"), box(112.1, 24.7, 112.102, 24.8)),
        (("D2", "1101", "河流水面", "2", "1"), box(112.15, 24.7, 112.152, 24.8)),
        (("D3", "0101", "水田", "3", "1"), box(112.3, 24.65, 112.31, 24.66)),
    ]
    write_layer(data, "DLTB", "地类图斑", SURVEY, parcels)


if __name__ == "__main__":
    main(sys.argv[1])
