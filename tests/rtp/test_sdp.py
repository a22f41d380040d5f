"""Session descriptions: what players need (SDP-1…7), what encoders send (ANN-3), what must not get through (SEC-26)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.tracks import Kind, Track, Unit
from mediasrv.rtp.payloads.formats import PayloadFormat, PayloadGroup
from mediasrv.rtp.sdp import (
    RTPMap,
    SDPError,
    SessionDescription,
    TrackDescription,
    describe,
    parse,
    payloadTypes,
)


class FakeFormat(PayloadFormat):
    """A payload format that says what the test wants."""

    def __init__(
        self,
        kind: Kind = "video",
        name: str = "H264",
        *,
        payloadType: int | None = None,
        clockRate: int = 90000,
        channels: int = 0,
        parameters: str = "",
        attributes: tuple[str, ...] = (),
        **track: Any,
    ) -> None:
        super().__init__(Track(0, kind, name.lower(), **track))
        self.kind = kind  # type: ignore[misc]
        self.encodingName = name
        self.payloadType = payloadType
        self.clockRate = clockRate
        self.channels = channels
        self._parameters = parameters
        self._attributes = attributes

    def formatParameters(self) -> str:
        return self._parameters

    def attributes(self) -> list[str]:
        return list(self._attributes)

    def pack(self, units: Sequence[Unit], limit: int) -> list[PayloadGroup]:
        return []  # a description needs no packets


def write(*formats: PayloadFormat, **changes: Any) -> str:
    tracks = [
        TrackDescription(number, each, payloadType)
        for number, (each, payloadType) in enumerate(zip(formats, payloadTypes(formats), strict=True))
    ]
    arguments = {
        "title": "A film",
        "address": "192.0.2.1",
        "sessionId": 17,
        "version": 3,
        "duration": 12.5,
        "tracks": tracks,
    }
    return describe(**(arguments | changes))


video = FakeFormat(
    parameters="packetization-mode=1;sprop-parameter-sets=Z0LAHg==,aM48gA==",
    bitRate=1_500_001,
    frameRate=Fraction(30000, 1001),
    width=1280,
    height=720,
)
audio = FakeFormat(
    "audio", "PCMU", payloadType=0, clockRate=8000, channels=1, attributes=("a=ptime:20",), language="deu"
)


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
    description = parse(write(FakeFormat("text", "t140"), audio, FakeFormat("audio", "MPA"), video))
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
    assert parse(write(video, duration=duration)).attribute("range") == line


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
    assert parse(write(FakeFormat(frameRate=rate))).media[0].attribute("framerate") == line


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
    assert [section.control for section in parse(text).media] == ["trackID=0", "trackID=1", "trackID=3"]


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


def test_weReadWhatWeWrite() -> None:
    description = parse(write(video, audio))
    assert (description.name, description.control) == ("A film", "*")
    first, second = description.media
    assert (first.kind, first.port, first.protocol, first.payloadTypes) == ("video", 0, "RTP/AVP", [96])
    assert first.rtpmaps == {96: RTPMap("H264", 90000, 0)}
    assert first.parameters(96) == {
        "packetization-mode": "1",
        "sprop-parameter-sets": "Z0LAHg==,aM48gA==",
        "clockrate": "90000",
        "channels": "0",
    }
    assert first.attribute("framesize") == "96 1280-720"
    assert first.attribute("lang") is None
    assert second.rtpmaps == {0: RTPMap("PCMU", 8000, 1)}
    assert second.parameters(0) == {"clockrate": "8000", "channels": "1"}


def sections(*lines: str) -> SessionDescription:
    return parse("\n".join(lines))


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\r\n", " \r\n\r\n"])
def test_anyLineEnds(end: str) -> None:
    description = parse(end + write(video, audio).replace("\r\n", end) + "\0")
    assert [section.control for section in description.media] == ["trackID=0", "trackID=1"]


@pytest.mark.parametrize(
    ("line", "protocol", "types"),
    [
        ("m=video 0 RTP/AVP 96", "RTP/AVP", [96]),
        ("m=video 0 RTP/AVP/TCP 96", "RTP/AVP/TCP", [96]),
        ("m=video 0 RTP/AVP96", "RTP/AVP", [96]),
        ("m=video 0 rtp/avp 96", "rtp/avp", [96]),
        ("m=video 5000/2 RTP/SAVPF 96 97 96", "RTP/SAVPF", [96, 97]),
        ("m=video  0  RTP/AVP  96 fec 200", "RTP/AVP", [96]),
        ("m=application 0 TCP/RTP/AVP 107", "TCP/RTP/AVP", [107]),
        ("m=application 9 udp wb", "udp", []),
    ],
)
def test_mediaLines(line: str, protocol: str, types: list[int]) -> None:
    [section] = sections("v=0", line).media
    assert (section.protocol, section.payloadTypes) == (protocol, types)


def test_sloppyDescriptions() -> None:
    """ANN-3: no o=, s= or t=, no a=control, names in any case, rubbish between the lines."""
    description = sections(
        "v=0",
        "m=audio 0 RTP/AVP 97",
        "what is this",
        "a=RTPMAP:97 mpeg4-generic/44100/2",
        'a=fmtp:97 SizeLength=13; indexLength=3 ;; mode=AAC-hbr; flag; Config="1210";',
        "a=fmtp:97 more=1",
        "a=fmtp:nonsense",
        "a=",
        "m=video 0 RTP/AVP 33",
        "a=control:rtsp://host/path/streamid=1",
    )
    first, second = description.media
    assert (description.name, description.control, first.control) == ("", "", "")
    assert first.parameters(97) == {
        "sizelength": "13",
        "indexlength": "3",
        "mode": "AAC-hbr",
        "flag": "",
        "config": "1210",
        "more": "1",
        "clockrate": "44100",
        "channels": "2",
    }
    assert second.control == "rtsp://host/path/streamid=1"
    assert second.rtpmaps == {33: RTPMap("MP2T", 90000)}


def test_audioHasOneChannelIfItDoesNotSay() -> None:
    description = sections(
        "v=0",
        "m=audio 0 RTP/AVP 97",
        "a=rtpmap:97 AMR/8000",
        "m=video 0 RTP/AVP 98",
        "a=rtpmap:98 VP8/90000",
    )
    assert description.media[0].rtpmaps[97].channels == 1
    assert description.media[1].rtpmaps[98].channels == 0


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\r\n\0", id="blank"),
        pytest.param("<html>\nm=video 0 RTP/AVP 96", id="something else"),
        pytest.param("v=0\r\ns=x\r\n", id="no media"),
        pytest.param("v=0\nm=video", id="m= without anything"),
        pytest.param("v=0\nm=video x RTP/AVP 96", id="no port"),
        pytest.param("v=0\nm=video 65536 RTP/AVP 96", id="port too high"),
        pytest.param("v=0\nm=video " + "9" * 5000 + " RTP/AVP 96", id="port endless"),
        pytest.param("v=0\nm=video 0 RTP/AVP", id="no payload type"),
        pytest.param("v=0\nm=video 0 RTP/AVP 128", id="payload type too high"),
        pytest.param("v=0\nm=video ٣ RTP/AVP 96", id="digits of elsewhere"),
        pytest.param("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264", id="no clock rate"),
        pytest.param("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/0", id="clock that stands still"),
        pytest.param("v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/" + "9" * 5000, id="clock rate endless"),
        pytest.param("v=0\n" + "m=video 0 RTP/AVP 96\n" * 1000, id="a thousand sections"),
        pytest.param("v=0\nm=video 0 RTP/AVP 96\n" + "a=x\n" * 100000, id="endless"),
    ],
)
def test_whatCannotBeRead(text: str) -> None:
    with pytest.raises(SDPError):
        parse(text)


fragments = st.sampled_from(
    ["v=0", "m=", "m=video 0 RTP/AVP 96", "a=rtpmap:96 ", "a=fmtp:96 ", "a=control:", "\n", "\r", "/", ";", "=", "9"]
)


@given(st.lists(st.one_of(fragments, st.text(max_size=8)), max_size=25).map("".join))
def test_garbageRaisesOnlyOurError(text: str) -> None:
    try:
        description = parse(text)
    except SDPError:
        return
    assert description.media
    for section in description.media:
        for payloadType in section.rtpmaps:
            assert int(section.parameters(payloadType)["clockrate"]) > 0


names = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/"), min_size=1, max_size=12)
values = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789+/=,-", max_size=30)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["video", "audio"]),
            names,
            st.integers(1, 999999999),
            st.integers(1, 255),
            st.dictionaries(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True), values, max_size=4),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_writingAndReadingAreInverse(tracks: list[tuple[Kind, str, int, int, dict[str, str]]]) -> None:
    tracks = sorted(tracks, key=lambda track: track[0], reverse=True)
    formats = [
        FakeFormat(
            kind,
            name,
            clockRate=clockRate,
            channels=channels,
            parameters=";".join(f"{key}={value}" for key, value in parameters.items()),
        )
        for kind, name, clockRate, channels, parameters in tracks
    ]
    media = parse(write(*formats)).media
    assert [
        (section.kind, *_asTuple(section.rtpmaps[number]), section.formats.get(number, {}))
        for number, section in enumerate(media, 96)
    ] == tracks


def _asTuple(rtpmap: RTPMap) -> tuple[str, int, int]:
    return rtpmap.encodingName, rtpmap.clockRate, rtpmap.channels
