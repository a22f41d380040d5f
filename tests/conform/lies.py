"""
The lies: each breaks a rule, and says which checks have to notice.

C{LIES} has all of them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from liar import Lie, Link

from mediasrv.rtp.packets import RTPPacket, isRTCP, parsePacket
from mediasrv.rtp.rtcp import Goodbye, RTCPPacket, SenderReport, SourceDescription, parseCompound
from mediasrv.rtsp.messages import InterleavedFrame, Request, Response


class Codes(Lie):
    """Other status codes, for some methods or all."""

    def __init__(self, codes: dict[int, int], methods: Iterable[str] = (), *, playing: bool | None = None) -> None:
        self._codes = codes
        self._methods = set(methods)
        self._playing = playing

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        isMeant = not self._methods or request.method in self._methods
        if isMeant and (self._playing is None or self._playing == bool(link.played)):
            response.code = self._codes.get(response.code, response.code)
        return response.toBytes()


class Header(Lie):
    """Another value of a header in answers; None removes it."""

    def __init__(
        self,
        name: str,
        change: Callable[[str, Request, Link], str | None],
        methods: Iterable[str] = (),
        add: bool = False,
    ) -> None:
        self._name, self._change, self._methods, self._add = name, change, set(methods), add

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        value = response.headers.get(self._name, "" if self._add else None)
        if value is not None and (not self._methods or request.method in self._methods) and response.code == 200:
            changed = self._change(value, request, link)
            if changed is None:
                response.headers.remove(self._name)
            else:
                response.headers.set(self._name, changed)
        return response.toBytes()


class Description(Lie):
    """Another session description."""

    def __init__(self, change: Callable[[str], str]) -> None:
        self._change = change

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method == "DESCRIBE":
            response.body = self._change(response.body.decode()).encode()
        return response.toBytes()


class Media(Lie):
    """Other RTP packets; what it makes of one may be nothing or several."""

    def __init__(self, change: Callable[[Link, int, RTPPacket], list[RTPPacket]]) -> None:
        self._change = change

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        if isRTCP(frame.payload):
            return frame.toBytes()
        link.notes["packets"] = link.notes.get("packets", 0) + 1
        packets = self._change(link, frame.channel, parsePacket(frame.payload))
        return b"".join(InterleavedFrame(frame.channel, packet.toBytes()).toBytes() for packet in packets)


class Reports(Lie):
    """Other RTCP packets."""

    def __init__(self, change: Callable[[Link, int, list[RTCPPacket]], list[RTCPPacket]]) -> None:
        self._change = change

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        if not isRTCP(frame.payload):
            return frame.toBytes()
        data = b"".join(each.toBytes() for each in self._change(link, frame.channel, parseCompound(frame.payload)))
        return InterleavedFrame(frame.channel, data).toBytes() if data else b""


class Asked(Lie):
    """The server gets another request."""

    readsRequests = True

    def __init__(self, change: Callable[[Request], None]) -> None:
        self._change = change

    def request(self, link: Link, request: Request) -> bytes:
        self._change(request)
        return request.toBytes()


class Muted(Lie):
    """After an answer to a method, with one of these codes, nothing more is played."""

    def __init__(self, method: str, codes: Iterable[int] = (200,), plays: int = 0) -> None:
        self._method, self._codes, self._plays = method, set(codes), plays

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method == self._method and response.code in self._codes and link.played >= self._plays:
            link.notes["muted"] = 1
        return response.toBytes()

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        return b"" if link.notes.get("muted") else frame.toBytes()


class Silent(Lie):
    """No answer to a method."""

    def __init__(self, method: str, *, playing: bool = False) -> None:
        self._method, self._playing = method, playing

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        isMeant = request.method == self._method and (link.played or not self._playing)
        return b"" if isMeant else response.toBytes()


class Bytes(Lie):
    """Another answer, byte by byte."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        self._change = change

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        return self._change(response.toBytes())


class Incoming(Lie):
    """The server gets other bytes; an exception of the connection closes it."""

    def __init__(self, change: Callable[[bytes], bytes]) -> None:
        self._change = change

    def raw(self, link: Link, data: bytes) -> bytes:
        return self._change(data)


class Picky(Lie):
    """Refuses whatever is not written as everybody writes it."""

    _PLAIN = re.compile(
        rb"([A-Z_]+ rtsp://127\.0\.0\.1:\d+/m/\w+\.mp4(/|/trackID=\d)? RTSP/1\.0\r\n"
        rb"(CSeq: \d+|Session: \w+|Accept: application/sdp|Range: npt=0-|"
        rb"Transport: RTP/AVP(/TCP;unicast;interleaved=(0-1|2-3)|;unicast;client_port=\d+-\d+))\r\n"
        rb"((CSeq: \d+|Session: \w+|Accept: application/sdp|"
        rb"Transport: RTP/AVP(/TCP;unicast;interleaved=(0-1|2-3)|;unicast;client_port=\d+-\d+))\r\n)*\r\n)+"
    )

    def raw(self, link: Link, data: bytes) -> bytes:
        if self._PLAIN.fullmatch(data) and b"/ RTSP" not in data.replace(b".mp4/ ", b" ") and b"_PARAMETER" not in data:
            return data
        found = re.search(rb"(?i)cseq: *(\d+)", data)
        link.client.sendall(b"RTSP/1.0 400 No\r\nCSeq: %b\r\n\r\n" % (found[1] if found else b"0"))
        return b""


class Closing(Lie):
    """Closes every connection after the first one at once."""

    def __init__(self) -> None:
        self._count = 0

    def connected(self, link: Link) -> bool:
        self._count += 1
        return self._count == 1


class Disordered(Lie):
    """Answers the second of two requests first."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        link.held.append(response.toBytes())
        if len(link.held) == 1 and link.asked:
            return b""
        held, link.held = link.held[::-1], []
        return b"".join(held)


class Stranger(Lie):
    """Knows no session on a connection that did not set it up."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method == "SETUP":
            link.notes["own"] = 1
        if request.method in ("PLAY", "PAUSE", "TEARDOWN") and not link.notes.get("own"):
            response.code = 454
        return response.toBytes()


class Stubborn(Lie):
    """Sets up no track again: there are two."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method == "SETUP":
            link.notes["setups"] = link.notes.get("setups", 0) + 1
            if link.notes["setups"] > 2:
                response.code = 455
        return response.toBytes()


class Eager(Lie):
    """A packet comes before the answer to PLAY, of the kind that comes after it."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method == "PLAY":
            packet = RTPPacket(96, False, 1, 1, 1, b"early").toBytes()
            return InterleavedFrame(0, packet).toBytes() + response.toBytes()
        return response.toBytes()


class Stray(Lie):
    """Each frame is followed by another."""

    def __init__(self, stray: InterleavedFrame) -> None:
        self._stray = stray

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        return frame.toBytes() + self._stray.toBytes()


class LateReports(Lie):
    """The reports of the first moments come after 1.5 s."""

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        began = link.notes.setdefault("began", time.monotonic_ns())
        if time.monotonic_ns() - began > 15e8:
            held, link.held = link.held, []
            return b"".join(held) + frame.toBytes()
        if isRTCP(frame.payload):
            link.held.append(frame.toBytes())
            return b""
        return frame.toBytes()


class Slashless(Lie):
    """Knows no URL with a slash at the end."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.uri.endswith("/"):
            response.code = 404
        return response.toBytes()


class AfterBye(Lie):
    """The last packet comes once more after BYE."""

    def frame(self, link: Link, frame: InterleavedFrame) -> bytes:
        isBye = isRTCP(frame.payload) and any(isinstance(each, Goodbye) for each in parseCompound(frame.payload))
        return frame.toBytes() + (link.last[frame.channel - 1].toBytes() if isBye else b"")


# What is changed


def second(value: str, request: Request, link: Link) -> str:
    """A list of two transports."""
    return f"{value},{value}"


def without(pattern: str) -> Callable[[str, Request, Link], str | None]:
    return lambda value, request, link: re.sub(pattern, "", value)


def instead(text: str) -> Callable[[str, Request, Link], str | None]:
    return lambda value, request, link: text


def gone(value: str, request: Request, link: Link) -> None:
    """The header is missing."""


def otherOnSecond(value: str, request: Request, link: Link) -> str:
    return value if "Session" not in request.headers else "ABCDEFGHIJKLMNOP;timeout=60"


def alwaysFirst(value: str, request: Request, link: Link) -> str:
    """The session of the first SETUP on the connection."""
    link.notes.setdefault(value, len(link.notes))
    return next(iter(link.notes))


@dataclass
class Counting:
    """Session identifiers that count."""

    last: int = 0

    def __call__(self, value: str, request: Request, link: Link) -> str:
        self.last += 1
        return f"SESSION{self.last:03}"


def laterWithoutRange(value: str, request: Request, link: Link) -> str:
    """Where it starts is 3 s later, if nobody asked for a start."""
    return value if "Range" in request.headers else later(3.0)(value, request, link)


def later(seconds: float) -> Callable[[str, Request, Link], str]:
    def change(value: str, request: Request, link: Link) -> str:
        start, _, end = value.removeprefix("npt=").partition("-")
        return f"npt={float(start) + seconds:.3f}-{end}"

    return change


def times(factor: float) -> Callable[[str, Request, Link], str]:
    return lambda value, request, link: f"{float(value or 1) * factor}"


def moved(pattern: str, difference: int) -> Callable[[str, Request, Link], str]:
    """Numbers behind a pattern are others."""
    return lambda value, request, link: re.sub(pattern + "([0-9]+)", lambda m: shifted(m, difference), value)


def shifted(match: re.Match[str], difference: int) -> str:
    return match[0].replace(match[1], str(int(match[1]) + difference))


def withoutHeader(name: str) -> Callable[[Request], None]:
    return lambda request: request.headers.remove(name)


def withoutTime(request: Request) -> None:
    if "Range" in request.headers:
        request.headers.set("Range", request.headers.get("Range", "").partition(";")[0])


def openRange(request: Request) -> None:
    if request.method == "PLAY" and "Range" in request.headers:
        request.headers.set("Range", re.sub(r"^npt=([0-9.]+)-.*", r"npt=\1-", request.headers.get("Range", "")))


def deaf(method: str) -> Callable[[Request], None]:
    """The method does nothing, and is answered all the same."""

    def change(request: Request) -> None:
        if request.method == method:
            request.method = "OPTIONS"

    return change


class Backwards(Lie):
    """Says that it plays backwards, twice as fast, and plays forwards."""

    readsRequests = True

    def request(self, link: Link, request: Request) -> bytes:
        if "Scale" in request.headers:
            request.headers.remove("Scale")
            last, first = request.headers.get("Range", "").removeprefix("npt=").split("-")
            request.headers.set("Range", f"npt={first}-{last}")
        return request.toBytes()

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        if request.method == "PLAY":
            first, last = response.headers.get("Range", "").removeprefix("npt=").split("-")
            response.headers.set("Range", f"npt={last}-{first}")
            response.headers.set("Scale", "-2.0")
        return response.toBytes()


# Packets


def drop(number: int) -> Callable[[Link, int, RTPPacket], list[RTPPacket]]:
    return lambda link, channel, packet: [] if link.notes["packets"] == number else [packet]


def fromSecondPlay(seconds: float) -> Callable[[Link, int, RTPPacket], list[RTPPacket]]:
    """From the second PLAY on timestamps are others."""

    def change(link: Link, channel: int, packet: RTPPacket) -> list[RTPPacket]:
        if link.played > 1:
            packet.timestamp = (packet.timestamp + int(seconds * (90000 if channel == 0 else 44100))) & 0xFFFFFFFF
        return [packet]

    return change


def gapAfterSecondPlay(link: Link, channel: int, packet: RTPPacket) -> list[RTPPacket]:
    """The first picture after the second PLAY is missing."""
    if link.played > 1 and channel == 0 and not link.notes.get("missing"):
        link.notes["missing"] = 1
        return []
    return [packet]


def setTo(**values: int | bool) -> Callable[[Link, int, RTPPacket], list[RTPPacket]]:
    def change(link: Link, channel: int, packet: RTPPacket) -> list[RTPPacket]:
        for name, value in values.items():
            setattr(packet, name, value)
        return [packet]

    return change


def otherSource(link: Link, channel: int, packet: RTPPacket) -> list[RTPPacket]:
    if link.played > 1:
        packet.ssrc ^= 1
    return [packet]


def again(link: Link, channel: int, packet: RTPPacket) -> list[RTPPacket]:
    """Now and then the first timestamp comes again."""
    first = link.notes.setdefault(f"first{channel}", packet.timestamp)
    if link.notes["packets"] % 30 == 0:
        packet.timestamp = first
    return [packet]


def faster(link: Link, channel: int, packet: RTPPacket) -> list[RTPPacket]:
    """Timestamps run at double speed."""
    first = link.notes.setdefault(f"first{channel}", packet.timestamp)
    packet.timestamp = (2 * packet.timestamp - first) & 0xFFFFFFFF
    return [packet]


def late(link: Link, channel: int, packet: RTPPacket) -> list[RTPPacket]:
    """Nothing in the first second."""
    began = link.notes.setdefault("began", time.monotonic_ns())
    return [packet] if time.monotonic_ns() - began > 1e9 else []


# Reports


def firstAlone(link: Link, channel: int, packets: list[RTCPPacket]) -> list[RTCPPacket]:
    return packets[:1]


def otherName(link: Link, channel: int, packets: list[RTCPPacket]) -> list[RTCPPacket]:
    return [
        SourceDescription.named(each.chunks[0].ssrc, f"track{channel}") if isinstance(each, SourceDescription) else each
        for each in packets
    ]


def changed(**differences: int) -> Callable[[Link, int, list[RTCPPacket]], list[RTCPPacket]]:
    """Other numbers in the sender reports of the first track."""

    def change(link: Link, channel: int, packets: list[RTCPPacket]) -> list[RTCPPacket]:
        for each in packets:
            if isinstance(each, SenderReport) and channel == 1:
                for name, difference in differences.items():
                    setattr(each, name, getattr(each, name) + difference)
        return packets

    return change


def bent(link: Link, channel: int, packets: list[RTCPPacket]) -> list[RTCPPacket]:
    """After the second PLAY another line."""
    return changed(rtpTime=9000)(link, channel, packets) if link.played > 1 else packets


def withoutBye(link: Link, channel: int, packets: list[RTCPPacket]) -> list[RTCPPacket]:
    return [each for each in packets if not isinstance(each, Goodbye)]


def soonBye(link: Link, channel: int, packets: list[RTCPPacket]) -> list[RTCPPacket]:
    """BYE in the first report."""
    source = next(each.ssrc for each in packets if isinstance(each, SenderReport))
    return [*packets, Goodbye([source])]


# Descriptions


def lines(pattern: str, text: str = "") -> Callable[[str], str]:
    """Other lines."""
    return lambda body: re.sub(pattern + r"[^\r\n]*\r\n", text, body)


@dataclass
class Versions:
    """Another version each time."""

    count: int = 0

    def __call__(self, body: str) -> str:
        self.count += 1
        return re.sub(r"o=- ([0-9]+) [0-9]+", rf"o=- \1 {self.count}", body)


def swapped(body: str) -> str:
    head, video, audio = re.split(r"(?=m=)", body)
    return head + audio + video


def swallow(test: Callable[[bytes], bool]) -> Callable[[bytes], bytes]:
    return lambda data: b"" if test(data) else data


def hangUp(test: Callable[[bytes], bool]) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        if test(data):
            raise ConnectionError
        return data

    return change


def bareStatus(data: bytes) -> bytes:
    return re.sub(rb"^(RTSP/1.0 [0-9]+)[^\r]*", rb"\1", data)


@dataclass
class Case:
    """
    @ivar noticed: names of the checks that fail.
    @ivar unharmed: names of some that pass all the same.
    @ivar got: what one of the failures says, at least.
    """

    name: str
    lie: Callable[[], Lie]
    noticed: str
    unharmed: str = ""
    got: str = ""
    transport: str = "tcp"
    film: str = "film.mp4"
    options: list[str] = field(default_factory=list)


_REFUSALS = """
    methodsAreCaseSensitive noDescriptionOfEverything repeatedHeaders badContentLength hugeContentLength cseqIsMissing
    cseqIsNoNumber notFound otherVersions optionsOfUnknownSession unacceptableTypes setUpOfUnknownSession noTransport
    transportIsMissing setUpOfAggregate badBlocksize impossiblePorts playWithoutSession unknownUnit bytesRange
    malformedRange startBeyondTheEnd endBeforeStart twoRanges badScale badSpeed pauseOutside pauseInReady
    pauseWithoutSession tearDownEnds tearDownWithoutSession playAndTearDown getUnknown getOddType setUnknown
    redirectFromClient unknownMethod methodsOfOtherURLs stateInit stateReady statePlaying refusedSetUp requireOfUnknown
    proxyRequire requireBeforeAll sessionInErrors entityTags strangePaths manyRequests noControlOfInterleaved
    interleavedSessionsEnd multicast
"""
_ODD = """
    lineEndings blankLines headerNamesInAnyCase foldedHeaders spacesAndEmptyValues optionsOfTheServer absolutePaths
    requestInPieces unknownHeaders acceptedTypes headersOfHTTP harmlessHeaders headersOfQuickTime percentEncoding
    responsesFromClients connectionClose conferences modes unknownParameters singlePort unicastIsMeant lowerTransport
    getNothing getNothingWithoutSession setNothing setByHeader timeoutIsRepeated rangeFromZero rangeFromNow
    normalPlayTime rangeWithoutStart timeCodes timeIsPast askedChannels channelsAreMissing singleChannel
    notModified
"""
_REFUSED = (400, 403, 404, 405, 406, 412, 413, 415, 416, 451, 454, 455, 457, 458, 459, 460, 461, 501, 505, 551)

LIES = [
    Case("agrees", lambda: Codes(dict.fromkeys(_REFUSED, 200)), _REFUSALS, "cseqIsEchoed pipelining bundling"),
    Case("picky", Picky, _ODD, "cseqIsMissing requiredMethods pauseStops rtpInfo"),
    Case("500 for 404", lambda: Codes({404: 500}), "formsOfURL notFound strangePaths", "descriptions"),
    Case("461 first", lambda: Codes({461: 406}), "noTransport multicast", "listOfTransports"),
    Case("two transports", lambda: Header("Transport", second), "listOfTransports firstOfTransports", "bundling"),
    Case("no reason", lambda: Bytes(bareStatus), "statusLines", "requiredMethods cseqIsEchoed"),
    Case("odd dates", lambda: Header("Date", instead("23 Jan 1997 15:35:06 GMT"), add=True), "dates", "cseqIsEchoed"),
    Case(
        "CSeq",
        lambda: Bytes(lambda data: data.replace(b"CSeq: ", b"CSeq: 1")),
        "cseqIsEchoed cseqOfErrors pipelining bodiesAreSkipped",
        "descriptions normalPlayTime",
        got="CSeq: 10",
    ),
    Case("disorder", Disordered, "pipelining", "cseqIsEchoed descriptions", got="CSeq"),
    Case(
        "bodies are requests",
        lambda: Incoming(lambda data: data.replace(b"Content-Length: ", b"X-Length: ")),
        "bodiesAreSkipped",
        "cseqIsEchoed",
    ),
    Case(
        "long lines",
        lambda: Incoming(swallow(lambda data: len(data) > 5000)),
        "longLines",
        "cseqIsEchoed",
        got="silence",
        options=["--timeout", "1"],
    ),
    Case("strangers", Stranger, "controlFromElsewhere connectionPerRequest", "pausedIsReady", transport="udp"),
    Case(
        "one session",
        lambda: Header("Session", alwaysFirst, ["SETUP"]),
        "sessionsOnOneConnection setUpAnew",
        "bundling",
    ),
    Case("no PLAY", lambda: Header("Public", without(r"PLAY, ")), "requiredMethods", "recommendedMethods"),
    Case("no PAUSE", lambda: Header("Public", without(r"PAUSE, ")), "recommendedMethods", "requiredMethods"),
    Case("no GET", lambda: Header("Public", without(r"GET_PARAMETER, ")), "keepAliveMethod", "requiredMethods"),
    Case("OPTIONS stops", lambda: Muted("OPTIONS"), "optionsWhilePlaying", "pauseStops", got="no packet"),
    Case("other type", lambda: Header("Content-Type", instead("text/plain")), "descriptions", "acceptedTypes"),
    Case("no slash", lambda: Header("Content-Base", without(r"/$")), "contentBase", "descriptions rtpInfo"),
    Case(
        "describes once", lambda: Codes({200: 455}, ["DESCRIBE"], playing=True), "repeatedDescriptions", "descriptions"
    ),
    Case(
        "short ids",
        lambda: Header("Session", instead("abc1234"), ["SETUP"]),
        "sessionIdentifiers",
        "plainSessionIdentifiers",
    ),
    Case(
        "rich ids",
        lambda: Header("Session", instead("abc-_.$+123"), ["SETUP"]),
        "plainSessionIdentifiers",
        "sessionIdentifiers",
    ),
    Case(
        "ids count", lambda: Header("Session", Counting(), ["SETUP"]), "randomSessionIdentifiers", "sessionIdentifiers"
    ),
    Case("no bundling", lambda: Header("Session", otherOnSecond, ["SETUP"]), "bundling", "sessionIdentifiers"),
    Case("no client_port", lambda: Header("Transport", without(r"client_port=[0-9-]+;")), "udpReply", "serverPorts"),
    Case("no server_port", lambda: Header("Transport", without(r"server_port=[0-9-]+;")), "serverPorts", "udpReply"),
    Case(
        "no channels",
        lambda: Header("Transport", without(r"interleaved=[0-9-]+;")),
        "interleavedReply",
        "sessionIdentifiers",
    ),
    Case(
        "no ssrc", lambda: Header("Transport", without(r";ssrc=[0-9A-F]+")), "ssrcInReply", "interleavedReply ssrcStays"
    ),
    Case(
        "channels apart",
        lambda: Header("Transport", lambda value, request, link: value.replace("=4-5", "=4-7")),
        "singleChannel",
        "askedChannels",
    ),
    Case("no slash in URLs", Slashless, "slashAtTheEnd", "descriptions"),
    Case(
        "shared channels",
        lambda: Header(
            "Transport", lambda value, request, link: re.sub("interleaved=[0-9-]+", "interleaved=0-1", value)
        ),
        "takenChannels askedChannels",
        "interleavedReply",
    ),
    Case(
        "aggregate alone", lambda: Codes({200: 459}, ["SETUP"]), "setUpOfOnlyTrack", "descriptions", film="silent.mp4"
    ),
    Case(
        "sets up once",
        Stubborn,
        "transportIsChanged",
        "bundling pausedIsReady",
    ),
    Case(
        "other destination",
        lambda: Header(
            "Transport", lambda value, request, link: value.replace(";unicast", ";unicast;destination=192.0.2.1")
        ),
        "otherDestination",
        "udpReply",
    ),
    Case(
        "SETUP while playing",
        lambda: Codes({455: 500, 200: 500}, ["SETUP"], playing=True),
        "transportWhilePlaying",
        "transportIsChanged",
    ),
    Case("blocks", lambda: Asked(withoutHeader("Blocksize")), "blocksize badBlocksize", "rtpInfo"),
    Case("no play over UDP", lambda: Codes({200: 503}, ["PLAY"]), "natPunching", "udpReply", transport="udp"),
    Case(
        "says later",
        lambda: Header("Range", laterWithoutRange, ["PLAY"]),
        "playFromTheBeginning playAfterPause playAfterARange",
        "normalPlayTime",
    ),
    Case(
        "leaps",
        lambda: Media(fromSecondPlay(5.0)),
        "playWhilePlaying pauseInTimestamps",
        "timestampsGoOn seqOfFirstPacket",
    ),
    Case("no time", lambda: Asked(withoutTime), "timeIsToCome", "timeIsPast"),
    Case(
        "open ranges",
        lambda: Asked(openRange),
        "stopAtTheEndOfARange playAfterARange rangesAreHalfOpen",
        "normalPlayTime",
    ),
    Case("single tracks", lambda: Codes({460: 501, 200: 501}, ["PLAY"]), "playOneTrack", "descriptions"),
    Case("pause a track", lambda: Codes({460: 501, 200: 501}, ["PAUSE"]), "pauseOneTrack", "playOneTrack"),
    Case(
        "end a track",
        lambda: Codes({460: 501, 200: 501}, ["TEARDOWN"]),
        "tearDownOneTrack tearDownInReady pausedIsReady",
        "playOneTrack",
    ),
    Case(
        "RTP-Info of all",
        lambda: Header("RTP-Info", lambda value, request, link: f"{value},{value}"),
        "playSomeTracks rtpInfo",
        "pauseStops",
    ),
    Case("no Range", lambda: Header("Range", gone), "rangeOfTheReply rangeWithoutRequest rangeOfPause", "rtpInfo"),
    Case(
        "no end", lambda: Header("Range", without(r"(?<=-)[0-9.]+$")), "endOfTheReply", "rangeIsPlain rangeOfTheReply"
    ),
    Case(
        "hours",
        lambda: Header("Range", lambda value, request, link: value.replace("npt=0.000", "npt=0:00:00")),
        "rangeIsPlain",
        "rangeWithoutRequest",
    ),
    Case("starts later", lambda: Header("Range", later(2.0)), "startIsNotLater", "rangeOfTheReply"),
    Case(
        "other clock",
        lambda: Header("Range", instead("npt=0-1"), ["PLAY"], add=True),
        "timeCodes",
        "rangeIsPlain",
    ),
    Case("UTC", lambda: Codes({457: 404, 501: 404}, ["PLAY"]), "utcRange", "timeCodes"),
    Case("neither range", lambda: Muted("PLAY", plays=2), "playAnotherRange", "stopAtTheEndOfARange"),
    Case(
        "deaf to PAUSE",
        lambda: Asked(deaf("PAUSE")),
        "pauseStops pauseEndsAll pauseAtAPoint pauseAtAPassedPoint",
        "tearDownStops",
    ),
    Case("gap", lambda: Media(gapAfterSecondPlay), "pauseKeepsStep seqOfFirstPacket sequenceNumbers", "pauseStops"),
    Case("no PAUSE at the end", lambda: Codes({200: 455}, ["PAUSE"]), "pauseAfterARange", "pauseInReady"),
    Case("deaf to TEARDOWN", lambda: Asked(deaf("TEARDOWN")), "tearDownStops tearDownEnds", "pauseStops"),
    Case("refusal stops", lambda: Muted("PLAY", [457]), "refusedPlay", "refusedPause"),
    Case("refusal pauses", lambda: Muted("PAUSE", [551]), "refusedPause", "refusedPlay"),
    Case(
        "no Allow",
        lambda: Bytes(lambda data: re.sub(rb"\r\nAllow: [^\r]*", b"", data)),
        "allowWith455 methodsOfOtherURLs",
        "notFound",
    ),
    Case("no Timestamp", lambda: Header("Timestamp", gone), "timestamps", "serverHeader"),
    Case("no Server", lambda: Header("Server", gone), "serverHeader", "timestamps"),
    Case("no Session", lambda: Header("Session", gone, ["PLAY", "PAUSE"]), "sessionInReplies", "pauseStops"),
    Case("no Scale", lambda: Header("Scale", gone), "scaleIsAnswered", "rtpInfo"),
    Case(
        "double Scale",
        lambda: Header("Scale", times(2)),
        "scaleTwo scaleHalf",
        "stopAtTheEndOfARange",
        got="of RTP time",
    ),
    Case(
        "backwards",
        Backwards,
        "scaleBackwards",
        "descriptions",
    ),
    Case("stays at 2", lambda: Header("Scale", instead("2.0")), "scaleWhilePlaying", "scaleIsAnswered"),
    Case("double Speed", lambda: Header("Speed", times(2), ["PLAY"], add=True), "speedTwo", "scaleIsAnswered"),
    Case(
        "Seek-Style", lambda: Header("Seek-Style", instead("Next"), ["PLAY"], add=True), "seekStyle", "normalPlayTime"
    ),
    Case(
        "other URLs",
        lambda: Header("RTP-Info", lambda value, request, link: value.replace("/trackID", "/other/trackID")),
        "urlsOfRTPInfo",
        "seqOfFirstPacket rtpInfo",
    ),
    Case(
        "more in RTP-Info",
        lambda: Header("RTP-Info", lambda value, request, link: value.replace(";seq", ";ssrc=12;seq")),
        "plainRTPInfo",
        "pauseStops",
    ),
    Case(
        "seq by one",
        lambda: Header("RTP-Info", moved("trackID=1;seq=", 1)),
        "seqOfFirstPacket",
        "rtptimeOfRange rtpInfo urlsOfRTPInfo sequenceNumbers",
        got="audio",
    ),
    Case(
        "rtptime by 2 s",
        lambda: Header("RTP-Info", moved("trackID=0;seq=[0-9]+;rtptime=", -180000)),
        "rtptimeOfRange reportsAgree",
        "seqOfFirstPacket",
        got="video",
    ),
    Case("a packet less", lambda: Media(drop(20)), "sequenceNumbers", "timestampsGoOn ssrcStays"),
    Case("time goes back", lambda: Media(fromSecondPlay(-10.0)), "timestampsGoOn pauseInTimestamps", "sequenceNumbers"),
    Case("no markers", lambda: Media(setTo(marker=False)), "markerOfFirstSound", "sequenceNumbers"),
    Case("other SSRC", lambda: Media(otherSource), "ssrcStays", "sequenceNumbers ssrcsDiffer"),
    Case("one SSRC", lambda: Media(setTo(ssrc=7)), "ssrcsDiffer ssrcStays reportsAreOfTheTrack", "sequenceNumbers"),
    Case("other type of payload", lambda: Media(setTo(payloadType=127)), "payloadTypes", "ssrcsDiffer"),
    Case("time again", lambda: Media(again), "orderOfTimestamps", "sequenceNumbers"),
    Case("double pace", lambda: Media(faster), "pace", "sequenceNumbers"),
    Case("late", lambda: Media(late), "firstPacket", "pace"),
    Case("early", Eager, "nothingBeforeTheReply", "timestamps"),
    Case("stray frames", lambda: Stray(InterleavedFrame(77, bytes(12))), "framesAndReplies", "shortFrames", got="77"),
    Case("short frames", lambda: Stray(InterleavedFrame(77, b"tiny")), "shortFrames framesAndReplies", "pace"),
    Case(
        "hangs up at frames",
        lambda: Incoming(hangUp(lambda data: data.startswith(b"$"))),
        "reportsFromClients oddFrames",
        "framesAndReplies",
        got="closed",
    ),
    Case(
        "swallows garbage",
        lambda: Incoming(swallow(lambda data: data.startswith(b"\0"))),
        "garbage",
        "framesAndReplies",
        got="silence",
    ),
    Case(
        "busy with media",
        lambda: Silent("OPTIONS", playing=True),
        "slowReader",
        "statusLines",
        options=["--timeout", "1"],
    ),
    Case(
        "spaced timeout",
        lambda: Header("Session", lambda value, request, link: value.replace(";", "; ")),
        "timeoutIsPlain",
        "timeoutIsLong",
    ),
    Case(
        "timeout of 5 s",
        lambda: Header("Session", lambda value, request, link: re.sub("timeout=[0-9]+", "timeout=5", value)),
        "timeoutIsLong",
        "timeoutIsPlain",
    ),
    Case("no SDES", lambda: Reports(firstAlone), "compoundPackets oneName", "reportsAtOnce"),
    Case("two names", lambda: Reports(otherName), "oneName", "compoundPackets"),
    Case("late reports", LateReports, "reportsAtOnce", "compoundPackets"),
    Case("report of another", lambda: Reports(changed(ssrc=1)), "reportsAreOfTheTrack", "compoundPackets packetCounts"),
    Case("count", lambda: Reports(changed(packetCount=10)), "packetCounts", "reportsAreOfTheTrack"),
    Case("10 ms apart", lambda: Reports(changed(rtpTime=900)), "reportsAgree", "compoundPackets", got="ms apart"),
    Case("bent line", lambda: Reports(bent), "reportsStayOnALine", "reportsAgree"),
    Case("no BYE", lambda: Reports(withoutBye), "byeAtTheEnd byeOfTearDown", "compoundPackets"),
    Case("packets after BYE", AfterBye, "nothingAfterBye", "byeAtTheEnd"),
    Case("soon BYE", lambda: Reports(soonBye), "noByeOfPause", "compoundPackets"),
    Case("no s=", lambda: Description(lines("s=")), "orderOfLines", "controls"),
    Case("no a=control", lambda: Description(lines("a=control:trackID=1")), "controls", "orderOfLines"),
    Case("no control of all", lambda: Description(lines(r"a=control:\*")), "sessionControl", "controls"),
    Case(
        "ports",
        lambda: Description(lambda body: body.replace("m=video 0 ", "m=video 5004 ")),
        "portsAreOpen",
        "controls",
    ),
    Case(
        "address",
        lambda: Description(lambda body: body.replace("c=IN IP4 0.0.0.0", "c=IN IP4 192.0.2.1")),
        "nullAddress",
        "controls",
    ),
    Case("no t=", lambda: Description(lines("t=", "t=0\r\n")), "timesOfSession", "controls"),
    Case("no length", lambda: Description(lines("a=range:")), "rangeOfPresentation", "controls"),
    Case("no rtpmap", lambda: Description(lines("a=rtpmap:96")), "rtpmaps", "controls"),
    Case("no fmtp", lambda: Description(lines("a=fmtp:96")), "formatParameters", "rtpmaps"),
    Case("new versions", lambda: Description(Versions()), "originStays", "rtpmaps"),
    Case("long lines of SDP", lambda: Description(lambda body: body + f"a=x:{'y' * 5000}\r\n"), "sizes", "rtpmaps"),
    Case("sound first", lambda: Description(swapped), "orderOfMedia", "rtpmaps"),
]
