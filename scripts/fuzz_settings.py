"""Read mutated catalogues, rule books, decisions, manifests and Word templates: each gives a result or a typed error.

python scripts/fuzz_settings.py --each 2000
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_SEED = 20261129
#: A mutation that takes longer than this (s) is a fault.
_LATE_S = 60
_MEMORY_BYTES = 6 * 1024**3
#: Values that a stranger, or a slip of the pen, may write.
_VALUES = (
    *("true", "false", "nan", "inf", "-inf", "1e308", "-1", "0", "-0.0", "1e-320", "9223372036854775808", "0x10"),
    *('""', '"x"', '"\\u0000"', '"../../etc/passwd"', '"/etc/passwd"', '"C:\\\\a"', '"~"', '"."', "'''\n'''"),
    *("[]", "{}", "[[[[]]]]", "[1, 'a']", "{ a = { a = 1 } }", "1979-05-27", "1979-05-27T07:32:00Z", "9999-12-31"),
    *('"redline"', '"' + "长" * 5000 + '"', "[" * 400 + "]" * 400),
)
_COMMANDS = (
    *("{{ project.name }}", "{{ project", "{% for a in sections %}", "{% endfor %}", "{% if 1 %}", "{% endif %}"),
    *("{{ a.b.c }}", "{{ sections[0].title }}", "{{ ''.__class__ }}", "{{ 9999999 * '9' }}", "{%p for x in y %}"),
    *(
        "{% include 'a' %}",
        "{% set a = 1 %}",
        "{% raw %}",
        "{{ project['name']|upper|join }}",
        "{#",
        "%}",
        "{{r verdict }}",
    ),
    *(
        "{{ location_map }}",
        "{{ findings_rows }}",
        "{{ sections|selectattr('name') }}",
        "{%tr for row in findings_rows %}",
    ),
    *("{% for a in sections %}{% for b in sections %}{{ b.title }}{% endfor %}{% endfor %}", "{{ loop.index }}"),
)


def mutated_text(text: str, random: np.random.Generator) -> bytes:
    """Return a mutation of a text of settings: values, keys or lines changed, or bytes turned."""
    kind = int(random.integers(6))
    lines = text.split("\n")
    at = int(random.integers(len(lines)))
    key, equals, _ = lines[at].partition("=")
    if kind <= 1 and equals:
        lines[at] = f"{key}= {_VALUES[int(random.integers(len(_VALUES)))]}"
    elif kind == 2:
        del lines[at]
    elif kind == 3:
        lines.insert(int(random.integers(len(lines))), lines[at])
    elif kind == 4 and equals:
        other = lines[int(random.integers(len(lines)))].partition("=")[0]
        lines[at] = f"{other or 'x'}={lines[at].partition('=')[2]}"
    else:
        return _turned("\n".join(lines).encode(), random)
    return "\n".join(lines).encode()


def mutated_json(text: str, random: np.random.Generator) -> bytes:
    """Return a mutation of a JSON text: a value replaced, a key removed or renamed, or bytes turned."""
    if random.random() < 0.3:
        return _turned(text.encode(), random)
    document = json.loads(text)
    odd: tuple[Any, ...] = (None, True, -1, 1e308, "", "../x", "/etc/passwd", [], {}, [[]], "\0", "x" * 5000, 2**70)
    for _ in range(int(random.integers(1, 4))):
        places: list[tuple[Any, Any]] = []
        _places(document, places)
        where, key = places[int(random.integers(len(places)))]
        if random.random() < 0.2:
            del where[key]
        else:
            where[key] = odd[int(random.integers(len(odd)))]
    return json.dumps(document).encode()


def _places(value: Any, found: list[tuple[Any, Any]]) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        found.append((value, key))
        _places(inner, found)


def mutated_template(data: bytes, random: np.random.Generator) -> bytes:
    """Return a mutation of a Word document: its text gets commands, or its parts or the archive turned bytes."""
    if random.random() < 0.15:
        return _turned(data, random)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        parts = old.namelist()
        chosen = parts[int(random.integers(len(parts)))]
        for name in parts:
            content = old.read(name)
            if name == "word/document.xml":
                text = content.decode()
                for _ in range(int(random.integers(1, 4))):
                    spots = [i for i in range(len(text)) if text.startswith("</w:t>", i)] or [len(text) // 2]
                    spot = spots[int(random.integers(len(spots)))]
                    text = text[:spot] + _COMMANDS[int(random.integers(len(_COMMANDS)))] + text[spot:]
                content = text.encode()
            if name == chosen and random.random() < 0.3:
                content = _turned(content, random)
            if not (name == chosen and random.random() < 0.05):
                new.writestr(name, content)
    return made.getvalue()


def _turned(data: bytes, random: np.random.Generator) -> bytes:
    from fuzz_readers import mutation

    return mutation(data, random)


class Target:
    """What is fuzzed: the file in a folder, its good content, how it is mutated, and how it is read."""

    def __init__(
        self, file: Path, mutate: Callable[[Any, np.random.Generator], bytes], read: Callable[[], object]
    ) -> None:
        self.file, self._mutate, self._read = file, mutate, read
        self._good: Any = file.read_bytes() if mutate is mutated_template else file.read_text("utf-8")

    def outcome(self, number: int) -> str:
        """Return what came of a mutation: read, refused, or the text of a fault."""
        from lzgis.errors import LzgisError

        self.file.write_bytes(self._mutate(self._good, np.random.default_rng([_SEED, number])))
        signal.alarm(_LATE_S)
        try:
            self._read()
        except LzgisError as error:
            complete = error.place and error.what and error.remedy
            return "refused" if complete else f"fault: an incomplete message: {error}"
        except Late:
            return "fault: late"
        except Exception:
            last = traceback.format_exc().strip().splitlines()
            own = [line.strip() for line in last if "lzgis/" in line]
            return f"fault: {last[-1][:200]} | {own[-1] if own else last[-3]}"
        finally:
            signal.alarm(0)
        return "read"

    def restore(self) -> None:
        """Write the good content again."""
        self.file.write_bytes(self._good if isinstance(self._good, bytes) else self._good.encode())


class Late(BaseException):
    """A mutation took too long."""


def _late(*_: object) -> None:
    raise Late


def targets(folder: Path) -> dict[str, Target]:
    """Return what is fuzzed, with good files in a folder."""
    import toy

    from lzgis.audits.verify import verify
    from lzgis.exports.dossier import DossierMaker
    from lzgis.exports.dossier.template import filled_template
    from lzgis.exports.folder import export_folder
    from lzgis.files.manifest import MANIFEST, InputPaths
    from lzgis.screening.overrides import Decision, override_entry, with_overrides
    from lzgis.screening.screen import screen

    sites = toy.sites(toy.square(-50, 100), toy.square(-3000, 0))
    city = toy.city(folder / "city")
    report = screen(sites, city, as_of=toy.AS_OF)
    sites.to_file(folder / "sites.gpkg", engine="pyogrio")
    out = folder / "out"
    export_folder(report, out, ["json", "xlsx"], given=InputPaths(sites=str(folder / "sites.gpkg"), layers=str(city)))
    decision = Decision(reason="理由", author="甲")
    decisions = folder / "overrides.toml"
    decisions.write_text(override_entry(report, "s1", "redline", decision=decision), "utf-8")
    template = folder / "template.docx"
    shutil.copyfile(_written_template(folder), template)
    dossier = DossierMaker(report).make(str(report.sites["id"].iloc[0]))
    made_at = report.provenance.made_at

    def screened() -> object:
        return screen(sites, city, as_of=toy.AS_OF)

    return {
        "catalogue": Target(city / "catalog.toml", mutated_text, screened),
        "rules": Target(city / "rules.toml", mutated_text, screened),
        "overrides": Target(decisions, mutated_text, lambda: with_overrides(report, decisions)),
        "manifest": Target(out / MANIFEST, mutated_json, lambda: verify(out)),
        "template": Target(
            template, mutated_template, lambda: filled_template("t.docx", template.read_bytes(), dossier, made_at)
        ),
    }


def _written_template(folder: Path) -> Path:
    import docx

    document = docx.Document()
    for text in (
        "关于 {{ project.name }}：{{ verdict }}",
        "{{ location_map }}",
        "{% for s in sections %}{{ s.title }};{% endfor %}",
    ):
        document.add_paragraph(text)
    table = document.add_table(rows=3, cols=2)
    table.cell(0, 0).text, table.cell(2, 0).text = "{%tr for row in findings_rows %}", "{%tr endfor %}"
    table.cell(1, 0).text, table.cell(1, 1).text = "{{ row.rule }}", "{{ row.state }}"
    document.save(str(folder / "office.docx"))
    return folder / "office.docx"


def main() -> int:
    """Run the given number of mutations of each kind of settings; return 1 if any ends without a typed answer."""
    root = Path(__file__).parent.parent
    sys.path[:0] = [str(root), str(root / "tests"), str(root / "scripts")]
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=2000, help="mutations of each kind (default 2000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation")
    parser.add_argument("kinds", nargs="*", help="catalogue, rules, overrides, manifest, template; all if none")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _late)
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        for kind, target in targets(Path(name)).items():
            if options.kinds and kind not in options.kinds:
                continue
            began, outcomes = time.monotonic(), Counter[str]()
            for number in range(options.first, options.first + options.each):
                outcome = target.outcome(number)
                outcomes[outcome.partition(":")[0]] += 1
                if outcome.startswith("fault"):
                    print(f"{kind} {number}: {outcome}", flush=True)
            target.restore()
            faults += outcomes["fault"]
            print(f"{kind}: {options.each} files, {dict(outcomes)}, {time.monotonic() - began:.0f} s", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
