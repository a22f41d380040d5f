"""Small films in any container, made with PyAV: what they hold is decided by the test."""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import pi, sin
from typing import Any

import av

WIDTH, HEIGHT = 64, 48
SAMPLE_RATE = 48000

_RAMP = bytes(range(128)) + bytes(range(127, -1, -1))


@dataclass(frozen=True)
class Film:
    """
    What to make.

    @ivar name: with the ending that says which container it is.
    @ivar video: FFmpeg's names of the video encoders; a track for each.
    @ivar seconds: of the pictures.
    @ivar rate: pictures per second.
    @ivar gop: pictures from one key frame to the next.
    @ivar skipped: pictures that are left out, so that the rate varies.
    @ivar soundSeconds: of the sound, if not as long as the pictures.
    @ivar offset: seconds on the container's clock where it starts.
    @ivar rotation: degrees by which players are to turn the pictures clockwise.
    @ivar options: of the muxer.
    """

    name: str
    format: str | None = None
    video: tuple[str, ...] = ("mpeg4",)
    audio: tuple[str, ...] = ("aac",)
    seconds: float = 6.0
    rate: int = 10
    gop: int = 10
    bFrames: int = 0
    pixels: str = "yuv420p"
    skipped: frozenset[int] = frozenset()
    soundSeconds: float | None = None
    offset: float = 0.0
    rotation: int = 0
    options: dict[str, str] = field(default_factory=dict)
    codecOptions: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def make(self, folder: Any) -> str:
        """Writes it and returns its path."""
        path = os.path.join(str(folder), self.name)
        with av.open(path, "w", format=self.format, options=self.options) as container:
            container.metadata.update(self.metadata)
            packets = []
            for codec in self.video:
                packets += self._pictures(self._videoStream(container, codec))
            for codec in self.audio:
                packets += self._sound(container.add_stream(codec, rate=SAMPLE_RATE, layout="mono"))
            packets.sort(key=lambda packet: packet.dts * packet.time_base)
            for packet in packets:
                container.mux(packet)
        return path

    def but(self, **changes: Any) -> Film:
        """The same with changes."""
        return replace(self, **changes)

    def _videoStream(self, container: Any, codec: str) -> Any:
        options = {"g": str(self.gop), "bf": str(self.bFrames), "threads": "1", "sc_threshold": "1000000000"}
        if codec == "mjpeg":
            options = {"threads": "1"}  # with several it has no Huffman tables of its own
        elif codec == "libx264":
            options["preset"] = "ultrafast"
            options["x264-params"] = f"keyint={self.gop}:min-keyint={self.gop}:scenecut=0:bframes={self.bFrames}"
        options |= self.codecOptions
        stream = container.add_stream(codec, rate=self.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, self.pixels
        stream.codec_context.time_base = Fraction(1, self.rate)
        if self.rotation:
            stream.set_display_rotation(-self.rotation)
        return stream

    def _pictures(self, stream: Any) -> list[Any]:
        packets = []
        for number in range(round(self.seconds * self.rate)):
            if number in self.skipped:
                continue
            frame = av.VideoFrame(WIDTH, HEIGHT, self.pixels)
            for plane in frame.planes:
                shift = number % 128
                plane.update((_RAMP[shift:] * 100)[: plane.buffer_size])
            frame.pts = number + round(self.offset * self.rate)
            frame.time_base = Fraction(1, self.rate)
            packets += stream.encode(frame)
        return packets + stream.encode(None)

    def _sound(self, stream: Any) -> list[Any]:
        seconds = self.seconds if self.soundSeconds is None else self.soundSeconds
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=SAMPLE_RATE)
        packets = []
        step = SAMPLE_RATE // 10
        tone = array("h", (int(9000 * sin(2 * pi * 440 * each / SAMPLE_RATE)) for each in range(step)))
        for start in range(0, round(seconds * SAMPLE_RATE), step):
            frame = av.AudioFrame(format="s16", layout="mono", samples=step)
            tone[0] = start // step  # no two are alike
            frame.planes[0].update(tone.tobytes())
            frame.sample_rate = SAMPLE_RATE
            frame.time_base = Fraction(1, SAMPLE_RATE)
            frame.pts = start + round(self.offset * SAMPLE_RATE)
            for converted in resampler.resample(frame):
                packets += stream.encode(converted)
        return packets + stream.encode(None)


#: a name for each thing that files do
FILMS = {
    "mp4": Film("a.mp4", video=("libx264",)),
    "B-frames": Film("a.mp4", video=("libx264",), bFrames=2),
    "two key frames a second": Film("a.mp4", gop=5),
    "all key frames": Film("a.mp4", gop=1),
    "key frames far apart": Film("a.mp4", seconds=36, gop=300),
    "one key frame": Film("a.mkv", seconds=30, gop=300),
    "varying rate": Film("a.mp4", skipped=frozenset({3, 4, 5, 6, 22, 23, 40, 41, 42})),
    "fragmented": Film("a.mp4", video=("libx264",), bFrames=2, options={"movflags": "frag_keyframe+empty_moov"}),
    "mov": Film("a.mov", audio=("pcm_s16le",)),
    "mkv": Film("a.mkv", video=("libx264",), bFrames=2),
    "few cues": Film("a.mkv", gop=5, options={"cues_to_front": "0", "cluster_time_limit": "5000"}),
    "webm": Film("a.webm", video=("libvpx",), audio=("libopus",), codecOptions={"deadline": "realtime"}),
    "ts": Film("a.ts", video=("libx264",), bFrames=2),
    "mpeg": Film("a.mpg", video=("mpeg2video",), audio=("mp2",), rate=25, seconds=5, format="vob"),
    "avi": Film("a.avi", audio=("mp3",)),
    "flv": Film("a.flv", video=("libx264",)),
    "ogg": Film("a.ogg", video=(), audio=("libopus",)),
    "two videos": Film("a.mp4", video=("mpeg4", "mpeg4"), audio=("aac", "aac")),
    "sound goes on": Film("a.mp4", seconds=3, soundSeconds=40),
    "sound goes on, mkv": Film("a.mkv", seconds=3, soundSeconds=40),
    "sound ends": Film("a.mp4", soundSeconds=1),
    "sound ends, mkv": Film("a.mkv", soundSeconds=1),
    "starts late": Film("a.mp4", offset=5.0),
    "starts late, ts": Film("a.ts", video=("libx264",), offset=100.0),
    "pictures begin late, ts": Film("a.ts", video=("libx264",), skipped=frozenset(range(17))),
    "aac": Film("a.aac", video=()),
    "mp3": Film("a.mp3", video=(), audio=("mp3",)),
    "wav": Film("a.wav", video=(), audio=("pcm_s16le",)),
    "24 bits": Film("a.wav", video=(), audio=("pcm_s24le",)),
    "adpcm": Film("a.wav", video=(), audio=("adpcm_ms",)),
    "flac": Film("a.flac", video=(), audio=("flac",)),
    "jpeg": Film("a.mov", video=("mjpeg",), audio=("pcm_s16le",), pixels="yuvj420p"),
    "jpeg in avi": Film("a.avi", video=("mjpeg",), audio=("pcm_s16le",), pixels="yuvj422p"),
}
