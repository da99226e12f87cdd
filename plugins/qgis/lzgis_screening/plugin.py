"""The plugin: registers the provider, and, in the window of QGIS, the dock and the settings."""

import os

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon

from . import settings
from .provider import Provider

try:
    from qgis.PyQt.QtGui import QAction
except ImportError:  # Qt 5
    from qgis.PyQt.QtWidgets import QAction


class Plugin:
    """What QGIS starts; `iface` is None in qgis_process."""

    def __init__(self, iface):
        self.iface = iface
        self.provider = None
        self.dock = None
        self.actions = []

    def initProcessing(self):
        """Register the provider; qgis_process calls this alone."""
        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):
        """Register the provider, and add the dock and the actions."""
        self.initProcessing()
        from .dock import Dock

        words = settings.words()
        self.dock = Dock(self.iface, words)
        self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        self.dock.hide()
        icon = QIcon(os.path.join(os.path.dirname(__file__), "icon.svg"))
        shown = QAction(icon, words("dock"), self.iface.mainWindow())
        shown.triggered.connect(lambda: self.dock.setVisible(not self.dock.isVisible()))
        chosen = QAction(words("settings"), self.iface.mainWindow())
        chosen.triggered.connect(self.open_settings)
        self.actions = [shown, chosen]
        self.iface.addToolBarIcon(shown)
        for action in self.actions:
            self.iface.addPluginToMenu(words("provider"), action)

    def open_settings(self):
        """Show the dialog of settings."""
        from .dock import SettingsDialog

        SettingsDialog(self.iface.mainWindow(), settings.words()).exec()

    def unload(self):
        """Remove everything that was added."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
        for action in self.actions:
            self.iface.removePluginMenu(settings.words()("provider"), action)
            self.iface.removeToolBarIcon(action)
        if self.dock is not None:
            self.dock.stop()
            self.iface.removeDockWidget(self.dock)
            self.dock.deleteLater()
