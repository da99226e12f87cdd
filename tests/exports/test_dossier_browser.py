"""The page in a browser without a network: it opens, prints on A4, and makes no request."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dossier_fixture import city_report, only, pdf_text, squeezed
from report_fixture import SCRIPT, toy_report

from lzgis.exports.dossier import write_html

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium: install it, or name it in the variable CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Opened:
    """A page opened offline, with its requests and messages."""

    def __init__(self, browser: Any, path: Path, *, width: int = 1000) -> None:
        self.context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
        self.page = self.context.new_page()
        self.heard: list[str] = []
        self.page.on("console", lambda message: self.heard.append(message.text))
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.heard.append("dialog"), dialog.dismiss()))
        self.page.on(
            "request", lambda r: self.heard.append(r.url) if not r.url.startswith(("file:", "data:")) else None
        )
        self.page.goto(path.as_uri())


def test_a_page_opens_and_prints(chromium: Any, tmp_path: Path) -> None:
    [path] = write_html(only(city_report(), "P37"), tmp_path)
    opened = Opened(chromium, path)
    page = opened.page
    assert page.title() == "P37 连州市星子石材循环经济产业园"
    assert "79,096" in page.inner_text("#findings")
    assert page.eval_on_selector_all("img", "all => all.every(i => i.complete && i.naturalWidth > 0)")
    tint = page.eval_on_selector("td.mark0", "e => getComputedStyle(e).backgroundColor")
    assert tint == "rgb(248, 207, 207)"
    page.pdf(path=str(tmp_path / "print.pdf"), prefer_css_page_size=True)
    assert opened.heard == []
    opened.context.close()
    pages = pdf_text(tmp_path / "print.pdf").rstrip("\f").split("\f")
    for number, text in enumerate(pages, 1):
        assert "示意数据，不得作为审批依据" in squeezed(text)
        assert f"第{number}页共{len(pages)}页" in squeezed(text)


def test_nothing_is_wider_than_the_screen_of_a_phone(chromium: Any, tmp_path: Path) -> None:
    [path] = write_html(only(city_report(), "T05"), tmp_path)
    opened = Opened(chromium, path, width=390)
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    opened.context.close()
    assert wide <= 390


def test_hostile_text_does_nothing(chromium: Any, tmp_path: Path) -> None:
    for path in write_html(toy_report(), tmp_path):
        opened = Opened(chromium, path)
        shown = opened.page.inner_text("body")
        opened.context.close()
        assert opened.heard == []
        if path.stem.startswith("=cmd"):
            assert SCRIPT in shown
