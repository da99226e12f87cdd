"""What a delivery of vector data holds: its layers with their names, fields, aliases and coded values, before any is read."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
from lxml import etree  # type: ignore[import-untyped]

from lzgis.errors import LzgisError, SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.base import beside

#: Suffixes of the files in which layers are looked for.
DELIVERED = (".gdb", ".gpkg", ".shp", ".geojson", ".fgb", ".parquet", ".geoparquet")
#: Parts of files that are looked at, and what no layer is expected in.
_PARTS = (
    ".dbf",
    ".shx",
    ".prj",
    ".cpg",
    ".sbn",
    ".sbx",
    ".xml",
    ".qix",
    ".qpj",
    ".qml",
    ".lyr",
    ".lyrx",
    ".md",
    ".sha256",
)


@dataclass(frozen=True)
class DeliveredField:
    """A field of a delivered layer: its name, its alias, and the meanings of its codes where the file states them."""

    name: str
    alias: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DeliveredLayer:
    """A layer of a delivery, not yet read.

    Attributes
    ----------
    path : Path
        The file, or the folder of a file geodatabase.
    layer : str, optional
        The name of the layer in the file, if the file can hold several.
    name, alias : str
        The name of the layer (of the file, if it holds one) and its title.
    geometry : {"polygon", "line", "point", "other"}
        The kind of its shapes; ``other`` also for a mixture.
    features : int
        The number of its rows.
    fields : tuple of DeliveredField
        Its fields in the order of the file.
    """

    path: Path
    layer: str | None
    name: str
    alias: str
    geometry: str
    features: int
    fields: tuple[DeliveredField, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(one.name for one in self.fields)


def list_delivery(folder: str | Path) -> tuple[list[DeliveredLayer], list[Problem]]:
    """List the layers in a folder and its sub-folders, with the fields that they have; nothing is read in full.

    Aliases and coded values are read from file geodatabases, from GeoPackages, and from the ``.shp.xml`` that ArcGIS writes
    beside a shapefile.

    Parameters
    ----------
    folder : path
        The folder, or one file or file geodatabase.

    Returns
    -------
    layers : list of DeliveredLayer
        The layers with geometry, in the order of their paths.
    problems : list of Problem
        What was not looked at, and why.

    Raises
    ------
    SourceError
        If there is no such folder.
    """
    folder = Path(folder)
    if not folder.exists():
        raise SourceError(str(folder), Message("does not exist"), Message("check the path"))
    layers: list[DeliveredLayer] = []
    problems: list[Problem] = []
    for path in _files(folder):
        suffix = path.suffix.lower()
        if suffix in DELIVERED:
            try:
                layers += _layers_of(path)
            except (
                LzgisError,
                ValueError,
                RuntimeError,
                OSError,
                sqlite3.Error,
                pa.ArrowException,
                etree.LxmlError,
            ) as error:
                what = Message("cannot be listed ({error})", error=_reason(error))
                problems.append(Problem("error", str(path), what, Message("export it again, or remove it")))
        elif suffix not in _PARTS and not path.name.startswith("."):
            what = Message("was not looked at: layers are looked for in {known}", known=" ".join(DELIVERED))
            remedy = Message("unpack archives; convert what holds a layer, as 'lzgis inspect' advises")
            problems.append(Problem("warning", str(path), what, remedy))
    return layers, problems


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder; a file geodatabase counts as one."""
    if folder.is_file() or folder.suffix.lower() == ".gdb":
        return [folder]
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        found += _files(path) if path.is_dir() else [path]
    return found


def _layers_of(path: Path) -> list[DeliveredLayer]:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".geoparquet"):
        return [_of_parquet(path)]
    listed = [(str(name), shape) for name, shape in pyogrio.list_layers(path)]
    several = suffix in (".gdb", ".gpkg")
    layers = [_described(path, name, several) for name, shape in listed if shape is not None]
    titles = {".gdb": _of_geodatabase, ".gpkg": _of_geopackage, ".shp": _of_shapefile}.get(suffix)
    return titles(path, layers) if titles else layers


def _described(path: Path, name: str, several: bool) -> DeliveredLayer:
    encoding = _field_encoding(path) if path.suffix.lower() == ".shp" else None
    info = pyogrio.read_info(path, layer=name, encoding=encoding, force_feature_count=True)
    return DeliveredLayer(
        path=path,
        layer=name if several else None,
        name=name if several else path.stem,
        alias=str((info.get("layer_metadata") or {}).get("ALIAS_NAME") or ""),
        geometry=_kind(str(info["geometry_type"])),
        features=int(info["features"]),
        fields=tuple(DeliveredField(str(one)) for one in info["fields"]),
    )


def _kind(geometry_type: str) -> str:
    kinds = {"Polygon": "polygon", "Surface": "polygon", "Curve": "line", "Line": "line", "Point": "point"}
    if geometry_type.startswith(("CurvePolygon", "MultiSurface")):
        return "polygon"
    return next((kind for word, kind in kinds.items() if word in geometry_type), "other")


def _field_encoding(path: Path) -> str:
    """Return UTF-8 if the names of the fields of a shapefile are valid in it, otherwise GB18030."""
    table = beside(path, ".dbf")
    if table is None:
        return "UTF-8"
    with table.open("rb") as stream:
        head = stream.read(32)
        names = stream.read(max(int.from_bytes(head[8:10], "little") - 33, 0))
    raw = b" ".join(names[i : i + 11].split(b"\0")[0] for i in range(0, len(names), 32))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "GB18030"
    return "UTF-8"


def _of_parquet(path: Path) -> DeliveredLayer:
    with pq.ParquetFile(path) as file:
        stated = file.schema_arrow.names
        shapes = [name for name in stated if pa.types.is_binary(file.schema_arrow.field(name).type)]
        rows = file.metadata.num_rows
    fields = tuple(DeliveredField(name) for name in stated if name not in shapes)
    return DeliveredLayer(path, None, path.stem, "", "other", rows, fields)


def _of_geodatabase(path: Path, layers: list[DeliveredLayer]) -> list[DeliveredLayer]:
    items = pyogrio.read_dataframe(path, layer="GDB_Items", columns=["Name", "Definition"], read_geometry=False)
    roots = [_xml(text) for text in items["Definition"].dropna() if text]
    domains = {
        root.findtext("DomainName"): {
            str(one.findtext("Code")): str(one.findtext("Name")) for one in root.iter("CodedValue")
        }
        for root in roots
        if etree.QName(root).localname == "GPCodedValueDomain2"
    }
    stated: dict[str, dict[str, tuple[str, Mapping[str, str]]]] = {}
    for root in roots:
        if etree.QName(root).localname == "DEFeatureClassInfo":
            stated[str(root.findtext("Name"))] = {
                str(one.findtext("Name")): (
                    one.findtext("AliasName") or "",
                    domains.get(one.findtext("DomainName") or one.findtext("Domain/DomainName"), {}),
                )
                for one in root.iter("GPFieldInfoEx")
            }
    return [_with(layer, stated.get(layer.name, {})) for layer in layers]


def _of_geopackage(path: Path, layers: list[DeliveredLayer]) -> list[DeliveredLayer]:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        there = {str(name) for (name,) in database.execute("SELECT name FROM sqlite_master")}
        titles = dict(database.execute("SELECT table_name, identifier FROM gpkg_contents").fetchall())
        columns: list[tuple[str, str, str, str]] = []
        codes: dict[str, dict[str, str]] = {}
        if "gpkg_data_columns" in there:
            query = "SELECT table_name, column_name, coalesce(title, name, ''), constraint_name FROM gpkg_data_columns"
            columns = database.execute(query).fetchall()
        if "gpkg_data_column_constraints" in there:
            query = (
                "SELECT constraint_name, value, description FROM gpkg_data_column_constraints "
                "WHERE constraint_type = 'enum' AND description IS NOT NULL"
            )
            for name, value, meaning in database.execute(query):
                codes.setdefault(name, {})[str(value)] = str(meaning)
    finally:
        database.close()
    found: dict[str, dict[str, tuple[str, Mapping[str, str]]]] = {}
    for table, column, title, constraint in columns:
        found.setdefault(table, {})[column] = (str(title), codes.get(constraint, {}))
    return [replace(_with(one, found.get(one.name, {})), alias=str(titles.get(one.name) or "")) for one in layers]


def _of_shapefile(path: Path, layers: list[DeliveredLayer]) -> list[DeliveredLayer]:
    described = beside(path.with_name(path.name + ".xml"), ".xml")
    if described is None:
        return layers
    root = _xml(described.read_bytes())
    stated = {
        (one.findtext("attrlabl") or "").strip(): (
            (one.findtext("attalias") or "").strip(),
            {
                (code.findtext("edomv") or "").strip(): (code.findtext("edomvd") or "").strip()
                for code in one.iter("edom")
            },
        )
        for one in root.iter("attr")
    }
    title = root.findtext(".//idCitation/resTitle") or root.findtext(".//citeinfo/title") or ""
    return [replace(_with(one, stated), alias=title.strip()) for one in layers]


def _with(layer: DeliveredLayer, stated: Mapping[str, tuple[str, Mapping[str, str]]]) -> DeliveredLayer:
    """Return a layer with the aliases and coded values that are stated of its fields."""
    fields = tuple(DeliveredField(one.name, *stated.get(one.name, ("", {}))) for one in layer.fields)
    return replace(layer, fields=fields)


def _xml(text: str | bytes) -> etree._Element:
    """Parse XML without entities, document types and network; the prefixes of element names are removed."""
    if isinstance(text, str):
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(text, parser)


def _reason(error: Exception) -> str:
    return error.what if isinstance(error, LzgisError) else library_message(" ".join(str(error).split())[:200])
