"""Ranges of bytes (RFC 9110 section 14)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.web.ranges import MOST_RANGES, ByteRange, Unsatisfiable, parseRange


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-99", [(0, 100)]),
        ("bytes=0-100", [(0, 100)]),
        ("bytes=99-", [(99, 100)]),
        ("bytes=-1", [(99, 100)]),
        ("bytes=-1000", [(0, 100)]),
        ("Bytes = 1 - 2 ", [(1, 3)]),
        ("bytes=5-" + "9" * 1000, [(5, 100)]),
        ("bytes=5-6, 20-21", [(5, 7), (20, 22)]),
        ("bytes=20-21,5-6", [(20, 22), (5, 7)]),  # the client knows why
        ("bytes=,5-6,,", [(5, 7)]),  # an empty element of a list is none (section 5.6.1)
        ("bytes=5-6,7-9", [(5, 10)]),
        ("bytes=0-,-5,50-60", [(0, 100)]),
        ("bytes=0-9,200-300", [(0, 10)]),
        ("bytes=30-40,0-5,35-50", [(0, 6), (30, 51)]),
    ],
)
def testRanges(text: str, expected: list[tuple[int, int]]) -> None:
    assert parseRange(text, 100) == [ByteRange(*each) for each in expected]


@pytest.mark.requirement("SEC-25")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=1 2-3",
        "bytes=+1-2",
        "bytes=1.0-2",
        "bytes=0x1-2",
        "bytes=0-1;2-3",
        "bytes=٠-١",
        "seconds=0-1",
        "npt=0-1",
        "bytes:0-1",
        "bytes=0-1,nonsense",
        "bytes=0-1\n",
        "bytes=" + ",".join(f"{number}-{number}" for number in range(0, 2 * MOST_RANGES + 2, 2)),
        "bytes=" + "0-1," * 10_000,
        "bytes=1-" + "9" * 10_000,
    ],
)
def testWhatIsIgnored(text: str) -> None:
    assert parseRange(text, 100) is None


@pytest.mark.parametrize("text", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=1000-,-0", f"bytes={10**30}-"])
def testNothingOfItExists(text: str) -> None:
    with pytest.raises(Unsatisfiable):
        parseRange(text, 100)


@pytest.mark.parametrize("text", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def testNothingAtAllExists(text: str) -> None:
    with pytest.raises(Unsatisfiable):
        parseRange(text, 0)


def testAsManyAsAreAnswered() -> None:
    text = "bytes=" + ",".join(f"{number}-{number}" for number in range(0, 2 * MOST_RANGES, 2))
    assert len(parseRange(text, 100) or []) == MOST_RANGES


def testContentRange() -> None:
    assert ByteRange(5, 7).contentRange(100) == "bytes 5-6/100"
    assert ByteRange(5, 7).length == 2


_number = st.one_of(st.just(""), st.integers(0, 150).map(str))
_spec = st.tuples(_number, _number).map("-".join)


@pytest.mark.requirement("SEC-25")
@given(st.lists(_spec, max_size=20).map(",".join), st.integers(0, 120))
def testEveryByteOnce(specs: str, size: int) -> None:
    """What is asked for, and each byte of it once."""
    wanted = set()
    isRange = True
    for first, _, last in (spec.partition("-") for spec in specs.split(",")):
        if not first and not last:
            isRange = False
        elif not first:
            wanted |= set(range(max(0, size - int(last)), size))
        elif last and int(last) < int(first):
            isRange = False
        else:
            wanted |= set(range(int(first), min(size, int(last) + 1) if last else size))
    try:
        ranges = parseRange(f"bytes={specs}", size)
    except Unsatisfiable:
        assert isRange
        assert not wanted
        return
    if ranges is None:
        assert not isRange or len(specs.split(",")) > MOST_RANGES
        return
    sent = [byte for each in ranges for byte in range(each.start, each.stop)]
    assert sorted(sent) == sorted(wanted)


@pytest.mark.requirement("SEC-25")
@given(st.text(max_size=60), st.integers(0, 100))
def testGarbage(text: str, size: int) -> None:
    for each in (text, f"bytes={text}"):
        with contextlib.suppress(Unsatisfiable):
            parseRange(each, size)
