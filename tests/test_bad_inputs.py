"""Bad inputs: right, repaired and listed, 未核查, or refused with a message; nothing silent, nothing leaked."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from bad_inputs.rasters import RASTERS, outcome
from bad_inputs.running import CASES, outcomes, table

from lzgis.words import Words


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return {one.case.id: one for one in outcomes(CASES, tmp_path_factory.mktemp("bad"))}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_what_must_happen_happens(case, found):
    one = found[case.id]
    assert one.holds, f"{case.id} {case.title}: must be {case.must}, is {one.result}: {one.message}"


#: Four English words in a row are a sentence; names of files, systems and formats, commands and quotations are data.
_ENGLISH = re.compile(r"(?:\b[A-Za-z]{2,} ){3,}[A-Za-z]{2,}\b")
_DATA = re.compile(r"“[^”]*”|'[^']*'|‘[^’]*’|/\S+|--\S+|（[^）]*lzgis[^）]*）|China Geodetic Coordinate System")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_no_message_mixes_languages(case, found):
    """No English sentence of a library stands in a Chinese message, and no Chinese one of ours in an English message."""
    for _, what, remedy in found[case.id].texts:
        chinese = Words("zh").sentence("", what, remedy)
        assert not _ENGLISH.search(_DATA.sub("", chinese)), chinese
        template = getattr(what, "template", what)
        assert not re.search("[，；。：][\u4e00-\u9fff]", _DATA.sub("", template)), template


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("case", RASTERS, ids=lambda c: c.id)
def test_rasters(case, tmp_path):
    result, message = outcome(case, tmp_path)
    assert result == {"answer": "right"}.get(case.must, case.must)
    assert re.search(case.says, message)
    assert case.must == "answer" or "a.tif" in message


def test_the_table_of_outcomes(found, capsys):
    results = Counter(one.result for one in found.values())
    with capsys.disabled():
        print("", *table(list(found.values())), dict(results), sep="\n")
    assert len(found) + len(RASTERS) >= 420
    # No silent wrong, no false clear, no leak, no good file refused.
    assert results.keys() <= {"right", "repaired", "open", "refused"}
    with_message = [one for one in found.values() if one.message]
    complete = sum(one.is_complete for one in with_message)
    assert complete >= 0.98 * len(with_message), [f"{o.case.id} {o.message}" for o in with_message if not o.is_complete]
