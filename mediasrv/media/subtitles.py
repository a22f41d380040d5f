"""
Subtitles of a film: text tracks in the file, and files of text that lie beside it.

A file beside C{film.mp4} is called C{film.srt} or C{film.vtt}, and may say before its ending what it is, in any order:
a language as BCP 47 or ISO 639-2 has it, C{forced}, C{default}, or what to call it: C{film.de.forced.srt},
C{film.pt-BR.vtt}, C{film.en.Commentary.srt}. Everything here blocks and belongs into a thread.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import av.error
from av.stream import Discard, Disposition

from mediasrv.media.cues import MOST_CUES, Cue, CueTrack
from mediasrv.media.cuetext import fromASS, fromTagged, fromTX3G
from mediasrv.media.files import FileVersion, NotMedia, openContainer, openFile
from mediasrv.media.languages import languageTag
from mediasrv.media.streams import zeroOf
from mediasrv.media.webvtt import decode, parseFile

#: the endings of files of text
ENDINGS = (".srt", ".vtt")

#: subtitles of one film
MOST_TRACKS = 64

#: bytes of a file of text, and of one packet
_LARGEST, _LARGEST_PACKET = 8 << 20, 1 << 16

#: seconds that a text is read where nobody says how long it is there, if no other takes its place
_UNSAID = 5.0

#: names that FFmpeg has for text, and what makes a cue of a packet
_FORMATS: dict[str, Callable[[bytes], str]] = {
    "ass": lambda data: fromASS(decode(data)),
    "mov_text": fromTX3G,
    "ssa": lambda data: fromASS(decode(data)),
    "subrip": lambda data: fromTagged(decode(data)),
    "text": lambda data: fromTagged(decode(data)),
    "webvtt": lambda data: fromTagged(decode(data)),
}

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}")

_ERRORS = (av.error.FFmpegError, OSError, ValueError, IndexError, OverflowError)


@dataclass(frozen=True, slots=True)
class Embedded:
    """
    A text track in the film itself.

    @ivar stream: its number in the container.
    """

    path: str
    version: FileVersion
    stream: int


@dataclass(frozen=True, slots=True)
class SideCar:
    """
    A file of text.
    """

    path: str
    version: FileVersion


@dataclass(frozen=True, slots=True)
class Subtitle:
    """
    One track of subtitles.

    @ivar number: by which it is asked for: from 0, those in the film first.
    @ivar language: a BCP 47 tag, or C{""}.
    @ivar isForced: whether it is for those who want none: what is spoken in another language than the rest.
    @ivar isDefault: whether it is to be shown if nobody says otherwise.
    """

    number: int
    language: str
    title: str
    isForced: bool
    isDefault: bool
    source: Embedded | SideCar


@dataclass(frozen=True, slots=True)
class TextStreams:
    """
    What a film has of text.

    @ivar subtitles: those that can be shown.
    @ivar omitted: a sentence for each that cannot.
    @ivar size: bytes of memory, about.
    """

    subtitles: Sequence[Subtitle]
    omitted: Sequence[str]
    size: int


def findEmbedded(path: str) -> TextStreams:
    """
    The text tracks of a film; none if it is no media.

    @raise OSError: if it cannot be opened.
    """
    try:
        container, version = openContainer(path)
    except NotMedia:
        return TextStreams((), (), 100)
    with container:
        return textStreams(container.streams, path, version)


def textStreams(streams: Iterable[Any], path: str, version: FileVersion) -> TextStreams:
    """
    The same of a film that is open.

    @param streams: all that PyAV found.
    """
    found: list[Subtitle] = []
    omitted: list[str] = []
    for stream in streams:
        if stream.type != "subtitle":
            continue
        codec = _codecOf(stream)
        if codec not in _FORMATS:
            omitted.append(f"stream {stream.index} ({codec or 'unknown'}): these subtitles are no text")
        elif len(found) < MOST_TRACKS:
            found.append(_describe(len(found), stream, Embedded(path, version, stream.index)))
    return TextStreams(tuple(found), tuple(omitted), 100 + 500 * (len(found) + len(omitted)))


def _codecOf(stream: Any) -> str:
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else ""


def _describe(number: int, stream: Any, source: Embedded) -> Subtitle:
    disposition = Disposition(stream.disposition)
    return Subtitle(
        number,
        languageTag(str(stream.metadata.get("language", ""))),
        str(stream.metadata.get("title", ""))[:200],
        bool(disposition & Disposition.forced),
        bool(disposition & Disposition.default),
        source,
    )


def readEmbedded(path: str, version: FileVersion) -> dict[int, CueTrack]:
    """
    The cues of all text tracks of a film, by the number of their stream. They lie between the pictures, so that, but
    for MP4, all of the file has to be read for one; then the others come for nothing.

    @raise OSError: if it cannot be opened, or is another one.
    @raise NotMedia: if it is none any more.
    """
    container, found = openContainer(path)
    with container:
        if not found.isSameFile(version):
            raise FileNotFoundError(f"{path} was replaced")
        zero = float(zeroOf(container.streams))
        streams: dict[int, Any] = {}
        for stream in container.streams:
            if stream.type == "subtitle" and _codecOf(stream) in _FORMATS and len(streams) < MOST_TRACKS:
                streams[stream.index] = stream
            else:
                stream.discard = Discard.all
        read: dict[int, list[tuple[float, float, str]]] = {index: [] for index in streams}
        for packet in _packets(container, list(streams.values())):
            texts = read[packet.stream_index]
            if packet.pts is None or len(texts) >= MOST_CUES or packet.size > _LARGEST_PACKET:
                continue
            start = float(packet.pts * packet.time_base) - zero
            duration = float((packet.duration or 0) * packet.time_base)
            texts.append((start, duration, _FORMATS[_codecOf(streams[packet.stream_index])](bytes(packet))))
    return {index: CueTrack(timed(texts)) for index, texts in read.items()}


def _packets(container: Any, streams: list[Any]) -> Iterator[Any]:
    """To the end of the file, or to where it cannot be read any more."""
    try:
        for packet in container.demux(streams) if streams else ():
            if packet.size:
                yield packet
    except _ERRORS:
        return


def timed(texts: list[tuple[float, float, str]]) -> Iterator[Cue]:
    """
    Cues of texts that have a start and a duration. Without one, a text is there until the next takes its place, be it
    empty.
    """
    for at, (start, duration, text) in enumerate(texts):
        end = start + duration
        if duration <= 0:
            end = start + _UNSAID
            if at + 1 < len(texts) and texts[at + 1][0] > start:
                end = min(end, texts[at + 1][0])
        yield Cue(start, end, text)


def readSideCar(path: str) -> CueTrack:
    """
    The cues of a file of text; what is too large to be one has none.

    @raise OSError: if it cannot be read.
    """
    with open(openFile(path), "rb") as file:
        data = file.read(_LARGEST + 1)
    return CueTrack(parseFile(data)) if len(data) <= _LARGEST else CueTrack(())


def sideCarNames(folder: str, film: str) -> list[str]:
    """
    The names of the files of text that belong to a film, in order.

    @param film: its name in that folder.
    @raise OSError: if the folder cannot be read.
    """
    stem = os.path.splitext(film)[0] + "."
    found: list[str] = []
    others: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not name.startswith(stem) or name == film:
                continue
            base, ending = os.path.splitext(name)
            if ending.lower() in ENDINGS:
                found.append(name)
            else:
                others.add(base + ".")
    # that of "film.2.mp4" is not one of "film.mp4"
    mine = (name for name in found if not any(len(other) > len(stem) and name.startswith(other) for other in others))
    return sorted(mine)[:MOST_TRACKS]


def describeSideCar(number: int, name: str, film: str, source: SideCar) -> Subtitle:
    """What the name of a file of text says of it."""
    stem, ending = os.path.splitext(film)
    words = [word for word in os.path.splitext(name)[0][len(stem) :].split(".") if word]
    if words and words[0].lower() == ending[1:].lower():
        del words[0]  # film.mp4.srt
    language, titles, isForced, isDefault = "", [], False, False
    for word in words:
        if word.lower() in ("forced", "foreign"):
            isForced = True
        elif word.lower() == "default":
            isDefault = True
        elif not language and _LANGUAGE.fullmatch(word) and languageTag(word):
            language = languageTag(word)
        else:
            titles.append(os.fsencode(word).decode("utf-8", "replace"))
    return Subtitle(number, language, " ".join(titles)[:200], isForced, isDefault, source)
