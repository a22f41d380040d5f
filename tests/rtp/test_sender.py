"""A track's sender: sequence numbers, timestamps, markers, and what a receiver reads of them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sending import burst, parsed, sender

from mediasrv.rtp.bursts import Burst
from mediasrv.rtp.packets import RTPPacket, parsePacket
from mediasrv.rtp.sender import TrackSender


class Nowhere:
    def send(self, sender: TrackSender, burst: Burst) -> bool:
        return True

    def sendControl(self, data: bytes) -> None: ...


SIZES = st.one_of(
    st.tuples(st.integers(1, 1400), st.integers(0, 45)).flatmap(
        lambda pair: st.integers(1, pair[0]).map(lambda last: [pair[0]] * pair[1] + [last])
    ),
    st.lists(st.integers(1, 1400), min_size=1, max_size=46),
)


def unframed(data: bytes) -> list[tuple[int, bytes]]:
    """Channel and content of interleaved frames."""
    frames = []
    while data:
        dollar, channel, length = struct.unpack_from(">BBH", data)
        assert dollar == 0x24
        assert len(data) >= 4 + length
        frames.append((channel, data[4 : 4 + length]))
        data = data[4 + length :]
    return frames


@pytest.mark.requirement("RTP-4", "RTP-11")
@settings(deadline=None)
@given(SIZES, st.integers(0, 0xFFFF), st.booleans(), st.booleans(), st.integers(0, 255), st.floats(0, 1e5))
def test_whatReceiversRead(
    sizes: list[int], sequence: int, marker: bool, start: bool, channel: int, position: float
) -> None:
    """The same over UDP and inside RTSP, also where sequence number or timestamp wraps."""
    one = sender(Nowhere(), sequence, ssrc=0xFFFFFFFF)
    one.startMarker = start
    piece = burst(sizes, pts=position, marker=marker)
    timestamp = (one.begin(0.0, 40_000.0) + round(position * 90000)) & 0xFFFFFFFF
    last = len(sizes) - 1
    wanted = [
        RTPPacket(
            96,
            (marker and at == last) or (start and not at),
            (sequence + at) & 0xFFFF,
            timestamp,
            0xFFFFFFFF,
            piece.payloads[at],
        )
        for at in range(len(sizes))
    ]
    datagrams = [bytes(header) + payload for header, payload in zip(one.headers(piece), piece.payloads, strict=True)]
    assert parsed(datagrams) == wanted
    assert [(found, parsePacket(data)) for found, data in unframed(b"".join(one.frames(piece, channel)))] == [
        (channel, packet) for packet in wanted
    ]
    if len(sizes) == 1:
        assert one.header(piece) == datagrams[0][:12]


@pytest.mark.requirement("RTCP-2")
def test_counting() -> None:
    one = sender(Nowhere(), 0xFFFE)
    one.startMarker = True
    one.count(3, 300)
    one.count(1, 7)
    assert (one.sequence, one.packets, one.octets, one.startMarker) == (2, 4, 307, False)


@pytest.mark.requirement("RTP-3", "RTP-5")
@settings(deadline=None)
@given(st.floats(0, 1e5), st.floats(0, 1e6), st.floats(0, 1e4))
def test_theRTPTimeOfAPositionIsThatOfTheWallClock(position: float, wall: float, later: float) -> None:
    """RTP-3, RTP-5: to the tick."""
    one = sender(Nowhere())
    assert one.begin(position, wall) == one.timeline.at(wall)
    piece = burst([10], pts=position + later)
    (packet,) = parsed([one.header(piece) + piece.payloads[0]])
    exact = one.timeline.extended(wall) + round((position + later) * 90000) - round(position * 90000)
    assert packet.timestamp == exact & 0xFFFFFFFF
    assert abs((one.rtpTimeAt(position + later) - packet.timestamp + 1) & 0xFFFFFFFF) <= 2, "as who comes later is told"
