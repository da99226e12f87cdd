"""The errors that lzgis raises, all under one base class.

Every message reads ``place: what is wrong; what is allowed or what to do``. The place names the file, layer, feature or
row, and field.

Examples
--------
>>> raise ConfigError("catalog.toml, layer 'redline'", "key 'titel' is not known", "did you mean 'title'?")
Traceback (most recent call last):
...
lzgis.errors.ConfigError: catalog.toml, layer 'redline': key 'titel' is not known; did you mean 'title'?
"""

from __future__ import annotations


class LzgisError(Exception):
    """Base of every error that lzgis raises on purpose.

    Parameters
    ----------
    place : str
        Where: file, layer, feature or row, field.
    what : str
        What is wrong there.
    remedy : str
        What is allowed, or what to do about it.
    """

    def __init__(self, place: str, what: str, remedy: str) -> None:
        self.place = place
        self.what = what
        self.remedy = remedy
        super().__init__(f"{place}: {what}; {remedy}")

    def __reduce__(self) -> tuple[type[LzgisError], tuple[str, str, str]]:
        """Support pickling, so that errors cross processes."""
        return (type(self), (self.place, self.what, self.remedy))


class ConfigError(LzgisError):
    """A catalogue, rule book or option holds something that is not allowed."""


class SourceError(LzgisError):
    """A file or database cannot be read, or reading it is refused."""


class LayerError(LzgisError):
    """A layer was read, but contradicts the catalogue."""


class ExportError(LzgisError):
    """An output cannot be written."""
