"""Versions of the city: proposed with audit, comparison and changed verdicts; approved by a second person; put back."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pytest
import toy
from region_toy import counties
from shapely import box
from web_page import CITY, client, content, job_of, logged_in, screened, square_text, upload

from lzgis.city.catalogue import open_catalogue
from lzgis.web.models import CityVersion, Entry, Job
from lzgis.web.pages import supervisor

INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")


@pytest.fixture
def city(page):
    """The toy city is in force again after the test, as the workers are those of all tests."""
    yield CITY
    supervisor().use_city(CITY)


@pytest.fixture
def moved(tmp_path):
    """The redline a hundred kilometres farther east: the site lies outside it."""
    frame = gpd.read_file(CITY / "redline.gpkg", engine="pyogrio")
    frame["geometry"] = frame.geometry.translate(xoff=0.02)
    frame.to_file(tmp_path / "new.gpkg", engine="pyogrio")
    return (tmp_path / "new.gpkg").read_bytes()


def proposed(one, name, data, part="redline", **fields):
    sent = {"part": part, "files": upload(name, data), "reason": "核减<script>alert(1)</script>", **fields}
    answer = one.post("/versions/propose", sent)
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    version = CityVersion.objects.get(pk=int(answer.headers["Location"].rsplit("/", 1)[1]))
    job = supervisor().wait(version.job, 240.0)
    assert job.state == "done", job.error_en
    return CityVersion.objects.get(pk=version.pk)


def test_a_version_is_proposed_judged_approved_and_taken_back(page, city, moved):
    admin, second = logged_in("anna", "administrator"), logged_in("bert", "reviewer")
    before = screened(admin, INSIDE, title="水厂")
    assert before.result["verdicts"] == [1, 0, 0, 0]
    version = proposed(admin, "红线2026.gpkg", moved, version="2026.12", date="2026-12-01")
    # The folder of the server is as it was; the proposal says of itself what was given.
    spec = open_catalogue(version.folder).layers["redline"]
    assert (spec.version, spec.date.isoformat(), spec.sha256 is not None) == ("2026.12", "2026-12-01", True)
    assert open_catalogue(CITY).layers["redline"].sha256 is None
    shown = admin.get(f"/versions/{version.pk}").content.decode()
    assert "结论有变的地块：1" in shown
    assert "水厂" in shown
    assert "<script>alert" not in shown + admin.get("/versions").content.decode()
    assert "存在禁止性冲突" in shown
    # One feature was moved; the file of the comparison and the audit can be taken.
    assert "生态保护红线" in shown
    for name in ("diff.xlsx", "audit.xlsx"):
        assert content(admin, f"/versions/jobs/{version.job_id}/{name}")[:2] == b"PK"
    for name in ("diff.html", "audit.html"):
        answer = admin.get(f"/versions/jobs/{version.job_id}/{name}")
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    # The user who proposed it does not decide.
    assert 'id="approve"' not in shown
    assert admin.post(f"/versions/{version.pk}/decide", {"decision": "approve"}).status_code == 403
    assert CityVersion.current() is None
    assert second.post(f"/versions/{version.pk}/decide", {"decision": "approve"}).status_code == 302
    assert CityVersion.current().pk == version.pk
    after = screened(admin, INSIDE)
    assert after.result["verdicts"][0] == 0
    assert after.basis != before.basis
    # The earlier screening says that layers have changed, and the version before is one click away.
    assert "图层或规则在此后有变化" in admin.get(f"/screenings/{before.key}").content.decode()
    first = CityVersion.objects.get(part="")
    assert second.post(f"/versions/{first.pk}/restore").status_code == 403
    assert admin.post(f"/versions/{first.pk}/restore").status_code == 302
    assert screened(admin, INSIDE).basis == before.basis
    assert version.folder.exists()
    actions = list(Entry.objects.filter(action__startswith="city-").order_by("pk").values_list("action", flat=True))
    assert actions == ["city-proposed", "city-approved", "city-restored"]


def test_a_version_made_from_another_than_that_in_force_is_not_approved(page, city, moved):
    one = client()
    a = proposed(one, "a.gpkg", moved)
    b = proposed(one, "b.gpkg", moved)
    assert a.base_id == b.base_id
    # Without accounts there is no second person: the one user decides.
    assert one.post(f"/versions/{a.pk}/decide", {"decision": "approve"}).status_code == 302
    refused = one.post(f"/versions/{b.pk}/decide", {"decision": "approve"})
    assert refused.status_code == 400
    assert "重新提交" in refused.content.decode()
    assert one.post(f"/versions/{b.pk}/decide", {"decision": "refuse"}).status_code == 302
    assert CityVersion.objects.get(pk=b.pk).standing == "refused"
    compared = job_of(one.post("/versions/compare", {"before": a.base_id, "after": a.pk}))
    assert compared.state == "done", compared.error_en
    assert "生态保护红线" in one.get(f"/versions/jobs/{compared.key}").content.decode()


def test_a_proposal_is_not_approved_when_the_folder_has_changed_since(page, city, moved):
    one = client()
    version = proposed(one, "a.gpkg", moved)
    extra = CITY / "note.txt"
    extra.write_text("x", "utf-8")
    try:
        assert one.post(f"/versions/{version.pk}/decide", {"decision": "approve"}).status_code == 400
    finally:
        extra.unlink()
    assert one.post(f"/versions/{version.pk}/decide", {"decision": "approve"}).status_code == 302


def test_a_rule_book_is_a_version_too(page, city):
    one = client()
    text = (CITY / "rules.toml").read_text("utf-8").replace('version = "1"', 'version = "2"', 1)
    version = proposed(one, "new.toml", text, part="rules")
    assert open_catalogue(version.folder).book.version == "2"


@pytest.mark.parametrize(
    ("part", "name", "data", "expected"),
    [
        ("redline", "new.gpkg", b"SQLite format 3\0", "gpkg"),
        ("rules", "new.toml", b"[book]\nname = 1", "toml"),
        ("city", "new.geojson", b'{"type": "FeatureCollection", "features": []}', "geojson"),
    ],
)
def test_a_file_that_cannot_be_used_says_so_and_leaves_nothing(page, city, part, name, data, expected):
    one = client()
    answer = one.post("/versions/propose", {"part": part, "files": upload(name, data), "reason": "x"})
    version = CityVersion.objects.get(pk=int(answer.headers["Location"].rsplit("/", 1)[1]))
    job = supervisor().wait(version.job, 120.0)
    assert job.state == "failed"
    assert "程序内部错误" not in job.error_zh
    assert not version.folder.exists()
    assert one.post(f"/versions/{version.pk}/decide", {"decision": "approve"}).status_code == 400
    assert Job.objects.get(pk=job.pk).error_zh in one.get(f"/versions/{version.pk}").content.decode().replace(
        "&#x27;", "'"
    ).replace("&quot;", '"')


@pytest.mark.parametrize(("name", "part"), [("new.exe", "redline"), ("rules.toml", "redline"), ("a.gpkg", "rules")])
def test_a_file_of_another_kind_is_refused(page, name, part):
    answer = client().post("/versions/propose", {"part": part, "files": upload(name, b"x"), "reason": "x"})
    assert answer.status_code == 400
    assert not CityVersion.objects.filter(part=part).exists()


def test_only_an_administrator_proposes_and_no_planner_reads(page):
    reviewer, planner = logged_in("rita", "reviewer"), logged_in("paul", "planner")
    sent = {"part": "redline", "files": upload("a.gpkg", b"x"), "reason": "x"}
    assert reviewer.post("/versions/propose", sent).status_code == 403
    assert planner.get("/versions").status_code == 403
    assert reviewer.get("/versions").status_code == 200


def test_a_version_of_a_region_is_approved_by_a_second_person_and_taken_back(page, city, tmp_path, monkeypatch):
    from django.conf import settings

    names = ", ".join(f'"{one.name}"' for one in counties(tmp_path))
    (tmp_path / "region.toml").write_text(f'[region]\nname = "三县"\ncities = [{names}]\n', "utf-8")
    monkeypatch.setattr(settings, "LZGIS", replace(settings.LZGIS, layers=tmp_path))
    supervisor().use_city(tmp_path)
    admin, second = logged_in("anna", "administrator"), logged_in("bert", "reviewer")
    site = toy.sites(box(-8_500, 0, -8_400, 100), activity="输电线路").to_json()
    before = screened(admin, site, title="线路")
    assert before.result["verdicts"] == [1, 0, 0, 0]
    frame = gpd.read_file(tmp_path / "jia" / "redline.gpkg", engine="pyogrio")
    frame["geometry"] = frame.geometry.translate(yoff=0.03)
    frame.to_file(tmp_path / "new.gpkg", engine="pyogrio")
    version = proposed(admin, "红线.gpkg", (tmp_path / "new.gpkg").read_bytes(), part="0:redline", version="2")
    # The reviewer of another department learns that a verdict changes, not which one.
    for one, named in ((admin, True), (second, False)):
        shown = one.get(f"/versions/{version.pk}").content.decode()
        assert "结论有变的地块：1" in shown and "甲县 · 生态保护红线" in shown
        assert ("线路" in shown) is named
    assert content(second, f"/versions/jobs/{version.job_id}/audit.xlsx")[:2] == b"PK"
    assert admin.post(f"/versions/{version.pk}/decide", {"decision": "approve"}).status_code == 403
    assert second.post(f"/versions/{version.pk}/decide", {"decision": "approve"}).status_code == 302
    assert screened(admin, site).result["verdicts"][0] == 0
    assert "图层或规则在此后有变化" in admin.get(f"/screenings/{before.key}").content.decode()
    first = CityVersion.objects.get(part="")
    assert admin.post(f"/versions/{first.pk}/restore").status_code == 302
    assert screened(admin, site).result["verdicts"] == [1, 0, 0, 0]
