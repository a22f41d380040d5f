"""Statistics of a receiver, against what was really lost (RFC 3550 appendices A.1, A.3, A.8; RTCP-8)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.rtp.rtcp import ReportBlock, SenderReport, ntpTimestamp
from mediasrv.rtp.statistics import ReceiverStatistics


def receive(statistics: ReceiverStatistics, sequences: list[int]) -> list[bool]:
    return [statistics.push(sequence & 0xFFFF, sequence * 160, sequence * 0.02) for sequence in sequences]


def test_beforeTheFirstPacket() -> None:
    assert ReceiverStatistics(7, 8000).report(5.0) == ReportBlock(7)


def test_aPerfectStream() -> None:
    statistics = ReceiverStatistics(7, 8000)
    for sequence in range(100, 110):
        assert statistics.push(sequence, sequence * 160, 3 + sequence * 0.02, octets=160)
    assert (statistics.received, statistics.expected, statistics.lost, statistics.octets) == (10, 10, 0, 1600)
    assert statistics.report(10.0) == ReportBlock(7, highestSequence=109)


def test_loss() -> None:
    """The fraction is that of the interval, the count that of the whole life."""
    statistics = ReceiverStatistics(7, 8000)
    receive(statistics, [1, 2, 4, 5, 6, 8])
    block = statistics.report(1.0)
    assert (block.fractionLost, block.cumulativeLost, block.highestSequence) == (256 * 2 // 8, 2, 8)
    receive(statistics, [9, 10])
    block = statistics.report(2.0)
    assert (block.fractionLost, block.cumulativeLost) == (0, 2)
    block = statistics.report(3.0)
    assert (block.fractionLost, block.cumulativeLost) == (0, 2)


def test_lateAndDuplicatePackets() -> None:
    statistics = ReceiverStatistics(7, 8000)
    assert all(receive(statistics, [1, 3, 2, 3, 3]))
    assert statistics.lost == -2
    assert statistics.report(1.0).cumulativeLost == -2
    assert statistics.report(1.0).fractionLost == 0


def test_theSequenceNumberWraps() -> None:
    statistics = ReceiverStatistics(7, 8000)
    receive(statistics, [65534, 65535, 65537, 65536, 65538])
    assert statistics.highestSequence == 0x10002
    assert statistics.lost == 0


def test_aJumpIsBelievedWhenTheNextPacketConfirmsIt() -> None:
    statistics = ReceiverStatistics(7, 8000)
    assert receive(statistics, [1, 2, 40000, 3]) == [True, True, False, True]
    assert statistics.received == 3
    assert receive(statistics, [30000, 30001, 30002]) == [False, True, True]
    assert (statistics.received, statistics.expected) == (2, 2)
    assert statistics.jitter == 0


def test_aLongGapIsLoss() -> None:
    statistics = ReceiverStatistics(7, 8000)
    receive(statistics, [1, 2000])
    assert statistics.lost == 1998
    assert statistics.report(1.0).fractionLost == 255


@given(st.integers(0, 0xFFFF), st.lists(st.booleans(), min_size=1, max_size=300))
def test_whatWasLostIsCounted(start: int, arrived: list[bool]) -> None:
    arrived = [True, *arrived, True]
    statistics = ReceiverStatistics(7, 8000)
    receive(statistics, [start + number for number, came in enumerate(arrived) if came])
    block = statistics.report(1.0)
    missing = arrived.count(False)
    assert (statistics.lost, block.cumulativeLost) == (missing, missing)
    assert block.fractionLost == 256 * missing // len(arrived)
    assert block.highestSequence == start + len(arrived) - 1


def test_jitter() -> None:
    """Each difference counts for a sixteenth (section 6.4.1), whatever the timestamps' zero, and across their wrap."""
    statistics = ReceiverStatistics(7, 8000)
    statistics.push(1, 0xFFFFFFFF - 79, 1.0)
    statistics.push(2, 80, 1.02)
    assert statistics.jitter == 0
    statistics.push(3, 240, 1.05)
    assert statistics.jitter == pytest.approx(0.010 / 16)
    statistics.push(4, 400, 1.07)
    assert statistics.jitter == pytest.approx(0.010 / 16 * 15 / 16)
    assert statistics.report(2.0).jitter == round(80 / 16 * 15 / 16)


def test_jitterOfAnEarlyPacket() -> None:
    statistics = ReceiverStatistics(7, 8000)
    statistics.push(1, 0, 1.0)
    statistics.push(2, 160, 1.01)
    assert statistics.jitter == pytest.approx(0.010 / 16)


def test_theBlockAnswersTheSenderReport() -> None:
    """Both ends together: the sender computes the round trip from the block (section 6.4.1)."""
    statistics = ReceiverStatistics(7, 8000)
    receive(statistics, [1])
    sent = ntpTimestamp(1.7e9)
    statistics.senderReported(SenderReport(7, sent, 0, 0, 0), arrival=50.0)
    block = statistics.report(52.5)
    assert block.lastSR == sent >> 16 & 0xFFFFFFFF
    assert block.delaySinceLastSR == 2.5 * 65536
    assert block.roundTrip(ntpTimestamp(1.7e9 + 2.75)) == pytest.approx(0.25)
