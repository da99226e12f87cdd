"""Runs the command line in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

RUN = [sys.executable, "-W", "error", "-c", "from lzgis.cli.app import main; main()"]


def run(*arguments: str | Path, encoding: str = "utf-8", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *map(str, arguments)],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding, "MPLBACKEND": "Agg", "COLUMNS": "200"} | environment,
        encoding=encoding,
        check=False,
    )
