"""The tag ``{% w "key" %}``: the wording of the pages in the reader's language."""

from __future__ import annotations

from typing import Any

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def w(context: dict[str, Any], key: str, **values: object) -> str:
    """Return the wording of a key of the section ``web``."""
    found: str = context["words"]("web", key, **values)
    return found


@register.simple_tag(takes_context=True)
def words_of(context: dict[str, Any], section: str, key: str) -> str:
    """Return the wording of a key of another section; the key itself if there is none."""
    words = context["words"]
    return words(section, key) if words.has(section, key) else key


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """Return an element of a mapping; an empty text if there is none."""
    return mapping.get(key, "")


@register.filter
def words_in(text: str) -> list[str]:
    """Return the words of a text, for a template that goes through a few keys."""
    return text.split()


@register.filter
def square(value: float | None) -> str:
    """Return an area in whole square metres; nothing if there is none."""
    return "" if value is None else f"{value:,.0f}"


@register.filter
def thousands(value: Any) -> str:
    """Return a whole number with its thousands separated."""
    return f"{int(value):,}"


@register.filter
def format_of(name: str) -> str:
    """Return the key of the wording for a file that can be taken, from its suffix."""
    return f"take_{name.rpartition('.')[2]}"
