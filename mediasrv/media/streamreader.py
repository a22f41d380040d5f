"""
The reader of a file's streams: their units, from wherever it is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from mediasrv.media.breaks import Breaks
from mediasrv.media.demuxer import Demuxer
from mediasrv.media.streams import PlayedStream
from mediasrv.media.tracks import Unit

#: units held back until FFmpeg knows when they are decoded; H.264 reorders 16 at most
_HELD = 32

#: seconds before a place at which to begin when sound is decoded, for the decoder to settle
_WARM_UP = 1.0

#: containers that leave times out
_UNTIMED = frozenset({"mpeg", "mpegts", "mpegvideo"})

#: containers in which FFmpeg works out a place from bytes per second, which is right where every sample has its own
_BY_BYTES = frozenset({"aiff", "au", "g722", "w64", "wav"})


class StreamReader:
    """
    Everything here blocks; one thread uses it at a time.

    @ivar demuxer: of the file.
    @ivar streams: those that are played, by FFmpeg's index.
    @ivar reference: that of the first track.
    @ivar breaks: where the clock of the file jumps; None if it does not, or was not looked at as a whole.
    """

    def __init__(self, demuxer: Demuxer, streams: Mapping[int, PlayedStream]) -> None:
        self.demuxer = demuxer
        self.streams = streams
        self.reference = next(entry for entry in streams.values() if entry.track.index == 0)
        self.breaks: Breaks | None = None
        self._relearnt: Breaks | None = None
        demuxer.reopening = self._rebind

    @property
    def lead(self) -> float:
        """
        Seconds before a picture at which to look for its sound: only MP4 seeks in each track by itself. MPEG streams do
        not say the time of every picture, and the first ones after a seek get a wrong one. Infinite where seeking is
        not to be had: FFmpeg's WAV demuxer goes to twice the place in G.722, and to half of it in ADPCM.
        """
        names = self.demuxer.names
        source = self.reference.stream.codec_context.codec.canonical_name
        if self._mustRelearn or (_BY_BYTES & names and not source.startswith("pcm_")):
            return inf
        exact = "mov" in names or (len(self.streams) == 1 and not _UNTIMED & names)
        lead = 0.0 if exact else 1.0
        decoded = any(entry.converter is not None and entry.track.kind == "audio" for entry in self.streams.values())
        return max(lead, _WARM_UP) if decoded else lead

    def seek(self, time: float) -> None:
        """
        Goes to the last place at or before C{time} (NPT seconds) where decoding can start. How well a container keeps
        to that differs: who must not miss a unit looks at what comes first.

        @raise OSError: if the file is not there any more, or is another one.
        """
        if self.breaks is not None:
            self.demuxer.seekByte(self.breaks.placeOf(time))
        else:
            self.demuxer.seek(self.reference.stream.index, self.reference.ticks(time))
        self._forget()

    def rewind(self) -> None:
        """
        Goes to the very first packet of the file, which may lie before its first seek point.

        @raise OSError: if the file is not there any more, or is another one.
        """
        self.demuxer.rewind(self.streams, isSeekable=not self._mustRelearn)
        self._forget()

    def _rebind(self, streams: Any) -> bool:
        """Goes on with the streams of the file after it was opened again; False if they are not all there."""
        if len(streams) <= max(self.streams):
            return False
        for index, entry in self.streams.items():
            entry.stream = streams[index]
            if entry.converter is not None:
                entry.converter.reopened(entry.stream.codec_context)
        return True

    def _forget(self) -> None:
        # In an Ogg page the place does not tell one packet from another. But it is always read from the beginning.
        self._relearnt = Breaks(isMultiplex=False) if self._mustRelearn else None
        for entry in self.streams.values():
            entry.forget()

    def packets(self) -> Iterator[Any]:
        """FFmpeg's packets from here to the end of the file."""
        return self.demuxer.packets(self.streams)

    def units(self) -> Iterator[tuple[int, Unit]]:
        """
        Units from here to the end of the file, each with the index of its track. Damaged places are stepped over; a
        file that is cut off just ends.
        """
        streams = self.streams
        for packet in self.packets():
            entry = streams[packet.stream_index]
            index = entry.track.index
            if self.breaks is not None:
                self._follow(entry, packet)
            if entry.converter is None:
                unit = entry.unit(packet)
                if entry.held is not None:
                    if packet.dts is None and len(entry.held) < _HELD:
                        entry.held.append(unit)
                        continue
                    for earlier in entry.settled(unit):
                        yield index, earlier
                yield index, unit
                continue
            for start, duration, data in entry.converter.convert(packet):
                time = start - entry.zero + entry.shift
                yield index, Unit(time, time, duration, True, data)
        for entry in streams.values():
            for unit in entry.held or ():
                yield entry.track.index, unit

    @property
    def _mustRelearn(self) -> bool:
        """Whether the clock jumps in a container that FFmpeg can find no place in but by that clock."""
        return self.breaks is not None and not self.demuxer.isMultiplex

    def _follow(self, entry: PlayedStream, packet: Any) -> None:
        """Notes what is to be added to the times of a stream from a packet on."""
        ticks = packet.dts if packet.dts is not None else packet.pts
        if self._relearnt is not None and ticks is not None:
            duration = entry.seconds(packet.duration)
            entry.shift = self._relearnt.learn(packet.stream_index, packet.pos, entry.npt(ticks), duration)
        elif self.breaks is not None and packet.pos is not None:
            entry.shift = self.breaks.at(packet.stream_index, packet.pos)
