"""Load on the page: planners who give sites and read verdicts at the same time, on this computer.

``python benchmarks/page_load.py [--planners 20] [--screenings 200] [--most-s 900]`` starts ``lzgis serve`` on the reference
city. Each planner sends every kind of request that a browser sends: a file, the answers to its questions, the page of the
result. Every tenth screening has 50 sites, the others one. Each verdict is compared with that of `lzgis.screen`. Printed as
JSON: the times from the click on the last button to the page with the verdict, for one site alone and under load, what was
lost or differs, and the memory of server and workers. After `--most-s` seconds no screening is begun any more; ``screenings``
says how many were done.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import lzgis as lz

AS_OF = "2026-11-21"
RUN = [sys.executable, "-c", "import sys; sys.argv[0] = 'lzgis'; from lzgis.cli.app import main; main()"]


class Browser:
    """The part of a browser that the page needs: cookies, forms and redirects."""

    def __init__(self, address: str) -> None:
        self.address = address
        jar = http.cookiejar.CookieJar()
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        self._token = ""

    def get(self, path: str) -> tuple[str, str]:
        with self._open.open(self.address + path, timeout=600) as answer:
            text = answer.read().decode()
            self._token = (re.findall(r'csrfmiddlewaretoken" value="(\w+)"', text) or [self._token])[0]
            return answer.geturl(), text

    def post(self, path: str, fields: dict[str, str], file: tuple[str, bytes] | None = None) -> tuple[str, str]:
        border = uuid.uuid4().hex
        parts = [
            f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in {**fields, "csrfmiddlewaretoken": self._token}.items()
        ]
        if file is not None:
            head = f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{file[0]}"\r\n\r\n'
            parts.append(head.encode() + file[1] + b"\r\n")
        body = b"".join([*parts, f"--{border}--\r\n".encode()])
        request = urllib.request.Request(self.address + path, body)
        request.add_header("Content-Type", f"multipart/form-data; boundary={border}")
        with self._open.open(request, timeout=600) as answer:
            return answer.geturl(), answer.read().decode()

    def until(self, url: str, text: str, done: str) -> str:
        """Reload a page until it has what is waited for, as the page does by itself."""
        while done not in text:
            if 'id="progress"' not in text:
                said = re.findall(r'class="problem"[^>]*>(.*?)</p>', text, re.DOTALL)
                raise RuntimeError(f"{url} {said or text[-2000:]}")
            time.sleep(int((re.findall(r"delay:(\d+)ms", text) or ["350"])[0]) / 1000)
            url, text = self.get(url.removeprefix(self.address))
        return text


def screening(browser: Browser, name: str, content: bytes) -> tuple[float, float, list[int]]:
    """Do one screening; return the seconds to the diagnosis, from the last click to the verdicts, and their number by kind."""
    browser.get("")
    given = time.perf_counter()
    url, text = browser.post("give/file", {}, (name, content))
    text = browser.until(url, text, 'id="begin"')
    diagnosed = time.perf_counter() - given
    check = re.findall(r"check/(\w{32})/screen", text)[0]
    said = dict.fromkeys(re.findall(r'name="(assumed-\d+)"', text), "yes")
    browser._token = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', text)[0]
    begun = time.perf_counter()
    url, text = browser.post(f"check/{check}/screen", {**said, "as_of": AS_OF})
    text = browser.until(url, text, 'class="counts"')
    taken = time.perf_counter() - begun
    counts = [int(one) for one in re.findall(r"<b>(\d+)</b></a></li>", text)]
    return diagnosed, taken, counts


def memory_mb(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status")
        if status.exists():
            total += int(re.findall(r"VmRSS:\s+(\d+)", status.read_text())[0])
    return round(total / 1024, 1)


def processor_s(pids: list[int]) -> float:
    """Return the processor time of processes and of those below them that have ended."""
    total = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/stat")
        if status.exists():
            total += sum(map(int, status.read_text().rpartition(")")[2].split()[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, encoding="ascii", check=False)
    own = [int(one) for one in found.stdout.split()]
    return own + [below for one in own for below in children(one)]


def inputs(folder: Path) -> list[tuple[str, bytes, list[int]]]:
    """Return the files that are sent, with the number of sites by verdict that each must give."""
    city = lz.open_catalogue(lz.reference_city())
    sites = lz.read_sites(lz.reference_city() / "sites.gpkg", near=city.outline)
    verdicts = [v.value for v in lz.Verdict]
    made = []
    for start, count in [(0, 50), *((n, 1) for n in range(20))]:
        path = folder / f"sites-{start}-{count}.geojson"
        sites.frame.iloc[start : start + count].to_file(path, engine="pyogrio")
        found = lz.screen(path, city, as_of=AS_OF).verdicts["verdict"]
        made.append((path.name, path.read_bytes(), [int((found == one).sum()) for one in verdicts]))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--planners", type=int, default=20)
    parser.add_argument("--screenings", type=int, default=200)
    parser.add_argument("--most-s", type=float, default=900.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        files = inputs(Path(scratch))
        command = [*RUN, "serve", "--port", "0", "--no-browser", "--data", str(Path(scratch) / "data")]
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as server:
            assert server.stdout is not None
            line = server.stdout.readline()
            try:
                print(json.dumps(measured(line[line.index("http") :].strip(), server.pid, files, options), indent=1))
            finally:
                server.terminate()


def measured(address: str, pid: int, files: list[tuple[str, bytes, list[int]]], options: Any) -> dict[str, Any]:
    many, single = files[0], files[1:]
    first = Browser(address)
    for name, content, _ in single[:3]:
        screening(first, name, content)
    alone = [screening(first, name, content)[:2] for name, content, _ in single[:10]]
    todo = [many if n % 10 == 9 else single[n % len(single)] for n in range(options.screenings)]
    times: list[tuple[int, float, float]] = []
    wrong: list[str] = []
    lock = threading.Lock()

    begun = time.perf_counter()

    def plan() -> None:
        browser = Browser(address)
        while True:
            with lock:
                if not todo or time.perf_counter() > begun + options.most_s:
                    return
                name, content, expected = todo.pop()
            try:
                diagnosed, taken, counts = screening(browser, name, content)
            except Exception as error:
                wrong.append(f"{name}: {error}"[:300])
                continue
            with lock:
                times.append((sum(expected), diagnosed, taken))
                if counts != expected:
                    wrong.append(f"{name}: {counts} instead of {expected}")

    processor, own = processor_s([pid, *children(pid)]), processor_s([pid])
    planners = [threading.Thread(target=plan) for _ in range(options.planners)]
    for one in planners:
        one.start()
    for one in planners:
        one.join()
    loaded = sorted(taken for count, _, taken in times if count == 1)
    looked = sorted(diagnosed for count, diagnosed, _ in times if count == 1)
    many_taken = [taken for count, _, taken in times if count > 1]
    return {
        "cores": os.cpu_count(),
        "load_of_the_computer": os.getloadavg()[1],
        "diagnosis_alone_median_s": round(statistics.median(one for one, _ in alone), 2),
        "one_site_alone_median_s": round(statistics.median(one for _, one in alone), 2),
        "planners": options.planners,
        "screenings": len(times),
        "lost_or_different": wrong,
        "whole_s": round(time.perf_counter() - begun, 1),
        "diagnosis_median_s": round(statistics.median(looked), 2),
        "diagnosis_p95_s": round(looked[int(0.95 * (len(looked) - 1))], 2),
        "fifty_sites_median_s": round(statistics.median(many_taken), 2) if many_taken else None,
        "one_site_median_s": round(statistics.median(loaded), 2),
        "one_site_p95_s": round(loaded[int(0.95 * (len(loaded) - 1))], 2),
        "processor_s_per_screening": round((processor_s([pid, *children(pid)]) - processor) / len(times), 2),
        "of_which_server_s": round((processor_s([pid]) - own) / len(times), 2),
        "memory_mb": memory_mb([pid, *children(pid)]),
    }


if __name__ == "__main__":
    main()
