"""Pages of the reference that are written from the code: commands, keys, formats of rules and catalogue, the API."""

from __future__ import annotations

from typing import Any


def pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    from lzgis.city.catalogue_keys import catalogue_key_reference

    return {
        "commands.md": _commands(),
        "catalogue-keys.md": catalogue_key_reference(),
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
        lines += [head, "-" * len(head), "", ".. autosummary::", "   :toctree: api", ""]
        lines += [f"   {name}" for name in sorted(kinds[head])] + [""]
    return "\n".join(lines)
