"""The register of documents: numbers that are used once, and corrected documents that name what they replace."""

from __future__ import annotations

import hashlib
import io
from zipfile import ZipFile

import pytest
from web_page import client, content, logged_in, screened, square_text

from lzgis.web.models import Document, Job
from lzgis.web.pages import supervisor

INSIDE = square_text(0, 0, id="s1", name="甲", activity="住宅")


def issued(one, job, **fields):
    answer = one.post(f"/screenings/{job.key}/issue", {"formats": "docx", **fields})
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    document = Document.objects.order_by("-pk").first()
    writing = supervisor().wait(document.writing, 120.0)
    assert writing.state == "done", writing.error_en
    return Document.objects.get(pk=document.pk)


def words_of(data):
    with ZipFile(io.BytesIO(data)) as bundle:
        return bundle.read("word/document.xml").decode()


def test_a_corrected_document_replaces_and_names_the_earlier_one(page):
    pytest.importorskip("docx")
    job = screened(page, INSIDE, title="水厂")
    first = issued(page, job)
    assert first.number.endswith("-0001")
    data = content(page, f"/documents/{first.number}/file")
    assert hashlib.sha256(data).hexdigest() == first.sha256
    assert first.number in words_of(data)
    second = issued(page, job, replaces=first.number, reason="面积有误")
    assert second.number.endswith("-0002")
    text = words_of(content(page, f"/documents/{second.number}/file"))
    assert second.number in text
    assert f"替代 {first.number}" in text
    assert "面积有误" in text
    shown = page.get("/documents").content.decode()
    assert f"已由 {second.number} 替代" in shown
    # The first is stored as it was issued, and cannot be replaced again.
    assert content(page, f"/documents/{first.number}/file") == data
    refused = page.post(
        f"/screenings/{job.key}/issue", {"formats": "docx", "replaces": first.number, "reason": "again"}
    )
    assert refused.status_code == 400
    assert second.number in refused.content.decode()
    assert Document.objects.count() == 2


def test_a_document_outlives_its_screening(page):
    pytest.importorskip("docx")
    job = screened(page, INSIDE)
    one = issued(page, job)
    page.post(f"/screenings/{job.key}/delete")
    assert not Job.objects.filter(pk=job.key).exists()
    assert content(page, f"/documents/{one.number}/file")


def test_a_correction_needs_a_reason_and_an_entry(page):
    job = screened(page, INSIDE)
    for fields in ({"replaces": "2026-9999", "reason": "x"}, {"replaces": "../x", "reason": "x"}):
        assert page.post(f"/screenings/{job.key}/issue", {"formats": "docx", **fields}).status_code == 400
    assert page.post(f"/screenings/{job.key}/issue", {"formats": "exe"}).status_code == 404
    assert Document.objects.count() == 0


def test_documents_of_others_do_not_exist(page):
    pytest.importorskip("docx")
    anna = logged_in("anna", "planner")
    one = issued(anna, screened(anna, INSIDE))
    bert = logged_in("bert", "planner")
    assert bert.get(f"/documents/{one.number}/file").status_code == 404
    assert one.number not in bert.get("/documents").content.decode()
    assert logged_in("vera", "viewer").get("/documents").status_code == 403
    assert client().get("/documents").status_code == 302
