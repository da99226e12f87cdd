"""Word files that are the same bytes each time."""

from __future__ import annotations

import io
import zipfile

#: The earliest date that an archive can hold; what was written when stands in the document itself.
_DATE = (1980, 1, 1, 0, 0, 0)


def rezipped(data: bytes) -> bytes:
    """Pack an archive anew, its parts in their order and all of one date."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as given,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made,
    ):
        for part in given.infolist():
            fresh = zipfile.ZipInfo(part.filename, _DATE)
            fresh.compress_type = zipfile.ZIP_DEFLATED
            # Else the archive tells on which system it was packed.
            fresh.create_system = 0
            fresh.external_attr = 0
            made.writestr(fresh, given.read(part))
    return packed.getvalue()
