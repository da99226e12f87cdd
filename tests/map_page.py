"""Reading a map's page, as text and in a browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from lzgis.exports.map import write_map
from lzgis.exports.map.shapes import arc_of
from lzgis.model.report import Report

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
]  # fmt: skip


class Page(HTMLParser):
    """The tags of a page and the data that it carries."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = path.read_text("utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, Any] = {}
        self._block = ""
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._block = (dict(attrs).get("id") or "") if tag == "script" else ""

    def handle_data(self, data: str) -> None:
        if self._block:
            self.data[self._block.removeprefix("lz-")] = json.loads(data)
            self._block = ""


def page_of(report: Report, path: Path, **options: Any) -> Page:
    write_map(report, path, **options)
    return Page(path)


@contextmanager
def browser() -> Iterator[Any]:
    """Start Chromium; skip the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium: install it, or name it in the variable CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Seen:
    """A page opened without a network, with all its requests and messages."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, height: int = 800) -> None:
        self.context = browser.new_context(offline=True, viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.requested: list[str] = []
        self.messages: list[str] = []
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.messages.append("dialog"), dialog.dismiss()))
        self.address = path.as_uri()
        self.page.goto(self.address)
        self.page.wait_for_selector("body.lz-ready", timeout=20_000)

    def close(self) -> None:
        """Close the page; it must have been quiet."""
        outside = [url for url in self.requested if url != self.address and not url.startswith("data:")]
        pwned = self.page.evaluate("window.__pwned")
        self.context.close()
        assert outside == []
        assert self.messages == []
        assert pwned is None

    def shown(self, selector: str) -> int:
        """Count the elements that are seen."""
        return sum(one.is_visible() for one in self.page.query_selector_all(selector))


def decoded(topology: dict[str, Any]) -> np.ndarray:
    """Read the shapes of a topology whose arcs are texts, as the scripts of the page do; None for one without a shape."""
    step, origin = (np.array(topology["transform"][name]) for name in ("scale", "translate"))
    arcs = [np.cumsum(arc_of(arc), axis=0) for arc in topology["arcs"]]

    def line(numbers: list[int]) -> np.ndarray:
        parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return np.vstack([parts[0], *(part[1:] for part in parts[1:])]) * step + origin

    def polygon(rings: list[list[int]]) -> Any:
        return shapely.Polygon(line(rings[0]), [line(one) for one in rings[1:]])

    def point(cell: list[int]) -> Any:
        return shapely.Point(np.array(cell) * step + origin)

    def shape(one: dict[str, Any]) -> Any:
        kind = one["type"]
        if kind == "GeometryCollection":
            return shapely.GeometryCollection([shape(part) for part in one["geometries"]])
        if kind is None:
            return None
        make: Any = {"Point": point, "LineString": lambda arc: shapely.LineString(line(arc)), "Polygon": polygon}
        many = one["coordinates" if "Point" in kind else "arcs"]
        if not kind.startswith("Multi"):
            return make[kind](many)
        parts = [make[kind.removeprefix("Multi")](part) for part in many]
        return getattr(shapely, kind)(parts)

    found = np.empty(len(topology["objects"]["d"]["geometries"]), dtype=object)
    found[:] = [shape(one) for one in topology["objects"]["d"]["geometries"]]
    return found
