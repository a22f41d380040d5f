"""
SETUP and Transport (RFC 2326 sections 10.4 and 12.39): SET-1 to SET-18.
"""

from __future__ import annotations

import re

from mediasrv.conform.client import PortPair, Reply
from mediasrv.conform.grading import Failed, Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import allOf, expect, refused, require
from mediasrv.conform.probing import Probe
from mediasrv.conform.viewing import Viewer, sessionOf, transportOf

#: a network that is nobody's (RFC 5737): nothing is ever played to it
_ELSEWHERE = "192.0.2.1"
_TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


def _udp(pair: PortPair) -> str:
    return f"RTP/AVP;unicast;client_port={pair.numbers[0]}-{pair.numbers[1]}"


def _pair(probe: Probe) -> PortPair:
    return probe.network.ports(probe.connection.address)


def _setUp(probe: Probe, transport: str | None, *headers: tuple[str, str], url: str | None = None) -> Reply:
    """SETUP of the first track on a connection of its own; the session ends with the check."""
    connection = probe.connect()
    given = [] if transport is None else [("Transport", transport)]
    reply = connection.ask("SETUP", url or probe.subject.tracks[0].url, [*given, *headers])
    if reply.code == 200:
        probe.tearDownLater(connection, reply)
    return reply


def _offered(probe: Probe) -> str:
    """A Transport that the server has."""
    return _TCP if probe.transport == "tcp" else _udp(_pair(probe))


def _udpReply(probe: Probe) -> tuple[PortPair, Reply]:
    pair = _pair(probe)
    reply = _setUp(probe, _udp(pair))
    if reply.code == 461:
        raise NotApplicable("the server does not offer UDP (461)")
    return pair, expect(reply, 200)


def _single(reply: Reply) -> str:
    """
    The one Transport of a reply.

    @raise Failed: if there are more, or none.
    """
    value = reply.headers.get("Transport", "")
    require(bool(value) and "," not in re.sub(r'"[^"]*"', "", value), "exactly one Transport")
    return value


@check(
    "SET-1", Grade.MUST, "RFC 2326 3.4", "A session identifier has eight characters or more, of those that are allowed."
)
def sessionIdentifiers(probe: Probe) -> str:
    session = sessionOf(expect(_setUp(probe, _offered(probe)), 200))
    isRight = re.fullmatch(r"[A-Za-z0-9$_.+-]{8,}", session) is not None
    require(isRight, "eight or more of letters, digits and $ - _ . +", f"Session: {session}")
    return session


@check(
    "SET-1",
    Grade.POLICY,
    "RFC 2326 3.4",
    "A session identifier is of letters and digits alone; some clients drop the rest.",
)
def plainSessionIdentifiers(probe: Probe) -> None:
    session = sessionOf(expect(_setUp(probe, _offered(probe)), 200))
    require(session.isalnum() and session.isascii(), "letters and digits", f"Session: {session}")


@check("SET-1", Grade.MUST, "RFC 2326 3.4", "Session identifiers are random: none comes twice, and they do not count.")
def randomSessionIdentifiers(probe: Probe) -> None:
    sessions = [sessionOf(expect(_setUp(probe, _offered(probe)), 200)) for _ in range(4)]
    require(len(set(sessions)) == 4, "four different ones", ", ".join(sessions))
    stems = {session[: max(1, len(session) - 3)] for session in sessions}
    require(len(stems) == 4, "four that differ in more than the end", ", ".join(sessions))


@check(
    "SET-2", Grade.MUST, "RFC 2326 10.4", "A SETUP with Session adds the track to that session, or is refused with 459."
)
def bundling(probe: Probe) -> str:
    probe.needTracks(2)
    first, second = probe.subject.tracks[:2]
    viewer = probe.viewer([first])
    session = viewer.session
    wanted = "RTP/AVP/TCP;unicast;interleaved=2-3" if probe.transport == "tcp" else _udp(_pair(probe))
    reply = expect(viewer.ask("SETUP", [("Transport", wanted)], second.url), 200, 459)
    if reply.code == 459:
        return "refused: no aggregate control"
    require(sessionOf(reply) == session, f"Session: {session}")
    return ""


@check("SET-2 STATUS-454", Grade.MUST, "RFC 2326 11.3.5", "SETUP with a Session that does not exist is 454.")
def setUpOfUnknownSession(probe: Probe) -> None:
    expect(_setUp(probe, _offered(probe), ("Session", "0123456789abcdef")), 454)


@check(
    "SET-3",
    Grade.MUST,
    "RFC 2326 12.39",
    "Of a list of transports the server takes one that it has, and names that alone.",
)
def listOfTransports(probe: Probe) -> None:
    reply = expect(_setUp(probe, f"RTP/FOO;unicast,{_offered(probe)}"), 200)
    _single(reply)
    isTCP = transportOf(reply).lower == "TCP"
    require(isTCP == (probe.transport == "tcp"), "the transport of the list")


@check("SET-3", Grade.MUST, "RFC 2326 12.39", "Of several transports that it has, the server takes the first.")
def firstOfTransports(probe: Probe) -> None:
    udp = _udp(_pair(probe))
    if _setUp(probe, udp).code != 200 or _setUp(probe, _TCP).code != 200:
        raise NotApplicable("only one transport")
    for first, transports in (("UDP", f"{udp},{_TCP}"), ("TCP", f"{_TCP},{udp}")):
        reply = expect(_setUp(probe, transports), 200)
        _single(reply)
        require(transportOf(reply).lower == first, first)


@check("SET-3 STATUS-461", Grade.MUST, "RFC 2326 11.3.12", "If the server has none of the transports, that is 461.")
def noTransport(probe: Probe) -> None:
    expect(_setUp(probe, "RAW/FOO;unicast,RTP/FOO/UDP;unicast;client_port=9000-9001"), 461)


@check("SET-3", Grade.SHOULD, "RFC 2326 12.39", "SETUP without Transport is refused, with 461 or 400.")
def transportIsMissing(probe: Probe) -> None:
    expect(_setUp(probe, None), 461, 400)


@check("SET-4", Grade.MUST, "RFC 2326 12.39", "RTP/AVP/UDP means the same as RTP/AVP.")
def lowerTransport(probe: Probe) -> None:
    _udpReply(probe)
    pair = _pair(probe)
    expect(_setUp(probe, f"RTP/AVP/UDP;unicast;client_port={pair.numbers[0]}-{pair.numbers[1]}"), 200)


@check("SET-5", Grade.MUST, "RFC 2326 12.39", "mode=PLAY, with and without quotes, is what there is without mode.")
def modes(probe: Probe) -> None:
    for mode in ("mode=PLAY", 'mode="PLAY"', 'mode="play"'):
        expect(_setUp(probe, f"{_offered(probe)};{mode}"), 200)


@check("SET-5", Grade.SHOULD, "RFC 2326 12.39", "Parameters of Transport that nobody knows are ignored.")
def unknownParameters(probe: Probe) -> None:
    expect(_setUp(probe, f"{_offered(probe)};x-wings=2;x-engine"), 200)


@check("SET-5", Grade.SHOULD, "RFC 2326 12.39", "client_port may be one port; the other is the next.")
def singlePort(probe: Probe) -> None:
    pair, _ = _udpReply(probe)
    pair = _pair(probe)
    reply = expect(_setUp(probe, f"RTP/AVP;unicast;client_port={pair.numbers[0]}"), 200)
    ports = transportOf(reply).clientPort
    require(ports is None or ports[0] == pair.numbers[0], f"client_port={pair.numbers[0]}")


@check(
    "SET-5",
    Grade.POLICY,
    "RFC 2326 12.39 says multicast",
    "Without 'unicast' unicast is meant: that is what clients expect.",
)
def unicastIsMeant(probe: Probe) -> None:
    reply = expect(_setUp(probe, _offered(probe).replace("unicast;", "")), 200)
    require(transportOf(reply).unicast is not False, "unicast")


@check("SET-6", Grade.MUST, "RFC 2326 12.39", "The reply over UDP says unicast and repeats client_port.")
def udpReply(probe: Probe) -> None:
    pair, reply = _udpReply(probe)
    spec = transportOf(reply)
    require(spec.lower == "UDP" and spec.unicast is True, "RTP/AVP;unicast")
    require(spec.clientPort == pair.numbers, f"client_port={pair.numbers[0]}-{pair.numbers[1]}")


@check(
    "SET-6", Grade.SHOULD, "RFC 2326 12.39", "The reply over UDP names the server's ports, an even one and the next."
)
def serverPorts(probe: Probe) -> None:
    ports = transportOf(_udpReply(probe)[1]).serverPort
    require(ports is not None and ports[0] % 2 == 0 and ports[1] == ports[0] + 1, "server_port=even-odd")


@check("SET-6 INT-1", Grade.MUST, "RFC 2326 10.12", "The reply over TCP names the interleaved channels.")
def interleavedReply(probe: Probe) -> None:
    reply = _setUp(probe, _TCP)
    if reply.code == 461:
        raise NotApplicable("the server does not offer TCP (461)")
    spec = transportOf(expect(reply, 200))
    require(spec.lower == "TCP" and spec.interleaved is not None, "RTP/AVP/TCP;…;interleaved=a-b")


@check("SET-6", Grade.POLICY, "RFC 2326 12.39", "The reply names the SSRC, in eight hexadecimal digits.")
def ssrcInReply(probe: Probe) -> None:
    value = _single(expect(_setUp(probe, _offered(probe)), 200))
    require(re.search(r";\s*ssrc=[0-9A-Fa-f]{8}\s*(;|$)", value) is not None, "ssrc=XXXXXXXX")


def _interleaved(probe: Probe, channels: str) -> tuple[int, int]:
    reply = _setUp(probe, f"RTP/AVP/TCP;unicast{channels}")
    if reply.code == 461:
        raise NotApplicable(f"461 for RTP/AVP/TCP;unicast{channels}")
    given = transportOf(expect(reply, 200)).interleaved
    if given is None:
        raise Failed("interleaved=a-b")
    return given


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
    reply = expect(_setUp(probe, "RTP/AVP/TCP;unicast"), 200)
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
    reply = viewer.ask("SETUP", [("Transport", _TCP)], probe.subject.tracks[1].url)
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


@check("SET-9 STATUS-459", Grade.SHOULD, "RFC 2326 11.3.10", "SETUP of a whole presentation of several tracks is 459.")
def setUpOfAggregate(probe: Probe) -> None:
    probe.needTracks(2)
    expect(_setUp(probe, _offered(probe), url=probe.subject.aggregate), 459)


@check("SET-9", Grade.POLICY, "RFC 2326 C.3", "SETUP of a presentation of one track is that track's.")
def setUpOfOnlyTrack(probe: Probe) -> None:
    if len(probe.subject.tracks) > 1:
        raise NotApplicable("a presentation of several tracks")
    expect(_setUp(probe, _offered(probe), url=probe.subject.aggregate), 200)


def _changed(viewer: Viewer, probe: Probe) -> Reply:
    wanted = "RTP/AVP/TCP;unicast;interleaved=10-11"
    if probe.transport == "udp":
        wanted = _udp(probe.network.ports(viewer.connection.address))
    return viewer.ask("SETUP", [("Transport", wanted)], probe.subject.tracks[0].url)


@check("SET-10", Grade.SHOULD, "RFC 2326 10.4", "In Ready, SETUP of a track again changes its transport.")
def transportIsChanged(probe: Probe) -> None:
    viewer = probe.viewer()
    expect(_changed(viewer, probe), 200)
    expect(viewer.ask("PLAY"), 200)


@check("SET-10 STATUS-455", Grade.MUST, "RFC 2326 10.4", "While playing, SETUP changes the transport, or is 455.")
def transportWhilePlaying(probe: Probe) -> str:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    return str(expect(_changed(viewer, probe), 200, 455).code)


@check(
    "SET-11",
    Grade.POLICY,
    "RFC 2326 10.4",
    "A client that lost its session may begin another on the same connection: FFmpeg does.",
)
def setUpAnew(probe: Probe) -> None:
    viewer = probe.viewer()
    viewer.begin(viewer.play())
    expect(viewer.ask("PAUSE"), 200)
    second = probe.idleViewer("tcp", viewer.connection)
    reply = second.ask("SETUP", [("Transport", "RTP/AVP/TCP;unicast;interleaved=20-21")], probe.subject.tracks[0].url)
    if reply.code == 461:
        raise NotApplicable("the server does not offer TCP (461)")
    second.session = sessionOf(expect(reply, 200))
    require(second.session != viewer.session, "another Session")
    expect(second.ask("PLAY"), 200)


@check(
    "SET-12", Grade.SHOULD, "RFC 2326 12.39", "Media are not sent to a destination that is not the client's address."
)
def otherDestination(probe: Probe) -> str:
    pair = _pair(probe)
    reply = _setUp(probe, f"RTP/AVP;unicast;destination={_ELSEWHERE};client_port={pair.numbers[0]}-{pair.numbers[1]}")
    if reply.code != 200:
        refused(reply)
        return f"refused with {reply.code}"
    require(transportOf(reply).destination != _ELSEWHERE, "a refusal, or another destination")
    return "ignored"


@check(
    "SET-13 STATUS-412",
    Grade.SHOULD,
    "RFC 2326 12.22",
    "If-Match with another tag than the description's a=etag is 412.",
)
def entityTags(probe: Probe) -> None:
    tag = probe.subject.description.attribute("etag")
    if tag is None:
        raise NotApplicable("no a=etag in the description")
    expect(_setUp(probe, _offered(probe), ("If-Match", tag)), 200)
    expect(_setUp(probe, _offered(probe), ("If-Match", f"{tag}x")), 412)


@check("SET-14 STATUS-416", Grade.MUST, "RFC 2326 12.7", "A Blocksize that is no positive number is refused.")
def badBlocksize(probe: Probe) -> None:
    problems = {}
    for value in ("abc", "-5", "0"):
        code = _setUp(probe, _offered(probe), ("Blocksize", value)).code
        if code == 200:
            problems[f"Blocksize: {value}"] = "200"
    allOf(problems, "416, or 400")


@check("SET-14", Grade.POLICY, "RFC 2326 12.7", "Payloads are no larger than the Blocksize of SETUP.", media=True)
def blocksize(probe: Probe) -> None:
    viewer = probe.idleViewer()
    for track in probe.subject.tracks:
        viewer.setUpTrack(track, [("Blocksize", "600")])
    viewer.begin(viewer.play())
    viewer.watch(1.0)
    for reception in viewer.receptions:
        size = max(len(each.packet.payload) for each in reception.packets)
        require(size <= 600, "at most 600 bytes", f"{reception.name}: {size} bytes", "SETUP | Blocksize: 600, PLAY")


@check(
    "SET-15", Grade.MUST, "RFC 2326 12.39", "Multicast is given with destination, port and ttl, or refused with 461."
)
def multicast(probe: Probe) -> str:
    reply = expect(_setUp(probe, "RTP/AVP;multicast"), 200, 461)
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
        code = _setUp(probe, f"RTP/AVP;unicast;client_port={ports}").code
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


unseen("SET-17", "When sessions or ports run out, SETUP is 503 or 453.", "to see it would be an attack")
