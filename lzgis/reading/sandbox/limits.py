"""Limits of the process that opens untrusted files: memory, time, drivers, and no network."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Literal

import lzgis
from lzgis.errors import SourceError
from lzgis.messages import Message

#: Whether the process may use the network, because the user allowed it for an address.
Network = Literal["refused", "allowed"]
#: Address space (bytes) and elapsed time (s) of the process that reads a file.
MEMORY_BYTES = 2 * 1024**3
TIME_S = 120.0
#: What it may write to the disk (bytes): its result, and what it unpacks.
WRITE_BYTES = 4 * 1024**3

#: Arcs are drawn as chords of this angle (degrees): at a radius of 1,000 m they are off by less than 0.01 m.
ARC_STEP_DEG = 0.5

#: Vector drivers of GDAL that no reader uses: those that use the network, that read instructions, and all others.
#: "MEM" is not among them: GDAL itself needs it, and crashes without it.
DRIVERS_LEFT_OUT = (
    *(
        "OGR_VRT",
        "VRT",
        "GDALG",
        "HTTP",
        "WFS",
        "OAPIF",
        "OGCAPI",
        "CSW",
        "EEDA",
        "Elasticsearch",
        "Carto",
        "AmigoCloud",
    ),
    *("PLSCENES", "NGW", "GeoRSS", "ADBC", "PostgreSQL", "PGDUMP", "MySQL", "MSSQLSpatial", "ODBC", "PGeo", "OCI"),
    *("MongoDBv3", "SQLite", "MBTiles", "PMTiles", "MVT", "GPSBabel", "STACTA", "STACIT", "DAAS"),
    *("PCIDSK", "PDS4", "VICAR", "PDF", "MapInfo File", "LVBAG", "S57", "DGN", "GPX", "GeoJSONSeq", "ESRIJSON"),
    *("TopoJSON", "OGR_GMT", "WAsP", "VFK", "OSM", "OGR_PDS", "EDIGEO", "Idrisi", "SXF", "Selafin", "JML"),
    *("VDV", "MapML", "GTFS", "MiraMonVector", "AVCBin", "AVCE00", "AIVector", "UK .NTF", "SDTS", "TIGER", "GMLAS"),
    *(
        "NAS",
        "Interlis 1",
        "Interlis 2",
        "LIBKML",
        "netCDF",
        "HDF5",
        "CAD",
        "ARCGEN",
        "SEGY",
        "SUA",
        "SVG",
        "XPlane",
        "DXF",
    ),
    *("ILI", "OGDI", "Ingres", "HANA", "Walk", "DB2ODBC", "FileGDB", "CouchDB", "Cloudant", "GFT", "GME", "Arrow"),
)

#: Environment variables that could make a library use the network, or give a file access to other data.
_TAKEN_OUT = (
    "GDAL_",
    "OGR_",
    "CPL_",
    "VSI_",
    "VSIZ_",
    "AWS_",
    "AZURE_",
    "GS_",
    "GOOGLE_",
    "OSS_",
    "SWIFT_",
    "PG",
    "GML_",
)
_KEPT = ("GDAL_DATA",)
_NUMBER_OF_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS")
_SIGNAL_WHEN_PARENT_ENDS = 1
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000


def environment(network: Network = "refused") -> dict[str, str]:
    """Return the environment of the reading process: no accounts, no proxies, only the drivers of the readers."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT
        or (network == "allowed" and name.lower().endswith("_proxy"))
        or not (name.upper().startswith(_TAKEN_OUT) or name.lower().endswith("_proxy"))
    }
    root = str(Path(lzgis.__file__).parent.parent)
    kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([root, *(p for p in sys.path if p)]))
    kept["PYTHONUTF8"] = "1"
    skipped = ",".join(DRIVERS_LEFT_OUT)
    settings = {
        "GDAL_SKIP": skipped,
        "GDAL_DRIVER_PATH": "disable",
        "OGR_ARC_STEPSIZE": str(ARC_STEP_DEG),
        "GDAL_PAM_ENABLED": "NO",
        "GDAL_CACHEMAX": "128",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
        "CPL_VSIL_CURL_ALLOWED_FILENAME": "{none}",
        "GDAL_HTTP_MAX_RETRY": "0",
        "GDAL_HTTP_TIMEOUT": "1",
        "GDAL_HTTP_CONNECTTIMEOUT": "1",
        "GML_SKIP_RESOLVE_ELEMS": "ALL",
        "GML_DOWNLOAD_SCHEMA": "NO",
        "GML_SKIP_CORRUPTED_FEATURES": "NO",
        "PROJ_NETWORK": "OFF",
        # Address space is limited: mimalloc would reserve 1 GB of it for Arrow, glibc 64 MB for each thread.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
    }
    return kept | settings | dict.fromkeys(_NUMBER_OF_THREADS, "1")


def limit_this_process(memory_bytes: int, network: Network) -> None:
    """Limit memory, time and writing of this process, and disable its network, as far as the system supports it.

    Memory is not limited on Windows and macOS. The network is disabled on Linux if the kernel allows that to users.
    """
    try:
        import resource
    except ImportError:
        return
    wanted = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CPU: int(TIME_S) + 10,
        resource.RLIMIT_FSIZE: WRITE_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for which, most in wanted.items():
        _, hard = resource.getrlimit(which)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(which, (most, most))
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        # The process ends with its parent, however that ends.
        with contextlib.suppress(AttributeError):
            library.prctl(_SIGNAL_WHEN_PARENT_ENDS, int(signal.SIGKILL), 0, 0, 0)
        if network == "allowed":
            return
        unshare = getattr(library, "unshare", None)
        # An empty network namespace; an ordinary user needs a user namespace for it.
        if unshare is not None and unshare(_NEW_NETWORK) != 0:
            unshare(_NEW_NETWORK | _NEW_USER)


def too_much_memory(place: str, memory_bytes: int) -> SourceError:
    """Return the error for a file that needs too much memory."""
    what = Message("needs more than {limit} GB of memory to be read", limit=round(memory_bytes / 1024**3, 2))
    return SourceError(place, what, Message("split it, or look whether it is what it says"))
