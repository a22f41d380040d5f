"""
Cards: what a folder and a search show of each folder and file.

A folder may have thousands. Each costs some 50 microseconds, so the reactor has a turn now and then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from twisted.internet.task import deferLater
from twisted.web.template import Flattenable, Tag, tags

from mediasrv.media.library import Entry
from mediasrv.web.pages.kinds import FileKind, kindOf
from mediasrv.web.pages.wording import clock, day, linked, moment, period, shown, size

#: cards that are made at a stroke
_STROKE = 40

#: paths of 24 by 24
_PICTURES = {
    "folder": "M3 6a2 2 0 0 1 2-2h4.600l2 2H19a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
    "video": "M4 4h16a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1m1 2v2h2V6zm12 0v2h2V6zM5 10v4h14v-4zm0 "
    "6v2h2v-2zm12 0v2h2v-2z",
    "audio": "M9 4.500 20 3v12.500a3.200 3.200 0 1 1-2-3V7.300l-7 .950v9.250a3.200 3.200 0 1 1-2-3z",
    "list": "M3 5h14v2H3zm0 5h14v2H3zm0 5h9v2H3zm12-1 6 3.500-6 3.500z",
    "picture": "M4 4h16a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1m1 13h14l-4.500-6-3.500 4.500-2.500-3zm3-10a1.700 "
    "1.700 0 1 0 0 3.400A1.700 1.700 0 0 0 8 7",
    "text": "M6 3h9l4 4v14H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1m2 7v2h8v-2zm0 4v2h8v-2zm0-8v2h4V6z",
    "other": "M6 3h8v5h5v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1m9.500.500L18.500 6.500H15.500z",
}


def symbol(kind: str) -> Tag:
    """The drawing that stands for a kind of file, or for a folder."""
    return Tag("svg", {"viewBox": "0 0 24 24", "aria-hidden": "true"})(Tag("path", {"d": _PICTURES[kind]}))


def card(entry: Entry, href: str, where: str = "") -> Tag:
    """
    @param href: of the folder that the entry is in: C{""} on that folder's page.
    @param where: what to say of that folder.
    """
    kind = kindOf(entry.name)
    link = href + linked([entry.name])
    if entry.isFolder:
        return _card(entry, f"{link}/", "folder", [symbol("folder")], where or "Folder")
    about = [size(entry.size), " · ", tags.time(day(entry.modified), datetime=moment(entry.modified))]
    if where:
        about = [where]
    if kind not in ("video", "audio", "list"):
        return _card(entry, link, kind, [symbol(kind)], [*about, " · download"], download="")
    inside: list[Flattenable] = [symbol(kind)]
    if kind == "video":
        # one that cannot be decoded is taken away by the script; without it nothing is seen of it
        inside.append(tags.img(src=f"{link}/poster.jpg", alt="", loading="lazy", decoding="async"))
    if entry.duration is not None:
        inside.append(tags.time(clock(entry.duration), class_="badge", datetime=period(entry.duration)))
    return _card(entry, f"{link}/", kind, inside, about)


def _card(
    entry: Entry, href: str, kind: FileKind | str, inside: list[Any], about: Flattenable, **attributes: str
) -> Tag:
    name = shown(entry.name)
    return tags.li(
        tags.a(
            tags.span(inside, class_="picture"),
            tags.span(name, class_="name", title=name),
            tags.span(about, class_="about"),
            href=href,
            **attributes,
        ),
        class_=f"card {kind}",
        **{"data-name": name.casefold(), "data-modified": f"{entry.modified:.0f}"},
    )


def paced(cards: Sequence[Any], make: Any, reactor: Any) -> Iterator[Flattenable]:
    """
    Makes cards while the page is being written.

    @param make: makes one of each of C{cards}.
    """
    for number, each in enumerate(cards):
        if number % _STROKE == _STROKE - 1:
            yield deferLater(reactor, 0, lambda: "")
        yield make(each)
