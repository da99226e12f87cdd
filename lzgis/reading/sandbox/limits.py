"""What a process that opens a stranger's file may use: memory, time, drivers, and no network."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Literal

import lzgis
from lzgis.errors import SourceError
from lzgis.messages import Message

#: Whether the user lets the process reach an address that he gave.
Network = Literal["refused", "allowed"]
#: Address space (bytes) and time on the clock (s) of the process that reads a file.
MEMORY_BYTES = 2 * 1024**3
TIME_S = 120.0
#: What it may write to disk (bytes): its answer, and what it unpacks.
WRITE_BYTES = 4 * 1024**3
#: An archive may unpack to so many times its own size.
ZIP_RATIO = 100.0

#: Chords of this angle (degrees) stand for arcs: at a radius of 1,000 m they err by less than 0.01 m.
ARC_STEP_DEG = 0.5

#: Every vector driver of GDAL that no reader of lzgis uses: those that reach out, that read instructions, and the rest.
#: "MEM" is not among them: GDAL itself leans on it, and crashes without.
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
    *("NAS", "Interlis 1", "Interlis 2", "LIBKML", "netCDF", "HDF5", "CAD", "ARCGEN", "SEGY", "SUA", "SVG", "XPlane"),
    *("ILI", "OGDI", "Ingres", "HANA", "Walk", "DB2ODBC", "FileGDB", "CouchDB", "Cloudant", "GFT", "GME", "Arrow"),
)

#: Settings of others that could make a library reach out, or show a file what is none of its business.
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
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000


def environment(network: Network = "refused") -> dict[str, str]:
    """Make the environment of the process that reads: no accounts, no proxies, no drivers but those of the readers."""
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
    }
    return kept | settings | dict.fromkeys(_NUMBER_OF_THREADS, "1")


def limit_this_process(memory_bytes: int, network: Network) -> None:
    """Limit memory, time and writing of this process, and cut it off the network, as far as the system can.

    Memory is not limited on Windows and macOS; the network is cut off on Linux where the kernel lets a user do that.
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
    if sys.platform == "linux" and network == "refused":
        library = ctypes.CDLL(None, use_errno=True)
        unshare = getattr(library, "unshare", None)
        # A network of its own, with nothing in it; as an ordinary user that takes a user namespace too.
        if unshare is not None and unshare(_NEW_NETWORK) != 0:
            unshare(_NEW_NETWORK | _NEW_USER)


def too_much_memory(place: str, memory_bytes: int) -> SourceError:
    """Say that a file takes more memory than it may."""
    what = Message("needs more than {limit} GB of memory to be read", limit=round(memory_bytes / 1024**3, 2))
    return SourceError(place, what, Message("split it, or look whether it is what it says"))
