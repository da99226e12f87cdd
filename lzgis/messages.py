"""Messages of the program: written in English in the code, translated where they are shown.

Translations are in the section ``[message]`` of ``lzgis/wording/LANGUAGE.toml``, with the English template as key, as the
msgid of a gettext catalogue is. gettext itself is not used:

- The same file holds titles of states, columns and headings, which have keys but no English template. One readable file
  per language serves both, and TOML needs no compiled ``.mo`` file, neither in a checkout nor in a wheel.
- gettext normally translates where a message is made. Here a message is made in one process, stored in tables and
  reports, and translated when it is written, perhaps into two languages; so template and values must stay together,
  and a value may be a message itself.
- Chinese has no plural forms, so plural rules would serve no translation.
- ``tests/test_messages.py`` extracts the templates from the code, as ``xgettext`` would, and requires a translation with
  the same placeholders for each.

A language for which plural forms or translators' tools matter is a reason to change this.
"""

from __future__ import annotations

from typing import Any


class Message(str):
    """An English sentence that stores its template and values, so that it can be translated.

    It can be used as an ordinary string if no translation is needed.

    Parameters
    ----------
    template : str
        The sentence with ``{placeholders}``; translations have it as key.
    **values : object
        The values of the placeholders; a value may be a message itself.

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
        return (_unpickled, (self.template, self.values))


def _unpickled(template: str, values: dict[str, Any]) -> Message:
    return Message(template, **values)
