"""
Session descriptions: what DESCRIBE answers, and what ANNOUNCE and other servers send (RFC 8866, RFC 2326 appendix C).

L{describe} writes exactly what players were seen to need, and no file name, title or tag can add a line to it. L{parse}
reads what encoders were seen to send, and raises nothing but L{SDPError}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from ipaddress import IPv6Address, ip_address
from math import ceil, isfinite
from unicodedata import category

from mediasrv.rtp.payloads.formats import PayloadFormat

#: What players read at most of a description, and of a line that is not C{a=fmtp} (bytes).
SIZE_LIMIT = 16384
LINE_LIMIT = 4096
#: A title longer than this, in characters, is cut.
_TITLE_LIMIT = 255
#: What is read at most.
_INPUT_LIMIT = 65536
_SECTIONS_LIMIT = 64

#: Dynamic payload types, then the unassigned ones that RTCP cannot be mistaken for (RFC 3551 section 3, RFC 5761
#: section 4).
_DYNAMIC = (*range(96, 128), *range(35, 64))
_KIND_ORDER = {"video": 0, "audio": 1, "text": 2}

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

#: Categories of characters that end lines, and of those that UTF-8 cannot say.
_REPLACEMENTS = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}")
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


class SDPError(ValueError):
    """A session description that cannot be read, or cannot be written; the text says why."""


@dataclass(frozen=True, slots=True)
class TrackDescription:
    """
    One C{m=} section to be.

    @ivar number: what C{a=control:trackID=} says.
    @ivar payloadType: as L{payloadTypes} gave it.
    """

    number: int
    payloadFormat: PayloadFormat
    payloadType: int


def payloadTypes(formats: Iterable[PayloadFormat]) -> list[int]:
    """
    The payload type of each format: static ones stay, the others get dynamic ones from 96 upward, no two the same
    (FFmpeg applies an C{a=fmtp} to every section with its type).

    @raise SDPError: for more formats than there are types.
    """
    free = iter(_DYNAMIC)
    types = [next(free, -1) if each.payloadType is None else each.payloadType for each in formats]
    if -1 in types:
        raise SDPError("more tracks than payload types")
    return types


def describe(
    *,
    title: str,
    address: str,
    sessionId: int,
    version: int,
    duration: float | None,
    tracks: Sequence[TrackDescription],
    etag: str | None = None,
    rtcpMux: bool = True,
) -> str:
    """
    The description of a presentation.

    @param title: for people; may contain anything.
    @param address: the server's own, as the client reached it: an IP address, or a host name.
    @param sessionId: a number that belongs to the presentation.
    @param version: a number that grows when its content changes.
    @param duration: seconds, or None for a live presentation.
    @param tracks: in any order; video comes first. What would make the whole too long for players is left out.
    @param etag: as C{If-Match} of a SETUP may repeat it.
    @param rtcpMux: whether RTP and RTCP on one port are offered (RFC 5761 section 5.1).
    @return: lines that end in CRLF.
    @raise SDPError: if no track is left.
    """
    network, host = _network(address)
    text = _joined(
        "v=0",
        f"o=- {sessionId} {version} IN {network} {host}",
        f"s={_clean(title)[:_TITLE_LIMIT].strip() or '-'}",
        # A null address: one that means something makes players expect multicast (RFC 2326 appendix C.1.7).
        f"c=IN {network} {'0.0.0.0' if network == 'IP4' else '::'}",
        "t=0 0",
        "a=tool:mediasrv",
        f"a=range:npt={_range(duration)}",
        "a=control:*",
        f"a=etag:{_clean(etag)}" if etag else "",
    )
    sections = 0
    for track in sorted(tracks, key=lambda track: _KIND_ORDER[track.payloadFormat.kind]):
        section = _section(track, rtcpMux)
        if len((text + section).encode()) < SIZE_LIMIT:
            text += section
            sections += 1
    if not sections:
        raise SDPError("nothing that a session description could name")
    return text


def _section(track: TrackDescription, rtcpMux: bool) -> str:
    """The C{m=} section of one track."""
    form, number = track.payloadFormat, track.payloadType
    medium = form.track
    channels = f"/{form.channels}" if form.channels else ""
    parameters = form.formatParameters()
    lines = [
        f"m={form.kind} 0 RTP/AVP {number}",
        f"i={_clean(medium.title)[:_TITLE_LIMIT]}" if medium.title else "",
        f"b=AS:{ceil(medium.bitRate / 1000)}" if medium.bitRate > 0 else "",
        f"a=rtpmap:{number} {form.encodingName}/{form.clockRate}{channels}",
        f"a=fmtp:{number} {_clean(parameters)}" if parameters else "",
        *map(_clean, form.attributes()),
    ]
    if medium.kind == "video":
        lines.append(f"a=framerate:{_decimal(medium.frameRate)}" if medium.frameRate >= 0.001 else "")
        isSized = medium.width > 0 and medium.height > 0
        lines.append(f"a=framesize:{number} {medium.width}-{medium.height}" if isSized else "")
    isLanguage = _LANGUAGE.fullmatch(medium.language) and medium.language != "und"
    lines.append(f"a=lang:{medium.language}" if isLanguage else "")
    lines.append("a=rtcp-mux" if rtcpMux else "")
    lines.append(f"a=control:trackID={track.number}")
    return _joined(*lines)


def _joined(*lines: str) -> str:
    """The lines that are there and not too long. Vorbis and Theora have their whole setup in an fmtp of many KiB."""
    kept = [line for line in lines if line and (len(line.encode()) <= LINE_LIMIT or line.startswith("a=fmtp:"))]
    return "".join(line + "\r\n" for line in kept)


def _clean(text: str) -> str:
    """The text without anything that could end a line, or that UTF-8 cannot say (undecodable file names)."""
    if text.isprintable():
        return text
    return "".join(_REPLACEMENTS.get(category(character), character) for character in text)


def _network(address: str) -> tuple[str, str]:
    """C{IP4} or C{IP6}, and the address as SDP has it: without scope, and IPv4 as such on a socket for both."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "IP4", address if _HOST.fullmatch(address) else "0.0.0.0"
    if isinstance(parsed, IPv6Address):
        return ("IP4", str(parsed.ipv4_mapped)) if parsed.ipv4_mapped else ("IP6", str(parsed))
    return "IP4", str(parsed)


def _range(duration: float | None) -> str:
    if duration is None:
        return "now-"
    isKnown = isfinite(duration) and duration >= 0.0005
    return f"0-{duration:.3f}" if isKnown else "0-"


def _decimal(number: Fraction) -> str:
    return f"{float(number):.3f}".rstrip("0").rstrip(".")


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


def parse(text: str) -> SessionDescription:
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
