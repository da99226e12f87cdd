"""The commands ``serve``: the page for planners, its first administrator, backup and restore."""

from __future__ import annotations

import getpass
import os
import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from lzgis.cli.console import print_lines
from lzgis.cli.options import CitiesOption, Lang, LangOption, gathers
from lzgis.errors import ConfigError
from lzgis.messages import Message

app = typer.Typer(help="Open the page for planners in the browser.", invoke_without_command=True)

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of accounts, uploads and results; the usual one of the system.")
]
#: The password of `createadmin`, where no one can type it.
_PASSWORD = "LZGIS_PASSWORD"


def _end(number: int, frame: object) -> None:
    """End the server as its interruption does: that is how it is meant to end, and no error."""
    raise KeyboardInterrupt


def _needed() -> None:
    missing = [name for name in ("django", "waitress") if find_spec(name) is None]
    if missing:
        what = Message("needs packages that are not installed: {names}", names=", ".join(missing))
        raise ConfigError("serve", what, Message("install it with: {command}", command="pip install 'lzgis[web]'"))


@dataclass(frozen=True)
class ServerOptions:
    """Options of the server: where it listens, who may use it, what works for it."""

    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 for any free one.")] = 8741
    listen: Annotated[
        str, typer.Option("--listen", help="Address to listen on; others than this computer's own need accounts.")
    ] = "127.0.0.1"
    address: Annotated[
        str,
        typer.Option("--address", help="Address under which a proxy makes the page known, as https://plan.example."),
    ] = ""
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes that screen.")] = 2
    scheduler: Annotated[
        str, typer.Option("--scheduler", metavar="tcp://…", help="A dask scheduler whose workers do the work.")
    ] = ""
    open_api: Annotated[
        bool, typer.Option("--open-api", help="Programs on this computer need no token (only without accounts).")
    ] = False


@app.callback()
@gathers(ServerOptions, "server")
def serve(
    context: typer.Context,
    *,
    data: DataOption = None,
    layers: CitiesOption = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    lang: LangOption = Lang.zh,
    server: ServerOptions = ServerOptions(),
) -> None:
    """Open the page for planners in the browser: give sites, check what they are, read the answer, take the documents."""
    _needed()
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    from lzgis.web.options import ServeOptions, bounds_of, checked_address, data_folder
    from lzgis.web.server import serve as serve_page

    folder = data_folder(data)
    options = ServeOptions(
        data=folder,
        layers=_one_folder(layers, folder),
        listen=server.listen,
        port=server.port,
        address=checked_address(server.address),
        workers=server.workers,
        api="open" if server.open_api else "token",
        bounds=bounds_of(folder),
        scheduler=server.scheduler,
    )

    def opened(url: str) -> None:
        print_lines([lang.words("web", "serving", url=url), lang.words("web", "serving_end")])

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    serve_page(options, opened=opened, browser="none" if no_browser else "open")


def _one_folder(layers: list[Path] | None, data: Path) -> Path | None:
    """Return the folder that the server opens; that of a region made of several cities is in the folder of the data."""
    if not layers or len(layers) == 1:
        return layers[0] if layers else None
    from lzgis.web.options import REGION
    from lzgis.web.places import region_folder

    return region_folder(layers, data / REGION)


def _folder(context: typer.Context, data: Path | None) -> Path:
    from lzgis.web.options import data_folder

    return data_folder(data or context.obj)


@app.command("createadmin")
def createadmin(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the account.")],
    data: DataOption = None,
    lang: LangOption = Lang.zh,
) -> None:
    """Make an administrator. The password is asked for, or taken from the variable LZGIS_PASSWORD."""
    folder = _folder(context, data)
    password = os.environ.get(_PASSWORD) or getpass.getpass("password: ")
    if not os.environ.get(_PASSWORD) and getpass.getpass("again: ") != password:
        raise ConfigError(
            Message("account '{name}'", name=name),
            Message("the passwords differ"),
            Message("type the same password twice"),
        )
    from lzgis.web.options import ServeOptions
    from lzgis.web.server import ready

    ready(ServeOptions(data=folder))
    from lzgis.web.accounts import create_administrator

    create_administrator(name, password)
    print_lines([lang.words("web", "admin_made", name=name)])


@app.command("backup")
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File that receives the backup, *.zip.")],
    data: DataOption = None,
    lang: LangOption = Lang.zh,
) -> None:
    """Write database, uploads and results into one file; the server may run meanwhile."""
    from lzgis.web.backup import write_backup

    count = write_backup(_folder(context, data), file)
    print_lines([lang.words("web", "backup_made", file=file, count=count)])


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that backup wrote.")],
    data: Annotated[Path, typer.Option("--data", help="New folder that receives the data.")],
    lang: LangOption = Lang.zh,
) -> None:
    """Write what a backup holds into a new folder, each file checked against its hash."""
    from lzgis.web.backup import restore_backup

    count = restore_backup(file, data)
    print_lines([lang.words("web", "restored", folder=data, count=count)])
