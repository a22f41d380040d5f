"""
Session descriptions: what DESCRIBE answers (RFC 8866, RFC 2326 appendix C).

It is exactly what players were seen to need, and no file name, title or tag can add a line to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
#: Dynamic payload types, then the unassigned ones that RTCP cannot be mistaken for (RFC 3551 section 3, RFC 5761
#: section 4).
_DYNAMIC = (*range(96, 128), *range(35, 64))
_KIND_ORDER = {"video": 0, "audio": 1, "text": 2}

#: Categories of characters that end lines, and of those that UTF-8 cannot say.
_REPLACEMENTS = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "\ufffd"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}")


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
