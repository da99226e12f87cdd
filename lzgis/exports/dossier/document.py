"""The document model of a dossier: sections with paragraphs, tables of texts, and pictures.

Every writer (Word, web page, PDF, an office's template) lays out this model and adds nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

#: Length of a text in a cell above which the row may break across pages.
LONG_CELL = 500


@dataclass(frozen=True)
class Column:
    """A column of a grid: its key, its title, its share of the width, and whether it holds figures."""

    name: str
    title: str
    weight: float = 1.0
    figures: bool = False


class Cell(NamedTuple):
    """A cell as it is laid out; `mark` is the verdict whose tint it has, if any."""

    text: str
    column: Column
    mark: str = ""


class Line(NamedTuple):
    """A row of cells or, without cells, one text across the table."""

    cells: tuple[Cell, ...] = ()
    across: str = ""

    @property
    def head(self) -> str:
        """The first line of a text across the table, which is emphasised."""
        return self.across.partition("\n")[0]

    @property
    def below(self) -> str:
        """The other lines of a text across the table."""
        return self.across.partition("\n")[2]

    @property
    def long(self) -> bool:
        """Whether the row may be higher than a page and so must be allowed to break."""
        return any(len(cell.text) > LONG_CELL for cell in self.cells)


@dataclass(frozen=True)
class Grid:
    """A table of texts; lines within a cell are separated by newlines.

    Attributes
    ----------
    marks : tuple of str
        For each row the verdict whose tint the cell in column `marked` gets, or an empty string.
    heads : bool
        Whether the titles of the columns are shown.
    fine : bool
        Whether the table is set in small type.
    grouped : str
        A column that is not shown; consecutive rows with the same value in it stand under one line across the table.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    marks: tuple[str, ...] = ()
    marked: str = ""
    heads: bool = True
    fine: bool = False
    grouped: str = ""

    @property
    def shown(self) -> tuple[int, ...]:
        """Positions of the columns that are shown."""
        return tuple(i for i, column in enumerate(self.columns) if column.name != self.grouped)

    @property
    def widths(self) -> tuple[float, ...]:
        """Shares of the width of the columns shown; their sum is one."""
        weights = [self.columns[i].weight for i in self.shown]
        return tuple(weight / sum(weights) for weight in weights)

    def lines(self) -> Iterator[Line]:
        """Yield the lines below the titles of the columns: rows, and lines across the table."""
        by = [column.name for column in self.columns].index(self.grouped) if self.grouped else -1
        last = None
        for number, row in enumerate(self.rows):
            if by >= 0 and row[by] != last:
                last = row[by]
                yield Line(across=last)
            mark = self.marks[number] if self.marks else ""
            yield Line(tuple(Cell(row[i], self.columns[i], self._mark(i, mark)) for i in self.shown))

    def _mark(self, column: int, mark: str) -> str:
        return mark if self.columns[column].name == self.marked else ""

    def records(self) -> list[dict[str, str]]:
        """Return the rows as dictionaries by column, with the grid's title under ``group``.

        Examples
        --------
        >>> Grid("pairs", (Column("name", "Name"),), (("P1",),), title="all").records()
        [{'name': 'P1', 'group': 'all'}]
        """
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) | {"group": self.title} for row in self.rows]


@dataclass(frozen=True)
class Picture:
    """A map as a PNG file, with its caption and its size on paper."""

    name: str
    caption: str
    png: bytes
    width_mm: float
    height_mm: float


@dataclass(frozen=True)
class Section:
    """A numbered part of the dossier, laid out in this order: paragraphs, grids, notes, small print, pictures."""

    name: str
    number: str
    title: str
    paragraphs: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()
    small_print: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()

    @property
    def heading(self) -> str:
        """Number and title in one line."""
        return f"{self.number}{self.title}"


@dataclass(frozen=True)
class Abstract:
    """The first page: facts beside a small map, the gravest findings, what follows from them, and who signs.

    Attributes
    ----------
    facts : tuple of pairs
        Head and text, beside the map.
    picture : Picture or None
        The small map; None if the project has no geometry that could be drawn.
    findings : Grid or None
        The gravest findings; None if nothing is hit.
    lines : tuple of pairs
        Head and text: conclusion, procedures, what was not checked, what is not covered.
    control : Grid
        Number of the document, office, date, signatures and seal.
    code : Picture or None
        The QR code of the project in the review map, beside `control`.
    """

    facts: tuple[tuple[str, str], ...]
    picture: Picture | None
    findings: Grid | None
    lines: tuple[tuple[str, str], ...]
    control: Grid
    code: Picture | None = None


@dataclass(frozen=True)
class Dossier:
    """The document on one project: the abstract on page one, then the sections.

    `project` and `about` hold single facts by the names in `PROJECT_FACTS` and `ABOUT_FACTS`. `tables` holds all that is
    known, for an office's template; the sections show what a reader needs.
    """

    language: str
    title: str
    subtitle: str
    verdict: str
    verdict_code: str
    project: Mapping[str, str]
    about: Mapping[str, str]
    abstract: Abstract
    sections: tuple[Section, ...]
    tables: tuple[Grid, ...]

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures of all sections."""
        return tuple(picture for section in self.sections for picture in section.pictures)

    def grids(self) -> dict[str, list[Grid]]:
        """Return the tables by name, those of the abstract and of the sections included."""
        found: dict[str, list[Grid]] = {name: [] for name in GRID_COLUMNS}
        for grid in self.tables:
            found[grid.name].append(grid)
        return found


#: Single facts of the project.
PROJECT_FACTS = (
    *("id", "name", "activity", "shape", "area_m2", "area_ha", "area_mu", "length_m"),
    *("centre", "divisions", "verdict", "nearest"),
)

#: Single facts of the screening and of the city.
ABOUT_FACTS = (
    *("title", "city", "adcode", "notice", "disclaimer", "confidentiality", "as_of", "made_at", "rule_book"),
    *("rule_book_version", "crs", "plane", "area"),
)

#: The grids that a dossier may have, with the columns of each.
GRID_COLUMNS: dict[str, tuple[str, ...]] = {
    "project": ("name", "value"),
    "attributes": ("name", "value"),
    "layers": ("title", "status", "version", "date", "basis", "confidentiality", "count"),
    "findings": (*("layer", "rule", "subject", "state", "area_m2", "area_ha", "area_mu", "length_m", "share"),),
    "overrides": ("rule", "status", "reason", "author", "evidence", "then"),
    "divisions": (*("rule", "subject", "division", "area_m2", "area_ha", "area_mu", "length_m", "share"),),
    "ladder": ("threshold", "verdict"),
    "corridors": (*("rule", "subject", "baseline", "required_m", "distance_m", "shortfall_m", "band", "state"),),
    "general": ("heading", "clause", "facts", "answer", "explanation"),
    "answers": ("heading", "clause", "facts", "answer", "explanation"),
    "zones": ("rule", "subject", "result", "item", "procedure", "note"),
    "basis": ("document", "articles", "effective", "certainty", "rules"),
    "not_checked": ("rule", "layer", "reason", "unchecked_share", "severity"),
    "problems": ("level", "place", "what", "remedy"),
    "about": ("name", "value"),
    "repairs": ("place", "feature", "what", "area_before_m2", "area_after_m2", "accepted"),
    "sources": ("role", "name", "version", "date", "crs", "sha256"),
    "transforms": ("value",),
    "tolerances": ("name", "value"),
    "versions": ("name", "value"),
    "gravest": (*("rule", "where", "area_m2", "area_ha", "area_mu", "length_m", "route"),),
    "hits": (*("heading", "where", "state", "area_m2", "area_ha", "area_mu", "length_m", "share"),),
}

#: The pictures that a dossier has; insets only if its map cannot be read.
PICTURES = ("location_map", "detail_map", "insets")

#: The sections, in their order.
SECTIONS = ("maps", "findings", "answers", "basis", "not_checked", "provenance")
