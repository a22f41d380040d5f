"""
The Transport header (RFC 2326 sections 10.12 and 12.39): SET-3 to SET-8, SET-15, SET-16, SET-18.
"""

from __future__ import annotations

import re

from mediasrv.conform.connection import Reply
from mediasrv.conform.grading import Failed, Grade, NotApplicable, check
from mediasrv.conform.judging import allOf, expect, refused, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.settingup import OVER_TCP, freePorts, offered, overUDP, setUp, setUpUDP
from mediasrv.conform.viewing import transportOf


def _single(reply: Reply) -> str:
    """
    The one Transport of a reply.

    @raise Failed: if there are more, or none.
    """
    value = reply.headers.get("Transport", "")
    require(bool(value) and "," not in re.sub(r'"[^"]*"', "", value), "exactly one Transport")
    return value


def _interleaved(probe: Probe, channels: str) -> tuple[int, int]:
    reply = setUp(probe, f"RTP/AVP/TCP;unicast{channels}")
    if reply.code == 461:
        raise NotApplicable(f"461 for RTP/AVP/TCP;unicast{channels}")
    given = transportOf(expect(reply, 200)).interleaved
    if given is None:
        raise Failed("interleaved=a-b")
    return given


@check(
    "SET-3",
    Grade.MUST,
    "RFC 2326 12.39",
    "Of a list of transports the server takes one that it has, and names that alone.",
)
def listOfTransports(probe: Probe) -> None:
    reply = expect(setUp(probe, f"RTP/FOO;unicast,{offered(probe)}"), 200)
    _single(reply)
    isTCP = transportOf(reply).lower == "TCP"
    require(isTCP == (probe.transport == "tcp"), "the transport of the list")


@check("SET-3", Grade.SHOULD, "RFC 2326 12.39", "Of several transports that it has, the server takes the first.")
def firstOfTransports(probe: Probe) -> None:
    udp = overUDP(freePorts(probe))
    if setUp(probe, udp).code != 200 or setUp(probe, OVER_TCP).code != 200:
        raise NotApplicable("only one transport")
    for first, transports in (("UDP", f"{udp},{OVER_TCP}"), ("TCP", f"{OVER_TCP},{udp}")):
        reply = expect(setUp(probe, transports), 200)
        _single(reply)
        require(transportOf(reply).lower == first, first)


@check("SET-3 STATUS-461", Grade.MUST, "RFC 2326 11.3.12", "If the server has none of the transports, that is 461.")
def noTransport(probe: Probe) -> None:
    expect(setUp(probe, "RAW/FOO;unicast,RTP/FOO/UDP;unicast;client_port=9000-9001"), 461)


@check("SET-3", Grade.SHOULD, "RFC 2326 12.39", "SETUP without Transport is refused, with 461 or 400.")
def transportIsMissing(probe: Probe) -> None:
    expect(setUp(probe, None), 461, 400)


@check("SET-4", Grade.MUST, "RFC 2326 12.39", "RTP/AVP/UDP means the same as RTP/AVP.")
def lowerTransport(probe: Probe) -> None:
    setUpUDP(probe)
    pair = freePorts(probe)
    expect(setUp(probe, f"RTP/AVP/UDP;unicast;client_port={pair.numbers[0]}-{pair.numbers[1]}"), 200)


@check("SET-5", Grade.MUST, "RFC 2326 12.39", "mode=PLAY, with and without quotes, is what there is without mode.")
def modes(probe: Probe) -> None:
    for mode in ("mode=PLAY", 'mode="PLAY"', 'mode="play"'):
        expect(setUp(probe, f"{offered(probe)};{mode}"), 200)


@check("SET-5", Grade.SHOULD, "RFC 2326 12.39", "Parameters of Transport that nobody knows are ignored.")
def unknownParameters(probe: Probe) -> None:
    expect(setUp(probe, f"{offered(probe)};x-wings=2;x-engine"), 200)


@check("SET-5", Grade.SHOULD, "RFC 2326 12.39", "client_port may be one port; the other is the next.")
def singlePort(probe: Probe) -> None:
    pair, _ = setUpUDP(probe)
    pair = freePorts(probe)
    reply = expect(setUp(probe, f"RTP/AVP;unicast;client_port={pair.numbers[0]}"), 200)
    ports = transportOf(reply).clientPort
    require(ports is None or ports[0] == pair.numbers[0], f"client_port={pair.numbers[0]}")


@check(
    "SET-5",
    Grade.POLICY,
    "RFC 2326 12.39 says multicast",
    "Without 'unicast' unicast is meant: that is what clients expect.",
)
def unicastIsMeant(probe: Probe) -> None:
    reply = expect(setUp(probe, offered(probe).replace("unicast;", "")), 200)
    require(transportOf(reply).unicast is not False, "unicast")


@check("SET-6", Grade.MUST, "RFC 2326 12.39", "The reply over UDP says unicast and repeats client_port.")
def udpReply(probe: Probe) -> None:
    pair, reply = setUpUDP(probe)
    spec = transportOf(reply)
    require(spec.lower == "UDP" and spec.unicast is True, "RTP/AVP;unicast")
    require(spec.clientPort == pair.numbers, f"client_port={pair.numbers[0]}-{pair.numbers[1]}")


@check(
    "SET-6", Grade.SHOULD, "RFC 2326 12.39", "The reply over UDP names the server's ports, an even one and the next."
)
def serverPorts(probe: Probe) -> None:
    ports = transportOf(setUpUDP(probe)[1]).serverPort
    require(ports is not None and ports[0] % 2 == 0 and ports[1] == ports[0] + 1, "server_port=even-odd")


@check("SET-6 INT-1", Grade.MUST, "RFC 2326 10.12", "The reply over TCP names the interleaved channels.")
def interleavedReply(probe: Probe) -> None:
    reply = setUp(probe, OVER_TCP)
    if reply.code == 461:
        raise NotApplicable("the server does not offer TCP (461)")
    spec = transportOf(expect(reply, 200))
    require(spec.lower == "TCP" and spec.interleaved is not None, "RTP/AVP/TCP;…;interleaved=a-b")


@check("SET-6", Grade.POLICY, "RFC 2326 12.39", "The reply names the SSRC, in eight hexadecimal digits.")
def ssrcInReply(probe: Probe) -> None:
    value = _single(expect(setUp(probe, offered(probe)), 200))
    require(re.search(r";\s*ssrc=[0-9A-Fa-f]{8}\s*(;|$)", value) is not None, "ssrc= and eight hexadecimal digits")


@check("SET-7", Grade.POLICY, "RFC 2326 12.39", "The channels that the client asks for are those that it gets.")
def askedChannels(probe: Probe) -> None:
    for asked in ((6, 7), (0, 1), (254, 255)):
        given = _interleaved(probe, f";interleaved={asked[0]}-{asked[1]}")
        require(given == asked, f"interleaved={asked[0]}-{asked[1]}")


@check(
    "SET-7",
    Grade.POLICY,
    "RFC 2326 10.12",
    "If the client asks for no channels, the server chooses: QuickTime does so.",
)
def channelsAreMissing(probe: Probe) -> None:
    reply = expect(setUp(probe, "RTP/AVP/TCP;unicast"), 200)
    require(transportOf(reply).interleaved is not None, "interleaved=a-b")


@check(
    "SET-7",
    Grade.MUST,
    "RFC 2326 10.12",
    "Two tracks never share a channel: others are given, or the SETUP is refused.",
)
def takenChannels(probe: Probe) -> None:
    probe.needTracks(2)
    viewer = probe.viewer(probe.subject.tracks[:1], "tcp")
    reply = viewer.ask("SETUP", [("Transport", OVER_TCP)], probe.subject.tracks[1].url)
    if reply.code == 200:
        first, second = viewer.receptions[0].transport.interleaved, transportOf(reply).interleaved
        isApart = first is not None and second is not None and not set(first) & set(second)
        require(isApart, "channels other than those of the first track")
    else:
        refused(reply)


@check("SET-8", Grade.SHOULD, "RFC 2326 10.12", "If one channel is given, RTCP is on the next.")
def singleChannel(probe: Probe) -> None:
    first, second = _interleaved(probe, ";interleaved=4")
    require(second == first + 1, "interleaved=4-5, or others in a row")


@check(
    "SET-15", Grade.MUST, "RFC 2326 12.39", "Multicast is given with destination, port and ttl, or refused with 461."
)
def multicast(probe: Probe) -> str:
    reply = expect(setUp(probe, "RTP/AVP;multicast"), 200, 461)
    if reply.code == 461:
        return "refused with 461"
    spec = transportOf(reply)
    isWhole = spec.unicast is False and None not in (spec.destination, spec.port, spec.ttl)
    require(isWhole, "RTP/AVP;multicast;destination=…;port=a-b;ttl=n")
    return f"{spec.destination}, ports {spec.port}"


@check(
    "SET-16", Grade.SHOULD, "RFC 2326 12.39", "Ports that cannot be are refused, so that the client can ask for TCP."
)
def impossiblePorts(probe: Probe) -> None:
    problems = {}
    for ports in ("0-0", "65536-65537", "99999-100000", "abc"):
        code = setUp(probe, f"RTP/AVP;unicast;client_port={ports}").code
        if code not in (400, 461):
            problems[f"client_port={ports}"] = str(code)
    allOf(problems, "461 or 400")


@check(
    "SET-18",
    Grade.SHOULD,
    "practice of FFmpeg, VLC and QuickTime",
    "Packets with which a client opens its NAT do no harm.",
)
def natPunching(probe: Probe) -> None:
    probe.needUDP()
    viewer = probe.viewer(transport="udp")
    for reception in viewer.receptions:
        ports, server = reception.ports, reception.transport.serverPort
        if ports is None or server is None:
            raise NotApplicable("no server_port")
        for data in (b"", b"\xce\xfa\xed\xfe", b"\x80" + bytes(11)):
            ports.sendTo(0, data, (viewer.connection.peer, server[0]))
            ports.sendTo(1, data[:8], (viewer.connection.peer, server[1]))
    viewer.begin(viewer.play())
