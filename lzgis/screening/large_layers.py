"""Which layers a screening reads by the windows of its sites, and which it must read whole."""

from __future__ import annotations

from lzgis.city.catalogue import Catalogue
from lzgis.messages import Message
from lzgis.model.report import Problem
from lzgis.model.rules import RuleBook
from lzgis.reading import is_address
from lzgis.reading.near import can_read_near

#: Files of more bytes are read by window if the catalogue does not say how.
LARGE_BYTES = 400_000_000


def chosen_by_window(city: Catalogue, book: RuleBook) -> tuple[frozenset[str], tuple[Problem, ...]]:
    """Return the layers that are read by the windows of the sites, and why others that should be are read whole."""
    wanted = [name for name in city.layers if city.exists(name) and _is_wanted(city, name)]
    chosen, problems = set[str](), list[Problem]()
    for name in wanted:
        reason = _needed_whole(city, book, name)
        if reason is None:
            chosen.add(name)
            continue
        problems.append(Problem("note", Message("layer '{name}'", name=name), Message("is read whole"), reason))
    return frozenset(chosen), tuple(problems)


def _is_wanted(city: Catalogue, name: str) -> bool:
    spec = city.layers[name]
    if spec.read is not None or is_address(spec.source):
        return spec.read == "window"
    file = city.root / spec.source
    return file.is_file() and file.stat().st_size > LARGE_BYTES and can_read_near(file)


def _needed_whole(city: Catalogue, book: RuleBook, name: str) -> Message | None:
    """Return why a layer must be read whole; None if its features near the sites are enough."""
    spec = city.layers[name]
    if name == city.city.outline or name in {one.coverage for one in city.layers.values()}:
        return Message("other layers are complete only where this one says")
    if name in city.city.divisions:
        return Message("findings are divided by it")
    shared = [rule.id for rule in book.rules if name in rule.layers and len(rule.layers) > 1]
    if shared:
        # Where a better baseline covers an object, a lesser one is not used; the better may lie far from the site.
        return Message("rule '{id}' compares it with other layers", id=shared[0])
    if not can_read_near(spec.source if is_address(spec.source) else city.root / spec.source):
        return Message("its format has no index; give a FlatGeobuf, GeoPackage, GeoParquet or PostGIS table")
    return None
