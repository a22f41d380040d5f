"""
What is the same on all pages: the head, the header with the way up and the search, and the footer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from twisted.python.filepath import FilePath
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, XMLFile, renderer, tags

from mediasrv import __version__
from mediasrv.web.pages.wording import linked, shown


def template(name: str) -> XMLFile:
    """A template of this package, read once."""
    return XMLFile(FilePath(__file__).sibling(name))


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a page is.

    @ivar root: the relative reference from the page to the top of the mount, with a slash at the end.
    @ivar static: the same to the folder of static files.
    """

    root: str
    static: str


@dataclass(frozen=True, slots=True)
class Content:
    """
    What a page is about.

    @ivar title: for the window, and the last crumb.
    @ivar body: what stands in its middle.
    @ivar segments: of the library path that it shows: the crumbs.
    @ivar isFolder: whether C{segments} end with a folder.
    @ivar scripts: static modules that it runs.
    @ivar query: what was searched for.
    @ivar links: more of the head: what the browser should fetch early, as (static module).
    """

    title: str
    body: Flattenable
    segments: Sequence[str] | None = None
    isFolder: bool = True
    scripts: Sequence[str] = ()
    query: str = ""
    links: Sequence[str] = field(default_factory=tuple)


class Frame(Element):
    """
    A whole page.
    """

    loader = template("frame.xml")

    def __init__(self, place: Place, content: Content) -> None:
        super().__init__()
        self._place = place
        self._content = content

    @renderer
    def page(self, request: IRequest, tag: Tag) -> Tag:
        """The outermost element: what stands in several places."""
        content, static = self._content, self._place.static
        title = f"{content.title} · mediasrv" if content.title != "mediasrv" else content.title
        return tag.fillSlots(
            title=title,
            root=self._place.root,
            style=f"{static}style.css",
            icon=f"{static}icon.svg",
            search=f"{self._place.root}-/search",
            sessions=f"{self._place.root}-/sessions",
            query=content.query,
            version=__version__,
            body=content.body,
        )

    @renderer
    def scripts(self, request: IRequest, tag: Tag) -> list[Tag]:
        """Modules, which run when the page has been read."""
        static = self._place.static
        early = [tags.link(rel="modulepreload", href=f"{static}{name}") for name in self._content.links]
        return early + [tags.script(src=f"{static}{name}", type="module") for name in self._content.scripts]

    @renderer
    def crumbs(self, request: IRequest, tag: Tag) -> list[Tag]:
        """The folders on the way from the top to this page."""
        segments = self._content.segments
        here = self._content.title if segments is None else "Library"
        if not segments:
            return [tags.li(tags.span(here, **{"aria-current": "page"}))]
        crumbs = [tags.li(tags.a("Library", href=self._place.root))]
        for end in range(1, len(segments)):
            href = f"{self._place.root}{linked(segments[:end])}/"
            crumbs.append(tags.li(tags.a(shown(segments[end - 1]), href=href)))
        crumbs.append(tags.li(tags.span(shown(segments[-1]), **{"aria-current": "page"})))
        return crumbs
