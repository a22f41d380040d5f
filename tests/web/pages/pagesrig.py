"""The pages on a real folder, without sockets and threads; and their HTML taken apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from rtsprig import Rig
from tunnelrig import Connection
from twisted.web.resource import Resource

from mediasrv.media.library import Library
from mediasrv.rtsp.origins import Origins
from mediasrv.rtsp.tunnel import Tunnels
from mediasrv.settings import Settings
from mediasrv.streaming.ondemand import carriesTrack
from mediasrv.web.addresses import Addresses
from mediasrv.web.context import WebContext
from mediasrv.web.door import WebDoor
from mediasrv.web.front import WebFactory, WebSite
from mediasrv.web.root import Root
from mediasrv.web.websocket import WebSocketResource


class Markup(HTMLParser):
    """
    What of a page tests look at.

    @ivar elements: names and attributes, in order.
    @ivar texts: what stands between them, where there is more than space.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, {name: value or "" for name, value in attributes}))

    def handle_data(self, data):
        if data.strip():
            self.texts.append(data.strip())

    def all(self, element: str, /, **attributes: str) -> list[dict[str, str]]:
        """The attributes of all elements of a name that have these among them; C{class_} is one of the classes."""
        kind = attributes.pop("class_", None)
        return [
            found
            for tag, found in self.elements
            if tag == element
            and attributes.items() <= found.items()
            and (kind is None or kind in found.get("class", "").split())
        ]

    @property
    def references(self) -> list[str]:
        """Everything that the page leads to, or fetches."""
        return [found[name] for _, found in self.elements for name in ("href", "src", "action") if name in found]


@dataclass
class Answer:
    code: int
    headers: dict[str, str]
    body: bytes
    markup: Markup = field(init=False)

    def __post_init__(self) -> None:
        self.text = self.body.decode("utf-8", "replace")
        self.markup = Markup(self.text)


class Pages:
    """
    A site that has our resources, at its top or below C{/a/b}.
    """

    def __init__(self, rig: Rig, folders: dict[str, Path], mounted: bool = False) -> None:
        self.rig = rig
        self.base = "/a/b/" if mounted else "/"
        self.library = Library(
            {name: str(folder) for name, folder in folders.items()}, carriesTrack, rig.pool, rig._reactor
        )
        # the viewer of the pages is an administrator, by the name that the server is known under
        settings = Settings(administrators=("192.0.2.0/24",), publicURL=f"http://media.example{self.base}")
        context = WebContext(rig.clock, settings, self.library, rig.registry, rig.pool, Addresses.of(settings))
        origins = Origins(())
        root: Resource = Root(WebDoor(context, {}, rig.pool), WebSocketResource(rig.site, origins))
        for name in (b"b", b"a") if mounted else ():
            outer = Resource()
            outer.putChild(name, root)
            root = outer
        self._factory = WebFactory(WebSite(root, reactor=rig.clock), rig.site, Tunnels(rig.site, origins))

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """
        What a browser gets.

        @param path: below the mount; a whole one begins with a slash.
        """
        path = urljoin(self.base, path)
        fields = {"Host": "media.example", "Accept": "text/html,*/*;q=0.8", "Connection": "close"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        connection = Connection(self.rig, factory=self._factory)
        connection.write("\r\n".join([*head, "", ""]).encode())
        heard = connection.heard()
        while connection.isConnected:
            self.rig.clock.advance(0.01)
            heard += connection.heard()
        head_, _, body = heard.partition(b"\r\n\r\n")
        line, *lines = head_.decode().split("\r\n")
        pairs = [each.partition(": ") for each in lines]
        return Answer(int(line.split()[1]), {name.lower(): value for name, _, value in pairs}, body)

    def crawl(self, start: str = "") -> dict[str, Answer]:
        """Everything that can be reached by references of pages, by path."""
        found: dict[str, Answer] = {}
        waiting = [urljoin(self.base, start)]
        while waiting:
            path = waiting.pop()
            if path in found:
                continue
            answer = found[path] = self.ask(path)
            if answer.headers.get("content-type", "").startswith("text/html"):
                for reference in answer.markup.references:
                    target = urlsplit(urljoin(f"http://media.example{path}", reference))
                    if target.scheme != "rtsp":
                        assert target.netloc == "media.example", reference
                        waiting.append(target.path)
        return found


def turnsOf(rig: Rig) -> list[float]:
    """A list that grows by the seconds of each delay that the clock is asked for: zero for another turn of it."""
    turns: list[float] = []
    clock: Any = rig.clock
    callLater = clock.callLater

    def counting(delay: float, *arguments: Any) -> Any:
        turns.append(delay)
        return callLater(delay, *arguments)

    clock.callLater = counting
    return turns
