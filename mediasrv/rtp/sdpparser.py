"""
Session descriptions of others: what encoders were seen to send with ANNOUNCE, and other servers to answer (RFC 8866).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mediasrv.rtp.sdp import SDPError

#: What is read at most.
_INPUT_LIMIT = 65536
_SECTIONS_LIMIT = 64

#: Encoding name, clock rate and channels of static payload types (RFC 3551 section 6).
_STATIC = {
    0: ("PCMU", 8000, 1),
    3: ("GSM", 8000, 1),
    4: ("G723", 8000, 1),
    5: ("DVI4", 8000, 1),
    6: ("DVI4", 16000, 1),
    7: ("LPC", 8000, 1),
    8: ("PCMA", 8000, 1),
    9: ("G722", 8000, 1),
    10: ("L16", 44100, 2),
    11: ("L16", 44100, 1),
    12: ("QCELP", 8000, 1),
    14: ("MPA", 90000, 0),
    15: ("G728", 8000, 1),
    16: ("DVI4", 11025, 1),
    17: ("DVI4", 22050, 1),
    18: ("G729", 8000, 1),
    25: ("CelB", 90000, 0),
    26: ("JPEG", 90000, 0),
    28: ("nv", 90000, 0),
    31: ("H261", 90000, 0),
    32: ("MPV", 90000, 0),
    33: ("MP2T", 90000, 0),
    34: ("H263", 90000, 0),
}

_LINE_END = re.compile(r"[\r\n]+")
_LINE = re.compile(r"[a-z]=")
_NUMBER = re.compile(r"[0-9]{1,3}")
_MEDIA = re.compile(
    r"(?P<kind>[A-Za-z][\w.+-]*)\s+(?P<port>[0-9]{1,5})(?:/[0-9]{1,5})?\s+"
    r"(?:(?P<rtp>(?:[A-Z]+/){0,3}RTP/S?AVPF?(?:/[A-Z]+)?)(?=[\s0-9]|$)|(?P<other>\S+))(?P<formats>.*)",
    re.ASCII | re.IGNORECASE,
)
_RTPMAP = re.compile(
    r"(?P<type>[0-9]{1,3})\s+(?P<name>[^/\s]+)/(?P<rate>[0-9]{1,9})(?:/(?P<channels>[0-9]{1,3}))?(?![0-9])"
)


@dataclass(frozen=True, slots=True)
class RTPMap:
    """
    What a payload type stands for.

    @ivar clockRate: ticks per second, at least 1.
    @ivar channels: 1 for audio that does not say, else 0.
    """

    encodingName: str
    clockRate: int
    channels: int = 0


@dataclass(slots=True)
class MediaSection:
    """
    One C{m=} section.

    @ivar kind: C{"video"}, C{"audio"}, C{"text"}, C{"application"}, …
    @ivar protocol: as it came: C{"RTP/AVP"}, C{"RTP/AVP/TCP"}, C{"RTP/SAVP"}, …
    @ivar payloadTypes: 0–127, distinct, in order of preference; empty if this is no RTP.
    @ivar rtpmaps: by payload type; static types are there even if the description does not say what they are.
    @ivar formats: the parameters of C{a=fmtp} by payload type, names in lower case.
    @ivar control: as it came, relative or absolute; C{""} if it is missing, and the section's place must do.
    @ivar attributes: all C{a=} lines as name (in lower case) and value, in order.
    """

    kind: str
    port: int
    protocol: str
    payloadTypes: list[int]
    rtpmaps: dict[int, RTPMap] = field(default_factory=dict)
    formats: dict[int, dict[str, str]] = field(default_factory=dict)
    control: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of this name (in lower case), or None."""
        return next((value for key, value in self.attributes if key == name), None)

    def parameters(self, payloadType: int) -> dict[str, str]:
        """
        What L{PayloadFormat.unpacker} wants to know about one of the payload types that have an rtpmap.

        @raise KeyError: if it has none.
        """
        rtpmap = self.rtpmaps[payloadType]
        named = {"clockrate": str(rtpmap.clockRate), "channels": str(rtpmap.channels)}
        return self.formats.get(payloadType, {}) | named


@dataclass(slots=True)
class SessionDescription:
    """
    A session description that was read.

    @ivar name: from C{s=}, C{""} without.
    @ivar control: of the session as a whole, C{""} if it is missing.
    @ivar attributes: of the session, as in L{MediaSection}.
    """

    media: list[MediaSection] = field(default_factory=list)
    name: str = ""
    control: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def attribute(self, name: str) -> str | None:
        """The value of the first session-level attribute of this name (in lower case), or None."""
        return next((value for key, value in self.attributes if key == name), None)


def parseDescription(text: str) -> SessionDescription:
    """
    Reads a description as encoders really write them: with any line ends, without C{o=}, C{s=}, C{t=} or C{a=control},
    with lines that nobody knows.

    @raise SDPError: if it is no description, has no media section, too much of anything, or a media section that cannot
        be understood.
    """
    if len(text) > _INPUT_LIMIT:
        raise SDPError("the session description is too long")
    lines = [line.strip(" \t\0") for line in _LINE_END.split(text)]
    lines = [line for line in lines if line]
    if not lines or not _LINE.match(lines[0]):
        raise SDPError("this is no session description")
    description = SessionDescription()
    for line in lines:
        kind, equals, value = line[:1], line[1:2], line[2:].strip()
        if equals != "=":
            continue
        if kind == "m":
            description.media.append(_parseMedia(value))
        elif kind == "a":
            _parseAttribute(description, value)
        elif kind == "s" and not description.media:
            description.name = value
        if len(description.media) > _SECTIONS_LIMIT:
            raise SDPError("too many media sections")
    if not description.media:
        raise SDPError("no media section")
    return description


def _parseMedia(value: str) -> MediaSection:
    """Reads the value of an C{m=} line; some encoders write C{RTP/AVP96} or C{RTP/AVP/TCP 96}."""
    match = _MEDIA.fullmatch(value)
    if not match or int(match["port"]) > 0xFFFF:
        raise SDPError(f"m={value[:80]!r} is no media section")
    section = MediaSection(match["kind"].lower(), int(match["port"]), match["rtp"] or match["other"], [])
    if match["rtp"]:
        types = [int(word) for word in match["formats"].split() if _NUMBER.fullmatch(word)]
        section.payloadTypes = list(dict.fromkeys(number for number in types if number < 128))
        if not section.payloadTypes:
            raise SDPError(f"m={value[:80]!r} has no payload type")
    for number in section.payloadTypes:
        if number in _STATIC:
            section.rtpmaps[number] = RTPMap(*_STATIC[number])
    return section


def _parseAttribute(description: SessionDescription, line: str) -> None:
    """Reads the value of an C{a=} line into the last media section, or the session if there is none yet."""
    name, _, value = line.partition(":")
    name, value = name.strip().lower(), value.strip()
    scope = description.media[-1] if description.media else description
    scope.attributes.append((name, value))
    if name == "control":
        scope.control = value
    if isinstance(scope, MediaSection):
        if name == "rtpmap":
            _parseRTPMap(scope, value)
        elif name == "fmtp":
            _parseParameters(scope, value)


def _parseRTPMap(section: MediaSection, value: str) -> None:
    match = _RTPMAP.match(value)
    if not match or not int(match["rate"]):
        raise SDPError(f"a=rtpmap:{value[:80]!r} cannot be understood")
    channels = int(match["channels"] or (1 if section.kind == "audio" else 0))
    section.rtpmaps[int(match["type"])] = RTPMap(match["name"], int(match["rate"]), channels)


def _parseParameters(section: MediaSection, value: str) -> None:
    """Reads an C{a=fmtp}: C{name=value; flag; …}; base64 values have further equals signs."""
    number, _, text = value.partition(" ")
    if not _NUMBER.fullmatch(number):
        return
    parameters = section.formats.setdefault(int(number), {})
    for part in text.split(";"):
        name, _, content = part.partition("=")
        if name.strip():
            parameters[name.strip().lower()] = content.strip().strip('"')
