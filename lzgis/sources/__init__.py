"""Reads what planners have: one table from suffix or scheme to reader, and the table of sites made of what was read."""

from lzgis.sources.addresses import shown
from lzgis.sources.base import Decided, Read, Reader, ReadOptions, sha256_of
from lzgis.sources.sites import SITE_FIELDS, read_sites, sites_from_frame
from lzgis.sources.table import READERS, SCHEMES, is_address, read_vector

__all__ = [
    "READERS",
    "SCHEMES",
    "SITE_FIELDS",
    "Decided",
    "Read",
    "ReadOptions",
    "Reader",
    "is_address",
    "read_sites",
    "read_vector",
    "sha256_of",
    "shown",
    "sites_from_frame",
]
