"""
Stills: one picture of a file, for a poster, or to see what is at a place before going there.

A key frame is decoded by itself, so that a still costs the same wherever it is. Everything here blocks and belongs into
a thread of its own, since decoding one picture may take longer than reading a fragment. What a file makes FFmpeg do is
bounded: pixels, packets and seconds (SEC-7).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from math import ceil
from typing import Any

import av.error
from av.format import Flags
from av.stream import Discard, Disposition

from mediasrv.media.files import NotMedia, openContainer
from mediasrv.media.pictures import brightnessOf, codeJPEG, shrink
from mediasrv.media.presentation import LEAST_RATE
from mediasrv.media.streams import isMedia, startOf, zeroOf

#: widths that stills are made in
WIDTHS = (160, 240, 320, 640)

#: a file has at most so many stills of one width
_MOST = 240

#: pixels of a picture that is decoded: 8K television has 33 million
_LARGEST = 40_000_000

#: packets looked at for one key frame, and bytes of one
_SEARCHED, _HEAVIEST = 5000, 64 << 20

#: seconds that looking for a picture may take
_PATIENCE = 5.0

#: packets decoded one after the other where key frames alone give no picture, and of how many a poster is made of one
_TRIED, _STRIDE = 250, 24

#: shares of the duration at which a poster is looked for: titles and black are at the beginning, the end gives away
_PLACES = (0.1, 0.2, 0.35, 0.5)

#: mean luminance below which a picture is black, and deviation below which nothing is to be seen in it
_DARK, _FLAT = 24.0, 10.0

#: seconds before a place at which to look for its key frame in containers that do not know where those are
_BACK = (0.0, 2.0, 10.0)

#: containers that do
_EXACT = frozenset({"mov", "matroska", "avi"})

#: bytes of a file through which FFmpeg may read to find a place in it, where it has no faster way
_LINEAR = 64 << 20

#: what cover pictures are coded in
_COVERS = frozenset({"mjpeg", "png", "bmp", "gif", "webp"})

_ERRORS = (av.error.FFmpegError, OSError, ValueError, IndexError, OverflowError, MemoryError)


class NoPicture(Exception):
    """There is no picture to be had of a file; the text says why."""


class TookTooLong(NoPicture):
    """The picture was not found in time; some other time it may be."""


def stillStep(duration: float) -> int:
    """Seconds from one still of a file to the next, so that there are not too many of them."""
    return max(1, ceil(duration / _MOST))


def widthFor(wanted: int) -> int:
    """The smallest width that stills are made in which is not below C{wanted}; else the largest."""
    return next((width for width in WIDTHS if width >= wanted), WIDTHS[-1])


class StillSource:
    """
    A file, opened for its pictures. Close it, or use it as a context manager.

    @ivar version: of the file.
    @ivar duration: NPT seconds of the end, roughly; 0.0 if it says nothing.
    """

    def __init__(self, path: str) -> None:
        """
        @raise NoPicture: if it has neither video nor a cover.
        @raise OSError: if it cannot be opened.
        """
        try:
            self._container, self.version = openContainer(path)
        except NotMedia as error:
            raise NoPicture(str(error)) from None
        try:
            self._adopt()
        except BaseException:
            self._container.close()
            raise

    def _adopt(self) -> None:
        streams: list[Any] = [stream for stream in self._container.streams if stream.type in ("video", "audio")]
        media = [stream for stream in streams if isMedia(stream)]
        self._zero = zeroOf(media)
        video = [stream for stream in streams if stream.type == "video" and stream.codec_context is not None]
        self._video: Any = next((stream for stream in video if isMedia(stream)), None)
        self._cover: Any = next((stream for stream in video if _isCover(stream)), None)
        if self._video is None and self._cover is None:
            raise NoPicture("it has no picture")
        for stream in self._container.streams:
            if stream is not self._video and stream is not self._cover:
                stream.discard = Discard.all
        ends = [startOf(stream) + stream.duration * stream.time_base for stream in media if stream.duration]
        stated = float(max(ends) - self._zero) if ends else (self._container.duration or 0) / 1_000_000
        self.duration = max(0.0, min(stated, self.version.size / LEAST_RATE))
        self._names = frozenset(self._container.format.name.split(","))
        self._isReady: set[int] = set()
        self._deadline = time.monotonic() + _PATIENCE

    def __enter__(self) -> StillSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the file back."""
        self._container.close()

    def poster(self, width: int) -> bytes:
        """
        A picture that stands for the file: one that is neither black nor empty, or the cover of a piece of music.

        @param width: pixels across at most.
        @return: a JPEG file.
        @raise NoPicture: if none can be decoded.
        """
        best: Any = None
        highest = (False, -1.0)
        try:
            for picture in self._candidates(width):
                mean, deviation = brightnessOf(picture)
                rank = (mean >= _DARK, deviation)
                if rank > highest:
                    best, highest = picture, rank
                if mean >= _DARK and deviation >= _FLAT:
                    break
        except TookTooLong:
            if best is None:
                raise
        return self._coverPicture(width) if best is None else _coded(best)

    def still(self, seconds: float, width: int) -> bytes:
        """
        The key frame at NPT C{seconds}, or the last one before; the first of all if there is none before.

        @param width: pixels across at most.
        @return: a JPEG file.
        @raise NoPicture: if the file has no video, or nothing of it can be decoded there.
        """
        if self._video is None:
            raise NoPicture("it has no video")
        picture = self._shown(self._frameAt(seconds), self._video, width)
        if picture is None:
            raise NoPicture("no picture can be decoded")
        return _coded(picture)

    def _candidates(self, width: int) -> Iterator[Any]:
        """Pictures for a poster, shrunken, no key frame twice."""
        seen: set[Any] = set()
        for share in _PLACES if self._video is not None else ():
            packet = self._keyAt(share * self.duration)
            if packet is None or packet.pts in seen:
                continue
            seen.add(packet.pts)
            picture = self._shown(self._decodeAlone(packet), self._video, width)
            if picture is not None:
                yield picture
        if len(seen) < 2 and self._video is not None:
            # a short film, a damaged one, or one whose key frames are not to be trusted
            for frame in islice(self._decodeOn(0.0), 0, None, _STRIDE):
                picture = self._shown(frame, self._video, width)
                if picture is not None:
                    yield picture

    def _coverPicture(self, width: int) -> bytes:
        if self._cover is None:
            raise NoPicture("no picture can be decoded")
        self._video = self._cover
        packet = next(self._packets(), None)
        frame = None if packet is None else self._decodeAlone(packet)
        picture = self._shown(frame, self._cover, width)
        if picture is None:
            raise NoPicture("its cover cannot be decoded")
        return _coded(picture)

    @staticmethod
    def _shown(frame: Any, stream: Any, width: int) -> Any:
        try:
            return None if frame is None else shrink(frame, width, stream.sample_aspect_ratio)
        except _ERRORS:
            return None

    # Finding

    def _frameAt(self, seconds: float) -> Any:
        if self.duration:
            seconds = min(seconds, self.duration)
        packet = self._keyAt(seconds)
        frame = None if packet is None else self._decodeAlone(packet)
        return next(self._decodeOn(seconds), None) if frame is None else frame

    def _keyAt(self, seconds: float) -> Any:
        """The packet of the last key frame that is not after NPT C{seconds}; else the first that is; else None."""
        exact = bool(_EXACT & self._names)
        later: Any = None
        for back in (0.0,) if exact else _BACK:
            self._seek(seconds - back)
            found: Any = None
            for packet in self._packets():
                isPast = self._timeOf(packet) > seconds + 1e-6
                if packet.is_keyframe:
                    if exact:
                        return packet
                    if isPast:
                        later = later or packet
                    else:
                        found = packet
                if isPast:
                    break
            if found is not None:
                return found
            if seconds - back <= 0:
                break
        return later

    def _timeOf(self, packet: Any) -> float:
        """NPT seconds; as early as can be where the packet does not say."""
        ticks = packet.pts if packet.pts is not None else packet.dts
        return float("-inf") if ticks is None else float(ticks * packet.time_base - self._zero)

    def _seek(self, seconds: float) -> None:
        """As near as the container gets; where it cannot, what follows is what there is."""
        stream = self._video
        ticks = round((max(0.0, seconds) + float(self._zero)) / stream.time_base)
        try:
            if "matroska" in self._names and not len(stream.index_entries) > 1:
                self._container.seek(0)  # now its cues are known
            if self._isFar() and seconds > 0:
                return
            self._container.seek(ticks, stream=stream)
        except _ERRORS:
            return

    def _isFar(self) -> bool:
        """Whether FFmpeg would read its way through a large file."""
        if self.version.size <= _LINEAR:
            return False
        entries = self._video.index_entries
        if "matroska" in self._names:
            return not len(entries) or self.version.size - entries[len(entries) - 1].pos > _LINEAR
        return bool(Flags(self._container.format.flags) & Flags.generic_index) and not len(entries)

    def _packets(self) -> Iterator[Any]:
        """The packets of the video from here, as many as one still may cost."""
        try:
            for count, packet in enumerate(self._container.demux(self._video)):
                if time.monotonic() > self._deadline:
                    raise TookTooLong("looking for a picture took too long")
                if 0 < packet.size <= _HEAVIEST:
                    yield packet
                if count >= _SEARCHED:
                    return
        except _ERRORS:
            return

    # Decoding

    def _context(self) -> Any:
        context = self._video.codec_context
        if self._video.index not in self._isReady:
            self._isReady.add(self._video.index)
            if context.width * context.height > _LARGEST:
                raise NoPicture(f"its pictures have {context.width} x {context.height} pixels")
            context.thread_count = 1  # several would hold pictures back, and memory
            context.options = {"max_pixels": str(_LARGEST)}
        return context

    def _decodeAlone(self, packet: Any) -> Any:
        """The picture of a key frame, or None."""
        context = self._context()
        try:
            context.flush_buffers()
            frames = [*context.decode(packet), *context.decode(None)]
            context.flush_buffers()
        except _ERRORS:
            return None
        return next((frame for frame in frames if not frame.is_corrupt), None)

    def _decodeOn(self, seconds: float) -> Iterator[Any]:
        """The pictures from a place on, whatever they are coded with."""
        context = self._context()
        self._seek(seconds)
        context.flush_buffers()
        for packet in islice(self._packets(), _TRIED):
            try:
                frames = context.decode(packet)
            except _ERRORS:
                continue
            yield from (frame for frame in frames if not frame.is_corrupt)


def _isCover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic) and stream.codec_context.codec.canonical_name in _COVERS


def _coded(picture: Any) -> bytes:
    try:
        return codeJPEG(picture)
    except _ERRORS:
        raise NoPicture("its picture cannot be coded") from None
