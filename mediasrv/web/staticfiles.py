"""
The files that pages need: style, scripts, icon. They are part of the package, and read once.

Their URL has a version, a digest of all of them: C{-/static/<version>/player.js}. So browsers keep them for ever, and
what a script imports, by relative references, is of the same version.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from mediasrv.media.library import NotFound
from mediasrv.web.conditions import answeredByTag

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_IMPORT = re.compile(r'^(?:import|export) .*from "\./([a-z]+\.js)";$', re.M)


@dataclass(frozen=True, slots=True)
class _File:
    type: str
    data: bytes
    packed: bytes
    etag: str


class StaticFiles:
    """
    The files of a folder, in memory.

    @ivar version: changes with any of them.
    """

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, _File] = {}
        together = hashlib.sha256()
        for path in sorted(folder.iterdir()):
            if path.suffix in _TYPES:
                data = path.read_bytes()
                together.update(data)
                etag = hashlib.sha256(data).hexdigest()[:16]
                self._files[path.name] = _File(_TYPES[path.suffix], data, gzip.compress(data, mtime=0), etag)
        self.version = together.hexdigest()[:12]

    def modulesOf(self, name: str) -> list[str]:
        """The modules that a script imports, and what these import: a browser that is told need not find out."""
        found: list[str] = []
        waiting = [name]
        while waiting:
            for imported in _IMPORT.findall(self._files[waiting.pop(0)].data.decode()):
                if imported not in found:
                    found.append(imported)
                    waiting.append(imported)
        return found

    def get(self, name: str) -> _File | None:
        """A file by its name."""
        return self._files.get(name)


STATIC = StaticFiles(Path(__file__).with_name("static"))


class StaticResource(Resource):
    """
    One of the files.
    """

    isLeaf = True

    def __init__(self, rest: Sequence[str]) -> None:
        """
        @param rest: the segments behind C{-/static}: a name, or a version and a name.
        """
        super().__init__()
        *versions, self._name = rest or [""]
        self._isCurrent = versions == [STATIC.version]
        self._isWrong = len(versions) > 1

    def render_GET(self, request: Request) -> bytes | int:
        """HEAD is the same."""
        file = None if self._isWrong else STATIC.get(self._name)
        if file is None:
            raise NotFound(self._name)
        return self._answer(request, file)

    def _answer(self, request: Request, file: _File) -> bytes | int:
        request.setHeader("Content-Type", file.type)
        request.setHeader("X-Content-Type-Options", "nosniff")
        # a page that was loaded before the server was made new may ask by an old version: it gets what there is, once
        lasting = "public, max-age=31536000, immutable" if self._isCurrent else "no-cache"
        request.setHeader("Cache-Control", lasting)
        request.setHeader("Vary", "Accept-Encoding")
        packs = "gzip" in (request.getHeader("accept-encoding") or "")
        if answeredByTag(request, file.etag + ("-gzip" if packs else "")):
            return NOT_DONE_YET
        if packs:
            request.setHeader("Content-Encoding", "gzip")
        body = file.packed if packs else file.data
        request.setHeader("Content-Length", str(len(body)))
        return body
