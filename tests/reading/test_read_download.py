"""Files on the web: fetched only when allowed, and within limits; with a server on loopback."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import pytest
from shapely import box

import lzgis.reading.formats.download as download
from lzgis.errors import SourceError
from lzgis.reading import ReadOptions, read_sites, read_vector, sha256_of

ALLOWED = ReadOptions(network="allowed")


class Quiet(SimpleHTTPRequestHandler):
    requested: list[str] = []

    def do_GET(self):
        self.requested.append(self.path)
        if self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    frame = gpd.GeoDataFrame({"id": ["甲"]}, geometry=[box(112, 25, 112.1, 25.1)], crs=4490)
    frame.to_file(tmp_path / "s.gpkg", engine="pyogrio")
    Quiet.requested = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_without_permission_nothing_is_fetched(web):
    with pytest.raises(
        SourceError,
        match="is on the network, which is not used without permission; fetch the file yourself, or use --allow-network",
    ):
        read_vector(f"{web}/s.gpkg")
    assert Quiet.requested == []


def test_a_file_that_is_allowed_is_fetched_and_read(web, tmp_path):
    user = web.replace("http://", "http://me:s3cret@")
    table = read_sites(f"{web}/s.gpkg?key=s3cret", options=ALLOWED)
    assert table.frame["id"].tolist() == ["甲"]
    assert (table.source.name, table.source.sha256) == (f"{web}/s.gpkg", sha256_of(tmp_path / "s.gpkg"))
    with pytest.raises(SourceError) as error:
        read_vector(f"{user}/none.gpkg", options=ALLOWED)
    assert "s3cret" not in str(error.value)
    redirected = read_vector(f"{web}/away.gpkg?{web}/s.gpkg", options=ALLOWED)
    assert len(redirected.frame) == 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "/none.gpkg",
            r"cannot be fetched \(HTTP Error 404: File not found\); fetch the file yourself and give its path",
        ),
        ("/s.vrt", r"files that end in '\.vrt' are not read; allowed: \.gpkg"),
        ("/away.gpkg?ftp://127.0.0.1/s.gpkg", r"cannot be fetched \(.*unknown url type: ftp"),
        ("/s", "files that end in '' are not read"),
        ("/s.gdb", r"files that end in '\.gdb' are not read"),
        ("/away.gpkg?file:///etc/passwd", r"cannot be fetched \(.*Redirection to url .* is not allowed"),
    ],
)
def test_what_is_not_fetched(web, path, message):
    with pytest.raises(SourceError, match=message):
        read_vector(web + path, options=ALLOWED)


def test_a_file_that_is_too_large_or_too_slow(web, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", 100)
    with pytest.raises(SourceError, match=r"is larger than 100 bytes; fetch the file yourself"):
        read_vector(f"{web}/s.gpkg", options=ALLOWED)
    monkeypatch.undo()
    monkeypatch.setattr(download, "MOST_SECONDS", -1)
    with pytest.raises(SourceError, match=r"takes longer than -1 seconds to fetch"):
        read_vector(f"{web}/s.gpkg", options=ALLOWED)


def test_messages_name_the_address_and_not_a_copy(web, tmp_path):
    (tmp_path / "s.csv").write_text("id,lon,lat\n1,x,25\n2,112,25\n")
    problem = next(p for p in read_vector(f"{web}/s.csv", options=ALLOWED).problems if p.level == "error")
    assert str(problem.place) == f"{web}/s.csv, row 2, column 'lon'"
