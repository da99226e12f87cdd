"""The command line: what the user says of an input that the input does not say itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.errors import ConfigError
from lzgis.messages import Message

if TYPE_CHECKING:
    from lzgis.sources import ReadOptions


class ShiftedMap(StrEnum):
    """Maps whose coordinates are shifted."""

    gcj02 = "gcj02"
    bd09 = "bd09"


@dataclass(frozen=True)
class ReadingOptions:
    """Options of how an input is read; shared by every command that reads one."""

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
    accept_repairs: Annotated[
        bool,
        typer.Option(
            "--accept-repairs", help="Use repaired shapes also where the repair changes their area; else 未核查."
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
        """Return them as readers know them.

        Raises
        ------
        ConfigError
            If a filter is not of the form FIELD=VALUE, or the seven parameters are none.
        """
        from lzgis.helmert import read_helmert
        from lzgis.sources import ReadOptions

        where: dict[str, list[str]] = {}
        for one in self.where or []:
            name, equals, value = one.partition("=")
            if not (name and equals):
                raise ConfigError(
                    "--where", Message("'{value}' is no filter", value=one), Message("write FIELD=VALUE, as 状态=拟建")
                )
            where.setdefault(name, []).append(value)
        return ReadOptions(
            layer=self.site_layer,
            crs=self.crs,
            encoding=self.encoding,
            shifted=self.shifted.value if self.shifted else "",
            where=where,
            helmert=read_helmert(self.helmert) if self.helmert else None,
            repairs="accepted" if self.accept_repairs else "listed",
            network="allowed" if self.allow_network else "refused",
        )
