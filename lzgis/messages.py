"""Sentences that can be said in another language: written in English in the code, translated where they are shown."""

from __future__ import annotations

from typing import Any


class Message(str):
    """A sentence with its values filled in, that still knows the template it was made from.

    It is an ordinary (English) string to whoever does not translate it.

    Parameters
    ----------
    template : str
        The sentence with ``{placeholders}``; the key under which translations stand.
    **values : object
        What to fill in; a value may be a message itself.

    Examples
    --------
    >>> message = Message("has no layer '{layer}'", layer="redline")
    >>> message
    "has no layer 'redline'"
    >>> message.template, message.values
    ("has no layer '{layer}'", {'layer': 'redline'})
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> Message:
        """Fill in the template."""
        message = super().__new__(cls, template.format(**values) if values else template)
        message.template = template
        message.values = values
        return message

    def __reduce__(self) -> tuple[Any, ...]:
        return (_remade, (self.template, self.values))


def _remade(template: str, values: dict[str, Any]) -> Message:
    return Message(template, **values)
