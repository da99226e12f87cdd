"""Where a site is screened, if that can be chosen: a city of a region, and another rule book in the folder of a city."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lzgis.city.catalogue import CATALOGUE_FILE, Catalogue
from lzgis.city.region import REGION_FILE, Region
from lzgis.config import load_toml
from lzgis.errors import LzgisError
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.words import Words

#: Between the name of a city and the file of a rule book.
_AND = "/"


def places_of(city: Catalogue | Region) -> dict[str, Catalogue | Region]:
    """Return what can be chosen, by name; first, with an empty name, the city or all cities of the region."""
    found: dict[str, Catalogue | Region] = {"": city}
    of_region = isinstance(city, Region)
    cities = city.cities if isinstance(city, Region) else {"": city}
    for name, one in cities.items():
        if of_region and len(cities) > 1:
            found[name] = one
        for file in _other_books(one):
            spec = one.spec.model_copy(update={"city": one.city.model_copy(update={"rules": file})})
            found[f"{name}{_AND}{file}"] = replace(one, spec=spec)
    return found


def _other_books(city: Catalogue) -> list[str]:
    """Return the rule books in the folder of a city that its catalogue does not name."""
    found = []
    for file in sorted(city.root.glob("*.toml")):
        if file.name in (CATALOGUE_FILE, city.city.rules):
            continue
        try:
            if "book" in load_toml(file):
                found.append(file.name)
        except LzgisError:
            continue
    return found


def place_rows(places: Mapping[str, Catalogue | Region], words: Words) -> list[dict[str, str]]:
    """Return the places as a form offers them; those whose rule book cannot be read are left out."""
    rows = []
    for name, one in places.items():
        if isinstance(one, Region):
            cities = "、".join(words.title(c.city.name, c.city.name_en) for c in one.cities.values())
            rows.append({"name": name, "title": words("web", "place_all", cities=cities)})
            continue
        try:
            book = f"{one.book.name} {one.book.version}"
        except LzgisError:
            continue
        file = f" ({one.city.rules})" if _AND in name else ""
        rows.append({"name": name, "title": f"{words.title(one.city.name, one.city.name_en)} · {book}{file}"})
    return rows


def region_folder(cities: Sequence[Path], folder: Path) -> Path:
    """Write the folder of a region that is made of the folders of cities, which stay where they are.

    Raises
    ------
    ConfigError
        If a folder has no catalogue.
    """
    named = [load_toml(one / CATALOGUE_FILE).get("city", {}) for one in cities]
    names = [str(one.get("name", path.name)) for one, path in zip(named, cities, strict=True)]
    english = [str(one.get("name_en") or name) for one, name in zip(named, names, strict=True)]
    listed = ", ".join(json.dumps(str(one.absolute()), ensure_ascii=False) for one in cities)
    lines = ["[region]"]
    lines += [f"name = {json.dumps('、'.join(names), ensure_ascii=False)}"]
    lines += [f"name_en = {json.dumps(', '.join(english), ensure_ascii=False)}", f"cities = [{listed}]", ""]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_bytes_atomic(folder / REGION_FILE, "\n".join(lines).encode())
    return folder
