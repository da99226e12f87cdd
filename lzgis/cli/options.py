"""Options that several commands share, and records that gather the options of one command.

A command takes its options in records (`gathers`), so that it has few parameters however many options it has.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from lzgis.errors import ConfigError
from lzgis.messages import Message
from lzgis.words import Language, Words

if TYPE_CHECKING:
    from lzgis.reading import ReadOptions


class Lang(StrEnum):
    """Languages of the outputs."""

    zh = "zh"
    en = "en"

    @property
    def words(self) -> Words:
        """The wording in this language."""
        return Words(self.code)

    @property
    def code(self) -> Language:
        """The language as exporters name it."""
        return "zh" if self is Lang.zh else "en"


LayersOption = Annotated[
    Path | None, typer.Option("--layers", help="Folder of the city; the reference city if not given.")
]
CitiesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--layers",
        help="Folder of the city, given again for each further city; or a folder with region.toml. The reference city if "
        "not given.",
    ),
]
SitesOption = Annotated[Path | None, typer.Option("--sites", help="File of the sites; the reference city's own.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="Date whose rules apply, as 2026-11-21; today if not given.")
]
LangOption = Annotated[Lang, typer.Option("--lang", help="Language of tables and files.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Folder that receives the files.")]
FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--format", help="xlsx, gpkg, geojson, jsonfg, shp, dxf, json, html, docx, pdf … or all; may be given again."
    ),
]


def gathers(record: type[Any], name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a command the fields of `record` as options.

    The command receives them as one record in its parameter `name`.
    """
    hints = get_type_hints(record, include_extras=True)

    def around(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def call(**given: Any) -> None:
            given[name] = record(**{field.name: given.pop(field.name) for field in fields(record)})
            command(**given)

        own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != name]
        more = [
            Parameter(f.name, Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
            for f in fields(record)
        ]
        # typer reads these instead of the signature of `command`.
        call.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
        call.__annotations__ = {p.name: p.annotation for p in (*own, *more)}
        return call

    return around


class ShiftedMap(StrEnum):
    """Maps whose coordinates are shifted."""

    gcj02 = "gcj02"
    bd09 = "bd09"


class ShapesAs(StrEnum):
    """What outlines that come as lines or points are taken as."""

    polygons = "polygons"


class DegreesAs(StrEnum):
    """How degrees are written: decimal, or degrees, minutes and seconds as one decimal."""

    decimal = "decimal"
    packed = "packed"


@dataclass(frozen=True)
class ReadingOptions:
    """Options of how an input is read, shared by all commands that read one."""

    site_layer: Annotated[
        str | None,
        typer.Option(
            "--site-layer", help="Layer, sheet, table or member of an archive to read, where there are several."
        ),
    ] = None
    crs: Annotated[
        str | None, typer.Option("--crs", help="Reference system of sites that name none, as EPSG:4526.")
    ] = None
    encoding: Annotated[
        str | None, typer.Option("--encoding", help="Encoding of the text of the sites, as GBK, where it is not found.")
    ] = None
    shifted: Annotated[
        ShiftedMap | None, typer.Option("--from", help="The sites were drawn on such a map; they are shifted back.")
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="FIELD=VALUE: only rows with this value; again for more values or fields."),
    ] = None
    allow_network: Annotated[
        bool, typer.Option("--allow-network", help="Fetch sites that are given as a http(s) address.")
    ] = False
    shapes: Annotated[
        ShapesAs | None,
        typer.Option("--as", help="polygons: lines and numbered points that enclose an area are taken as its polygon."),
    ] = None
    degrees: Annotated[
        DegreesAs | None,
        typer.Option("--degrees", help="packed: degrees are written as ddd.mmss (112.2436 is 112°24′36″)."),
    ] = None
    accept_repairs: Annotated[
        bool,
        typer.Option(
            "--accept-repairs", help="Use repaired shapes also where the repair changes their area; else 未核查."
        ),
    ] = False
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Refuse the file if an activity is not in the vocabulary; else 未核查 for that site."
        ),
    ] = False
    helmert: Annotated[
        str,
        typer.Option(
            "--helmert",
            help="Seven parameters from an older datum to CGCS2000: dx,dy,dz (m), rx,ry,rz (arc seconds), s (ppm), in the "
            "convention of the Bursa model (coordinate frame); append ,position-vector for the other.",
        ),
    ] = ""

    def options(self) -> ReadOptions:
        """Return the options in the form that readers take.

        Raises
        ------
        ConfigError
            If a filter is not of the form FIELD=VALUE, or the Helmert parameters cannot be read.
        """
        from lzgis.reading import ReadOptions

        where: dict[str, list[str]] = {}
        for one in self.where or []:
            name, equals, value = one.partition("=")
            if not (name and equals):
                raise ConfigError(
                    "--where", Message("'{value}' is no filter", value=one), Message("write FIELD=VALUE, as 状态=拟建")
                )
            where.setdefault(name, []).append(value)
        helmert = None
        if self.helmert:
            from lzgis.coordinates.helmert import read_helmert

            helmert = read_helmert(self.helmert)
        return ReadOptions(
            layer=self.site_layer,
            crs=self.crs,
            encoding=self.encoding,
            shifted=self.shifted.value if self.shifted else "",
            where=where,
            helmert=helmert,
            repairs="accepted" if self.accept_repairs else "listed",
            shapes=self.shapes.value if self.shapes else "given",
            degrees=self.degrees.value if self.degrees else "decimal",
            network="allowed" if self.allow_network else "refused",
            activities="refused" if self.strict else "listed",
        )


class MapMode(StrEnum):
    """Editions of the map: for internal use, or for the public."""

    internal = "internal"
    public = "public"


@dataclass(frozen=True)
class OutputOptions:
    """Options of what is written: the folder, the formats, the edition."""

    out: OutOption = None
    formats: FormatOption = None
    mode: Annotated[
        MapMode,
        typer.Option("--mode", help="public leaves out what the catalogue does not call public; only for html."),
    ] = MapMode.internal
    tianditu_key: Annotated[
        str, typer.Option("--tianditu-key", help="Your key of Tianditu, to offer its online base on the map.")
    ] = ""
    template: Annotated[
        Path | None, typer.Option("--template", help="Your office's own Word template; only for docx.")
    ] = None
    slides_template: Annotated[
        Path | None, typer.Option("--slides-template", help="Your office's own presentation; only for pptx.")
    ] = None
    overrides: Annotated[
        Path | None,
        typer.Option("--overrides", help="Decisions on findings; overrides.toml in the city's folder if not given."),
    ] = None
    dem: Annotated[
        Path | None,
        typer.Option("--dem", help="Elevation raster to shade below maps; the catalogue's if not given."),
    ] = None
    base: Annotated[
        Path | None,
        typer.Option(
            "--base", help="Aerial or satellite picture, a GeoTIFF, to draw below maps in place of the relief."
        ),
    ] = None
    map_address: Annotated[
        str, typer.Option("--map-address", help="Where the map is published, for the QR code of documents.")
    ] = ""
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")] = False
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone", help="Gauss-Krüger zone of the drawing, as EPSG:4547; the nearest if not given; for dxf."
        ),
    ] = None
    mu: Annotated[
        bool, typer.Option("--mu", help="Give areas in mu as well, in acres outside China; for docx, htmldoc, pdf.")
    ] = False
    per_city: Annotated[
        list[str] | None,
        typer.Option(
            "--per-city", help="Formats to write for each city of a region as well, as docx; may be given again."
        ),
    ] = None


def formats_of(given: list[str] | None, *, option: str = "--format") -> list[str]:
    """Return the requested formats without duplicates; the default formats if none is requested.

    Raises
    ------
    ConfigError
        If a format is not known, or needs a package that is not installed.
    """
    from lzgis.config import nearest
    from lzgis.exports.formats import DEFAULT_FORMATS, FORMATS

    if not given:
        return list(DEFAULT_FORMATS)
    names = [name for one in given for name in one.split(",")]
    for name in names:
        if name not in (*FORMATS, "all"):
            raise ConfigError(option, Message("'{name}' is not known", name=name), nearest(name, (*FORMATS, "all")))
    for name in names:
        if name != "all" and not FORMATS[name].installed:
            what = Message(
                "'{name}' needs a package that is not installed: {package}", name=name, package=FORMATS[name].needs
            )
            raise ConfigError(
                option, what, Message("install it with: {command}", command=f"pip install 'lzgis[{name}]'")
            )
    every = [name for name, one in FORMATS.items() if one.installed]
    return every if "all" in names else list(dict.fromkeys(names))


def formats_for(output: OutputOptions) -> list[str]:
    """Return the formats to write; for the public edition, only those that have one.

    Raises
    ------
    ConfigError
        As `formats_of`, and if a requested format has no public edition.
    """
    from lzgis.exports.formats import FORMATS

    names = formats_of(output.formats)
    if output.mode == MapMode.internal:
        return names
    public = [name for name in names if FORMATS[name].public]
    if output.formats and public != names:
        others = ", ".join(name for name in names if name not in public)
        what = Message("{formats} have no public edition", formats=others)
        raise ConfigError("--mode public", what, Message("use it with --format html"))
    return public
