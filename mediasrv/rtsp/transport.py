"""
The Transport header (RFC 2326 section 12.39).

Clients list alternatives; what is wrong with one of them is no reason to refuse the others. Parameters that nobody
knows are ignored, as RTSP 1.0 has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mediasrv.rtsp.messages import HeaderError

#: alternatives that are looked at; a client that knows more than these has other intentions
_MOST = 64
_MODES = {"PLAY": "PLAY", "RECORD": "RECORD", "RECEIVE": "RECORD"}  # RECEIVE: Darwin Streaming Server and its clients

_PROTOCOL = re.compile(r"([A-Za-z0-9_.+-]{1,32})/([A-Za-z0-9_.+-]{1,32})(?:/([A-Za-z]{1,8}))?")
_PAIR = re.compile(r"([0-9]{1,5})(?:\s*-\s*([0-9]{1,5}))?")
_NUMBER = re.compile(r"[0-9]{1,5}")
_SSRC = re.compile(r"[0-9A-Fa-f]{1,8}")
_ADDRESS = re.compile(r"[A-Za-z0-9.:%_\[\]-]{1,255}")
_PIECES = {separator: re.compile(rf'(?:[^{separator}"]+|"[^"]*(?:"|\Z))+') for separator in ",;"}

Pair = tuple[int, int]


@dataclass(slots=True)
class TransportSpec:
    """
    One alternative of a Transport header, or the one that a reply chose.

    @ivar protocol: upper case, such as C{"RTP"}.
    @ivar profile: upper case, such as C{"AVP"}, C{"AVPF"}, C{"SAVP"}.
    @ivar lower: C{"UDP"} or C{"TCP"}.
    @ivar unicast: False for multicast, None where nothing was said (RFC 2326 then means multicast, clients do not).
    @ivar clientPort: UDP ports of the client for RTP and RTCP.
    @ivar serverPort: UDP ports of the server for RTP and RTCP.
    @ivar port: UDP ports of a multicast session.
    @ivar interleaved: channels for RTP and RTCP, 0 to 255; None lets the server choose.
    @ivar rtcpMux: whether RTP and RTCP share one port or channel (RFC 5761, RFC 7826 section 18.54). Then the two of
        each pair are the same; else those of C{interleaved} are different.
    @ivar destination: where media shall go, as written.
    @ivar source: where media come from, as written.
    @ivar ttl: of multicast packets, 0 to 255.
    @ivar layers: how many consecutive multicast addresses, 1 to 255.
    @ivar ssrc: 32 bits; None also for one that is not hexadecimal, for it only informs.
    @ivar mode: C{"PLAY"} or C{"RECORD"}.
    @ivar append: whether a recording is to be continued.
    """

    protocol: str = "RTP"
    profile: str = "AVP"
    lower: str = "UDP"
    unicast: bool | None = None
    clientPort: Pair | None = None
    interleaved: Pair | None = None
    destination: str | None = None
    source: str | None = None
    port: Pair | None = None
    ttl: int | None = None
    layers: int | None = None
    ssrc: int | None = None
    mode: str = "PLAY"
    append: bool = False
    serverPort: Pair | None = None
    rtcpMux: bool = False

    def format(self) -> str:
        """
        As a header value. UDP for RTP and C{mode=PLAY} are the defaults and stay unsaid: old clients compare the first
        words. Those who ask for C{MP2T/H2221/UDP} do so too.
        """
        isDefault = self.protocol == "RTP" and self.lower == "UDP"
        parts = [f"{self.protocol}/{self.profile}" + ("" if isDefault else f"/{self.lower}")]
        if self.unicast is not None:
            parts.append("unicast" if self.unicast else "multicast")
        if self.rtcpMux:
            parts.append("RTCP-mux")
        values: list[tuple[str, str | int | Pair | None]] = [
            ("destination", self.destination),
            ("source", self.source),
            ("interleaved", self.interleaved),
            ("port", self.port),
            ("client_port", self.clientPort),
            ("server_port", self.serverPort),
            ("ttl", self.ttl),
            ("layers", self.layers),
            ("ssrc", None if self.ssrc is None else f"{self.ssrc:08X}"),
            ("mode", "record" if self.mode == "RECORD" else None),
        ]
        for name, value in values:
            if value is not None:
                parts.append(f"{name}={value[0]}-{value[1]}" if isinstance(value, tuple) else f"{name}={value}")
        if self.append:
            parts.append("append")
        return ";".join(parts)


def parseTransports(value: str) -> list[TransportSpec]:
    """
    The usable alternatives of a Transport header, in the client's order of preference. Those with a parameter that is
    malformed or out of range are left out; if that leaves none the list is empty, which 461 answers, so that the
    client tries another transport (SET-16).

    @raise HeaderError: if nothing in it is an alternative at all.
    """
    specs: list[TransportSpec] = []
    recognized = False
    for alternative in islice(_pieces(value, ","), _MOST):
        first, *parameters = list(_pieces(alternative, ";")) or [""]
        match = _PROTOCOL.fullmatch(first)
        if match is None:
            continue
        recognized = True
        spec = TransportSpec(match[1].upper(), match[2].upper(), (match[3] or "UDP").upper())
        try:
            _readParameters(spec, parameters)
        except ValueError:
            continue
        specs.append(spec)
    if not recognized:
        raise HeaderError("no transport in the Transport header")
    return specs


def _pieces(text: str, separator: str) -> Iterator[str]:
    """What stands between separators outside of quotes, without the white space around; empty pieces are skipped."""
    for match in _PIECES[separator].finditer(text):
        piece = match[0].strip()
        if piece:
            yield piece


def _readParameters(spec: TransportSpec, parameters: list[str]) -> None:
    """
    Fills in what the parameters say. Of one that is there twice the first counts.

    @raise ValueError: for one that makes the alternative useless.
    """
    if spec.lower not in ("UDP", "TCP"):
        raise ValueError("unknown lower transport")
    seen: set[str] = set()
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        name = name.strip().lower()
        value = value.strip().strip('"').strip()
        if name in seen:
            continue
        seen.add(name)
        if name in ("unicast", "multicast"):
            if spec.unicast is None:
                spec.unicast = name == "unicast"
        elif name == "append":
            spec.append = True
        elif name == "rtcp-mux":
            spec.rtcpMux = True
        elif value:
            _readParameter(spec, name, value)
    _share(spec)


def _share(spec: TransportSpec) -> None:
    """
    Settles whether RTP and RTCP share a port or channel. Clients who want that name one port twice, or say so; with one
    channel for both they have to say so, for without the word that was a mistake for thirty years.

    @raise ValueError: for one channel without that word.
    """
    if spec.interleaved is not None and spec.interleaved[0] == spec.interleaved[1] and not spec.rtcpMux:
        raise ValueError("RTP and RTCP on one channel")
    if spec.unicast is False:
        spec.rtcpMux = False  # the server chooses the ports of multicast, and takes two (RFC 5761 section 4)
    elif spec.protocol == "RTP" and spec.clientPort is not None and spec.clientPort[0] == spec.clientPort[1]:
        spec.rtcpMux = True
    if spec.rtcpMux:
        spec.clientPort = _sharing(spec.clientPort)
        spec.interleaved = _sharing(spec.interleaved)


def _sharing(pair: Pair | None) -> Pair | None:
    return None if pair is None else (pair[0], pair[0])


def _readParameter(spec: TransportSpec, name: str, value: str) -> None:
    """
    @raise ValueError: see L{_readParameters}.
    """
    match name:
        case "client_port":
            spec.clientPort = _pair(value, 1, 65535)
        case "server_port":
            spec.serverPort = _pair(value, 1, 65535)
        case "port":
            spec.port = _pair(value, 1, 65535)
        case "interleaved":
            spec.interleaved = _pair(value, 0, 255)
        case "ttl":
            spec.ttl = _number(value, 0, 255)
        case "layers":
            spec.layers = _number(value, 1, 255)
        case "destination":
            spec.destination = _address(value)
        case "source":
            spec.source = _address(value)
        case "ssrc":
            spec.ssrc = int(value, 16) if _SSRC.fullmatch(value) else None
        case "mode":
            spec.mode = _MODES.get(value.partition(",")[0].strip().upper(), "")
            if not spec.mode:
                raise ValueError("unknown mode")


def _pair(value: str, lowest: int, highest: int) -> Pair:
    match = _PAIR.fullmatch(value)
    if match is None:
        raise ValueError("no pair of numbers")
    first = int(match[1])
    second = first + 1 if match[2] is None else int(match[2])
    if not lowest <= first <= second <= highest:
        raise ValueError("out of range")
    return first, second


def _number(value: str, lowest: int, highest: int) -> int:
    if not _NUMBER.fullmatch(value) or not lowest <= int(value) <= highest:
        raise ValueError("out of range")
    return int(value)


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("no address")
    return value
