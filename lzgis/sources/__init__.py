"""Reads what planners have: one table from suffix or scheme to reader, and the table of sites made of what was read."""

from lzgis.sources.base import Decided, Read, Reader, ReadOptions, sha256_of
from lzgis.sources.sites import SITE_FIELDS, read_sites, sites_from_frame
from lzgis.sources.table import READERS, read_vector

__all__ = [
    "READERS",
    "SITE_FIELDS",
    "Decided",
    "Read",
    "ReadOptions",
    "Reader",
    "read_sites",
    "read_vector",
    "sha256_of",
    "sites_from_frame",
]
