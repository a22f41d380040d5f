"""What a track says about itself in MP4: as FFmpeg's muxer writes it, and never anything but an error of ours."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.presentation import FilePresentation
from mediasrv.media.tracks import Track, Unit
from mediasrv.streaming.fmp4.boxes import BoxError, find
from mediasrv.streaming.fmp4.formats import NotPackaged, SampleFormat
from mediasrv.streaming.fmp4.registry import FORMATS, packages, sampleFormatFor
from mediasrv.web.browsers import carriedByBrowsers
from tests.media.films import Film

_X265 = "log-level=none:keyint=10:bframes=2:open-gop=0:pools=none"

#: codec: what makes it, how it is called, its sample entry, and the configuration that is in there
CODECS = {
    "h264": (Film("a.ts", video=("libx264",), seconds=1), "avc1.42C00A", b"avc1", b"avcC"),
    "h264 high": (
        Film("a.ts", video=("libx264",), seconds=1, codecOptions={"preset": "fast", "profile": "high"}),
        "avc1.64000A",
        b"avc1",
        b"avcC",
    ),
    "hevc": (
        Film("a.ts", video=("libx265",), seconds=1, codecOptions={"x265-params": _X265}),
        "hvc1.1.6.L30.90",
        b"hvc1",
        b"hvcC",
    ),
    "hevc 10 bits": (
        Film("a.ts", video=("libx265",), seconds=1, codecOptions={"x265-params": _X265}, pixels="yuv420p10le"),
        "hvc1.2.4.L30.90",
        b"hvc1",
        b"hvcC",
    ),
    "av1": (
        Film("a.mp4", video=("libsvtav1",), seconds=1, codecOptions={"preset": "13"}),
        "av01.0.00M.08",
        b"av01",
        b"av1C",
    ),
    "vp9": (Film("a.webm", video=("libvpx-vp9",), audio=(), seconds=1), "vp09.00.10.08", b"vp09", b"vpcC"),
    "aac": (Film("a.aac", video=(), seconds=1), "mp4a.40.2", b"mp4a", b"esds"),
    "mp3": (Film("a.mp3", video=(), audio=("mp3",), seconds=1), "mp4a.6B", b"mp4a", b"esds"),
    "opus": (Film("a.opus", video=(), audio=("libopus",), seconds=1), "opus", b"Opus", b"dOps"),
    "flac": (Film("a.flac", video=(), audio=("flac",), seconds=1), "fLaC", b"fLaC", b"dfLa"),
}

#: bytes of a sample entry before the boxes in it
_FIXED = {"video": 78, "audio": 28}


def formatOf(path: str) -> SampleFormat:
    presentation = FilePresentation(path, carriedByBrowsers, 2.0, "web")
    return sampleFormatFor(presentation.tracks[0], presentation.read(0).units[0])


def inMP4(path: str, folder: Path) -> bytes:
    """The sample entry that FFmpeg writes for the first track of a file."""
    copy = path if path.endswith(".mp4") else str(folder / "copy.mp4")
    if copy != path:
        _copy(path, copy)
    table = find(Path(copy).read_bytes(), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    return table[8:]


def _copy(path: str, copy: str) -> None:
    with av.open(path) as source, av.open(copy, "w") as out:
        stream: Any = out.add_stream_from_template(source.streams[0])
        for packet in source.demux(source.streams[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)


@pytest.mark.requirement("HLS-3", "HLS-4")
@pytest.mark.parametrize("codec", CODECS)
def testAsFFmpegDoes(codec: str, tmp_path: Path) -> None:
    """Also where the container has no configuration and the units have it."""
    film, name, kind, configuration = CODECS[codec]
    path = film.make(tmp_path)
    made = formatOf(path)
    assert made.codecString == name
    entry, theirs = find(made.entry(), kind), find(inMP4(path, tmp_path), b"hev1" if kind == b"hvc1" else kind)
    fixed = _FIXED[made.track.kind]
    ours, wanted = find(entry[fixed:], configuration), find(theirs[fixed:], configuration)
    if configuration == b"hvcC":
        # FFmpeg counts average rates, and says whether sets are complete, which those of hvc1 have to be
        assert ours[:13] == wanted[:13]
        assert ours[16:19] == wanted[16:19]
        assert [each[3:] for each in arrays(ours)] == [each[3:] for each in arrays(wanted)][:3]
    elif configuration == b"esds":
        # the same stream; rates are nobody's business
        assert ours[-14:] == wanted[-14:] or ours[-4:] == wanted[-4:]
    elif configuration == b"vpcC":
        assert ours[4:7] == wanted[4:7]
    else:
        assert ours == wanted
    if made.track.kind == "video":
        assert entry[24:28] == theirs[24:28] == (64).to_bytes(2, "big") + (48).to_bytes(2, "big")


def arrays(record: bytes) -> list[bytes]:
    """The arrays of parameter sets of an hvcC that have one set each."""
    found, at = [], 23
    for _ in range(record[22]):
        end = at + 5 + int.from_bytes(record[at + 3 : at + 5], "big")
        found.append(record[at:end])
        at = end
    return found


_TRACKS = st.builds(
    Track,
    st.just(0),
    st.sampled_from(["video", "audio"]),
    st.sampled_from([codec for each in FORMATS for codec in sorted(each.codecs)] + ["mpeg4", ""]),
    st.binary(max_size=80)
    | st.builds(lambda rest: b"\1\x64\0\x0a\xff\xe1" + rest, st.binary(max_size=40))
    | st.builds(lambda rest: b"\0\0\0\1\x67" + rest, st.binary(max_size=40))
    | st.builds(lambda rest: b"\0\0\1\x40\1abc\0\0\1\x42\1" + rest + b"\0\0\1\x44\1a", st.binary(max_size=40))
    | st.builds(lambda rest: b"OpusHead" + rest, st.binary(max_size=40)),
    width=st.sampled_from([0, 64, 70000]),
    height=st.just(48),
    sampleRate=st.sampled_from([0, 8000, 44100, 192000]),
    channels=st.integers(0, 9),
    profile=st.sampled_from([-99, 1, 4, 28]),
    sampleAspect=st.sampled_from([Fraction(1), Fraction(0), Fraction(4, 3)]),
)


@given(_TRACKS, st.lists(st.binary(max_size=60), max_size=3))
def testGarbage(track: Track, data: list[bytes]) -> None:
    """No configuration and no unit is trusted."""
    units = [Unit(0.0, 0.0, 0.02, True, each) for each in data]
    with contextlib.suppress(NotPackaged):
        made = sampleFormatFor(track, units)
        made.entry()
        for unit in units:
            made.samples(unit)
    carriedByBrowsers(track, None)


def testWhatThereIsNot() -> None:
    assert packages("h264")
    assert not packages("vorbis")
    with pytest.raises(NotPackaged, match="vorbis is not put into MP4"):
        sampleFormatFor(Track(0, "audio", "vorbis"))


@pytest.mark.parametrize(
    ("track", "isCarried"),
    [
        (Track(0, "audio", "aac", b"\x12\x10", sampleRate=44100, channels=2), True),
        (Track(0, "audio", "aac", b"\x0a\x10", sampleRate=44100, channels=2), False),  # Main
        (Track(0, "audio", "aac", sampleRate=44100, channels=2, profile=1), True),
        (Track(0, "audio", "aac", sampleRate=44100, channels=2, profile=3), False),  # LTP
        (Track(0, "audio", "ac3", sampleRate=48000, channels=6), False),
        (Track(0, "audio", "eac3", sampleRate=48000, channels=6), False),
        (Track(0, "audio", "pcm_s16le", sampleRate=48000, channels=2), False),
        (Track(0, "audio", "vorbis", sampleRate=48000, channels=2), False),
        (Track(0, "video", "vp8", width=64, height=48), False),
        (Track(0, "video", "mpeg4", width=64, height=48), False),
        (Track(0, "video", "h264", width=64, height=48), True),
        (Track(0, "video", "h264", b"\1", width=64, height=48), False),
        (Track(0, "video", "vp9", width=64, height=48), True),
        (Track(0, "video", "av1", width=64, height=48), False),
    ],
)
def testWhatBrowsersDecode(track: Track, isCarried: bool) -> None:
    assert carriedByBrowsers(track, None) is isCarried


def testBoxErrorsAreTold() -> None:
    with pytest.raises(BoxError):
        find(b"", b"moov")
