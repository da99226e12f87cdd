"""The QGIS plugin of lzgis: Processing algorithms and a dock, which call lzgis in a separate process."""


def classFactory(iface):
    """Return the plugin."""
    from .plugin import Plugin

    return Plugin(iface)
