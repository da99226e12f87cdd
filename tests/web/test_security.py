"""What must not be possible: each attack that a page of an office has to withstand is a test."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib

import pytest
from web_page import DATA, OPTIONS, PASSWORD, client, content, given, job_of, logged_in, screened, square_text, upload

from lzgis.errors import ConfigError
from lzgis.web.models import Entry, Job, LoginFailure, Role, Token, Upload, User
from lzgis.web.options import ServeOptions
from lzgis.web.pages import supervisor
from lzgis.web.uploads import safe_name

INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")
SCRIPT = "<script>window.__pwned=1</script><img src=x onerror=window.__pwned=1>"
#: Every page that changes something, without arguments.
CHANGES = ("/give/file", "/give/text", "/give/drawn", "/give/example", "/language", "/logout", "/account", "/accounts")


# --- who may ask --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", CHANGES)
def test_a_form_without_a_token_is_refused(page, address):
    strict = client(enforce_csrf_checks=True)
    assert strict.post(address, {"text": "POINT (112.5 25)"}).status_code == 403
    assert Job.objects.count() == 0


def test_a_form_with_the_token_of_the_page_is_taken(page):
    strict = client(enforce_csrf_checks=True)
    shown = strict.get("/").content.decode()
    token = shown.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    found = strict.post("/language", {"language": "en", "next": "/", "csrfmiddlewaretoken": token})
    assert found.status_code == 302


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8741", "127.0.0.1:80", "127.0.0.1", "localhost.evil.example:8741", ""]
)
def test_another_host_is_refused(page, host):
    assert page.get("/", HTTP_HOST=host).status_code == 400
    assert page.get("/api", HTTP_HOST=host).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8741", "localhost:8741", "[::1]:8741"])
def test_the_names_of_this_computer_are_answered(page, host):
    assert page.get("/", HTTP_HOST=host).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://evil.example:8741"]
)
def test_another_origin_is_refused(page, origin):
    assert page.post("/give/text", {"text": "POINT (112.5 25)"}, HTTP_ORIGIN=origin).status_code == 400
    assert page.get("/screenings", HTTP_ORIGIN=origin).status_code == 400
    assert Job.objects.count() == 0


def test_other_sites_may_link_but_not_embed_or_fetch(page):
    away = {"HTTP_SEC_FETCH_SITE": "cross-site"}
    assert page.get("/", **away, HTTP_SEC_FETCH_MODE="navigate").status_code == 200
    assert page.get("/city/map.json", **away, HTTP_SEC_FETCH_MODE="no-cors").status_code == 400
    assert page.post("/give/text", {"text": "x"}, **away, HTTP_SEC_FETCH_MODE="navigate").status_code == 400


def test_every_answer_has_a_strict_policy(page):
    for address in ("/", "/screenings", "/city", "/nothing", "/static/web/page.css", "/api"):
        found = page.get(address)
        policy = found.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, address
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert found.headers["X-Content-Type-Options"] == "nosniff"
    shown = page.get("/").content.decode()
    # Nothing inline, nothing from another server.
    assert "<style" not in shown
    assert " style=" not in shown
    assert "<script>" not in shown
    assert "http://" not in shown.replace("http://www.w3.org", "")
    assert "https://" not in shown


def test_methods_other_than_the_intended_one_are_refused(page):
    assert page.get("/give/text").status_code == 405
    assert page.post("/screenings").status_code == 405
    assert page.put("/").status_code == 405


# --- paths, uploads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "static/../../../etc/passwd", "static/..%2f..%2fetc%2fpasswd", "static/web/../../models.py", "static//etc/passwd",
        "static/SHA256SUMS", "check/..", "screenings/%2e%2e/body", "files/..%2f/download", "jobs/..%2f/results",
        "static/DATA/secret.key",
    ],
)  # fmt: skip
def test_no_address_leads_to_another_file(page, name):
    found = page.get(f"/{name}".replace("DATA", str(DATA)))
    assert found.status_code in (401, 404)
    assert b"root:" not in found.content


@pytest.mark.parametrize(
    ("given_name", "stored"),
    [
        ("../../secret.key.geojson", "secret.key.geojson"),
        ("/etc/cron.d/x.geojson", "x.geojson"),
        ("C:\\Windows\\x.GEOJSON", "x.geojson"),
        (".htaccess.geojson", "htaccess.geojson"),
        ("a\x00b\n<i>.geojson", "a_b__i_.geojson"),
        ("长" * 300 + ".geojson", "长" * 60 + ".geojson"),
        ("con|a?.geojson", "con_a_.geojson"),
    ],
)
def test_the_name_of_an_upload_is_never_a_path(given_name, stored):
    assert safe_name(given_name) == stored


def test_an_upload_stays_in_its_folder(page):
    check = job_of(page.post("/give/file", {"files": upload("../../../evil.geojson", INSIDE)}))
    assert check.upload.path.parent.parent == DATA / "uploads"
    assert [one.name for one in check.upload.folder.iterdir()] == ["evil.geojson"]
    assert (check.upload.folder.stat().st_mode & 0o077) == 0


@pytest.mark.parametrize(
    "names",
    [["a.exe"], ["a.geojson", "b.geojson"], ["a.shp", "evil.sh"], ["a.shp", "b.dbf"], ["a.geojson", "a.geojson"]],
)
def test_files_that_do_not_go_together_are_refused(page, names):
    found = page.post("/give/file", {"files": [upload(name, b"{}") for name in names]})
    assert found.status_code == 400
    assert list((DATA / "uploads").iterdir()) == [] or Upload.objects.count() == 0


def test_an_upload_that_is_too_large_is_refused_and_removed(page):
    before = set((DATA / "uploads").iterdir())
    found = page.post("/give/file", {"files": upload("a.geojson", b" " * (OPTIONS.bounds.upload_bytes + 1))})
    assert found.status_code == 400
    assert set((DATA / "uploads").iterdir()) == before
    assert Upload.objects.count() == 0


def test_the_uploads_of_a_user_are_bounded(page):
    page.get("/")
    owner = User.objects.get(username="local")
    Upload.objects.create(owner=owner, name="a.zip", how="file", size_bytes=OPTIONS.bounds.user_bytes + 1)
    assert page.post("/give/text", {"text": "POINT (112.5 25)"}).status_code == 400


def test_too_many_files_are_refused(page):
    files = [upload(f"{n}.dbf", b"x") for n in range(OPTIONS.bounds.upload_files + 1)]
    assert page.post("/give/file", {"files": files}).status_code == 400


def test_a_zip_bomb_is_refused(page):
    stream = io.BytesIO()
    bundle = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
    with bundle, bundle.open("sites.geojson", "w", force_zip64=True) as member:
        for _ in range(1500):
            member.write(b" " * 1_000_000)
    assert len(stream.getvalue()) < OPTIONS.bounds.upload_bytes
    check = job_of(page.post("/give/file", {"files": upload("bomb.zip", stream.getvalue())}))
    assert not json.loads(check.result_json).get("readable", False)
    # The worker lives on.
    assert given(page, INSIDE).state == "done"


def test_an_image_in_place_of_a_file_is_refused(page):
    row = zlib.compress(b"\0" * 30_000_001, 9)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 30_000, 1_000_000, 8, 2, 0, 0, 0)
    image = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", row) + chunk(b"IEND", b"")
    for name in ("a.png", "a.gpkg", "a.kmz"):
        found = page.post("/give/file", {"files": upload(name, image)})
        if found.status_code == 302:
            assert not json.loads(job_of(found).result_json).get("readable", False)
        else:
            assert found.status_code == 400


def test_deep_nesting_does_not_end_the_worker(page):
    check = job_of(page.post("/give/file", {"files": upload("a.geojson", "[" * 500_000)}))
    assert not json.loads(check.result_json).get("readable", False)
    assert given(page, INSIDE).state == "done"


# --- stored scripts -----------------------------------------------------------------------------------------


def test_scripts_in_every_field_are_shown_as_text(page):
    feature = json.loads(square_text(0, 0, id=SCRIPT, name=SCRIPT, activity="住宅", note=SCRIPT))
    feature["features"][0]["properties"][SCRIPT] = SCRIPT
    made = screened(page, json.dumps(feature), title=SCRIPT, tags=SCRIPT)
    assert made.state == "done", made.error_en
    page.post(f"/screenings/{made.key}/note", {"comment": SCRIPT})
    check = Job.objects.get(kind="inspect")
    addresses = [
        f"/check/{check.key}",
        f"/screenings/{made.key}",
        f"/screenings/{made.key}/sites/0",
        "/screenings",
        "/",
        "/log",
    ]
    for address in addresses:
        shown = page.get(address).content.decode()
        assert "<script>window" not in shown, address
        assert "<img src=x" not in shown, address
    refused = page.post("/give/file", {"files": upload(f"{SCRIPT}.exe", b"x")}).content.decode()
    assert "<script>window" not in refused
    searched = page.get("/screenings", {"q": f'"{SCRIPT}', "tag": SCRIPT}).content.decode()
    assert "<script>window" not in searched


@pytest.mark.parametrize(
    "window",
    ["nan,nan,nan,nan", "inf,0,1,1", "112,24,111,25", "0,0,90,90", "1,2,3", "1.2.3,4,5,6", "9" * 5000, "", "'"],
)
def test_a_window_of_the_map_that_is_none_is_refused(page, window):
    assert page.get("/city/window.json", {"in": window}).status_code == 400


def test_a_title_is_one_line(page):
    made = screened(page, square_text(0, 0, id="s1", activity="住宅"), title="a\r\nSet-Cookie: b=c", tags="d\r\ne")
    assert (made.title, made.tags) == ("a Set-Cookie: b=c", "d e")


def test_a_script_as_a_name_of_an_account_is_refused(page):
    from lzgis.web.accounts import create_account

    with pytest.raises(ConfigError):
        create_account(SCRIPT, PASSWORD)


# --- accounts -----------------------------------------------------------------------------------------------


@pytest.fixture
def admin(page):
    return logged_in("chief", Role.ADMINISTRATOR)


def test_with_accounts_every_page_asks_for_a_login(admin):
    made = screened(admin, INSIDE)
    stranger = client()
    for address in ("/", "/screenings", f"/screenings/{made.key}", f"/check/{made.key}", "/city", "/city/map.json",
                    "/account", "/accounts", "/log", "/api.html"):  # fmt: skip
        found = stranger.get(address)
        assert (found.status_code, found.headers.get("Location", "")[:12]) == (302, "/login?next="), address
    for address in ("/give/text", f"/screenings/{made.key}/delete", f"/screenings/{made.key}/files", "/accounts"):
        assert stranger.post(address).status_code == 302, address
    assert Job.objects.filter(pk=made.key).exists()


def test_a_login_leads_back_to_this_server_only(admin):
    stranger = client()
    found = stranger.post("/login", {"name": "chief", "password": PASSWORD, "next": "//evil.example/"})
    assert found.headers["Location"] == "/"


def test_a_session_gets_a_new_key_at_login_and_ends_at_logout(admin):
    one = client()
    one.cookies["lzgis-session"] = "a" * 32
    one.post("/login", {"name": "chief", "password": PASSWORD})
    fresh = one.cookies["lzgis-session"].value
    assert fresh != "a" * 32
    assert one.cookies["lzgis-session"]["httponly"]
    assert one.get("/account").status_code == 200
    one.post("/logout")
    again = client()
    again.cookies["lzgis-session"] = fresh
    assert again.get("/account").status_code == 302


def test_a_new_password_ends_other_sessions(admin):
    other = client()
    other.post("/login", {"name": "chief", "password": PASSWORD})
    found = admin.post("/account", {"action": "password", "old": PASSWORD, "new": "another good one 7"})
    assert found.status_code == 200
    assert admin.get("/account").status_code == 200
    assert other.get("/account").status_code == 302


def test_many_wrong_passwords_lock_a_name(admin):
    stranger = client()
    codes = [stranger.post("/login", {"name": "chief", "password": f"guess {n}"}).status_code for n in range(7)]
    assert codes == [403] * 5 + [429] * 2
    # Not even the right one is tried then.
    assert stranger.post("/login", {"name": "chief", "password": PASSWORD}).status_code == 429
    assert Entry.objects.filter(action="locked").exists()
    LoginFailure.objects.all().delete()
    assert stranger.post("/login", {"name": "chief", "password": PASSWORD}).status_code == 302


def test_many_names_from_one_address_lock_the_address(admin):
    stranger = client()
    for n in range(LoginFailure.MOST_OF_ADDRESS):
        stranger.post("/login", {"name": f"name{n}", "password": "x"})
    assert stranger.post("/login", {"name": "chief", "password": PASSWORD}).status_code == 429


@pytest.mark.parametrize("password", ["", "short", "password123", "1234567890", "newcomer99"])
def test_weak_passwords_are_refused(admin, password):
    fields = {"action": "create", "name": "newcomer99", "password": password, "role": "planner"}
    assert admin.post("/accounts", fields).status_code == 400
    assert not User.objects.filter(username="newcomer99").exists()


def test_others_screenings_and_files_do_not_exist(admin):
    made = screened(admin, INSIDE)
    admin.post(f"/screenings/{made.key}/files", {"formats": "json"})
    files = supervisor().wait(Job.objects.get(kind="files"), 240.0)
    check = Job.objects.get(kind="inspect")
    other = logged_in("other", Role.REVIEWER, "另一部门")
    for address in (f"/screenings/{made.key}", f"/screenings/{made.key}/shapes.json", f"/screenings/{made.key}/sites/0",
                    f"/screenings/{made.key}/compare", f"/check/{check.key}", f"/check/{check.key}/shapes.json",
                    f"/files/{files.key}", f"/files/{files.key}/download", f"/files/{files.key}/map"):  # fmt: skip
        assert other.get(address).status_code == 404, address
    for name in ("delete", "again", "note", "cancel", "files", "facts", "sites/0/avoid"):
        assert other.post(f"/screenings/{made.key}/{name}", {"formats": "json", "comment": "x"}).status_code == 404, (
            name
        )
    assert other.post(f"/check/{check.key}/screen").status_code == 404
    assert "甲" not in other.get("/screenings").content.decode()
    assert Job.objects.filter(pk=made.key).exists()


def test_a_department_sees_its_screenings_but_deletes_only_own(admin):
    one, two = logged_in("one", Role.PLANNER, "规划科"), logged_in("two", Role.PLANNER, "规划科")
    made = screened(one, INSIDE)
    assert two.get(f"/screenings/{made.key}").status_code == 200
    assert two.post(f"/screenings/{made.key}/delete").status_code == 404
    assert one.post(f"/screenings/{made.key}/delete").status_code == 302


def test_an_empty_department_is_no_department(admin):
    one, two = logged_in("one", Role.PLANNER), logged_in("two", Role.PLANNER)
    made = screened(one, INSIDE)
    assert two.get(f"/screenings/{made.key}").status_code == 404


def test_a_viewer_reads_and_changes_nothing(admin):
    planner, viewer = logged_in("planner", Role.PLANNER, "规划科"), logged_in("viewer", Role.VIEWER, "规划科")
    made = screened(planner, INSIDE)
    assert viewer.get(f"/screenings/{made.key}").status_code == 200
    for address in ("/give/file", "/give/text", "/give/drawn", "/give/example"):
        assert viewer.post(address, {"text": "POINT (112.5 25)"}).status_code == 403
    for name in ("delete", "again", "note", "cancel", "sites/0/avoid"):
        assert viewer.post(f"/screenings/{made.key}/{name}").status_code == 403, name
    # Of files, only the public map.
    assert viewer.post(f"/screenings/{made.key}/files", {"formats": "xlsx"}).status_code == 404
    planner.post(f"/screenings/{made.key}/files", {"formats": "xlsx"})
    files = supervisor().wait(Job.objects.get(kind="files"), 240.0)
    assert content(planner, f"/files/{files.key}/download")
    assert viewer.get(f"/files/{files.key}/download").status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PLANNER, Role.REVIEWER])
def test_no_one_makes_oneself_an_administrator(admin, role):
    one = logged_in("climber", role)
    me = User.objects.get(username="climber")
    assert one.post("/accounts", {"action": "role", "user": me.pk, "role": "administrator"}).status_code == 403
    fields = {"action": "create", "name": "second", "password": PASSWORD, "role": "administrator"}
    assert one.post("/accounts", fields).status_code == 403
    one.post("/account", {"action": "password", "old": PASSWORD, "new": "another good 77", "role": "administrator"})
    assert one.get("/accounts").status_code == 403
    assert one.get("/log").status_code == 403
    me.refresh_from_db()
    assert me.role == role


def test_a_planner_decides_nothing(admin):
    one = logged_in("one", Role.PLANNER)
    made = screened(one, INSIDE)
    fields = {"rule": "redline", "reason": "x"}
    assert one.post(f"/screenings/{made.key}/sites/0/decide", fields).status_code == 403
    assert one.post("/city/audit").status_code == 403


def test_an_administrator_makes_changes_and_closes_accounts(admin):
    fields = {"action": "create", "name": "new", "password": PASSWORD, "role": "planner", "department": "规划科"}
    admin.post("/accounts", fields)
    new = User.objects.get(username="new")
    browser = client()
    browser.post("/login", {"name": "new", "password": PASSWORD})
    assert browser.get("/").status_code == 200
    admin.post("/accounts", {"action": "role", "user": new.pk, "role": "viewer", "department": ""})
    assert browser.post("/give/text", {"text": "POINT (112.5 25)"}).status_code == 403
    admin.post("/accounts", {"action": "close", "user": new.pk})
    assert browser.get("/screenings").status_code == 302
    assert browser.post("/login", {"name": "new", "password": PASSWORD}).status_code == 403
    me = User.objects.get(username="chief")
    assert admin.post("/accounts", {"action": "close", "user": me.pk}).status_code == 404
    logged = set(Entry.objects.values_list("action", flat=True))
    assert {"account-created", "account-role", "account-close", "login", "login-failed"} <= logged


def test_the_local_user_cannot_log_in_when_there_are_accounts(page):
    page.get("/")
    admin = logged_in("chief", Role.ADMINISTRATOR)
    assert admin.get("/").status_code == 200
    assert client().post("/login", {"name": "local", "password": ""}).status_code == 403
    assert page.get("/").status_code == 302


def test_accounts_are_not_made_over_the_page_without_an_administrator(page):
    fields = {"action": "create", "name": "first", "password": PASSWORD, "role": "administrator"}
    assert page.post("/accounts", fields).status_code == 404
    assert not User.objects.filter(username="first").exists()


@pytest.mark.parametrize(
    "changes", [{"listen": "0.0.0.0"}, {"listen": "192.168.1.5"}, {"address": "https://a.example"}]
)
def test_other_computers_are_not_served_without_accounts(page, changes):
    from lzgis.web.accounts import create_administrator
    from lzgis.web.server import checked

    options = ServeOptions(data=DATA, **changes)
    with pytest.raises(ConfigError):
        checked(options)
    create_administrator("chief", PASSWORD)
    checked(options)


def test_the_data_are_readable_by_their_owner_alone(page):
    for path in (DATA, DATA / "uploads", DATA / "jobs", DATA / "secret.key"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_token_is_stored_as_a_digest_only(page):
    shown = page.post("/account", {"action": "token", "name": "gis"}).content.decode()
    secret = shown.split("<code>")[1].split("</code>")[0]
    assert secret.startswith("lzgis_")
    assert Token.objects.get().digest != secret
    assert secret not in page.get("/account").content.decode()
    assert secret not in str(list(Entry.objects.values_list()))


def test_the_queue_of_a_user_is_bounded(page):
    page.get("/")
    owner = User.objects.get(username="local")
    for _ in range(OPTIONS.bounds.open_jobs):
        Job.objects.create(kind="screen", owner=owner, state="running")
    assert page.post("/give/text", {"text": "POINT (112.5 25)"}).status_code == 400
