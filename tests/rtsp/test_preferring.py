"""What a client prefers decides once, at DESCRIBE: the URLs that it gets keep it, whatever headers come later."""

from __future__ import annotations

from typing import Any

import pytest
from rtsprig import FILM, TCP, Client, Rig

from mediasrv.media.descriptions.choosing import Preferences
from mediasrv.rtsp.messages import Headers
from mediasrv.rtsp.preferring import preferencesOf
from mediasrv.rtsp.urls import contentBase, parseURI, splitTrack


@pytest.mark.parametrize(
    ("url", "headers", "languages", "bitRate"),
    [
        (FILM, {}, (), None),
        (FILM, {"Accept-Language": "de, en;q=0.5", "Bandwidth": "5000"}, ("de", "en"), 5000),
        (f"{FILM}?lang=fr", {"Accept-Language": "de", "Bandwidth": "5000"}, ("fr",), 5000),
        (f"{FILM}?bitrate=7&lang=de-AT,it", {"Bandwidth": "5000"}, ("de-at", "it"), 7),
        (f"{FILM}/trackID=1?lang=de", {}, ("de",), None),
        (f"{FILM}?lang=de/trackID=1", {}, ("de",), None),
        (f"{FILM}/prefer=de.en.300/trackID=1", {"Accept-Language": "fr", "Bandwidth": "9"}, ("de", "en"), 300),
        (f"{FILM}/prefer=-/", {"Accept-Language": "fr", "Bandwidth": "9"}, (), None),
        (f"{FILM}?lang=%ff%00&bitrate=x&" + "a=b&" * 300, {"Accept-Language": "fr"}, (), None),
        (FILM, {"Accept-Language": "\u20ac", "Bandwidth": "-1"}, (), None),
    ],
)
def test_preferences(url: str, headers: dict[str, str], languages: tuple[str, ...], bitRate: int | None) -> None:
    named, _ = splitTrack(parseURI(url))
    found = preferencesOf(named, Headers(list(headers.items())))
    if "a=b&" in url:
        return  # a query of that many parts is none
    assert found == Preferences(languages, bitRate)


@pytest.mark.parametrize("track", ["trackID=1", "trackID=1/", "trackID%3D1"])
def test_urls(track: str) -> None:
    """The base with the preference names the same presentation, and its tracks can be made in the same ways."""
    base = contentBase(f"{FILM}?lang=de", "de.5")
    assert base == f"{FILM}/prefer=de.5/"
    for uri, number in ((base, None), (base + track, 1), (base[:-1], None), (f"{base}{track}?x=y", 1)):
        url, found = splitTrack(parseURI(uri))
        assert (url.segments, url.preference, found) == (("movies", "film.mkv"), "de.5", number)
        assert splitTrack(parseURI(url.literal))[0].literal.partition("?")[0] == FILM
    assert splitTrack(parseURI(FILM))[0].preference is None


class Chooser:
    """
    What a library is asked for.

    @ivar asked: the preferences of each who came.
    """

    def __init__(self, rig: Rig) -> None:
        self.asked: list[Any] = []
        self._library = rig.library
        self._ask = rig.library.presentation
        rig.library.presentation = self.presentation  # type: ignore[method-assign]

    def presentation(self, segments: tuple[str, ...], view: str = "rtp", preferences: Any = None) -> Any:
        self.asked.append(preferences)
        return self._ask(segments, view, preferences)


def test_dialogue(rig: Rig, client: Client) -> None:
    chooser = Chooser(rig)
    rig.library.film.isChosen = True
    described = client.ask("DESCRIBE", f"{FILM}?bitrate=800", **{"Accept-Language": "de"})
    base = described.headers.get("Content-Base", "")
    assert base == f"{FILM}/prefer=de.800/"
    client.setUp(f"{base}trackID=0", TCP.format(0, 1), **{"Accept-Language": "fr"})
    assert chooser.asked == [Preferences(("de",), 800)] * 2
    # all URLs that clients may make of it mean the session
    for url in (base, base[:-1], FILM, f"{FILM}?bitrate=800"):
        assert client.ask("PLAY", url, Session=client.session).code == 200
        assert client.ask("PAUSE", url, Session=client.session).code == 200
    assert client.ask("TEARDOWN", f"{base}trackID=0", Session=client.session).code == 200


def test_withoutAChoice(client: Client) -> None:
    """Who described something that is the same for all gets plain URLs."""
    described = client.ask("DESCRIBE", f"{FILM}?lang=de")
    assert described.headers.get("Content-Base") == f"{FILM}/"
