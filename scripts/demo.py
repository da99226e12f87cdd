"""Screen the projects of the reference city and write the results: ``python scripts/demo.py [options]``.

The options are those of ``lzgis demo``. The default folder of the results is ``out``. With ``--serve`` the page for planners is
opened in the browser instead; the other options are then those of ``lzgis serve``.

Needs Python 3.11 or newer and pip. Everything else is installed in ``.venv`` in the project folder.
"""

import sys

# Usage messages print argv[0]: "lzgis" instead of "-c".
RUN = "import sys; sys.argv[0] = 'lzgis'; from lzgis.cli.app import main; main()"


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 (this line exists for an older Python)
        sys.exit("lzgis needs Python 3.11 or newer; this is Python " + sys.version.split()[0])
    import argparse
    import time
    from pathlib import Path

    import _venv

    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-o", "--out", type=Path, default=_venv.ROOT / "out")
    parser.add_argument("--serve", action="store_true")
    known, others = parser.parse_known_args()
    if known.serve:
        python = _venv.prepare("web")
        _venv.compile_loops(python)
        sys.exit(_venv.run([python, "-c", RUN, "serve", *others]))
    python = _venv.prepare()
    _venv.compile_loops(python)
    started = time.time()
    code = _venv.run([python, "-c", RUN, "demo", "--out", known.out, *others])
    # File systems may store times with a coarse resolution: allow one second.
    written = [p for p in known.out.glob("*") if p.stat().st_mtime > started - 1]
    if code == 0 and written:
        _venv.say(f"\nWritten to {known.out.resolve()}:")
        for path in sorted(written):
            _venv.say(f"  {path.name}  ({path.stat().st_size / 1e6:.1f} MB)")
        _venv.say("Open map.html in a browser; it needs no network.")
    sys.exit(code)


if __name__ == "__main__":
    main()
