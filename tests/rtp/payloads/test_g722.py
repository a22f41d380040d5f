"""G.722 in RTP: RFC 3551 section 4.5.2."""

from __future__ import annotations

import pytest
from soundstreams import FIRST_TIMESTAMP, encode, transmit

from mediasrv.media.tracks import Track, Unit
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.g722 import G722Format

FORMAT = G722Format(Track(0, "audio", "adpcm_g722", sampleRate=16000, channels=1))


@pytest.mark.requirement("SDP-3")
def test_description():
    assert (FORMAT.encodingName, FORMAT.clockRate, FORMAT.payloadType, FORMAT.channels) == ("G722", 8000, 9, 0)
    assert FORMAT.attributes() == ["a=ptime:20"]
    assert FORMAT.startMarker


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2)])
def test_refusedTracks(rate, channels):
    with pytest.raises(PayloadError):
        G722Format(Track(0, "audio", "adpcm_g722", sampleRate=rate, channels=channels))


def test_aByteIsATick():
    """20 ms are 160 bytes, which are 320 samples and 160 ticks."""
    groups = FORMAT.pack([Unit(0, 0, 0.05, True, bytes(400))], 1400)
    assert [(len(group.payloads[0]), round(group.pts * 8000)) for group in groups] == [(160, 0), (160, 160), (80, 320)]


def test_encoded():
    track, units = encode("g722", 16000, "mono", codec="adpcm_g722")
    received = transmit(G722Format(track), units, 1400)
    assert b"".join(unit.data for unit in received) == b"".join(unit.data for unit in units)
    first = round(units[0].pts * 8000)  # below zero: the encoder's delay
    times = [(unit.timestamp - FIRST_TIMESTAMP - first) % (1 << 32) for unit in received]
    assert times[:3] == [0, 160, 320]
