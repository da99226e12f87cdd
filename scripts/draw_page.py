"""Take docs/serve.png: the page with the answer for the projects of the reference city, as a browser shows it.

``python scripts/draw_page.py [--chromium PATH]`` needs the extra ``web`` and Playwright.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).parent.parent / "docs" / "serve.png"
RUN = [sys.executable, "-c", "import sys; sys.argv[0] = 'lzgis'; from lzgis.cli.app import main; main()"]
SIZE = {"width": 1400, "height": 900}
WAIT_MS = 180_000


def taken(address: str, chromium: str | None) -> None:
    """Screen the projects of the city, open the first of them, and save the picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(WAIT_MS)
        page.goto(address)
        page.wait_for_selector("#map .lz-place", state="attached")
        page.click("#example")
        page.wait_for_selector("#begin")
        for box in page.query_selector_all("fieldset.question input"):
            box.check()
        page.fill("input[name=as_of]", "2026-11-21")
        page.click("#begin")
        page.wait_for_selector(".counts")
        page.wait_for_selector("body.map-ready")
        page.click("details[data-number='0'] summary")
        page.wait_for_selector(".detail .site [data-zoom]")
        page.click(".detail .site [data-zoom]")
        page.evaluate("window.scrollTo(0, 0)")
        page.wait_for_timeout(1_000)
        page.screenshot(path=TARGET)
        browser.close()


def main() -> None:
    """Start the page on data of its own, and take the picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chromium", help="the program of the browser; that of Playwright if not given")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        command = [*RUN, "serve", "--port", "0", "--no-browser", "--data", str(Path(scratch) / "data")]
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as server:
            assert server.stdout is not None
            line = server.stdout.readline()
            try:
                taken(line[line.index("http") :].strip(), options.chromium)
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
