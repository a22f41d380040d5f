"""What a SETUP may demand and not get: 452, 453, 463 (RFC 2326 sections 12.6 and 12.9, RFC 4567)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rtsprig import AUDIO, TCP, VIDEO, Client, Rig

FIRST, SECOND = TCP.format(0, 1), TCP.format(2, 3)


@pytest.fixture
def rig() -> Rig:
    """Its film has pictures of one megabit a second and sound of 64 kilobits."""
    rig = Rig()
    tracks = rig.library.film.tracks
    tracks[:] = [replace(track, bitRate=rate) for track, rate in zip(tracks, (1_000_000, 64_000), strict=True)]
    return rig


@pytest.mark.requirement("SET-14")
def testBandwidth(client: Client, rig: Rig) -> None:
    """The tracks of the session count together; who can take only the sound gets that."""
    assert client.setUp(AUDIO, FIRST, Bandwidth="64000").code == 200
    assert client.setUp(VIDEO, SECOND, Bandwidth="1063999").code == 453
    assert client.setUp(AUDIO, FIRST, Bandwidth="64000").code == 200  # the same again is not twice as much
    (session,) = rig.registry
    assert session.tracks == ["audio pcm_mulaw"]
    assert client.setUp(VIDEO, SECOND, Bandwidth="1064000").code == 200
    assert client.ask("PLAY").code == 200


@pytest.mark.requirement("SET-14")
def testWithoutBandwidthThereIsEnough(client: Client) -> None:
    """Only who says how much it has can have too little, and only a SETUP needs it: DESCRIBE is for everybody."""
    assert client.ask("DESCRIBE", Bandwidth="1").code == 200
    assert client.setUp(VIDEO, FIRST).code == 200


@pytest.mark.requirement("SET-14")
def testWhatNobodyKnowsIsNotHeldAgainstAClient(client: Client, rig: Rig) -> None:
    """A file that does not say how many bits a second it has."""
    tracks = rig.library.film.tracks
    tracks[:] = [replace(track, bitRate=0) for track in tracks]
    assert client.setUp(VIDEO, FIRST, Bandwidth="1").code == 200


@pytest.mark.requirement("SET-14")
@pytest.mark.parametrize("bandwidth", ["", "0", "-1", "1e6", "64 000", "１", "9" * 1000])
def testWhatIsNoBandwidth(client: Client, rig: Rig, bandwidth: str) -> None:
    assert client.setUp(VIDEO, FIRST, Bandwidth=bandwidth).code == 400
    assert len(rig.registry) == 0
    assert client.setUp(VIDEO, FIRST).code == 200


@pytest.mark.requirement("HDR-9")
@pytest.mark.parametrize("conference", ["199702170042.SAA08642@obiwan.example%20Starr", ""])
def testConferences(client: Client, rig: Rig, conference: str) -> None:
    assert client.setUp(VIDEO, FIRST, Conference=conference).code == 452
    assert len(rig.registry) == 0
    client.setUp(VIDEO, FIRST)
    assert client.setUp(AUDIO, SECOND, Conference=conference).code == 452
    assert client.ask("PLAY", Conference=conference).code == 200  # a header of SETUP and of nothing else


@pytest.mark.requirement("SEC-9")
@pytest.mark.parametrize("transport", [FIRST, f"RTP/SAVP/TCP;unicast;interleaved=0-1,{FIRST}"])
def testKeys(client: Client, rig: Rig, transport: str) -> None:
    """Who brings keys is told that they are no use, and not sent in the clear what it wanted encrypted."""
    assert client.setUp(VIDEO, transport, KeyMgmt='prot=mikey;uri="";data="AAAA"').code == 463
    assert len(rig.registry) == 0
    assert client.setUp(VIDEO, transport).code == 200
