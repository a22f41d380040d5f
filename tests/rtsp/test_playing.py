"""PLAY, PAUSE and what comes of them (requirements PLY, PAU, RTP, RTCP)."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from rtsprig import AUDIO, FILM, SOUND, TCP, VIDEO, Client, Rig, gaps, rangeOf, reports, rtpInfo, said

from mediasrv.media.presentation import PresentationChanged
from mediasrv.rtp.packets import RTPPacket
from mediasrv.rtp.rtcp import SourceDescription


@pytest.fixture
def film(client: Client) -> Client:
    """A client that has set up both tracks over TCP."""
    client.setUpFilm()
    return client


def seconds(packet: RTPPacket, start: int, rate: int = 90000) -> float:
    """How much later than an RTP time a packet is, seconds; negative if it is earlier."""
    return (((packet.timestamp - start) + (1 << 31) & 0xFFFFFFFF) - (1 << 31)) / rate


@pytest.mark.requirement("PLY-1", "PLY-7", "RTP-1", "RTP-2", "RTP-3", "HDR-4", "V2-h")
def testFirstPlayStartsAtTheBeginning(film: Client, rig: Rig) -> None:
    """PLY-1, PLY-7, RTP-1, RTP-2, RTP-3: the reply is exact about what follows it."""
    answer = film.play()
    assert rangeOf(answer) == (0.0, 10.0)
    info = rtpInfo(answer)
    assert list(info) == [VIDEO, AUDIO]
    rig.wait(0.5)
    for channel, url in ((0, VIDEO), (2, AUDIO)):
        first = film.packets(channel)[0]
        assert (first.sequence, first.timestamp) == info[url]
        assert info[url][1] != 0
    assert film.pictures() == list(range(len(film.pictures())))
    assert 12 <= len(film.pictures()) <= 14


@pytest.mark.requirement("RTP-12", "RTP-10")
def testNothingBeforeTheReplyAndThenAtOnce(film: Client) -> None:
    """RTP-12, RTP-10: the first message is the reply; the first packets follow it before any tick."""
    film.forget()
    film.write(film.request("PLAY"))
    messages = film.receive()
    assert getattr(messages[0], "code", None) == 200
    assert film.packets(0)


@pytest.mark.requirement("RTP-12")
def testOldPacketsDoNotFollowTheReplyToASeek(film: Client, rig: Rig) -> None:
    """RTP-12: after the reply to PLAY there is nothing of the former range."""
    film.play()
    rig.wait(1.0)
    film.forget()
    film.write(film.request("PLAY", Range="npt=6-"))
    film.receive()
    (answer,) = (at for at, message in enumerate(film.messages) if hasattr(message, "code"))
    del film.messages[: answer + 1]
    rig.wait(0.2)
    assert film.pictures()[0] == 150


RANGES = [
    # Range, picture that comes first, reply
    (None, 0, "npt=0.000-10.000"),
    ("npt=0-", 0, "npt=0.000-10.000"),
    ("npt=5-", 100, "npt=4.000-10.000"),
    ("npt=5.25-7", 100, "npt=4.000-7.000"),
    ("npt=0:00:06.5-", 150, "npt=6.000-10.000"),
    ("npt=-3", 0, "npt=0.000-3.000"),
    ("npt=now-", 0, "npt=0.000-10.000"),
    ("npt = 2 - 4", 50, "npt=2.000-4.000"),
    ("npt=2-100", 50, "npt=2.000-10.000"),
    ("smpte-25=0:00:04:05-", 100, "smpte-25=00:00:04:00-00:00:10:00"),
    ("smpte=0:00:02-", 50, None),
    ("clock=20200913T122646Z-", 150, "clock=20200913T122646Z-20200913T122650Z"),
    ("clock=20200913T122644.5Z-20200913T122648Z", 100, "clock=20200913T122644Z-20200913T122648Z"),
    # within the last second, and a little beyond the end: VLC has paused already (PLY-4)
    ("npt=9.99-", 200, "npt=8.000-10.000"),
    ("npt=10.5-", 200, "npt=8.000-10.000"),
]


@pytest.mark.requirement("PLY-2", "PLY-4", "PLY-7")
@pytest.mark.parametrize(("wanted", "first", "reply"), RANGES)
def testRanges(film: Client, rig: Rig, wanted: str | None, first: int, reply: str | None) -> None:
    """PLY-2, PLY-4, PLY-7: every form; the key frame before it; the reply in the unit of the request."""
    answer = film.play(wanted)
    if reply is not None:
        assert answer.headers.get("Range") == reply
    rig.wait(0.1)
    assert film.pictures()[0] == first
    assert film.packets(0)[0].timestamp == rtpInfo(answer)[VIDEO][1]
    assert film.packets(2)[0].timestamp == rtpInfo(answer)[AUDIO][1]


REFUSED = [
    ("bytes=0-5", 501),
    ("npt", 400),
    ("npt=", 400),
    ("npt=-", 400),
    ("npt=a-b", 400),
    ("npt=nan-", 400),
    ("npt=inf-", 400),
    ("npt=1e309-", 400),
    ("npt=-1-", 400),
    ("npt=" + "9" * 400 + "-", 400),
    ("npt=9999999999-", 457),
    ("npt=11.5-", 457),
    ("npt=5-3", 457),
    ("npt=5-5", 457),
    ("npt=-0", 457),
    ("smpte=99:99:99:99.99-", 400),
    ("smpte=9:00:00-", 457),
    ("clock=99999999T999999Z-", 400),
    ("clock=20210230T000000Z-", 400),
    ("clock=19961108T142300Z-", 457),
    ("clock=99991231T235959Z-", 457),
    (",".join(["npt=1-2"] * 1000), 400),
]


@pytest.mark.requirement("PLY-3", "PLY-4", "SEC-11", "STA-2", "COD-400", "COD-457", "COD-501")
@pytest.mark.parametrize(("wanted", "code"), REFUSED)
def testRefusedRangesDisturbNothing(film: Client, rig: Rig, wanted: str, code: int) -> None:
    """PLY-3, PLY-4, section 1.10, SEC-11: what cannot be played leaves what plays alone."""
    film.play()
    rig.wait(0.2)
    film.forget()
    answer = film.ask("PLAY", Range=wanted)
    assert answer.code == code
    assert answer.headers.get("Session", "").startswith(film.session)
    rig.wait(0.4)
    assert film.pictures() == list(range(film.pictures()[0], film.pictures()[0] + len(film.pictures())))
    assert 9 <= len(film.pictures()) <= 11


@pytest.mark.requirement("PLY-3")
def testTwoRangesAreRefused(film: Client) -> None:
    """PLY-3."""
    film.write(film.request("PLAY", Range="npt=1-").replace(b"\r\n\r\n", b"\r\nRange: npt=2-\r\n\r\n"))
    assert film.receive()[0].code == 400


@pytest.mark.requirement("PLY-1")
def testPlayWhilePlayingIsASignOfLife(film: Client, rig: Rig) -> None:
    """PLY-1: no Range, no effect."""
    film.play("npt=2-9")
    rig.wait(1.0)
    start, end = rangeOf(film.play())
    assert start == pytest.approx(3.0, abs=0.02)
    assert end == 9.0
    rig.wait(1.0)
    assert film.pictures() == list(range(50, 50 + len(film.pictures())))
    assert set(gaps([packet.sequence for packet in film.packets(0)])) == {1}


@pytest.mark.requirement("PLY-2")
def testNowWhilePlayingGoesOnWithoutAGap(film: Client, rig: Rig) -> None:
    """PLY-2: C{npt=-4} only says where to stop."""
    film.play("npt=2-")
    rig.wait(1.0)
    start, end = rangeOf(film.play("npt=-4"))
    assert start == pytest.approx(3.0, abs=0.02)
    assert end == 4.0
    rig.wait(2.0)
    assert film.pictures() == list(range(50, 100))


@pytest.mark.requirement("PAU-1", "PAU-4", "PAU-6", "RTP-4", "RTP-5", "V2-h")
def testPauseAndResume(film: Client, rig: Rig) -> None:
    """PAU-1, PAU-4, PAU-6, RTP-4, RTP-5: nothing after the reply, nothing lost or repeated, a pause takes its time."""
    film.play()
    rig.wait(1.0)
    answer = film.ask("PAUSE")
    assert answer.code == 200
    assert rangeOf(answer)[0] == pytest.approx(1.0, abs=0.02)
    before = film.packets(0)
    rig.wait(3.0)
    assert film.packets(0) == before
    again = film.play()
    assert rangeOf(again)[0] == rangeOf(answer)[0]
    rig.wait(1.0)
    assert film.pictures() == list(range(len(film.pictures())))
    assert len(film.pictures()) in (50, 51, 52)
    packets = film.packets(0)
    assert set(gaps([packet.sequence for packet in packets])) == {1}
    assert packets[len(before)].sequence == rtpInfo(again)[VIDEO][0]
    gap = seconds(packets[len(before)], before[-1].timestamp)
    assert gap == pytest.approx(3.0 + 1 / 25, abs=0.05)
    tone = film.packets(2)
    assert [each.payload[0] for each in tone] == [number & 0xFF for number in range(len(tone))]


@pytest.mark.requirement("RTP-4", "RTP-5", "RTP-8", "V2-b", "HDR-4")
def testSeekWhilePlaying(film: Client, rig: Rig) -> None:
    """RTP-4, RTP-5, RTP-8: one line of sequence numbers and times; at a seek the gap is a frame at most."""
    film.play()
    rig.wait(1.0)
    old = film.packets(0)[-1]
    film.forget()
    answer = film.play("npt=8-")
    rig.wait(0.5)
    new = film.packets(0)[0]
    assert new.sequence == (old.sequence + 1) & 0xFFFF
    assert 0 < seconds(new, old.timestamp) <= 0.06
    assert new.ssrc == old.ssrc
    assert rtpInfo(answer)[VIDEO] == (new.sequence, new.timestamp)


@pytest.mark.requirement("RTP-3", "RTCP-3")
def testPicturesAndSoundStayTogether(film: Client, rig: Rig) -> None:
    """RTP-3, RTCP-3: after any seek both tracks' times belong to one instant, and sender reports say the same."""
    wander = random.Random(5)
    for _ in range(10):
        film.forget()
        info = rtpInfo(film.play(f"npt={wander.uniform(0, 9.5):.3f}-"))
        rig.wait(wander.uniform(0.05, 0.6))
        pairs = []
        for channel, url, rate in ((1, VIDEO, 90000), (3, AUDIO, 8000)):
            report = reports(film.control(channel))[0]
            late = ((info[url][1] - report.rtpTime + (1 << 31) & 0xFFFFFFFF) - (1 << 31)) / rate
            pairs.append(report.ntp / (1 << 32) + late)
        assert pairs[0] == pytest.approx(pairs[1], abs=0.001)


@pytest.mark.requirement("PLY-6", "PLY-10", "RTCP-7", "PAU-5")
def testRangeEndsBeforeItsLastInstant(film: Client, rig: Rig) -> None:
    """PLY-6, PLY-10, RTCP-7: half open, no BYE, and a later PLAY goes on at the end point, exactly."""
    film.play("npt=2-3")
    rig.wait(2.0)
    assert film.pictures() == list(range(50, 75))
    assert len(film.packets(2)) == 50
    assert film.ask("GET_PARAMETER", body=b"state\r\n").body == b"state: paused\r\n"
    assert not said(film.control(1))
    assert film.ask("PAUSE").code == 200  # PAU-5: the client may think that it still plays
    assert rangeOf(film.play()) == (3.0, 10.0)
    rig.wait(1.0)
    assert film.pictures() == list(range(50, 50 + len(film.pictures())))
    assert len(film.pictures()) >= 49
    assert set(gaps([packet.sequence for packet in film.packets(2)])) == {1}
    assert [each.payload[0] for each in film.packets(2)] == [(100 + n) & 0xFF for n in range(len(film.packets(2)))]


@pytest.mark.requirement("PLY-6", "PLY-10", "RTP-9")
def testRangeEndsAmongReorderedPictures() -> None:
    """PLY-6, PLY-10, RTP-9: what is shown before the end is sent, what is shown later is not; then the rest, once."""
    rig = Rig(film={"reorder": True})
    client = rig.connect()
    client.setUpFilm()
    client.play("npt=2-2.96")
    rig.wait(2.0)
    assert client.pictures()[:4] == [50, 52, 51, 54]
    assert sorted(client.pictures()) == list(range(50, 74))
    client.play()
    rig.wait(1.0)
    assert client.pictures()[24:27] == [74, 76, 75]
    assert len(set(client.pictures())) == len(client.pictures())


@pytest.mark.requirement("PAU-2")
def testPausePoint(film: Client, rig: Rig) -> None:
    """PAU-2: takes effect when it is reached; the frame that begins there is not sent; PLAY goes on there."""
    film.play()
    rig.wait(1.0)
    answer = film.ask("PAUSE", Range="npt=1.48-")
    assert answer.code == 200
    assert rangeOf(answer)[0] == 1.48
    rig.wait(2.0)
    assert film.pictures() == list(range(37))
    film.play()
    rig.wait(1.0)
    assert film.pictures() == list(range(len(film.pictures())))


@pytest.mark.requirement("PAU-2", "COD-457")
@pytest.mark.parametrize("point", ["npt=1.5", "npt=9", "npt=100"])
def testPausePointOutsideOfWhatIsPlayed(film: Client, rig: Rig, point: str) -> None:
    """PAU-2: 457, and playing goes on."""
    film.play("npt=2-8")
    rig.wait(0.5)
    assert film.ask("PAUSE", Range=point).code == 457
    rig.wait(0.5)
    assert len(film.pictures()) >= 25


@pytest.mark.requirement("PAU-2")
def testPausePointThatHasPassed(film: Client, rig: Rig) -> None:
    """PAU-2: stops now, and PLAY resumes at the pause point."""
    film.play()
    rig.wait(3.0)
    answer = film.ask("PAUSE", Range="npt=2")
    assert rangeOf(answer)[0] == 2.0
    film.forget()
    rig.wait(1.0)
    assert film.packets(0) == []
    assert rangeOf(film.play())[0] == 2.0
    rig.wait(0.1)
    assert film.pictures()[0] == 50


@pytest.mark.requirement("RTCP-7", "Q-3")
def testEndOfMedia(film: Client, rig: Rig) -> None:
    """RTCP-7, Q-3: everything is sent, then BYE on every track, once; a PLAY begins again with the same SSRC."""
    film.play("npt=8-")
    rig.wait(4.0)
    assert film.pictures() == list(range(200, 250))
    assert len(film.packets(2)) == 100
    for channel in (1, 3):
        control = film.control(channel)
        assert said(control[-1:])
        assert not said(control[:-1])
    # on the wire, BYE comes after the last packet
    channels = [message.channel for message in film.messages if hasattr(message, "channel")]
    assert set(channels[-2:]) == {1, 3}
    last = film.packets(0)[-1]
    assert rangeOf(film.play()) == (0.0, 10.0)
    rig.wait(0.2)
    after = film.packets(0)[len(film.packets(0)) - 1]
    assert after.ssrc == last.ssrc
    assert set(gaps([packet.sequence for packet in film.packets(0)])) == {1}
    assert film.pictures()[50] == 0


@pytest.mark.requirement("PLY-8")
def testPlayAtATimeOfDay(film: Client, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """PLY-8: C{;time=} in the future waits, a past one does not."""
    assert film.ask("PLAY", Range="npt=0-;time=19970123T153600Z").code == 200
    rig.wait(0.1)
    assert film.pictures()
    film.forget()
    assert film.ask("PLAY", Range="npt=0-;time=99991231T235959Z").code == 200
    rig.wait(2.0)
    assert film.pictures() == []
    assert film.ask("PAUSE").code == 200
    assert film.ask("TEARDOWN").code == 200


@pytest.mark.requirement("PLY-13")
def testOneTrackOfTwo(client: Client, rig: Rig) -> None:
    """PLY-13: what was not set up is not sent, nor in RTP-Info."""
    client.setUp(AUDIO, TCP.format(6, 7))
    assert list(rtpInfo(client.play())) == [AUDIO]
    rig.wait(0.5)
    assert client.packets(6)
    assert not client.packets(0)


URLS = [FILM, FILM + "/", FILM + "?a=b", FILM + "/?a=b", "/movies/film.mkv", "rtsp://other:99/movies/film.mkv"]


@pytest.mark.requirement("PLY-11")
@pytest.mark.parametrize("url", URLS)
def testAggregateURLs(film: Client, url: str) -> None:
    """PLY-11: with and without slash and query, whatever the host."""
    for method in ("PLAY", "PAUSE", "TEARDOWN"):
        assert film.ask(method, url).code == 200


@pytest.mark.requirement("PLY-12")
def testTheOnlyTrackIsAll(client: Client) -> None:
    """PLY-12: for one track its URL and that of the presentation are the same."""
    url = f"{SOUND}/trackID=0"
    assert client.setUp(url, TCP.format(0, 1)).code == 200
    assert list(rtpInfo(client.ask("PLAY", url))) == [url]
    assert client.ask("TEARDOWN", url).code == 200


@pytest.mark.requirement("RTP-6")
def testMarkers(film: Client, rig: Rig) -> None:
    """RTP-6: the first packet of sound after a PLAY has the marker; pictures end with it."""
    for _ in range(2):
        film.forget()
        film.play("npt=0-")
        rig.wait(0.5)
        assert [packet.marker for packet in film.packets(2)] == [True] + [False] * (len(film.packets(2)) - 1)
        times = [packet.timestamp for packet in film.packets(0)]
        for number, packet in enumerate(film.packets(0)[:-1]):
            assert packet.marker == (times[number + 1] != times[number])


@pytest.mark.requirement("RTP-11", "RTP-3", "RTP-4")
def testNumbersWrap(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """RTP-11, RTP-3: sequence numbers and timestamps pass through zero in the middle of a stream."""
    monkeypatch.setattr("mediasrv.rtsp.setup.randbelow", lambda limit: limit - 20)
    monkeypatch.setattr("mediasrv.rtp.timeline.randbelow", lambda limit: limit - 1 - 4000)
    client = rig.connect()
    client.setUpFilm()
    info = rtpInfo(client.play())
    rig.wait(1.0)
    client.play("npt=4-")
    rig.wait(1.0)
    for channel, rate in ((0, 90000), (2, 8000)):
        packets = client.packets(channel)
        assert packets[0].sequence > 0xFF00
        assert packets[-1].sequence < 0x0FFF
        assert set(gaps([packet.sequence for packet in packets])) == {1}
        start = info[VIDEO if channel == 0 else AUDIO][1]
        times = [seconds(packet, start, rate) for packet in packets]
        assert times == sorted(times)
        assert times[-1] == pytest.approx(2.0, abs=0.1)
        assert packets[-1].timestamp < packets[0].timestamp


@pytest.mark.requirement("RTCP-1", "RTCP-2", "RTCP-4", "Q-15")
def testSenderReports(film: Client, rig: Rig) -> None:
    """RTCP-1, RTCP-2: at once, then every few seconds; compound; one CNAME, which says nothing; exact counts."""
    film.play()
    rig.wait(9.0)
    names = set()
    for channel in (1, 3):
        control = film.control(channel)
        assert len(reports(control)) in (2, 3)
        assert [type(packet).__name__ for packet in control[:2]] == ["SenderReport", "SourceDescription"]
        names |= {
            item
            for packet in control
            if isinstance(packet, SourceDescription)
            for chunk in packet.chunks
            for item in chunk.items
        }
        # a report counts what is in front of it
        before = [
            message.payload
            for message in film.messages
            if hasattr(message, "channel") and message.channel in (channel - 1, channel)
        ]
        at = max(number for number, payload in enumerate(before) if payload[1] == 200)
        media = [payload for payload in before[:at] if payload[1] != 200]
        last = reports(control)[-1]
        assert last.packetCount == len(media)
        assert last.octetCount == sum(len(payload) - 12 for payload in media)
    assert len(names) == 1
    assert film.session not in str(names)


@pytest.mark.requirement("RTCP-2", "RTCP-3", "RTP-5", "SEC-29")
def testTimesOfReportsLieOnOneLine(film: Client, rig: Rig) -> None:
    """RTCP-2, RTCP-3, RTP-5, SEC-29: over pauses and seeks NTP and RTP times keep one ratio."""
    for start in ("npt=0-", "npt=6-", "npt=2-"):
        film.play(start)
        rig.wait(2.5)
        film.ask("PAUSE")
        rig.wait(1.0)
    found = reports(film.control(1))
    assert len(found) >= 3
    for former, later in pairwise(found):
        wall = (later.ntp - former.ntp) / (1 << 32)
        media = ((later.rtpTime - former.rtpTime) & 0xFFFFFFFF) / 90000
        assert wall == pytest.approx(media, abs=0.0001)


@pytest.mark.requirement("RTCP-7")
def testFileThatGoesWhileItPlays(film: Client, rig: Rig) -> None:
    """The end is a clean one: BYE, and the state says so."""

    def gone(number: int) -> None:
        raise PresentationChanged("it was replaced")

    rig.library.film.reading = gone
    assert film.ask("PLAY").code == 404
    rig.library.film.reading = lambda number: gone(number) if number else None
    film.play()
    rig.wait(4.0)
    assert film.pictures() == list(range(50))
    assert said(film.control(1))
    assert film.ask("GET_PARAMETER", body=b"state").body == b"state: paused\r\n"


def testSlowDiskDelaysAndLosesNothing(film: Client, rig: Rig) -> None:
    """What comes late from the disk keeps its place: nothing lost, nothing out of order."""
    film.play()
    rig.pool.held = True
    rig.wait(4.0)
    assert film.pictures() == list(range(50))
    rig.pool.held = False
    rig.pool.work()
    rig.wait(1.0)
    assert film.pictures() == list(range(len(film.pictures())))
    assert len(film.pictures()) in (75, 76, 77)


@pytest.mark.requirement("TDN-5", "COD-454")
def testTeardownDuringASlowPlay(rig: Rig) -> None:
    """TDN-5: the session went while the file was read for it, by another connection of the same client."""
    client, other = rig.connect(), rig.connect()
    client.setUpFilm(udp=5000)
    rig.pool.held = True
    client.write(client.request("PLAY"))
    assert client.receive() == []
    assert other.ask("TEARDOWN", Session=client.session).code == 200
    rig.pool.work()
    assert [message.code for message in client.receive()] == [454]
    rig.wait(1.0)
    assert rig.datagrams("rtp", 5000) == []


@pytest.mark.requirement("PLY-16", "RTP-4", "RTP-5", "SEC-19")
def testHundredsOfRequestsEndConsistently(film: Client, rig: Rig) -> None:
    """PLY-16, RTP-4, RTP-5: whatever was asked, numbers go up by one, times never back, and the last word counts."""
    wander = random.Random(1)
    for _ in range(400):
        choice = wander.random()
        if choice < 0.3:
            film.ask("PAUSE")
        elif choice < 0.6:
            film.play(f"npt={wander.uniform(0, 10):.3f}-")
        elif choice < 0.8:
            film.play()
        else:
            start = wander.uniform(0, 8)
            film.play(f"npt={start:.2f}-{start + 2:.2f}")
        rig.wait(wander.choice((0.0, 0.0, 0.01, 0.05, 0.4)))
    film.ask("PAUSE")
    count = len(film.pictures())
    answer = film.play("npt=6-")
    rig.wait(1.0)
    fresh = film.pictures()[count:]
    assert fresh == list(range(150, 150 + len(fresh)))
    assert 12 <= len(fresh) <= 39
    packets: list[Any] = film.packets(0)
    assert set(gaps([packet.sequence for packet in packets])) == {1}
    assert all(seconds(later, former.timestamp) >= 0 for former, later in pairwise(packets))
    assert len({packet.ssrc for packet in packets}) == 1
    assert rangeOf(answer) == (6.0, 10.0)
    assert len(rig.registry) == 1
