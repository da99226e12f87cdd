"""What is written of a screening: where, in which formats, for whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lzgis.errors import ConfigError
from lzgis.messages import Message

FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--format", help="xlsx, gpkg, geojson, jsonfg, shp, dxf, json, html, docx, pdf … or all; may be given again."
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Folder that receives the files.")]


class MapMode(StrEnum):
    """For whom the map is."""

    internal = "internal"
    public = "public"


@dataclass(frozen=True)
class OutputOptions:
    """Options of what is written: where, in which formats, for whom."""

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
    overrides: Annotated[
        Path | None,
        typer.Option("--overrides", help="Decisions on findings; overrides.toml in the city's folder if not given."),
    ] = None
    dem: Annotated[
        Path | None,
        typer.Option("--dem", help="Elevation raster to shade below maps; the catalogue's if not given."),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")] = False
    mu: Annotated[bool, typer.Option("--mu", help="Give areas in mu as well; for docx, htmldoc, pdf.")] = False


def formats_of(given: list[str] | None) -> list[str]:
    """Give the formats asked for, each once; the usual ones if none was.

    Raises
    ------
    ConfigError
        If one is not known, or needs a package that is not installed.
    """
    from lzgis.config import nearest
    from lzgis.exporters import DEFAULT_FORMATS, FORMATS

    if not given:
        return list(DEFAULT_FORMATS)
    names = [name for one in given for name in one.split(",")]
    for name in names:
        if name not in (*FORMATS, "all"):
            raise ConfigError("--format", Message("'{name}' is not known", name=name), nearest(name, (*FORMATS, "all")))
    for name in names:
        if name != "all" and not FORMATS[name].installed:
            what = Message(
                "'{name}' needs a package that is not installed: {package}", name=name, package=FORMATS[name].needs
            )
            raise ConfigError(
                "--format", what, Message("install it with: {command}", command=f"pip install 'lzgis[{name}]'")
            )
    every = [name for name, one in FORMATS.items() if one.installed]
    return every if "all" in names else list(dict.fromkeys(names))


def formats_for(output: OutputOptions) -> list[str]:
    """Keep of the formats those that have a public edition, if that is wanted: no other may lie beside it unasked.

    Raises
    ------
    ConfigError
        As `formats_of`, and if one was asked for that has no public edition.
    """
    from lzgis.exporters import FORMATS

    names = formats_of(output.formats)
    if output.mode == MapMode.internal:
        return names
    public = [name for name in names if "mode" in FORMATS[name].options]
    if output.formats and public != names:
        others = ", ".join(name for name in names if name not in public)
        what = Message("{formats} have no public edition", formats=others)
        raise ConfigError("--mode public", what, Message("use it with --format html"))
    return public
