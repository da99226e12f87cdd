"""Run every test and check: ``python scripts/test.py [options of pytest]``.

Needs Python 3.11 or newer and pip; everything else goes into ``.venv`` beside the code.
"""

import sys


def main():
    if sys.version_info < (3, 11):  # noqa: UP036 (an older Python is just what this is for)
        sys.exit("lzgis needs Python 3.11 or newer; this is Python " + sys.version.split()[0])
    import _venv

    python = _venv.prepare("test", "pdf", "postgis", "cluster")
    _venv.compile_loops(python)
    # What is given comes last, so that "-n 0" undoes the processes.
    sys.exit(_venv.run([python, "-m", "pytest", "-n", "auto", *sys.argv[1:]], cwd=_venv.ROOT))


if __name__ == "__main__":
    main()
