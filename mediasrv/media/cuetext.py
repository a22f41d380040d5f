"""
The text of cues: from what subtitle formats have in them to what WebVTT has (W3C WebVTT section 4.2.2).

Bold, italics and underlining are kept; fonts, colours, positions and karaoke are not. Whatever comes in, what comes out
is well formed: tags are closed in order, and nothing that was text becomes a tag, an arrow or the end of a cue.
"""

from __future__ import annotations

import html
import re
import struct

#: characters of one cue
_LONGEST = 4000

_KEPT = ("b", "i", "u")

#: a tag of HTML or WebVTT, a time in a cue, and what ASS and its relatives put in braces
_MARKUP = re.compile(
    r"<(?P<slash>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,15})(?:[.\s][^<>]{0,500})?/?>"
    r"|<[0-9:.]{1,20}>"
    r"|\{(?P<codes>\\[^{}]{0,2000})\}"
)

#: the codes that switch bold, italics and underlining; the weight of a font counts as bold from 600 up
_CODE = re.compile(r"\\([biu])([0-9]{1,4})(?![A-Za-z])")

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class _Writer:
    """Puts a cue's text together."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []

    def write(self, text: str) -> None:
        self._parts.append(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

    def switch(self, name: str, on: bool) -> None:
        """Begins or ends one kind of emphasis, however the others are nested."""
        if on == (name in self._open):
            return
        if on:
            self._open.append(name)
            self._parts.append(f"<{name}>")
            return
        at = self._open.index(name)
        inner = self._open[at + 1 :]
        self._parts += [f"</{each}>" for each in reversed(self._open[at:])]
        self._parts += [f"<{each}>" for each in inner]
        self._open[at:] = inner

    def finish(self) -> str:
        """All of it, without empty lines, for one would end the cue."""
        self._parts += [f"</{each}>" for each in reversed(self._open)]
        lines = (line.strip() for line in "".join(self._parts).splitlines())
        return "\n".join(line for line in lines if line)


def fromTagged(text: str) -> str:
    """
    The text of SubRip or WebVTT, with tags of HTML and character references.

    @return: C{""} if nothing is left to be read.
    """
    writer = _Writer()
    at = 0
    text = _tidied(text)
    for found in _MARKUP.finditer(text):
        writer.write(html.unescape(text[at : found.start()]))
        at = found.end()
        name = (found["name"] or "").lower()
        if name in _KEPT:
            writer.switch(name, not found["slash"])
        elif name == "br":
            writer.write("\n")
        elif found["codes"]:
            _obey(writer, found["codes"])
    writer.write(html.unescape(text[at:]))
    return _readable(writer)


def fromASS(event: str) -> str:
    r"""
    The text of an event of Advanced SubStation Alpha: C{{\i1}} switches, C{\N} breaks the line.

    @param event: as Matroska has it: the fields of a C{Dialogue} line without its times, of which the text is the last.
    """
    fields = event.split(",", 8)
    text = _tidied(fields[8] if len(fields) == 9 else "")
    writer = _Writer()
    isDrawing = False
    at = 0
    for found in re.finditer(r"\{([^{}]*)\}", text):
        if not isDrawing:
            writer.write(_broken(text[at : found.start()]))
        at = found.end()
        # shapes are drawn with words that nobody reads
        for scale in re.findall(r"\\p([0-9]+)", found[1]):
            isDrawing = scale.strip("0") != ""
        _obey(writer, found[1])
    if not isDrawing:
        writer.write(_broken(text[at:]))
    return _readable(writer)


def fromTX3G(sample: bytes) -> str:
    """
    The text of a sample of 3GPP timed text (TS 26.245 section 5.17): its length, UTF-8 or UTF-16, and boxes, of which
    C{styl} says what is emphasized. Empty if nothing is to be shown.
    """
    if len(sample) < 2:
        return ""
    (length,) = struct.unpack_from(">H", sample)
    raw = sample[2 : 2 + length]
    if raw.startswith((b"\xfe\xff", b"\xff\xfe")):
        text = raw.decode("utf-16", "replace")
    else:
        text = raw.decode("utf-8", "replace")
    text = text[:_LONGEST]
    faces = [0] * len(text)
    for start, end, face in _styles(sample, 2 + length):
        for at in range(start, min(end, len(faces))):
            faces[at] = face
    writer = _Writer()
    for character, face in zip(text, faces, strict=True):
        for bit, name in enumerate(_KEPT):
            writer.switch(name, bool(face >> bit & 1))
        writer.write("\n" if character == "\r" else "" if _CONTROL.match(character) else character)
    return _readable(writer)


def _styles(sample: bytes, at: int) -> list[tuple[int, int, int]]:
    """The records of C{styl}: first character, the one after the last, and the face's flags."""
    while at + 10 <= len(sample):
        size, kind = struct.unpack_from(">I4s", sample, at)
        if kind == b"styl":
            (count,) = struct.unpack_from(">H", sample, at + 8)
            records = min(count, (len(sample) - at - 10) // 12, 1000)
            found = (struct.unpack_from(">HHHB", sample, at + 10 + 12 * number) for number in range(records))
            return [(start, end, face) for start, end, _, face in found]
        if size < 8:
            break
        at += size
    return []


def _obey(writer: _Writer, codes: str) -> None:
    for name, value in _CODE.findall(codes):
        writer.switch(name, int(value) == 1 or int(value) >= 600)


def _broken(text: str) -> str:
    return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")


def _tidied(text: str) -> str:
    return _CONTROL.sub("", text[:_LONGEST].replace("\r\n", "\n").replace("\r", "\n"))


def _readable(writer: _Writer) -> str:
    """Nothing at all where there is nothing to read but tags."""
    text = writer.finish()
    return text if re.sub(r"</?[biu]>", "", text).strip() else ""
