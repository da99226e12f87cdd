"""Tables of coordinates: workbooks (Excel, OpenDocument) and delimited text (CSV).

A workbook is read by calamine: formulas give their stored values, and nothing is executed. Of delimited text the encoding and
the delimiter are detected and reported.
"""

from __future__ import annotations

import csv
import importlib.metadata
import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from lzgis.coordinates.shifted_maps import shifted_by_name
from lzgis.errors import SourceError
from lzgis.messages import Message, library_message
from lzgis.model.report import Problem
from lzgis.reading.base import Decided, Read, ReadOptions
from lzgis.reading.datum_words import datum_word, names_cgcs2000
from lzgis.reading.encoding import decoded
from lzgis.reading.formats.boundary_points.parcels import parcels
from lzgis.reading.formats.gdal import Kind, check_beginning, choose_layer
from lzgis.reading.formats.hidden_cells import hidden_cells, sheet_text, with_formulas
from lzgis.reading.formats.table_checks import LAT, LON, other_pair, with_errors, words_beside
from lzgis.reading.formats.table_rows import Body, body_of, full_head, heading
from lzgis.reading.numbers import Cells, plain
from lzgis.reading.numbers import number as number_of
from lzgis.reading.repair import Change

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

#: Possible names of columns, in lower case, without blanks, full-width letters and units in brackets.
COORDINATE_FIELDS: dict[str, tuple[str, ...]] = {
    "lon": ("经度", "东经", "lon", "lng", "long", "longitude", "中心经度", "经度坐标", "坐标经度"),
    "lat": ("纬度", "北纬", "lat", "latitude", "中心纬度", "纬度坐标", "坐标纬度"),
    "x": ("x", "x坐标", "坐标x", "xcoord", "pointx", "point_x"),
    "y": ("y", "y坐标", "坐标y", "ycoord", "pointy", "point_y"),
    # In surveying, X is 纵坐标 and points north.
    "north": ("纵坐标", "纵坐标x", "x纵坐标", "北坐标", "northing", "north", "n"),
    "east": ("横坐标", "横坐标y", "y横坐标", "东坐标", "easting", "east", "e"),
    "wkt": ("wkt", "geometry", "geom", "the_geom", "几何", "图形", "shape_wkt", "wktgeom"),
    "point": ("点号", "界址点号", "界址点", "点名", "拐点", "拐点号", "拐点编号", "界址点编号"),
    "ring": ("圈号", "环号", "地块圈号"),
    "parcel": ("地块编号", "地块号", "地块", "宗地号", "宗地代码", "项目编号", "编号", "id", "site_id"),
}
_HEAD_WITHIN = 30


class Columns(NamedTuple):
    """The header of a table: its position, the names, and the column of each meaning."""

    head: int
    names: list[str]
    found: dict[str, int]

    @property
    def pair(self) -> tuple[str, str] | None:
        """The two meanings that give a point."""
        pairs = (("lon", "lat"), ("east", "north"), ("x", "y"))
        return next((p for p in pairs if p[0] in self.found and p[1] in self.found), None)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Rows of cells with their numbers in the file, and the name of the sheet in messages."""

    place: str
    rows: list[tuple[int, list[object]]]
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def columns(self) -> Columns | None:
        """The first row that names columns of coordinates; None if there is none."""
        for head, (_, row) in enumerate(self.rows[:_HEAD_WITHIN]):
            names = [heading(cell) for cell in row]
            if not self._names_coordinates(names):
                continue
            row = full_head(self.rows, head)  # noqa: PLW2901 (the same row, with what stands above it)
            names = [heading(cell) for cell in row]
            found = {
                meaning: names.index(name)
                for meaning, aliases in COORDINATE_FIELDS.items()
                for name in [next((a for a in aliases if a in names), None)]
                if name is not None
            }
            return Columns(head, _distinct(row), found)
        return None

    @staticmethod
    def _names_coordinates(names: list[str]) -> bool:
        found = dict.fromkeys((m for m, aliases in COORDINATE_FIELDS.items() if any(a in names for a in aliases)), 0)
        return "wkt" in found or Columns(0, names, found).pair is not None


def read_sheet(sheet: Sheet, options: ReadOptions) -> Read:
    """Return the shapes of a table of coordinates.

    A row whose coordinates are no numbers stays without a shape, and is reported.

    Raises
    ------
    SourceError
        If no row names columns of coordinates, no row gives a shape, or the column that points north is ambiguous.
    """
    columns = sheet.columns
    if columns is None:
        _refuse_nameless(sheet)
    _refuse_twice(sheet, columns)
    _refuse_above(sheet, columns)
    body, after_gap = _body(sheet, columns)
    sheet.problems.extend(words_of(sheet, columns, options))
    if columns.head:
        number = sheet.rows[columns.head][0]
        what = Message("row {row} is taken as the head of the table", row=number)
        sheet.problems.append(Problem("note", sheet.place, what, Message("the rows above it are left out")))
    cells = Cells(sheet.place, columns.names, [n for n, _ in body], [r for _, r in body], sheet.problems)
    table = pd.DataFrame([r for _, r in body], columns=columns.names, dtype=object)
    changes: tuple[Change, ...] = ()
    if "wkt" in columns.found:
        frame = _of_wkt(cells, table, columns)
        crs = _crs_of_wkt(cells, columns, options)
    else:
        x, y, crs = _points(cells, columns, options)
        sheet.problems.extend(other_pair(cells, columns.names, columns.found, (x, y)))
        if {"point", "ring"} & set(columns.found):
            frame, changes = parcels(cells, columns.found, (x, y), table, after_gap)
        else:
            frame = gpd.GeoDataFrame(table, geometry=[_point(a, b) for a, b in zip(x, y, strict=True)])
    if len(frame) and shapely.is_missing(frame.geometry.to_numpy()).all():
        first = next((p for p in sheet.problems if p.level == "error"), None)
        if first is not None:
            raise SourceError(first.place, first.what, first.remedy)
    frame = frame.set_crs(crs.value) if crs is not None else frame
    return Read(frame, "", tuple(sheet.problems), crs=crs, changes=changes, titles=_titles(sheet, columns))


def _refuse_nameless(sheet: Sheet) -> NoReturn:
    """Raise the error for a table without columns of coordinates, which names columns that look like them."""
    for _, row in sheet.rows[:_HEAD_WITHIN]:
        words = [cell.strip() for cell in row if isinstance(cell, str) and len(cell) < _LONGEST_WORDS]
        alike = [next((w for w in words if pattern.search(w)), "") for pattern in (LON, LAT)]
        if all(alike):
            what = Message(
                "names its coordinates '{lon}' and '{lat}', which does not say in which system they are",
                lon=alike[0],
                lat=alike[1],
            )
            remedy = Message("rename them 经度 and 纬度; if they are of a shifted map, add --from gcj02 or --from bd09")
            raise SourceError(sheet.place, what, remedy)
    what = Message("no row names columns of coordinates")
    raise SourceError(sheet.place, what, Message("name them 经度 and 纬度, X and Y, or WKT"))


def words_of(sheet: Sheet, columns: Columns, options: ReadOptions) -> list[Problem]:
    """Look for names of other datums and maps in the titles, headings and name of a sheet, and in remarks.

    Raises
    ------
    SourceError
        If another datum is named than the one that is declared or assumed.
    """
    texts: list[tuple[str, str]] = [(sheet.place, str(sheet.place).rpartition("/")[2])]
    coordinates = {i for m, i in columns.found.items() if m not in ("point", "ring", "parcel")}
    for number, row in sheet.rows:
        here: str = Message("{place}, row {row}", place=sheet.place, row=number)
        texts += [(here, cell) for cell in row if isinstance(cell, str) and len(cell) < _LONGEST_WORDS]
    if not any(map(names_cgcs2000, _titles(sheet, columns))):
        for here, text in texts:
            datum_word(text, options, here)
    boundary = {"point", "ring"} & set(columns.found)
    headings = [columns.names[i] for i in coordinates] if boundary else []
    titles = [c for _, row in sheet.rows[: columns.head] for c in row if isinstance(c, str)]
    return [] if options.shifted else shifted_by_name("", [*headings, *titles], place=sheet.place)


def _titles(sheet: Sheet, columns: Columns) -> tuple[str, ...]:
    """Return the name of a sheet, the texts above its head, and its head."""
    above = [c for _, row in sheet.rows[: columns.head + 1] for c in row if isinstance(c, str) and c]
    return (str(sheet.place).rpartition("/")[2], *above)


#: Longer texts are no titles and no remarks.
_LONGEST_WORDS = 400


def _refuse_twice(sheet: Sheet, columns: Columns) -> None:
    """Refuse coordinates if two columns have the same name: it is unknown which of them is meant."""
    number, _ = sheet.rows[columns.head]
    names = [heading(cell) for cell in full_head(sheet.rows, columns.head)]
    for index in columns.found.values():
        if names.count(names[index]) > 1:
            here = Message("{place}, row {row}", place=sheet.place, row=number)
            what = Message("two columns are named '{name}'", name=names[index])
            raise SourceError(here, what, Message("remove the one that is not meant"))


def _refuse_above(sheet: Sheet, columns: Columns) -> None:
    """Refuse a row of data above the head: it would be left out."""
    pair = [columns.found[name] for name in columns.pair or ()]
    shape = columns.found.get("wkt", -1)
    for number, row in sheet.rows[: columns.head]:
        cells = [*row, *[""] * (len(columns.names) - len(row))]
        is_point = bool(pair) and all(number_of(cells[i]) is not None for i in pair)
        if is_point or (shape >= 0 and _WKT.match(plain(cells[shape]))):
            here = Message("{place}, row {row}", place=sheet.place, row=number)
            what = Message("holds coordinates, but stands above the head of the table")
            raise SourceError(here, what, Message("move it below the head, or remove it"))


_WKT = re.compile(r"(srid\s*=\s*\d+\s*;)?\s*(multi)?(point|linestring|polygon)\b|geometrycollection\b", re.IGNORECASE)


def _point(x: float, y: float) -> shapely.Geometry | None:
    return shapely.Point(x, y) if np.isfinite(x) and np.isfinite(y) else None


def _distinct(row: list[object]) -> list[str]:
    """Return unique names of all columns, also of those without a name or with a duplicate one."""
    names: list[str] = []
    for i, cell in enumerate(row):
        name = str(cell).strip() or f"column_{i + 1}"
        names.append(name if name not in names else f"{name}_{i + 1}")
    return names


def _body(sheet: Sheet, columns: Columns) -> Body:
    """Return the rows of data below the header, padded or cut to its length."""
    width = len(columns.names)
    below = sheet.rows[columns.head + 1 :]
    found = body_of(below, columns.names, columns.found, sheet.place, sheet.problems)
    for number, row in found.rows:
        if any(plain(c) for c in row[width:]):
            what = Message("has {count} cells, the head {width}", count=len(row), width=width)
            here = Message("{place}, row {row}", place=sheet.place, row=number)
            raise SourceError(here, what, Message("put a text that holds the delimiter in quotation marks"))
    if not found.rows:
        raise SourceError(sheet.place, Message("has no rows"), Message("give at least one site"))
    return Body([(n, [*row[:width], *[""] * (width - len(row))]) for n, row in found.rows], found.after_gap)


def _of_wkt(cells: Cells, table: pd.DataFrame, columns: Columns) -> gpd.GeoDataFrame:
    column = columns.found["wkt"]
    shapes: list[shapely.Geometry | None] = []
    for i in range(len(table)):
        text = plain(cells.rows[i][column])
        # PostGIS writes the SRID before the shape.
        text = text.partition(";")[2] if text.upper().startswith("SRID=") else text
        try:
            shapes.append(shapely.from_wkt(text) if text else None)
        # Shapes that shapely does not support, such as arcs, are reported by row too.
        except (shapely.errors.GEOSException, NotImplementedError) as error:
            shapes.append(None)
            why = library_message(str(error).partition("\n")[0])
            cells.add_problem(i, column, Message("is no WKT ({error})", error=why), Message("correct the shape"))
    return gpd.GeoDataFrame(table.drop(columns=columns.names[column]), geometry=shapes)


def _crs_of_wkt(cells: Cells, columns: Columns, options: ReadOptions) -> Decided | None:
    """Return the system that the shapes name (``SRID=4490;…``); it must be one, and the declared one.

    Raises
    ------
    SourceError
        If it is not.
    """
    column = columns.found["wkt"]
    srids = [_SRID.match(plain(row[column])) for row in cells.rows]
    # The first row of each.
    named = {int(found[1]): i for i, found in reversed([*enumerate(srids)]) if found}
    named.pop(0, None)
    try:
        declared = CRS.from_user_input(options.crs).to_epsg() if options.crs else None
    except CRSError:
        return None  # What is declared is refused later.
    wrong = next((code for code in named if len(named) > 1 or (options.crs and code != declared)), None)
    if wrong is not None:
        here = Message("{place}, row {row}", place=cells.place, row=cells.numbering[named[wrong]])
        what = Message("its shape names another system: {name}", name=f"SRID={wrong}")
        raise SourceError(here, what, Message("give all shapes in one system, and declare that one"))
    return Decided(f"EPSG:{next(iter(named))}", Message("named in the file")) if named and not options.crs else None


_SRID = re.compile(r"srid\s*=\s*(\d{1,9})\s*;", re.IGNORECASE)


def _points(cells: Cells, columns: Columns, options: ReadOptions) -> tuple[np.ndarray, np.ndarray, Decided | None]:
    """Return longitude or easting, latitude or northing, and the system if the columns determine it."""
    pair = columns.pair
    assert pair is not None
    first, second = (columns.found[name] for name in pair)
    a, b = cells.numbers(first), cells.numbers(second)
    if pair == ("lon", "lat"):
        if options.degrees == "packed":
            _refuse_signs(cells, (first, second))
        for i in np.flatnonzero((np.abs(a) > 180) | (np.abs(b) > 90)):
            column = first if abs(a[i]) > 180 else second
            cells.add_problem(
                int(i),
                column,
                Message("'{value}' is no number of degrees", value=plain(cells.rows[i][column])),
                _NAME_XY,
            )
            a[i] = b[i] = np.nan
        return a, b, None if options.crs else _assumed(cells)
    if pair == ("east", "north"):
        return a, b, None
    names = (columns.names[first], columns.names[second])
    if _north_is_first(cells, a, b, (options, names)):
        return b, a, None
    return a, b, None


def _refuse_signs(cells: Cells, columns: tuple[int, int]) -> None:
    """Refuse packed degrees, if declared, in cells that have signs of degrees: they are no packed ones."""
    for number, row in zip(cells.numbering, cells.rows, strict=True):
        for column in columns:
            if re.search("[°度′分'′]", text := plain(row[column])):
                here = Message(
                    "{place}, row {row}, column '{column}'", place=cells.place, row=number, column=cells.names[column]
                )
                what = Message("'{value}' has signs of degrees and is no ddd.mmss", value=text[:40])
                raise SourceError(here, what, Message("leave --degrees out"))


_NAME_XY = Message("correct it, or name the columns X and Y if they are metres")


def _assumed(cells: Cells) -> Decided:
    what = Message("longitude and latitude name no system; taken as CGCS2000")
    remedy = Message("declare another if it is one; positions from maps of the internet may be in GCJ-02")
    cells.problems.append(Problem("warning", cells.place, what, remedy))
    return Decided("EPSG:4490", Message("assumed of columns of longitude and latitude"))


def _north_is_first(cells: Cells, x: np.ndarray, y: np.ndarray, declared: tuple[ReadOptions, tuple[str, str]]) -> bool:
    """Return whether column X points north, as in surveying, by the values, which are unambiguous in China."""
    options, (x_name, y_name) = declared
    votes = {False: _fits(x, y), True: _fits(y, x)}
    usable = np.isfinite(x) & np.isfinite(y)
    if options.crs and usable.any() and not (votes[False] | votes[True]).any():
        votes = _fits_declared(x, y, options.crs)
    north = bool(votes[True].sum() > votes[False].sum())
    wrong = np.flatnonzero(usable & ~votes[north])
    if len(wrong) and not votes[north].any():
        raise SourceError(
            Message("{place}, row {row}", place=cells.place, row=cells.numbering[wrong[0]]),
            Message(
                "cannot tell which of {x} and {y} points north ({a}, {b})",
                x=x_name,
                y=y_name,
                a=x[wrong[0]],
                b=y[wrong[0]],
            ),
            Message("name the columns 东坐标 and 北坐标, or 经度 and 纬度"),
        )
    if len(wrong):
        raise SourceError(
            Message("{place}, row {row}", place=cells.place, row=cells.numbering[wrong[0]]),
            Message(
                "{x} and {y} do not mean what they mean in the other rows ({a}, {b})",
                x=x_name,
                y=y_name,
                a=x[wrong[0]],
                b=y[wrong[0]],
            ),
            Message("give all rows in one order of axes and one system"),
        )
    what = Message("{name} is read as pointing north, by its values", name=x_name if north else y_name)
    level = "warning" if north else "note"
    cells.problems.append(Problem(level, cells.place, what, Message("name the columns 东坐标 and 北坐标 to be sure")))
    return north


def _fits(east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """Return whether each pair can be (easting, northing) or (longitude, latitude) in China; never in both orders.

    Eastings have six digits, or eight with the number of the zone (13-23 for 6°, 25-45 for 3°) before them; northings
    lie between 1.9 and 6 million metres, latitudes below 54° and longitudes above 73°.
    """
    metres = (((east > 1e5) & (east < 1e6)) | ((east > 13e6) & (east < 46e6))) & (north > 1.9e6) & (north < 6e6)
    degrees = (east >= 73) & (east <= 136) & (north >= 3) & (north <= 54)
    return metres | degrees


def _fits_declared(x: np.ndarray, y: np.ndarray, declared: str) -> dict[bool, np.ndarray]:
    """Return whether each pair lies in the area of use of the declared system, in either order."""
    area = CRS.from_user_input(declared).area_of_use
    nowhere = np.zeros(len(x), bool)
    if area is None or not CRS.from_user_input(declared).is_geographic:
        return {False: nowhere, True: nowhere}
    inside = [(a >= area.west) & (a <= area.east) & (b >= area.south) & (b <= area.north) for a, b in ((x, y), (y, x))]
    # If both orders are possible, the values do not decide.
    return {False: inside[0] & ~inside[1], True: inside[1] & ~inside[0]}


WORKBOOK = Kind("", "workbook", (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


def read_workbook(path: Path, options: ReadOptions) -> Read:
    """Read the sheet of coordinates of a workbook.

    Raises
    ------
    SourceError
        If it is no workbook, has no sheet of coordinates, or has several and none was named.
    """
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    check_beginning(path, WORKBOOK)
    try:
        with path.open("rb") as stream:
            book = CalamineWorkbook.from_filelike(stream)
            names = list(book.sheet_names)
            unseen = {one.name for one in book.sheets_metadata if str(one.visible) != str(SheetVisibleEnum.Visible)}
            sheets = {
                name: _sheet(book, name, str(path)) for name in names if name == options.layer or not options.layer
            }
    # Errors in calamine may also be panics of Rust, which are not subclasses of Exception.
    except (CalamineError, OSError, ValueError) as error:
        raise SourceError(
            str(path),
            Message("is no workbook that can be read ({error})", error=library_message(error)),
            Message("save it again as .xlsx"),
        ) from error
    if options.layer:
        chosen = choose_layer(str(path), names, options.layer)
    else:
        with_coordinates = [name for name, sheet in sheets.items() if sheet.columns is not None]
        chosen = choose_layer(str(path), with_coordinates or names[:1], None)
    sheet = sheets[chosen]
    text = sheet_text(path, chosen) if path.suffix.lower() in (".xlsx", ".xlsm") else ""
    with_errors(sheet.rows, text, sheet.place)
    with_formulas(sheet.rows, text)
    read = read_sheet(sheet, options)
    problems = [*read.problems, *hidden_cells(path, chosen, sheet.rows, text, sheet.place)]
    if path.suffix.lower() == ".xls":
        what = Message("whether rows or columns are hidden is not known of an .xls")
        problems.append(Problem("note", sheet.place, what, Message("save it as .xlsx, which says so")))
    if chosen in unseen:
        what = Message("is hidden in the workbook, and was read")
        problems.append(Problem("warning", sheet.place, what, Message("look whether it is meant")))
    others = [name for name in names if name != chosen]
    if others and not options.layer:
        what = Message("sheet '{sheet}' was read; {names} have no coordinates", sheet=chosen, names=", ".join(others))
        problems.insert(0, Problem("note", str(path), what, Message("name a sheet if another is meant")))
    engine = f"python-calamine {importlib.metadata.version('python-calamine')}"
    # Sheets without coordinates hold covers and remarks.
    beside = [c for name in others if name in sheets and sheets[name].columns is None for c in _cells(sheets[name])]
    titles = (*read.titles, *beside, *words_beside(path))
    return replace(read, engine=engine, problems=tuple(problems), titles=titles)


def _cells(sheet: Sheet) -> list[str]:
    return [cell for _, row in sheet.rows for cell in row if isinstance(cell, str) and 0 < len(cell) < _LONGEST_WORDS]


def _sheet(book: CalamineWorkbook, name: str, path: str) -> Sheet:
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return Sheet(
        Message("{place}, sheet '{sheet}'", place=path, sheet=name), [(i + 1, list(r)) for i, r in enumerate(rows)]
    )


_DELIMITERS = (",", "\t", ";", "|", "，", "；")
_TITLES = {"\t": "tab"}
_LOOKED_AT = 50
_LONGEST_FIELD = 50_000_000


def read_delimited(path: Path, options: ReadOptions) -> Read:
    """Read a table of coordinates from delimited text.

    Raises
    ------
    SourceError
        If no delimiter gives a table, or the table has no coordinates.
    """
    text, encoding = decoded(path.read_bytes(), str(path), declared=options.encoding)
    with _long_fields():
        delimiter, rows = _rows(text, path)
    read = read_sheet(Sheet(str(path), rows), options)
    what = Message(
        "was read in {encoding} ({how}), delimited by '{delimiter}'",
        encoding=encoding.value,
        how=encoding.how,
        delimiter=_TITLES.get(delimiter, delimiter),
    )
    note = Problem("note", str(path), what, Message("declare the encoding if that is wrong"))
    return replace(read, engine="csv", encoding=encoding, problems=(note, *read.problems))


def _rows(text: str, path: Path) -> tuple[str, list[tuple[int, list[object]]]]:
    """Return the delimiter of a text, and its rows, each with the number of its first line."""
    # A line "sep=;" names the delimiter for Excel.
    first, _, rest = text.partition("\n")
    stated = first.strip()[4:] if first.strip().lower().startswith("sep=") else ""
    try:
        delimiter = stated if len(stated) == 1 else _delimiter(rest if stated else text, path)
    except csv.Error as error:
        refusal = _no_table(Message("{place}, line {line}", place=path, line=1), error)
        raise refusal from None
    reader = csv.reader(_lines(rest if stated else text), delimiter=delimiter, strict=True)
    above = 1 if stated else 0
    rows: list[tuple[int, list[object]]] = []
    starts = above + 1
    try:
        for row in reader:
            rows.append((starts, list(row)))
            starts = above + reader.line_num + 1
    except csv.Error as error:
        refusal = _no_table(Message("{place}, line {line}", place=path, line=above + reader.line_num), error)
        raise refusal from None
    return delimiter, rows


def _no_table(place: Message, error: Exception) -> SourceError:
    what = Message("is no line of a table ({error})", error=library_message(error))
    return SourceError(place, what, Message("look for a quotation mark without its pair"))


class _LongFields:
    """Raises the limit of the csv module, which holds for the whole process, while a table is read; in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._before = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._readers == 0:
                self._before = csv.field_size_limit(_LONGEST_FIELD)
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                # Whoever changed the limit meanwhile has the last word.
                if self._readers == 0 and csv.field_size_limit() == _LONGEST_FIELD:
                    csv.field_size_limit(self._before)


_long_fields = _LongFields()


def _lines(text: str) -> io.StringIO:
    """Yield the lines of a text as a file does: characters such as U+001E do not end a line, unlike in `splitlines`."""
    return io.StringIO(text, newline="")


def _delimiter(text: str, path: Path) -> str:
    """Return the delimiter that splits most of the first lines into the same number of fields, more than one."""
    lines = [line for line in islice(_lines(text), _LOOKED_AT) if line.strip()]
    best, chosen = (0, 0), ""
    for delimiter in _DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(counts), key=lambda n: (counts.count(n), n), default=1)
        score = (counts.count(usual), usual) if usual > 1 else (0, 0)
        if score > best:
            best, chosen = score, delimiter
    if not chosen:
        if len(lines) > 1 and lines[0].strip().lower() in ("wkt", "geometry", "几何"):
            return ","
        known = " ".join(_TITLES.get(d, d) for d in _DELIMITERS)
        raise SourceError(
            str(path), Message("has no delimiter that is known"), Message("use one of {names}", names=known)
        )
    return chosen
