"""
Containers: what PyAV (FFmpeg's demuxers) reads from a file, as tracks and units.

Everything here blocks and belongs into a reader thread; one L{Container} is used by one thread at a time. Times become
NPT: zero is where the earliest track starts to be presented, whatever the file's own clock says there (an MPEG program
often starts at 1.4 s, a cut recording anywhere). What a file holds before that, such as the priming frame of AAC, has
times below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from math import inf
from typing import Any

import av
import av.logging

from mediasrv.media.decoding import PCMDecoder
from mediasrv.media.tracks import Kind, Track, Unit

# What is wrong with a file is said once, by us, where it is asked for; FFmpeg would write it to stderr.
av.logging.set_level(None)

#: errors of reading in a row after which the rest of a file is given up
_PATIENCE = 100

#: containers whose index of samples is whole and exact as soon as the file is open
_INDEXED = frozenset({"mov", "avi", "matroska"})

#: FFmpeg's numbers for what PyAV gives by name
_AAC_PROFILES = {"Main": 0, "LC": 1, "SSR": 2, "LTP": 3, "HE-AAC": 4, "HE-AACv2": 28}

#: containers whose index grows while they are read: opening them again would lose it
_RESEEKABLE = frozenset({"aac", "ac3", "eac3", "flac", "flv", "mp3", "mpeg", "mpegts", "ogg"})

#: what FFmpeg calls formats that are no media: scripts that name other files, raw text, pictures
_REFUSED = frozenset({"concat", "hls", "dash", "imf", "sdp", "rtsp", "rtp", "tty", "image2", "ffmetadata", "lavfi"})


class NotMedia(Exception):
    """The file cannot be read as media; the text says why."""


@dataclass(frozen=True, slots=True)
class SeekPoint:
    """
    A place where decoding can start.

    @ivar dts: NPT seconds in decoding order.
    @ivar pts: NPT seconds in presentation order.
    """

    dts: float
    pts: float


@dataclass(slots=True)
class _Stream:
    """One stream of the file that is played: how its packets become units."""

    track: Track
    stream: Any
    scale: tuple[int, int]  # NPT = ticks * scale[0] / scale[1] - zero
    frame: float  # seconds of an audio frame where the container's clock is too coarse to say; else 0
    grid: float  # NPT of the first frame of that grid
    decoder: PCMDecoder | None
    nextDTS: float = 0.0


class Container:
    """
    A media file, opened.

    @ivar tracks: those that can be played, video first.
    @ivar omitted: one sentence for each track that cannot, and why.
    @ivar duration: NPT seconds of the end, as the container says; 0.0 where it does not.
    """

    def __init__(self, path: str, carries: Callable[[Track], bool]) -> None:
        """
        @param carries: whether units of this track can be delivered as they are. Audio that cannot is decoded to PCM.
        @raise NotMedia: if nothing in the file can be played.
        """
        self._carries = carries
        self._pristine = True
        try:
            # "file:" keeps FFmpeg from taking a name such as "concat:…" or "http:…" for a protocol
            self._container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, ValueError, OverflowError) as error:
            raise NotMedia(getattr(error, "strerror", None) or str(error)) from None
        try:
            self._adopt()
        except BaseException:
            self._container.close()
            raise

    def _adopt(self) -> None:
        """Chooses the streams to play and says what they are."""
        container = self._container
        if _REFUSED & set(container.format.name.split(",")):
            raise NotMedia(f"a file of type {container.format.name} is not played")
        self.omitted: list[str] = []
        chosen = sorted(
            (stream for stream in container.streams if self._isPlayable(stream)),
            key=lambda stream: (stream.type != "video", stream.index),
        )
        starts = [_startOf(stream) for stream in chosen if stream.start_time is not None]
        zero = min(starts, default=Fraction(0))
        self._zero = float(zero)
        self._streams: dict[int, _Stream] = {}
        self.tracks: list[Track] = []
        for stream in chosen:
            self._add(stream)
        if not self.tracks:
            raise NotMedia("; ".join(self.omitted) or "it has no audio or video")
        self.duration = self._statedDuration()
        first = self.tracks[0]
        self._reference = next(entry for entry in self._streams.values() if entry.track is first)

    @property
    def created(self) -> float | None:
        """Unix seconds when it was made, if it says so."""
        try:
            made = datetime.fromisoformat(str(self._container.metadata.get("creation_time", "")))
        except ValueError:
            return None
        return (made if made.tzinfo else made.replace(tzinfo=UTC)).timestamp()

    def _isPlayable(self, stream: Any) -> bool:
        if stream.type not in ("video", "audio"):
            return False  # subtitles and data: no player asks for them over RTSP
        if stream.codec_context is None:
            self.omitted.append(f"stream {stream.index}: unknown codec")
            return False
        # a cover picture is one picture without time
        return not (stream.disposition & av.stream.Disposition.attached_pic)

    def _add(self, stream: Any) -> None:
        context = stream.codec_context
        track = _describe(len(self.tracks), stream)
        decoder = None
        if not self._carries(track):
            if stream.type != "audio" or not track.sampleRate:
                self.omitted.append(f"stream {stream.index} ({track.codec}): RTP has no format for it")
                return
            decoder = PCMDecoder(context)
            track = decoder.describe(track)
            if not self._carries(track):
                self.omitted.append(f"stream {stream.index} ({context.name}): not even as PCM")
                return
        base = stream.time_base
        coarse = stream.type == "audio" and decoder is None and track.sampleRate and base.denominator <= 1000
        self._streams[stream.index] = _Stream(
            track=track,
            stream=stream,
            scale=(base.numerator, base.denominator),
            frame=(context.frame_size or 0) / track.sampleRate if coarse else 0.0,
            grid=float(_startOf(stream)) - self._zero,
            decoder=decoder,
        )
        self.tracks.append(track)

    def _statedDuration(self) -> float:
        ends = [
            float(_startOf(stream) + stream.duration * stream.time_base) - self._zero
            for stream in (entry.stream for entry in self._streams.values())
            if stream.duration
        ]
        if ends:
            return max(ends)
        return (self._container.duration or 0) / 1_000_000

    # Where decoding can start

    @property
    def lead(self) -> float:
        """
        Seconds before a picture at which to look for its sound: only MP4 seeks in each track by itself. Infinite where
        seeking is not to be had: FFmpeg's WAV demuxer goes to twice the place in G.722.
        """
        if self.tracks[0].codec == "adpcm_g722":
            return inf
        return 0.0 if "mov" in self._container.format.name or len(self.tracks) == 1 else 1.0

    def seekPoints(self) -> tuple[list[SeekPoint], float]:
        """
        The seek points of the first track in order, and the NPT seconds of the end.

        From the container's own index where that can be trusted; else the whole file is read once. For audio every
        frame is a seek point, and the list is empty.
        """
        points = self._indexedPoints()
        if points is not None:
            return points, self.duration
        return self._scan()

    def _indexedPoints(self) -> list[SeekPoint] | None:
        if not _INDEXED & set(self._container.format.name.split(",")):
            return None
        stream = self._reference.stream
        if "matroska" in self._container.format.name:
            # its cues are read at the first seek
            self.seek(0.0)
        entries = stream.index_entries
        count = len(entries)
        if not count or not self.duration:
            return None
        last = self._npt(self._reference, entries[count - 1].timestamp)
        keys = [entry.timestamp for entry in entries if entry.is_keyframe]
        # A fragmented MP4 knows only the fragments that it came across; cues may be missing from where a muxer died.
        slack = 1.0 if "mov" in self._container.format.name else 60.0
        if last < self.duration - slack - self._reference.nextDTS and "avi" not in self._container.format.name:
            return None
        if self._reference.track.kind == "audio":
            return []
        times = [self._npt(self._reference, ticks) for ticks in keys]
        return [SeekPoint(time, time) for time in times]

    def _scan(self) -> tuple[list[SeekPoint], float]:
        """Reads the whole file once: its seek points, and where it really ends."""
        points: list[SeekPoint] = []
        end = 0.0
        reference = self._reference
        video = reference.track.kind == "video"
        for packet in self._packets():
            entry = self._streams[packet.stream_index]
            pts = packet.pts if packet.pts is not None else packet.dts
            if pts is None:
                continue
            time = self._npt(entry, pts)
            end = max(end, time + self._seconds(entry, packet.duration))
            if video and entry is reference and packet.is_keyframe:
                points.append(SeekPoint(time if packet.dts is None else self._npt(entry, packet.dts), time))
        self.rewind()
        points.sort(key=lambda point: point.pts)
        return points, end

    # Reading

    def seek(self, time: float) -> None:
        """
        Goes to the last place at or before C{time} (NPT seconds) where decoding can start. How well a container keeps
        to that differs: who must not miss a unit looks at what comes first.
        """
        entry = self._reference
        scale, base = entry.scale
        self._pristine = False
        ticks = int((time + self._zero) * base / scale + 0.5)
        try:
            self._container.seek(ticks, stream=entry.stream)
        except av.error.FFmpegError:
            self._reopen()
        self._forget()

    def rewind(self) -> None:
        """Goes to the very first packet of the file, which may lie before its first seek point."""
        if self._pristine:
            return
        names = self._container.format.name
        if "mov" in names:
            self._seekFirstSample()
        elif not (_RESEEKABLE & set(names.split(",")) and self._seekStart()):
            self._reopen()
        self._forget()

    def _seekStart(self) -> bool:
        for offset in (-(1 << 62), 0):
            try:
                self._container.seek(offset)
            except av.error.FFmpegError:
                continue
            return True
        return False

    def _seekFirstSample(self) -> None:
        """MP4 seeks by one track and takes the others along, so it has to be the one that starts first."""
        streams = [entry.stream for entry in self._streams.values() if len(entry.stream.index_entries)]
        first = min(streams, key=lambda stream: stream.index_entries[0].timestamp * stream.time_base)
        self._container.seek(first.index_entries[0].timestamp, stream=first)

    def _reopen(self) -> None:
        path = self._container.name
        self._container.close()
        self._container = av.open(path, options={"protocol_whitelist": "file"})
        for index, entry in self._streams.items():
            entry.stream = self._container.streams[index]
            if entry.decoder is not None:
                entry.decoder = PCMDecoder(entry.stream.codec_context)
        self._pristine = True

    def _forget(self) -> None:
        for entry in self._streams.values():
            entry.nextDTS = 0.0
            if entry.decoder is not None:
                entry.decoder.reset()

    def units(self) -> Iterator[tuple[int, Unit]]:
        """
        Units from here to the end of the file, each with the index of its track. Damaged places are stepped over; a
        file that is cut off just ends.
        """
        for packet in self._packets():
            entry = self._streams[packet.stream_index]
            if entry.decoder is None:
                yield entry.track.index, self._unit(entry, packet)
                continue
            for start, samples, data in entry.decoder.decode(packet):
                time = start - self._zero
                yield entry.track.index, Unit(time, time, samples, True, data)

    def _packets(self) -> Iterator[Any]:
        streams = [entry.stream for entry in self._streams.values()]
        failures = 0
        self._pristine = False
        while failures < _PATIENCE:
            try:
                for packet in self._container.demux(streams):
                    failures = 0
                    if packet.size:
                        yield packet
                return
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, OSError):
                failures += 1

    def _unit(self, entry: _Stream, packet: Any) -> Unit:
        scale, base = entry.scale
        zero = self._zero
        pts = packet.pts
        dts = packet.dts
        duration = packet.duration * scale / base if packet.duration else 0.0
        if pts is None:
            pts = dts
        if pts is None:
            presentation = entry.nextDTS
        else:
            presentation = pts * scale / base - zero
            if entry.frame:
                presentation = self._onGrid(entry, presentation)
        decoding = presentation if dts is None or entry.frame else dts * scale / base - zero
        entry.nextDTS = decoding + duration
        return Unit(decoding, presentation, duration, packet.is_keyframe, bytes(packet))

    def _onGrid(self, entry: _Stream, time: float) -> float:
        """
        The exact time of an audio frame whose container counts milliseconds: frames follow each other without a gap,
        so within one tick of the container's clock the grid of frame lengths is right and the container is rounded.
        """
        frames = round((time - entry.grid) / entry.frame)
        exact = entry.grid + frames * entry.frame
        return exact if abs(exact - time) <= 1.01 * entry.scale[0] / entry.scale[1] else time

    def _npt(self, entry: _Stream, ticks: int) -> float:
        return ticks * entry.scale[0] / entry.scale[1] - self._zero

    def _seconds(self, entry: _Stream, ticks: int | None) -> float:
        return (ticks or 0) * entry.scale[0] / entry.scale[1]

    def close(self) -> None:
        """Gives the file back; the container is of no more use."""
        self._container.close()


def _startOf(stream: Any) -> Fraction:
    """When a stream starts to be presented, seconds on the file's own clock."""
    return Fraction((stream.start_time or 0) * stream.time_base)


def _describe(index: int, stream: Any) -> Track:
    """The track that a stream of PyAV is."""
    context = stream.codec_context
    kind: Kind = stream.type
    video = kind == "video"
    # the codec's own name, not that of a decoder for it ("mp3float", "libdav1d")
    codec = context.codec.canonical_name
    return Track(
        index=index,
        kind=kind,
        codec=codec,
        extradata=bytes(context.extradata or b""),
        bitRate=int(stream.bit_rate or context.bit_rate or 0),
        language=_language(stream),
        title=str(stream.metadata.get("title", "")),
        width=context.width if video else 0,
        height=context.height if video else 0,
        frameRate=Fraction(stream.average_rate or 0) if video else Fraction(0),
        sampleRate=0 if video else int(context.sample_rate or 0),
        channels=0 if video else int(context.layout.nb_channels),
        profile=_AAC_PROFILES.get(str(context.profile), -99) if codec == "aac" else -99,
        level=context.level if video and isinstance(context.level, int) else -99,
    )


def _language(stream: Any) -> str:
    language = str(stream.metadata.get("language", ""))
    return "" if language == "und" else language
