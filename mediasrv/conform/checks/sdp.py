"""
The session description (RFC 2326 appendix C, RFC 8866): SDP-1 to SDP-7.
"""

from __future__ import annotations

import re

from mediasrv.conform.grading import Grade, NotApplicable, check, unseen
from mediasrv.conform.judging import expect, require
from mediasrv.conform.probing import Probe

#: encodings that a decoder cannot begin without parameters
_PARAMETERS = ("H264", "H265", "MPEG4-GENERIC", "MP4A-LATM", "MP4V-ES", "VORBIS")


def _lines(probe: Probe) -> list[str]:
    text = probe.subject.described.body.decode("utf-8", "replace")
    return [line for line in re.split(r"\r\n|\n|\r", text) if line]


def _sessionLines(probe: Probe) -> list[str]:
    lines = _lines(probe)
    media = [index for index, line in enumerate(lines) if line.startswith("m=")]
    return lines[: media[0]] if media else lines


@check("SDP-1", Grade.MUST, "RFC 8866 5", "v, o, s, c and t are there, in this order, before the first m.")
def orderOfLines(probe: Probe) -> None:
    kinds = [line[0] for line in _sessionLines(probe)]
    missing = [kind for kind in "vost" if kind not in kinds]
    require(not missing, "v=, o=, s= and t=", f"no {', '.join(f'{kind}=' for kind in missing)}", "DESCRIBE")
    places = ["vosiuepcbtrzka".find(kind) for kind in kinds]
    require(
        -1 not in places and places == sorted(places), "the order v o s i u e p c b t … a", "".join(kinds), "DESCRIBE"
    )


@check("SDP-1", Grade.MUST, "RFC 2326 C.1.1", "Every media section has an a=control, if there are several.")
def controls(probe: Probe) -> None:
    missing = [section.kind for section in probe.subject.description.media if not section.control]
    require(not missing or len(probe.subject.tracks) == 1, "a=control", f"{', '.join(missing)} without", "DESCRIBE")


@check("SDP-1", Grade.POLICY, "RFC 2326 C.3", "The session has an a=control, for aggregate control.")
def sessionControl(probe: Probe) -> None:
    require(bool(probe.subject.description.control), "a=control:*", "none", "DESCRIBE")


@check("SDP-1", Grade.SHOULD, "RFC 2326 C.1.2", "Ports are 0: the client chooses them in SETUP.")
def portsAreOpen(probe: Probe) -> None:
    ports = {section.kind: section.port for section in probe.subject.description.media}
    require(
        not any(ports.values()), "m=kind 0", ", ".join(f"m={kind} {port}" for kind, port in ports.items()), "DESCRIBE"
    )


@check("SDP-1", Grade.SHOULD, "RFC 2326 C.1.7", "The address of c= is null where the client says where media go.")
def nullAddress(probe: Probe) -> None:
    addresses = [line.split()[-1] for line in _lines(probe) if line.startswith("c=") and line.split()]
    require(bool(addresses), "a c= line", "none", "DESCRIBE")
    wrong = [address for address in addresses if address.partition("/")[0] not in ("0.0.0.0", "::", "::0")]
    require(not wrong, "0.0.0.0", ", ".join(wrong), "DESCRIBE")


@check("SDP-1", Grade.MUST, "RFC 2326 C.1.6", "t= has a start and a stop time; both are 0 where it is always there.")
def timesOfSession(probe: Probe) -> None:
    times = [line for line in _sessionLines(probe) if line.startswith("t=")]
    isRight = bool(times) and all(re.fullmatch(r"t=[0-9]+ [0-9]+", line) for line in times)
    require(isRight, "t=0 0", ", ".join(times) or "none", "DESCRIBE")


@check(
    "SDP-2",
    Grade.SHOULD,
    "RFC 2326 C.1.5",
    "a=range says how long it is, 'npt=0-seconds', or 'npt=now-' if it is live.",
)
def rangeOfPresentation(probe: Probe) -> None:
    description = probe.subject.description
    value = description.attribute("range") or description.media[0].attribute("range") or "none"
    if probe.subject.duration is None:
        require(value.startswith("npt=") or value == "none", "npt=now-", f"a=range:{value}", "DESCRIBE")
        return
    wanted = f"a=range:npt=0-{probe.subject.duration:.2f}"
    isRight = re.fullmatch(r"npt=0(\.0*)?-[0-9]+(\.[0-9]+)?", value.replace(" ", "")) is not None
    require(isRight, wanted, f"a=range:{value}", "DESCRIBE")


@check("SDP-3", Grade.MUST, "RFC 8866 6.6", "Every dynamic payload type has an a=rtpmap.")
def rtpmaps(probe: Probe) -> None:
    missing = [
        f"{section.kind} {number}"
        for section in probe.subject.description.media
        for number in section.payloadTypes
        if number >= 96 and number not in section.rtpmaps
    ]
    require(not missing, "a=rtpmap", f"none of {', '.join(missing)}", "DESCRIBE")


@check("SDP-3", Grade.MUST, "RFC 2326 10.2", "What a decoder needs to begin is in a=fmtp.")
def formatParameters(probe: Probe) -> None:
    missing = [
        rtpmap.encodingName
        for section in probe.subject.description.media
        for number, rtpmap in section.rtpmaps.items()
        if rtpmap.encodingName.upper() in _PARAMETERS and number not in section.formats
    ]
    require(not missing, "a=fmtp", f"none of {', '.join(missing)}", "DESCRIBE")


@check("SDP-4", Grade.POLICY, "RFC 8866 5.2", "o= stays the same as long as the content does.")
def originStays(probe: Probe) -> None:
    def origin() -> str:
        body = expect(probe.connect().ask("DESCRIBE", probe.url), 200).body.decode("utf-8", "replace")
        return next((line for line in body.splitlines() if line.startswith("o=")), "none")

    first, second = origin(), origin()
    require(first == second, first, second, "DESCRIBE, twice")


@check(
    "SDP-5",
    Grade.POLICY,
    "practice of FFmpeg",
    "The description has 16 KiB at most, and lines of 4 KiB but for a=fmtp.",
)
def sizes(probe: Probe) -> str:
    size = len(probe.subject.described.body)
    require(size <= 16384, "16384 bytes", f"{size} bytes", "DESCRIBE")
    long = [line[:20] for line in _lines(probe) if len(line.encode()) > 4096 and not line.startswith("a=fmtp")]
    require(not long, "lines of 4096 bytes", ", ".join(long), "DESCRIBE")
    return f"{size} bytes"


@check(
    "SDP-6",
    Grade.POLICY,
    "practice of players",
    "Video comes before audio, and each kind of media is one that RTP carries.",
)
def orderOfMedia(probe: Probe) -> None:
    kinds = [section.kind for section in probe.subject.description.media]
    if len(kinds) < 2:
        raise NotApplicable("a presentation of one track")
    order = [{"video": 0, "audio": 1}.get(kind, 2) for kind in kinds]
    require(order == sorted(order), "video, audio, then the rest", ", ".join(kinds), "DESCRIBE")


unseen("SDP-7", "Further attributes, such as a=ssrc and a=mid, do no harm.", "a matter of players")
