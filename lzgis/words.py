"""Titles and wording of the outputs in each language; one TOML file per language under ``lzgis/wording``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from lzgis.errors import ConfigError
from lzgis.messages import Message

Language = Literal["zh", "en"]


class Words:
    """The wording of one language: ``words(section, key, **values)``.

    Parameters
    ----------
    language : {"zh", "en"}
        The language.
    own : mapping, optional
        What replaces its wording, by section and key.

    Raises
    ------
    ConfigError
        If there is no wording of the language.

    Examples
    --------
    >>> Words("en")("state", "涉及")
    'involved'
    >>> Words("zh")("state", "涉及")
    '涉及'
    """

    def __init__(self, language: Language = "zh", own: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> None:
        self.language = language
        known = _load(language)
        self._sections = {**known, **{name: {**known[name], **texts} for name, texts in own.items()}} if own else known

    def __call__(self, section: str, key: str, **values: object) -> str:
        """Return the wording of `key` in `section`, with its ``{placeholders}`` replaced by `values`."""
        text = self._sections[section][key]
        return text.format(**values) if values else text

    def has(self, section: str, key: str) -> bool:
        """Return whether a section has a wording of a key."""
        return key in self._sections.get(section, {})

    def message(self, text: str) -> str:
        """Translate a message to this language; a text without translation is returned unchanged.

        Examples
        --------
        >>> from lzgis.messages import Message
        >>> Words("zh").message(Message("has no layer '{layer}'", layer="redline"))
        '没有图层“redline”'
        """
        if not isinstance(text, Message):
            return text
        template = self._sections["message"].get(text.template, text.template)
        values = {name: self.message(v) if isinstance(v, str) else v for name, v in text.values.items()}
        return template.format(**values) if values else template

    def sentence(self, place: str, what: str, remedy: str) -> str:
        """Return a problem or an error as ``place: what is wrong; what to do`` in this language."""
        colon, semicolon = ("：", "；") if self.language == "zh" else (": ", "; ")
        return f"{self.message(place)}{colon}{self.message(what)}{semicolon}{self.message(remedy)}"

    def title(self, zh: str, en: str) -> str:
        """Return the title in this language; the Chinese one if there is no English one."""
        return en if self.language == "en" and en else zh


@cache
def _load(language: str) -> Mapping[str, Mapping[str, str]]:
    source = files("lzgis") / "wording" / f"{language}.toml"
    if not source.is_file():
        known = sorted(p.name.removesuffix(".toml") for p in (files("lzgis") / "wording").iterdir())
        raise ConfigError(
            Message("language '{language}'", language=language),
            Message("is not known"),
            Message("choose one of {names}", names=", ".join(known)),
        )
    return tomllib.loads(source.read_text("utf-8"))
