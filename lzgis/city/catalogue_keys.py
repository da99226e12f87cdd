"""The reference of the keys of a catalogue, made from the models."""

from __future__ import annotations

import inspect
import re

from pydantic import BaseModel

from lzgis.model.catalogue import CitySpec, CoverClass, Declared, LayerSpec, RasterSpec, Style
from lzgis.rules.keys import default_of, value_of

#: The tables of a catalogue: heading and model.
TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("[city]", CitySpec),
    ("[layer.ID]", LayerSpec),
    ("style = { … }", Style),
    ("declared = [{ … }]", Declared),
    ("[raster.ID]", RasterSpec),
    ("[raster.ID.classes]", CoverClass),
)


def catalogue_key_reference() -> str:
    """Return the reference of every key of a catalogue, in Markdown.

    Examples
    --------
    >>> "| `source` | text | required |" in catalogue_key_reference()
    True
    """
    lines = ["# Keys of a catalogue", "", "Written by `lzgis rules keys --catalogue`.", ""]
    for heading, model in TABLES:
        meaning = inspect.cleandoc(model.__doc__ or "").replace("``", "`")
        lines += [f"## `{heading}`", "", re.sub(r":\w+:`([^`]+)`", r"`\1`", meaning), ""]
        lines += ["| key | value | default |", "| --- | --- | --- |"]
        lines += [
            f"| `{one.alias or name}` | {value_of(one.annotation)} | {default_of(one)} |"
            for name, one in model.model_fields.items()
        ]
        lines.append("")
    return "\n".join(lines)
