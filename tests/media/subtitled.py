"""Films with text tracks of any format, made with PyAV, and what their cues are."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from mediasrv.media.cues import Cue
from tests.media.films import Film

#: start and end in seconds, and the text as SubRip has it
LINES = [(1.0, 2.5, "Hello <i>world</i> & all"), (3.0, 4.0, "two\nlines"), (3.5, 5.25, "Ende")]
CUES = [Cue(1.0, 2.5, "Hello <i>world</i> &amp; all"), Cue(3.0, 4.0, "two\nlines"), Cue(3.5, 5.25, "Ende")]

_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname, Fontsize, PrimaryColour, "
    b"SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, "
    b"BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\r\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0\r\n\r\n"
    b"[Events]\r\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)


def packetOf(codec: str, text: str) -> bytes:
    """A text as a codec has it in a container."""
    if codec == "ass":
        coded = text.replace("<i>", "{\\i1}").replace("</i>", "{\\i0}").replace("\n", "\\N")
        return f"0,0,Default,,0,0,0,,{coded}".encode()
    if codec == "mov_text":
        start, end = text.find("<i>"), text.find("</i>") - 3
        plain = text.replace("<i>", "").replace("</i>", "").encode()
        style = b"" if start < 0 else b"\0\0\0\x16styl\0\1" + bytes((0, start, 0, end, 0, 1, 2, 16)) + b"\xff" * 4
        return len(plain).to_bytes(2, "big") + plain + style
    return text.encode()


def withSubtitles(
    path: Path, *tracks: tuple[str, dict[str, str]], film: Film | None = None, offset: float = 0.0
) -> str:
    """Writes a film with text tracks: the codec of each, and its metadata."""
    source = (film or Film("source.mkv", seconds=6, offset=offset)).make(path.parent)
    with av.open(source) as read, av.open(str(path), "w") as container:
        streams = {stream.index: container.add_stream_from_template(stream) for stream in read.streams}
        texts: list[Any] = []
        for codec, metadata in tracks:
            stream: Any = container.add_stream(codec)
            stream.codec_context.subtitle_header = _HEADER
            stream.metadata.update(metadata)
            texts.append(stream)
        packets = []
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                packets.append(packet)
        for stream, (codec, _) in zip(texts, tracks, strict=True):
            for start, end, text in LINES if codec != "mov_text" else LINES[:2]:
                packet = av.Packet(packetOf(codec, text))
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts = packet.dts = round((start + offset) * 1000)
                packet.duration = round((end - start) * 1000)
                packets.append(packet)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)
    os.unlink(source)
    return str(path)
