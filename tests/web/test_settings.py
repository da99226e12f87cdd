"""Settings of an office: PostgreSQL, a proxy that ends TLS, a dask cluster, a map below the layers."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import sqlite3
import ssl
import subprocess
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import pytest
import shapely
import toy
from command_line import RUN

pytest.importorskip("web_page")

from web_office import Office
from web_page import client

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return toy.city(tmp_path_factory.mktemp("city") / "city")


def test_a_database_server_for_jobs_and_for_a_layer(tmp_path, city):
    """PostgreSQL in place of SQLite, and a redline that lies in PostGIS: two of its rows are the file of the city."""
    psycopg = pytest.importorskip("psycopg")
    postgis_server = pytest.importorskip("postgis_server")
    with postgis_server.database() as address:
        base = address.replace("postgis://", "postgresql://")
        served = tmp_path / "city"
        shutil.copytree(city, served)
        redline = gpd.read_file(city / "redline.gpkg", engine="pyogrio").to_crs(4490)
        columns = [one for one in redline.columns if one != "geometry"]
        with psycopg.connect(base, autocommit=True) as connection:
            named = ", ".join(f'"{one}" text' for one in columns)
            connection.execute(f"CREATE TABLE redline (gid serial PRIMARY KEY, {named}, geom geometry(Geometry, 4490))")
            for row in redline.itertuples(index=False):
                values = [str(getattr(row, one)) for one in columns]
                marks = ", ".join(["%s"] * len(columns))
                connection.execute(
                    f"""INSERT INTO redline ({", ".join(f'"{one}"' for one in columns)}, geom)
                    VALUES ({marks}, ST_GeomFromWKB(%s, 4490))""",
                    [*values, shapely.to_wkb(row.geometry)],
                )
        text = (served / "catalog.toml").read_text("utf-8")
        text = text.replace('source = "redline.gpkg"', f'source = "{address}"\nsource_layer = "public.redline"')
        (served / "catalog.toml").write_text(text, "utf-8")
        (served / "redline.gpkg").unlink()
        office = Office(tmp_path / "data", served, LZGIS_DATABASE=base).start()
        try:
            _, place, _ = office.screened(office.given())
            shown = office.until(place, 'class="counts"')
            assert "存在禁止性冲突" in shown and "postgres@" not in shown
            assert "sites.geojson" in office.get("screenings")[2]
            with psycopg.connect(base) as connection:
                kinds = connection.execute("SELECT kind, state FROM web_job ORDER BY created").fetchall()
            assert kinds == [("inspect", "done"), ("screen", "done")]
            assert not (tmp_path / "data" / "lzgis.sqlite3").exists()
        finally:
            office.end(15)


class Proxy(BaseHTTPRequestHandler):
    """A proxy that ends TLS, and passes on what the documentation has nginx pass on."""

    port = 0

    def _passed(self):
        length = int(self.headers.get("Content-Length") or 0)
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        heads = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        heads |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.1.2.3", "Connection": "close"}
        wire.request(self.command, self.path, self.rfile.read(length) or None, heads)
        answer = wire.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        wire.close()

    do_GET = do_POST = _passed  # noqa: N815 (names of the base class)

    def log_message(self, *_):
        """Say nothing."""


def certificate(folder):
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    subprocess.run(
        [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


def test_behind_a_proxy_that_ends_tls(tmp_path, city):
    cert, key = certificate(tmp_path)
    named = os.environ | {"LZGIS_PASSWORD": PASSWORD, "PYTHONUTF8": "1"}
    subprocess.run([*RUN, "serve", "createadmin", "anna", "--data", str(tmp_path / "data")], env=named, check=True,
                   capture_output=True)  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        inside = free.getsockname()[1]
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Proxy,), {"port": inside}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    outside = f"https://localhost:{proxy.server_address[1]}/"
    office = Office(tmp_path / "data", city, "--port", str(inside), "--address", outside)
    trusted = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(cert)))
    office._open = urllib.request.build_opener(trusted, urllib.request.HTTPCookieProcessor(office.cookies)).open
    try:
        office.start(wait=False)
        assert office.address == outside.rstrip("/")
        office.address = outside
        status, place, _ = office.get("screenings")
        assert (status, place.partition("?")[0]) == (200, "login")
        status, place, _ = office.post("login", {"name": "anna", "password": PASSWORD, "next": "/"})
        assert (status, place) == (200, "")
        assert all(one.secure for one in office.cookies)
        office.ready()
        _, place, _ = office.screened(office.given())
        office.until(place, 'class="counts"')
        # The log has the address that the proxy states; without the proxy, no name of this computer is taken for that.
        assert "10.1.2.3" in office.get("log")[2]
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", inside, timeout=30)) as wire:
            wire.request("GET", "/login", headers={"Host": "evil.example"})
            assert wire.getresponse().status == 400
    finally:
        office.end(15)
        proxy.shutdown()
        proxy.server_close()


@pytest.mark.filterwarnings("ignore")
def test_the_same_jobs_run_on_a_cluster(tmp_path, city):
    distributed = pytest.importorskip("distributed")
    where = {"local_directory": str(tmp_path / "dask"), "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=True, **where) as cluster:
        office = Office(tmp_path / "data", city, "--scheduler", cluster.scheduler_address).start()
        try:
            here = subprocess.run(["ps", "-o", "args=", "--ppid", str(office.process.pid)], capture_output=True,
                                  encoding="utf-8", check=False)  # fmt: skip
            assert "lzgis.web.worker" not in here.stdout
            _, place, _ = office.screened(office.given())
            text = office.until(place, 'class="counts"')
            assert "存在禁止性冲突" in text
        finally:
            office.end(15)


def tiles(path):
    with contextlib.closing(sqlite3.connect(path)) as base:
        base.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
        base.execute("INSERT INTO tiles VALUES (1, 0, 1, ?)", (b"\x89PNG\r\n\x1a\nrest",))
        base.commit()
    return str(path)


def test_a_map_below_the_layers(page, tmp_path, monkeypatch):
    from django.conf import settings

    bounds = settings.LZGIS.bounds
    assert page.get("/tiles/1/0/0").status_code == 404
    monkeypatch.setitem(bounds.__dict__, "base_map", tiles(tmp_path / "here.mbtiles"))
    # Rows of the file are counted from the south: row 1 of 2 is the northern one.
    found = page.get("/tiles/1/0/0")
    assert (found.status_code, found.headers["Content-Type"]) == (200, "image/png")
    assert page.get("/tiles/1/0/1").status_code == 204
    assert page.get("/tiles/99/0/0").status_code == 404
    shown = page.get("/")
    assert 'data-base="/tiles/{z}/{x}/{y}"' in shown.content.decode()
    assert "img-src 'self' data:;" in shown.headers["Content-Security-Policy"]
    monkeypatch.setitem(bounds.__dict__, "base_map", "https://maps.office:8080/{z}/{x}/{y}.png")
    shown = client().get("/")
    assert "img-src https://maps.office:8080 'self' data:;" in shown.headers["Content-Security-Policy"]
    assert 'data-base="https://maps.office:8080/{z}/{x}/{y}.png"' in shown.content.decode()


def test_a_base_map_that_is_none_is_refused(tmp_path):
    from lzgis.errors import ConfigError
    from lzgis.web.options import bounds_of

    for text in ("javascript:alert(1)", "https://maps.office/a.png", "https://maps.office/{z}';x/{x}/{y}"):
        (tmp_path / "settings.toml").write_text(f'base_map = "{text}"', "utf-8")
        with pytest.raises(ConfigError, match="base_map"):
            bounds_of(tmp_path)
