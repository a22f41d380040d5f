"""Session descriptions of others: what encoders send (ANN-3), and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdprig import FakeFormat, audio, video, write

from mediasrv.media.tracks import Kind
from mediasrv.rtp.sdp import SDPError
from mediasrv.rtp.sdpparser import RTPMap, SessionDescription, parseDescription


def test_weReadWhatWeWrite() -> None:
    description = parseDescription(write(video, audio))
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
    return parseDescription("\n".join(lines))


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\r\n", " \r\n\r\n"])
def test_anyLineEnds(end: str) -> None:
    description = parseDescription(end + write(video, audio).replace("\r\n", end) + "\0")
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
        parseDescription(text)


fragments = st.sampled_from(
    ["v=0", "m=", "m=video 0 RTP/AVP 96", "a=rtpmap:96 ", "a=fmtp:96 ", "a=control:", "\n", "\r", "/", ";", "=", "9"]
)


@given(st.lists(st.one_of(fragments, st.text(max_size=8)), max_size=25).map("".join))
def test_garbageRaisesOnlyOurError(text: str) -> None:
    try:
        description = parseDescription(text)
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
    media = parseDescription(write(*formats)).media
    assert [
        (section.kind, *_asTuple(section.rtpmaps[number]), section.formats.get(number, {}))
        for number, section in enumerate(media, 96)
    ] == tracks


def _asTuple(rtpmap: RTPMap) -> tuple[str, int, int]:
    return rtpmap.encodingName, rtpmap.clockRate, rtpmap.channels
