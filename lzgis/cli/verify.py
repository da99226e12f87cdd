"""The command ``verify``: whether results are unchanged, and whether sites, layers or rules have changed since.

Exit codes: 0 nothing has changed, 1 a file, an input or the signature differs, 3 the folder holds no result.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lzgis.cli.console import ExitCode, print_json, print_lines
from lzgis.cli.options import Lang, LangOption, LayersOption, gathers

if TYPE_CHECKING:
    from lzgis.audits.verify import Verification
    from lzgis.words import Language, Words

#: The most unlisted files that are named one by one.
_NAMED = 20


@dataclass(frozen=True)
class VerifyOptions:
    """Options of a verification: the present places of the inputs, and whether JSON is printed."""

    sites: Annotated[Path | None, typer.Option("--sites", help="File of the sites, if it was moved.")] = None
    overrides: Annotated[Path | None, typer.Option("--overrides", help="Decisions, if they were moved.")] = None
    key: Annotated[Path | None, typer.Option("--key", help="The office's public key: check the signature as well.")] = (
        None
    )
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON on standard output.")] = False


@gathers(VerifyOptions, "options")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of results.")],
    layers: LayersOption = None,
    lang: LangOption = Lang.zh,
    options: VerifyOptions = VerifyOptions(),
) -> None:
    """Check that results are what was written, and whether layers, rules or sites have changed since."""
    raise typer.Exit(run_verify(folder, layers, options, lang.code))


def run_verify(folder: Path, layers: Path | None, options: VerifyOptions, language: Language) -> ExitCode:
    """Verify a folder of results, show the outcome, and return the exit code."""
    from lzgis.audits.verify import verify
    from lzgis.words import Words

    found = verify(folder, sites=options.sites, layers=layers, overrides=options.overrides, key=options.key)
    if options.as_json:
        rows = {name: [asdict(one) for one in getattr(found, name)] for name in ("files", "inputs")}
        state = {"state": found.state, "manifest": found.listed, "signature": found.proof or "not checked"}
        print_json(
            {
                **state,
                "other_version": found.other_version,
                **rows,
                "versions": found.versions,
                "digests": found.digests,
            }
        )
    else:
        print_lines(_lines(found, Words(language)))
    return ExitCode.OK if found.state == "same" else ExitCode.FOUND


def _lines(found: Verification, words: Words) -> list[str]:
    lines = [
        words("verify", f"{kind}_{one.state}", result=one.result, role=one.role, name=one.name)
        for kind, several in (("file", found.files), ("input", found.inputs))
        for one in several
        if one.state not in ("same", "new") or (kind == "input" and one.state != "same")
    ]
    lines += [words("verify", "file_new", name=name) for name in found.unlisted[:_NAMED]]
    if len(found.unlisted) > _NAMED:
        lines.append(words("verify", "more_new", count=len(found.unlisted) - _NAMED))
    if found.listed != "same":
        lines.append(words("verify", f"manifest_{found.listed}"))
    if found.proof:
        lines.append(words("verify", f"signature_{found.proof}"))
    if found.other_version:
        lines.append(words("verify", "version", versions=", ".join(sorted(set(found.versions.values())))))
    lines += [words("verify", "digest", result=name, digest=digest) for name, digest in found.digests.items()]
    return [
        *lines,
        words("verify", found.state, files=len(found.files) - len(found.unlisted), inputs=len(found.inputs)),
    ]
