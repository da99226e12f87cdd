"""The interface for programs: OGC API - Processes, with tokens."""

from __future__ import annotations

import json

import pytest
import toy
from web_page import client, content, logged_in, square_text

import lzgis as lz
from lzgis.web.models import Job, Role, Token, User
from lzgis.web.pages import supervisor

SITES = json.loads(square_text(0, 0, id="s1", name="甲", activity="住宅"))
PLACES = ("/conformance", "/processes", "/processes/screen", "/jobs")


def bearer(one):
    """Return the header of a new token of a browser's account."""
    shown = one.post("/account", {"action": "token", "name": "gis"}).content.decode()
    return {"Authorization": f"Bearer {shown.split('<code>')[1].split('</code>')[0]}"}


def executed(headers, **inputs):
    body = json.dumps({"inputs": {"sites": SITES, "as_of": toy.AS_OF} | inputs})
    return client(enforce_csrf_checks=True).post(
        "/processes/screen/execution", body, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize("place", PLACES)
def test_without_a_token_nothing_is_answered(page, place):
    for headers in ({}, {"Authorization": "Bearer lzgis_wrong"}, {"Authorization": "Basic bG9jYWw6"}):
        found = page.get(place, headers=headers)
        assert found.status_code == 401
        assert found.headers["WWW-Authenticate"] == "Bearer"
    # Not even for the browser of an administrator: the cookie of a session does not count here.
    admin = logged_in("chief", Role.ADMINISTRATOR)
    assert admin.get(place).status_code == 401


def test_the_definition_describes_every_place(page):
    found = page.get("/api")
    text = json.loads(found.content)
    assert text["openapi"].startswith("3.0")
    headers = bearer(page)
    for place, methods in text["paths"].items():
        if "get" in methods and "{" not in place:
            assert page.get(place, headers=headers).status_code == 200, place
    shown = page.get("/api.html").content.decode()
    assert "/processes/screen/execution" in shown
    conforms = page.get("/conformance", headers=headers).json()["conformsTo"]
    assert any(one.endswith("/conf/core") for one in conforms)


def test_a_screening_from_request_to_results(page, tmp_path):
    headers = bearer(page)
    begun = executed(headers)
    assert begun.status_code == 201, begun.content
    status = begun.json()
    assert begun.headers["Location"].endswith(f"/jobs/{status['jobID']}")
    supervisor().wait(Job.objects.get(pk=status["jobID"]), 240.0)
    status = page.get(f"/jobs/{status['jobID']}", headers=headers).json()
    assert (status["status"], status["progress"]) == ("successful", 100)
    links = page.get(f"/jobs/{status['jobID']}/results", headers=headers).json()
    report = json.loads(content(page, links["report"]["href"], headers=headers))
    (tmp_path / "sites.geojson").write_text(json.dumps(SITES), "utf-8")
    expected = lz.screen(tmp_path / "sites.geojson", supervisor().options.layers, as_of=toy.AS_OF)
    assert [one["verdict"] for one in report["verdicts"]] == list(expected.verdicts["verdict"])
    assert report["findings"][0]["area_m2"] == expected.findings["area_m2"].iloc[0]
    assert status["jobID"] in {one["jobID"] for one in page.get("/jobs", headers=headers).json()["jobs"]}
    assert page.delete(f"/jobs/{status['jobID']}", headers=headers).json()["status"] == "dismissed"
    assert page.get(f"/jobs/{status['jobID']}", headers=headers).status_code == 404


def test_declared_activity_and_facts(page):
    headers = bearer(page)
    begun = executed(headers, sites=json.loads(square_text(0, 0, id="s1")), activity="water")
    job = supervisor().wait(Job.objects.get(pk=begun.json()["jobID"]), 240.0)
    assert json.loads(job.result_json)["verdicts"] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"inputs": []}', '{"inputs": {"sites": "x"}}', '{"inputs": {"sites": {}, "evil": 1}}', "[" * 9000,
     '{"inputs": {"sites": {"type": "FeatureCollection", "features": []}, "as_of": "yesterday"}}'],
)  # fmt: skip
def test_what_the_process_does_not_take_is_an_exception(page, body):
    headers = bearer(page)
    found = page.post("/processes/screen/execution", body, content_type="application/json", headers=headers)
    assert found.status_code == 400
    assert found.headers["Content-Type"] == "application/problem+json"
    assert found.json()["type"].startswith("http://www.opengis.net/def/exceptions/")


def test_a_city_or_rule_book_is_chosen_among_those_offered(page):
    headers = bearer(page)
    described = page.get("/processes/screen", headers=headers).json()["inputs"]["place"]
    assert described["schema"]["enum"] == [""] and "玩具市" in described["description"]
    refused = executed(headers, place="丁县")
    assert refused.status_code == 400 and "丁县" in refused.json()["detail"]
    begun = executed(headers, place="")
    assert Job.objects.get(pk=begun.json()["jobID"]).request.place == ""


def test_a_job_that_fails_says_why(page):
    headers = bearer(page)
    begun = executed(headers, sites={"type": "FeatureCollection", "features": []})
    job = supervisor().wait(Job.objects.get(pk=begun.json()["jobID"]), 240.0)
    status = page.get(f"/jobs/{job.key}", headers=headers).json()
    assert status["status"] == "failed"
    assert status["message"]
    assert page.get(f"/jobs/{job.key}/results", headers=headers).status_code == 500


def test_jobs_of_others_do_not_exist(page):
    one, two = logged_in("one", Role.PLANNER), logged_in("two", Role.PLANNER)
    mine, theirs = bearer(one), bearer(two)
    key = executed(mine).json()["jobID"]
    supervisor().wait(Job.objects.get(pk=key), 240.0)
    for method, place in (("get", ""), ("get", "/results"), ("get", "/results/report"), ("delete", "")):
        assert getattr(client(), method)(f"/jobs/{key}{place}", headers=theirs).status_code == 404
    assert client().get("/jobs", headers=theirs).json()["jobs"] == []
    assert client().get(f"/jobs/{key}", headers=mine).status_code == 200


def test_a_viewer_may_not_screen(page):
    headers = bearer(logged_in("viewer", Role.VIEWER))
    assert executed(headers).status_code == 403


def test_a_token_ends_with_its_account_or_when_it_is_deleted(page):
    one = logged_in("one", Role.PLANNER)
    headers = bearer(one)
    assert client().get("/processes", headers=headers).status_code == 200
    User.objects.filter(username="one").update(is_active=False)
    assert client().get("/processes", headers=headers).status_code == 401
    User.objects.filter(username="one").update(is_active=True)
    one.post("/account", {"action": "forget", "token": Token.objects.get().pk})
    assert client().get("/processes", headers=headers).status_code == 401


def test_tokens_of_the_page_without_accounts_end_with_the_first_account(page):
    headers = bearer(page)
    logged_in("chief", Role.ADMINISTRATOR)
    assert client().get("/processes", headers=headers).status_code == 401


def test_a_token_opens_no_page(page):
    one = logged_in("one", Role.PLANNER)
    headers = bearer(one)
    assert client().get("/screenings", headers=headers).status_code == 302


def test_without_tokens_only_if_asked_for_on_this_computer(page):
    from dataclasses import replace

    from django.test import override_settings
    from web_page import OPTIONS

    with override_settings(LZGIS=replace(OPTIONS, api="open")):
        assert page.get("/processes").status_code == 200
        logged_in("chief", Role.ADMINISTRATOR)
        assert page.get("/processes").status_code == 401
