"""Pages of the reference that are written from the code: commands, keys, formats of rules and catalogue, the API."""

from __future__ import annotations

import importlib
from typing import Any


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    from lzgis.city.catalogue_keys import catalogue_key_reference

    return {
        "commands.md": _commands(),
        "catalogue-keys.md": catalogue_key_reference(),
        "messages.md": _messages(),
        "api.rst": _api(),
    }


def _commands() -> str:
    """Return every command with its arguments and options, from the command line itself."""
    import typer

    from lzgis.cli.app import app

    lines = [
        "# Commands",
        "",
        "Every command has `--help`. [Exit codes](../../results.md#what-do-the-exit-codes-mean).",
        "",
    ]
    lines += _command(typer.main.get_command(app), "lzgis")
    return "\n".join(lines)


def _command(command: Any, name: str) -> list[str]:
    if hasattr(command, "commands"):
        inner = [line for part, one in command.commands.items() for line in _command(one, f"{name} {part}")]
        return [*_section(command, name), *inner] if command.invoke_without_command else inner
    return _section(command, name)


def _section(command: Any, name: str) -> list[str]:
    summary = (command.help or "").partition("\n\nRaises")[0].partition("\f")[0].strip()
    lines = [f"## `{name}`", "", summary, ""]
    rows = [_row(one) for one in command.params if getattr(one, "help", "") or one.param_type_name == "argument"]
    if rows:
        lines += ["| argument or option | | default |", "| --- | --- | --- |", *rows, ""]
    return lines


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = f"`{(parameter.metavar or parameter.name).upper()}`"
    else:
        name = ", ".join(f"`{one}`" for one in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    shown = "" if default in (None, False, "", ()) or callable(default) else f"`{getattr(default, 'value', default)}`"
    text = (parameter.help or "").replace("|", "\\|").replace("\n", " ")
    return f"| {name} | {text} | {'required' if parameter.required else shown} |"


def _messages() -> str:
    """Return every sentence of errors and remarks in English and Chinese, from the wording of the program."""
    import tomllib
    from importlib.resources import files

    wording = tomllib.loads((files("lzgis") / "wording" / "zh.toml").read_text("utf-8"))
    known = sorted(wording["message"].items(), key=lambda pair: pair[0].lower())
    lines = [
        "# Messages",
        "",
        "What lzgis says of inputs, problems and errors, as `place: what is wrong; what to do`. Names in braces are filled in.",
        "Search this page for a sentence that you saw; `--lang en` prints the left column.",
        "",
        "| English | 中文 |",
        "| --- | --- |",
    ]
    return "\n".join([*lines, *(f"| {_cell(english)} | {_cell(chinese)} |" for english, chinese in known), ""])


def _cell(text: str) -> str:
    """Return a sentence for a table: as code, so that nothing in it is markup."""
    plain = text.replace("\n", " ").replace("|", "\\|").replace("`", "'").strip()
    return f"`{plain}`"


#: Packages with public names of their own, and what one does with them.
_PACKAGES = {
    "lzgis.reading": "Files into sites and layers, each assumption listed.",
    "lzgis.exports": "Reports into files.",
    "lzgis.batch": "Very many sites, in shards.",
    "lzgis.geometry": "Overlaps, distances and areas of arrays of geometries in metres.",
}


def _api() -> str:
    """Return the public names of lzgis, in the groups of what one does with them."""
    import lzgis

    kinds = {"Classes": [], "Errors": [], "Functions": []}
    for name in lzgis.__all__:
        one = getattr(lzgis, name)
        is_error = isinstance(one, type) and issubclass(one, Exception)
        kinds["Errors" if is_error else "Classes" if isinstance(one, type) else "Functions"].append(name)
    title = "Python"
    lines = [
        title,
        "=" * len(title),
        "",
        "``import lzgis as lz``: every public name, from its docstring.",
        "",
        ".. currentmodule:: lzgis",
        "",
    ]
    for head in ("Functions", "Classes", "Errors"):
        lines += [head, "-" * len(head), "", *_autosummary(sorted(kinds[head]))]
    for package, what in _PACKAGES.items():
        module = importlib.import_module(package)
        # A name that stands above is not documented twice.
        names = sorted(one for one in module.__all__ if one not in lzgis.__all__)
        documented = [
            one for one in names if getattr(getattr(module, one), "__doc__", None) and callable(getattr(module, one))
        ]
        lines += [
            package,
            "-" * len(package),
            "",
            what,
            "",
            f".. currentmodule:: {package}",
            "",
            *_autosummary(documented),
        ]
    return "\n".join(lines)


def _autosummary(names: list[str]) -> list[str]:
    return [".. autosummary::", "   :toctree: api", "", *(f"   {name}" for name in names), ""]
