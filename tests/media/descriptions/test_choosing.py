"""Who gets which alternative."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediasrv.media.descriptions.choosing import ANY, Preferences, choose
from mediasrv.media.descriptions.tree import Alternative, Clip, Par, Seq, Switch


def clip(name: str) -> Clip:
    return Clip(((name,),), "line 1")


LANGUAGES = Switch(
    (
        Alternative(clip("en"), ("en",)),
        Alternative(clip("de"), ("de-AT", "de")),
        Alternative(clip("music")),
        Alternative(clip("fr"), ("FR-ca",)),
    )
)
RATES = Switch(
    (Alternative(clip("high"), (), 5000), Alternative(clip("middle"), (), 900), Alternative(clip("low"), (), 90))
)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("DE-ch", "de"),
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("fr-FR", "music"),
        ("it", "music"),
        ("it, de;q=0.3, en;q=0.2", "de"),
        ("en;q=0.1, fr;q=0.9", "fr"),
        ("en;q=0, de", "de"),
        ("garbage;;;, e, ,de", "de"),
        ("d", "en"),
    ],
)
def test_languages(wanted, name):
    chosen = choose(LANGUAGES, Preferences.of(wanted))
    assert chosen.root == clip(name)
    assert LANGUAGES.alternatives[chosen.choice[0]].node == chosen.root


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (None, "high"),
        ("5000", "high"),
        ("4999", "middle"),
        ("900", "middle"),
        ("100", "low"),
        ("1", "low"),
        ("x", "high"),
    ],
)
def test_bitRates(limit, name):
    assert choose(RATES, Preferences.of(None, limit)).root == clip(name)


def test_both():
    both = Switch(
        (
            Alternative(clip("en high"), ("en",), 500),
            Alternative(clip("de high"), ("de",), 500),
            Alternative(clip("en low"), ("en",), 100),
        )
    )
    assert choose(both, Preferences(("de",), 500)).root == clip("de high")
    assert choose(both, Preferences(("de", "en"), 100)).root == clip("en low")
    assert choose(both, Preferences(("de",), 10)).root == clip("en low")


def test_everywhere():
    """In order of coming by; switches in what was not chosen do not count."""
    tree = Seq((RATES, Par((clip("a"), LANGUAGES)), Switch((Alternative(LANGUAGES), Alternative(RATES)))))
    chosen = choose(tree, Preferences(("de",), 900))
    assert chosen.root == Seq((clip("middle"), Par((clip("a"), clip("de"))), clip("de")))
    assert chosen.choice == (1, 1, 0, 1)
    assert choose(clip("a"), ANY).choice == ()


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=20))
def test_tokensKeepIt(languages, bitRate):
    preferences = Preferences.of(languages, bitRate)
    assert Preferences.ofToken(preferences.token) == preferences
    assert all(character.isalnum() or character in ".-" for character in preferences.token)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["de", "en-US", "x-y", "zh-Hant-TW", "abcdefgh", "de-12345678"]), max_size=12),
    st.integers(1, 10**12 - 1),
)
def test_tokensOfManyLanguages(languages, bitRate):
    preferences = Preferences.of(",".join(languages), str(bitRate))
    assert Preferences.ofToken(preferences.token) == preferences
    assert len(preferences.token) <= 200


@settings(deadline=None)
@given(st.text(max_size=300))
def test_anyToken(token):
    preferences = Preferences.ofToken(token)
    assert Preferences.ofToken(preferences.token) == preferences
