"""What a session can do, in the headers of RFC 7826: Accept-Ranges and Media-Properties."""

from __future__ import annotations

from typing import Any

import pytest
from rtsprig import AUDIO, FILM, TCP, VIDEO, Client, FakePresentation, Rig

from mediasrv.rtsp.orders import PlayRules
from mediasrv.rtsp.properties import acceptRanges, mediaProperties
from mediasrv.rtsp.ranges import parseRange

ACCEPTED = "npt, smpte, smpte-30-drop, smpte-25, clock"
PROPERTIES = 'Random-Access=2.000, Immutable, Unlimited, Scales="-32:-0.03125, 0.03125:32"'

POINTS = {"npt": "5-", "clock": "20200913T122645Z-"}


def testAcceptRangesIsWhatIsAccepted(client: Client) -> None:
    """Every unit in it, and PLAY answers in the same."""
    client.setUpFilm()
    for unit in acceptRanges().split(", "):
        wanted = f"{unit}={POINTS.get(unit, '0:00:05-')}"
        assert parseRange(wanted).unit == unit
        assert client.play(wanted).headers.get("Range", "").startswith(f"{unit}=")


@pytest.mark.parametrize(
    ("video", "fastest", "scales"),
    [(True, 8.0, "-8:-0.125, 0.125:8"), (False, 8.0, "-8:-1, 1:8"), (True, 1.0, "-1:-1, 1:1")],
)
def testMediaProperties(video: bool, fastest: float, scales: str) -> None:
    """RFC 7826 section 18.29, with the scales that there are for what it is."""
    film: Any = FakePresentation("film", video=video)
    film.randomAccess = 2.5
    expected = f'Random-Access=2.500, Immutable, Unlimited, Scales="{scales}"'
    assert mediaProperties(film, PlayRules(maxScale=fastest)) == expected


@pytest.mark.requirement("V2-c", "V2-d")
def testSetupTellsBoth(client: Client) -> None:
    for number, url in enumerate((VIDEO, AUDIO)):
        answer = client.setUp(url, TCP.format(2 * number, 2 * number + 1))
        assert answer.headers.get("Accept-Ranges") == ACCEPTED
        assert answer.headers.get("Media-Properties") == PROPERTIES


@pytest.mark.requirement("PAR-2")
def testAskedForInTheBody(client: Client) -> None:
    client.setUpFilm()
    answer = client.ask("GET_PARAMETER", body=b"Media-Properties\r\naccept-ranges\r\n")
    assert answer.body.decode() == f"Media-Properties: {PROPERTIES}\r\naccept-ranges: {ACCEPTED}\r\n"
    assert client.ask("SET_PARAMETER", body=b"Media-Properties: none\r\n").code == 458


@pytest.mark.requirement("PAR-2")
@pytest.mark.parametrize("body", [b"", b"state\r\n"])
def testAskedForInTheHead(client: Client, body: bytes) -> None:
    """A header without a value, as RFC 7826 has it; and not unless it is asked for."""
    client.setUpFilm()
    answer = client.ask("GET_PARAMETER", body=body, Media_Properties="")
    assert answer.headers.get("Media-Properties") == PROPERTIES
    assert "Accept-Ranges" not in answer.headers
    answer = client.ask("GET_PARAMETER", body=body, Accept_Ranges="npt")
    assert answer.headers.get("Accept-Ranges") == ACCEPTED
    assert "Media-Properties" not in answer.headers


def testWithoutASessionThereIsNothingToTell(client: Client, rig: Rig) -> None:
    answer = client.ask("GET_PARAMETER", FILM, Media_Properties="")
    assert answer.code == 200
    assert "Media-Properties" not in answer.headers
