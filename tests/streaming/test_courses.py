"""Courses: what is shown of a presentation at a Scale, in which order, and when (RFC 2326 section 12.34)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from doubles import FRAME, Film, film
from hypothesis import given, settings
from hypothesis import strategies as st

from mediasrv.rtp.bursts import Burst, PacketFragment
from mediasrv.streaming.courses import Course, usableScale


def course(presentation: Film, scale: float, wholeGroups: bool = False) -> Course:
    given: Any = presentation
    return Course(given, scale, wholeGroups)


def walk(way: Course, presentation: Film, number: int, packed: list[PacketFragment] | None = None) -> Any:
    """The views of all fragments from one on."""
    packed = packed or [presentation.packed(each) for each in range(len(presentation.fragments))]
    views = []
    following: int | None = number
    while following is not None:
        views.append(way.show(packed[following], presentation.formats))
        following = way.following(following)
    return views


def bursts(views: list[PacketFragment], track: int = 0) -> list[Burst]:
    return [burst for view in views for burst in view.bursts if burst.track == track]


def pictures(way: Course, views: list[PacketFragment]) -> list[float]:
    """The NPTs of the pictures, in the order in which they leave."""
    times = [round(way.npt(burst.pts) / FRAME) * FRAME for burst in bursts(views)]
    return [time for time, _ in itertools.groupby(times)]


def gop(number: int) -> bool:
    """A key frame every fifth picture, five to a fragment."""
    return number % 5 == 0


SCALES = st.one_of(st.floats(0.03125, 32), st.floats(-32, -0.03125)).map(lambda scale: round(scale, 6))


@pytest.mark.requirement("HDR-2", "RTP-7")
@settings(deadline=None)
@given(SCALES, st.booleans(), st.sampled_from([0, 2]))
def test_timesOnACourse(scale: float, wholeGroups: bool, reorder: int) -> None:
    """Whatever the Scale: time goes on, timestamps are those of play-out, and every payload is the file's own."""
    presentation = film(fragments=6, reorder=reorder, keys=gop, keySize=5000)
    way = course(presentation, scale, wholeGroups)
    packed = [presentation.packed(number) for number in range(6)]
    views = walk(way, presentation, 5 if scale < 0 else 0, packed)
    originals = {id(burst.buffers): burst for each in packed for burst in each.bursts}
    shown = bursts(views)
    assert shown
    dues = [burst.due for burst in shown]
    assert dues == sorted(dues)
    for burst in shown:
        original = originals[id(burst.buffers)]
        assert burst.pts == pytest.approx(original.pts / scale)
        assert burst.ticks == round(burst.pts * 90000)
        assert (burst.entry, burst.marker, burst.count) == (original.entry, original.marker, original.count)
    assert [view.last for view in views] == [False] * (len(views) - 1) + [True]
    if scale != 1.0:
        assert not bursts(views, 1)  # no sound


@pytest.mark.requirement("HDR-2")
@pytest.mark.parametrize("scale", [0.25, 0.5, 1.5, 2.0])
def test_everyPictureUpToTwiceAsFast(scale: float) -> None:
    presentation = film(fragments=3, keys=gop)
    way = course(presentation, scale)
    views = walk(way, presentation, 0)
    assert pictures(way, views) == pytest.approx([number * FRAME for number in range(75)])
    gaps = {round(after.pts - before.pts, 6) for before, after in itertools.pairwise(bursts(views))}
    assert gaps == {round(FRAME / scale, 6)}


@pytest.mark.requirement("HDR-2")
def test_keyFramesBeyond() -> None:
    """One every eighth of a second of play-out at most; what nothing is shown of is not read."""
    presentation = film(fragments=40, keys=gop)
    for scale, spacing in ((3.0, 0.4), (4.0, 0.6), (16.0, 2.0), (32.0, 4.0)):
        way = course(presentation, scale)
        views = walk(way, presentation, 0)
        shown = pictures(way, views)
        assert all(time / 0.2 == pytest.approx(round(time / 0.2)) for time in shown)
        gaps = [after - before for before, after in itertools.pairwise(shown)]
        assert sum(gaps) / len(gaps) == pytest.approx(spacing, rel=0.2)
        assert len(shown) / (40 / scale) <= 8.3
        if scale == 32.0:
            assert [view.number for view in views] == list(range(0, 40, 4))


@pytest.mark.requirement("HDR-2")
@pytest.mark.parametrize("scale", [-0.5, -1.0, -1.5])
def test_keyFramesBackwards(scale: float) -> None:
    """Each alone, because players show what they decode as it comes."""
    presentation = film(fragments=3, keys=gop)
    way = course(presentation, scale)
    views = walk(way, presentation, 2)
    assert [view.number for view in views] == [2, 1, 0]
    expected = [number * FRAME for number in range(70, -5, -5)]
    assert pictures(way, views) == pytest.approx(expected)
    assert all(burst.due == pytest.approx(burst.pts) for burst in bursts(views))


@pytest.mark.requirement("HDR-2")
@pytest.mark.parametrize(("reorder", "length"), [(0, 5), (0, 25), (2, 25)])
def test_wholeGroupsBackwards(reorder: int, length: int) -> None:
    """In decoding order inside, in reverse order among each other, and before their last picture is to be shown."""
    presentation = film(fragments=2, keys=lambda number: number % length == 0, reorder=reorder)
    way = course(presentation, -1.0, wholeGroups=True)
    views = walk(way, presentation, 1)
    forwards = bursts([presentation.packed(0), presentation.packed(1)])
    groups = [list(group) for _, group in itertools.groupby(forwards, key=_Groups())]
    expected = [burst.payloads for group in reversed(groups) for burst in group]
    assert [burst.payloads for burst in bursts(views)] == expected
    for number in range(len(groups)):
        mine = bursts(views)[length * number : length * (number + 1)]
        assert max(burst.due for burst in mine) <= min(burst.pts for burst in mine) + 1e-9
        assert mine[0].entry
        assert number > 0 or way.npt(mine[0].pts) == pytest.approx((50 - length) * FRAME)


class _Groups:
    """Numbers groups of pictures."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, burst: Burst) -> int:
        self.number += burst.entry
        return self.number


def test_groupsOfAnotherFragmentAreLeftOut() -> None:
    """What cannot be decoded is not sent: key frames may be rarer than fragments."""
    presentation = film(fragments=3, keys=lambda number: number in (0, 35))
    way = course(presentation, -1.0, wholeGroups=True)
    views = walk(way, presentation, 2)
    assert [len(view.bursts) for view in views] == [0, 15, 25]
    assert pictures(course(presentation, -1.0), walk(course(presentation, -1.0), presentation, 2)) == pytest.approx(
        [35 * FRAME, 0.0]
    )


@pytest.mark.requirement("HDR-2")
@pytest.mark.parametrize("scale", [4.0, -1.0, -4.0])
def test_soundAloneComesInPieces(scale: float) -> None:
    """Half a second of each Scale's worth, at its own pace."""
    presentation = film(fragments=20, picture=False)
    way = course(presentation, scale)
    views = walk(way, presentation, 19 if scale < 0 else 0)
    shown = bursts(views)
    jumps = 0
    for before, after in itertools.pairwise(shown):
        assert 0 < after.pts - before.pts <= 0.06
        ahead = _original(presentation, after) - _original(presentation, before)
        if ahead == pytest.approx(1024 / 48000):
            continue
        jumps += 1
        assert ahead == pytest.approx(0.5 * scale - 0.5 + 1024 / 48000, abs=0.03)
    assert jumps == pytest.approx(20 / (0.5 * abs(scale)) - 1, abs=1)


def _original(presentation: Film, burst: Burst) -> float:
    """The NPT of what a burst carries."""
    for number in range(len(presentation.fragments)):
        for each in presentation.packed(number).bursts:
            if each.payloads == burst.payloads:
                return each.pts
    raise AssertionError("no burst of the presentation")


@pytest.mark.requirement("HDR-2")
@pytest.mark.parametrize(
    ("wanted", "picture", "usable"),
    [
        (2.0, True, 2.0),
        (-1.0, True, -1.0),
        (1000.0, True, 32.0),
        (-1000.0, True, -32.0),
        (1e-9, True, 0.03125),
        (-1e-9, True, -0.03125),
        (1 / 3, True, 0.333333),
        (0.5, False, 1.0),
        (-0.5, False, -1.0),
        (8.0, False, 8.0),
    ],
)
def test_usableScales(wanted: float, picture: bool, usable: float) -> None:
    """The nearest that there is, in the same direction."""
    presentation: Any = film(picture=picture)
    assert usableScale(presentation, wanted, 32.0) == usable


def test_whatCoursesShow() -> None:
    both, sound = film(), film(picture=False)
    assert [course(both, 1.0).shows(track) for track in (0, 1)] == [True, True]
    assert [course(both, 2.0).shows(track) for track in (0, 1)] == [True, False]
    assert course(sound, 2.0).shows(0)
    assert (course(both, 2.0).end, course(both, 2.0).endNPT) == (1.5, 3.0)
    assert (course(both, -2.0).end, course(both, -2.0).endNPT) == (0.0, 0.0)
