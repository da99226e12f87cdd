"""Write a city folder with a new file for one of its layers, or with a new rule book; the folder before stays as it is."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lzgis.city.catalogue import CATALOGUE_FILE
from lzgis.config import load_toml
from lzgis.errors import ConfigError
from lzgis.files.atomic_write import digest_of, write_bytes_atomic
from lzgis.messages import Message
from lzgis.model.catalogue import CitySpec
from lzgis.reading import is_address

#: The name of the rule book among the parts of a city.
RULES = "rules"
#: Names of tables: letters, digits and "_", perhaps after the name of a schema.
_TABLE = re.compile(r"\w{1,63}(\.\w{1,63})?")


@dataclass(frozen=True)
class NewVersion:
    """A new file for a part of a city.

    Attributes
    ----------
    part : str
        The id of a layer, or ``rules``.
    file : Path
        The file: a vector file in one piece for a layer (a shapefile as zip), ``*.toml`` for the rule book. Not used if a
        table is given.
    table : str
        For a layer in a database: the table there that holds the new version, beside that of the version before.
    date, version, status, basis : optional
        What the catalogue says of the layer from now on; what is not given stays. A rule book says it itself.
    """

    part: str
    file: Path
    date: dt.date | None = None
    version: str = ""
    status: str = ""
    basis: str = ""
    table: str = ""


def write_version(city: str | Path, folder: str | Path, given: NewVersion) -> Path:
    """Write a copy of a city folder that has a new file for one part.

    The catalogue stays as it was written by hand, but for the lines of the layer that say which file it is, its digest,
    and what is given of date, version, status and basis.

    Parameters
    ----------
    city : path
        The folder of the city as it is.
    folder : path
        The new folder; it must not exist.
    given : NewVersion
        The part and its file.

    Returns
    -------
    Path
        The new folder. Whether it can be opened is shown by `lzgis.open_catalogue`.

    Raises
    ------
    ConfigError
        If there is no such part, it is in a database, the city reads files outside its folder, or the catalogue is
        written in a way that cannot be changed line by line.
    """
    city, folder = Path(city), Path(folder)
    catalogue = load_toml(city / CATALOGUE_FILE)
    _check(catalogue, given)
    shutil.copytree(city, folder, symlinks=False)
    if given.part == RULES:
        shutil.copyfile(given.file, folder / catalogue["city"].get(RULES, CitySpec.model_fields[RULES].default))
        return folder
    keys: dict[str, Any] = {"source_layer": given.table}
    if not given.table:
        name = _file_name(catalogue, given)
        shutil.copyfile(given.file, folder / name)
        keys = {"source": name, "sha256": digest_of(folder / name)}
    keys |= {key: value for key in ("date", "version", "status", "basis") if (value := getattr(given, key))}
    text = (folder / CATALOGUE_FILE).read_text("utf-8")
    write_bytes_atomic(folder / CATALOGUE_FILE, with_keys(text, given.part, keys).encode())
    return folder


def _check(catalogue: Mapping[str, Any], given: NewVersion) -> None:
    place, layers = Message("new version"), catalogue.get("layer", {})
    if given.part != RULES and given.part not in layers:
        what = Message("there is no layer '{name}'", name=given.part)
        raise ConfigError(place, what, Message("allowed: {names}", names=", ".join([RULES, *layers])))
    if catalogue["city"].get("outside"):
        what = Message("the city reads files outside its folder")
        raise ConfigError(place, what, Message("copy them into the folder, and remove 'outside' from the catalogue"))
    stored = given.part != RULES and is_address(layers[given.part]["source"])
    if stored and not given.table:
        what = Message("the layer '{name}' is in a database", name=given.part)
        raise ConfigError(place, what, Message("write its new version into another table there, and name the table"))
    if given.table and not (stored and _TABLE.fullmatch(given.table)):
        what = Message("'{table}' is no table for '{name}'", table=given.table, name=given.part)
        raise ConfigError(place, what, Message("name a table, as gis.redline_2027, of a layer that is in a database"))


def _file_name(catalogue: Mapping[str, Any], given: NewVersion) -> str:
    """Return the name of the new file: that of the file before, or a new one if that holds other layers or another format."""
    before = str(catalogue["layer"][given.part]["source"])
    shared = [name for name, one in catalogue["layer"].items() if one["source"] == before and name != given.part]
    if Path(before).suffix.lower() == given.file.suffix.lower() and not shared and "/" not in before:
        return before
    return f"{given.part}-{digest_of(given.file)[:12]}{given.file.suffix.lower()}"


def with_keys(text: str, layer: str, keys: Mapping[str, Any]) -> str:
    r"""Return the text of a catalogue with other values for some keys of a layer; every other line stays.

    Parameters
    ----------
    text : str
        The text of ``catalog.toml``.
    layer : str
        The id of the layer.
    keys : mapping
        Texts and dates by key.

    Raises
    ------
    ConfigError
        If the layer is not written as a table of its own, or a value in more than one line.

    Examples
    --------
    >>> print(with_keys('[layer.a]\nsource = "a.gpkg"  # old\n[layer.b]\nsource = "b.gpkg"', "a", {"source": "new.gpkg"}))
    [layer.a]
    source = "new.gpkg"
    [layer.b]
    source = "b.gpkg"
    """
    lines = text.split("\n")
    heads = [n for n, line in enumerate(lines) if re.match(r"\s*\[", line)]
    table = re.compile(rf"""\s*\[\s*layer\s*\.\s*["']?{re.escape(layer)}["']?\s*\]""")
    begins = [n for n in heads if table.match(lines[n])]
    if len(begins) == 1:
        begin = begins[0]
        end = next((n for n in heads if n > begin), len(lines))
        own, left = [], dict(keys)
        for line in lines[begin + 1 : end]:
            key = line.partition("=")[0].strip()
            own.append(f"{key} = {_toml(left.pop(key))}" if key in left else line)
        own = [*(f"{key} = {_toml(value)}" for key, value in left.items()), *own]
        made = "\n".join([*lines[: begin + 1], *own, *lines[end:]])
        if _says(made, text, layer, keys):
            return made
    what = Message("the layer '{name}' cannot be changed line by line", name=layer)
    remedy = Message("write it as a table [layer.{name}] with each of {keys} in one line", name=layer,
                     keys=", ".join(keys))  # fmt: skip
    raise ConfigError(CATALOGUE_FILE, what, remedy)


def _says(made: str, before: str, layer: str, keys: Mapping[str, Any]) -> bool:
    """Return whether a changed text says what is wanted, and all else as before."""
    wanted = tomllib.loads(before)
    wanted["layer"][layer] |= keys
    try:
        return tomllib.loads(made) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _toml(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    escaped = "".join(c if c not in '"\\' and c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in str(value))
    return f'"{escaped}"'
