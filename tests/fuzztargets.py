"""
What L{fuzzing} feeds: every parser that bytes of strangers reach, and the real messages and packets to start from.

A target takes bytes. It may raise nothing but the errors that it catches itself: they are the parser's own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import picturestreams
import soundstreams
from rtsprig import AUDIO, FILM, TCP, UDP, VIDEO, Rig
from twisted.logger import LogEvent, globalLogPublisher

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.packets import PacketError, parsePacket
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat
from mediasrv.rtp.payloads.registry import formatFor, unpackerFor
from mediasrv.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    packCompound,
    parseCompound,
)
from mediasrv.rtp.sdp import SDPError, TrackDescription, describe, payloadTypes
from mediasrv.rtp.sdpparser import parseDescription
from mediasrv.rtsp import headers
from mediasrv.rtsp.messages import HeaderError, InterleavedFrame, MessageError, Request
from mediasrv.rtsp.parser import MessageParser
from mediasrv.rtsp.ranges import parseRange
from mediasrv.rtsp.transport import parseTransports
from mediasrv.rtsp.urls import contentBase, parseURI, splitTrack

REPORT = packCompound([ReceiverReport(1, [ReportBlock(2)]), SourceDescription.named(1, "me")])

#: how a packet stands in the input of an unpacker: flags and length of the payload
_PACKET = struct.Struct(">BH")
_MARKER, _LOST, _LATER = 1, 2, 4


@dataclass(frozen=True)
class Target:
    """
    @ivar run: is given the bytes.
    @ivar seeds: inputs that mean something.
    """

    run: Callable[[bytes], object]
    seeds: list[bytes]


class LoggedFailure(Exception):
    """The server answered, but the log has a failure."""


def _request(method: str, url: str, *lines: str, body: str = "") -> bytes:
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{method} {url} RTSP/1.0", "CSeq: 1", *lines, *length, "", body]).encode()


REQUESTS = [
    _request("OPTIONS", "*", "User-Agent: LibVLC/3.0.24", "Require: a, b", "Proxy-Require: c"),
    _request(
        "DESCRIBE", FILM, "Accept: application/sdp, text/*;q=0", "If-Modified-Since: Sun, 13 Sep 2020 12:26:40 GMT"
    ),
    _request(
        "SETUP", VIDEO, f"Transport: RTP/FOO, {UDP.format(5000, 5001)};mode=PLAY", "Blocksize: 1000", 'If-Match: "x"'
    ),
    _request("SETUP", AUDIO, f"Transport: {TCP.format(0, 1)};ssrc=12AB;destination=192.0.2.1"),
    _request(
        "PLAY", f"{FILM}/", "Session: abc;timeout=60", "Range: npt=1:02:03.5-;time=19970123T153600Z", "Scale: 2.0"
    ),
    _request("PAUSE", FILM, "Session: abc", "Range: smpte-30-drop=10:07:33:05.01", "Timestamp: 4.5"),
    _request("GET_PARAMETER", FILM, "Content-Type: text/parameters", body="position\r\nstate\r\n"),
    _request("TEARDOWN", f"{FILM}?a=b/trackID=1", "Connection: close", "X-Folded: a\r\n b"),
    b"RTSP/1.0 200 OK\nCSeq: 1\nPublic: OPTIONS\n\n",
    InterleavedFrame(1, REPORT).toBytes(),
]


def messages(data: bytes) -> None:
    """The stream of a connection, cut at places that its first byte chooses, and what is in its headers."""
    size = (data[0] if data else 0) or len(data)
    parser = MessageParser()
    for start in range(0, len(data), max(1, size)):
        for message in parser.feed(data[start : start + size]):
            if isinstance(message, Request):
                _readRequest(message)
            elif not isinstance(message, MessageError):
                message.toBytes()


PARSERS: list[tuple[str, Callable[[str], object]]] = [
    ("Transport", lambda value: [spec.format() for spec in parseTransports(value)]),
    ("Range", lambda value: parseRange(value).format()),
    ("Session", headers.parseSession),
    ("RTP-Info", lambda value: headers.formatRTPInfo(headers.parseRTPInfo(value))),
    ("Scale", lambda value: headers.formatScale(headers.parseScale(value))),
    ("Speed", headers.parseSpeed),
    ("Blocksize", headers.parseBlocksize),
    ("Accept", headers.acceptsSDP),
    ("If-Modified-Since", lambda value: headers.notModified(value, 1.6e9)),
]


def _readRequest(request: Request) -> None:
    request.toBytes()
    headers.requiredFeatures(request.headers)
    _readURL(request.uri)
    for name, parse in PARSERS:
        _readHeader(parse, request.headers.get(name, ""))


def _readHeader(parse: Callable[[str], object], value: str) -> None:
    try:
        parse(value)
    except HeaderError:
        return


def header(parse: Callable[[str], object], data: bytes) -> None:
    """The value of one header."""
    _readHeader(parse, data.decode("latin-1"))


def _readURL(uri: str) -> None:
    try:
        url, _ = splitTrack(parseURI(uri))
    except HeaderError:
        return
    contentBase(url.literal)
    assert url.escapes or ".." not in url.segments


def url(data: bytes) -> None:
    """A Request-URI."""
    _readURL(data.decode("utf-8", "replace"))


def description(data: bytes) -> None:
    """A session description, and the unpackers that its sections ask for."""
    try:
        found = parseDescription(data.decode("utf-8", "replace"))
    except SDPError:
        return
    for section in found.media:
        for payloadType in section.payloadTypes:
            mapped = section.rtpmaps.get(payloadType)
            if mapped is not None:
                _readParameters(mapped.encodingName, mapped.clockRate, mapped.channels, section.parameters(payloadType))


def _readParameters(name: str, clockRate: int, channels: int, parameters: dict[str, str]) -> None:
    try:
        unpackerFor(name, clockRate, channels, parameters)
    except PayloadError:
        return


def rtcp(data: bytes) -> None:
    """A compound packet."""
    try:
        packets = parseCompound(data)
    except PacketError:
        return
    for packet in packets:
        repr(packet)


def rtp(data: bytes) -> None:
    """A packet."""
    try:
        parsePacket(data)
    except PacketError:
        return


def dialogue(data: bytes) -> None:
    """All that a client sends to a server that plays something already, over UDP too; the log may have no failure."""
    failures: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_failure") or event.get("failure"):
            failures.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        rig = Rig()
        client = rig.connect()
        client.setUp(VIDEO, TCP.format(0, 1))
        client.play("npt=0-")
        client.write(data.replace(b"abc", client.session.encode()))
        for kind in ("rtp", "rtcp"):
            rig.receive(kind, data[:1500], ("192.0.2.7", 5001))
        rig.wait(0.03)
        client.transport.lose()
        rig.site.stop()
    finally:
        globalLogPublisher.removeObserver(observe)
    if failures:
        raise LoggedFailure(str(failures[0].get("log_failure") or failures[0].get("failure")))


# Unpackers


def packed(packets: Iterator[tuple[bool, bytes]]) -> bytes:
    """Packets as an unpacker's target reads them."""
    found = []
    for marker, payload in packets:
        found.append(_PACKET.pack(_MARKER * marker | _LATER * marker, len(payload)) + payload)
    return b"".join(found)


def unpacker(name: str, clockRate: int, channels: int, parameters: dict[str, str], data: bytes) -> None:
    """Packets of one stream; some are lost, some are damaged."""
    unpack = unpackerFor(name, clockRate, channels, parameters)
    sequence, timestamp, at = 65530, 0xFFFFF000, 0
    while at + _PACKET.size <= len(data):
        flags, length = _PACKET.unpack_from(data, at)
        at += _PACKET.size
        sequence += 2 if flags & _LOST else 1
        with suppress(PayloadError):
            unpack.push(sequence & 0xFFFF, timestamp & 0xFFFFFFFF, bool(flags & _MARKER), data[at : at + length])
        at += length
        timestamp += 1024 if flags & _LATER else 0


def _streams() -> Iterator[tuple[Track, list[Unit]]]:
    for codec, encoder in (("h264", "libx264"), ("hevc", "libx265"), ("vp8", "libvpx"), ("vp9", "libvpx-vp9")):
        quiet = {"x265-params": "log-level=none"} if encoder == "libx265" else {}
        yield picturestreams.encode(codec, count=4, encoder=encoder, options=quiet)
    for codec in ("mpeg4", "mpeg2video"):
        yield picturestreams.encode(codec, count=4, options={"flags": "+global_header"})
    yield picturestreams.encode("mjpeg", count=2, pixelFormat="yuvj420p", options={"huffman": "default"})
    yield soundstreams.encode("aac", seconds=0.2)
    yield soundstreams.encode("libopus", codec="opus", seconds=0.2)
    yield soundstreams.encode("mp2", seconds=0.2)
    yield soundstreams.encode("ac3", seconds=0.2)
    yield soundstreams.encode("eac3", seconds=0.2)
    yield soundstreams.encode("vorbis", seconds=0.2)
    yield soundstreams.encode("pcm_s16le", seconds=0.1)
    yield soundstreams.encode("g722", codec="adpcm_g722", rate=16000, layout="mono", seconds=0.1)
    yield Track(0, "video", "mpegts"), [Unit(0, 0, 0.1, True, (b"\x47\x40\x00\x10" + bytes(184)) * 9)]
    # AV1: a temporal unit of a delimiter and a frame of anything
    yield Track(0, "video", "av1"), [Unit(0, 0, 0.04, False, b"\x12\0\x32\x7f" + bytes(127))]


def _unpackers() -> Iterator[tuple[str, Target, PayloadFormat]]:
    for track, units in _streams():
        carried = formatFor(track)
        parameters = soundstreams.parametersOf(carried)
        seeds = []
        for limit in (120 if track.kind == "audio" else 400, 1400):
            groups = carried.pack(units, max(limit, 320))
            seeds.append(
                packed(
                    (at + 1 == len(each.payloads), payload)
                    for each in groups
                    for at, payload in enumerate(each.payloads)
                )
            )
        run = partial(unpacker, carried.encodingName, carried.clockRate, carried.channels, parameters)
        yield f"unpack {track.codec}", Target(run, seeds), carried


def targets() -> dict[str, Target]:
    """All of them by name."""
    unpackers = list(_unpackers())
    formats = [carried for _, _, carried in unpackers]
    types = payloadTypes(formats)
    lines = describe(
        title="A film",
        address="192.0.2.1",
        sessionId=1,
        version=2,
        duration=10.0,
        tracks=[TrackDescription(index, formats[index], types[index]) for index in range(len(formats))],
    )
    report = [SenderReport(1, 2, 3, 4, 5, [ReportBlock(6)]), SourceDescription.named(1, "me"), Goodbye([1], "bye")]
    values = {name: [] for name, _ in PARSERS}
    for name in values:
        for request in REQUESTS:
            for line in request.decode("latin-1").split("\r\n"):
                if line.startswith(f"{name}: "):
                    values[name].append(line.partition(": ")[2].encode())
    values["RTP-Info"].append(b"url=rtsp://server/a/trackID=0;seq=1;rtptime=2,url=b;rtptime=3")
    found = {
        "messages": Target(messages, [b"\x7f" + request for request in REQUESTS]),
        "dialogue": Target(dialogue, [*REQUESTS, b"".join(REQUESTS)]),
        "url": Target(url, [FILM.encode(), VIDEO.encode(), b"rtsp://u:p@[::1]:554/a%20b/c?d=e/trackID=1", b"/a/../b"]),
        "sdp": Target(description, [lines.encode()]),
        "rtcp": Target(rtcp, [packCompound(report), REPORT]),
        "rtp": Target(rtp, [b"\x80\x60\0\1" + bytes(8) + b"payload", b"\xb2\x60\0\1" + bytes(40) + b"\0\0\4"]),
    }
    found |= {name: Target(partial(header, parse), values[name] or [b"1"]) for name, parse in PARSERS}
    return found | {name: target for name, target, _ in unpackers}
