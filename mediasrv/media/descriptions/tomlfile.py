"""
Descriptions in TOML, for those who write them by hand. The grammar is our own::

    title = "The talk"
    par = [
        "slides.mp4",
        { switch = [{ src = "de.m4a", language = "de" }, { src = "en.m4a", language = "en" }] },
    ]

A I{thing} is a path, or a table with C{src}, C{seq}, C{par} or C{switch}, of which the last three have lists of things.
The file itself is such a table.
"""

from __future__ import annotations

import re
import tomllib
from math import isfinite
from typing import Any

from mediasrv.media.descriptions import references
from mediasrv.media.descriptions.clockvalues import parseClock
from mediasrv.media.descriptions.tree import (
    Alternative,
    Clip,
    Description,
    DescriptionError,
    Node,
    Par,
    Room,
    Segments,
    Seq,
    Switch,
    excerpt,
    quoted,
)

#: A key of so many parts means nothing here; for one of a hundred thousand Python's parser would take all memory.
_LONG_KEY = re.compile(
    r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){30}""",
    re.ASCII,
)

_GROUPS = ("seq", "par", "switch")
_CLIP = frozenset({"src", "begin", "end", "only"})
_ALL = frozenset({"title", "language", "bitrate"})


def parseTOML(data: bytes, folder: Segments) -> Description:
    """
    @param folder: of the file, in the library.
    @raise DescriptionError: if it is no TOML, or no description.
    """
    try:
        text = data.decode("utf-8-sig")
        if _LONG_KEY.search(text):
            raise DescriptionError("a name in it has too many parts")
        table = tomllib.loads(text)
    except UnicodeDecodeError:
        raise DescriptionError("no UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise DescriptionError(f"no TOML: {quoted(error)}") from None
    except RecursionError:
        raise DescriptionError("it is nested too deep") from None
    except ValueError:  # of numbers with thousands of digits
        raise DescriptionError("no TOML that can be read") from None
    root = _Reader(folder).node(table, "the file", 0)
    return Description(root, _text(table, "title", "the file"))


class _Reader:
    def __init__(self, folder: Segments) -> None:
        self._folder = folder
        self._room = Room()

    def node(self, thing: Any, place: str, depth: int) -> Node:
        """
        @param place: where it stands, for people.
        """
        Room.checkDepth(depth)
        if isinstance(thing, str):
            return self._clip({"src": thing}, place)
        if not isinstance(thing, dict):
            raise DescriptionError(f"{place}: neither a path nor a table")
        said = [name for name in ("src", *_GROUPS) if name in thing]
        if len(said) != 1:
            found = " and ".join(said) or "nothing"
            raise DescriptionError(f"{place}: src, seq, par or switch is wanted, and there is {found}")
        kind = said[0]
        unknown = sorted(set(thing) - _ALL - (_CLIP if kind == "src" else {kind}))
        if unknown:
            raise DescriptionError(f"{place}: {quoted(unknown[0])} means nothing here")
        return self._clip(thing, place) if kind == "src" else self._group(thing, kind, place, depth)

    def _group(self, table: dict[str, Any], kind: str, place: str, depth: int) -> Node:
        things = table[kind]
        if not isinstance(things, list) or not things:
            raise DescriptionError(f"{place}: {kind} wants a list of things")
        inner = kind if place == "the file" else f"{place}, {kind}"
        nodes = [self.node(each, f"{inner} {number}", depth + 1) for number, each in enumerate(things, 1)]
        if kind == "switch":
            pairs = zip(nodes, things, range(1, len(things) + 1), strict=True)
            return Switch(tuple(_alternative(node, each, f"{inner} {number}") for node, each, number in pairs))
        return Seq(tuple(nodes)) if kind == "seq" else Par(tuple(nodes))

    def _clip(self, table: dict[str, Any], place: str) -> Clip:
        self._room.takeClip()
        only = _text(table, "only", place)
        if only not in ("", "video", "audio"):
            raise DescriptionError(f'{place}: only is "video" or "audio"')
        language = table.get("language", "")
        clip = Clip(
            (references.ofPath(_text(table, "src", place), self._folder, place),),
            place,
            only="video" if only == "video" else "audio" if only == "audio" else None,
            language=language if isinstance(language, str) else next(iter(_languages(table, place)), ""),
            title=_text(table, "title", place),
        )
        return excerpt(clip, _time(table, "begin", place), _time(table, "end", place))


def _alternative(node: Node, thing: Any, place: str) -> Alternative:
    if not isinstance(thing, dict):
        return Alternative(node)
    rate = thing.get("bitrate", 0)
    if not isinstance(rate, int) or isinstance(rate, bool) or not 0 <= rate < 10**12:
        raise DescriptionError(f"{place}: bitrate is a number of bits per second")
    return Alternative(node, _languages(thing, place), rate)


def _languages(table: dict[str, Any], place: str) -> tuple[str, ...]:
    """One, or a list of them."""
    value = table.get("language", ())
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(each, str) for each in values):
        raise DescriptionError(f"{place}: language is a text, or a list of texts")
    return tuple(values)


def _text(table: dict[str, Any], name: str, place: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise DescriptionError(f"{place}: {name} is a text")
    return value


def _time(table: dict[str, Any], name: str, place: str) -> float | None:
    """Seconds, or a text as SMIL has it."""
    value = table.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return parseClock(value)
        except ValueError:
            raise DescriptionError(f'{place}: {name} is a number of seconds, or a text such as "1:02:03.5"') from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or not 0 <= value < 1e9:
        raise DescriptionError(f"{place}: {name} is a number of seconds")
    return float(value)
