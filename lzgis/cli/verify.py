"""The command ``verify``: are results what was written, and have sites, layers or rules changed since.

Exit codes: 0 all is as it was, 1 an input has changed, 2 a file is damaged or the folder holds no result.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lzgis.audits.verify import Verification
    from lzgis.words import Language, Words

_CODES = {"same": 0, "changed": 1, "damaged": 2}


@dataclass(frozen=True)
class VerifyOptions:
    """Options of a verification: where the inputs are now, and whether JSON is printed."""

    sites: Annotated[Path | None, typer.Option("--sites", help="File of the sites, if it was moved.")] = None
    overrides: Annotated[Path | None, typer.Option("--overrides", help="Decisions, if they were moved.")] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON on standard output.")] = False


def run_verify(folder: Path, layers: Path | None, options: VerifyOptions, language: Language) -> int:
    """Verify and show as the options say; return the exit code."""
    from lzgis.audits.verify import verify
    from lzgis.cli.console import print_json, stdout
    from lzgis.words import Words

    found = verify(folder, sites=options.sites, layers=layers, overrides=options.overrides)
    if options.as_json:
        rows = {name: [asdict(one) for one in getattr(found, name)] for name in ("files", "inputs")}
        print_json({"state": found.state, "other_version": found.other_version, **rows, "versions": found.versions})
    else:
        console = stdout()
        for line in _lines(found, Words(language)):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
    return _CODES[found.state]


def _lines(found: Verification, words: Words) -> list[str]:
    lines = [
        words("verify", f"{kind}_{one.state}", result=one.result, role=one.role, name=one.name)
        for kind, several in (("file", found.files), ("input", found.inputs))
        for one in several
        if one.state != "same"
    ]
    if found.other_version:
        lines.append(words("verify", "version", versions=", ".join(sorted(set(found.versions.values())))))
    return [*lines, words("verify", found.state, files=len(found.files), inputs=len(found.inputs))]
