"""
Containers: what PyAV (FFmpeg's demuxers) reads from a file, as tracks and units.

Everything here blocks and belongs into a reader thread; one L{Container} is used by one thread at a time. Times become
NPT: zero is where the earliest track starts to be presented, whatever the file's own clock says there (an MPEG program
often starts at 1.4 s, a cut recording anywhere). What a file holds before that, such as the priming frame of AAC, has
times below zero.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from typing import Any

import av.error

from mediasrv.media.breaks import Breaks
from mediasrv.media.converting import Converter, JPEGConverter, PCMConverter
from mediasrv.media.files import NotMedia, openContainer
from mediasrv.media.streams import PlayedStream, describeStream, isMedia, keyEntries, startOf, zeroOf
from mediasrv.media.subtitles import TextStreams, textStreams
from mediasrv.media.tracks import Track, Unit, View
from mediasrv.media.uprightness import rotations

__all__ = ["Carries", "Container", "NotMedia", "SeekPoint"]

#: Whether units of a track can be delivered as they are. Asked first with the track alone, and for codecs of which some
#: units can be and others not once more with the first unit.
Carries = Callable[[Track, bytes | None], bool]

#: why a track is left out that a view cannot have
_LACKING: dict[View, str] = {
    "rtp": "RTP has no format for it",
    "mp2t": "no transport stream carries it",
    "web": "browsers do not decode it",
}

#: errors of reading in a row after which the rest of a file is given up
_PATIENCE = 100

#: tracks of a file that are played; a session has as many at most
_MAXIMUM_TRACKS = 32

#: packets looked at in search of the first one of a track
_SEARCHED = 1000

#: units held back until FFmpeg knows when they are decoded; H.264 reorders 16 at most
_HELD = 32

#: samples of a track whose index is worked on: two days of video at 60 pictures a second
_MAXIMUM_INDEX = 10_000_000

#: bytes after the last cue of a Matroska file; with more, its cues do not cover it
_UNCUED = 64 << 20

#: seconds before a place at which to begin when sound is decoded, for the decoder to settle
_WARM_UP = 1.0

#: containers whose index of samples is whole and exact as soon as the file is open
_INDEXED = frozenset({"mov", "avi", "matroska"})

#: containers whose index grows while they are read: opening them again would lose it
_RESEEKABLE = frozenset({"aac", "ac3", "eac3", "flac", "flv", "mp3", "ogg"})

#: containers that leave times out
_UNTIMED = frozenset({"mpeg", "mpegts", "mpegvideo"})

#: containers in which FFmpeg goes to "the start" of one stream, which is not that of the file if another begins earlier
_MULTIPLEXES = frozenset({"mpeg", "mpegts"})

#: containers in which FFmpeg works out a place from bytes per second, which is right where every sample has its own
_BY_BYTES = frozenset({"aiff", "au", "g722", "w64", "wav"})

#: brands of ISO files that hold pictures, not films (ISO/IEC 23008-12, AVIF)
_STILL_BRANDS = frozenset({"avif", "heic", "heix", "mif1"})


@dataclass(frozen=True, slots=True)
class SeekPoint:
    """
    A place where decoding can start.

    @ivar dts: NPT seconds in decoding order.
    @ivar pts: NPT seconds in presentation order.
    @ivar position: bytes of the file before it; negative where the container does not say.
    """

    dts: float
    pts: float
    position: int = -1


class Container:
    """
    A media file, opened.

    @ivar tracks: those that can be played, video first.
    @ivar omitted: one sentence for each track that cannot, and why.
    @ivar duration: NPT seconds of the end, as the container says; 0.0 where it does not.
    @ivar breaks: where its clock jumps; known once the file was read. Whoever opens it again hands them over.
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
        self._pristine = True
        self.breaks: Breaks | None = None
        self._relearnt: Breaks | None = None
        self._isSpent = False  # FFmpeg has failed to read on, and may do so wherever it is sent
        self._container, self.version = openContainer(path)
        try:
            self._adopt()
        except BaseException:
            self._container.close()
            raise

    def _adopt(self) -> None:
        """Chooses the streams to play and says what they are."""
        container = self._container
        self._names = frozenset(container.format.name.split(","))
        if container.metadata.get("major_brand", "").strip() in _STILL_BRANDS:
            raise NotMedia("it is a picture")
        self.omitted: list[str] = []
        chosen = sorted(
            (stream for stream in container.streams if isMedia(stream)),
            key=lambda stream: (stream.type != "video", stream.index),
        )
        self._zero = float(zeroOf(chosen))
        self._rotations = rotations(self._path) if "mov" in self._names else {}
        self._streams: dict[int, PlayedStream] = {}
        self.tracks: list[Track] = []
        for stream in chosen:
            self._add(stream)
        if not self.tracks:
            raise NotMedia("; ".join(self.omitted) or "it has no audio or video")
        self.duration = self._statedDuration()
        self._reference = next(entry for entry in self._streams.values() if entry.track.index == 0)
        # the first packet may have been looked at
        self.rewind()
        self._forget()

    @property
    def texts(self) -> TextStreams:
        """The text tracks, which are no tracks of ours: they are read apart."""
        return textStreams(self._container.streams, self._path, self.version)

    @property
    def created(self) -> float | None:
        """Unix seconds when it was made, if it says so."""
        try:
            made = datetime.fromisoformat(str(self._container.metadata.get("creation_time", "")))
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
        packet = self._firstPacket(stream)
        return None if packet is None else bytes(packet)

    def _firstPacket(self, stream: Any) -> Any:
        """The next packet of a stream, or None if there is none soon."""
        self._pristine = False
        try:
            for count, packet in enumerate(self._container.demux(stream)):
                if packet.size:
                    return packet
                if count == _SEARCHED:
                    break
        except (av.error.FFmpegError, OSError, IndexError):
            pass
        return None

    def _statedDuration(self) -> float:
        ends = [
            float(startOf(stream) + stream.duration * stream.time_base) - self._zero
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
        Seconds before a picture at which to look for its sound: only MP4 seeks in each track by itself. MPEG streams do
        not say the time of every picture, and the first ones after a seek get a wrong one. Infinite where seeking is
        not to be had: FFmpeg's WAV demuxer goes to twice the place in G.722, and to half of it in ADPCM.
        """
        source = self._reference.stream.codec_context.codec.canonical_name
        if _BY_BYTES & self._names and not source.startswith("pcm_"):
            return inf
        if self._mustRelearn:
            return inf
        exact = "mov" in self._names or (len(self.tracks) == 1 and not _UNTIMED & self._names)
        lead = 0.0 if exact else 1.0
        decoded = any(entry.converter is not None and entry.track.kind == "audio" for entry in self._streams.values())
        return max(lead, _WARM_UP) if decoded else lead

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
        if not _INDEXED & self._names:
            return None
        if "matroska" in self._names:
            # its cues are read at the first seek
            self.seek(0.0)
        # only now: seeking may have opened the file again
        entries = self._reference.stream.index_entries
        count = len(entries)
        if not count or not self.duration:
            return None
        if count > _MAXIMUM_INDEX:
            raise NotMedia(f"its index has {count} samples")
        final = entries[count - 1]
        last = self._npt(self._reference, final.timestamp)
        if "matroska" in self._names and (self.version.size - final.pos > _UNCUED or last > self.duration):
            return None
        # whatever it says of its duration
        self.duration = max(self.duration, last)
        keys = keyEntries(entries)
        if "matroska" in self._names and self._isCutOff([position for _, position in keys]):
            return None
        # A fragmented MP4 knows only the fragments that it came across; cues may be missing from where a muxer died.
        slack = 1.0 if "mov" in self._names else 60.0
        if last < self.duration - slack - self._reference.nextDTS and "avi" not in self._names:
            return None
        if self._reference.track.kind == "audio":
            return []
        delay = self._reorderingDelay() if "mov" in self._names else 0.0
        times = [(self._npt(self._reference, ticks), position) for ticks, position in keys]
        return [SeekPoint(time, time + delay, position) for time, position in times]

    def _isCutOff(self, positions: list[int]) -> bool:
        """
        Whether there is more after the last key frame of an index than there ever is from one to the next. Where a
        muxer died there are no cues, and FFmpeg knows only what it came across when it opened the file.
        """
        widest = max((later - former for former, later in pairwise(positions)), default=0)
        return self.version.size - positions[-1] > 2 * widest

    def _reorderingDelay(self) -> float:
        """
        Seconds from decoding a key frame to showing it, by the first one; an index of MP4 knows only decoding times.
        Later ones that open a group with pictures shown before them have more, which the first unit read will tell.
        """
        self.rewind()
        packet = self._firstPacket(self._reference.stream)
        if packet is None or not packet.is_keyframe or packet.pts is None or packet.dts is None:
            return 0.0
        return max(0.0, self._seconds(self._reference, packet.pts - packet.dts))

    def _scan(self) -> tuple[list[SeekPoint], float]:
        """Reads the whole file once: its seek points, and where it really ends."""
        points: list[SeekPoint] = []
        end = 0.0
        reference = self._reference
        video = reference.track.kind == "video"
        isTimed = False
        breaks = Breaks(isMultiplex=bool(_MULTIPLEXES & self._names))
        for packet in self._packets():
            entry = self._streams[packet.stream_index]
            pts = packet.pts if packet.pts is not None else packet.dts
            isTimed = isTimed or pts is not None
            if pts is None and isTimed:
                continue
            # a raw stream of H.264 knows no time at all: then pictures follow each other, as in units()
            time = entry.nextDTS if pts is None else self._npt(entry, pts)
            decoding = time if packet.dts is None else self._npt(entry, packet.dts)
            duration = self._seconds(entry, packet.duration)
            shift = breaks.learn(packet.stream_index, packet.pos, decoding, duration)
            time, decoding = time + shift, decoding + shift
            entry.nextDTS = time + duration
            end = max(end, entry.nextDTS)
            if video and entry is reference and packet.is_keyframe:
                points.append(SeekPoint(decoding, time, -1 if packet.pos is None else packet.pos))
        if breaks.isBroken:
            self.breaks = breaks
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
        if self._isSpent:
            self._reopen()
        self._pristine = False
        ticks = int((time + self._zero) * base / scale + 0.5)
        try:
            if self.breaks is not None:
                self._container.seek(self.breaks.placeOf(time), unsupported_byte_offset=True)
            else:
                self._container.seek(ticks, stream=entry.stream)
        except av.error.FFmpegError:
            self._reopen()
        self._forget()

    def rewind(self) -> None:
        """Goes to the very first packet of the file, which may lie before its first seek point."""
        if self._pristine:
            self._forget()
            return
        if self._isSpent or self._mustRelearn:
            found = False
        elif "mov" in self._names:
            found = self._seekFirstSample()
        elif _MULTIPLEXES & self._names:
            found = self._seekFirstByte()
        else:
            found = bool(_RESEEKABLE & self._names) and self._seekStart()
        if not found:
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

    def _seekFirstByte(self) -> bool:
        try:
            self._container.seek(0, unsupported_byte_offset=True)
        except av.error.FFmpegError:
            return False
        return True

    def _seekFirstSample(self) -> bool:
        """MP4 seeks by one track and takes the others along, so it has to be the one that starts first."""
        streams = [entry.stream for entry in self._streams.values() if len(entry.stream.index_entries)]
        if not streams:
            return False
        first = min(streams, key=lambda stream: stream.index_entries[0].timestamp * stream.time_base)
        try:
            self._container.seek(first.index_entries[0].timestamp, stream=first)
        except av.error.FFmpegError:
            return False
        return True

    def _reopen(self) -> None:
        """
        @raise OSError: if the file is not there any more, or is another one.
        """
        container, version = openContainer(self._path)
        if not version.isSameFile(self.version) or len(container.streams) <= max(self._streams):
            container.close()
            raise OSError(errno.ESTALE, "the file was replaced", self._path)
        self._container.close()
        self._container = container
        for index, entry in self._streams.items():
            entry.stream = container.streams[index]
            if entry.converter is not None:
                entry.converter.reopened(entry.stream.codec_context)
        self._pristine = True
        self._isSpent = False

    def _forget(self) -> None:
        # In an Ogg page the place does not tell one packet from another. But it is always read from the beginning.
        self._relearnt = Breaks(isMultiplex=False) if self._mustRelearn else None
        for entry in self._streams.values():
            entry.forget()

    def units(self) -> Iterator[tuple[int, Unit]]:
        """
        Units from here to the end of the file, each with the index of its track. Damaged places are stepped over; a
        file that is cut off just ends.
        """
        streams = self._streams
        zero = self._zero
        for packet in self._packets():
            entry = streams[packet.stream_index]
            index = entry.track.index
            if entry.converter is None:
                unit = self._unit(entry, packet)
                if entry.held is not None:
                    if packet.dts is None and len(entry.held) < _HELD:
                        entry.held.append(unit)
                        continue
                    for earlier in entry.settled(unit):
                        yield index, earlier
                yield index, unit
                continue
            if self.breaks is not None:
                self._follow(entry, packet)
            for start, duration, data in entry.converter.convert(packet):
                time = start - zero + entry.shift
                yield index, Unit(time, time, duration, True, data)
        for entry in streams.values():
            for unit in entry.held or ():
                yield entry.track.index, unit

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
            except (av.error.EOFError, IndexError):
                # PyAV raises the latter at the end, where streams came to light that were not there at the start
                return
            except (av.error.FFmpegError, OSError):
                failures += 1
                self._isSpent = True

    def _unit(self, entry: PlayedStream, packet: Any) -> Unit:
        scale, base = entry.scale
        zero = self._zero
        if self.breaks is not None:
            self._follow(entry, packet)
            zero -= entry.shift
        # every look at an attribute of a packet costs, and this runs for each unit of a file
        pts, dts, ticks = packet.pts, packet.dts, packet.duration
        duration = ticks * scale / base if ticks else 0.0
        if pts is None:
            pts = dts
        presentation = entry.nextDTS if pts is None else pts * scale / base - zero
        if entry.frame and pts is not None:
            decoding = presentation = entry.onGrid(presentation)
        else:
            decoding = presentation if dts is None or dts == pts else dts * scale / base - zero
        entry.nextDTS = decoding + duration
        return Unit(decoding, presentation, duration, packet.is_keyframe, bytes(packet))

    @property
    def _mustRelearn(self) -> bool:
        """Whether the clock jumps in a container that FFmpeg can find no place in but by that clock."""
        return self.breaks is not None and not _MULTIPLEXES & self._names

    def _follow(self, entry: PlayedStream, packet: Any) -> None:
        """Notes what is to be added to the times of a stream from a packet on."""
        ticks = packet.dts if packet.dts is not None else packet.pts
        if self._relearnt is not None and ticks is not None:
            duration = self._seconds(entry, packet.duration)
            entry.shift = self._relearnt.learn(packet.stream_index, packet.pos, self._npt(entry, ticks), duration)
        elif self.breaks is not None and packet.pos is not None:
            entry.shift = self.breaks.at(packet.stream_index, packet.pos)

    def _npt(self, entry: PlayedStream, ticks: int) -> float:
        return ticks * entry.scale[0] / entry.scale[1] - self._zero

    def _seconds(self, entry: PlayedStream, ticks: int | None) -> float:
        return (ticks or 0) * entry.scale[0] / entry.scale[1]

    def close(self) -> None:
        """Gives the file back; the container is of no more use."""
        self._container.close()
