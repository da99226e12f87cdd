"""Results of lzgis in the project of QGIS: groups, styles, relations."""

import os
import sqlite3

from qgis.core import QgsProject, QgsRelation, QgsVectorLayer

#: Tables of a result by the beginning of their names, and whether they are shown.
_GROUPS = (("sites", True), ("conflicts", True), ("audit", True), ("diff", True), ("notices", False), ("not", False))


def layers_of(path):
    """Return the layers and tables of a GeoPackage with their titles, in the order of the file."""
    database = sqlite3.connect("file:{}?mode=ro".format(path.replace("?", "%3f").replace("#", "%23")), uri=True)
    try:
        rows = database.execute(
            "SELECT table_name, identifier, data_type FROM gpkg_contents WHERE table_name <> 'layer_styles' ORDER BY rowid"
        ).fetchall()
    finally:
        database.close()
    return [(str(name), str(title or name), kind == "features") for name, title, kind in rows]


def load(path, title, project=None):
    """Add the layers of a result to a project, in a group of their own, and relate findings to sites.

    The styles, labels, map tips and headings are those that the GeoPackage holds.

    Returns
    -------
    dict
        The layers by the names of their tables.
    """
    project = project or QgsProject.instance()
    group = project.layerTreeRoot().insertGroup(0, title)
    tables = group.addGroup("…")
    made = {}
    for name, head, spatial in layers_of(path):
        layer = QgsVectorLayer("{}|layername={}".format(path, name), head, "ogr")
        if not layer.isValid():
            continue
        project.addMapLayer(layer, False)
        node = (group if spatial else tables).addLayer(layer)
        node.setExpanded(False)
        shown = dict(_GROUPS).get(name.partition("_")[0], True)
        node.setItemVisibilityChecked(spatial and shown and layer.featureCount() != 0)
        made[name] = layer
    group.removeChildNode(tables) if not tables.children() else tables.setExpanded(False)
    # Sites above the parts, parts above what only informs.
    _relate(project, made, title)
    return made


def _relate(project, made, title):
    for parent in [name for name in made if name.partition("_")[0] == "sites"]:
        for child in [name for name in ("findings", "unit_lists") if name in made]:
            relation = QgsRelation()
            relation.setId("{}-{}-{}".format(parent, child, made[parent].id()))
            relation.setName("{} – {} – {}".format(title, made[parent].name(), made[child].name()))
            relation.setReferencedLayer(made[parent].id())
            relation.setReferencingLayer(made[child].id())
            relation.addFieldPair("site_id", "id")
            if relation.isValid():
                project.relationManager().addRelation(relation)


def title_of(folder, package):
    """Return the title of the group of a result: the name of its folder and file."""
    return "{} {}".format(os.path.basename(os.path.normpath(folder)), os.path.splitext(package)[0])
