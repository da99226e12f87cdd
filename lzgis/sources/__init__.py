"""Reads what planners have: one table from suffix or scheme to reader, and the table of sites made of what was read."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lzgis.sources.addresses import shown
    from lzgis.sources.aliases import SITE_FIELDS
    from lzgis.sources.apart import Limits, Reading, begin_reading, read_apart, read_many_apart
    from lzgis.sources.base import Decided, Read, Reader, ReadOptions, sha256_of
    from lzgis.sources.sites import read_sites, sites_from_frame, sites_of
    from lzgis.sources.table import READERS, SCHEMES, is_address, read_vector

_HOMES = {
    "READERS": "table",
    "SCHEMES": "table",
    "SITE_FIELDS": "aliases",
    "Decided": "base",
    "Limits": "apart",
    "Read": "base",
    "ReadOptions": "base",
    "Reader": "base",
    "Reading": "apart",
    "begin_reading": "apart",
    "is_address": "table",
    "read_apart": "apart",
    "read_many_apart": "apart",
    "read_sites": "sites",
    "read_vector": "table",
    "sha256_of": "base",
    "shown": "addresses",
    "sites_from_frame": "sites",
    "sites_of": "sites",
}

__all__ = [
    "READERS",
    "SCHEMES",
    "SITE_FIELDS",
    "Decided",
    "Limits",
    "Read",
    "ReadOptions",
    "Reader",
    "Reading",
    "begin_reading",
    "is_address",
    "read_apart",
    "read_many_apart",
    "read_sites",
    "read_vector",
    "sha256_of",
    "shown",
    "sites_from_frame",
    "sites_of",
]


def __getattr__(name: str) -> object:
    """Import a name when it is first used: a process that reads can be begun before anything heavy is imported."""
    if name not in _HOMES:
        raise AttributeError(f"module 'lzgis.sources' has no attribute '{name}'")
    return getattr(import_module(f"lzgis.sources.{_HOMES[name]}"), name)
