"""Give, check, read: what a planner does, with Django's client and real workers on the toy city."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import toy
import web_page
from web_page import content, given, job_of, screened, square_text, upload

import lzgis as lz
from lzgis.web.models import Comment, Job
from lzgis.web.pages import answer, supervisor
from lzgis.web.requests import answer_file

# In the toy city the redline is the square (0, 0) to (1000, 1000): this square lies in it with all of its 10,000 m².
INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")


def text(page, address):
    found = page.get(address)
    assert found.status_code == 200, address
    return found.content.decode()


def test_a_file_is_given_checked_and_answered(page):
    assert "这里能不能建" in text(page, "/")
    check = given(page, INSIDE)
    shown = text(page, f"/check/{check.key}")
    assert "可以核查：1 个地块" in shown
    assert "（文件所给）" in shown
    made = job_of(page.post(f"/check/{check.key}/screen", {"as_of": toy.AS_OF, "assumed-0": "yes", "assumed-1": "yes"}))
    assert made.state == "done", made.error_en
    shown = text(page, f"/screenings/{made.key}")
    assert "存在禁止性冲突" in shown
    assert "10,000" in shown
    assert "第一条" in shown


def test_answers_equal_those_of_python(page, tmp_path):
    made = screened(page, INSIDE)
    files = job_of_files(page, made, "json")
    found = json.loads(content(page, f"/files/{files.key}/download"))
    (tmp_path / "sites.geojson").write_text(INSIDE, "utf-8")
    report = lz.screen(tmp_path / "sites.geojson", supervisor().options.layers, as_of=toy.AS_OF)
    lz.export(report, tmp_path / "report.json")
    expected = json.loads((tmp_path / "report.json").read_text("utf-8"))
    for name in ("verdicts", "findings", "unit_lists", "breakdown", "sites", "city"):
        assert found[name] == expected[name], name


def job_of_files(page, made, name):
    page.post(f"/screenings/{made.key}/files", {"formats": name})
    job = Job.objects.filter(kind="files").latest("created")
    return supervisor().wait(job, 240.0)


@pytest.mark.parametrize(
    ("pasted", "sites", "kind"),
    [
        ("POLYGON ((112.5 25, 112.501 25, 112.501 25.001, 112.5 25))", 1, "Polygon"),
        ("POINT (112.5 25)\nPOINT (112.501 25)", 2, "Point"),
        ("112.5 25\n112.501 25\n112.501 25.001", 1, "Polygon"),
        ("J1，112.5，25\nJ2，112.501，25\nJ3，112.501，25.001", 1, "Polygon"),
        (INSIDE, 1, "Polygon"),
    ],
)
def test_pasted_text_is_read(page, pasted, sites, kind):
    check = job_of(page.post("/give/text", {"text": pasted, "shape": "polygon", "crs": "EPSG:4490"}))
    found = answer(check.folder, "diagnosis", "zh")
    if not found["readable"]:
        check = job_of(page.post(f"/check/{check.key}/again", {"crs": "", "encoding": "", "layer": ""}))
        found = answer(check.folder, "diagnosis", "zh")
    assert found["readable"], found["refused"]
    assert found["count"] == sites
    assert found["shapes"]["features"][0]["geometry"]["type"] == kind


def test_rows_may_be_points(page):
    pasted = {"text": "112.5 25\n112.501 25", "shape": "point", "crs": "EPSG:4490"}
    found = answer(job_of(page.post("/give/text", pasted)).folder, "diagnosis", "zh")
    assert [one["geometry"]["type"] for one in found["shapes"]["features"]] == ["Point", "Point"]


def test_packed_degrees_are_a_choice_of_the_page(page):
    """112.3000 and 25.0000 as ddd.mmss are 112.5 and 25."""
    check = job_of(
        page.post("/give/text", {"text": "112.3000 25.0000\n112.3004 25.0000", "shape": "point", "crs": "EPSG:4490"})
    )
    assert 'name="degrees"' in text(page, f"/check/{check.key}")
    again = job_of(page.post(f"/check/{check.key}/again", {"crs": "EPSG:4490", "degrees": "packed"}))
    first = answer(again.folder, "diagnosis", "zh")["shapes"]["features"][0]
    assert first["geometry"]["coordinates"][0] == pytest.approx(112.5, abs=1e-6)


@pytest.mark.parametrize(("convention", "turned_deg"), [("", -10 / 3600), ("position-vector", 10 / 3600)])
def test_seven_parameters_are_a_choice_of_the_page(page, convention, turned_deg):
    """Axes that turn by 10 seconds of arc about the axis of the earth lessen longitudes by as much; a turned vector adds it."""
    check = job_of(page.post("/give/text", {"text": "112.5 25\n112.51 25", "shape": "point"}))
    assert 'name="helmert-rz"' in text(page, f"/check/{check.key}")
    seven = dict.fromkeys(("helmert-dx", "helmert-dy", "helmert-dz", "helmert-rx", "helmert-ry", "helmert-s"), "0")
    declared = {"crs": "EPSG:4610", **seven, "helmert-rz": "10", "helmert-convention": convention}
    again = job_of(page.post(f"/check/{check.key}/again", declared))
    first = answer(again.folder, "diagnosis", "zh")["shapes"]["features"][0]
    assert first["geometry"]["coordinates"] == pytest.approx([112.5 + turned_deg, 25], abs=1e-6)
    assert 'name="helmert-rz" value="10"' in text(page, f"/check/{again.key}")


def test_seven_parameters_that_are_incomplete_are_refused(page):
    check = job_of(page.post("/give/text", {"text": "112.5 25", "shape": "point"}))
    found = page.post(f"/check/{check.key}/again", {"crs": "EPSG:4610", "helmert-rz": "10"})
    assert found.status_code == 400
    assert "七参数：" in found.content.decode()
    assert 'name="helmert-rz" value="10"' in found.content.decode()


def test_drawn_shapes_are_read(page):
    check = job_of(page.post("/give/drawn", {"shapes": square_text(0, 0, name="画")}))
    found = answer(check.folder, "diagnosis", "zh")
    assert (found["count"], found["sites"][0]["name"]) == (1, "画")


@pytest.mark.parametrize("shapes", ["", "[]", "{}", '{"features": []}', '{"features": [1]}', "[" * 5000])
def test_a_drawing_of_nothing_is_refused(page, shapes):
    assert page.post("/give/drawn", {"shapes": shapes}).status_code == 400


def test_a_missing_system_is_a_question_with_a_proposal(page):
    check = job_of(page.post("/give/text", {"text": "112.5 25\n112.501 25\n112.501 25.001", "shape": "polygon"}))
    shown = text(page, f"/check/{check.key}")
    assert "按现状不能核查" in shown
    assert 'value="EPSG:4490"' in shown
    again = job_of(page.post(f"/check/{check.key}/again", {"crs": "EPSG:4490"}))
    assert answer(again.folder, "diagnosis", "zh")["readable"]
    refused = page.post(f"/check/{check.key}/screen", {})
    assert refused.status_code == 400


def test_a_system_that_does_not_exist_is_refused(page):
    check = given(page, INSIDE)
    found = page.post(f"/check/{check.key}/again", {"crs": "EPSG:999999"})
    assert found.status_code == 400
    assert "999999" in found.content.decode()


def test_a_warning_must_be_answered(page):
    # Far outside the city: the reader warns.
    check = given(page, square_text(60_000, 60_000, id="s1", activity="住宅"))
    found = answer(check.folder, "diagnosis", "zh")
    levels = [one["level"] for one in found["assumed"]]
    assert "warning" in levels or not found["readable"]
    if found["readable"]:
        assert page.post(f"/check/{check.key}/screen", {}).status_code == 400


def test_a_date_that_is_none_is_refused(page):
    check = given(page, INSIDE)
    said = {f"assumed-{n}": "yes" for n in range(9)}
    assert page.post(f"/check/{check.key}/screen", said | {"as_of": "gestern"}).status_code == 400


def test_a_declared_activity_answers_what_the_file_leaves_open(page):
    without = square_text(0, 0, id="s1", name="甲")
    made = screened(page, without, activity="water")
    row = answer(made.folder, "summary", "zh")["sites"][0]
    assert (row["activity"], row["label"]) == ("供水", "需进一步论证")
    problems = [one["text"] for one in answer(made.folder, "summary", "zh")["problems"]]
    assert any("声明的活动类型" in one for one in problems)


def test_english(page):
    page.post("/language", {"language": "en", "next": "/"})
    assert "May this be built here?" in text(page, "/")
    made = screened(page, INSIDE)
    assert "prohibiting conflict" in text(page, f"/screenings/{made.key}")


def test_the_language_leads_back_to_this_server_only(page):
    found = page.post("/language", {"language": "en", "next": "https://elsewhere.example/"})
    assert found.headers["Location"] == "/"


def test_the_move_that_avoids_a_conflict(page):
    # The eastern 30 m of the square lie in the redline: it has to be moved by 30 m to the west.
    made = screened(page, square_text(-70, 0, id="s1", activity="住宅"))
    found = page.post(f"/screenings/{made.key}/sites/0/avoid", {"within": "500"}).content.decode()
    moved = page.get(f"/screenings/{made.key}/sites/0/avoid.json").json()
    expected = lz.avoid("s1", toy_sites(made), supervisor().options.layers, as_of=toy.AS_OF)
    assert moved["shift"]["distance_m"] == pytest.approx(30.0, abs=0.01)
    assert moved["shift"]["distance_m"] == expected.shift.distance_m
    assert f"{expected.shift.distance_m:.2f}" in found
    assert "向西移动 30 m" in found or "向西移动 31 m" in found


def toy_sites(made):
    return made.upload.path


def test_several_sites_are_listed_filtered_and_compared(page):
    one, two = (
        json.loads(square_text(x, 0, id=name, activity="住宅"))["features"][0] for x, name in ((0, "A"), (4000, "B"))
    )
    made = screened(page, json.dumps({"type": "FeatureCollection", "features": [one, two]}))
    shown = text(page, f"/screenings/{made.key}?q=B")
    assert 'data-id="B"' in shown
    assert 'data-id="A"' not in shown
    assert text(page, f"/screenings/{made.key}/sites/1").count("核查结论") >= 1
    assert page.get(f"/screenings/{made.key}/sites/2").status_code == 404
    compared = text(page, f"/screenings/compare?job={made.key}")
    assert "<b>A</b>" in compared
    assert "<b>B</b>" in compared


@pytest.mark.parametrize("name", ["xlsx", "gpkg", "html", "docx", "all"])
def test_files_can_be_taken(page, name):
    made = screened(page, INSIDE)
    job = job_of_files(page, made, name)
    assert job.state == "done", job.error_en
    found = page.get(f"/files/{job.key}/download")
    taken = b"".join(found.streaming_content)
    found.close()
    assert found.headers["Content-Disposition"].startswith("attachment")
    if name == "all":
        names = set(zipfile.ZipFile(io.BytesIO(taken)).namelist())
        assert {"report.xlsx", "findings.gpkg", "report.json", "map.html", "manifest.json"} <= names
        assert any(one.endswith(".docx") for one in names)
    else:
        assert len(taken) > 3_000
    # A second time the same file is taken.
    page.post(f"/screenings/{made.key}/files", {"formats": name})
    assert Job.objects.filter(kind="files").count() == 1


def test_the_map_has_no_origin(page):
    made = screened(page, INSIDE)
    job = job_of_files(page, made, "html")
    found = page.get(f"/files/{job.key}/map")
    assert found.headers["Content-Security-Policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in found.headers["Content-Security-Policy"]


def test_history_comments_tags_and_deletion(page):
    made = screened(page, INSIDE, tags="比选", title="水厂")
    assert "水厂" in text(page, "/screenings")
    assert "水厂" in text(page, "/screenings?q=甲")
    assert "水厂" in text(page, "/screenings?tag=比选")
    assert "水厂" not in text(page, "/screenings?q=没有")
    page.post(f"/screenings/{made.key}/note", {"comment": "请复核"})
    assert Comment.objects.get().text == "请复核"
    assert "请复核" in text(page, f"/screenings/{made.key}")
    page.post(f"/screenings/{made.key}/note", {"title": "新水厂", "tags": "终"})
    assert "新水厂" in text(page, "/screenings")
    folders = [made.folder, made.upload.folder]
    check = Job.objects.get(kind="inspect")
    page.post(f"/screenings/{made.key}/delete")
    assert page.get(f"/screenings/{made.key}").status_code == 404
    assert not folders[0].exists()
    assert check.upload.folder.exists()


def test_screened_again_nothing_has_changed(page):
    made = screened(page, INSIDE)
    again = job_of(page.post(f"/screenings/{made.key}/again"))
    assert (again.kind, again.state) == ("recheck", "done"), again.error_en
    assert "没有变化" in text(page, f"/screenings/{again.key}")


def test_the_city_is_shown(page):
    shown = text(page, "/city")
    assert "生态保护红线" in shown
    shown = answer_file(web_page.DATA / "city", "map", "zh")
    shown.rename(shown.with_suffix(".away"))
    try:
        # A page that is opened before the city asks again by itself, and its console stays empty.
        assert page.get("/city/map.json?page=1").status_code == 204
        assert page.get("/city/map.json").status_code == 404
    finally:
        shown.with_suffix(".away").rename(shown)
    found = page.get("/city/map.json")
    assert {"outline", "layers", "bounds"} <= set(found.json())
    again = page.get("/city/map.json", headers={"If-None-Match": found.headers["ETag"]})
    assert again.status_code == 304


def test_facts_that_rules_ask_for_depend_on_the_activity(page):
    check = given(page, INSIDE)
    assert page.get(f"/check/{check.key}/facts?activity=housing").status_code == 200


def test_an_activity_that_is_not_in_the_vocabulary_is_asked_for(page):
    check = given(page, square_text(0, 0, id="s1", activity="飞船"))
    shown = text(page, f"/check/{check.key}")
    assert "飞船" in shown
    said = {f"assumed-{n}": "yes" for n in range(9)} | {"as_of": toy.AS_OF}
    made = job_of(page.post(f"/check/{check.key}/screen", said | {"activity-0": "housing"}))
    assert answer(made.folder, "summary", "zh")["sites"][0]["activity"] == "住宅"


def test_a_wrong_file_is_explained(page):
    check = job_of(page.post("/give/file", {"files": upload("sites.dxf", b"not a drawing")}))
    shown = text(page, f"/check/{check.key}")
    assert "按现状不能核查" in shown
    assert str(check.upload.folder) not in shown


def test_no_answer_names_the_folders_of_the_server(page):
    made = screened(page, square_text(0, 0, name="甲"))
    for name in ("summary", "detail-0"):
        assert str(made.upload.folder) not in json.dumps(answer(made.folder, name, "zh"), ensure_ascii=False)


def test_a_decision_stands_beside_the_finding(page):
    made = screened(page, INSIDE)
    job_of_files(page, made, "json")
    fields = {"rule": "redline", "reason": "已核减", "evidence": upload("../批复.pdf", b"%PDF")}
    assert page.post(f"/screenings/{made.key}/sites/0/decide", fields).status_code == 302
    shown = text(page, f"/screenings/{made.key}")
    assert "已核减" in shown
    assert "批复.pdf" in shown
    assert "存在禁止性冲突" in shown
    assert str(made.folder) not in shown
    # Files are made anew, with the decision.
    files = job_of_files(page, made, "json")
    (override,) = json.loads(content(page, f"/files/{files.key}/download"))["overrides"]
    assert (override["reason"], override["author"], override["evidence_state"]) == ("已核减", "local", "as-given")
    again = page.post(f"/screenings/{made.key}/sites/0/decide", {"rule": "redline", "reason": "zweitens"})
    assert again.status_code == 400
    assert page.post(f"/screenings/{made.key}/sites/0/decide", {"rule": "redline", "reason": " "}).status_code == 400
    assert page.post(f"/screenings/{made.key}/sites/0/decide", {"rule": "nothing", "reason": "x"}).status_code == 400


def test_an_audit_is_begun_from_the_page(page):
    page.post("/city/audit", {"formats": "xlsx"})
    job = supervisor().wait(Job.objects.get(kind="audit"), 240.0)
    assert job.state == "done", job.error_en
    assert len(content(page, f"/files/{job.key}/download")) > 5_000
