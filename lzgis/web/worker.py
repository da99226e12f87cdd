"""The worker process: requests come as lines on standard input, progress and results go as lines to standard output.

``python -m lzgis.web.worker FOLDER_OF_THE_CITY FOLDER_OF_THE_ANSWERS MEMORY_BYTES [SCHEDULER]``; an empty folder of the city
means the reference city. Large files are screened by the workers of the scheduler, if one is given.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO


def main() -> None:
    """Answer requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    layers, cache, memory, scheduler = [*sys.argv[1:], ""][:4]
    answers = _own_output()
    _limit_memory(int(memory))

    def send(what: str, **values: Any) -> None:
        answers.write(json.dumps({"what": what, **values}) + "\n")
        answers.flush()

    # Imported when the limits hold.
    from lzgis.errors import LzgisError
    from lzgis.reading.sandbox.warm import keep_warm
    from lzgis.web.requests import Request
    from lzgis.web.work import Office, error_texts

    keep_warm()
    try:
        office = Office(Path(layers) if layers else None, scheduler)
        send("ready", **office.warm_up(Path(cache)))
    except LzgisError as error:
        send("unusable", error=error_texts(error))
        return
    for line in sys.stdin:
        try:
            result = office.do(
                Request.from_json(line), lambda step, done, total: send("progress", step=step, done=done, total=total)
            )
        except LzgisError as error:
            send("error", error=error_texts(error))
        except MemoryError:
            send("error", error=_TOO_LITTLE_MEMORY)
        except OSError as error:
            send("error", error=_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else _fault(error))
        except Exception as error:
            traceback.print_exc()
            send("error", error=_fault(error))
        else:
            send("done", result=result)


#: Sentences that must not need memory or wording files.
_TOO_LITTLE_MEMORY = {
    "zh": "lzgis：内存不足，未能完成；请减少地块数量后重试",
    "en": "lzgis: the memory is not enough; try fewer sites",
}

_FULL = {
    "zh": "lzgis：磁盘已满，未能写出；已有核查未受影响，请腾出空间后重新运行",
    "en": "lzgis: the disk is full, and this was not written; earlier screenings are unharmed: free some space, run it again",
}


def _fault(error: Exception) -> dict[str, str]:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return {
        "zh": f"lzgis：程序内部错误（{where}，{type(error).__name__}）；请将此句与输入文件一并反馈",
        "en": f"lzgis: a fault of the program ({where}, {type(error).__name__}); report it with the input",
    }


def _own_output() -> TextIO:
    """Return standard output for answers alone; what libraries print goes to standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    return own


def _limit_memory(most: int) -> None:
    if most <= 0:
        return
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
