"""The table of output formats, `FORMATS`, with one record per format, and the signatures of the writers.

A new format is a module with a writer and a record in `FORMATS`. Writers are named as ``module:function`` and imported when
they are first used, so that listing the formats imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lzgis.errors import ExportError
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.words import Language

if TYPE_CHECKING:
    import pyarrow as pa

    from lzgis.model.audit import AuditReport, DiffReport, Recheck
    from lzgis.model.catalogue import CitySpec
    from lzgis.model.report import Report

#: The most sites that the interactive map shows; of more, those with the gravest verdicts.
MAP_SITES = 2_000
#: Up to this many sites a report is held in memory as a whole, and every format can be written.
WHOLE = 20_000


class ReportWriter(Protocol):
    """Writes a report to a file; the same report gives the same bytes. What `Format.report` names."""

    def __call__(self, report: Report, path: str | Path, *, language: Language = "zh", **options: Any) -> None:
        """Write the file as a whole or not at all.

        Parameters
        ----------
        report : Report
            What to write.
        path : path
            The file. An existing one is replaced.
        language : {"zh", "en"}
            Language of titles, labels and notes; codes, ids and numbers are the same in every language.
        **options
            The further keywords that the record lists in `Format.options`.

        Raises
        ------
        ExportError
            If the file cannot be written; what was there before is then untouched.
        """


class ProjectsWriter(Protocol):
    """Writes one file per project (site) into a folder. What `Format.report` names if `Format.per_site` is true."""

    def __call__(
        self,
        report: Report,
        folder: str | Path,
        *,
        suffixes: Iterable[str],
        language: Language = "zh",
        progress: Callable[[int, int], None] | None = None,
        **options: Any,
    ) -> list[Path]:
        """Write the files and return their paths.

        Parameters
        ----------
        report, language, **options
            As in `ReportWriter`.
        folder : path
            The folder; it is made if need be.
        suffixes : iterable of str
            The formats to write, by suffix; what they share is made once per project.
        progress : callable, optional
            Called with the number of projects done and of all.

        Raises
        ------
        ExportError
            If a file cannot be written.
        """


class AuditWriter(Protocol):
    """Writes an audit to a file. What `Format.audit` names."""

    def __call__(self, audit: AuditReport, path: str | Path, *, language: Language = "zh") -> None:
        """Write the file; parameters and errors as in `ReportWriter`."""


class DiffWriter(Protocol):
    """Writes a comparison to a file. What `Format.diff` names."""

    def __call__(
        self, report: DiffReport, path: str | Path, *, recheck: Recheck | None = None, language: Language = "zh"
    ) -> None:
        """Write the file; `recheck` holds the projects that were judged again. The rest is as in `ReportWriter`."""


class ReportPieces(Protocol):
    """A report of many sites, in pieces of consecutive sites; one piece at a time is in memory."""

    @property
    def head(self) -> Report:
        """The report without its rows: city, rules, layers, problems and provenance of the whole."""

    def reports(self) -> Iterator[Report]:
        """Iterate over complete reports of few sites. `finding` in a breakdown is the position in the whole table."""

    def verdicts(self) -> Iterator[Report]:
        """Iterate over reports that have the rows of `sites` and `verdicts` only."""

    def findings(self) -> Iterator[pa.Table]:
        """Iterate over the findings alone, as `lzgis.exports.gis.parquet.table_of` stores them."""


class PiecesWriter(Protocol):
    """Writes a report that comes in pieces to one file. What `Format.pieces` names."""

    def __call__(self, pieces: ReportPieces, path: str | Path, *, language: Language = "zh") -> None:
        """Write the file; parameters and errors as in `ReportWriter`."""


class Format(NamedTuple):
    """An output: the name that selects it, its title and its writers.

    Attributes
    ----------
    suffix : str
        Suffix of the file, ``.xlsx``.
    file_name : str
        Name of the file in the folder of a result; for a format of one file per project, of the folder that holds them.
    title : str
        What the format is, in English.
    report : str
        The `ReportWriter`, or the `ProjectsWriter` if `per_site` is true, as ``module:function``.
    audit, diff : str
        The `AuditWriter` and the `DiffWriter`; empty if an audit or a comparison is not written in this format.
    pieces : str
        The `PiecesWriter` for batches; empty if the format is written of a whole report only.
    pieces_equal : bool
        Whether the file written in pieces has the same bytes as the one written of the whole report.
    most_sites : int, optional
        The most sites of which the format is written; None if there is no bound.
    most_by_default : int, optional
        The most sites of which it is written when no formats are given, if that is fewer.
    options : tuple of str
        Further keywords that the writer of reports accepts.
    public : bool
        Whether there is a public edition, see `lzgis.exports.public_edition`.
    per_site : bool
        Whether there is one file per project.
    shapes : bool
        Whether it shows the parts of sites that findings are about, which are built for it.
    needs : str
        A package that only the extra of the format's name installs.
    beside : tuple of str
        The name of a small file that stands beside it in the folder of a result, as a style, and its `ReportWriter`.
    """

    suffix: str
    file_name: str
    title: str
    report: str
    audit: str = ""
    diff: str = ""
    pieces: str = ""
    pieces_equal: bool = False
    most_sites: int | None = WHOLE
    most_by_default: int | None = None
    options: tuple[str, ...] = ()
    public: bool = False
    per_site: bool = False
    shapes: bool = True
    needs: str = ""
    beside: tuple[str, str] | None = None

    @property
    def installed(self) -> bool:
        """Whether the package that the format needs is installed."""
        return not self.needs or find_spec(self.needs) is not None

    def holds(self, sites: int) -> bool:
        """Return whether the format can be written of so many sites."""
        return self.most_sites is None or sites <= self.most_sites

    def accepted(self, options: Mapping[str, object] | None) -> dict[str, Any]:
        """Select the options that the writer of reports accepts."""
        return {name: value for name, value in (options or {}).items() if name in self.options}


_GIS, _PROJECTS = "lzgis.exports.gis", "lzgis.exports.dossier:write_projects"

#: Every format by the name that ``--format`` takes.
FORMATS: dict[str, Format] = {
    "xlsx": Format(
        ".xlsx",
        "report.xlsx",
        "Excel workbook",
        "lzgis.exports.tables.xlsx:write_xlsx",
        audit="lzgis.exports.audit:write_audit_xlsx",
        diff="lzgis.exports.diff:write_diff_xlsx",
        pieces="lzgis.exports.tables.xlsx:write_xlsx_pieces",
        most_sites=200_000,
        shapes=False,
    ),
    "gpkg": Format(
        ".gpkg",
        "findings.gpkg",
        "GeoPackage",
        f"{_GIS}.gpkg:write_gpkg",
        audit="lzgis.exports.audit:write_audit_gpkg",
        diff="lzgis.exports.diff:write_diff_gpkg",
        pieces=f"{_GIS}.gpkg:write_gpkg_pieces",
        most_sites=None,
    ),
    "geojson": Format(
        ".geojson",
        "findings.geojson",
        "GeoJSON",
        f"{_GIS}.geojson:write_geojson",
        pieces=f"{_GIS}.geojson:write_geojson_pieces",
        pieces_equal=True,
        most_sites=200_000,
        beside=("findings.qml", f"{_GIS}.geojson:write_style"),
    ),
    "jsonfg": Format(
        ".jsonfg",
        "findings.jsonfg",
        "JSON-FG",
        f"{_GIS}.jsonfg:write_jsonfg",
        pieces=f"{_GIS}.jsonfg:write_jsonfg_pieces",
        pieces_equal=True,
        most_sites=200_000,
    ),
    "shp": Format(".zip", "findings-shp.zip", "shapefiles in a zip", f"{_GIS}.shapefile:write_shapefile"),
    "kml": Format(".kml", "findings.kml", "KML", f"{_GIS}.kml:write_kml"),
    "dxf": Format(".dxf", "conflicts.dxf", "DXF drawing", f"{_GIS}.dxf:write_dxf", options=("zone",)),
    "coordfile": Format(
        ".txt", "sites.txt", "boundary-point file", f"{_GIS}.boundary_points:write_sites_txt", shapes=False
    ),
    "json": Format(
        ".json",
        "report.json",
        "JSON report",
        f"{_GIS}.json:write_json",
        audit="lzgis.exports.audit:write_audit_json",
        diff="lzgis.exports.diff:write_diff_json",
        pieces=f"{_GIS}.json:write_json_pieces",
        pieces_equal=True,
        most_sites=200_000,
        # It takes some 43 kB a site and is meant for programs.
        most_by_default=2_000,
    ),
    "parquet": Format(
        ".parquet",
        "findings.parquet",
        "GeoParquet of the findings",
        f"{_GIS}.parquet:write_findings",
        pieces=f"{_GIS}.parquet:write_findings_pieces",
        pieces_equal=True,
        most_sites=None,
    ),
    "csv": Format(
        ".csv",
        "findings.csv",
        "CSV of the findings",
        "lzgis.exports.tables.findings_csv:write_findings_csv",
        pieces="lzgis.exports.tables.findings_csv:write_findings_csv_pieces",
        pieces_equal=True,
        most_sites=None,
        shapes=False,
        beside=("findings.csv-metadata.json", "lzgis.exports.tables.findings_csv:write_metadata"),
    ),
    "verdicts": Format(
        ".parquet",
        "verdicts.parquet",
        "GeoParquet of the verdicts",
        f"{_GIS}.parquet:write_verdicts",
        pieces=f"{_GIS}.parquet:write_verdicts_pieces",
        pieces_equal=True,
        most_sites=None,
        shapes=False,
    ),
    "html": Format(
        ".html",
        "map.html",
        "interactive map",
        "lzgis.exports.map:write_map",
        audit="lzgis.exports.audit:write_audit_html",
        diff="lzgis.exports.map.difference:write_difference_map",
        options=("mode", "tianditu_key"),
        public=True,
    ),
    "png": Format(".png", "map.png", "overview map", "lzgis.exports.paper:write_map", most_sites=5_000),
    "docx": Format(
        ".docx",
        "projects",
        "Word document per project",
        _PROJECTS,
        most_sites=2_000,
        options=("mu", "template", "workers", "map_address"),
        per_site=True,
    ),
    "summary": Format(
        ".docx",
        "summary.docx",
        "leader's summary",
        "lzgis.exports.dossier.leader:write_summary",
        most_sites=5_000,
    ),
    "htmldoc": Format(
        ".html",
        "projects",
        "page per project",
        _PROJECTS,
        most_sites=2_000,
        options=("mu", "workers", "map_address"),
        per_site=True,
    ),
    "pdf": Format(
        ".pdf",
        "projects",
        "PDF per project",
        _PROJECTS,
        most_sites=2_000,
        options=("mu", "workers", "map_address"),
        per_site=True,
        needs="typst",
    ),
    "pptx": Format(
        ".pptx",
        "slides.pptx",
        "slides for a meeting",
        "lzgis.exports.slides:write_pptx",
        most_sites=200,
        options=("slides_template",),
        needs="pptx",
    ),
}

#: Formats that are written when none is given, of few sites and of more than `WHOLE`; in the order they are written.
DEFAULT_FORMATS = ("xlsx", "gpkg", "json", "html")
LARGE_FORMATS = ("parquet", "verdicts", "gpkg", "xlsx")


def audit_formats() -> dict[str, str]:
    """Return the formats of an audit: file names by format.

    Examples
    --------
    >>> audit_formats()["gpkg"]
    'audit.gpkg'
    """
    return {name: f"audit{one.suffix}" for name, one in FORMATS.items() if one.audit}


def diff_formats() -> dict[str, str]:
    """Return the formats of a comparison: file names by format."""
    return {name: f"diff{one.suffix}" for name, one in FORMATS.items() if one.diff}


def by_profile(names: Iterable[str], city: CitySpec) -> tuple[list[str], tuple[Problem, ...]]:
    """Leave out the formats that the profile of a city cannot write; return the others, and what is left out.

    Examples
    --------
    >>> from lzgis.model.catalogue import CitySpec
    >>> names, left_out = by_profile(["json", "coordfile"], CitySpec(name="Riverton", profile="world"))
    >>> names, [str(one.place) for one in left_out]
    (['json'], ['coordfile'])
    """
    from lzgis.coordinates.profiles import profile

    part = profile(city.profile)
    wanted = list(names)
    what = Message("cannot be written by the profile '{profile}'", profile=part.name)
    remedy = Message("it is a format of a national standard; the others are written")
    left_out = tuple(Problem("warning", one, what, remedy) for one in wanted if one in part.left_out)
    return [one for one in wanted if one not in part.left_out], left_out


def of_map(sites: int) -> tuple[Problem, ...]:
    """Return the note that the map of so many sites does not show them all; none if it does.

    Examples
    --------
    >>> print(*of_map(10_000))
    map.html: shows 2000 of 10000 sites, those with the gravest verdicts; see the other files for the rest
    """
    if sites <= MAP_SITES:
        return ()
    what = Message(
        "shows {shown} of {sites} sites, those with the gravest verdicts", shown=str(MAP_SITES), sites=str(sites)
    )
    place = FORMATS["html"].file_name
    return (Problem("note", place, what, Message("see the other files for the rest")),)


def format_named(suffix: str, known: Iterable[str], path: str | Path) -> str:
    """Return the first of the formats `known` whose files have this suffix.

    Raises
    ------
    ExportError
        If there is none.
    """
    formats = {name: FORMATS[name] for name in known}
    for name, one in formats.items():
        if one.suffix == suffix.lower():
            return name
    raise ExportError(
        str(path),
        Message("no exporter writes '{suffix}'", suffix=suffix),
        Message("use one of {known}", known=", ".join(one.suffix for one in formats.values())),
    )


def write_beside(name: str, report: Report, folder: Path, *, language: Language) -> list[Path]:
    """Write what stands beside the file of a format; return its path, if there is any."""
    beside = FORMATS[name].beside
    if beside is None:
        return []
    path = folder / beside[0]
    writer(beside[1])(report, path, language=language)
    return [path]


def writer(named: str) -> Callable[..., Any]:
    """Import the writer that a record names as ``module:function``."""
    module, _, function = named.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
