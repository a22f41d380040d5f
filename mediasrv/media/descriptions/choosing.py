"""
Choosing: which of the alternatives of a description somebody gets, by the languages that they understand and the bits
per second that they can receive.

The first alternative that suits is taken, as SMIL has it (SMIL 3.0 section 10.3, switch), by the language that is
preferred most. Unlike there something is always played: what suits nobody in particular, else what comes nearest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mediasrv.media.descriptions.tree import Alternative, Clip, Node, Par, Seq, Switch

#: languages that are looked at
_MOST_LANGUAGES = 8

#: characters of a header or parameter that are looked at
_LONGEST = 1000

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_ENTRY = re.compile(r"\s*(\*|[A-Za-z0-9-]+)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")
_BIT_RATE = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Preferences:
    """
    @ivar languages: in lower case, the one that is preferred most first.
    @ivar bitRate: bits per second at most; None if there is no limit.
    """

    languages: tuple[str, ...] = ()
    bitRate: int | None = None

    @classmethod
    def of(cls, languages: str | None = None, bitRate: str | None = None) -> Preferences:
        """
        @param languages: as Accept-Language has them (RFC 9110 section 12.5.4); what is malformed is ignored.
        @param bitRate: a decimal number; anything else is ignored.
        """
        rate = (bitRate or "").strip()
        limit = int(rate) if _BIT_RATE.fullmatch(rate) else None
        return cls(_languages(languages or ""), limit or None)

    @property
    def token(self) -> str:
        """The same as a word that a path segment of a URL can have: C{de-at.en.500000}, C{-} if there are none."""
        words = [*self.languages, *([] if self.bitRate is None else [str(self.bitRate)])]
        return ".".join(words) or "-"

    @classmethod
    def ofToken(cls, token: str) -> Preferences:
        """What L{token} said; words that are none are ignored."""
        words = token[:_LONGEST].lower().split(".")
        rate = next((int(word) for word in words if _BIT_RATE.fullmatch(word)), None)
        return cls(tuple(word for word in words if _LANGUAGE.fullmatch(word))[:_MOST_LANGUAGES], rate or None)


#: of somebody who does not say
ANY = Preferences()


def _languages(text: str) -> tuple[str, ...]:
    found: list[tuple[float, str]] = []
    for entry in text[:_LONGEST].split(","):
        match = _ENTRY.fullmatch(entry)
        if match is not None and _LANGUAGE.fullmatch(match[1]) and (quality := float(match[2] or 1)) > 0:
            found.append((-quality, match[1].lower()))
    found.sort(key=lambda each: each[0])
    return tuple(dict.fromkeys(language for _, language in found))[:_MOST_LANGUAGES]


@dataclass(frozen=True, slots=True)
class Chosen:
    """
    @ivar root: without any choice.
    @ivar choice: for each switch that was come by the number of the alternative.
    """

    root: Node
    choice: tuple[int, ...]


def choose(root: Node, preferences: Preferences = ANY) -> Chosen:
    """What somebody gets of a description."""
    choice: list[int] = []

    def resolved(node: Node) -> Node:
        if isinstance(node, Switch):
            number = _best(node.alternatives, preferences)
            choice.append(number)
            return resolved(node.alternatives[number].node)
        if isinstance(node, Clip):
            return node
        items = tuple(resolved(item) for item in node.items)
        return Seq(items) if isinstance(node, Seq) else Par(items)

    return Chosen(resolved(root), tuple(choice))


def _best(alternatives: Sequence[Alternative], preferences: Preferences) -> int:
    """The number of the alternative that suits best."""
    numbers = list(range(len(alternatives)))
    if preferences.bitRate is not None:
        lowest = min(alternative.bitRate for alternative in alternatives)
        limit = max(preferences.bitRate, lowest)
        numbers = [number for number in numbers if alternatives[number].bitRate <= limit]
    for wanted in preferences.languages:
        for number in numbers:
            if any(_isOf(wanted, offered) for offered in alternatives[number].languages):
                return number
    if preferences.languages:
        # nothing that is understood: what is for everybody
        return next((number for number in numbers if not alternatives[number].languages), numbers[0])
    return numbers[0]


def _isOf(wanted: str, offered: str) -> bool:
    """Whether one language is the other, or a kind of it."""
    offered = offered.lower()
    return wanted == offered or offered.startswith(f"{wanted}-") or wanted.startswith(f"{offered}-")
