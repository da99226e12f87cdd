"""Write an empty city folder for an office that has official data (``lzgis init``)."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from lzgis.errors import ExportError
from lzgis.files.atomic_write import write_bytes_atomic
from lzgis.messages import Message, library_message
from lzgis.rules.keys import key_reference


def start_city(folder: str | Path) -> Path:
    """Write an empty city (catalogue, rule book, instructions) for an office to fill with its own layers.

    Raises
    ------
    ExportError
        If the folder exists and is not empty, or cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(
            str(folder), Message("exists and is not empty"), Message("name a folder that does not exist yet")
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with as_file(files("lzgis.city") / "empty_city") as template:
            for one in sorted(template.iterdir()):
                write_bytes_atomic(folder / one.name, one.read_bytes())
        write_bytes_atomic(folder / "rule-keys.md", key_reference().encode("utf-8"))
    except OSError as e:
        raise ExportError(
            str(folder),
            Message("cannot be written ({why})", why=library_message(e)),
            Message("choose another place"),
        ) from e
    return folder
