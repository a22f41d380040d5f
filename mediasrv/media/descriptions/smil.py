"""
SMIL 1.0 to 3.0, as far as it says which files are played, in which order, and for whom.

Layout, transitions and links are of no matter here, and what has no time of its own (pictures, texts) is left out with
a sentence. A document type is allowed, as every document of SMIL 1.0 has one, but nothing of it is read: neither
entities nor an internal subset, and nothing else is ever opened.
"""

from __future__ import annotations

from xml.parsers import expat

from mediasrv.media.descriptions import references
from mediasrv.media.descriptions.clockvalues import parseClip
from mediasrv.media.descriptions.tree import (
    DEEPEST,
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
from mediasrv.media.tracks import Kind

_GROUPS = frozenset({"body", "seq", "par", "switch"})
#: what is looked through: links
_TRANSPARENT = frozenset({"a"})
_CLIPS = frozenset({"video", "audio", "ref"})
#: what is left out without a word
_SILENT = frozenset({"anchor", "area", "metadata", "meta", "param", "prefetch", "set", "animate", "layout"})

#: attributes that would change when something is played
_TIMING = frozenset({"begin", "dur", "end", "repeat", "repeatcount", "repeatdur", "speed"})

#: elements that are left out and spoken of
_SPOKEN_OF = 20


def parseSMIL(data: bytes, folder: Segments) -> Description:
    """
    @param folder: of the file, in the library.
    @raise DescriptionError: if it is no SMIL, or nothing that can be played.
    """
    reader = _Reader(folder)
    parser = reader.parser
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DescriptionError(f"line {error.lineno}: no XML: {expat.ErrorString(error.code)}") from None
    except (LookupError, ValueError):  # of encodings
        raise DescriptionError("no XML in an encoding that is known") from None
    return reader.description()


class _Group:
    """An element that is not closed yet."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.items: list[tuple[Node, dict[str, str]]] = []

    def node(self) -> Node | None:
        """What it is; None if there is nothing in it."""
        if not self.items:
            return None
        if self.name == "switch":
            return Switch(tuple(_alternative(node, attributes) for node, attributes in self.items))
        nodes = tuple(node for node, _ in self.items)
        return Par(nodes) if self.name == "par" else Seq(nodes)


class _Reader:
    """Takes what the XML parser finds."""

    def __init__(self, folder: Segments) -> None:
        self._folder = folder
        self._room = Room()
        self._depth = 0
        self._ignored = 0
        self._head = False
        self._groups: list[_Group] = []
        self._root: Node | None = None
        self._title = ""
        self._omitted: list[str] = []
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        for name in ("EntityDeclHandler", "ExternalEntityRefHandler", "SkippedEntityHandler"):
            setattr(parser, name, self._entity)

    def description(self) -> Description:
        """
        @raise DescriptionError: if there is nothing to play.
        """
        if self._root is None:
            raise DescriptionError("; ".join(["it names no clips", *self._omitted]))
        return Description(self._root, self._title, tuple(self._omitted))

    @property
    def _place(self) -> str:
        return f"line {self.parser.CurrentLineNumber}"

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        if internal:
            raise DescriptionError(f"{self._place}: a document type may declare nothing here")

    def _entity(self, *_: object) -> None:
        raise DescriptionError(f"{self._place}: entities are not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self._depth += 1
        if self._depth > 4 * DEEPEST:
            Room.checkDepth(self._depth)
        if self._ignored:
            self._ignored += 1
        elif self._depth == 1:
            if name != "smil":
                raise DescriptionError(f"{self._place}: <{quoted(name)}> is no SMIL")
        elif self._head or (name == "head" and self._depth == 2):
            self._head = True
            self._startInHead(name, attributes)
        elif name in _GROUPS:
            self._checkTiming(attributes)
            self._groups.append(_Group(name, attributes))
            Room.checkDepth(len(self._groups))
            if name == "body":
                self._title = self._title or attributes.get("title", "")
        elif name in _CLIPS:
            self._add(self._clip(name, attributes), attributes)
        elif name not in _TRANSPARENT:
            self._ignored = 1
            if name not in _SILENT and len(self._omitted) < _SPOKEN_OF:
                self._omitted.append(f"{self._place}: <{quoted(name)}> is not played")

    def _startInHead(self, name: str, attributes: dict[str, str]) -> None:
        if name == "meta" and attributes.get("name", "").lower() == "title":
            self._title = attributes.get("content", "")
        elif name == "meta" and attributes.get("name", "").lower() == "base":
            raise DescriptionError(f"{self._place}: another base is not supported")

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        self._depth -= 1
        if self._ignored:
            self._ignored -= 1
        elif self._head:
            self._head = not (name == "head" and self._depth == 1)
        elif name in _GROUPS:
            group = self._groups.pop()
            node = group.node()
            if node is not None:
                self._add(node, group.attributes)

    def _add(self, node: Node, attributes: dict[str, str]) -> None:
        if self._groups:
            self._groups[-1].items.append((node, attributes))
        elif self._root is None:
            self._root = node

    def _clip(self, name: str, attributes: dict[str, str]) -> Clip:
        self._checkTiming(attributes)
        self._room.takeClip()
        place = self._place
        language = attributes.get("xml:lang") or _first(_attribute(attributes, "systemLanguage", "system-language"))
        only: Kind | None = "audio" if name == "audio" else None
        path = references.ofURL(attributes.get("src", "").strip(), self._folder, place)
        clip = Clip((path,), place, only=only, language=language, title=attributes.get("title", ""))
        begin = self._time(attributes, "clipBegin", "clip-begin")
        return excerpt(clip, begin, self._time(attributes, "clipEnd", "clip-end"))

    def _time(self, attributes: dict[str, str], name: str, former: str) -> float | None:
        value = _attribute(attributes, name, former)
        if not value:
            return None
        try:
            return parseClip(value)
        except ValueError:
            raise DescriptionError(f"{self._place}: {name}: {quoted(value)} is no time") from None

    def _checkTiming(self, attributes: dict[str, str]) -> None:
        """What says that something is played at another time is obeyed or refused, not ignored."""
        for name, value in attributes.items():
            if name.lower() in _TIMING and value.strip().rstrip("s") not in ("", "0"):
                raise DescriptionError(f"{self._place}: {quoted(name)} is not supported; clipBegin and clipEnd are")


def _attribute(attributes: dict[str, str], name: str, former: str) -> str:
    """An attribute by its name, or by the one that it had in SMIL 1.0."""
    return attributes.get(name, attributes.get(former, ""))


def _alternative(node: Node, attributes: dict[str, str]) -> Alternative:
    languages = _attribute(attributes, "systemLanguage", "system-language").split(",")
    bitRate = _attribute(attributes, "systemBitrate", "system-bitrate").strip()
    rate = int(bitRate) if bitRate.isascii() and bitRate.isdigit() and len(bitRate) <= 12 else 0
    return Alternative(node, tuple(language.strip() for language in languages if language.strip()), rate)


def _first(languages: str) -> str:
    return languages.partition(",")[0].strip()
