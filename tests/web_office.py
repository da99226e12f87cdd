"""A server of the page in a process of its own, and a browser without scripts for it."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import toy
from command_line import RUN
from web_page import square_text

INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")


class Office:
    """A server in a process, and a browser without scripts."""

    def __init__(self, data, city, *options, **environment):
        self.data, self.city, self.options, self.environment = data, city, options, environment
        self.process = None
        self.cookies = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies)).open
        self._token = ""

    def start(self, *, wait=True):
        command = [*RUN, "serve", "--no-browser", "--workers", "1"]
        if "--port" not in self.options:
            command += ["--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--data", str(self.data), "--layers", str(self.city), *self.options],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=os.environ | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"} | self.environment,
        )
        line = self.process.stdout.readline()
        self.address = line[line.index("http") :].strip()
        return self.ready() if wait else self

    def ready(self):
        """Wait until the city is open."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError), self._open(f"{self.address}city/map.json", timeout=30):
                return self
            time.sleep(0.2)
        self.end()
        raise AssertionError("the city was not opened")

    def end(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(30)
        self.process.stdout.close()

    def get(self, path):
        return self._said(urllib.request.Request(self.address + path))

    def post(self, path, fields, file=None):
        border = "b" * 30
        parts = [f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                 for name, value in {**fields, "csrfmiddlewaretoken": self._token}.items()]  # fmt: skip
        if file is not None:
            parts.append(f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="sites.geojson"\r\n\r\n'
                         f"{file}\r\n")  # fmt: skip
        body = "".join([*parts, f"--{border}--\r\n"]).encode()
        head = {"Content-Type": f"multipart/form-data; boundary={border}", "Origin": self.address.rstrip("/")}
        return self._said(urllib.request.Request(self.address + path, body, head))

    def _said(self, request):
        try:
            with self._open(request, timeout=90) as answer:
                url, text, status = answer.geturl(), answer.read().decode(), answer.status
        except urllib.error.HTTPError as error:
            with error:
                url, text, status = error.geturl(), error.read().decode(), error.code
        self._token = (re.findall(r'csrfmiddlewaretoken" value="(\w+)"', text) or [self._token])[0]
        return status, url.removeprefix(self.address), text

    def until(self, path, wanted):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            _, _, text = self.get(path)
            if wanted in text:
                return text
            time.sleep(0.2)
        raise AssertionError(text[-1500:])

    def given(self):
        self.get("")
        status, place, _ = self.post("give/file", {}, INSIDE)
        assert status == 200
        self.until(place, 'id="begin"')
        return place

    def screened(self, place):
        said = {f"assumed-{number}": "yes" for number in range(9)} | {"as_of": toy.AS_OF, "activity": "housing"}
        return self.post(f"{place}/screen", said)
