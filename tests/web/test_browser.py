"""The page in Chromium: the steps for each way to give a site, widths, both languages, no message in the console.

The server is the real command in a separate process, on the toy city.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path

import pytest
import toy
from command_line import RUN
from map_page import browser as chromium
from web_page import square_text

pytestmark = pytest.mark.browser

INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a running server."""
    folder = tmp_path_factory.mktemp("serve")
    data, city = folder / "data", toy.city(folder / "city")
    command = [*RUN, "serve", "--port", "0", "--no-browser", "--workers", "1", "--data", data, "--layers", city]
    process = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    yield line[line.index("http") :].strip()
    process.terminate()
    process.wait(20)
    process.stdout.close()


@pytest.fixture(scope="module")
def browser():
    with chromium() as one:
        yield one


class Planner:
    """A browser's page that may only ask the server, and whose console must stay empty."""

    def __init__(self, browser, address, width=1400, height=900):
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.messages, self.elsewhere = [], []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", self._asked)
        self.page.set_default_timeout(90_000)
        self.address = address

    def __enter__(self):
        self.go("")
        self.page.wait_for_selector("body.map-ready")
        # Until a worker has opened the city, the map has nothing to draw.
        while not self.page.query_selector(".leaflet-overlay-pane, [class*=lz-layer]"):
            self.page.wait_for_timeout(200)
        return self

    def __exit__(self, kind, *_):
        pwned = self.page.evaluate("window.__pwned")
        self.context.close()
        if kind is None:
            assert self.messages == []
            assert self.elsewhere == []
            assert pwned is None

    def go(self, path):
        self.page.goto(self.address + path)

    def confirm_and_screen(self):
        """Answer every question of the second step, and begin."""
        self.page.wait_for_selector("#begin")
        for box in self.page.query_selector_all("fieldset.question input"):
            box.check()
        self.page.fill("input[name=as_of]", toy.AS_OF)
        self.page.click("#begin")
        self.page.wait_for_selector(".counts")

    def _asked(self, request):
        if not request.url.startswith((self.address, "data:")):
            self.elsewhere.append(request.url)

    def fits(self):
        """Whether nothing stands out of the window to the right."""
        return self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture(scope="module", autouse=True)
def warm(address):
    """Wait until the workers have opened the city."""
    import time

    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}city/map.json"):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the city was not opened")


def test_a_file_is_dropped_checked_and_answered(browser, address, tmp_path):
    (tmp_path / "sites.geojson").write_text(INSIDE, "utf-8")
    with Planner(browser, address) as planner:
        page = planner.page
        page.set_input_files("#files", tmp_path / "sites.geojson")
        planner.confirm_and_screen()
        assert "存在禁止性冲突" in page.inner_text(".result .verdict")
        assert page.inner_text(".counts .v0 b") == "1"
        # The site and its conflict part are drawn.
        page.wait_for_selector("body.map-ready")
        assert page.locator("path.leaflet-interactive").count() >= 2
        page.click(".avoidbutton")
        page.wait_for_selector("[data-avoid]")
        page.click("[data-avoid]")
        page.wait_for_selector('path[stroke-dasharray="7 5"]')
        page.click("text=Excel 工作簿")
        page.wait_for_selector(".take a.done")
        with page.expect_download() as taken:
            page.click(".take a.done")
        assert Path(taken.value.path()).stat().st_size > 5_000


def test_pasted_corners_are_answered(browser, address):
    ring = json.loads(INSIDE)["features"][0]["geometry"]["coordinates"][0][:4]
    with Planner(browser, address) as planner:
        planner.page.fill("#text", "\n".join(f"J{n} {x:.7f} {y:.7f}" for n, (x, y) in enumerate(ring, start=1)))
        planner.page.select_option("select[name=crs]", "EPSG:4490")
        planner.page.click("text=诊断坐标")
        planner.page.wait_for_selector("#activity")
        planner.page.fill("#activity-search", "居住")
        planner.page.press("#activity-search", "Enter")
        assert planner.page.input_value("#activity") == "housing"
        planner.confirm_and_screen()
        assert "存在禁止性冲突" in planner.page.inner_text(".result .verdict")


@pytest.mark.parametrize("tool", ["Marker", "Line", "Polygon"])
def test_a_drawing_is_measured_and_answered(browser, address, tool):
    with Planner(browser, address) as planner:
        page = planner.page
        page.evaluate("lzPage.map.setView([25.0045, 112.505], 15, {animate: false})")
        page.evaluate(f"lzPage.map.pm.enableDraw('{tool}')")
        box = page.locator("#map").bounding_box()
        corners = [(300, 200), (380, 200), (380, 280)]
        for x, y in corners[:1] if tool == "Marker" else corners:
            page.mouse.move(box["x"] + x, box["y"] + y)
            page.mouse.click(box["x"] + x, box["y"] + y)
        if tool == "Line":
            page.mouse.click(box["x"] + 380, box["y"] + 280)
        elif tool == "Polygon":
            page.mouse.click(box["x"] + 300, box["y"] + 200)
        page.wait_for_selector("#drawn-send:not([disabled])")
        said = page.inner_text("#measure")
        assert {"Marker": ", ", "Line": " m", "Polygon": "㎡"}[tool] in said
        page.fill("#drawn-name", "画的")
        page.click("#drawn-send")
        planner.confirm_and_screen()
        assert page.locator(".counts").count() == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wrong.dxf", b"not a drawing"),
        ("wrong.geojson", b"{}"),
        ("wrong.gpkg", b"SQLite format 3\0"),
        ("empty.txt", b""),
    ],
)
def test_a_wrong_file_is_explained(browser, address, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with Planner(browser, address) as planner:
        planner.page.set_input_files("#files", tmp_path / name)
        planner.page.wait_for_selector(".problem[role=alert]:visible")
        assert planner.page.query_selector("#begin") is None


@pytest.mark.parametrize("width", [390, 768, 1400, 1920])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_fit_windows_of_every_width(browser, address, tmp_path, width, language):
    (tmp_path / "sites.geojson").write_text(INSIDE, "utf-8")
    with Planner(browser, address, width) as planner:
        page = planner.page
        if language == "en":
            page.click(".language button")
            page.wait_for_selector("html[lang=en]")
        assert planner.fits()
        page.set_input_files("#files", tmp_path / "sites.geojson")
        page.wait_for_selector("#begin")
        assert planner.fits()
        planner.confirm_and_screen()
        assert planner.fits()
        for path in ("screenings", "city", "account", "log", "api.html"):
            planner.go(path)
            assert planner.fits(), path


def test_scripts_in_names_do_not_run(browser, address, tmp_path):
    script = "<img src=x onerror=window.__pwned=1><script>window.__pwned=1</script>"
    (tmp_path / "sites.geojson").write_text(square_text(0, 0, id=script, name=script, activity="住宅"), "utf-8")
    with Planner(browser, address) as planner:
        planner.page.set_input_files("#files", tmp_path / "sites.geojson")
        planner.confirm_and_screen()
        planner.page.wait_for_selector("body.map-ready")
        planner.page.locator("path.leaflet-interactive").first.dispatch_event("click")
        planner.page.wait_for_timeout(300)
        planner.go("screenings")


def test_the_keyboard_is_enough(browser, address):
    with Planner(browser, address) as planner:
        page = planner.page
        page.focus("#text")
        page.keyboard.type("POINT (112.505 25.0045)")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("form.declare, #begin")
        if page.query_selector("#begin") is None:
            page.focus("input[name=crs]")
            page.keyboard.type("EPSG:4490")
            page.keyboard.press("Enter")
        page.wait_for_selector("#begin")
        for box in page.query_selector_all("fieldset.question input:not(:checked)"):
            box.focus()
            page.keyboard.press("Space")
        page.focus("#begin")
        page.keyboard.press("Enter")
        page.wait_for_selector(".counts")


def boundary_text():
    """The square as a file of boundary points, in the 38th zone of three degrees."""
    from pyproj import Transformer

    ring = json.loads(INSIDE)["features"][0]["geometry"]["coordinates"][0]
    east, north = Transformer.from_crs("EPSG:4490", "EPSG:4526", always_xy=True).transform(*zip(*ring, strict=True))
    points = [f"J{n % 4 + 1},1,{y:.4f},{x:.4f}" for n, (x, y) in enumerate(zip(east, north, strict=True))]
    head = ["[属性描述]", "坐标系=2000国家大地坐标系", "几度分带=3", "投影类型=高斯克吕格", "计量单位=米", "带号=38"]
    return "\n".join([*head, "[地块坐标]", "4,1.0,s1,甲,面,,住宅,,@", *points]) + "\n"


def drawing(path):
    import ezdxf
    from pyproj import Transformer

    ring = json.loads(INSIDE)["features"][0]["geometry"]["coordinates"][0][:4]
    drawn = ezdxf.new()
    corners = list(zip(*Transformer.from_crs("EPSG:4490", "EPSG:4526", always_xy=True).transform(
        *zip(*ring, strict=True)), strict=True))  # fmt: skip
    drawn.modelspace().add_lwpolyline(corners, close=True)
    drawn.saveas(path)


@pytest.mark.parametrize("name", ["sites.txt", "sites.dxf"])
def test_boundary_points_and_drawings_are_answered(browser, address, tmp_path, name):
    if name.endswith("txt"):
        (tmp_path / name).write_text(boundary_text(), "utf-8")
    else:
        drawing(tmp_path / name)
    with Planner(browser, address) as planner:
        page = planner.page
        page.set_input_files("#files", tmp_path / name)
        page.wait_for_selector("form.declare", state="attached")
        if name.endswith("dxf"):
            # A drawing names no system, and its outline may be a line: both are questions.
            page.wait_for_selector("button:has-text('EPSG:4526'), #begin")
            page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            page.fill("input[name=crs]", "EPSG:4526")
            page.check("input[name=shapes]")
            page.click("form.declare > button[type=submit]")
        page.wait_for_selector("#begin")
        page.select_option("#activity", "housing")
        planner.confirm_and_screen()
        assert "存在禁止性冲突" in page.inner_text(".result .verdict")


def test_what_was_drawn_is_undone(browser, address):
    with Planner(browser, address) as planner:
        page = planner.page
        page.evaluate("lzPage.map.setView([25.0045, 112.505], 15, {animate: false})")
        box = page.locator("#map").bounding_box()
        page.evaluate("lzPage.map.pm.enableDraw('Polygon')")
        corners = [(300, 200), (380, 200), (380, 280), (300, 280)]
        for x, y in corners:
            page.mouse.move(box["x"] + x, box["y"] + y)
            page.mouse.click(box["x"] + x, box["y"] + y)
        page.click("#undo")
        page.mouse.click(box["x"] + 300, box["y"] + 200)
        page.wait_for_selector("#drawn-send:not([disabled])")
        # Three corners are left of four; the whole shape goes with the next step back.
        assert page.evaluate("lzDrawn.getLayers()[0].getLatLngs()[0].length") == 3
        page.keyboard.press("Control+z")
        page.wait_for_selector("#drawn-send[disabled]")
        assert page.evaluate("lzDrawn.getLayers().length") == 0
        assert page.is_disabled("#undo")


AXE = Path(__file__).parent / "static" / "axe" / "axe.min.js"


def findings(page):
    """What axe finds that is serious or worse."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
    return [
        (one["id"], one["impact"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing_serious(browser, address, tmp_path, language):
    two = json.loads(INSIDE)
    two["features"].append(json.loads(square_text(500, 0, id="s2", name="乙", activity="住宅"))["features"][0])
    (tmp_path / "sites.geojson").write_text(json.dumps(two), "utf-8")
    with Planner(browser, address) as planner:
        page, found = planner.page, {}
        if language == "en":
            page.click(".language button")
            page.wait_for_selector("html[lang=en]")
        found["give"] = findings(page)
        page.set_input_files("#files", tmp_path / "sites.geojson")
        page.wait_for_selector("#begin")
        page.wait_for_selector("body.map-ready")
        found["check"] = findings(page)
        planner.confirm_and_screen()
        page.wait_for_selector("body.map-ready")
        page.locator(".sitelist summary").first.click()
        page.wait_for_selector(".site h2")
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        page.wait_for_selector(".site h2")
        found["read"] = findings(page)
        page.click("a[href*=compare]")
        page.wait_for_selector("table.compare")
        found["compare"] = findings(page)
        for path in ("screenings", "city", "documents", "versions", "account", "accounts", "log", "api.html"):
            planner.go(path)
            found[path] = findings(page)
        assert {name: one for name, one in found.items() if one} == {}


def test_every_control_has_a_name(browser, address):
    with Planner(browser, address) as planner:
        for path in ("", "screenings", "city", "account"):
            planner.go(path)
            nameless = planner.page.evaluate(
                """() => Array.from(document.querySelectorAll("button, a, input:not([type=hidden]), select, textarea"))
                .filter(one => one.offsetParent !== null && !(one.textContent.trim() || one.getAttribute("aria-label")
                  || one.title || (one.labels && one.labels.length && one.labels[0].textContent.trim())))
                .map(one => one.outerHTML.slice(0, 120))"""
            )
            assert nameless == [], path
