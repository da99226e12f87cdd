"""Public names of `lzgis.reading`."""

from .addresses import shown
from .base import Decided, Read, Reader, ReadOptions, sha256_of
from .field_names import SITE_FIELDS
from .readers import READERS, SCHEMES, is_address, read_vector
from .sandbox.parent import Limits, Reading, begin_reading, read_in_sandbox, read_many_in_sandbox
from .sites import read_sites, sites_from_frame, sites_from_read, sites_of

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
    "read_in_sandbox",
    "read_many_in_sandbox",
    "read_sites",
    "read_vector",
    "sha256_of",
    "shown",
    "sites_from_frame",
    "sites_from_read",
    "sites_of",
]
