"""
The address book of a pair of UDP ports that many sessions share: for which of them is what comes, and from where.

Clients send RTCP, and packets that open a way through their NAT (SET-18), which may change their port on the way. What
comes from another host than the one that a session belongs to never changes anything (SET-12).
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from mediasrv.rtp.packets import PacketError, isRTCP
from mediasrv.rtp.rtcp import ReceiverReport, SenderReport, parseCompound

Address = tuple[str, int]


class Addressed(Protocol):
    """
    Who is in the book.

    @ivar host: of the client.
    @ivar media: where it is believed to want RTP; the book changes that, as it does C{control} and C{confirmed}.
    @ivar control: where it is believed to want RTCP.
    @ivar muxed: whether it has one port for both (RFC 5761).
    @ivar ssrc: of what is sent to it.
    @ivar confirmed: whether something came from where RTP goes.
    """

    host: str
    media: Address
    control: Address
    muxed: bool
    ssrc: int
    confirmed: bool

    def controlReceived(self, data: bytes) -> None:
        """RTCP came from the client."""


class AddressBook:
    """
    Who is where.
    """

    def __init__(self) -> None:
        self._byMedia: dict[Address, Addressed] = {}
        self._byControl: dict[Address, Addressed] = {}
        self._bySSRC: dict[int, Addressed] = {}
        self._unconfirmed: dict[str, deque[Addressed]] = {}

    def __bool__(self) -> bool:
        """Whether anybody is in it."""
        return bool(self._byMedia or self._byControl or self._bySSRC or self._unconfirmed)

    def add(self, entry: Addressed) -> None:
        """From now on what comes from these addresses is for this one."""
        self._byMedia[entry.media] = entry
        if not entry.muxed:
            self._byControl[entry.control] = entry
        self._bySSRC[entry.ssrc] = entry
        self._unconfirmed.setdefault(entry.host, deque()).append(entry)

    def remove(self, entry: Addressed) -> None:
        """Undoes L{add}."""
        for known, address in ((self._byMedia, entry.media), (self._byControl, entry.control)):
            if known.get(address) is entry:
                del known[address]
        if self._bySSRC.get(entry.ssrc) is entry:
            del self._bySSRC[entry.ssrc]
        self._confirm(entry)

    def _confirm(self, entry: Addressed) -> None:
        entry.confirmed = True
        waiting = self._unconfirmed.get(entry.host)
        if waiting is not None and entry in waiting:
            waiting.remove(entry)
            if not waiting:
                del self._unconfirmed[entry.host]

    def mediaReceived(self, data: bytes, address: Address) -> None:
        """
        Something came to the RTP port, where RTCP is told from all else by its packet type (RFC 5761 section 4). What
        it says of an SSRC is a better clue to whose NAT it came through than the order in which things come.
        """
        if isRTCP(data):
            known = self._about(data, address[0])
            if known is not None and known.muxed and not known.confirmed:
                self._moveMedia(known, address)
        self.punched(address)
        known = self._byMedia.get(address)
        if known is not None and known.muxed and isRTCP(data):
            known.controlReceived(data)

    def _moveMedia(self, known: Addressed, address: Address) -> None:
        """From now on media go to another port of the same host."""
        if self._byMedia.get(known.media) is known:  # another session may have claimed that address
            del self._byMedia[known.media]
        known.media = address
        self._byMedia[address] = known

    def punched(self, address: Address) -> None:
        """
        Something came to the RTP port: a client opens a way through its NAT (SET-18). From the port that it asked for,
        all is well; from another port of the same host, that is what its NAT made of the first of its tracks from which
        nothing was heard yet: clients send these packets in the order of their SETUPs.
        """
        known = self._byMedia.get(address)
        if known is None:
            waiting = self._unconfirmed.get(address[0])
            if not waiting:
                return
            known = waiting[0]
            self._moveMedia(known, address)
        if not known.confirmed:
            self._confirm(known)

    def controlReceived(self, data: bytes, address: Address) -> None:
        """RTCP: from the address that the client named, or about one of our SSRCs from the same host (RTCP-6)."""
        known = self._byControl.get(address)
        if known is None:
            known = self._about(data, address[0])
            if known is None:
                return
            if not known.muxed:
                self._moveControl(known, address)
        known.controlReceived(data)

    def _moveControl(self, known: Addressed, address: Address) -> None:
        """From now on RTCP goes to another port of the same host."""
        if self._byControl.get(known.control) is known:
            del self._byControl[known.control]
        known.control = address
        self._byControl[address] = known

    def _about(self, data: bytes, host: str) -> Addressed | None:
        try:
            packets = parseCompound(data)
        except PacketError:
            return None
        for packet in packets:
            if isinstance(packet, ReceiverReport | SenderReport):
                for block in packet.reports:
                    known = self._bySSRC.get(block.ssrc)
                    if known is not None and known.host == host:
                        return known
        return None
