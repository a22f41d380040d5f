"""Session descriptions: what players need (SDP-1…7), what must not get through (SEC-26)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdprig import FakeFormat, audio, video, write

from mediasrv.rtp.payloads.formats import PayloadFormat
from mediasrv.rtp.sdp import SDPError, payloadTypes
from mediasrv.rtp.sdpparser import parseDescription


@pytest.mark.requirement("SDP-1", "SDP-3", "SDP-4")
def test_aWholeDescription() -> None:
    assert write(video, audio, etag="5f3a").split("\r\n") == [
        "v=0",
        "o=- 17 3 IN IP4 192.0.2.1",
        "s=A film",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=tool:mediasrv",
        "a=range:npt=0-12.500",
        "a=control:*",
        "a=etag:5f3a",
        "m=video 0 RTP/AVP 96",
        "b=AS:1501",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHg==,aM48gA==",
        "a=framerate:29.97",
        "a=framesize:96 1280-720",
        "a=rtcp-mux",
        "a=control:trackID=0",
        "m=audio 0 RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000/1",
        "a=ptime:20",
        "a=lang:deu",
        "a=rtcp-mux",
        "a=control:trackID=1",
        "",
    ]


@pytest.mark.requirement("SDP-6")
def test_videoAudioTextInThisOrder() -> None:
    """SDP-6; the track numbers are the caller's."""
    description = parseDescription(write(FakeFormat("text", "t140"), audio, FakeFormat("audio", "MPA"), video))
    assert [(section.kind, section.control) for section in description.media] == [
        ("video", "trackID=3"),
        ("audio", "trackID=1"),
        ("audio", "trackID=2"),
        ("text", "trackID=0"),
    ]


@pytest.mark.requirement("SDP-2")
@pytest.mark.parametrize(
    ("duration", "line"),
    [
        (None, "npt=now-"),
        (0.0, "npt=0-"),
        (0.0004, "npt=0-"),
        (float("inf"), "npt=0-"),
        (float("nan"), "npt=0-"),
        (60, "npt=0-60.000"),
        (0.001, "npt=0-0.001"),
        (360000.25, "npt=0-360000.250"),
    ],
)
def test_range(duration: float | None, line: str) -> None:
    assert parseDescription(write(video, duration=duration)).attribute("range") == line


@pytest.mark.requirement("SDP-1")
@pytest.mark.parametrize(
    ("address", "origin", "connection"),
    [
        ("192.0.2.1", "IN IP4 192.0.2.1", "IN IP4 0.0.0.0"),
        ("2001:db8::1", "IN IP6 2001:db8::1", "IN IP6 ::"),
        ("fe80::1%eth0", "IN IP6 fe80::1", "IN IP6 ::"),
        ("::ffff:192.0.2.1", "IN IP4 192.0.2.1", "IN IP4 0.0.0.0"),
        ("media.example", "IN IP4 media.example", "IN IP4 0.0.0.0"),
        ("evil\r\na=x", "IN IP4 0.0.0.0", "IN IP4 0.0.0.0"),
        ("", "IN IP4 0.0.0.0", "IN IP4 0.0.0.0"),
    ],
)
def test_addresses(address: str, origin: str, connection: str) -> None:
    lines = write(video, address=address).split("\r\n")
    assert lines[1] == f"o=- 17 3 {origin}"
    assert lines[3] == f"c={connection}"


@pytest.mark.requirement("SEC-26")
@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("Größe 東京 👩‍🚀", "Größe 東京 👩‍🚀"),
        ("", "-"),
        ("\r\n\t", "-"),
        ("a\r\na=control:rtsp://evil/", "a  a=control:rtsp://evil/"),
        ("a\u2028b\u0085c\0d\x7fe", "a b c d e"),
        ("caf\udce9.mp4", "caf\ufffd.mp4"),
        ("x" * 5000, "x" * 255),
    ],
)
def test_titles(title: str, written: str) -> None:
    lines = write(video, title=title).split("\r\n")
    assert lines[2] == f"s={written}"
    assert len(lines) == len(write(video).split("\r\n"))


@pytest.mark.requirement("SEC-26")
@given(st.text(), st.text(), st.text(), st.text())
def test_nothingAddsALine(title: str, etag: str, language: str, parameters: str) -> None:
    """SEC-26: every line is one that we wrote, whatever the file says about itself."""
    plain = write(FakeFormat(parameters="x", title="x", attributes=("a=x",)), etag="x")
    text = write(
        FakeFormat(parameters=parameters + "x", title=title + "x", language=language, attributes=(f"a=x{title}",)),
        title=title,
        etag=etag + "x",
    )
    lines = [line for line in text.splitlines() if not line.startswith("a=lang:")]
    assert [line[:2] for line in lines] == [line[:2] for line in plain.splitlines()]
    assert text.encode("utf-8")


@pytest.mark.parametrize(
    ("track", "absent"),
    [
        ({"bitRate": 0}, "b="),
        ({"frameRate": Fraction(0)}, "a=framerate"),
        ({"frameRate": Fraction(1, 5000)}, "a=framerate"),
        ({"width": 640, "height": 0}, "a=framesize"),
        ({"language": ""}, "a=lang"),
        ({"language": "und"}, "a=lang"),
        ({"language": "e\r\n"}, "a=lang"),
        ({}, "a=fmtp"),
        ({}, "i="),
        ({}, "a=etag"),
    ],
)
def test_whatNobodyKnowsIsLeftOut(track: dict[str, Any], absent: str) -> None:
    assert f"\r\n{absent}" not in write(FakeFormat(**track))


@pytest.mark.parametrize(
    ("rate", "line"), [(Fraction(25), "25"), (Fraction(30000, 1001), "29.97"), (Fraction(1, 10), "0.1")]
)
def test_frameRates(rate: Fraction, line: str) -> None:
    assert parseDescription(write(FakeFormat(frameRate=rate))).media[0].attribute("framerate") == line


@pytest.mark.requirement("SDP-3")
def test_payloadTypes() -> None:
    dynamic, static = FakeFormat(), FakeFormat("audio", "PCMA", payloadType=8)
    assert payloadTypes([dynamic, static, dynamic, static]) == [96, 8, 97, 8]
    many = payloadTypes([dynamic] * 61)
    assert many[:32] == list(range(96, 128))
    assert len(set(many)) == 61
    assert not set(many) & set(range(64, 96))
    with pytest.raises(SDPError):
        payloadTypes([dynamic] * 62)


@pytest.mark.requirement("SDP-5")
def test_playersReadOnlySoMuch() -> None:
    """SDP-5: a section that does not fit is left out, the next ones need not be."""
    large = FakeFormat("audio", "vorbis", clockRate=44100, parameters="configuration=" + "A" * 9000)
    text = write(video, large, large, audio)
    assert len(text.encode()) < 16384
    assert [section.control for section in parseDescription(text).media] == ["trackID=0", "trackID=1", "trackID=3"]


@pytest.mark.requirement("SDP-5")
def test_longLinesAreLeftOut() -> None:
    text = write(FakeFormat(attributes=("a=x:" + "é" * 3000, "a=y")), etag="e" * 5000)
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 4096
    assert "a=y" in text


@pytest.mark.parametrize("formats", [[], [FakeFormat(parameters="x" * 20000)]])
def test_nothingToDescribe(formats: list[PayloadFormat]) -> None:
    with pytest.raises(SDPError):
        write(*formats)


@pytest.mark.requirement("SDP-3")
def test_ffmpegReadsIt(tmp_path: Path) -> None:
    """libavformat finds the title, the tracks and what they are."""
    path = tmp_path / "described.sdp"
    aac = FakeFormat(
        "audio",
        "mpeg4-generic",
        clockRate=48000,
        channels=2,
        parameters="streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
        "config=1190",
    )
    path.write_text(write(video, aac), newline="")
    # It binds the ports that the sections name and waits for packets; 0 binds any, and the header is all that we ask.
    options = {"protocol_whitelist": "file,udp,rtp", "analyzeduration": "0", "probesize": "32", "fpsprobesize": "0"}
    options["rw_timeout"] = options["listen_timeout"] = "1"
    with av.open(path, options=options, timeout=5) as container:
        assert container.metadata["title"] == "A film"
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert container.streams.audio[0].codec_context.extradata == bytes.fromhex("1190")
