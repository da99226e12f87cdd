"""Sites of a QGIS layer as a GeoPackage for lzgis: shapes as they are, the chosen fields under the names it knows."""

from qgis.core import (
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsProcessingException,
    QgsVectorFileWriter,
)
from qgis.PyQt.QtCore import QVariant

#: Fields that GeoPackage keeps for itself.
_OWN = ("fid", "geom")


def write_sites(source, path, *, words, fields=None, activity="", canceled=None):
    """Write the features of a source, in its own reference system; nothing is reprojected or repaired.

    Parameters
    ----------
    source : QgsProcessingFeatureSource or QgsVectorLayer
        The sites.
    path : str
        The GeoPackage to write.
    words : Words
        The wording of errors.
    fields : dict, optional
        The fields that hold ``id``, ``name`` and ``activity``, where they have other names.
    activity : str
        The activity of all sites that have none of their own.
    canceled : callable, optional
        Whether to stop.

    Returns
    -------
    int
        The number of sites.
    """
    crs = source.sourceCrs() if hasattr(source, "sourceCrs") else source.crs()
    kind = source.wkbType()
    if not crs.isValid():
        raise QgsProcessingException(words("no_crs"))
    chosen = {name: field for name, field in (fields or {}).items() if field}
    own = [one for one in source.fields() if one.name().lower() not in (*_OWN, *chosen)]
    if activity:
        own = [one for one in own if one.name() != "activity"]
    added = [*chosen, *(["activity"] if activity and "activity" not in chosen else [])]
    target = QgsFields()
    for one in own:
        target.append(one)
    for name in added:
        target.append(QgsField(name, QVariant.String))
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName, options.layerName, options.fileEncoding = "GPKG", "sites", "UTF-8"
    writer = QgsVectorFileWriter.create(path, target, kind, crs, QgsCoordinateTransformContext(), options)
    count = 0
    for feature in source.getFeatures():
        if canceled is not None and canceled():
            break
        values = [feature[one.name()] for one in own]
        for name in added:
            value = feature[chosen[name]] if name in chosen else None
            empty = value is None or str(value) in ("", "NULL")
            values.append(activity if name == "activity" and empty else None if empty else str(value))
        made = QgsFeature(target)
        made.setGeometry(feature.geometry())
        made.setAttributes(values)
        if not writer.addFeature(made):
            raise QgsProcessingException(writer.errorMessage())
        count += 1
    error = writer.errorMessage()
    del writer
    if error:
        raise QgsProcessingException(error)
    return count
