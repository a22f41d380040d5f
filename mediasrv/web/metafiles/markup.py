"""
Meta files of XML: ASX, SMIL, XSPF and QTL.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mediasrv.web.metafiles.entries import Entry

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

#: how many presentations can follow the first one of a QuickTime link
_FOLLOWING = 255


def asx(title: str, entries: Sequence[Entry]) -> bytes:
    """
    Windows Media's redirector. It knows no XML declaration, and VLC looks for C{<asx } at the very beginning; that it
    is UTF-8 is said by a parameter.
    """
    root = Element("asx", version="3.0")
    SubElement(root, "title").text = title
    SubElement(root, "param", name="encoding", value="utf-8")
    for entry in entries:
        element = SubElement(root, "entry")
        SubElement(element, "title").text = entry.title
        if entry.duration is not None:
            # the player stops there: it is rounded up
            SubElement(element, "duration", value=_clock(entry.duration))
        SubElement(element, "ref", href=entry.url)
    return _written(root, "")


def smil(title: str, entries: Sequence[Entry]) -> bytes:
    """
    SMIL, whose body plays what is in it one after the other. As old players want it: no namespace, and no durations,
    which would not tell them how long something is but where to cut it.
    """
    root = Element("smil")
    SubElement(SubElement(root, "head"), "meta", name="title", content=title)
    body = SubElement(root, "body")
    for entry in entries:
        SubElement(body, entry.kind or "ref", src=entry.url, title=entry.title)
    return _written(root)


def xspf(title: str, entries: Sequence[Entry]) -> bytes:
    """The playlist of Xiph.Org, version 1; durations are milliseconds."""
    root = Element("playlist", version="1", xmlns="http://xspf.org/ns/0/")
    SubElement(root, "title").text = title
    tracks = SubElement(root, "trackList")
    for entry in entries:
        track = SubElement(tracks, "track")
        SubElement(track, "location").text = entry.url
        SubElement(track, "title").text = entry.title
        if entry.duration is not None:
            SubElement(track, "duration").text = str(round(entry.duration * 1000))
    return _written(root)


def qtl(title: str, entries: Sequence[Entry]) -> bytes:
    """QuickTime's media link. It is of one presentation, to which others may be chained."""
    first, *others = entries
    root = Element("embed", src=first.url, autoplay="true", moviename=first.title)
    for number, entry in enumerate(others[:_FOLLOWING], 1):
        root.set(f"qtnext{number}", f"<{entry.url}> T<myself>")
    return _written(root, '<?xml version="1.0"?>\n<?quicktime type="application/x-quicktime-media-link"?>\n')


def _written(root: Element, start: str = _DECLARATION) -> bytes:
    ElementTree.indent(root)
    return f"{start}{ElementTree.tostring(root, 'unicode')}\n".encode()


def _clock(seconds: float) -> str:
    hundredths = ceil(round(seconds * 100, 3))
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 100:02}.{rest % 100:02}"
