"""Links from documents to the review map: the address of a project in it, and the QR code of that address."""

from __future__ import annotations

import io
import re
from urllib.parse import quote

import segno

from lzgis.errors import ExportError
from lzgis.exports.formats import FORMATS
from lzgis.exports.gis.json import provenance_object
from lzgis.files.manifest import inputs_digest
from lzgis.messages import Message
from lzgis.model.report import ReportContext

#: Characters of the digest in an address: enough that two runs do not share them by chance.
SHORT = 16
_ADDRESS = re.compile(r"(https?|file)://[^\s#]+")


def run_of(report: ReportContext) -> str:
    """Return the SHA-256 of the inputs of a report, which its manifest states as ``inputs_sha256``."""
    return inputs_digest(provenance_object(report.provenance))


def map_link(report: ReportContext, site_id: str, address: str = "") -> str:
    """Return the address of a project in the map, with the digest of the inputs that both were made from.

    Parameters
    ----------
    report : ReportContext
        The report.
    site_id : str
        Id of the project.
    address : str
        Where the map is published, as ``https://…/map.html``; by default its name in the folder of the result.

    Raises
    ------
    ExportError
        If the address is not one of a page.
    """
    if address and not _ADDRESS.fullmatch(address):
        what = Message("'{given}' is no address of a page", given=address)
        raise ExportError("map_address", what, Message("begin it with https://, http:// or file://, without a #"))
    page = address or FORMATS["html"].file_name
    return f"{page}#site={quote(site_id, safe='')}&run={run_of(report)[:SHORT]}"


def qr_png(link: str) -> bytes:
    """Return the QR code of a link as a PNG file, black on white with the quiet zone that readers need.

    Examples
    --------
    >>> qr_png("map.html#site=P12")[1:4]
    b'PNG'
    """
    saved = io.BytesIO()
    segno.make(link, error="m", micro=False).save(saved, kind="png", scale=6, border=3)
    return saved.getvalue()
