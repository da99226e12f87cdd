"""The entry point of the command line: answers signals while the commands are still being imported."""

from __future__ import annotations

import os
import signal
import sys

#: The text ``cli.interrupted`` of the wording, which is not read yet.
_INTERRUPTED = {"zh": "已中断；未完成的成果未保留", "en": "interrupted; nothing unfinished was kept"}


def main() -> None:
    """Run `lzgis.cli.app.main`; a signal before it is ready ends the process with one line and the code of the signal."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    from lzgis.cli.app import main as run

    run()


def _end(number: int, _: object) -> None:
    language = "en" if {"--lang=en", "en"} & set(sys.argv[1:]) else "zh"
    os.write(2, f"{_INTERRUPTED[language]}\n".encode())
    os._exit(128 + number)
