"""RTCP: written, read back, composed as RFC 3550 section 6.1 says, unharmed by lies (RTCP-1, -5, -7, -9, SEC-14)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.packets import PacketError
from mediasrv.rtp.rtcp import (
    CNAME,
    TOOL,
    Goodbye,
    OtherPacket,
    ReceiverReport,
    ReportBlock,
    RTCPPacket,
    SenderReport,
    SourceChunk,
    SourceDescription,
    middleOfNTP,
    ntpTimestamp,
    packCompound,
    parseCompound,
    unixSeconds,
)

SENDER = bytes.fromhex("80c80006 11223344 e000000080000000 00015f90 0000000a 00000400")
RECEIVER = bytes.fromhex("81c90007 00000001 11223344 40fffffe 00010005 00000007 00008000 00010000")
NAME = bytes.fromhex("81ca0003 11223344 0104") + b"host" + b"\0\0"
BYE = bytes.fromhex("81cb0002 11223344 03") + b"end"

sender = SenderReport(0x11223344, 0xE000000080000000, 90000, 10, 1024)
receiver = ReceiverReport(1, [ReportBlock(0x11223344, 64, -2, 0x10005, 7, 0x8000, 0x10000)])
name = SourceDescription.named(0x11223344, "host")
bye = Goodbye([0x11223344], "end")


@pytest.mark.requirement("RTCP-5")
@pytest.mark.parametrize(
    ("packet", "data"),
    [
        (sender, SENDER),
        (receiver, RECEIVER),
        (name, NAME),
        (bye, BYE),
        (Goodbye([1, 2]), bytes.fromhex("82cb0002 00000001 00000002")),
        (Goodbye([1], "over"), bytes.fromhex("81cb0003 00000001 04") + b"over\0\0\0"),
        (SourceDescription([SourceChunk(1)]), bytes.fromhex("81ca0002 00000001 00000000")),
        (
            SourceDescription([SourceChunk(1, [(CNAME, b"a"), (TOOL, b"")]), SourceChunk(2, [(CNAME, b"bcd")])]),
            bytes.fromhex("82ca0006 00000001 0101610600000000 00000002 0103626364000000"),
        ),
        (OtherPacket(206, 1, b"\0\0\0\1\0\0\0\2"), bytes.fromhex("81ce0002 00000001 00000002")),
        (OtherPacket(204, 3, b"\0\0\0\1NAME"), bytes.fromhex("83cc0002 00000001") + b"NAME"),
    ],
)
def test_bothWays(packet: RTCPPacket, data: bytes) -> None:
    assert packet.toBytes() == data
    assert parseCompound(data) == [packet]


@pytest.mark.requirement("RTCP-1")
def test_aCompoundPacket() -> None:
    data = SENDER + NAME + BYE
    assert packCompound([sender, name, bye]) == data
    assert parseCompound(data) == [sender, name, bye]


@pytest.mark.requirement("RTCP-1")
@pytest.mark.parametrize(
    "packets",
    [
        pytest.param([], id="nothing"),
        pytest.param([name, sender], id="no report first"),
        pytest.param([sender, bye], id="nobody named"),
        pytest.param([sender, SourceDescription([SourceChunk(1, [(TOOL, b"x")])])], id="no CNAME"),
        pytest.param([sender, bye, name], id="BYE not last"),
    ],
)
def test_whatMustNotBeSentIsNotPacked(packets: list[RTCPPacket]) -> None:
    with pytest.raises(PacketError):
        packCompound(packets)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ReceiverReport(1, [ReportBlock(1)] * 32).toBytes(),
        lambda: SenderReport(1, 0, 0, 0, 0, [ReportBlock(1)] * 32).toBytes(),
        lambda: Goodbye([1] * 32).toBytes(),
        lambda: SourceDescription([SourceChunk(1)] * 32).toBytes(),
        lambda: SourceChunk(1, [(CNAME, bytes(256))]).toBytes(),
        lambda: SourceChunk(1, [(0, b"x")]).toBytes(),
        lambda: OtherPacket(204, 0, b"odd").toBytes(),
    ],
)
def test_whatDoesNotFitIsNotPacked(make: Callable[[], bytes]) -> None:
    with pytest.raises(PacketError):
        make()


@pytest.mark.requirement("RTCP-2")
def test_countersWrapAndLossIsClamped() -> None:
    """RFC 3550 appendix A.3: 24 bits, clamped rather than wrapped; the sender's counters wrap."""
    wrapped = parseCompound(SenderReport(1, 0, 2**32 + 1, 2**32 + 2, 2**32 + 3).toBytes())
    assert wrapped == [SenderReport(1, 0, 1, 2, 3)]
    for lost, expected in [(2**24, 0x7FFFFF), (-(2**24), -0x800000), (-1, -1)]:
        [report] = parseCompound(ReceiverReport(1, [ReportBlock(2, 0, lost)]).toBytes())
        assert isinstance(report, ReceiverReport)
        assert report.reports[0].cumulativeLost == expected


def test_longNamesAndReasonsAreCutBetweenCharacters() -> None:
    [packet] = parseCompound(Goodbye([1], "é" * 200).toBytes())
    assert packet == Goodbye([1], "é" * 127)
    assert SourceDescription.named(1, "é" * 200).names() == {1: "é" * 127}


def test_namesOfOthersMayBeAnything() -> None:
    assert SourceDescription([SourceChunk(1, [(CNAME, b"\xff")])]).names() == {1: "\ufffd"}


def test_paddingAtTheEnd() -> None:
    padded = b"\xa1" + bytes.fromhex("cb0002 11223344 00000004")
    assert parseCompound(SENDER + padded) == [sender, Goodbye([0x11223344])]


@pytest.mark.requirement("RTCP-9")
def test_reducedSizeIsRead() -> None:
    """RTCP-9: feedback alone, without report and name, as RFC 5506 allows."""
    nack = bytes.fromhex("81cd0003 00000001 11223344 00070000")
    assert parseCompound(nack) == [OtherPacket(205, 1, nack[4:])]


def test_profileExtensionsAreKept() -> None:
    report = ReceiverReport(1, [ReportBlock(2)], b"more")
    assert parseCompound(report.toBytes()) == [report]


@pytest.mark.requirement("RTCP-5", "SEC-14")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x80\xc9\0", id="within the header"),
        pytest.param(SENDER[:-1], id="shorter than it says"),
        pytest.param(SENDER + b"\x81\xca", id="a second header cut"),
        pytest.param(b"\x40" + SENDER[1:], id="version 1"),
        pytest.param(b"\x80\x60" + SENDER[2:], id="RTP"),
        pytest.param(b"\x81" + SENDER[1:], id="SR with a block too many"),
        pytest.param(b"\x82" + RECEIVER[1:], id="RR with a block too many"),
        pytest.param(bytes.fromhex("80c80001 11223344"), id="SR without sender information"),
        pytest.param(bytes.fromhex("80c90000"), id="RR without SSRC"),
        pytest.param(b"\x82" + NAME[1:], id="SDES with a chunk too many"),
        pytest.param(b"\x80" + NAME[1:], id="SDES with a chunk too few"),
        pytest.param(bytes.fromhex("81ca0002 11223344 01024142"), id="SDES that does not end"),
        pytest.param(bytes.fromhex("81ca0002 11223344 01ff4142"), id="SDES item beyond the end"),
        pytest.param(bytes.fromhex("81ca0002 11223344 01014101"), id="SDES item without length"),
        pytest.param(bytes.fromhex("81ca0001 11223344"), id="SDES of an SSRC alone"),
        pytest.param(bytes.fromhex("82cb0001 11223344"), id="BYE with a source too many"),
        pytest.param(bytes.fromhex("81cb0002 11223344 ff656e64"), id="BYE reason beyond the end (CVE-2021-43804)"),
        pytest.param(bytes.fromhex("a1cb0002 11223344 00000004") + SENDER, id="padding before the last"),
        pytest.param(bytes.fromhex("a0cb0001 00000008"), id="padding beyond the packet"),
        pytest.param(bytes.fromhex("a0cb0001 00000003"), id="padding of odd size"),
        pytest.param(bytes.fromhex("a0cb0001 00000000"), id="padding of nothing"),
        pytest.param(bytes.fromhex("a0cb0000"), id="padding without room"),
        pytest.param(bytes.fromhex("80cb0000") * 1000, id="a thousand packets"),
    ],
)
def test_liesAreRefused(data: bytes) -> None:
    with pytest.raises(PacketError):
        parseCompound(data)


words = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    ReportBlock, words, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), words, words, words, words
)
extensions = st.binary(max_size=3).map(lambda data: data * 4)
items = st.tuples(st.integers(1, 255), st.binary(max_size=255))
packets = st.one_of(
    st.builds(
        SenderReport,
        words,
        st.integers(0, 2**64 - 1),
        words,
        words,
        words,
        st.lists(blocks, max_size=31),
        extensions,
    ),
    st.builds(ReceiverReport, words, st.lists(blocks, max_size=31), extensions),
    st.builds(SourceDescription, st.lists(st.builds(SourceChunk, words, st.lists(items, max_size=4)), max_size=5)),
    st.builds(Goodbye, st.lists(words, max_size=31), st.text(st.characters(codec="utf-8"), max_size=60)),
    st.builds(OtherPacket, st.integers(204, 223), st.integers(0, 31), extensions),
)


@given(st.lists(packets, min_size=1, max_size=5))
def test_writingAndReadingAreInverse(packets: list[RTCPPacket]) -> None:
    assert parseCompound(b"".join(packet.toBytes() for packet in packets)) == packets


@pytest.mark.requirement("SEC-14")
@given(st.integers(0, 31), st.integers(192, 223), st.binary(max_size=120), st.booleans())
def test_garbageRaisesOnlyOurError(count: int, kind: int, body: bytes, isPadded: bool) -> None:
    body = body[: len(body) & ~3]
    header = bytes([0x80 | isPadded << 5 | count, kind, 0, len(body) // 4])
    for data in (header + body, body):
        try:
            packets = parseCompound(data)
        except PacketError:
            continue
        assert packets


@pytest.mark.requirement("RTCP-2")
def test_ntp() -> None:
    """RFC 3550 section 4: seconds since 1900, and the NTP epoch that starts in February 2036."""
    assert ntpTimestamp(0.0) == 2208988800 << 32
    assert ntpTimestamp(0.5) == (2208988800 << 32) + (1 << 31)
    assert ntpTimestamp(2085978496.0) == 0
    assert unixSeconds(0) == 2085978496.0
    assert unixSeconds(ntpTimestamp(1.25)) == 1.25
    assert middleOfNTP(0x0123456789ABCDEF) == 0x456789AB


@given(st.floats(0, 4e9))
def test_ntpAndBack(seconds: float) -> None:
    assert unixSeconds(ntpTimestamp(seconds)) == pytest.approx(seconds, abs=1e-6)


def test_roundTrip() -> None:
    """The example of RFC 3550 figure 2: 6.125 s."""
    block = ReportBlock(1, lastSR=0xB7052000, delaySinceLastSR=0x00054000)
    assert block.roundTrip(0xB44DB710_80000000) == 6.125
    assert block.roundTrip(0xB44DB70A_50000000) == 0.0
    assert ReportBlock(1).roundTrip(0xB44DB710_80000000) is None
