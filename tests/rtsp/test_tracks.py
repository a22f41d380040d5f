"""PLAY, PAUSE, TEARDOWN and SETUP of single tracks of a session (RFC 2326 section 9.2; PLY-12, PAU-8, TDN-1)."""

from __future__ import annotations

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, UDP, VIDEO, Client, Rig, gaps, rangeOf, rtpInfo, said

from mediasrv.rtsp.messages import Response


@pytest.fixture
def film(client: Client) -> Client:
    """A client that has both tracks of the film, ten seconds with a key frame every two."""
    client.setUpFilm()
    return client


def state(client: Client) -> str:
    return client.ask("GET_PARAMETER", body=b"state\r\n").body.decode().partition(":")[2].strip()


@pytest.mark.requirement("PLY-12")
@pytest.mark.parametrize(("url", "heard", "silent"), [(VIDEO, 0, 2), (AUDIO, 2, 0)])
def testPlayOfOneTrack(film: Client, rig: Rig, url: str, heard: int, silent: int) -> None:
    answer = film.ask("PLAY", url, Range="npt=2-4")
    assert answer.code == 200
    assert rangeOf(answer) == (2.0, 4.0)
    assert list(rtpInfo(answer)) == [url]
    rig.wait(3.0)
    assert film.packets(heard)
    assert not film.packets(silent)
    assert state(film) == "paused"


@pytest.mark.requirement("PLY-12", "RTP-2", "RTP-3")
def testAnotherTrackJoins(film: Client, rig: Rig) -> None:
    """It is sent from where the others are, whatever Range says; a picture comes with the next key frame."""
    film.ask("PLAY", AUDIO, Range="npt=1-")
    rig.wait(0.5)
    answer = film.ask("PLAY", VIDEO, Range="npt=7-")
    assert answer.code == 200
    start, end = rangeOf(answer)
    assert (start, end) == (pytest.approx(0.5, abs=0.05), 10.0)
    sequence, rtpTime = rtpInfo(answer)[VIDEO]
    rig.wait(2.0)
    assert film.pictures()[0] == 50
    first = film.packets(0)[0]
    assert first.sequence == sequence
    assert (first.timestamp - rtpTime) & 0xFFFFFFFF == pytest.approx((2.0 - start) * 90000, abs=2)
    assert set(gaps([packet.sequence for packet in film.packets(2)])) == {1}


@pytest.mark.requirement("PAU-8", "PAU-4")
def testPauseOfOneTrack(film: Client, rig: Rig) -> None:
    """The other one plays on; the presentation's PLAY takes it in again."""
    film.play("npt=0-")
    rig.wait(0.5)
    answer = film.ask("PAUSE", AUDIO)
    assert answer.code == 200
    assert rangeOf(answer)[0] == pytest.approx(0.5, abs=0.05)
    heard = len(film.packets(2))
    rig.wait(1.0)
    assert len(film.packets(2)) == heard
    assert film.pictures() == list(range(len(film.pictures())))
    assert len(film.pictures()) == pytest.approx(38, abs=2)
    assert state(film) == "playing"
    assert film.ask("PAUSE", AUDIO).code == 200  # it is what it is
    answer = film.play()
    assert list(rtpInfo(answer)) == [AUDIO]
    rig.wait(0.5)
    sounds = film.packets(2)
    assert sounds[heard].sequence == rtpInfo(answer)[AUDIO][0] == (sounds[heard - 1].sequence + 1) & 0xFFFF
    assert sounds[heard].marker  # a talkspurt begins


@pytest.mark.requirement("PAU-8")
def testTheLastTrackThatPausesPausesTheSession(film: Client, rig: Rig) -> None:
    film.play("npt=0-")
    rig.wait(0.5)
    film.ask("PAUSE", AUDIO)
    film.ask("PAUSE", VIDEO)
    assert state(film) == "paused"
    count = len(film.pictures())
    rig.wait(1.0)
    assert len(film.pictures()) == count
    film.play()
    rig.wait(0.5)
    assert film.packets(2)[-1].marker is False
    assert film.pictures() == list(range(len(film.pictures())))


@pytest.mark.requirement("PLY-12")
def testOneTrackIsNotSoughtAlone(film: Client, rig: Rig) -> None:
    """A session has one position: 460 for another one of a track that plays with others, and nothing changes."""
    film.play("npt=0-")
    rig.wait(0.2)
    assert film.ask("PLAY", VIDEO, Range="npt=4-").code == 460
    assert film.ask("PAUSE", VIDEO, Range="npt=4").code == 460
    assert film.ask("PLAY", VIDEO).code == 200
    rig.wait(1.0)
    assert film.pictures() == list(range(len(film.pictures())))
    film.ask("PAUSE", AUDIO)
    # alone it has a position of its own
    assert rangeOf(film.ask("PLAY", VIDEO, Range="npt=6-"))[0] == 6.0


@pytest.mark.requirement("TDN-1", "RTCP-7")
@pytest.mark.parametrize("udp", [None, 5000])
def testTeardownOfOneTrack(client: Client, rig: Rig, udp: int | None) -> None:
    """It says goodbye, and the other one plays on; with the last one the session is gone."""
    client.setUpFilm(udp)
    client.play("npt=0-")
    rig.wait(0.5)
    answer = client.ask("TEARDOWN", AUDIO)
    assert answer.code == 200
    assert answer.headers.get("Session", "").startswith(client.session)
    if udp is None:
        assert said(client.control(3))
        assert not said(client.control(1))
        heard = len(client.packets(2))
        rig.wait(0.5)
        assert len(client.packets(2)) == heard
        assert client.pictures() == list(range(len(client.pictures())))
    (session,) = rig.registry
    assert session.tracks == ["video h264"]
    assert client.ask("TEARDOWN", AUDIO).code == 455
    # what is left is all there is
    assert client.ask("PAUSE", VIDEO).code == 200
    assert state(client) == "paused"
    assert client.ask("TEARDOWN", VIDEO).code == 200
    assert not list(rig.registry)
    assert client.ask("PLAY").code == 454


@pytest.mark.requirement("TDN-1", "SET-10")
def testATrackComesBack(film: Client, rig: Rig) -> None:
    """VLC takes tracks out and in again while others play, with SETUP and PLAY of the track alone (PLY-12)."""
    film.play("npt=0-")
    rig.wait(0.5)
    film.ask("TEARDOWN", AUDIO)
    assert film.setUp(AUDIO, TCP.format(6, 7)).code == 200
    rig.wait(0.5)
    assert not film.packets(6)  # not before it is played
    answer = film.ask("PLAY", AUDIO)
    assert list(rtpInfo(answer)) == [AUDIO]
    rig.wait(0.5)
    assert film.packets(6)[0].sequence == rtpInfo(answer)[AUDIO][0]
    assert film.pictures() == list(range(len(film.pictures())))


@pytest.mark.requirement("PLY-12")
def testPlayOfTheOnlyOneThatPlaysStartsNoOther(client: Client, rig: Rig) -> None:
    client.setUp(VIDEO, TCP.format(0, 1))
    client.play("npt=0-")
    client.setUp(AUDIO, TCP.format(2, 3))
    answer = client.ask("PLAY", VIDEO)
    assert (answer.code, answer.headers.get("RTP-Info")) == (200, None)
    rig.wait(0.5)
    assert not client.packets(2)
    assert list(rtpInfo(client.play())) == [AUDIO]


@pytest.mark.requirement("SET-10")
def testATrackThatPlaysKeepsItsTransport(film: Client, rig: Rig) -> None:
    film.play("npt=0-")
    answer = film.ask("SETUP", VIDEO, Transport=UDP.format(5000, 5001))
    assert (answer.code, bool(answer.headers.get("Allow"))) == (455, True)


@pytest.mark.requirement("PLY-13", "PLY-12")
def testTracksThatAreNotSetUp(client: Client) -> None:
    """455 tells the client to SETUP it; 404 that there is no such track."""
    client.setUp(VIDEO, TCP.format(0, 1))
    for method in ("PLAY", "TEARDOWN"):
        answer = client.ask(method, AUDIO)
        assert answer.code == 455
        assert "SETUP" in answer.headers.get("Allow", "")
    assert client.ask("PAUSE", AUDIO).code == 455
    assert client.ask("PLAY", f"{FILM}/trackID=9").code == 404
    assert client.ask("PLAY", SOUND).code == 404
    assert client.ask("PLAY", VIDEO).code == 200


@pytest.mark.requirement("RTCP-7")
def testTheEndIsToldOnEveryTrack(film: Client, rig: Rig) -> None:
    """FFmpeg waits for BYE on all of them, also on those that were paused."""
    film.play("npt=8-")
    rig.wait(0.5)
    film.ask("PAUSE", AUDIO)
    rig.wait(4.0)
    assert said(film.control(1))
    assert said(film.control(3))


# pictures come back with a key frame, however they went


@pytest.mark.requirement("PLY-12", "PAU-4")
def testPicturesThatWereMutedBeforeAPause(film: Client, rig: Rig) -> None:
    film.play("npt=0-")
    rig.wait(0.5)
    film.ask("PAUSE", VIDEO)
    rig.wait(0.5)
    film.ask("PAUSE")
    film.forget()
    film.play()
    rig.wait(2.0)
    assert film.pictures()[0] == 50
    assert film.packets(2)


@pytest.mark.requirement("PLY-12", "SET-15")
@pytest.mark.parametrize("heardBefore", [False, True])
def testPicturesThatAreSetUpInAPause(client: Client, rig: Rig, heardBefore: bool) -> None:
    client.setUp(AUDIO, TCP.format(2, 3))
    if heardBefore:
        client.setUp(VIDEO, TCP.format(0, 1))
    client.play("npt=0-")
    rig.wait(0.6)
    client.ask("PAUSE")
    client.forget()
    if heardBefore:
        assert client.ask("TEARDOWN", VIDEO).code == 200
    client.setUp(VIDEO, TCP.format(0, 1))
    client.play()
    rig.wait(2.0)
    assert client.pictures()[0] == 50


@pytest.mark.requirement("PLY-12", "HDR-2")
def testPicturesThatWereMutedAndAnotherRate(film: Client, rig: Rig) -> None:
    film.play("npt=0-")
    rig.wait(0.5)
    film.ask("PAUSE", VIDEO)
    rig.wait(0.5)
    film.forget()
    film.play(Scale="0.5")
    rig.wait(3.0)
    assert film.pictures()[0] == 50


@pytest.mark.requirement("TDN-1", "PLY-12")
def testATrackThatGoesWhileItsPlayWaits(client: Client, rig: Rig) -> None:
    """Two connections and a slow disk: there is nothing left that the PLAY meant."""
    for number, url in enumerate((VIDEO, AUDIO)):
        client.setUp(url, UDP.format(5000 + 2 * number, 5001 + 2 * number))
    other = rig.connect()
    other.session = client.session
    rig.pool.held = True
    client.write(client.request("PLAY", AUDIO, Range="npt=0-"))
    assert other.ask("TEARDOWN", AUDIO).code == 200
    rig.pool.work()
    rig.pool.held = False
    assert [message.code for message in client.receive() if isinstance(message, Response)] == [455]
    rig.wait(1.0)
    assert not rig.datagrams("rtp", 5000)
