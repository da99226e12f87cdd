"""Family O: what a workbook, a drawing or a KML hides from those who look at it, and holds for those who read it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import ezdxf
import xlsxwriter

from bad_inputs.case import FIRST_OPEN, TRUTH, Request, case, pair, saved
from bad_inputs.tables import POINTS, rows
from lzgis.reading import ReadOptions


def book(folder: Path, change: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], object]) -> Path:
    """Write the two points into a workbook and change its sheet."""
    path = folder / "sites.xlsx"
    table = rows()
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet()
        for number, line in enumerate([list(table.columns), *table.values.tolist()]):
            for column, cell in enumerate(line):
                sheet.write(number, column, float(cell) if number and column > 2 else cell)
        change(made, sheet)
    return path


@case("O", "workbook with a hidden row", "answer", "filtered out were read too: 3", truth=POINTS)
def _(folder: Path) -> Path:
    return book(folder, lambda made, sheet: sheet.set_row(2, None, None, {"hidden": True}))


@case("O", "workbook with rows filtered out", "answer", "filtered out were read too: 3", truth=POINTS)
def _(folder: Path) -> Path:
    def change(made: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.autofilter("A1:E3")
        sheet.filter_column("A", "x == s1")
        sheet.set_row(2, None, None, {"hidden": True})

    return book(folder, change)


@case("O", "workbook with an empty row hidden", "answer", truth=POINTS)
def _(folder: Path) -> Path:
    return book(folder, lambda made, sheet: sheet.set_row(9, None, None, {"hidden": True}))


@case("O", "workbook with a hidden column", "answer", "hidden were read too: C", truth=POINTS)
def _(folder: Path) -> Path:
    return book(folder, lambda made, sheet: sheet.set_column("C:C", None, None, {"hidden": True}))


@case(
    "O", "workbook whose sheet of points is hidden", "answer", "is hidden in the workbook, and was read", truth=POINTS
)
def _(folder: Path) -> Path:
    def change(made: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        cover = made.add_worksheet("封面")
        cover.write(0, 0, "封面")
        cover.activate()
        cover.set_first_sheet()
        sheet.hide()

    return book(folder, change)


@case("O", "workbook with coordinates by formulas without values", "refused", r"=F[23]\+0. is no number")
def _(folder: Path) -> Path:
    def change(made: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        for row in (1, 2):
            sheet.write_formula(row, 3, f"=F{row + 1}+0", None, "")

    return book(folder, change)


_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:"
_CONTENT = (
    f'<office:document-content xmlns:office="{_OFFICE}office:1.0" xmlns:table="{_OFFICE}table:1.0" '
    f'xmlns:text="{_OFFICE}text:1.0" office:version="1.3"><office:body><office:spreadsheet>'
    '<table:table table:name="Sheet1">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
)


@case("O", "OpenDocument table with a row filtered out", "answer", "filtered out were read too: 3", truth=POINTS)
def _(folder: Path) -> Path:
    table = rows()
    lines = ""
    for number, line in enumerate([list(table.columns), *table.values.tolist()]):
        cells = [
            f'<table:table-cell office:value-type="string"><text:p>{one}</text:p></table:table-cell>' for one in line
        ]
        hidden = ' table:visibility="filter"' if number == len(table) else ""
        lines += f"<table:table-row{hidden}>{''.join(cells)}</table:table-row>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = f'<manifest:manifest xmlns:manifest="{_OFFICE}manifest:1.0"/>'
    with zipfile.ZipFile(folder / "sites.ods", "w") as new:
        new.writestr("mimetype", kind)
        new.writestr("META-INF/manifest.xml", manifest)
        new.writestr("content.xml", _CONTENT.format(rows=lines))
    return folder / "sites.ods"


def drawing(
    folder: Path, change: Callable[[ezdxf.document.Drawing, list[ezdxf.entities.DXFEntity]], object]
) -> Request:
    """Draw the two sites in zone 38 and change the drawing."""
    made = ezdxf.new("R2010")
    shapes = pair().to_crs(4526).geometry
    drawn = [made.modelspace().add_lwpolyline(list(one.exterior.coords)[:-1], close=True) for one in shapes]
    change(made, drawn)
    made.saveas(folder / "sites.dxf")
    return Request(folder / "sites.dxf", ReadOptions(crs="EPSG:4526"))


def _off(made: ezdxf.document.Drawing, drawn: list[ezdxf.entities.DXFEntity]) -> None:
    made.layers.add("旧").off()
    drawn[1].dxf.layer = "旧"


def _frozen(made: ezdxf.document.Drawing, drawn: list[ezdxf.entities.DXFEntity]) -> None:
    made.layers.add("旧").freeze()
    drawn[1].dxf.layer = "旧"


for _name, _change in {
    "on a layer that is off": _off,
    "on a frozen layer": _frozen,
    "that is invisible": lambda made, drawn: setattr(drawn[1].dxf, "invisible", 1),
}.items():

    @case(
        "O", f"drawing with a shape {_name}", "open", "1 shapes that are not shown", truth=FIRST_OPEN, geometric=TRUTH
    )
    def _(folder: Path, change: Callable[..., object] = _change) -> Request:
        return drawing(folder, change)


def kml(folder: Path, before: str, after: str) -> Path:
    """Write the two sites as KML and replace a text of it."""
    path = folder / "sites.kml"
    saved(path, crs=4326, driver="KML")
    path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")
    return path


for _name, _before in {"placemark": "<Placemark", "folder": "<Folder"}.items():

    @case("O", f"KML with a {_name} that is not shown", "answer", "placemarks that are not shown")
    def _(folder: Path, before: str = _before) -> Path:
        path = kml(folder, "", "")
        text = path.read_text("utf-8")
        at = text.index(">", text.index(before)) + 1
        path.write_text(text[:at] + "<visibility>0</visibility>" + text[at:], "utf-8")
        return path


@case("O", "KMZ with a second KML beside its main one", "answer", "only 'doc.kml' of its KML files is read, not b.kml")
def _(folder: Path) -> Path:
    plain = kml(folder, "", "")
    with zipfile.ZipFile(folder / "sites.kmz", "w") as new:
        new.write(plain, "doc.kml")
        new.write(plain, "b.kml")
    plain.unlink()
    return folder / "sites.kmz"


@case("O", "KMZ whose KML has a suffix in capitals", "answer")
def _(folder: Path) -> Path:
    plain = kml(folder, "", "")
    with zipfile.ZipFile(folder / "sites.kmz", "w") as new:
        new.write(plain, "Doc.KML")
    plain.unlink()
    return folder / "sites.kmz"
