"""The page of the sessions, as it is made on the server."""

from __future__ import annotations

from dataclasses import dataclass, field

from pagesrig import Pages, turnsOf
from rtsprig import Rig


@dataclass
class Viewer:
    id: str = "abcdefgh"
    door: str = "rtsp"
    peer: str = "192.0.2.9"
    path: str = "/films/a.mp4"
    title: str = "<b>A</b>"
    tracks: list[str] = field(default_factory=lambda: ["video H264"])
    transport: str = "RTP/AVP;unicast"
    state: str = "playing"
    startedAt: float = 1_700_000_000.0
    packetsSent: int = 10
    octetsSent: int = 12_345
    fractionLost: float = 0.25

    def position(self) -> float:
        return 65.0


def test_nobody(pages: Pages) -> None:
    markup = pages.ask("-/sessions").markup
    assert "Nobody is watching." in markup.texts
    assert "hidden" not in markup.all("div", class_="nothing")[0]


def test_somebody(pages: Pages, rig: Rig) -> None:
    rig.registry.add(Viewer())
    markup = pages.ask("-/sessions").markup
    assert "hidden" in markup.all("div", class_="nothing")[0]
    assert {"<b>A</b>", "video H264", "192.0.2.9", "1:05", "12.3 kB", "25.0%"} <= set(markup.texts)
    assert markup.all("section", class_="sessions")[0]["data-api"] == "../-/api/sessions"


def test_manySessions(pages: Pages, rig: Rig) -> None:
    """So many rows as are made here are made a few at a time, with turns for the reactor in between."""
    for number in range(500):
        rig.registry.add(Viewer(f"{number}", peer=f"192.0.2.{number % 200}"))
    turns = turnsOf(rig)
    markup = pages.ask("-/sessions").markup
    assert len(markup.all("time")) == 200
    assert "500" in markup.texts
    assert turns.count(0) >= 200 // 12
