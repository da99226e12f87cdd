"""Run all tests and checks: ``python scripts/test.py [pytest options]``.

Needs Python 3.11 or newer and pip. Everything else is installed in ``.venv`` in the project folder.
"""

import sys


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 (this line exists for an older Python)
        sys.exit("lzgis needs Python 3.11 or newer; this is Python " + sys.version.split()[0])
    import _venv

    python = _venv.prepare("all", "docs", "test")
    _venv.compile_loops(python)
    # The caller's options come last, so that "-n 0" overrides "-n auto".
    sys.exit(_venv.run([python, "-m", "pytest", "-n", "auto", *sys.argv[1:]], cwd=_venv.ROOT))


if __name__ == "__main__":
    main()
