"""The dock: choose a city, pick or draw a site, read the verdict; and the dialog of settings."""

import json
import os
import tempfile

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsFeature,
    QgsFeatureRequest,
    QgsField,
    QgsGeometry,
    QgsMapLayerProxyModel,
    QgsProject,
    QgsRectangle,
    QgsTask,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.gui import QgsFileWidget, QgsMapLayerComboBox, QgsMapTool, QgsMapToolEmitPoint, QgsRubberBand
from qgis.PyQt.QtCore import Qt, QVariant
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QDockWidget,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from . import answers, arguments, command, settings
from .sites import write_sites


class AnswerTask(QgsTask):
    """Screens one site in the background and returns the page."""

    def __init__(self, program, sites, options, words, done):
        super().__init__(words("running"), QgsTask.Flag.CanCancel if hasattr(QgsTask, "Flag") else QgsTask.CanCancel)
        self._program, self._sites, self._options, self._words, self._done = program, sites, options, words, done
        self.page, self.error = "", ""

    def run(self):
        try:
            called = command.call(
                self._program,
                arguments.answer(self._sites, **self._options),
                progressed=lambda share: self.setProgress(100 * share),
                canceled=self.isCanceled,
            )
            listed = command.call(
                self._program, arguments.rules(self._options.get("city", "")), canceled=self.isCanceled
            )
            rules = [{"id": one["id"], "title": _title(one, self._words)} for one in json.loads(listed.output)]
            self.page = answers.page(dict(json.loads(called.output), rules=rules), self._words)
        except command.Canceled:
            self.error = self._words("canceled")
        except (command.CommandError, ValueError, KeyError, IndexError) as error:
            self.error = str(error)
        return not self.error

    def finished(self, result):
        self._done(self)


def _title(rule, words):
    return rule.get("title_en" if words.language == "en" else "title") or rule["title"]


class DrawTool(QgsMapTool):
    """Draws a polygon: left click adds a point, right click ends, Esc cancels."""

    def __init__(self, canvas, drawn):
        super().__init__(canvas)
        self._drawn = drawn
        self._band = QgsRubberBand(canvas, QgsWkbTypes.PolygonGeometry)
        self._band.setColor(QColor(230, 0, 0, 80))
        self._band.setWidth(2)

    def canvasReleaseEvent(self, event):
        if event.button() == Qt.MouseButton.RightButton:
            shape = self._band.asGeometry()
            self._band.reset(QgsWkbTypes.PolygonGeometry)
            if self._points >= 3:
                self._drawn(shape)
            self._points = 0
        else:
            self._band.addPoint(self.toMapCoordinates(event.pos()))
            self._points += 1

    def keyPressEvent(self, event):
        if event.key() == Qt.Key.Key_Escape:
            self._band.reset(QgsWkbTypes.PolygonGeometry)
            self._points = 0

    def activate(self):
        self._points = 0
        super().activate()

    def deactivate(self):
        self._band.reset(QgsWkbTypes.PolygonGeometry)
        super().deactivate()


class Dock(QDockWidget):
    """The dock."""

    def __init__(self, iface, words):
        super().__init__(words("dock"))
        self.setObjectName("lzgis_dock")
        self._iface, self._words = iface, words
        self._task, self._folder, self._tool = None, None, None
        self.city = QgsFileWidget()
        self.city.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.city.setFilePath(settings.city())
        self.city.fileChanged.connect(settings.set_city)
        self.layer = QgsMapLayerComboBox()
        vector = Qgis.LayerFilter.HasGeometry if hasattr(Qgis, "LayerFilter") else QgsMapLayerProxyModel.HasGeometry
        self.layer.setFilters(vector)
        self.activity = QComboBox()
        self.activity.setEditable(True)
        self.fill_activities()
        self.pick, self.draw = QPushButton(words("pick")), QPushButton(words("draw"))
        self.pick.clicked.connect(self.start_pick)
        self.draw.clicked.connect(self.start_draw)
        self.answer = QTextBrowser()
        form = QFormLayout()
        form.addRow(words("city"), self.city)
        form.addRow(words("sites"), self.layer)
        form.addRow(words("activity"), self.activity)
        buttons = QHBoxLayout()
        buttons.addWidget(self.pick)
        buttons.addWidget(self.draw)
        whole = QVBoxLayout()
        whole.addLayout(form)
        whole.addLayout(buttons)
        whole.addWidget(self.answer)
        inside = QWidget()
        inside.setLayout(whole)
        self.setWidget(inside)

    def fill_activities(self):
        """List the activities that the last check found."""
        self.activity.clear()
        self.activity.addItems(["", *settings.activities().values()])

    def start_pick(self):
        """Let the user click a site of the layer."""
        if self.layer.currentLayer() is None:
            self.answer.setPlainText(self._words("no_layer"))
            return
        self._tool = QgsMapToolEmitPoint(self._iface.mapCanvas())
        self._tool.canvasClicked.connect(lambda point, _: self.ask_at(point))
        self._iface.mapCanvas().setMapTool(self._tool)

    def start_draw(self):
        """Let the user draw a site."""
        self.answer.setPlainText(self._words("draw_hint"))
        self._tool = DrawTool(self._iface.mapCanvas(), self.ask_shape)
        self._iface.mapCanvas().setMapTool(self._tool)

    def ask_at(self, point):
        """Ask about the site of the layer at a point of the map."""
        layer = self.layer.currentLayer()
        canvas = self._iface.mapCanvas()
        reach = canvas.mapUnitsPerPixel() * 6
        box = QgsRectangle(point.x() - reach, point.y() - reach, point.x() + reach, point.y() + reach)
        box = canvas.mapSettings().mapToLayerCoordinates(layer, box)
        request = QgsFeatureRequest().setFilterRect(box).setLimit(1)
        flag = Qgis.FeatureRequestFlag if hasattr(Qgis, "FeatureRequestFlag") else QgsFeatureRequest
        request.setFlags(flag.ExactIntersect)
        feature = next(layer.getFeatures(request), None)
        if feature is None:
            self.answer.setPlainText(self._words("nothing_here"))
            return
        made = layer.materialize(QgsFeatureRequest(feature.id()))
        self.ask(made)

    def ask_shape(self, shape):
        """Ask about a shape in the reference system of the project."""
        made = QgsVectorLayer("MultiPolygon", "site", "memory")
        made.setCrs(QgsProject.instance().crs())
        made.dataProvider().addAttributes([QgsField("id", QVariant.String)])
        made.updateFields()
        feature = QgsFeature(made.fields())
        shape = QgsGeometry(shape)
        shape.convertToMultiType()
        feature.setGeometry(shape)
        feature.setAttributes([self._words("draw")])
        made.dataProvider().addFeature(feature)
        self.ask(made)

    def ask(self, layer):
        """Screen the only feature of a layer in the background, and show the answer."""
        program = settings.program()
        if not program:
            self.answer.setPlainText(self._words("no_command"))
            return
        self.stop()
        self._folder = tempfile.TemporaryDirectory()
        path = os.path.join(self._folder.name, "site.gpkg")
        try:
            write_sites(layer, path, words=self._words, activity=self.activity.currentText())
        except Exception as error:  # what QGIS raises of a layer that it cannot write
            self.answer.setPlainText(str(error))
            return
        options = {"city": self.city.filePath(), "language": self._words.language}
        self.answer.setPlainText(self._words("running"))
        self._task = AnswerTask(program, path, options, self._words, self._answered)
        QgsApplication.taskManager().addTask(self._task)

    def _answered(self, task):
        if task is self._task:
            self._task = None
            self.answer.setHtml(task.page) if task.page else self.answer.setPlainText(task.error)

    def stop(self):
        """Stop a question that is not answered yet."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


class SettingsDialog(QDialog):
    """The path of lzgis, and a button that checks it."""

    def __init__(self, parent, words):
        super().__init__(parent)
        self.setWindowTitle(words("settings"))
        self._words = words
        self.command = QgsFileWidget()
        self.command.setFilePath(settings.program())
        self.said = QLabel("")
        self.said.setWordWrap(True)
        button = QPushButton(words("check"))
        button.clicked.connect(self.check)
        form = QFormLayout(self)
        form.addRow(words("command"), self.command)
        form.addRow(button, self.said)

    def check(self):
        """Ask the program for its activities; store its path if it answers."""
        path = self.command.filePath()
        try:
            known = settings.check(path, settings.city())
        except (command.CommandError, ValueError, KeyError) as error:
            self.said.setText(str(error))
            return False
        settings.set_program(path)
        self.said.setText(self._words("works", "{} ({})".format(path, len(known))))
        return True
