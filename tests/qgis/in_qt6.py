"""Run with PyQt6: imports every module of the plugin, and works with its windows, with stand-ins for the classes of QGIS.

Of the stand-ins the widgets are plain widgets of Qt; anything else of QGIS accepts every call. So this shows that the
plugin's use of Qt is valid in Qt 6, and nothing about QGIS. Argument: folder of the plugin's parent. Prints JSON.
"""

import importlib
import json
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

from PyQt6 import QtCore, QtGui, QtWidgets


class Members(type):
    """Gives a class every member that is asked for."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


class Anything(metaclass=Members):
    """A class of QGIS: made with anything, and with every member."""

    def __init__(self, *arguments, **more):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


class FileWidget(QtWidgets.QWidget):
    """What the plugin uses of QgsFileWidget."""

    fileChanged = QtCore.pyqtSignal(str)  # noqa: N815 (the name in QGIS)

    class StorageMode:
        GetDirectory = 1

    def __init__(self):
        super().__init__()
        self._path = ""

    def setStorageMode(self, mode):
        pass

    def setFilePath(self, path):
        self._path = path

    def filePath(self):
        return self._path


class LayerBox(QtWidgets.QComboBox):
    """What the plugin uses of QgsMapLayerComboBox."""

    def setFilters(self, filters):
        pass

    def currentLayer(self):
        return None


class MapTool(QtCore.QObject):
    """What the plugin uses of QgsMapTool."""

    def __init__(self, canvas):
        super().__init__()

    def toMapCoordinates(self, point):
        assert isinstance(point, QtCore.QPoint)
        return point

    def activate(self):
        pass

    def deactivate(self):
        pass


class Module(types.ModuleType):
    """A module of QGIS in which every class exists."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        known = {"QgsFileWidget": FileWidget, "QgsMapLayerComboBox": LayerBox, "QgsMapTool": MapTool}
        found = known.get(name) or type(name, (Anything,), {})
        setattr(self, name, found)
        return found


def stand_in():
    """Make the package qgis."""
    for name in ("qgis", "qgis.core", "qgis.gui", "processing"):
        sys.modules[name] = Module(name)
    sys.modules["qgis.PyQt"] = types.ModuleType("qgis.PyQt")
    sys.modules["qgis.PyQt"].__path__ = []
    # As qgis.PyQt does for Qt 6.
    QtCore.QVariant.String = QtCore.QMetaType.Type.QString
    QtCore.QVariant.Double = QtCore.QMetaType.Type.Double
    for name, module in (("QtCore", QtCore), ("QtGui", QtGui), ("QtWidgets", QtWidgets)):
        sys.modules["qgis.PyQt." + name] = module
    sys.modules["qgis.core"].QgsSettings.value = lambda self, key, default="": default


def event(kind, button, at):
    """Return a click as Qt 6 sends it."""
    place = QtCore.QPointF(*at)
    return QtGui.QMouseEvent(kind, place, place, button, button, QtCore.Qt.KeyboardModifier.NoModifier)


def main():
    plugins = sys.argv[1]
    sys.path.insert(0, plugins)
    stand_in()
    application = QtWidgets.QApplication([])
    names = sorted(path.stem for path in (Path(plugins) / "lzgis_screening").glob("*.py") if path.stem != "__init__")
    modules = {name: importlib.import_module("lzgis_screening." + name) for name in names}
    window = QtWidgets.QMainWindow()
    added = []
    interface = MagicMock()
    interface.mainWindow.return_value = window
    interface.addDockWidget = lambda area, dock: (added.append(area), window.addDockWidget(area, dock))
    plugin = importlib.import_module("lzgis_screening").classFactory(interface)
    plugin.initGui()
    plugin.actions[0].trigger()
    dock = plugin.dock
    dock.start_pick()
    no_layer = dock.answer.toPlainText()
    drawn = []
    tool = modules["dock"].DrawTool(MagicMock(), drawn.append)
    tool.activate()
    release = QtCore.QEvent.Type.MouseButtonRelease
    for at in ((0, 0), (10, 0), (10, 10)):
        tool.canvasReleaseEvent(event(release, QtCore.Qt.MouseButton.LeftButton, at))
    tool.canvasReleaseEvent(event(release, QtCore.Qt.MouseButton.RightButton, (0, 0)))
    press = QtGui.QKeyEvent(
        QtCore.QEvent.Type.KeyPress, QtCore.Qt.Key.Key_Escape, QtCore.Qt.KeyboardModifier.NoModifier
    )
    tool.keyPressEvent(press)
    dialog = modules["dock"].SettingsDialog(window, modules["settings"].words())
    dialog.command.setFilePath("/none/lzgis")
    checked = dialog.check()
    application.processEvents()
    found = {
        "modules": list(modules), "area": str(added[0]), "visible": dock.isVisibleTo(window), "no_layer": no_layer,
        "drawn": len(drawn), "checked": checked, "said": dialog.said.text(), "qt": QtCore.PYQT_VERSION_STR,
    }  # fmt: skip
    plugin.unload()
    print("RESULT" + json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
