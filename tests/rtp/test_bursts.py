"""Bursts: equal sizes, in order, spread without reaching the next picture."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediasrv.media.tracks import Fragment, Track, Unit
from mediasrv.rtp.bursts import Burst, BurstPlan, PacketFragment, packFragment
from mediasrv.rtp.payloads.formats import PayloadFormat, PayloadGroup

FRAME = 0.04
PAUSE = 0.01


class Given(PayloadFormat):
    """Has the groups that it is told to have."""

    clockRate = 90000

    def __init__(self, index: int, groups: list[PayloadGroup]) -> None:
        super().__init__(Track(index, "video" if index == 0 else "audio", "given"))
        self.kind = self.track.kind
        self._groups = groups

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        return self._groups


def group(dts: float, sizes: Sequence[int], pts: float | None = None, key: bool = False) -> PayloadGroup:
    payloads = [bytes([at & 0xFF]) * size for at, size in enumerate(sizes)]
    return PayloadGroup(dts, dts if pts is None else pts, key, True, payloads)


def packed(
    *tracks: list[PayloadGroup], longest: int = 4, end: float = 100.0, last: bool = True, reorder: float = 0.0
) -> PacketFragment:
    formats = [Given(index, groups) for index, groups in enumerate(tracks)]
    units: list[list[Unit]] = [
        [Unit(groups[0].dts, groups[0].dts + reorder, 0.0, True, b"")] if groups else [] for groups in tracks
    ]
    return packFragment(Fragment(3, 0.0, end, units, last), formats, BurstPlan(1400, longest, PAUSE))


def sizes(burst: Burst) -> list[int]:
    return [len(payload) for payload in burst.payloads]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 1400), min_size=1, max_size=40), max_size=10),
    st.integers(1, 64),
)
def test_everyRunIsOneSystemCall(pictures: list[list[int]], longest: int) -> None:
    groups = [group(number * FRAME, picture) for number, picture in enumerate(pictures)]
    bursts = packed(groups, longest=longest).bursts
    # nothing is lost, repeated or reordered
    assert [payload for each in groups for payload in each.payloads] == [
        payload for burst in bursts for payload in burst.payloads
    ]
    for burst in bursts:
        assert [buffer for start, end, _ in burst.runs for buffer in burst.buffers[start:end]] == burst.buffers
        for start, end, segments in burst.runs:
            *equal, final = map(len, burst.buffers[start + 1 : end : 2])
            assert len(set(equal)) <= 1
            assert not equal or final <= equal[0]
            assert [struct.unpack("H", size) for _, _, size in segments] == [(size + 12,) for size in equal[:1]]
            assert not equal or sum(equal) + final + 12 * (len(equal) + 1) <= 65507
        assert 1 <= burst.count == len(burst.payloads) <= longest
        assert burst.octets == sum(sizes(burst))
        assert burst.buffers[::2] == [b""] * burst.count
    for number, each in enumerate(groups):
        mine = [burst for burst in bursts if burst.pts == each.pts]
        assert [burst.marker for burst in mine] == [False] * (len(mine) - 1) + [True]
        assert {burst.ticks for burst in mine} == {round(number * FRAME * 90000)}


@pytest.mark.requirement("RTP-10")
@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 0.2), st.integers(1, 60)),
        min_size=1,
        max_size=12,
    )
)
def test_spreadingNeverReachesTheNextPicture(pictures: list[tuple[float, int]]) -> None:
    groups, dts = [], 0.0
    for gap, count in pictures:
        groups.append(group(dts, [1400] * count))
        dts += gap
    bursts = packed(groups, end=dts, last=False).bursts
    dues = [burst.due for burst in bursts]
    assert dues == sorted(dues)
    for this, following in itertools.pairwise([*groups, None]):
        assert this is not None
        mine = [burst.due for burst in bursts if burst.pts == this.pts and burst.due >= this.dts]
        until = dts if following is None else following.dts
        assert all(this.dts <= due <= max(until, this.dts) + 1e-9 for due in mine if following is None or due <= until)
        gaps = [after - before for before, after in itertools.pairwise(mine)]
        assert all(gap <= PAUSE + 1e-9 for gap in gaps)


@pytest.mark.requirement("RTP-10")
def test_spread() -> None:
    bursts = packed([group(0.0, [100] * 12), group(FRAME, [100])]).bursts
    assert [burst.due for burst in bursts] == pytest.approx([0.0, PAUSE, 2 * PAUSE, FRAME])
    bursts = packed([group(0.0, [100] * 40), group(FRAME, [100])]).bursts
    assert [burst.due for burst in bursts] == pytest.approx([FRAME * at / 10 for at in range(11)])


def test_theLastPictureOfAFragmentMakesWayToo() -> None:
    bursts = packed([group(0.0, [100] * 40)], end=FRAME, last=False).bursts
    assert max(burst.due for burst in bursts) < FRAME
    assert bursts[-1].due == pytest.approx(FRAME * 0.9)
    # at the end of everything there is time
    bursts = packed([group(0.0, [100] * 40)], end=FRAME, last=True).bursts
    assert bursts[-1].due == pytest.approx(9 * PAUSE)


def test_runsAreOfLikeLength() -> None:
    bursts = packed([group(0.0, [100] * 9), group(FRAME, [100])], longest=8).bursts
    assert [burst.count for burst in bursts] == [5, 4, 1]


def test_aLargerPayloadBeginsARun() -> None:
    (burst,) = packed([group(0.0, [50, 100, 100, 70, 70, 100])], longest=8).bursts
    assert [sizes(burst)[start // 2 : end // 2] for start, end, _ in burst.runs] == [[50], [100, 100, 70], [70], [100]]


def test_runsLeaveTogetherAsLongAsThereAreNotTooMany() -> None:
    bursts = packed([group(0.0, [50, 60, 100, 100, 100, 100, 70, 80])], longest=5).bursts
    assert [sizes(burst) for burst in bursts] == [[50, 60], [100, 100, 100, 100, 70], [80]]
    assert [burst.marker for burst in bursts] == [False, False, True]


def test_noBurstIsTooLargeForADatagramOfItsOwn() -> None:
    plan = BurstPlan(30_000, 40, PAUSE)
    fragment = Fragment(0, 0.0, 1.0, [[]], True)
    bursts = packFragment(fragment, [Given(0, [group(0.0, [30_000] * 7)])], plan).bursts
    assert all(burst.octets + 12 * burst.count <= 65507 for burst in bursts)


def test_tracksAreMergedByWhenTheyAreDue() -> None:
    pictures = [group(at * FRAME, [500] * 9, key=at == 0) for at in range(5)]
    sounds = [group(at * 0.021, [100]) for at in range(9)]
    fragment = packed(pictures, sounds)
    dues = [burst.due for burst in fragment.bursts]
    assert dues == sorted(dues)
    assert [burst.entry for burst in fragment.bursts if burst.track == 0] == [True] + [False] * 14
    assert fragment.number == 3
    assert fragment.latest == {0: 4 * FRAME, 1: pytest.approx(8 * 0.021)}


def test_soundLeavesWithThePictureInFrontOfIt() -> None:
    """But never more than a moment early."""
    pictures = [group(at * FRAME, [500]) for at in range(5)] + [group(1.0, [500])]
    sounds = [group(at * 0.021, [100]) for at in range(60)]
    for burst in packed(pictures, sounds).bursts:
        if burst.track == 1:
            assert 0 <= burst.pts - burst.due <= 0.05
            assert burst.ticks == round(burst.pts * 90000)


def test_soundForLaterThanTheNextKeyFrameMakesWay() -> None:
    """Where pictures are reordered, the next fragment is due before this one's sound ends."""
    pictures = [group(at * FRAME - 0.12, [500], pts=at * FRAME) for at in range(25)]
    sounds = [group(at * 0.02, [100]) for at in range(50)]
    fragment = packed(pictures, sounds, end=1.0, last=False, reorder=0.12)
    assert max(burst.due for burst in fragment.bursts) <= 0.88 + 1e-9
    assert max(burst.pts for burst in fragment.bursts) == pytest.approx(0.98)
    assert all(0 <= burst.pts - burst.due <= 0.12 + 0.05 for burst in fragment.bursts if burst.track == 1)
    fragment = packed(pictures, sounds, end=1.0, last=True, reorder=0.12)
    assert max(burst.due for burst in fragment.bursts) > 0.9


def test_aTrackThatGoesOnFarBeyondTheEndIsNotHurried() -> None:
    """A file that lies about its times must not be sent in one go."""
    sounds = [group(at * 0.02, [100]) for at in range(500)]
    fragment = packed([group(0.0, [500])], sounds, end=1.0, last=False)
    assert max(burst.due for burst in fragment.bursts) >= 9.9


def test_timesThatGoBackMakeNothingLeaveEarly() -> None:
    bursts = packed([group(1.0, [100] * 9), group(0.5, [100] * 9), group(1.2, [100])]).bursts
    dues = [burst.due for burst in bursts]
    assert dues == sorted(dues)
    assert dues[0] == 1.0


def test_size() -> None:
    fragment = packed([group(0.0, [1000] * 100)])
    assert 100_000 < fragment.size < 115_000
    assert packed([]).size == 0
    assert packed([]).latest == {}


def test_entries() -> None:
    pictures = [group(at * FRAME, [500] * 9, key=at in (5, 15)) for at in range(20)]
    sounds = [group(at * 0.02, [100], key=True) for at in range(40)]
    fragment = packed(pictures, sounds)
    for time, wanted in ((0.1, None), (5 * FRAME, 0.2), (0.5, 0.2), (15 * FRAME, 0.6), (inf, 0.6)):
        index = fragment.entryAt(time)
        assert (None if index is None else fragment.bursts[index].pts) == (wanted and pytest.approx(wanted))
    first = fragment.firstEntry()
    assert first is not None
    assert (fragment.bursts[first].track, fragment.bursts[first].pts) == (0, pytest.approx(0.2))
    assert packed([]).firstEntry() is None
