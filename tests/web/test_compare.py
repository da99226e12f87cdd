"""Alternatives side by side: sites of several screenings, as each was answered."""

from __future__ import annotations

import json
import re

import web_page
from web_page import square_text


def two(*offsets):
    made = [json.loads(square_text(x, 0, id=f"s{x}", name=f"方案{x}")) for x in offsets]
    first = made[0]
    first["features"] = [one["features"][0] for one in made]
    return json.dumps(first, ensure_ascii=False)


def text_of(answer):
    return answer.content.decode()


def test_two_screenings_stand_side_by_side(page):
    inside = web_page.screened(page, square_text(0, 0, id="in", name="占用红线"))
    outside = web_page.screened(page, square_text(5_000, 0, id="out", name="远离红线"))
    shown = text_of(page.get(f"/screenings/compare?job={inside.key}&job={outside.key}"))
    heads = re.findall(r'<th scope="col">.*?<b>(\w+)</b>', shown)
    assert heads == ["in", "out"]
    assert "存在禁止性冲突" in shown and "方案比选（2 个地块）" in shown
    # The square of 100 m lies in the redline; the other site has a dash in that row.
    row = next(one for one in re.findall(r"<tr>.*?</tr>", shown, re.S) if "swatch prohibited" in one)
    cells = re.findall(r"<td.*?</td>", row, re.S)
    assert "㎡" in cells[0] and "—" in cells[1]
    shapes = page.get(f"/screenings/compare/shapes.json?job={inside.key}&job={outside.key}").json()
    assert [one["properties"]["id"] for one in shapes["sites"]["features"]] == ["in", "out"]


def test_screenings_of_different_days_are_marked(page):
    first = web_page.screened(page, square_text(0, 0, id="a"))
    same = web_page.screened(page, square_text(0, 0, id="b"))
    later = web_page.screened(page, square_text(0, 0, id="c"), as_of="2027-01-01")
    assert "不完全相同" not in text_of(page.get(f"/screenings/compare?job={first.key}&job={same.key}"))
    assert "不完全相同" in text_of(page.get(f"/screenings/compare?job={first.key}&job={later.key}"))


def test_of_more_than_six_sites_some_are_chosen(page):
    many = web_page.screened(page, two(*range(0, 7_000, 1_000)))
    asked = text_of(page.get(f"/screenings/compare?job={many.key}"))
    names = re.findall(r'name="site" value="([0-9a-f]{32}-\d)"', asked)
    assert len(names) == 7
    shown = text_of(page.get(f"/screenings/compare?site={names[0]}&site={names[6]}"))
    assert re.findall(r'<th scope="col">.*?<b>(\w+)</b>', shown) == ["s0", "s6000"]


def test_what_cannot_be_compared_is_said(page):
    one = web_page.screened(page, square_text(0, 0, id="a"))
    assert "请选择 2 至 6 个地块" in text_of(page.get(f"/screenings/compare?job={one.key}"))
    assert page.get("/screenings/compare").status_code == 400
    assert page.get(f"/screenings/compare?job={'0' * 32}").status_code == 404
    assert page.get(f"/screenings/compare?site={one.key}-99&site=../../etc").status_code == 400


def test_screenings_of_others_are_not_compared(page):
    anna, ben = web_page.logged_in("anna", "planner"), web_page.logged_in("ben", "planner")
    one = web_page.screened(anna, square_text(0, 0, id="a"))
    assert ben.get(f"/screenings/compare?job={one.key}").status_code == 404
    assert ben.get(f"/screenings/compare/shapes.json?site={one.key}-0").status_code == 404
