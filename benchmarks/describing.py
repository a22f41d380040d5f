"""
RTSP and SDP texts, as far as a viewer needs them: any server's, and forgiving about them (RFC 2326, RFC 4566).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin


@dataclass(slots=True)
class Reply:
    """
    A response, or a request that the server makes.

    @ivar code: the status; 0 for a request.
    @ivar headers: by name in lower case.
    """

    code: int
    line: str
    headers: dict[str, str]
    body: str


@dataclass(slots=True)
class TrackDescription:
    """
    An C{m=} section.

    @ivar kind: C{video}, C{audio} …
    @ivar clock: ticks per second.
    """

    kind: str
    clock: int = 90000
    control: str = ""


@dataclass(slots=True)
class Description:
    """
    @ivar url: the one to PLAY.
    @ivar duration: seconds; 0.0 if it is live or not known.
    """

    url: str
    duration: float = 0.0
    tracks: list[TrackDescription] = field(default_factory=list)


def parseReply(head: bytes, body: bytes) -> Reply:
    """
    @raise ConnectionError: for what is no RTSP.
    """
    line, *rest = head.decode("utf-8", "replace").split("\r\n")
    headers = {}
    for each in rest:
        name, _, value = each.partition(":")
        headers[name.strip().lower()] = value.strip()
    found = re.match(r"RTSP/\d\.\d +(\d{3})", line)
    if found is None and not line.endswith("RTSP/1.0"):
        raise ConnectionError(f"not RTSP: {line[:80]!r}")
    return Reply(int(found[1]) if found else 0, line, headers, body.decode("utf-8", "replace"))


def parseDescription(reply: Reply, url: str) -> Description:
    """
    The answer to DESCRIBE (RFC 2326 appendix C).

    @param url: what was described.
    """
    base = reply.headers.get("content-base") or reply.headers.get("content-location") or url
    found = Description(base)
    static = {"0": 8000, "3": 8000, "8": 8000, "9": 8000, "10": 44100, "11": 44100}
    for line in reply.body.splitlines():
        kind, _, value = line.partition("=")
        if kind == "m":
            media, _, _, payloadType, *_ = [*value.split(), "", "", ""]
            found.tracks.append(TrackDescription(media, static.get(payloadType, 90000)))
        elif value.startswith("control:"):
            control = _join(base, value[8:].strip())
            if found.tracks:
                found.tracks[-1].control = control
            else:
                found.url = control
        elif value.startswith("rtpmap:") and found.tracks and "/" in value:
            found.tracks[-1].clock = int(value.split("/")[1])
        elif (span := re.match(r"range: *npt *= *([\d.]+)-([\d.]+)", value)) is not None and not found.tracks:
            found.duration = float(span[2]) - float(span[1])
    for track in found.tracks:
        track.control = track.control or found.url
    return found


def _join(base: str, control: str) -> str:
    if control in ("", "*"):
        return base
    if re.match("rtsps?://", control, re.IGNORECASE):
        return control
    # urljoin knows only some schemes; servers mean the base as a folder whether it ends in a slash or not
    folder = base if base.endswith("/") else base + "/"
    return "rtsp" + urljoin("http" + folder.removeprefix("rtsp"), control).removeprefix("http")


def parameter(header: str, name: str) -> str | None:
    """A parameter of a Transport or Session header."""
    for each in header.split(",")[0].split(";"):
        key, _, value = each.partition("=")
        if key.strip().lower() == name:
            return value.strip()
    return None
