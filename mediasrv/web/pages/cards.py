"""
Cards: what a folder and a search show of each folder and file.

A folder may have thousands. Each costs some 200 microseconds, so the reactor has a turn now and then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from typing import Any

from twisted.internet.task import deferLater
from twisted.web.template import Flattenable, Tag, tags

from mediasrv.media.descriptions.reading import isDescription
from mediasrv.media.library import Entry
from mediasrv.web.kinds import kindOf
from mediasrv.web.pages.symbols import symbol
from mediasrv.web.pages.wording import clock, day, linked, moment, period, shown, size

#: cards that are made at a stroke
_STROKE = 12


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
        return _card(entry, link, kind, [symbol(kind)], about, download="")
    inside: list[Flattenable] = [symbol(kind)]
    if kind == "video" or isDescription(entry.name):
        # one that cannot be decoded is taken away by the script; without it nothing is seen of it
        inside.append(tags.img(src=f"{link}/poster.jpg", alt="", loading="lazy", decoding="async"))
    if entry.duration is not None:
        inside.append(tags.time(clock(entry.duration), class_="badge", datetime=period(entry.duration)))
    return _card(entry, f"{link}/", kind, inside, about)


def _card(entry: Entry, href: str, kind: str, inside: list[Any], about: Flattenable, **attributes: str) -> Tag:
    name = shown(entry.name)
    return tags.li(
        tags.a(
            tags.span(inside, class_="picture"),
            tags.span(_breakable(name), class_="name", title=name),
            tags.span(about, class_="about"),
            href=href,
            **attributes,
        ),
        class_=f"card {kind}",
        **{"data-name": name.casefold(), "data-modified": f"{entry.modified:.0f}"},
    )


def _breakable(name: str) -> list[Flattenable]:
    """A name with places where a line may end, other than spaces."""
    parts: list[Flattenable] = []
    for part in re.split(r"(?<=[_.])(?=.)", name):
        parts += [tags.wbr(), part] if parts else [part]
    return parts


def paced(cards: Sequence[Any], make: Callable[[Any], Tag], reactor: Any) -> Generator[Flattenable, Any, None]:
    """
    Makes cards while the page is being written.

    @param make: makes one of each of C{cards}.
    """
    for number, each in enumerate(cards):
        if number % _STROKE == _STROKE - 1:
            yield deferLater(reactor, 0, lambda: "")
        yield make(each)
