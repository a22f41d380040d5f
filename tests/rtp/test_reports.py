"""What goes out as RTCP, and what a client's reports do."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sending import sender

from mediasrv.rtp.interleaved import InterleavedTransport
from mediasrv.rtp.reports import ReceptionQuality, senderReport
from mediasrv.rtp.rtcp import (
    CNAME,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RTCPPacket,
    SenderReport,
    SourceDescription,
    packCompound,
    parseCompound,
    unixSeconds,
)
from mediasrv.rtp.sender import TrackSender
from mediasrv.rtp.timeline import SessionClock


class Connection:
    blocked = False
    pieces: list[bytes] = []

    def flush(self) -> None: ...


def compound(*packets: RTCPPacket) -> bytes:
    """As a client sends them: with its name."""
    report, *others = packets
    return packCompound([report, SourceDescription.named(5, "client"), *others])


@pytest.fixture
def track() -> TrackSender:
    return sender(InterleavedTransport(Connection(), (0, 1)), ssrc=0xCAFE)


@pytest.mark.requirement("RTCP-1", "RTCP-2", "RTCP-7")
@pytest.mark.parametrize("leaving", [False, True])
def test_senderReport(track: TrackSender, leaving: bool) -> None:
    """RTCP-1, RTCP-2, RTCP-7."""
    track.count(7, 4321)
    clock = SessionClock(0.0, 1_700_000_000.0)
    packets = parseCompound(senderReport(track, clock, 12.5, "who@where", leaving))
    report, description, *rest = packets
    assert isinstance(report, SenderReport)
    assert (report.ssrc, report.packetCount, report.octetCount) == (0xCAFE, 7, 4321)
    assert report.rtpTime == 1000 + round(12.5 * 90000)
    assert unixSeconds(report.ntp) == pytest.approx(1_700_000_012.5, abs=1e-6)
    assert isinstance(description, SourceDescription)
    assert [(chunk.ssrc, chunk.items) for chunk in description.chunks] == [(0xCAFE, [(CNAME, b"who@where")])]
    assert rest == ([Goodbye([0xCAFE])] if leaving else [])


@pytest.mark.requirement("RTCP-2")
def test_countsWrap(track: TrackSender) -> None:
    track.count(0x1_0000_0005, 0x1_0000_0007)
    report = parseCompound(senderReport(track, SessionClock(0.0, 0.0), 0.0, "x"))[0]
    assert isinstance(report, SenderReport)
    assert (report.packetCount, report.octetCount) == (5, 7)


@pytest.mark.requirement("RTCP-5")
def test_aReceiverReport(track: TrackSender) -> None:
    """RTCP-5."""
    lives: list[None] = []
    quality = ReceptionQuality()
    blocks = [ReportBlock(1, 255, 9, 9, 9), ReportBlock(0xCAFE, 64, -3, 1234, 900)]
    quality.update(compound(ReceiverReport(5, blocks)), track, lambda: lives.append(None))
    assert (quality.fractionLost, quality.packetsLost, quality.jitter) == (0.25, -3, 0.01)
    assert len(lives) == 1


@pytest.mark.requirement("TMO-3")
def test_reportsAboutOthersShowLifeOnly(track: TrackSender) -> None:
    """TMO-3."""
    lives: list[None] = []
    quality = ReceptionQuality()
    quality.update(compound(ReceiverReport(5, [ReportBlock(1, 255, 9, 9, 9)])), track, lambda: lives.append(None))
    quality.update(compound(ReceiverReport(5), Goodbye([5])), track, lambda: lives.append(None))
    assert quality == ReceptionQuality()
    assert len(lives) == 2


@pytest.mark.requirement("RTCP-5", "SEC-14")
def test_whatIsNoRTCPShowsNothing(track: TrackSender) -> None:
    quality = ReceptionQuality()
    valid = compound(ReceiverReport(5, [ReportBlock(0xCAFE, 64, 3, 1234, 900)]))
    for data in (b"", b"\0", valid[:-1], b"GET / HTTP/1.1\r\n\r\n", os.urandom(3)):
        quality.update(data, track, lambda: pytest.fail("no sign of life"))
    assert quality == ReceptionQuality()


@pytest.mark.requirement("RTCP-5", "SEC-14")
@settings(deadline=None)
@given(st.binary(max_size=200))
def test_anything(data: bytes) -> None:
    track = sender(InterleavedTransport(Connection(), (0, 1)))
    quality = ReceptionQuality()
    quality.update(data, track, lambda: None)
    assert 0.0 <= quality.fractionLost < 1.0
