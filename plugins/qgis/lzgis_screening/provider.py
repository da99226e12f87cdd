"""The provider of Processing."""

import os

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from . import settings
from .algorithms import ALGORITHMS


class Provider(QgsProcessingProvider):
    """The algorithms of lzgis."""

    def id(self):
        return "lzgis"

    def name(self):
        return settings.words()("provider")

    def icon(self):
        return QIcon(os.path.join(os.path.dirname(__file__), "icon.svg"))

    def loadAlgorithms(self):
        for kind in ALGORITHMS:
            self.addAlgorithm(kind())
