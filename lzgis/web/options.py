"""Options of the server, and the folder of its data."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from lzgis.config import load_toml, parse
from lzgis.errors import ConfigError
from lzgis.files.private_folder import create_private
from lzgis.messages import Message, library_message
from lzgis.model.rules import Data

DATABASE, SECRET, SETTINGS = "lzgis.sqlite3", "secret.key", "settings.toml"
#: Folders of uploads, of jobs, and of what the worker writes about the city.
UPLOADS, JOBS, CITY = "uploads", "jobs", "city"
#: Folders of the versions of the city, and of issued documents.
CITIES, DOCUMENTS = "cities", "documents"
#: The folder of the region that is made of the cities given.
REGION = "region"


class Bounds(Data):
    """Limits of the server; `settings.toml` in the folder of the data may set each of them.

    Attributes
    ----------
    upload_bytes : int
        The largest upload.
    upload_files : int
        The most files in one upload, as the parts of a shapefile.
    user_bytes : int
        What the uploads of one user may take together.
    open_jobs : int
        How many jobs of one user may wait or run.
    job_s : float
        The longest time of a job.
    memory_bytes : int
        The address space of a worker process; 0 for no limit.
    retention_days : int
        After so many days a screening is removed; 0 for never.
    session_s : int
        After so long without a request a session ends.
    document_prefix : str
        What stands before the year in the numbers of documents.
    base_map : str
        A map that is drawn below the layers: the address of tiles as ``https://maps.office/{z}/{x}/{y}.png``, or a file
        ``*.mbtiles`` of images; none if empty.
    base_map_credit : str
        Whose map that is, shown in its corner.
    """

    upload_bytes: int = Field(default=200 * 1024**2, gt=0)
    upload_files: int = Field(default=20, gt=0)
    user_bytes: int = Field(default=5 * 1024**3, gt=0)
    open_jobs: int = Field(default=20, gt=0)
    job_s: float = Field(default=3600.0, gt=0)
    memory_bytes: int = Field(default=12 * 1024**3, ge=0)
    retention_days: int = Field(default=0, ge=0)
    session_s: int = Field(default=8 * 3600, gt=0)
    document_prefix: str = Field(default="", pattern=r"^[\w()（）〔〕-]{0,20}$")
    base_map: str = Field(default="", pattern=r"^(https?://[^\s'\";]+\{z\}[^\s'\";]+|.+\.mbtiles)?$")
    base_map_credit: str = Field(default="", max_length=200)


@dataclass(frozen=True)
class ServeOptions:
    """Options of the server.

    Attributes
    ----------
    data : Path
        The folder of the database, uploads and results.
    layers : Path, optional
        The folder of the city; the reference city if not given.
    listen : str
        The address to listen on.
    port : int
        The port; 0 for any free one.
    address : str
        The address under which a proxy makes the page known, as ``https://plan.example``; empty without a proxy.
    workers : int
        Worker processes; with two or more, one of them only does what is short.
    api : {"token", "open"}
        Whether programs on this computer need a token.
    bounds : Bounds
        Limits.
    scheduler : str
        The address of a dask scheduler whose workers do the work; empty for processes of this computer.
    """

    data: Path
    layers: Path | None = None
    listen: str = "127.0.0.1"
    port: int = 8741
    address: str = ""
    workers: int = 2
    api: str = "token"
    bounds: Bounds = field(default_factory=Bounds)
    scheduler: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only this computer can connect."""
        return is_loopback(self.listen)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The values of the header Host that are answered, in lower case."""
        found = [self.listen] if not self.is_local else ["127.0.0.1", "localhost", "[::1]"]
        names = [f"{one}:{self.port}" for one in found]
        if self.address:
            names.append(urlsplit(self.address).netloc.lower())
        return tuple(names)

    @property
    def is_https(self) -> bool:
        """Whether a proxy encrypts what browsers send."""
        return self.address.startswith("https://")

    @property
    def url(self) -> str:
        """The address that a browser opens."""
        return self.address or f"http://{'127.0.0.1' if self.is_local else self.listen}:{self.port}/"


def bounds_of(data: Path) -> Bounds:
    """Return the limits that ``settings.toml`` in the folder of the data sets; the usual ones without such a file.

    Raises
    ------
    ConfigError
        If the file is not TOML, or a key or value in it is not allowed.
    """
    file = data / SETTINGS
    return parse(Bounds, load_toml(file), str(file)) if file.exists() else Bounds()


def is_loopback(listen: str) -> bool:
    """Return whether an address to listen on belongs to this computer alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
    (True, False, True)
    """
    try:
        return ipaddress.ip_address(listen).is_loopback
    except ValueError:
        return listen == "localhost"


def checked_address(address: str) -> str:
    """Return the address of a proxy without a slash at its end.

    Raises
    ------
    ConfigError
        If it is not ``http://`` or ``https://`` with a name and nothing else.
    """
    if not address:
        return ""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/") or parts.query:
        what = Message("'{address}' is no address of a server", address=address)
        raise ConfigError("--address", what, Message("write it as https://plan.example"))
    return f"{parts.scheme}://{parts.netloc.lower()}"


def data_folder(given: Path | None) -> Path:
    """Return the folder of the data, made so that only its owner can read it.

    Raises
    ------
    ConfigError
        If it cannot be made, or others could change what lies in it.
    """
    import platformdirs

    folder = (given or platformdirs.user_data_path("lzgis", appauthor=False) / "serve").absolute()
    try:
        fault = create_private(folder)
        if not fault:
            folder.chmod(0o700)
            for name in (UPLOADS, JOBS, CITY, CITIES, DOCUMENTS):
                (folder / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        fault = library_message(error)
    if fault:
        what = Message("{folder} cannot hold the data: {why}", folder=str(folder), why=fault)
        raise ConfigError("--data", what, Message("name a folder that belongs to you alone"))
    return folder
