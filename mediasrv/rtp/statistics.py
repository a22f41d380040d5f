"""
What a receiver knows about one stream: how far it came, what was lost, how evenly it arrives.

RFC 3550 appendices A.1 (sequence numbers), A.3 (loss) and A.8 (jitter). One thing is left out: the probation of a new
source. It guards against strangers' packets on an open port; an RTSP stream was set up, its SSRC and address are known,
and its first packet counts.
"""

from __future__ import annotations

from mediasrv.rtp.rtcp import ReportBlock, SenderReport, middleOfNTP

#: How far ahead a sequence number may jump, and how far behind it may come, before it is doubted (appendix A.1).
_MAX_DROPOUT = 3000
_MAX_MISORDER = 100


class ReceiverStatistics:
    """
    The statistics of one received source.

    @ivar ssrc: the source.
    @ivar clockRate: ticks per second of its timestamps.
    @ivar received: packets, late and duplicate ones included, since the beginning or the last restart of the source.
    @ivar octets: their payload bytes.
    """

    __slots__ = (
        "_badSequence",
        "_baseSequence",
        "_expectedPrior",
        "_highest",
        "_jitter",
        "_lastReport",
        "_lastReportArrival",
        "_receivedPrior",
        "_transit",
        "clockRate",
        "octets",
        "received",
        "ssrc",
    )

    def __init__(self, ssrc: int, clockRate: int) -> None:
        self.ssrc = ssrc
        self.clockRate = clockRate
        self._lastReport = 0
        self._lastReportArrival = 0.0
        self._jitter = 0.0
        self._restart(None)

    def _restart(self, sequence: int | None) -> None:
        """C{init_seq} of appendix A.1; None before the first packet. The old transit time means nothing any more."""
        self._highest = sequence
        self._baseSequence = sequence or 0
        self._badSequence: int | None = None
        self.received = 0
        self.octets = 0
        self._receivedPrior = 0
        self._expectedPrior = 0
        self._transit: int | None = None

    def push(self, sequence: int, timestamp: int, arrival: float, octets: int = 0) -> bool:
        """
        Counts one packet.

        @param sequence: its 16 bits.
        @param timestamp: its 32 bits.
        @param arrival: monotonic seconds.
        @param octets: bytes of its payload.
        @return: whether it is to be believed. A jump is not, unless the next packet confirms it; then the source has
            restarted and so does the counting.
        """
        if not self._sequenceIsValid(sequence):
            return False
        self.received += 1
        self.octets += octets
        transit = (round(arrival * self.clockRate) - timestamp) & 0xFFFFFFFF
        if self._transit is not None:
            # Timestamps wrap, so their differences are taken on the circle.
            difference = (transit - self._transit + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            self._jitter += (abs(difference) - self._jitter) / 16
        self._transit = transit
        return True

    def _sequenceIsValid(self, sequence: int) -> bool:
        """C{update_seq} of appendix A.1, with the cycles kept in the extended highest number."""
        if self._highest is None:
            self._restart(sequence)
            return True
        ahead = (sequence - self._highest) & 0xFFFF
        if ahead < _MAX_DROPOUT:
            self._highest += ahead
        elif ahead <= 0x10000 - _MAX_MISORDER:
            if sequence != self._badSequence:
                self._badSequence = (sequence + 1) & 0xFFFF
                return False
            self._restart(sequence)
        return True

    @property
    def highestSequence(self) -> int:
        """The highest sequence number so far, extended by its cycles; 0 before the first packet."""
        return self._highest or 0

    @property
    def expected(self) -> int:
        """Packets that the source has sent since the first one that came, as far as its numbers tell."""
        return 0 if self._highest is None else self._highest - self._baseSequence + 1

    @property
    def lost(self) -> int:
        """Packets that are missing; below zero if there were more duplicates than losses."""
        return self.expected - self.received

    @property
    def jitter(self) -> float:
        """The mean deviation of the spacing of packets, in seconds."""
        return self._jitter / self.clockRate

    def senderReported(self, report: SenderReport, arrival: float) -> None:
        """Remembers the source's report for the block that answers it; C{arrival} is in monotonic seconds."""
        self._lastReport = middleOfNTP(report.ntp)
        self._lastReportArrival = arrival

    def report(self, now: float) -> ReportBlock:
        """
        The block for a receiver report that is sent now, and the start of the next interval.

        @param now: monotonic seconds.
        """
        expected = self.expected - self._expectedPrior
        lost = expected - (self.received - self._receivedPrior)
        self._expectedPrior = self.expected
        self._receivedPrior = self.received
        fraction = min(255, (lost << 8) // expected) if expected > 0 and lost > 0 else 0
        delay = round((now - self._lastReportArrival) * 65536) if self._lastReport else 0
        return ReportBlock(
            self.ssrc,
            fraction,
            max(-0x800000, min(0x7FFFFF, self.lost)),
            self.highestSequence & 0xFFFFFFFF,
            min(round(self._jitter), 0xFFFFFFFF),
            self._lastReport,
            max(0, min(delay, 0xFFFFFFFF)),
        )
