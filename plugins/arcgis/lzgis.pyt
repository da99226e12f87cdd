"""The Python toolbox of lzgis for ArcGIS Pro: its tools call lzgis in a separate process, as the QGIS plugin does.

Untried: no ArcGIS was at hand. The calls, the arguments and the wording are those of the QGIS plugin, which is tried.
"""

import json
import locale
import os
import sqlite3
import sys
import tempfile

import arcpy

_HERE = os.path.dirname(os.path.abspath(__file__))
# Beside this file in the zip, in the neighbouring folder in a checkout.
for _folder in (_HERE, os.path.join(os.path.dirname(_HERE), "qgis")):
    if os.path.isdir(os.path.join(_folder, "lzgis_screening")) and _folder not in sys.path:
        sys.path.insert(0, _folder)

from lzgis_screening import arguments, command  # noqa: E402
from lzgis_screening.words import Words  # noqa: E402

FORMATS = ("html", "xlsx", "json", "geojson", "shp", "kml", "dxf", "coordfile", "png", "docx", "htmldoc", "pdf")
_LANGUAGES = ("zh", "en")


def _words():
    return Words(locale.getlocale()[0] or "zh")


class Toolbox:
    """What ArcGIS reads: name, alias, tools."""

    def __init__(self):
        self.label = _words()("provider")
        self.alias = "lzgis"
        self.tools = [Screen, Inspect, Audit, Diff, Avoid, Map, Surface]


class _Tool:
    """What the tools share: parameters by name, the call itself, its messages, progress and cancelling."""

    NAME = ""
    canRunInBackground = False

    def __init__(self):
        self.words = _words()
        self.label = self.words(self.NAME)
        self.description = self.words(self.NAME + "_help")

    def parameter(self, name, key, datatype, required=False, direction="Input", value=None, choices=None, many=False):
        """Return a parameter whose label is a wording."""
        kind = "Required" if required else "Derived" if direction == "Derived" else "Optional"
        made = arcpy.Parameter(
            displayName=self.words(key),
            name=name,
            datatype=datatype,
            parameterType=kind,
            direction="Output" if direction == "Derived" else direction,
            multiValue=many,
        )
        if choices:
            made.filter.type = "ValueList"
            made.filter.list = list(choices)
        if value is not None:
            made.value = value
        return made

    def sites(self):
        """Return the parameters of the layer of sites and of the fields that hold what lzgis needs."""
        made = [self.parameter("sites", "sites", "GPFeatureLayer", required=True)]
        for name in ("id_field", "name_field", "activity_field"):
            field = self.parameter(name, name, "Field")
            field.parameterDependencies = ["sites"]
            made.append(field)
        return [*made, self.parameter("activity", "activity", "GPString")]

    def common(self, city=True):
        """Return the parameters of the city, the date of the rules, the language and the program."""
        made = [self.parameter("city", "city", "DEFolder")] if city else []
        return [
            *made,
            self.parameter("as_of", "as_of", "GPString"),
            self.parameter("language", "language", "GPString", value=self.words.language, choices=_LANGUAGES),
            self.parameter("program", "command", "GPString", value=command.default_command()),
        ]

    def results(self):
        """Return the parameters of the folder of results and of its layers, which are added to the map."""
        return [
            self.parameter("out", "out", "DEFolder", required=True),
            self.parameter("package", "package", "DEFeatureClass", direction="Derived", many=True),
        ]

    def isLicensed(self):
        return True

    def updateParameters(self, parameters):
        return

    def updateMessages(self, parameters):
        return

    def execute(self, parameters, messages):
        """Run the tool."""
        given = {one.name: one for one in parameters}
        self.run(given, messages)

    def options(self, given):
        """Return city, date and language as keywords of `arguments`."""
        return {name: _text(given, name) for name in ("city", "as_of", "language") if name in given}

    def call(self, given, made, messages):
        """Call lzgis; its messages go to the log, its errors end the tool."""
        program = _text(given, "program")
        messages.addMessage(" ".join(map(str, [program, *made])))
        arcpy.SetProgressor("step", self.label, 0, 100, 1)
        arcpy.env.autoCancelling = False  # the process is ended first
        try:
            done = command.call(
                program,
                made,
                said=messages.addMessage,
                progressed=lambda share: arcpy.SetProgressorPosition(int(100 * share)),
                canceled=lambda: bool(getattr(arcpy.env, "isCancelled", False)),
            )
        except command.Canceled:
            messages.addErrorMessage(self.words("canceled"))
            raise arcpy.ExecuteError from None
        except command.CommandError as error:
            messages.addErrorMessage(str(error))
            raise arcpy.ExecuteError from None
        finally:
            arcpy.ResetProgressor()
        return done

    def written_sites(self, given, folder, messages):
        """Copy the sites (the selected ones, if there is a selection) into a geodatabase and return its path."""
        layer = given["sites"].value
        if not (arcpy.Describe(layer).spatialReference or _Unknown).factoryCode:
            messages.addErrorMessage(self.words("no_crs"))
            raise arcpy.ExecuteError
        arcpy.management.CreateFileGDB(folder, "sites.gdb")
        path = os.path.join(folder, "sites.gdb")
        copy = os.path.join(path, "sites")
        arcpy.conversion.FeatureClassToFeatureClass(layer, path, "sites")
        held = {one.name.lower() for one in arcpy.ListFields(copy)}
        for name in ("id", "name", "activity"):
            field = _text(given, name + "_field")
            if field and field.lower() != name:
                if name not in held:
                    arcpy.management.AddField(copy, name, "TEXT", field_length=254)
                arcpy.management.CalculateField(copy, name, "!{}!".format(field), "PYTHON3")
        activity = _text(given, "activity")
        if activity:
            if "activity" not in held and not _text(given, "activity_field"):
                arcpy.management.AddField(copy, "activity", "TEXT", field_length=254)
            # Sites with an activity of their own keep it.
            code = "def given(own):\n    return own if own else {}".format(json.dumps(activity, ensure_ascii=False))
            arcpy.management.CalculateField(copy, "activity", "given(!activity!)", "PYTHON3", code)
        return path

    def set_layers(self, given, folder, package):
        """Name the layers of a GeoPackage as results, which ArcGIS adds to the map."""
        path = os.path.join(folder, package)
        if os.path.isfile(path):
            given["package"].values = [os.path.join(path, "main." + name) for name in _layers_of(path)]


class _Unknown:
    factoryCode = 0


def _text(given, name):
    return (given[name].valueAsText or "") if name in given else ""


def _texts(given, name):
    return [one.strip("'") for one in _text(given, name).split(";") if one]


def _layers_of(path):
    """Return the layers of a GeoPackage that hold features."""
    database = sqlite3.connect(path)
    try:
        query = "SELECT table_name FROM gpkg_contents WHERE data_type = 'features' ORDER BY rowid"
        return [name for (name,) in database.execute(query)]
    finally:
        database.close()


class Screen(_Tool):
    """``lzgis screen``."""

    NAME = "screen"

    def getParameterInfo(self):
        formats = self.parameter("formats", "formats", "GPString", choices=FORMATS, many=True)
        return [*self.sites(), *self.common(), formats, *self.results()]

    def run(self, given, messages):
        out = _text(given, "out")
        with tempfile.TemporaryDirectory() as folder:
            sites = self.written_sites(given, folder, messages)
            made = arguments.screen(sites, out, _texts(given, "formats"), **self.options(given))
            done = self.call(given, made, messages)
        for line in done.output.splitlines():
            messages.addMessage(line)
        self.set_layers(given, out, "findings.gpkg")


class Inspect(_Tool):
    """``lzgis inspect``."""

    NAME = "inspect"

    def getParameterInfo(self):
        return [
            self.parameter("file", "file", "DEFile", required=True),
            *(self.parameter(name, name, "GPString") for name in ("crs", "encoding", "layer")),
            *self.common(),
            self.parameter("page", "page", "DEFile", required=True, direction="Output"),
        ]

    def run(self, given, messages):
        options = self.options(given)
        del options["as_of"]
        more = {name: _text(given, name) for name in ("crs", "encoding", "layer")}
        made = arguments.inspect(_text(given, "file"), _text(given, "page"), **options, **more)
        for line in self.call(given, made, messages).output.splitlines():
            messages.addMessage(line)


class Audit(_Tool):
    """``lzgis audit``."""

    NAME = "audit"

    def getParameterInfo(self):
        return [*self.common(), *self.results()]

    def run(self, given, messages):
        out = _text(given, "out")
        self.call(given, arguments.audit(out, **self.options(given)), messages)
        self.set_layers(given, out, "audit.gpkg")


class Diff(_Tool):
    """``lzgis diff``."""

    NAME = "diff"

    def getParameterInfo(self):
        return [
            self.parameter("old", "old", "DEFolder", required=True),
            self.parameter("new", "new", "DEFolder", required=True),
            self.parameter("report", "report", "DEFile"),
            *self.common(city=False),
            *self.results(),
        ]

    def run(self, given, messages):
        old, new, out, report = (_text(given, name) for name in ("old", "new", "out", "report"))
        self.call(given, arguments.diff(old, new, out, report, **self.options(given)), messages)
        self.set_layers(given, out, "diff.gpkg")


class Avoid(_Tool):
    """``lzgis avoid``: its shapes become feature classes in CGCS2000."""

    NAME = "avoid"

    def getParameterInfo(self):
        return [
            *self.sites(),
            self.parameter("site", "site", "GPString", required=True),
            self.parameter("within", "within", "GPDouble", required=True, value=500.0),
            *self.common(),
            *(self.parameter(name, name, "DEFeatureClass", direction="Output") for name in ("remains", "moved")),
        ]

    def run(self, given, messages):
        with tempfile.TemporaryDirectory() as folder:
            sites = self.written_sites(given, folder, messages)
            made = arguments.avoid(_text(given, "site"), sites, given["within"].value, **self.options(given))
            answer = json.loads(self.call(given, made, messages).output)
        shapes = {"remains": answer.get("remaining"), "moved": (answer.get("shift") or {}).get("geometry")}
        for name, shape in shapes.items():
            target = _text(given, name)
            if shape and target:
                made = arcpy.AsShape(shape, False)
                arcpy.management.CopyFeatures([made], target)
                arcpy.management.DefineProjection(target, arcpy.SpatialReference(4490))
            elif target:
                messages.addWarningMessage("{}: -".format(self.words(name)))


class Map(_Tool):
    """``lzgis map``."""

    NAME = "map"

    def getParameterInfo(self):
        return [
            *self.sites(),
            self.parameter("each", "each", "GPBoolean", value=False),
            self.parameter("paper", "paper", "GPString", value="A4", choices=("A4", "A3")),
            self.parameter(
                "orientation", "orientation", "GPString", value="landscape", choices=("landscape", "portrait")
            ),
            self.parameter("format", "formats", "GPString", value="pdf", choices=("pdf", "png", "svg")),
            *self.common(),
            self.parameter("out", "out", "DEFolder", required=True),
        ]

    def run(self, given, messages):
        chosen = {"paper": _text(given, "paper"), "orientation": _text(given, "orientation")}
        with tempfile.TemporaryDirectory() as folder:
            sites = self.written_sites(given, folder, messages)
            ids = []
            if given["each"].value:
                with arcpy.da.SearchCursor(os.path.join(sites, "sites"), ["id"]) as rows:
                    ids = [str(one) for (one,) in rows]
            formats = (_text(given, "format"),)
            out = _text(given, "out")
            self.call(
                given,
                arguments.draw_map(sites, ids, out, formats=formats, **chosen, **self.options(given)),
                messages,
            )


class Surface(_Tool):
    """``lzgis raster surface``."""

    NAME = "surface"

    def getParameterInfo(self):
        return [
            self.parameter("cell", "cell", "GPDouble", required=True, value=30.0),
            self.parameter("activity", "activity", "GPString"),
            *self.common(),
            self.parameter("raster", "raster", "DERasterDataset", required=True, direction="Output"),
        ]

    def run(self, given, messages):
        path, cell = _text(given, "raster"), given["cell"].value
        self.call(given, arguments.surface(path, cell, _text(given, "activity"), **self.options(given)), messages)
