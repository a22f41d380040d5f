"""
The page that plays a presentation: the player, and everything else that one can do with the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from twisted.web.iweb import IRequest
from twisted.web.server import Request
from twisted.web.template import Element, Tag, renderer, tags

from mediasrv.locating import below
from mediasrv.media.containers import NotMedia
from mediasrv.media.descriptions.choosing import Preferences
from mediasrv.media.library import Entry, NotFound
from mediasrv.media.presentation import Presentation, titleOf
from mediasrv.media.subtitles import Subtitle
from mediasrv.media.tracks import View
from mediasrv.web.context import WebContext
from mediasrv.web.kinds import isMedia
from mediasrv.web.pages.describing import described, isVideo, playsAsFile, summaryOf, trackLines
from mediasrv.web.pages.frame import Content, template
from mediasrv.web.pages.page import Page
from mediasrv.web.pages.wording import day, linked, shown, size
from mediasrv.web.preferring import preferencesOf

#: the meta files, and who takes them
_META_FILES = {
    "m3u": "VLC, mpv and most others",
    "pls": "Winamp's",
    "xspf": "open format, in XML",
    "asx": "Windows Media Player's",
    "ram": "RealPlayer's",
    "qtl": "QuickTime's",
    "smil": "W3C's",
    "strm": "Kodi's",
    "sdp": "session description",
}


@dataclass(frozen=True, slots=True)
class Playable:
    """
    What a path turned out to be.

    @ivar presentation: as browsers play it; if they cannot, as others do; None if nobody can.
    @ivar reason: why browsers cannot; C{""} if they can.
    @ivar subtitles: those in the file and beside it.
    """

    segments: tuple[str, ...]
    presentation: Presentation | None
    reason: str
    bytes: int
    modified: float
    subtitles: Sequence[Subtitle] = ()

    @property
    def name(self) -> str:
        """Of the file."""
        return self.segments[-1]

    @property
    def title(self) -> str:
        """To show."""
        return self.presentation.title if self.presentation is not None else titleOf(self.name)


class PlayPage(Page):
    """
    One file.
    """

    def __init__(self, context: WebContext, segments: Sequence[str]) -> None:
        super().__init__(context)
        self._segments = tuple(segments)

    async def content(self, request: Request) -> Content:
        """Also for a file that cannot be played: it can be downloaded."""
        neighbours = self.context.library.listing(self._segments[:-1])
        try:
            playable = await self._open(preferencesOf(request))
        except BaseException:
            neighbours.addErrback(lambda _: None)
            raise
        former, following = _around(await neighbours, self._segments[-1])
        base = self.context.addresses.rtsp(request)
        rtsp = None if base is None else below(base, self._segments)
        body = _Play(playable, former, following, rtsp)
        return Content(
            playable.title,
            body,
            self._segments,
            scripts=["play.js"],
        )

    async def _open(self, preferences: Preferences) -> Playable:
        library = self.context.library
        located = await library.locate(self._segments)
        if located.version is None:
            raise NotFound("/".join(self._segments))
        presentation, reason = await self._playable(preferences)
        version = located.version
        reader = self.context.subtitles
        subtitles = await reader.subtitles(self._segments, presentation) if reader is not None and not reason else ()
        return Playable(self._segments, presentation, reason, version.size, version.modified / 1e9, subtitles)

    async def _playable(self, preferences: Preferences) -> tuple[Presentation | None, str]:
        """The presentation, and why browsers cannot play it; C{""} if they can."""
        web = await self._presentation("web", preferences)
        if web is not None and (isVideo(web) or not web.omitted):
            return web, ""
        rtp = await self._presentation("rtp", preferences)
        if web is not None and (rtp is None or not isVideo(rtp)):
            return web, ""
        if rtp is None:
            return None, "This is nothing that can be played. Its download may be of use all the same."
        if playsAsFile(self._segments[-1]):
            return rtp, ""
        return rtp, "Browsers cannot play what is in this file. Other players can: see below."

    async def _presentation(self, view: View, preferences: Preferences) -> Presentation | None:
        try:
            return await self.context.library.presentation(self._segments, view, preferences)
        except NotMedia:
            return None


def _around(entries: Sequence[Entry], name: str) -> tuple[Entry | None, Entry | None]:
    """What can be played before and after a file of a folder."""
    names = [entry for entry in entries if not entry.isFolder and (isMedia(entry.name) or entry.name == name)]
    place = next((number for number, entry in enumerate(names) if entry.name == name), None)
    if place is None:
        return None, None
    return (names[place - 1] if place else None), (names[place + 1] if place + 1 < len(names) else None)


class _Play(Element):
    loader = template("play.xml")

    def __init__(self, playable: Playable, former: Entry | None, following: Entry | None, rtsp: str | None) -> None:
        super().__init__()
        self._playable = playable
        self._former = former
        self._following = following
        self._rtsp = rtsp

    @property
    def _file(self) -> str:
        return f"../{linked([self._playable.name])}"

    @renderer
    def play(self, request: IRequest, tag: Tag) -> Tag:
        """All of it."""
        playable = self._playable
        return tag.fillSlots(
            title=playable.title,
            file=self._file,
            name=shown(playable.name),
            size=size(playable.bytes),
            m3u=f"{self._file}.m3u",
        )

    @renderer
    def player(self, request: IRequest, tag: Tag) -> Tag:
        """What the script plays, and what plays without it."""
        playable = self._playable
        presentation = playable.presentation
        if presentation is None or playable.reason:
            return tags.div(tags.p(playable.reason), class_="nothing")
        data = described(playable.segments, presentation, playable.subtitles)
        element = tags.video if isVideo(presentation) else tags.audio
        sources = [tags.source(src=self._file, type=data["type"])]
        if data["hls"]:
            sources.insert(0, tags.source(src=data["hls"], type="application/vnd.apple.mpegurl"))
        plain = element(sources, controls="", preload="metadata")
        tag = tag(**{"data-presentation": json.dumps(data, separators=(",", ":"))})
        return tag(tags.noscript(plain), class_="player" if isVideo(presentation) else "player sound")

    @renderer
    def summary(self, request: IRequest, tag: Tag) -> Tag:
        """One line about it."""
        playable = self._playable
        parts = summaryOf(playable.presentation) if playable.presentation is not None else []
        parts += [size(playable.bytes), day(playable.modified)]
        return tag([(" · " if number else "", tags.span(part)) for number, part in enumerate(parts)])

    @renderer
    def neighbours(self, request: IRequest, tag: Tag) -> Tag:
        """The way to the files before and after it."""
        links = []
        for entry, rel, word in ((self._former, "prev", "Previous"), (self._following, "next", "Next")):
            if entry is not None:
                name = titleOf(entry.name)
                link = tags.a(
                    tags.span(word, class_="quiet"),
                    tags.span(name, class_="name"),
                    href=f"../{linked([entry.name])}/",
                    rel=rel,
                )
                links.append(link)
        return tag(links)

    @renderer
    def streamed(self, request: IRequest, tag: Tag) -> Tag | str:
        """Lines for other players, if they can play it."""
        return tag if self._playable.presentation is not None else ""

    @renderer
    def rtspLines(self, request: IRequest, tag: Tag) -> Tag | str:
        """What one can copy, if clients can be told where RTSP is."""
        if self._rtsp is None:
            return ""
        # it is pasted into a shell, where a quote in a file's name would begin whatever follows it there
        quoted = self._rtsp.replace("'", "%27")
        return tag.fillSlots(rtsp=self._rtsp, ffplay=f"ffplay '{quoted}'")

    @renderer
    def hlsLine(self, request: IRequest, tag: Tag) -> Tag | str:
        """HLS, if there is all of it."""
        presentation = self._playable.presentation
        return tag if presentation is not None and presentation.view == "web" else ""

    @renderer
    def metaFiles(self, request: IRequest, tag: Tag) -> Tag:
        """All the meta files."""
        return tag(
            [
                tags.li(tags.a(f".{extension}", href=f"{self._file}.{extension}", title=who))
                for extension, who in _META_FILES.items()
            ]
        )

    @renderer
    def tracks(self, request: IRequest, tag: Tag) -> Tag | str:
        """The tracks, and the streams of the file that are none."""
        presentation = self._playable.presentation
        if presentation is None:
            return ""
        rows = [tags.tr(tags.td(cell) for cell in cells) for cells in trackLines(presentation)]
        return tag.fillSlots(rows=rows, omitted=[tags.li(sentence) for sentence in presentation.omitted])
