"""Calls of the command ``lzgis`` in a separate process. Nothing of QGIS is imported here.

lzgis is never imported into QGIS: two versions of GDAL, PROJ or GEOS in one process crash or transform differently. The
environment of the process is cleaned of what QGIS sets for its own Python and libraries.
"""

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections import namedtuple

#: Variables of QGIS and ArcGIS, of their Python and of their libraries, which would mislead those of lzgis.
REMOVED = re.compile(
    r"(PYTHON|PROJ_|GDAL_|OGR_|GEOS_|CPL_|QGIS_|QT_|QML|O4W_|OSGEO4W_|GRASS_|GISBASE|LD_LIBRARY_PATH|DYLD_|PYQTPATH|VIRTUAL_ENV$|CONDA_|ARCGIS|ESRI)"
)
#: Exit codes with a result: nothing found, something found, something not checked.
WITH_RESULT = (0, 1, 2)
#: Lines of progress: what is being done, how many steps are done, and how many there are.
PROGRESS = re.compile(r"^progress: (\S+) (\d+) (\d+)$")

#: The end of a call: exit code, standard output, and the lines of standard error without those of progress.
Result = namedtuple("Result", "code output messages")


class CommandError(Exception):
    """A call that gave no result; the text is what lzgis said."""


class Canceled(Exception):
    """A call that the user stopped."""


def clean_environment(environ=None):
    """Return the environment for lzgis: that of QGIS without its own variables and without its folders in PATH."""
    environ = dict(os.environ if environ is None else environ)
    roots = [os.path.normcase(environ[name]) for name in ("OSGEO4W_ROOT", "QGIS_PREFIX_PATH") if environ.get(name)]
    # A prefix like /usr holds the programs of the system, too.
    roots = [root for root in roots if len(root.strip("\\/").replace("\\", "/").split("/")) > 1]
    kept = {name: value for name, value in environ.items() if not REMOVED.match(name.upper())}
    path = [one for one in kept.get("PATH", "").split(os.pathsep) if one]
    kept["PATH"] = os.pathsep.join(one for one in path if not os.path.normcase(one).startswith(tuple(roots) or ("\0",)))
    return dict(kept, PYTHONUTF8="1", LZGIS_PROGRESS="lines", COLUMNS="100", NO_COLOR="1")


def default_command(environ=None):
    """Return where the installers put the command, or the one in PATH; an empty text if there is none."""
    environ = os.environ if environ is None else environ
    home = os.path.expanduser("~")
    usual = [
        os.path.join(environ.get("LOCALAPPDATA", ""), "lzgis", "env", "Scripts", "lzgis.exe"),
        os.path.join(
            environ.get("XDG_DATA_HOME", os.path.join(home, ".local", "share")), "lzgis", "env", "bin", "lzgis"
        ),
        os.path.join(home, ".local", "bin", "lzgis"),
    ]
    found = next((one for one in usual if os.path.isabs(one) and os.path.isfile(one)), None)
    return found or shutil.which("lzgis", path=clean_environment(environ)["PATH"]) or ""


class Share:
    """The share of a call that is done, which only grows: as kinds of steps follow unannounced, each has half of the rest."""

    def __init__(self):
        self._kind, self._before, self._rest = "", 0.0, 1.0

    def __call__(self, step):
        """Return the share at a line of progress."""
        if step[1] != self._kind:
            if self._kind:
                self._before, self._rest = self._before + self._rest / 2, self._rest / 2
            self._kind = step[1]
        return self._before + self._rest / 2 * min(int(step[2]) / max(int(step[3]), 1), 1.0)


def call(command, arguments, said=None, progressed=None, canceled=None):
    """Run lzgis and return the `Result`.

    Parameters
    ----------
    command : str
        The program.
    arguments : list of str
        Its arguments.
    said : callable, optional
        Called with each line that it says while it runs.
    progressed : callable, optional
        Called with the share that is done, from 0 to 1.
    canceled : callable, optional
        Asked several times a second; if it returns true, the process is ended.

    Raises
    ------
    CommandError
        If the program cannot be started, or ends without a result.
    Canceled
        If it was stopped.
    """
    if not command:
        raise CommandError("lzgis: not found; set its path in the settings of the plugin")
    hidden = {"creationflags": 0x08000000} if sys.platform == "win32" else {}  # CREATE_NO_WINDOW
    try:
        process = subprocess.Popen(
            [command, *map(str, arguments)],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **hidden,
        )
    except OSError as error:
        raise CommandError("{}: cannot be started ({})".format(command, error.strerror or error)) from error
    lines = queue.Queue()
    output, messages, share = [], [], Share()
    readers = [
        threading.Thread(target=lambda: output.append(process.stdout.read()), daemon=True),
        threading.Thread(target=_read_lines, args=(process.stderr, lines), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        while True:
            if canceled is not None and canceled():
                raise Canceled()
            try:
                line = lines.get(timeout=0.1)
            except queue.Empty:
                continue
            if line is None:
                break
            step = PROGRESS.match(line)
            if step and progressed is not None:
                progressed(share(step))
            elif not step:
                messages.append(line)
                if said is not None:
                    said(line)
        while process.poll() is None:
            if canceled is not None and canceled():
                raise Canceled()
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
    except BaseException:
        _end(process)
        raise
    finally:
        for reader in readers:
            reader.join(5)
        for stream in (process.stdout, process.stderr):
            stream.close()
    text = (output[0] if output else b"").decode("utf-8", "replace")
    if process.returncode not in WITH_RESULT:
        raise CommandError("\n".join(messages[-20:]) or "lzgis: exit code {}".format(process.returncode))
    return Result(process.returncode, text, messages)


def _read_lines(stream, lines):
    for raw in stream:
        line = raw.decode("utf-8", "replace").rstrip()
        if line:
            lines.put(line)
    lines.put(None)


def _end(process):
    """End a process; lzgis removes its unfinished files when it is asked to end."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
