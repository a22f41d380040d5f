"""
The smaller headers, each as a pair of functions where both directions are needed (RFC 2326 section 12).

What parses here raises L{HeaderError}, which knows the status to answer with, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime

from mediasrv.rtsp.messages import HeaderError, Headers

#: more than RFC 2326 section 3.4 has: servers that we pull from invent their own; not what could end the header
_SESSION_ID = re.compile(r"[!-+\--:<-~]{1,256}")
_NUMBER = re.compile(r"([+-]?)([0-9]{1,9}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")
_DIGITS = re.compile(r"[0-9]{1,20}")
_MEDIA_RANGE = re.compile(r"\s*([^\s;,]+)\s*(?:;(.*))?", re.S)
_QUALITY_ZERO = re.compile(r"(?:^|;)\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)", re.I)
_RTP_INFO_ENTRY = re.compile(r",\s*(?=url\s*=)", re.I)
_RTP_INFO_PARAMETER = re.compile(r";\s*(seq|rtptime)\s*=\s*([0-9]{1,10})\s*$", re.I)


@dataclass(frozen=True, slots=True)
class RTPInfo:
    """
    One entry of RTP-Info (section 12.33).

    @ivar url: the SETUP URL of the track, to the letter: clients compare it (RTP-1).
    @ivar seq: sequence number of the first packet, 16 bits; None if a server did not say.
    @ivar rtptime: RTP time of the start of the Range, 32 bits; None if a server did not say.
    """

    url: str
    seq: int | None = None
    rtptime: int | None = None


def parseSession(value: str) -> tuple[str, int | None]:
    """
    Session id and timeout in seconds, None if there is none. Larix sends the timeout back in requests (TMO-1).

    @raise HeaderError: 454 for what cannot be an id, for no session has it.
    """
    identifier, *parameters = value.split(";", 8)
    identifier = identifier.strip()
    if not _SESSION_ID.fullmatch(identifier):
        raise HeaderError("not a session id", 454)
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        number = text.strip()  # of more than int() leaves out by itself
        if name.strip().lower() == "timeout" and _DIGITS.fullmatch(number):
            return identifier, int(number)
    return identifier, None


def formatSession(identifier: str, timeout: int | None = None) -> str:
    """With the timeout in seconds, if given. No space before it: ffmpeg looks for C{;timeout=} (TMO-1)."""
    return identifier if timeout is None else f"{identifier};timeout={timeout}"


def formatRTPInfo(entries: Iterable[RTPInfo]) -> str:
    """An RTP-Info value with url, seq and rtptime and nothing else: ExoPlayer refuses the rest."""
    return ",".join(
        f"url={entry.url}"
        + ("" if entry.seq is None else f";seq={entry.seq}")
        + ("" if entry.rtptime is None else f";rtptime={entry.rtptime}")
        for entry in entries
    )


def parseRTPInfo(value: str) -> list[RTPInfo]:
    """
    The entries of an RTP-Info value. URLs may contain commas and semicolons, so it is read from both ends.

    @raise HeaderError: if an entry has no URL.
    """
    entries = []
    for text in _RTP_INFO_ENTRY.split(value):
        numbers: dict[str, int] = {}
        rest = text.strip()
        while match := _RTP_INFO_PARAMETER.search(rest):
            numbers[match[1].lower()] = int(match[2])
            rest = rest[: match.start()].rstrip()
        name, _, url = rest.partition("=")
        if name.strip().lower() != "url" or not url.strip():
            raise HeaderError("an RTP-Info entry without a URL")
        entries.append(RTPInfo(url.strip(), numbers.get("seq"), numbers.get("rtptime")))
    return entries


def acceptsSDP(accept: str | None) -> bool:
    """Whether a DESCRIBE with this Accept header takes C{application/sdp} (DES-2). No header, or an empty one: yes."""
    if accept is None or not accept.strip():
        return True
    verdicts: dict[str, bool] = {}
    for text in accept.split(","):
        if match := _MEDIA_RANGE.fullmatch(text):
            verdicts[match[1].lower()] = not _QUALITY_ZERO.search(match[2] or "")
    for mediaRange in ("application/sdp", "application/*", "*/*"):  # the most specific one decides
        if mediaRange in verdicts:
            return verdicts[mediaRange]
    return False


def formatDate(seconds: float) -> str:
    """Seconds since 1970 as RFC 1123 writes it, weekday included, in English whatever the locale (SYN-15)."""
    return formatdate(seconds, usegmt=True)


def parseDate(value: str) -> float | None:
    """Seconds since 1970 of a date in any of HTTP's forms; None for anything else, which is to be ignored."""
    if len(value) > 64:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def notModified(ifModifiedSince: str | None, modified: float) -> bool:
    """
    Whether 304 is the answer (section 12.23).

    @param modified: when the resource was, seconds since 1970; the header has only whole seconds.
    """
    since = None if ifModifiedSince is None else parseDate(ifModifiedSince)
    return since is not None and int(modified) <= since


def requiredFeatures(headers: Headers) -> list[str]:
    """All option tags of Require and Proxy-Require, each once, in their order (sections 12.27 and 12.32, HDR-1)."""
    values = headers.getAll("Require") + headers.getAll("Proxy-Require")
    tags = (tag.strip() for value in values for tag in value.split(","))
    return list(dict.fromkeys(tag for tag in tags if tag))


def parseScale(value: str) -> float:
    """
    A Scale (section 12.34): finite and not 0.

    @raise HeaderError: for anything else.
    """
    match = _NUMBER.fullmatch(value.strip())
    scale = float(match[0]) if match else 0.0
    if scale == 0:
        raise HeaderError("malformed Scale")
    return scale


def parseSpeed(value: str) -> float:
    """
    A Speed (section 12.35): finite and above 0.

    @raise HeaderError: for anything else.
    """
    match = _NUMBER.fullmatch(value.strip())
    speed = float(match[0]) if match else 0.0
    if speed <= 0:
        raise HeaderError("malformed Speed")
    return speed


def formatScale(scale: float) -> str:
    """A Scale or Speed, with at least one decimal and never an exponent: C{2.0}, C{-0.125}."""
    whole, _, fraction = f"{scale:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def parseBandwidth(value: str) -> int:
    """
    The bits per second that the client can receive, at least 1 (section 12.6).

    @raise HeaderError: for anything but a positive decimal number.
    """
    if not _DIGITS.fullmatch(value.strip()) or int(value) == 0:
        raise HeaderError("malformed Bandwidth")
    return int(value)


def parseBlocksize(value: str) -> int:
    """
    The payload size that the client wants, in bytes, at least 1 (section 12.7).

    @raise HeaderError: 416, as that section says, for anything but a positive decimal number.
    """
    number = value.strip()
    if not _DIGITS.fullmatch(number) or int(number) == 0:
        raise HeaderError("malformed Blocksize", 416)
    return int(number)
