"""
Media for browsers: of what they can play, each kind once, and a film with two sounds and subtitles.
"""

from __future__ import annotations

import os
from array import array
from contextlib import suppress
from fractions import Fraction
from math import pi, sin
from pathlib import Path
from typing import Any

import av
import clips

from tests.media.films import Film

SECONDS, RATE = 10, 48000

#: the sounds of L{twoSounds}: languages, and their pitch in Hz
SOUNDS = {"eng": 440, "deu": 1320}


def twoSounds(folder: Path) -> str:
    """
    A film whose pictures show their numbers (as C{numbers.mp4} of L{clips}), with a low English and a high German
    sound, and beside it English subtitles.

    @return: its name.
    """
    path = folder / "two-sounds.mkv"
    if not path.exists():
        (folder / "two-sounds.en.srt").write_text("1\n00:00:00,000 --> 00:00:09,500\nHello, viewer\n")
        unfinished = folder / f".{os.getpid()}.{path.name}"
        _write(unfinished)
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
        unfinished.unlink()
    return path.name


def small(folder: Path) -> str:
    """
    A film of four seconds with other pictures and another sound than those of the clips.

    @return: its name.
    """
    return _film(folder, Film("small.mp4", video=("libx264",), seconds=4))


def withMP3(folder: Path, ending: str) -> str:
    """
    A film of four seconds whose sound is MP3.

    @param ending: of its name: what container it is.
    @return: its name.
    """
    return _film(folder, Film(f"mp3.{ending}", video=("libx264",), audio=("mp3",), seconds=4))


def _film(folder: Path, film: Film) -> str:
    path = folder / film.name
    if not path.exists():
        unfinished = folder / f"{os.getpid()}"
        unfinished.mkdir(exist_ok=True)
        os.replace(film.make(unfinished), path)
        unfinished.rmdir()
    return film.name


def _write(path: Path) -> None:
    with av.open(str(path), "w", format="matroska") as container:
        options = {"preset": "ultrafast", "g": "25", "bf": "2", "threads": "1"}
        picture: Any = container.add_stream("libx264", rate=clips.FRAME_RATE, options=options)
        picture.width, picture.height, picture.pix_fmt = clips.WIDTH, clips.HEIGHT, "yuv420p"
        sounds: list[Any] = []
        for language in SOUNDS:
            sound: Any = container.add_stream("aac", rate=RATE, layout="mono")
            sound.metadata["language"] = language
            sounds.append(sound)
        packets = []
        for frame in clips.numbers(SECONDS * clips.FRAME_RATE):
            packets += picture.encode(frame)
        packets += picture.encode(None)
        for sound, pitch in zip(sounds, SOUNDS.values(), strict=True):
            packets += _tone(sound, pitch)
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        for packet in packets:
            container.mux(packet)


def _tone(stream: Any, pitch: int) -> list[Any]:
    packets = []
    for start in range(0, SECONDS * RATE, 1024):
        samples = array("f", (0.3 * sin(2 * pi * pitch * number / RATE) for number in range(start, start + 1024)))
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]
