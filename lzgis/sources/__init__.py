"""Reads what planners have: one table from suffix or scheme to reader, and the table of sites made of what was read."""

from lzgis.sources.addresses import shown
from lzgis.sources.aliases import SITE_FIELDS
from lzgis.sources.apart import Limits, Reading, begin_reading, read_apart, read_many_apart
from lzgis.sources.base import Decided, Read, Reader, ReadOptions, sha256_of
from lzgis.sources.sites import read_sites, sites_from_frame, sites_of
from lzgis.sources.table import READERS, SCHEMES, is_address, read_vector

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
