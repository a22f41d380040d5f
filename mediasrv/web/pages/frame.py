"""
What is the same on all pages: the head, the header with the way up and the search, and the footer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twisted.python.filepath import FilePath
from twisted.web.iweb import IRequest
from twisted.web.template import Element, Flattenable, Tag, XMLFile, renderer, tags

from mediasrv import __version__
from mediasrv.web.pages.wording import linked, shown
from mediasrv.web.staticfiles import STATIC


def template(name: str) -> XMLFile:
    """A template of this package, read once."""
    return XMLFile(FilePath(__file__).sibling(name))


@dataclass(frozen=True, slots=True)
class Prefixes:
    """
    What references of a page begin with.

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
    @ivar scripts: static modules that it runs.
    @ivar query: what was searched for.
    """

    title: str
    body: Flattenable
    segments: Sequence[str] | None = None
    scripts: Sequence[str] = ()
    query: str = ""


class Frame(Element):
    """
    A whole page.
    """

    loader = template("frame.xml")

    def __init__(self, prefixes: Prefixes, content: Content) -> None:
        super().__init__()
        self._prefixes = prefixes
        self._content = content

    @renderer
    def page(self, request: IRequest, tag: Tag) -> Tag:
        """The outermost element: what stands in several places."""
        content, static = self._content, self._prefixes.static
        title = f"{content.title} · mediasrv" if content.title != "mediasrv" else content.title
        return tag.fillSlots(
            title=title,
            root=self._prefixes.root,
            style=f"{static}style.css",
            icon=f"{static}icon.svg",
            search=f"{self._prefixes.root}-/search",
            sessions=f"{self._prefixes.root}-/sessions",
            query=content.query,
            version=__version__,
            body=content.body,
        )

    @renderer
    def scripts(self, request: IRequest, tag: Tag) -> list[Tag]:
        """Modules, which run when the page has been read."""
        static, scripts = self._prefixes.static, self._content.scripts
        modules = [module for name in scripts for module in STATIC.modulesOf(name)]
        early = [tags.link(rel="modulepreload", href=f"{static}{name}") for name in modules]
        return [tags.script(src=f"{static}{name}", type="module") for name in scripts] + early

    @renderer
    def crumbs(self, request: IRequest, tag: Tag) -> Tag:
        """The folders on the way from the top to this page."""
        segments = self._content.segments
        if segments is not None and not segments:
            return tag(_here("Library"))
        tag(tags.li(tags.a("Library", href=self._prefixes.root)))
        if segments is None:
            return tag(_here(self._content.title))
        for end in range(1, len(segments)):
            href = f"{self._prefixes.root}{linked(segments[:end])}/"
            tag(tags.li(tags.a(shown(segments[end - 1]), href=href)))
        return tag(_here(shown(segments[-1])))


def _here(name: str) -> Tag:
    return tags.li(tags.span(name, **{"aria-current": "page"}))
