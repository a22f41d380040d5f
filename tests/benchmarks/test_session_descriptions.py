"""The benchmarks read descriptions of any server's."""

from __future__ import annotations

import pytest
from describing import Reply, parameter, parseDescription, parseReply

SDP = """v=0
s=clip
a=control:{whole}
a=range:npt=0-120.5
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=control:{part}
m=audio 0 RTP/AVP 97
a=rtpmap:97 MPEG4-GENERIC/48000/2
a=control:track=2
m=audio 0 RTP/AVP 0
"""


@pytest.mark.parametrize(
    ("base", "whole", "part", "play", "setUp"),
    [
        ("rtsp://h:1/a.mp4/", "*", "track=1", "rtsp://h:1/a.mp4/", "rtsp://h:1/a.mp4/track=1"),
        ("rtsp://h:1/a.mp4", "*", "track=1", "rtsp://h:1/a.mp4", "rtsp://h:1/a.mp4/track=1"),
        ("", "rtsp://h:1/x", "rtsp://h:1/x/y", "rtsp://h:1/x", "rtsp://h:1/x/y"),
    ],
)
def test_controlURLs(base: str, whole: str, part: str, play: str, setUp: str) -> None:
    headers = {"content-base": base} if base else {}
    found = parseDescription(Reply(200, "", headers, SDP.format(whole=whole, part=part)), "rtsp://h:1/asked")
    assert (found.url, found.tracks[0].control, found.duration) == (play, setUp, 120.5)
    assert [(track.kind, track.clock) for track in found.tracks] == [
        ("video", 90000),
        ("audio", 48000),
        ("audio", 8000),
    ]
    assert found.tracks[2].control == play


def test_repliesAndRequests() -> None:
    reply = parseReply(b"RTSP/1.0 454 Session Not Found\r\ncseq:  7\r\nTransport : a:b", b"x")
    assert (reply.code, reply.headers, reply.body) == (454, {"cseq": "7", "transport": "a:b"}, "x")
    assert parseReply(b"OPTIONS * RTSP/1.0\r\nCSeq: 1", b"").code == 0
    with pytest.raises(ConnectionError):
        parseReply(b"HTTP/1.1 200 OK", b"")


def test_transportParameters() -> None:
    header = "RTP/AVP;unicast;client_port=5000-5001;server_port=8000-8001;SSRC=0BADCAFE, RTP/AVP/TCP;x=1"
    assert parameter(header, "ssrc") == "0BADCAFE"
    assert parameter(header, "server_port") == "8000-8001"
    assert parameter(header, "x") is None
