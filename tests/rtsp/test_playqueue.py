"""PLAYs that wait for their turn, and PAUSE points among them (RFC 2326 sections 10.5 and 10.6)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from rtsprig import AUDIO, UDP, VIDEO, Client, Rig, gaps, rangeOf, said

from mediasrv.media.presentation import PresentationChanged
from mediasrv.rtsp.messages import Response
from mediasrv.rtsp.orders import PlayRules


@pytest.fixture
def film(client: Client) -> Client:
    """A client that has both tracks of the film, ten seconds with a key frame every two."""
    client.setUpFilm()
    return client


def rtpTimes(answer: Response) -> dict[str, int]:
    """The RTP times of RTP-Info, whether there are sequence numbers or not."""
    found = re.findall(r"url=([^;,]+)(?:;seq=\d+)?;rtptime=(\d+)", answer.headers.get("RTP-Info", ""))
    return {url: int(time) for url, time in found}


@pytest.mark.requirement("PLY-9", "RTP-4", "RTP-5")
def testOneAfterTheOther(film: Client, rig: Rig) -> None:
    """The RFC's own example: three ranges, seamlessly; each begins at the RTP time that was promised for it."""
    answers = [film.play(wanted) for wanted in ("npt=2-3", "npt=4-5", "npt=6-")]
    assert [rangeOf(answer) for answer in answers] == [(2.0, 3.0), (4.0, 5.0), (6.0, 10.0)]
    rig.wait(7.0)
    assert film.pictures() == [*range(50, 75), *range(100, 125), *range(150, 250)]
    times = list(dict.fromkeys(packet.timestamp for packet in film.packets(0)))
    assert {(later - former) & 0xFFFFFFFF for former, later in itertools.pairwise(times)} == {3600}
    assert [times[at] for at in (0, 25, 50)] == [rtpTimes(answer)[VIDEO] for answer in answers]
    assert set(gaps([packet.sequence for packet in film.packets(0)])) == {1}
    sound = {packet.timestamp for packet in film.packets(2)}
    assert all(rtpTimes(answer)[AUDIO] in sound for answer in answers)


@pytest.mark.requirement("PLY-9", "RTP-2")
def testWhoWaitsDoesNotKnowItsSequenceNumber(film: Client) -> None:
    """What is in front of it has not been sent: RTP-Info has the time alone, which it does know."""
    assert "seq=" in film.play("npt=2-3").headers.get("RTP-Info", "")
    info = film.play("npt=4-5").headers.get("RTP-Info", "")
    assert "seq=" not in info
    assert set(rtpTimes(film.play("npt=6-7"))) == {VIDEO, AUDIO}


REPLACED = [
    # queueing, what plays, Immediate: whether another PLAY with a Range takes over
    ("auto", "npt=2-3", None, False),
    ("auto", "npt=2-", None, True),
    ("auto", "npt=2-3", "yes", True),
    ("auto", "npt=9-10", None, False),
    ("rfc2326", "npt=2-3", None, False),
    ("rfc2326", "npt=2-", None, False),
    ("rfc2326", "npt=2-", "yes", True),
    ("rfc7826", "npt=2-3", None, True),
    ("rfc7826", "npt=2-", None, True),
]


@pytest.mark.requirement("PLY-9")
@pytest.mark.parametrize(("queueing", "first", "immediate", "replaced"), REPLACED)
def testWhetherItWaits(
    film: Client, rig: Rig, queueing: str, first: str, immediate: str | None, replaced: bool
) -> None:
    rig.site.rules = PlayRules(queueing=queueing)  # type: ignore[arg-type]
    film.play(first)
    rig.wait(0.4)
    before = len(film.pictures())
    headers = {} if immediate is None else {"Immediate": immediate}
    answer = film.play("npt=4-5", **headers)
    assert ("seq=" in answer.headers.get("RTP-Info", "")) == replaced
    rig.wait(0.2)
    follows = film.pictures()[before] if before else film.pictures()[0]
    assert (follows == 100) == replaced
    rig.wait(9.5)
    assert film.pictures()[-25:] == list(range(100, 125))


@pytest.mark.requirement("PLY-9")
def testWhatFollowsAnOpenRangeTakesOver(film: Client, rig: Rig) -> None:
    """The rule is that of what is being played, which may have waited itself."""
    film.play("npt=2-3")
    film.play("npt=4-")
    rig.wait(1.5)
    assert "seq=" in film.play("npt=8-9").headers.get("RTP-Info", "")
    assert "seq=" not in film.play("npt=0-1").headers.get("RTP-Info", "")
    rig.wait(3.0)
    assert film.pictures()[-50:] == [*range(200, 225), *range(25)]


@pytest.mark.requirement("PLY-9", "RTCP-7")
def testTheEndOfThePresentationIsNoEndForWhoWaits(film: Client, rig: Rig) -> None:
    """Nobody is told goodbye while something waits; when all is over they are."""
    film.play("npt=8-10")
    film.play("npt=0-1")
    rig.wait(2.5)
    assert film.pictures()[-1] < 25
    assert not said(film.control(1))
    rig.wait(1.0)
    assert film.ask("GET_PARAMETER", body=b"state\r\n").body == b"state: paused\r\n"
    film.play("npt=9-")
    rig.wait(3.0)
    assert said(film.control(1))
    assert said(film.control(3))


@pytest.mark.requirement("PLY-9", "SEC-19")
def testTheQueueIsBounded(film: Client, rig: Rig) -> None:
    rig.site.rules = PlayRules(queueLength=3)
    film.play("npt=2-3")
    codes = [film.ask("PLAY", Range="npt=4-5").code for _ in range(5)]
    assert codes == [200, 200, 200, 503, 503]
    assert film.ask("PLAY", Range="npt=4-5").headers.get("Retry-After")
    assert film.ask("PLAY", Range="npt=99-").code == 503
    rig.wait(1.1)
    assert film.ask("PLAY", Range="npt=4-5").code == 200


@pytest.mark.requirement("PLY-9", "PLY-4")
def testWhatCannotBePlayedDoesNotWait(film: Client, rig: Rig) -> None:
    film.play("npt=2-3")
    assert film.ask("PLAY", Range="npt=99-").code == 457
    assert film.ask("PLAY", Range="npt=5-4").code == 457
    rig.wait(3.0)
    assert film.pictures() == list(range(50, 75))


@pytest.mark.requirement("PLY-9", "HDR-2")
def testEachWithItsOwnRate(film: Client, rig: Rig) -> None:
    film.play("npt=2-3")
    answer = film.play("npt=4-6", Scale="2")
    assert (answer.headers.get("Scale"), list(rtpTimes(answer))) == ("2.0", [VIDEO])
    film.play("npt=6-4", Scale="-1")
    film.play("npt=0-1")
    rig.wait(1.5)
    assert 100 < film.pictures()[-1] < 150
    rig.wait(4.0)
    assert film.pictures() == [*range(50, 75), *range(100, 150), 150, *range(25)]


@pytest.mark.requirement("PLY-1", "PLY-9")
def testAnotherRateLeavesTheQueueAlone(film: Client, rig: Rig) -> None:
    film.play("npt=2-4")
    film.play("npt=6-7")
    rig.wait(0.5)
    assert rangeOf(film.play(Scale="2"))[1] == 4.0
    rig.wait(2.5)
    assert film.pictures() == [*range(50, 100), *range(150, 175)]


# Pause points


@pytest.mark.requirement("PAU-3")
@pytest.mark.parametrize(
    ("point", "pictures", "position"),
    [
        ("npt=2.5", [*range(50, 63)], 2.5),  # in what is being played
        ("npt=4.4", [*range(50, 75), *range(100, 110)], 4.4),  # in one that waits
        ("npt=3.5", [*range(50, 75)], 3.0),  # between them: after the first
        ("npt=6.2", [*range(50, 75), *range(100, 125), *range(150, 155)], 6.2),
        ("npt=5.5", [*range(50, 75), *range(100, 125)], 5.0),
    ],
)
def testPausePointsAmongRanges(film: Client, rig: Rig, point: str, pictures: list[int], position: float) -> None:
    """Section 10.6: the PAUSE counts where its point lies; what waits behind it is forgotten."""
    for wanted in ("npt=2-3", "npt=4-5", "npt=6-7", "npt=8-9"):
        film.play(wanted)
    rig.wait(0.2)
    answer = film.ask("PAUSE", Range=point)
    assert answer.code == 200
    rig.wait(6.0)
    assert film.pictures() == pictures
    assert film.ask("GET_PARAMETER", body=b"state\r\n").body == b"state: paused\r\n"
    assert rangeOf(film.ask("PAUSE"))[0] == pytest.approx(position)


@pytest.mark.requirement("PAU-2")
@pytest.mark.parametrize("point", ["npt=1", "npt=7.5", "npt=9.9"])
def testPointsOutsideOfAllRanges(film: Client, rig: Rig, point: str) -> None:
    """457, and everything goes on."""
    film.play("npt=2-3")
    film.play("npt=4-5")
    rig.wait(0.2)
    assert film.ask("PAUSE", Range=point).code == 457
    rig.wait(3.0)
    assert film.pictures() == [*range(50, 75), *range(100, 125)]


@pytest.mark.requirement("PAU-2", "PAU-5")
@pytest.mark.parametrize("point", ["npt=1", "npt=2.8", "npt=20-"])
def testPointsWhilePaused(film: Client, rig: Rig, point: str) -> None:
    """Nothing is pending that could reach it: it stays where it is, and says so."""
    film.play("npt=2-")
    rig.wait(0.5)
    pausedAt = rangeOf(film.ask("PAUSE"))[0]
    answer = film.ask("PAUSE", Range=point)
    assert (answer.code, rangeOf(answer)[0]) == (200, pausedAt)
    assert rangeOf(film.play())[0] == pausedAt


@pytest.mark.requirement("PLY-6")
def testSumsOfDurationsReachNoEnd(film: Client, rig: Rig) -> None:
    """3.68 as a sum of fiftieths is a little less, and all the same no part of a range that ends there."""
    for end in (2.94, 3.68, 2.02, 3.3):
        film.forget()
        film.play(f"npt=2-{end}", Immediate="yes")
        rig.wait(2.0)
        assert len(film.packets(2)) == round((end - 2) * 50)


@pytest.mark.requirement("PAU-3", "TDN-5")
@pytest.mark.parametrize("method", ["PAUSE", "TEARDOWN"])
def testNobodyWaitsAfterwards(film: Client, rig: Rig, method: str) -> None:
    film.play("npt=2-3")
    film.play("npt=4-5")
    rig.wait(0.2)
    assert film.ask(method).code == 200
    count = len(film.pictures())
    rig.wait(3.0)
    assert len(film.pictures()) == count
    if method == "PAUSE":
        film.play()
        rig.wait(10.0)
        assert film.pictures() == list(range(50, 250))


@pytest.mark.requirement("PLY-9")
def testAFileThatIsGoneEndsTheQueue(film: Client, rig: Rig) -> None:
    """What was to come next cannot be read any more: that is the end, with goodbyes, and no session hangs."""
    film.play("npt=2-3")
    film.play("npt=4-5")
    film.play("npt=6-7")
    gone: Callable[[int], None] = _gone
    rig.library.film.reading = gone
    rig.cache.clear()
    rig.wait(4.0)
    assert said(film.control(1))
    assert film.ask("GET_PARAMETER", body=b"state\r\n").body == b"state: paused\r\n"


def _gone(number: int) -> None:
    raise PresentationChanged("gone")


@pytest.mark.requirement("PLY-9", "PAU-3")
def testAPauseWhileWhatIsQueuedIsRead(client: Client, rig: Rig) -> None:
    """Two connections and a slow disk: the PAUSE came first, so nothing can wait behind what it stopped."""
    client.setUp(VIDEO, UDP.format(5000, 5001))
    other = rig.connect()
    other.session = client.session
    client.play("npt=0-1")
    rig.wait(0.5)
    rig.cache.clear()
    rig.pool.held = True
    client.write(client.request("PLAY", Range="npt=6-7"))
    assert other.ask("PAUSE").code == 200
    sent = len(rig.datagrams("rtp", 5000))
    rig.pool.work()
    rig.pool.held = False
    assert [message.code for message in client.receive() if isinstance(message, Response)] == [455]
    rig.wait(2.0)
    assert len(rig.datagrams("rtp", 5000)) == sent


@pytest.mark.requirement("PAU-3", "RTCP-7")
@pytest.mark.parametrize("another", [False, True])
def testAPausePointInFrontOfWhatIsBeingRead(film: Client, rig: Rig, another: bool) -> None:
    """
    A range is over, the disk is slow, and a pause point lies in front of the next one: it pauses where the one before
    it ended, without a goodbye; or goes on with what was asked for after that.
    """
    for wanted in ("npt=0-1", "npt=2-3", "npt=4-5"):
        film.play(wanted)
    rig.wait(0.5)
    rig.cache.clear()
    rig.pool.held = True
    rig.wait(2.0)
    assert film.ask("PAUSE", Range="npt=3.5").code == 200
    if another:
        film.write(film.request("PLAY", Range="npt=6-7"))
    rig.pool.work()
    rig.pool.held = False
    rig.wait(2.0)
    assert film.pictures() == [*range(25), *range(50, 75), *(range(150, 175) if another else ())]
    assert not said(film.control(1))
    assert film.ask("GET_PARAMETER", body=b"state\r\n").body == b"state: paused\r\n"
