"""The page of requirements and the tests that hold them is of today, and leaves no requirement out."""

from __future__ import annotations

import pytest
from conformance import PAGE, TABLE, TESTS, Section, StrayMarker, complaints, holders, markedIn, page, sections

LISTED = sections(TABLE.read_text())
HELD = holders(TESTS)


def test_everyRequirementHasATestOrAReason():
    assert complaints(LISTED, HELD) == []


def test_thePageIsOfToday():
    """If not: C{python tests/conformance.py} writes it anew."""
    assert page(LISTED, HELD) == PAGE.read_text(), "run python tests/conformance.py"


MODULE = """
import pytest
pytestmark = [pytest.mark.slow, pytest.mark.requirement("A-1")]

@pytest.mark.requirement("A-2", "B-1")
@pytest.mark.parametrize("x", [1])
def test_one(x): ...

@pytest.mark.requirement("A-3")
class TestMany:
    @pytest.mark.requirement("A-4")
    async def test_inside(self): ...

TestMachine = pytest.mark.requirement("A-5")(Machine.TestCase)
TestTyped: Any = pytest.mark.requirement("A-6")(Typed.TestCase)
"""


def test_markers():
    """Wherever pytest takes one from."""
    assert sorted(markedIn(MODULE)) == [
        ("TestMachine", "A-1"),
        ("TestMachine", "A-5"),
        ("TestMany", "A-1"),
        ("TestMany", "A-3"),
        ("TestMany::test_inside", "A-1"),
        ("TestMany::test_inside", "A-4"),
        ("TestTyped", "A-1"),
        ("TestTyped", "A-6"),
        ("test_one", "A-1"),
        ("test_one", "A-2"),
        ("test_one", "B-1"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        '@pytest.mark.requirement("A-1")\ndef helper(): ...',
        'CASES = [pytest.param(1, marks=pytest.mark.requirement("A-1"))]',
    ],
)
def test_strayMarkers(source):
    with pytest.raises(StrayMarker):
        list(markedIn(source))


def test_complaints():
    listed = sections('[S]\nA-1 = "one"\nA-2 = { title = "two", absent = "no" }\nA-3 = "three"\n[T]\nA-1 = "again"\n')
    held = {"A-2": ["m::a"], "B-9": ["m::b"], "A-1": ["m::c"]}
    assert [complaint.partition(":")[0] for complaint in complaints(listed, held)] == ["A-1", "B-9", "A-2", "A-3"]


def test_rows():
    """Text that is too long goes on in the next line; more tests than a few are a number."""
    listed = sections('[S]\nA-1 = "' + "word " * 30 + '"\n[T]\nA-2 = { title = "two", absent = "nobody asks" }\n')
    text = page(listed, {"A-1": [f"m::t{number}" for number in range(7)]})
    assert "m::t0, m::t1, m::t2, m::t3 and 3 more" in text
    assert "Not applicable: nobody asks" in text
    assert text.count("word") == 30
    assert "1 of 2 requirements are held by 7 tests; 1 do not apply." in text


def test_sectionsKeepTheirOrder():
    assert sections('[B]\nX-1 = "x"\n[A]\nY-1 = "y"\n')[0] == Section("B", sections('[B]\nX-1 = "x"\n')[0].requirements)
