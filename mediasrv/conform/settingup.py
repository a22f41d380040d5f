"""
A SETUP of one track, for checks that look at its answer alone.
"""

from __future__ import annotations

from mediasrv.conform.connection import Reply
from mediasrv.conform.grading import NotApplicable
from mediasrv.conform.judging import expect
from mediasrv.conform.ports import PortPair, openPorts
from mediasrv.conform.probing import Probe

OVER_TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


def overUDP(pair: PortPair) -> str:
    """A Transport with these ports."""
    return f"RTP/AVP;unicast;client_port={pair.numbers[0]}-{pair.numbers[1]}"


def freePorts(probe: Probe) -> PortPair:
    """Ports of ours, to which nothing comes before PLAY."""
    return openPorts(probe.network, probe.connection.address)


def setUp(probe: Probe, transport: str | None, *headers: tuple[str, str], url: str | None = None) -> Reply:
    """SETUP of the first track on a connection of its own; the session ends with the check."""
    connection = probe.connect()
    given = [] if transport is None else [("Transport", transport)]
    reply = connection.ask("SETUP", url or probe.subject.tracks[0].url, [*given, *headers])
    if reply.code == 200:
        probe.tearDownLater(connection, reply)
    return reply


def offered(probe: Probe) -> str:
    """A Transport that the server has."""
    return OVER_TCP if probe.transport == "tcp" else overUDP(freePorts(probe))


def setUpUDP(probe: Probe) -> tuple[PortPair, Reply]:
    """
    SETUP over UDP, and the ports that it named.

    @raise NotApplicable: if the server does not have UDP.
    """
    pair = freePorts(probe)
    reply = setUp(probe, overUDP(pair))
    if reply.code == 461:
        raise NotApplicable("the server does not offer UDP (461)")
    return pair, expect(reply, 200)
