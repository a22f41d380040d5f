"""
Containers: what PyAV (FFmpeg's demuxers) reads from a file, as tracks and units.

Everything here blocks and belongs into a reader thread; one L{Container} is used by one thread at a time. Times become
NPT: zero is where the earliest track starts to be presented, whatever the file's own clock says there (an MPEG program
often starts at 1.4 s, a cut recording anywhere). What a file holds before that, such as the priming frame of AAC, has
times below zero.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mediasrv.media.converting import Converter, JPEGConverter, PCMConverter
from mediasrv.media.demuxer import Demuxer
from mediasrv.media.files import NotMedia
from mediasrv.media.seekpoints import SeekPoint, findSeekPoints
from mediasrv.media.streamreader import StreamReader
from mediasrv.media.streams import PlayedStream, describeStream, isMedia, startOf, zeroOf
from mediasrv.media.subtitles import TextStreams, textStreams
from mediasrv.media.tracks import Track, View
from mediasrv.media.uprightness import rotations

__all__ = ["Carries", "Container", "NotMedia"]

#: Whether units of a track can be delivered as they are. Asked first with the track alone, and for codecs of which some
#: units can be and others not once more with the first unit.
Carries = Callable[[Track, bytes | None], bool]

#: why a track is left out that a view cannot have
_LACKING: dict[View, str] = {
    "rtp": "RTP has no format for it",
    "mp2t": "no transport stream carries it",
    "web": "browsers do not decode it",
}

#: tracks of a file that are played; a session has as many at most
_MAXIMUM_TRACKS = 32

#: brands of ISO files that hold pictures, not films (ISO/IEC 23008-12, AVIF)
_STILL_BRANDS = frozenset({"avif", "heic", "heix", "mif1"})


class Container:
    """
    A media file, opened.

    @ivar tracks: those that can be played, video first.
    @ivar omitted: one sentence for each track that cannot, and why.
    @ivar duration: NPT seconds of the end, as the container says; 0.0 where it does not.
    @ivar reader: of their units.
    @ivar version: of the file.
    """

    def __init__(self, path: str, carries: Carries, view: View = "rtp") -> None:
        """
        @param carries: what can be delivered as it is. Of the rest, RTP gets sound as PCM and JPEG coded anew; for
            browsers it is left out.
        @raise NotMedia: if nothing in the file can be played.
        @raise OSError: if the file cannot be opened.
        """
        self._path = path
        self._carries = carries
        self._view = view
        self._demuxer = Demuxer(path)
        self.version = self._demuxer.version
        try:
            self.reader = self._adopt()
        except BaseException:
            self._demuxer.close()
            raise

    def _adopt(self) -> StreamReader:
        """Chooses the streams to play and says what they are."""
        container = self._demuxer.container
        if container.metadata.get("major_brand", "").strip() in _STILL_BRANDS:
            raise NotMedia("it is a picture")
        self.omitted: list[str] = []
        chosen = sorted(
            (stream for stream in container.streams if isMedia(stream)),
            key=lambda stream: (stream.type != "video", stream.index),
        )
        self._zero = float(zeroOf(chosen))
        self._rotations = rotations(self._path) if "mov" in self._demuxer.names else {}
        self._streams: dict[int, PlayedStream] = {}
        self.tracks: list[Track] = []
        for stream in chosen:
            self._add(stream)
        if not self.tracks:
            raise NotMedia("; ".join(self.omitted) or "it has no audio or video")
        self.duration = self._statedDuration()
        reader = StreamReader(self._demuxer, self._streams)
        reader.rewind()  # the first packet may have been looked at
        return reader

    @property
    def texts(self) -> TextStreams:
        """The text tracks, which are no tracks of ours: they are read apart."""
        return textStreams(self._demuxer.container.streams, self._path, self.version)

    @property
    def created(self) -> float | None:
        """Unix seconds when it was made, if it says so."""
        try:
            made = datetime.fromisoformat(str(self._demuxer.container.metadata.get("creation_time", "")))
        except ValueError:
            return None
        return (made if made.tzinfo else made.replace(tzinfo=UTC)).timestamp()

    def _add(self, stream: Any) -> None:
        """Takes a stream among the tracks, or says in L{omitted} why not."""
        if len(self.tracks) == _MAXIMUM_TRACKS:
            self.omitted.append(f"stream {stream.index}: a file may have {_MAXIMUM_TRACKS} tracks")
            return
        if stream.codec_context is None:
            self.omitted.append(f"stream {stream.index}: unknown codec")
            return
        track = describeStream(len(self.tracks), stream, self._rotations.get(stream.id, 0))
        converter: Converter | None = None
        if not self._carries(track, None):
            convertible = track.kind == "audio" and track.sampleRate > 0 and track.channels and self._view == "rtp"
            if not convertible:
                self.omitted.append(f"stream {stream.index} ({track.codec}): {_LACKING[self._view]}")
                return
            converter = PCMConverter(stream.codec_context)
        elif track.codec == "mjpeg" and not self._carries(track, self._firstUnit(stream)):
            converter = JPEGConverter(stream.codec_context)
        if converter is not None:
            track = converter.describe(track)
            if not self._carries(track, None):
                self.omitted.append(f"stream {stream.index} ({stream.codec_context.name}): not even converted")
                return
        self._streams[stream.index] = PlayedStream.of(stream, track, self._zero, converter)
        self.tracks.append(track)

    def _firstUnit(self, stream: Any) -> bytes | None:
        packet = self._demuxer.firstPacket(stream.index)
        return None if packet is None else bytes(packet)

    def _statedDuration(self) -> float:
        ends = [
            float(startOf(stream) + stream.duration * stream.time_base) - self._zero
            for stream in (entry.stream for entry in self._streams.values())
            if stream.duration
        ]
        if ends:
            return max(ends)
        return (self._demuxer.container.duration or 0) / 1_000_000

    def seekPoints(self) -> tuple[list[SeekPoint], float]:
        """As L{findSeekPoints}."""
        return findSeekPoints(self.reader, self.duration)

    def close(self) -> None:
        """Gives the file back; the container is of no more use."""
        self._demuxer.close()
