"""What a GeoPackage may do besides holding data: views that compute, and a journal of what was never put in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lzgis.errors import SourceError
from lzgis.messages import Message

#: Every layer but the one that holds styles, and whether it is a table that is told to hold geometries.
_LAYERS = """
SELECT c.table_name, c.data_type = 'features' AND g.table_name IS NOT NULL AND m.name IS NOT NULL FROM gpkg_contents c
LEFT JOIN gpkg_geometry_columns g ON g.table_name = c.table_name
LEFT JOIN sqlite_master m ON m.name = c.table_name AND m.type = 'table'
WHERE c.table_name <> 'layer_styles'
"""


def check_geopackage(path: Path, wanted: str | None) -> str | None:
    """Refuse layers that are questions asked of the database, and a file whose last changes lie beside it.

    Parameters
    ----------
    path : Path
        The file.
    wanted : str, optional
        The layer that is to be read; any, if None.

    Returns
    -------
    str or None
        The layer to read, where it is the only one and its own tables say so; else GDAL has to be asked.

    Raises
    ------
    SourceError
        If it is no database, the layer (or one of several) is a view, or a journal lies beside it.
    """
    for suffix in ("-wal", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.is_file() and beside.stat().st_size:
            what = Message("has changes beside it that are not in it ({name})", name=beside.name)
            raise SourceError(str(path), what, Message("close it in the program that writes it, then read it again"))
    try:
        # Immutable: nothing is locked, and nothing is written beside it.
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            # A trigger does nothing while one reads; a view computes whatever its author liked.
            rows = database.execute(
                "SELECT c.table_name FROM gpkg_contents c JOIN sqlite_master m ON lower(m.name) = lower(c.table_name) "
                "WHERE m.type = 'view'"
            ).fetchall()
            layers = database.execute(_LAYERS).fetchall()
        finally:
            database.close()
    except sqlite3.Error as error:
        raise SourceError(
            str(path), Message("is damaged ({error})", error=error), Message("fetch or export the file again")
        ) from None
    views = [str(name) for (name,) in rows]
    if wanted in views or (wanted is None and views):
        what = Message("layer '{layer}' is a view, not a table", layer=wanted or views[0])
        raise SourceError(str(path), what, Message("save what it shows as a table of its own, or name another layer"))
    only = str(layers[0][0]) if len(layers) == 1 and layers[0][1] else None
    return only if wanted in (None, only) else None
