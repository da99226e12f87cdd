"""The commands of lzgis as algorithms of Processing."""

import json
import os
import tempfile

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsJsonUtils,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputFile,
    QgsProcessingOutputHtml,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QVariant

from . import arguments, command, results, settings
from .sites import write_sites

#: Formats that a result may have besides the GeoPackage, which is always written.
FORMATS = ("html", "xlsx", "json", "geojson", "shp", "kml", "dxf", "coordfile", "png", "docx", "htmldoc", "pdf")
_LANGUAGES = ("zh", "en")
_FOLDER = QgsProcessingParameterFile.Folder


class LzgisAlgorithm(QgsProcessingAlgorithm):
    """What the algorithms share: names, the parameters of city, date and language, and the call itself."""

    NAME = ""

    def __init__(self):
        super().__init__()
        self.words = settings.words()
        self._loaded = None

    def name(self):
        return self.NAME

    def displayName(self):
        return self.words(self.NAME)

    def shortHelpString(self):
        return self.words(self.NAME + "_help")

    def createInstance(self):
        return type(self)()

    def add(self, kind, name, key, optional=False, **more):
        """Add a parameter whose description is a wording."""
        parameter = (
            kind(name, self.words(key), optional=optional, **more) if optional else kind(name, self.words(key), **more)
        )
        self.addParameter(parameter)

    def add_common(self, city=True):
        """Add the parameters of the city, the date of the rules and the language."""
        if city:
            self.add(QgsProcessingParameterFile, "CITY", "city", True, behavior=_FOLDER, defaultValue=settings.city())
        self.add(QgsProcessingParameterString, "AS_OF", "as_of", True)
        chosen = _LANGUAGES.index(self.words.language)
        self.add(QgsProcessingParameterEnum, "LANGUAGE", "language", options=list(_LANGUAGES), defaultValue=chosen)

    def add_sites(self):
        """Add the layer of sites and the fields that hold what lzgis needs."""
        self.add(QgsProcessingParameterFeatureSource, "SITES", "sites", types=[QgsProcessing.TypeVectorAnyGeometry])
        for name, key in (("ID_FIELD", "id_field"), ("NAME_FIELD", "name_field"), ("ACTIVITY_FIELD", "activity_field")):
            self.add(QgsProcessingParameterField, name, key, True, parentLayerParameterName="SITES")
        self.add_activity()

    def add_activity(self):
        """Add the activity: a choice if the vocabulary is known, otherwise text."""
        known = [self.words("no_activity"), *settings.activities().values()]
        if len(known) > 1:
            self.add(QgsProcessingParameterEnum, "ACTIVITY", "activity", True, options=known, defaultValue=0)
        else:
            self.add(QgsProcessingParameterString, "ACTIVITY", "activity", True)

    def activity(self, parameters, context):
        """Return the activity that was chosen; empty if none."""
        if len(settings.activities()) == 0:
            return self.parameterAsString(parameters, "ACTIVITY", context)
        chosen = self.parameterAsEnum(parameters, "ACTIVITY", context)
        return ["", *settings.activities().values()][chosen]

    def common(self, parameters, context):
        """Return city, date and language as keywords of `arguments`."""
        found = {
            "as_of": self.parameterAsString(parameters, "AS_OF", context),
            "language": _LANGUAGES[self.parameterAsEnum(parameters, "LANGUAGE", context)],
        }
        if self.parameterDefinition("CITY") is not None:
            found["city"] = self.parameterAsString(parameters, "CITY", context)
        return found

    def written_sites(self, parameters, context, feedback, folder):
        """Write the sites (the selected ones, if that was chosen) into a folder and return the file."""
        source = self.parameterAsSource(parameters, "SITES", context)
        if source is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, "SITES"))
        named = {"id": "ID_FIELD", "name": "NAME_FIELD", "activity": "ACTIVITY_FIELD"}
        fields = {name: self.parameterAsString(parameters, field, context) for name, field in named.items()}
        path = os.path.join(folder, "sites.gpkg")
        activity = self.activity(parameters, context)
        write_sites(source, path, words=self.words, fields=fields, activity=activity, canceled=feedback.isCanceled)
        return path

    def run_lzgis(self, given, feedback):
        """Call lzgis; its messages go to the log, its errors end the algorithm."""
        program = settings.program()
        if not program:
            raise QgsProcessingException(self.words("no_command"))
        feedback.pushCommandInfo(" ".join(map(str, [program, *given])))
        try:
            return command.call(
                program,
                given,
                said=feedback.pushInfo,
                progressed=lambda share: feedback.setProgress(100 * share),
                canceled=feedback.isCanceled,
            )
        except command.Canceled:
            raise QgsProcessingException(self.words("canceled")) from None
        except command.CommandError as error:
            raise QgsProcessingException(str(error)) from None

    def load_later(self, parameters, context, folder, package):
        """Load a GeoPackage into the project when the algorithm has ended, if that was chosen."""
        path = os.path.join(folder, package)
        if self.parameterAsBoolean(parameters, "LOAD", context) and os.path.isfile(path):
            self._loaded = (path, results.title_of(folder, package))

    def postProcessAlgorithm(self, context, feedback):
        if self._loaded is not None and context.project() is not None:
            results.load(*self._loaded, project=context.project())
        return {}

    def add_results(self, package):
        """Add the folder of results, whether it is loaded, and the outputs that models can use."""
        self.add(QgsProcessingParameterBoolean, "LOAD", "load", defaultValue=True)
        self.add(QgsProcessingParameterFolderDestination, "OUTPUT", "out")
        self.addOutput(QgsProcessingOutputFile("PACKAGE", self.words("package")))
        self.addOutput(QgsProcessingOutputNumber("CODE", "exit code"))

    def finished(self, folder, package, code):
        """Return the outputs of an algorithm that writes a folder."""
        path = os.path.join(folder, package)
        return {"OUTPUT": folder, "PACKAGE": path if os.path.isfile(path) else None, "CODE": code}


class Screen(LzgisAlgorithm):
    """``lzgis screen``."""

    NAME = "screen"

    def initAlgorithm(self, config=None):
        self.add_sites()
        self.add_common()
        self.add(QgsProcessingParameterEnum, "FORMATS", "formats", True, options=list(FORMATS), allowMultiple=True)
        self.add_results("findings.gpkg")

    def processAlgorithm(self, parameters, context, feedback):
        out = self.parameterAsString(parameters, "OUTPUT", context)
        formats = [FORMATS[one] for one in self.parameterAsEnums(parameters, "FORMATS", context)]
        with tempfile.TemporaryDirectory() as folder:
            sites = self.written_sites(parameters, context, feedback, folder)
            given = arguments.screen(sites, out, formats, **self.common(parameters, context))
            done = self.run_lzgis(given, feedback)
        for line in done.output.splitlines():
            feedback.pushInfo(line)
        self.load_later(parameters, context, out, "findings.gpkg")
        return self.finished(out, "findings.gpkg", done.code)


class Inspect(LzgisAlgorithm):
    """``lzgis inspect``."""

    NAME = "inspect"

    def initAlgorithm(self, config=None):
        self.add(QgsProcessingParameterFile, "FILE", "file")
        for name in ("crs", "encoding", "layer"):
            self.add(QgsProcessingParameterString, name.upper(), name, True)
        self.add_common()
        self.add(QgsProcessingParameterFileDestination, "PAGE", "page", fileFilter="HTML (*.html)")
        self.addOutput(QgsProcessingOutputHtml("PAGE", self.words("page")))
        self.addOutput(QgsProcessingOutputNumber("CODE", "exit code"))

    def processAlgorithm(self, parameters, context, feedback):
        page = self.parameterAsFileOutput(parameters, "PAGE", context)
        common = self.common(parameters, context)
        del common["as_of"]
        more = {
            name: self.parameterAsString(parameters, name.upper(), context) for name in ("crs", "encoding", "layer")
        }
        file = self.parameterAsFile(parameters, "FILE", context)
        done = self.run_lzgis(arguments.inspect(file, page, **common, **more), feedback)
        for line in done.output.splitlines():
            feedback.pushInfo(line)
        return {"PAGE": page, "CODE": done.code}


class Audit(LzgisAlgorithm):
    """``lzgis audit``."""

    NAME = "audit"

    def initAlgorithm(self, config=None):
        self.add_common()
        self.add_results("audit.gpkg")

    def processAlgorithm(self, parameters, context, feedback):
        out = self.parameterAsString(parameters, "OUTPUT", context)
        done = self.run_lzgis(arguments.audit(out, **self.common(parameters, context)), feedback)
        self.load_later(parameters, context, out, "audit.gpkg")
        return self.finished(out, "audit.gpkg", done.code)


class Diff(LzgisAlgorithm):
    """``lzgis diff``."""

    NAME = "diff"

    def initAlgorithm(self, config=None):
        self.add(QgsProcessingParameterFile, "OLD", "old", behavior=_FOLDER)
        self.add(QgsProcessingParameterFile, "NEW", "new", behavior=_FOLDER)
        self.add(QgsProcessingParameterFile, "REPORT", "report", True, extension="json")
        self.add_common(city=False)
        self.add_results("diff.gpkg")

    def processAlgorithm(self, parameters, context, feedback):
        out = self.parameterAsString(parameters, "OUTPUT", context)
        old, new, report = (self.parameterAsFile(parameters, name, context) for name in ("OLD", "NEW", "REPORT"))
        done = self.run_lzgis(arguments.diff(old, new, out, report, **self.common(parameters, context)), feedback)
        self.load_later(parameters, context, out, "diff.gpkg")
        return self.finished(out, "diff.gpkg", done.code)


class Avoid(LzgisAlgorithm):
    """``lzgis avoid``."""

    NAME = "avoid"

    def initAlgorithm(self, config=None):
        self.add_sites()
        self.add(QgsProcessingParameterString, "SITE", "site")
        number = QgsProcessingParameterNumber
        self.add(number, "WITHIN", "within", type=number.Double, defaultValue=500.0, minValue=0.0)
        self.add_common()
        for name, key in (("REMAINS", "remains"), ("MOVED", "moved")):
            self.add(QgsProcessingParameterFeatureSink, name, key, True, type=QgsProcessing.TypeVectorAnyGeometry)

    def processAlgorithm(self, parameters, context, feedback):
        site = self.parameterAsString(parameters, "SITE", context)
        within = self.parameterAsDouble(parameters, "WITHIN", context)
        with tempfile.TemporaryDirectory() as folder:
            sites = self.written_sites(parameters, context, feedback, folder)
            done = self.run_lzgis(arguments.avoid(site, sites, within, **self.common(parameters, context)), feedback)
        answer = json.loads(done.output)
        shift = answer.get("shift") or {}
        found = {"REMAINS": (answer.get("remaining"), answer), "MOVED": (shift.get("geometry"), shift)}
        return {name: self._sink(parameters, context, name, site, *one) for name, one in found.items()}

    def _sink(self, parameters, context, name, site, shape, facts):
        """Write one shape, in CGCS2000, with the numbers beside it."""
        numbers = [(key, value) for key, value in facts.items() if isinstance(value, (int, float))]
        fields = QgsFields()
        fields.append(QgsField("site_id", QVariant.String))
        for key, _ in numbers:
            fields.append(QgsField(key, QVariant.Double))
        geometry = _geometry(shape)
        kind = QgsWkbTypes.multiType(geometry.wkbType()) if not geometry.isNull() else QgsWkbTypes.MultiPolygon
        crs = QgsCoordinateReferenceSystem("EPSG:4490")
        sink, target = self.parameterAsSink(parameters, name, context, fields, kind, crs)
        if sink is None:
            return None
        if not geometry.isNull():
            feature = QgsFeature(fields)
            geometry.convertToMultiType()
            feature.setGeometry(geometry)
            feature.setAttributes([site, *(float(value) for _, value in numbers)])
            sink.addFeature(feature)
        return target


def _geometry(shape):
    """Return a GeoJSON geometry as one of QGIS."""
    if not shape:
        return QgsGeometry()
    text = json.dumps({"type": "Feature", "properties": {}, "geometry": shape})
    features = QgsJsonUtils.stringToFeatureList(text, QgsFields())
    return features[0].geometry() if features else QgsGeometry()


class Map(LzgisAlgorithm):
    """``lzgis map``."""

    NAME = "map"

    def initAlgorithm(self, config=None):
        self.add_sites()
        self.add(QgsProcessingParameterBoolean, "EACH", "each", defaultValue=False)
        self.add(QgsProcessingParameterEnum, "PAPER", "paper", options=["A4", "A3"], defaultValue=0)
        self.add(
            QgsProcessingParameterEnum, "ORIENTATION", "orientation", options=["landscape", "portrait"], defaultValue=0
        )
        self.add(QgsProcessingParameterEnum, "FORMAT", "formats", options=["pdf", "png", "svg"], defaultValue=0)
        self.add_common()
        self.add(QgsProcessingParameterFolderDestination, "OUTPUT", "out")
        self.addOutput(QgsProcessingOutputNumber("CODE", "exit code"))

    def processAlgorithm(self, parameters, context, feedback):
        out = self.parameterAsString(parameters, "OUTPUT", context)
        source = self.parameterAsSource(parameters, "SITES", context)
        field = self.parameterAsString(parameters, "ID_FIELD", context) or "id"
        each = self.parameterAsBoolean(parameters, "EACH", context)
        if each and source is not None and source.fields().lookupField(field) < 0:
            raise QgsProcessingException(self.words("id_field"))
        ids = [str(one[field]) for one in source.getFeatures()] if each and source is not None else []
        chosen = {
            "paper": ("A4", "A3")[self.parameterAsEnum(parameters, "PAPER", context)],
            "orientation": ("landscape", "portrait")[self.parameterAsEnum(parameters, "ORIENTATION", context)],
            "formats": (("pdf", "png", "svg")[self.parameterAsEnum(parameters, "FORMAT", context)],),
        }
        with tempfile.TemporaryDirectory() as folder:
            sites = self.written_sites(parameters, context, feedback, folder)
            given = arguments.draw_map(sites, ids, out, **chosen, **self.common(parameters, context))
            done = self.run_lzgis(given, feedback)
        return {"OUTPUT": out, "CODE": done.code}


class Surface(LzgisAlgorithm):
    """``lzgis raster surface``."""

    NAME = "surface"

    def initAlgorithm(self, config=None):
        number = QgsProcessingParameterNumber
        self.add(number, "CELL", "cell", type=number.Double, defaultValue=30.0, minValue=1.0)
        self.add_activity()
        self.add_common()
        self.add(QgsProcessingParameterRasterDestination, "RASTER", "raster")
        self.addOutput(QgsProcessingOutputNumber("CODE", "exit code"))

    def processAlgorithm(self, parameters, context, feedback):
        path = self.parameterAsOutputLayer(parameters, "RASTER", context)
        cell = self.parameterAsDouble(parameters, "CELL", context)
        given = arguments.surface(path, cell, self.activity(parameters, context), **self.common(parameters, context))
        done = self.run_lzgis(given, feedback)
        return {"RASTER": path, "CODE": done.code}


ALGORITHMS = (Screen, Inspect, Audit, Diff, Avoid, Map, Surface)
