"""Uncompressed and logarithmic sound in RTP: RFC 3551 and RFC 3190."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundstreams import FIRST_TIMESTAMP, checkGarbage, checkGroups, checkLoss, encode, transmit, unpackerOf

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError, PayloadFormat
from mediasrv.rtp.payloads.pcm import L8Format, L16Format, L24Format, PCMAFormat, PCMUFormat


def formatOf(cls: type[PayloadFormat], codec: str, rate: int, channels: int) -> PayloadFormat:
    return cls(Track(0, "audio", codec, sampleRate=rate, channels=channels))


MULAW = formatOf(PCMUFormat, "pcm_mulaw", 8000, 1)
CD = formatOf(L16Format, "pcm_s16le", 44100, 2)


def runs(sizes: list[int], frameBytes: int, rate: int, start: float = 0.0) -> list[Unit]:
    """Units of so many sample frames, each byte its place modulo 251."""
    units = []
    position = 0
    for size in sizes:
        data = bytes(n % 251 for n in range(position * frameBytes, (position + size) * frameBytes))
        time = start + position / rate
        units.append(Unit(time, time, size / rate, True, data))
        position += size
    return units


@pytest.mark.requirement("SDP-3")
@pytest.mark.parametrize(
    ("cls", "codec", "rate", "channels", "name", "payloadType", "mapped"),
    [
        (PCMUFormat, "pcm_mulaw", 8000, 1, "PCMU", 0, 0),
        (PCMUFormat, "pcm_mulaw", 16000, 1, "PCMU", None, 0),
        (PCMUFormat, "pcm_mulaw", 8000, 2, "PCMU", None, 2),
        (PCMAFormat, "pcm_alaw", 8000, 1, "PCMA", 8, 0),
        (L16Format, "pcm_s16le", 44100, 2, "L16", 10, 2),
        (L16Format, "pcm_s16be", 44100, 1, "L16", 11, 0),
        (L16Format, "pcm_s16le", 48000, 2, "L16", None, 2),
        (L8Format, "pcm_u8", 11025, 1, "L8", None, 0),
        (L24Format, "pcm_s24le", 48000, 6, "L24", None, 6),
    ],
)
def test_description(cls, codec, rate, channels, name, payloadType, mapped):
    """Static payload types: RFC 3551 table 4."""
    found = formatOf(cls, codec, rate, channels)
    assert (found.encodingName, found.clockRate) == (name, rate)
    assert (found.payloadType, found.channels) == (payloadType, mapped)
    assert found.startMarker


def test_packetTime():
    """Announced where every packet has it."""
    assert MULAW.attributes() == ["a=ptime:20"]
    assert CD.attributes() == []


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (-1, 1), (1 << 24, 1), (8000, 256)])
def test_refusedTracks(rate, channels):
    with pytest.raises(PayloadError):
        formatOf(PCMUFormat, "pcm_mulaw", rate, channels)


def test_twentyMilliseconds():
    """160 bytes at a time, across the borders of units; the rest as it is."""
    units = runs([100, 300, 7], 1, 8000, 5.0)
    groups = MULAW.pack(units, 1400)
    data = b"".join(unit.data for unit in units)
    assert [group.payloads for group in groups] == [[data[:160]], [data[160:320]], [data[320:]]]
    assert [group.pts for group in groups] == pytest.approx([5.0, 5.02, 5.04])
    assert [group.dts for group in groups] == [group.pts for group in groups]
    assert not any(group.marker for group in groups)


def test_aGapBeginsANewPacket():
    units = [*runs([200], 1, 8000), *runs([200], 1, 8000, 0.1)]
    groups = MULAW.pack(units, 1400)
    assert [(len(group.payloads[0]), group.pts) for group in groups] == [
        (160, 0.0),
        (40, pytest.approx(0.02)),
        (160, 0.1),
        (40, pytest.approx(0.12)),
    ]


def test_whatFits():
    """20 ms would be 3528 bytes: 350 whole frames of 4 bytes instead."""
    groups = CD.pack(runs([1000], 4, 44100), 1402)
    assert [len(group.payloads[0]) for group in groups] == [1400, 1400, 1200]
    assert [group.pts for group in groups] == pytest.approx([0, 350 / 44100, 700 / 44100])


def test_noFrameFits():
    wide = formatOf(L24Format, "pcm_s24le", 48000, 64)
    assert wide.pack(runs([100], 192, 48000), 191) == []


def test_byteOrder():
    """The network's is big-endian."""
    unit = Unit(0, 0, 0, True, b"\x01\x02\x03\x04")
    assert CD.pack([unit], 64)[0].payloads == [b"\x02\x01\x04\x03"]
    assert formatOf(L16Format, "pcm_s16be", 44100, 2).pack([unit], 64)[0].payloads == [b"\x01\x02\x03\x04"]
    unit = Unit(0, 0, 0, True, b"\x01\x02\x03\x04\x05\x06\x07")
    assert formatOf(L24Format, "pcm_s24le", 8000, 1).pack([unit], 64)[0].payloads == [b"\x03\x02\x01\x06\x05\x04"]
    assert formatOf(L24Format, "pcm_s24be", 8000, 1).pack([unit], 64)[0].payloads == [b"\x01\x02\x03\x04\x05\x06"]


kinds = st.sampled_from(
    [
        (PCMUFormat, "pcm_mulaw", 8000, 1, 1),
        (PCMAFormat, "pcm_alaw", 8000, 2, 2),
        (L8Format, "pcm_u8", 11025, 1, 1),
        (L16Format, "pcm_s16be", 44100, 2, 4),
        (L24Format, "pcm_s24be", 48000, 6, 18),
    ]
)
sizes = st.lists(st.integers(0, 1200), max_size=6)


@given(kinds, sizes, st.integers(64, 1500))
def test_packThenUnpack(kind, lengths, limit):
    """All samples in order, each packet on time, all of one size but the last."""
    cls, codec, rate, channels, frameBytes = kind
    payloadFormat = formatOf(cls, codec, rate, channels)
    units = runs(lengths, frameBytes, rate)
    received = transmit(payloadFormat, units, limit)
    assert b"".join(unit.data for unit in received) == b"".join(unit.data for unit in units)
    assert len({len(unit.data) for unit in received[:-1]}) <= 1
    position = 0
    for unit in received:
        assert (unit.timestamp - FIRST_TIMESTAMP) % (1 << 32) == position
        position += len(unit.data) // frameBytes


@given(sizes, st.sets(st.integers(0, 60)))
def test_loss(lengths, lost):
    checkLoss(MULAW, runs(lengths, 1, 8000), 200, lost)


@pytest.mark.requirement("SEC-13")
@given(st.lists(st.binary(max_size=40), max_size=9))
def test_garbage(payloads):
    checkGarbage(unpackerOf(CD), [(n, 0, False, payload) for n, payload in enumerate(payloads)])


def test_partsOfFramesAreRefused():
    with pytest.raises(PayloadError):
        unpackerOf(CD).push(0, 0, False, bytes(6))
    with pytest.raises(PayloadError):
        L16Format.unpacker({"channels": "two"})


@pytest.mark.parametrize(
    ("cls", "codec", "rate", "layout"),
    [
        (PCMUFormat, "pcm_mulaw", 8000, "mono"),
        (PCMAFormat, "pcm_alaw", 8000, "mono"),
        (L16Format, "pcm_s16be", 44100, "stereo"),
        (L16Format, "pcm_s16le", 48000, "stereo"),
    ],
)
def test_encoded(cls, codec, rate, layout):
    track, units = encode(codec, rate, layout, 0.2)
    payloadFormat = cls(track)
    checkGroups(payloadFormat.pack(units, 1400), 1400)
    received = b"".join(unit.data for unit in transmit(payloadFormat, units, 1400))
    expected = b"".join(unit.data for unit in units)
    if codec == "pcm_s16le":
        expected = b"".join(expected[n + 1 : n + 2] + expected[n : n + 1] for n in range(0, len(expected), 2))
    assert received == expected
