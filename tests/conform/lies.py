"""
The lies: each breaks a rule. First those of which there are several kinds, then what they change.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

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


class Tardy(Lie):
    """An old packet follows the answer to the second PLAY."""

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        isSecond = request.method == "PLAY" and link.played == 2
        return response.toBytes() + (link.last[0].toBytes() if isSecond else b"")


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
