"""Run in the Python of QGIS: every algorithm, the dock and the settings, on a toy city; prints what was found as JSON.

Arguments: folder of the plugin's parent, the program lzgis, the city, the file of sites, a folder for results.
"""

import json
import os
import sys


def main():
    global PROGRAM, CITY, SITES, OUT
    plugins, PROGRAM, CITY, SITES, OUT = sys.argv[1:6]
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    sys.path[:0] = [plugins, "/usr/share/qgis/python/plugins"]
    from qgis.core import QgsApplication, QgsProject, QgsSettings, QgsVectorLayer
    from qgis.gui import QgsMapCanvas
    from qgis.PyQt.QtCore import QCoreApplication

    QCoreApplication.setOrganizationName("lzgis-test")
    QCoreApplication.setApplicationName("lzgis-test")
    application = QgsApplication([], True)
    application.initQgis()
    import processing
    from processing.core.Processing import Processing

    Processing.initialize()
    from lzgis_screening import classFactory, settings

    QgsSettings().setValue("locale/userLocale", "zh_CN")
    settings.set_program(PROGRAM)
    known = settings.check(PROGRAM, CITY)
    plugin = classFactory(None)
    plugin.initProcessing()
    found = {"activities": len(known), "algorithms": sorted(a.id() for a in plugin.provider.algorithms())}
    sites = QgsVectorLayer(SITES, "sites", "ogr")
    project = QgsProject.instance()
    project.addMapLayer(sites)
    common = {"CITY": CITY, "AS_OF": "2026-11-21"}
    screen = processing.run(
        "lzgis:screen", {"SITES": sites, "OUTPUT": os.path.join(OUT, "screen"), "FORMATS": [0, 3, 4], **common}
    )
    found["screen"] = {"code": screen["CODE"], "files": sorted(os.listdir(screen["OUTPUT"]))}
    found["groups"] = [
        [one.name(), sorted(child.name() for child in one.children())]
        for one in project.layerTreeRoot().findGroups(True)
    ]
    found["relations"] = [one.isValid() for one in project.relationManager().relations().values()]
    loaded = {
        one.source().rpartition("=")[2]: one for one in project.mapLayers().values() if "layername" in one.source()
    }
    found["layers"] = {
        name: [
            one.isValid(),
            one.renderer().type() if one.renderer() else "",
            one.labelsEnabled(),
            bool(one.mapTipTemplate()),
            one.attributeDisplayName(1),
        ]
        for name, one in loaded.items()
    }
    found["project"] = stored_project(screen["PACKAGE"])
    found["beside"] = styles_beside(screen["OUTPUT"])
    sites.select([next(sites.getFeatures()).id()])
    from qgis.core import QgsProcessingFeatureSourceDefinition

    chosen = QgsProcessingFeatureSourceDefinition(sites.id(), True)
    some = processing.run(
        "lzgis:screen", {"SITES": chosen, "LOAD": False, "OUTPUT": os.path.join(OUT, "some"), **common}
    )
    found["selected"] = QgsVectorLayer(some["PACKAGE"] + "|layername=sites", "s", "ogr").featureCount()
    page = processing.run("lzgis:inspect", {"FILE": SITES, "CITY": CITY, "PAGE": os.path.join(OUT, "inspect.html")})
    found["inspect"] = os.path.isfile(page["PAGE"])
    audit = processing.run("lzgis:audit", {"OUTPUT": os.path.join(OUT, "audit"), **common})
    found["audit"] = sorted(os.listdir(audit["OUTPUT"]))
    diff = processing.run(
        "lzgis:diff", {"OLD": CITY, "NEW": CITY, "OUTPUT": os.path.join(OUT, "diff"), "AS_OF": "2026-11-21"}
    )
    found["diff"] = [diff["CODE"], sorted(os.listdir(diff["OUTPUT"]))]
    avoid = {
        "SITES": sites,
        "SITE": "a",
        "WITHIN": 500,
        "REMAINS": "TEMPORARY_OUTPUT",
        "MOVED": "TEMPORARY_OUTPUT",
        **common,
    }
    avoided = processing.run("lzgis:avoid", avoid)
    found["avoid"] = {
        name: [avoided[name].featureCount(), avoided[name].crs().authid()] for name in ("REMAINS", "MOVED")
    }
    drawn = processing.run("lzgis:map", {"SITES": sites, "FORMAT": 1, "OUTPUT": os.path.join(OUT, "map"), **common})
    found["map"] = [one for one in sorted(os.listdir(drawn["OUTPUT"])) if one.endswith(".png")]
    raster = processing.run("lzgis:surface", {"CELL": 50, "RASTER": os.path.join(OUT, "surface.tif"), **common})
    found["surface"] = os.path.isfile(raster["RASTER"])
    found["errors"] = refused(processing, sites, common)
    found["dock"] = dock(application, sites, settings, QgsMapCanvas())
    print("RESULT" + json.dumps(found, ensure_ascii=False))
    sys.stdout.flush()
    # QGIS may crash when Python tears it down.
    os._exit(0)


def stored_project(package):
    """Return what the project inside a GeoPackage opens as, and whether its layout prints."""
    from qgis.core import QgsApplication, QgsLayoutExporter, QgsProject

    address = "geopackage:" + package
    storage = QgsApplication.projectStorageRegistry().projectStorageFromType("geopackage")
    (name,) = storage.listProjects(address)
    project = QgsProject()
    opened = project.read(address + "?projectName=" + name)
    layers = project.mapLayers().values()
    (layout,) = project.layoutManager().layouts()
    picture = os.path.join(OUT, "layout.png")
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 60
    return {
        "opened": opened,
        "valid": [one.isValid() for one in layers],
        "labelled": sorted(one.name() for one in layers if one.isSpatial() and one.labelsEnabled()),
        "groups": [one.name() for one in project.layerTreeRoot().findGroups()],
        "relations": [one.isValid() for one in project.relationManager().relations().values()],
        "crs": project.crs().authid(),
        "printed": QgsLayoutExporter(layout).exportToImage(picture, settings) == QgsLayoutExporter.Success,
    }


def styles_beside(folder):
    """Return how a shapefile of the zip and the polygons of the GeoJSON are drawn."""
    import zipfile

    from qgis.core import QgsVectorLayer

    unpacked = os.path.join(OUT, "shp")
    with zipfile.ZipFile(os.path.join(folder, "findings-shp.zip")) as packed:
        packed.extractall(unpacked)
    shapes = QgsVectorLayer(os.path.join(unpacked, "sites.shp"), "s", "ogr")
    geojson = QgsVectorLayer(os.path.join(folder, "findings.geojson") + "|geometrytype=Polygon", "g", "ogr")
    return [[one.renderer().type(), one.labelsEnabled(), one.attributeDisplayName(0)] for one in (shapes, geojson)]


def refused(processing, sites, common):
    """Return what is said of a city that does not exist, and of a layer without reference system."""
    from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingException

    said = []
    plain = sites.clone()
    plain.setCrs(QgsCoordinateReferenceSystem())
    for layer, city in ((sites, "/none"), (plain, common["CITY"])):
        try:
            processing.run("lzgis:screen", {"SITES": layer, "OUTPUT": OUT, "CITY": city, "AS_OF": "2026-11-21"})
        except QgsProcessingException as error:
            said.append(str(error))
    return said


def dock(application, sites, settings, canvas):
    """Ask about a drawn shape and return what the dock shows; then the dialog of settings."""
    import time

    from lzgis_screening.dock import Dock, SettingsDialog
    from qgis.core import QgsProject

    class Interface:
        def mapCanvas(self):
            return canvas

    settings.set_city(CITY)
    QgsProject.instance().setCrs(sites.crs())
    shown = Dock(Interface(), settings.words())
    shown.ask_shape(next(sites.getFeatures()).geometry())
    end = time.monotonic() + 300
    while shown._task is not None and time.monotonic() < end:
        application.processEvents()
        time.sleep(0.05)
    text = shown.answer.toPlainText()
    canvas.setDestinationCrs(sites.crs())
    canvas.setExtent(sites.extent())
    shown.layer.setLayer(sites)
    shown.ask_at(sites.extent().center())
    asked = shown._task is not None or shown.answer.toPlainText()
    shown.stop()
    dialog = SettingsDialog(None, settings.words())
    dialog.command.setFilePath("/none/lzgis")
    wrong = dialog.check(), dialog.said.text()
    dialog.command.setFilePath(PROGRAM)
    return {"text": text, "asked": bool(asked), "wrong": wrong, "right": [dialog.check(), dialog.said.text()]}


if __name__ == "__main__":
    main()
