"""Scale, Speed and Seek-Style in dialogues (RFC 2326 sections 12.34 and 12.35, RFC 7826 section 18.47)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from rtsprig import AUDIO, SOUND, TCP, UDP, VIDEO, Client, Rig, gaps, numberOf, rangeOf, reports, rtpInfo

from mediasrv.media.presentation import PresentationChanged
from mediasrv.rtp.packets import parsePacket


@pytest.fixture
def film(client: Client) -> Client:
    """A client that has both tracks of the film, ten seconds with a key frame every two."""
    client.setUpFilm()
    return client


def times(client: Client) -> list[int]:
    """Timestamps of the pictures, each once."""
    return list(dict.fromkeys(packet.timestamp for packet in client.packets(0)))


ANSWERED = [
    # Scale, code, answered
    ("2.0", 200, "2.0"),
    ("2", 200, "2.0"),
    ("1", 200, "1.0"),
    ("0.5", 200, "0.5"),
    ("-1.0", 200, "-1.0"),
    ("1.333333", 200, "1.333333"),
    ("1000", 200, "32.0"),
    ("-1000", 200, "-32.0"),
    ("0.001", 200, "0.03125"),
    ("0", 400, None),
    ("-0", 400, None),
    ("nan", 400, None),
    ("inf", 400, None),
    ("1e308", 400, None),
    ("abc", 400, None),
    ("2,5", 400, None),
    ("", 400, None),
]


@pytest.mark.requirement("HDR-2", "SEC-12")
@pytest.mark.parametrize(("value", "code", "answered"), ANSWERED)
def testTheScaleThatIsReallyUsed(film: Client, rig: Rig, value: str, code: int, answered: str | None) -> None:
    answer = film.ask("PLAY", Range="npt=4-", Scale=value)
    assert answer.code == code
    assert answer.headers.get("Scale") == answered
    rig.wait(0.5)
    assert bool(film.packets(0)) == (code == 200)
    assert bool(film.packets(2)) == (answered == "1.0")


@pytest.mark.requirement("HDR-3", "SEC-12")
@pytest.mark.parametrize(
    ("value", "code", "answered"),
    [("2.0", 200, "2.0"), ("1", 200, "1.0"), ("0.5", 200, "0.5"), ("99", 200, "8.0"), ("0.0001", 200, "0.125")]
    + [(value, 400, None) for value in ("0", "-1", "nan", "inf", "1e9", "x", "1,2", "")],
)
def testTheSpeedThatIsReallyUsed(film: Client, value: str, code: int, answered: str | None) -> None:
    answer = film.ask("PLAY", Speed=value)
    assert (answer.code, answer.headers.get("Speed")) == (code, answered)
    assert answer.headers.get("Scale") is None


@pytest.mark.requirement("HDR-2", "PLY-3")
@pytest.mark.parametrize("name", ["Scale", "Speed", "Range"])
def testTwoOfThem(film: Client, name: str) -> None:
    value = "npt=1-" if name == "Range" else "2.0"
    twice = film.request("PLAY").replace(b"\r\n\r\n", f"\r\n{name}: {value}\r\n{name}: {value}\r\n\r\n".encode())
    film.write(twice)
    assert film.receive()[0].code == 400


@pytest.mark.requirement("HDR-2", "RTP-3", "RTP-7")
@pytest.mark.parametrize("scale", [0.5, 2.0])
def testScaleMovesPicturesNotTheClock(film: Client, rig: Rig, scale: float) -> None:
    """NPT advances Scale times as fast as the wall clock, timestamps with it; RTP-Info has no entry without packets."""
    answer = film.play("npt=2-", Scale=str(scale))
    assert rangeOf(answer) == (2.0, 10.0)
    infos = rtpInfo(answer)
    assert list(infos) == [VIDEO]
    rig.wait(1.0)
    assert film.pictures()[0] == 50
    assert len(film.pictures()) == pytest.approx(25 * scale, abs=1)
    found = times(film)
    assert found[0] == infos[VIDEO][1]
    assert film.packets(0)[0].sequence == infos[VIDEO][0]
    spacing = {(later - former) & 0xFFFFFFFF for former, later in itertools.pairwise(found)}
    assert spacing == {round(3600 / scale)}
    position = film.ask("GET_PARAMETER", body=b"position\r\n").body.decode()
    assert float(position.split(":")[1]) == pytest.approx(2.0 + scale, abs=0.05)


@pytest.mark.requirement("HDR-3", "RTP-10")
def testSpeedMovesPacketsNotTimestamps(film: Client, rig: Rig) -> None:
    answer = film.play("npt=0-", Speed="2.0")
    assert set(rtpInfo(answer)) == {VIDEO, AUDIO}
    rig.wait(1.0)
    assert len(film.pictures()) == pytest.approx(50, abs=1)
    found = times(film)
    assert {(later - former) & 0xFFFFFFFF for former, later in itertools.pairwise(found)} == {3600}
    assert film.packets(2)


@pytest.mark.requirement("HDR-2")
def testBackwards(film: Client, rig: Rig) -> None:
    """Key frames, the last one first; the range ends where it began for others."""
    answer = film.play("npt=7-", Scale="-1")
    assert answer.headers.get("Range") == "npt=6.000-0.000"
    rig.wait(6.5)
    assert film.pictures() == [150, 100, 50, 0]
    found = times(film)
    assert [(later - former) & 0xFFFFFFFF for former, later in itertools.pairwise(found)] == [180000] * 3
    assert set(gaps([packet.sequence for packet in film.packets(0)])) == {1}
    # and forwards from there
    assert rangeOf(film.play()) == (0.0, 10.0)


@pytest.mark.requirement("HDR-2")
def testWholeGroupsForWhoTurnsThemRound(film: Client, rig: Rig) -> None:
    """C{Frames: all}: each group in decoding order, the last one first."""
    answer = film.play("npt=3-", Scale="-1", Frames="all")
    assert answer.headers.get("Range") == "npt=4.000-0.000"
    rig.wait(4.5)
    assert film.pictures() == [*range(50, 100), *range(50)]
    found = times(film)
    assert all((former - later) & 0xFFFFFFFF == 3600 for former, later in itertools.pairwise(found[:50]))
    assert (found[50] - found[0]) & 0xFFFFFFFF == 180000


@pytest.mark.requirement("PLY-2", "HDR-2", "PLY-4")
@pytest.mark.parametrize(
    ("wanted", "code", "reply"),
    [
        ("npt=8-4", 200, "npt=8.000-4.000"),
        ("npt=4-8", 457, None),
        ("npt=4-4", 457, None),
        ("npt=12-", 457, None),
        ("npt=10.5-", 200, "npt=8.000-0.000"),
        ("npt=10-", 200, "npt=8.000-0.000"),
        (None, 200, "npt=8.000-0.000"),
        ("clock=20200913T122646Z-20200913T122642Z", 200, "clock=20200913T122646Z-20200913T122642Z"),
    ],
)
def testRangesBackwards(film: Client, wanted: str | None, code: int, reply: str | None) -> None:
    """The start comes first, as the direction has it; without a Range from the end, which is the beginning then."""
    answer = film.ask("PLAY", Range=wanted, Scale="-2")
    assert (answer.code, answer.headers.get("Range")) == (code, reply)


@pytest.mark.requirement("PLY-4", "HDR-2")
def testNothingIsBeforeTheBeginning(film: Client, rig: Rig) -> None:
    film.play("npt=2-", Scale="-2")
    rig.wait(2.0)
    assert film.ask("PLAY", Scale="-2").code == 457
    assert film.ask("PLAY").code == 200


@pytest.mark.requirement("PLY-1", "Q-6")
def testVLCChangesTheRateWhilePlaying(film: Client, rig: Rig) -> None:
    """PLAY with Scale and without Range: on from here, nothing lost, nothing twice; the same Scale again is no news."""
    film.play("npt=0-8")
    rig.wait(1.0)
    answer = film.play(Scale="2.0")
    start, end = rangeOf(answer)
    assert start == pytest.approx(1.0, abs=0.05)
    assert end == 8.0
    assert answer.headers.get("Scale") == "2.0"
    rig.wait(1.0)
    again = film.play(Scale="2.0")
    assert again.headers.get("RTP-Info") is None
    rig.wait(0.5)
    plain = film.play()
    assert plain.headers.get("Scale") == "2.0"  # a sign of life changes nothing, and the answer says what is
    rig.wait(0.5)
    film.play(Scale="1.0")
    rig.wait(1.0)
    shown = film.pictures()
    assert shown == list(range(len(shown)))
    assert len(shown) == pytest.approx(25 * (1 + 4 + 1), abs=3)
    assert film.packets(2)[-1].timestamp
    assert set(gaps([packet.sequence for packet in film.packets(0)])) == {1}


@pytest.mark.requirement("HDR-2", "Q-8")
def testGStreamerIsToldTheSpeedTogetherWithTheScale(film: Client) -> None:
    """It takes the Scale of an answer without Speed for the rate at which it has to play what comes."""
    answer = film.play("npt=8-0", Scale="-1.0")
    assert (answer.headers.get("Scale"), answer.headers.get("Speed")) == ("-1.0", "1.0")
    answer = film.play("npt=8-0", Scale="-1.0", Speed="2.0")
    assert (answer.headers.get("Scale"), answer.headers.get("Speed")) == ("-1.0", "2.0")


@pytest.mark.requirement("RTCP-3", "RTP-5")
def testReportsStayOnOneLine(film: Client, rig: Rig) -> None:
    """Whatever the rates, sender reports of a track are on one line of one second per second."""
    for headers in ({}, {"Scale": "2.0"}, {"Scale": "-4.0"}, {"Speed": "4.0"}, {"Scale": "0.5"}):
        film.ask("PLAY", Range="npt=6-", Immediate="yes", **headers)
        rig.wait(3.0)
    found = reports(film.control(1))
    assert len(found) >= 5
    first = found[0]
    for report in found[1:]:
        elapsed = (report.ntp - first.ntp) / (1 << 32)
        assert (report.rtpTime - first.rtpTime) & 0xFFFFFFFF == pytest.approx(elapsed * 90000, abs=2)


@pytest.mark.requirement("HDR-2")
def testSoundAloneIsPlayedInSteps(client: Client, rig: Rig) -> None:
    client.setUp(f"{SOUND}/trackID=0", TCP.format(0, 1))
    answer = client.ask("PLAY", SOUND, Range="npt=0-", Scale="4.0")
    assert (answer.code, answer.headers.get("Scale")) == (200, "4.0")
    rig.wait(1.0)
    assert len(client.packets(0)) == pytest.approx(50, abs=3)
    heard = [packet.payload[0] for packet in client.packets(0)]
    assert heard[:25] == list(range(25))
    assert heard[25:50] == list(range(100, 125))
    answer = client.ask("PLAY", SOUND, Range="npt=0-", Scale="0.5", Immediate="yes")
    assert answer.headers.get("Scale") == "1.0"


STYLES: list[Any] = [
    # Seek-Style, start, end of the header, first picture
    ("RAP", "npt=3-", "RAP", 50),
    ("rap", "npt=3-", "RAP", 50),
    ("First-Prior", "npt=3.01-", "First-Prior", 75),
    ("Next", "npt=3.01-", "Next", 76),
    ("CoRAP", "npt=3-", "CoRAP", 50),
    ("Whatever", "npt=3-", "RAP", 50),
    (None, "npt=3-", None, 50),
]


@pytest.mark.requirement("PLY-7", "RTP-3", "V2-e")
@pytest.mark.parametrize(("style", "wanted", "answered", "first"), STYLES)
def testSeekStyles(film: Client, rig: Rig, style: str | None, wanted: str, answered: str | None, first: int) -> None:
    """What was asked for is done, and what was done is said; Range, RTP-Info and the first packet agree."""
    headers = {} if style is None else {"Seek_Style": style}
    answer = film.play(wanted, **headers)
    assert answer.headers.get("Seek-Style") == answered
    assert rangeOf(answer)[0] == pytest.approx(first / 25, abs=0.001)
    rig.wait(0.2)
    assert film.pictures()[0] == first
    assert (film.packets(0)[0].sequence, film.packets(0)[0].timestamp) == rtpInfo(answer)[VIDEO]


@pytest.mark.requirement("PLY-7", "V2-e")
def testConditionalRandomAccess(film: Client, rig: Rig) -> None:
    """CoRAP: a key frame that is nearer than the pause point is used; else it goes on from there, which is "Next"."""
    film.play("npt=2-")
    rig.wait(1.0)
    film.ask("PAUSE")
    answer = film.play("npt=3.5-", Seek_Style="CoRAP")
    assert answer.headers.get("Seek-Style") == "Next"
    assert rangeOf(answer)[0] == pytest.approx(3.0, abs=0.02)
    rig.wait(0.5)
    film.ask("PAUSE")
    answer = film.play("npt=8.5-", Seek_Style="CoRAP")
    assert answer.headers.get("Seek-Style") == "CoRAP"
    assert rangeOf(answer)[0] == 8.0
    film.ask("PAUSE")
    answer = film.play("npt=1-", Seek_Style="CoRAP")  # before the pause point: nothing to go on with
    assert (answer.headers.get("Seek-Style"), rangeOf(answer)[0]) == ("CoRAP", 0.0)


# what does not work leaves what plays alone


@pytest.mark.requirement("HDR-2", "PLY-4")
def testARateThatCannotBeHadChangesNothing(film: Client, rig: Rig) -> None:
    """Backwards from the beginning there is nothing; and a file may be gone: the film goes on as it was."""
    film.play("npt=0-2")
    assert film.ask("PLAY", Scale="-1").code == 457
    rig.wait(0.5)
    rig.library.film.reading = _gone
    rig.cache.clear()
    assert film.ask("PLAY", Scale="2").code == 404
    rig.wait(2.5)
    assert film.pictures() == list(range(50))
    assert set(gaps([packet.sequence for packet in film.packets(2)])) == {1}


def _gone(number: int) -> None:
    raise PresentationChanged("gone")


@pytest.mark.requirement("PLY-2", "HDR-2")
def testARangeTurnsRound(film: Client, rig: Rig) -> None:
    """PLAY with Scale alone, while a range is played: its other end is the end now."""
    film.play("npt=0-8")
    rig.wait(5.0)
    film.forget()
    assert rangeOf(film.play(Scale="-1")) == (4.0, 0.0)
    rig.wait(5.0)
    assert film.pictures() == [100, 50, 0]


@pytest.mark.requirement("HDR-2", "PLY-2")
def testNoKeyFrameWithinARangeBackwards(film: Client, rig: Rig) -> None:
    assert film.ask("PLAY", Range="npt=5-4.5", Scale="-1").code == 457
    assert rangeOf(film.play("npt=4-5")) == (4.0, 5.0)


@pytest.mark.requirement("HDR-2")
def testSoundNextToNothingHasNoScale(client: Client, rig: Rig) -> None:
    """The film has pictures, but who set up its sound alone would hear nothing at another Scale."""
    client.setUp(AUDIO, TCP.format(2, 3))
    assert client.ask("PLAY", AUDIO, Range="npt=0-", Scale="2").headers.get("Scale") == "1.0"
    rig.wait(1.0)
    assert client.packets(2)


@pytest.mark.requirement("HDR-2", "PAU-8", "TDN-1")
@pytest.mark.parametrize("method", ["PAUSE", "TEARDOWN"])
def testWithoutItsPicturesAFastFilmPauses(film: Client, rig: Rig, method: str) -> None:
    film.play("npt=0-", Scale="2")
    rig.wait(1.0)
    assert film.ask(method, VIDEO).code == 200
    assert film.ask("GET_PARAMETER", body=b"state\r\n").body == b"state: paused\r\n"


@pytest.mark.requirement("HDR-2", "RTP-3")
def testARateIsNotChangedWhileAnotherSeeks(client: Client, rig: Rig) -> None:
    """Two connections, one session, a slow disk: each PLAY counts once, and timestamps do not step back."""
    client.setUp(VIDEO, UDP.format(5000, 5001))
    other = rig.connect()
    other.session = client.session
    client.play("npt=0-")
    rig.wait(1.0)
    rig.cache.clear()
    rig.pool.held = True
    client.write(client.request("PLAY", Scale="2"))
    other.write(other.request("PLAY", Range="npt=6-"))
    rig.wait(0.2)
    rig.pool.work()
    rig.pool.held = False
    rig.wait(2.0)
    packets = [parsePacket(data) for data in rig.datagrams("rtp", 5000)]
    found = [packet.timestamp for packet in packets]
    assert all((later - former) & 0xFFFFFFFF < 0x80000000 for former, later in itertools.pairwise(found))
    assert numberOf(packets[-1].payload) >= 150
