"""Versions of a region: a copy of its folder, in which one of its cities has a new layer or rule book."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

from lzgis.city.catalogue import CATALOGUE_FILE, open_catalogue
from lzgis.city.new_version import RULES, NewVersion, write_version
from lzgis.city.region import REGION_FILE
from lzgis.config import load_toml
from lzgis.errors import ConfigError
from lzgis.files.atomic_write import digest_of, write_bytes_atomic
from lzgis.messages import Message

#: Between the number of a city in the region and its layer.
_AND = ":"
_CITIES = re.compile(r"(?m)^(\s*cities\s*=\s*)\[.*?\]", re.DOTALL)


def _folders(region: Path) -> list[Path]:
    return [region / str(one) for one in load_toml(region / REGION_FILE)["region"]["cities"]]


def parts_of_region(region: Path) -> list[tuple[str, str]]:
    """Return what a new version can be given of: the layers and the rule book of each city, with their titles.

    What the cities share is changed by hand.
    """
    found = []
    for number, folder in enumerate(_folders(region)):
        catalogue = load_toml(folder / CATALOGUE_FILE)
        city = str(catalogue.get("city", {}).get("name", folder.name))
        for name, one in catalogue.get("layer", {}).items():
            found.append((f"{number}{_AND}{name}", f"{city} · {one.get('title', name)}"))
        found.append((f"{number}{_AND}{RULES}", f"{city} · {catalogue.get('city', {}).get('rules', 'rules.toml')}"))
    return found


def state_of_region(region: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of each file of a region and its cities: those of a copy are the same.

    A copy has its cities in other folders, so that they are named by their number.
    """
    cities = [one.resolve() for one in _folders(region)]
    found = [
        (f"{number}/{name}", size, time) for number, city in enumerate(cities) for name, size, time in files_below(city)
    ]
    own = [(region / name).resolve() for name, *_ in files_below(region)]
    shared = {str(one) for one in own if not any(one.is_relative_to(city) for city in cities)}
    home = region.resolve()
    found += [one for one in files_below(home) if str(home / one[0]) in shared and one[0] != REGION_FILE]
    said = {name: value for name, value in load_toml(region / REGION_FILE)["region"].items() if name != "cities"}
    return sorted([*found, (json.dumps(said, sort_keys=True, default=str), 0, 0)])


def files_below(folder: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of each file below a folder."""
    found = sorted(one for one in folder.rglob("*") if one.is_file())
    return [(str(one.relative_to(folder)), one.stat().st_size, int(one.stat().st_mtime)) for one in found]


def is_rules(part: str) -> bool:
    """Return whether a part is a rule book, of a city or of a city of a region.

    Examples
    --------
    >>> is_rules("rules"), is_rules("1:rules"), is_rules("1:redline")
    (True, True, False)
    """
    return part.rpartition(_AND)[2] == RULES


def copy_region(region: Path, target: Path) -> None:
    """Copy the folder of a region; cities that lie outside it are copied into it.

    Raises
    ------
    ConfigError
        If ``region.toml`` is written in a way in which the names of the folders cannot be replaced.
    """
    shutil.copytree(region, target)
    home, names = region.resolve(), []
    for number, folder in enumerate(_folders(region), start=1):
        if folder.resolve().is_relative_to(home):
            names.append(folder.resolve().relative_to(home).as_posix())
            continue
        names.append(f"city-{number}")
        shutil.copytree(folder, target / names[-1])
    text = (region / REGION_FILE).read_text("utf-8")
    wanted = tomllib.loads(text)
    wanted["region"]["cities"] = names
    made = _CITIES.sub(lambda found: f"{found[1]}{json.dumps(names, ensure_ascii=False)}", text, count=1)
    if tomllib.loads(made) != wanted:
        what = Message("the names of its cities cannot be replaced")
        raise ConfigError(REGION_FILE, what, Message("write them as one list, cities = [...]"))
    write_bytes_atomic(target / REGION_FILE, made.encode())


def write_region_version(before: Path, after: Path, given: NewVersion) -> tuple[Path, Path]:
    """Write a copy of a region in which a city has a new part; return the folder of that city before and after.

    Raises
    ------
    ConfigError
        As `write_version`.
    """
    number, _, part = given.part.partition(_AND)
    cities = _folders(before)
    if not (number.isdecimal() and int(number) < len(cities)):
        what = Message("there is no layer '{name}'", name=given.part)
        raise ConfigError(Message("new version"), what, Message("choose one of those that the page offers"))
    old = cities[int(number)]
    new = after / old.relative_to(before)
    shutil.copytree(before, after)
    shutil.rmtree(new)
    write_version(old, new, replace(given, part=part))
    open_catalogue(new)
    return old, new


def differing(before: Path, after: Path) -> tuple[Path, Path]:
    """Return the first city of two versions of a region whose files differ; the first of all if there is none."""
    pairs = list(zip(_folders(before), _folders(after), strict=True))
    return next((pair for pair in pairs if _digests(pair[0]) != _digests(pair[1])), pairs[0])


def _digests(folder: Path) -> dict[str, str]:
    return {one.relative_to(folder).as_posix(): digest_of(one) for one in folder.rglob("*") if one.is_file()}
