"""Settings of the plugin, and calls of lzgis with them."""

import json

from qgis.core import QgsSettings

from . import arguments, command
from .words import Words

_GROUP = "lzgis_screening/"


def words():
    """Return the wording in the language of QGIS."""
    return Words(QgsSettings().value("locale/userLocale", "zh_CN"))


def program():
    """Return the path of lzgis: the one in the settings, else where the installers put it."""
    return str(QgsSettings().value(_GROUP + "command", "") or "") or command.default_command()


def set_program(path):
    """Store the path of lzgis; an empty one means the usual place."""
    QgsSettings().setValue(_GROUP + "command", path)


def city():
    """Return the folder of the city that was used last; empty for the reference city."""
    return str(QgsSettings().value(_GROUP + "city", "") or "")


def set_city(folder):
    """Store the folder of the city."""
    QgsSettings().setValue(_GROUP + "city", folder)


def activities():
    """Return the activities by id, with their titles, that the last check found."""
    try:
        known = json.loads(QgsSettings().value(_GROUP + "activities", "{}"))
    except (TypeError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def check(path, folder=""):
    """Ask lzgis at a path for the activities of a city, and store them.

    Raises
    ------
    CommandError
        If it does not work.
    """
    language = words().language
    done = command.call(path, arguments.activities(folder))
    title = "title" if language == "zh" else "title_en"
    known = {name: one[title] for name, one in json.loads(done.output).items()}
    QgsSettings().setValue(_GROUP + "activities", json.dumps(known))
    return known
