"""The URLs of HLS: what is answered, what may be kept, and what is not made twice."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from exchanging import Answer, Exchange
from hlslint import lint
from hlsrig import FILMS, played
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock, deferLater
from twisted.python.threadpool import ThreadPool
from twisted.web.test.requesthelper import DummyRequest

from mediasrv.media.library import Library
from mediasrv.media.presentation import Presentation
from mediasrv.registry import Registry
from mediasrv.settings import Settings
from mediasrv.streaming.ondemand import carriesTrack
from mediasrv.web.browsers import carriedByBrowsers
from mediasrv.web.context import WebContext
from mediasrv.web.hls.playlists import Subtitle
from mediasrv.web.hls.resource import HLSResource
from mediasrv.web.hls.service import HLSService
from mediasrv.web.refusals import Refusal

IMMUTABLE = "public, max-age=31536000, immutable"


class Time:
    """The reactor, but for the time, which is the test's."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.seconds = self.clock.seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


class Rig:
    """
    A folder with a film, and its HLS.

    @ivar located: how often the library was asked.
    """

    def __init__(self, folder: Path, pool: ThreadPool) -> None:
        self.time = Time()
        self.library = Library(
            {"m": str(folder)},
            carriesTrack,
            pool,
            self.time,
            webCarries=carriedByBrowsers,  # type: ignore[arg-type]
        )
        self.hls = HLSService(self.library, pool, self.time)
        self.context = WebContext(self.time, Settings(), self.library, Registry(10, 10, self.time), pool)
        self.located = 0
        locate = self.library.locate

        def counted(segments: Sequence[str]) -> Deferred[Any]:
            self.located += 1
            return locate(segments)

        self.library.locate = counted  # type: ignore[method-assign]

    def exchange(self, path: str, *headers: str, method: str = "GET", name: str = "a.mp4") -> Exchange:
        rest = tuple(path.partition("?")[0].split("/"))
        resource = HLSResource(self.context, ("m", name), rest, self.hls)
        return Exchange(resource, f"/{path}", "Host: x", *headers, method=method)

    async def ask(self, path: str, *headers: str, method: str = "GET", name: str = "a.mp4") -> Answer:
        return await self.exchange(path, *headers, method=method, name=name).answered()

    async def base(self) -> str:
        """What all URLs but that of the index begin with."""
        return re.findall(r"(hls/\w+/)t0.m3u8", (await self.ask("index.m3u8")).body.decode())[0]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    FILMS["B-frames"].make(tmp_path)
    pool = ThreadPool(0, 2)
    pool.start()
    rig = Rig(tmp_path, pool)
    yield rig
    rig.hls.close()
    rig.library.close()
    pool.stop()


@pytest.mark.requirement("HLS-1")
async def testPlaylists(rig: Rig) -> None:
    """Their type, for every page to read, in gzip for who wants it, and not sent again to who has them."""
    base = await rig.base()
    for path in ("index.m3u8", f"{base}t0.m3u8", f"{base}t1.m3u8", f"{base}t0-key.m3u8"):
        plain = await rig.ask(path)
        assert (plain.code, lint(plain.body)) == (200, [])
        assert plain.headers["content-type"] == "application/vnd.apple.mpegurl"
        assert plain.headers["access-control-allow-origin"] == "*"
        assert plain.headers["cache-control"] == "no-cache"
        assert plain.headers["vary"] == "Accept-Encoding"
        packed = await rig.ask(path, "Accept-Encoding: br, gzip;q=0.5")
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert packed.headers["etag"] != plain.headers["etag"]
        head = await rig.ask(path, method="HEAD")
        assert (head.code, head.body, head.headers["content-length"]) == (200, b"", str(len(plain.body)))
        again = await rig.ask(path, f"If-None-Match: {plain.headers['etag']}")
        assert (again.code, again.body) == (304, b"")
        assert (await rig.ask(path + "?a=b&audio=x")).body == plain.body


@pytest.mark.parametrize(
    ("accepted", "isPacked"),
    [
        ("gzip", True),
        ("deflate,GZIP , br", True),
        ("*", True),
        ("gzip;q=1.0", True),
        ("gzip; q=0.001", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("notgzip", False),
        ("gzipped", False),
        ("", False),
    ],
)
async def testGzip(rig: Rig, accepted: str, isPacked: bool) -> None:
    answer = await rig.ask("index.m3u8", f"Accept-Encoding: {accepted}")
    assert (answer.headers.get("content-encoding") == "gzip") is isPacked


async def testSegments(rig: Rig) -> None:
    """Kept for ever, in parts if wanted, and the same each time."""
    base = await rig.base()
    package = await Deferred.fromCoroutine(rig.hls.package(("m", "a.mp4")))
    for path, kind in (
        ("t0-1.m4s", "video"),
        ("t1-2.m4s", "audio"),
        ("t0-init0.mp4", "video"),
        ("t0-key3.m4s", "video"),
    ):
        answer = await rig.ask(base + path)
        assert answer.code == 200
        assert answer.headers["content-type"] == f"{kind}/mp4"
        assert answer.headers["cache-control"] == IMMUTABLE
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-length"] == str(len(answer.body))
        head = await rig.ask(base + path, method="HEAD")
        assert (head.body, head.headers["content-length"]) == (b"", str(len(answer.body)))
        part = await rig.ask(base + path, "Range: bytes=10-19")
        assert (part.code, part.body) == (206, answer.body[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{len(answer.body)}"
        assert (await rig.ask(base + path, "Range: bytes=-7")).body == answer.body[-7:]
        several = await rig.ask(base + path, "Range: bytes=0-1,5-6")
        assert (several.code, several.body) == (200, answer.body)
        other = await rig.ask(base + path, "Range: bytes=0-1", 'If-Range: "x"')
        assert (other.code, other.body) == (200, answer.body)
        same = await rig.ask(base + path, "Range: bytes=0-1", f"If-Range: {answer.headers['etag']}")
        assert (same.code, same.body) == (206, answer.body[:2])
        outside = await rig.ask(base + path, f"Range: bytes={len(answer.body)}-")
        assert (outside.code, outside.headers["content-range"]) == (416, f"bytes */{len(answer.body)}")
        assert (await rig.ask(base + path, f'If-None-Match: "a", W/{answer.headers["etag"]}')).code == 304
    assert played(package.init(0, 0) + (await rig.ask(f"{base}t0-1.m4s")).body)


@pytest.mark.parametrize(
    "path",
    [
        "t0-3.m4s",
        "t2-0.m4s",
        "t2.m3u8",
        "t1-key.m3u8",
        "t1-key0.m4s",
        "t0-key5.m4s",
        "t0-init1.mp4",
        "t2-init0.mp4",
        "t00.m3u8",
        "s0.m3u9",
        "s0-0.vtt",
        "x",
        "",
    ],
)
async def testNothing(rig: Rig, path: str) -> None:
    """Also when all that is there is in memory."""
    base = await rig.base()
    for number in range(3):
        await rig.ask(f"{base}t0-{number}.m4s")
    answer = await rig.ask(base + path)
    assert answer.code == 404
    assert "cache-control" not in answer.headers or answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["index", "index.m3u8/x", "hls", "hls/x", "hls/x/y/z", "other.m3u8"])
async def testNoSuchThing(rig: Rig, path: str) -> None:
    assert (await rig.ask(path)).code == 404


@pytest.mark.parametrize("name", ["none.mp4", "b.txt"])
async def testNoPresentation(rig: Rig, name: str, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("no film")
    assert (await rig.ask("index.m3u8", name=name)).code == (404 if name == "none.mp4" else 415)


async def testAnotherVersion(rig: Rig, tmp_path: Path) -> None:
    """URLs of what the file was lead nowhere, and say what to do."""
    base = await rig.base()
    assert (await rig.ask(f"{base}t0.m3u8")).code == 200
    FILMS["B-frames"].but(seconds=5).make(tmp_path)
    rig.time.clock.advance(1.1)
    for path in ("t0.m3u8", "t0-0.m4s", "t0-init0.mp4"):
        answer = await rig.ask(base + path)
        assert (answer.code, answer.headers["cache-control"]) == (404, "no-store")
        assert answer.body == b"This is of another version of the file. Load index.m3u8 again.\n"
    assert await rig.base() != base


async def testARemovedFile(rig: Rig, tmp_path: Path) -> None:
    """Is served for a second more, from memory."""
    base = await rig.base()
    segment = await rig.ask(f"{base}t0-0.m4s")
    os.remove(tmp_path / "a.mp4")
    rig.time.clock.advance(0.5)
    assert (await rig.ask(f"{base}t0-0.m4s")).body == segment.body
    rig.time.clock.advance(0.6)
    assert (await rig.ask(f"{base}t0-0.m4s")).code == 404


async def testFromMemory(rig: Rig) -> None:
    """At once, without asking the library; which is asked again when a second has gone."""
    base = await rig.base()
    first = await rig.ask(f"{base}t0-0.m4s")
    asked = rig.located
    assert rig.exchange(f"{base}t0-0.m4s").answer == first
    # what is read for one track is read for all
    assert rig.exchange(f"{base}t1-0.m4s").answer.code == 200
    assert rig.located == asked
    path = ("m", "a.mp4", *f"{base}t0-0.m4s".split("/"))
    assert rig.hls.early(path) == 2
    assert rig.hls.early((*path[:-2], "0", path[-1])) == 0
    assert rig.hls.early(path[:-1]) == 0
    rig.time.clock.advance(1.1)
    assert rig.hls.early(path) == 0
    assert (await rig.ask(f"{base}t0-0.m4s")).body == first.body
    assert rig.located == asked + 1
    assert rig.hls.early(path) == 2


async def testMadeOnce(rig: Rig) -> None:
    """However many ask at the same time."""
    base = await rig.base()
    reads = []
    package = await Deferred.fromCoroutine(rig.hls.package(("m", "a.mp4")))
    presentation: Any = package.presentation
    read = presentation.read
    presentation.read = lambda number: (reads.append(number), read(number))[1]
    exchanges = [rig.exchange(f"{base}t{track}-1.m4s") for track in (0, 1, 0, 0, 1)]
    answers = await gatherResults([Deferred.fromCoroutine(each.answered()) for each in exchanges])
    assert len({answer.body for answer in answers}) == 2
    assert reads == [2, 3]
    assert rig.hls.cache.misses == 1


async def testServed(rig: Rig) -> None:
    """Whoever counts is told, of every segment, where it begins and what was sent of it."""
    told: list[tuple[object, ...]] = []
    rig.hls.served = lambda request, *rest: told.append(rest)
    base = await rig.base()
    whole = await rig.ask(f"{base}t0-1.m4s")
    await rig.ask(f"{base}t0-2.m4s", "Range: bytes=0-9")
    await rig.ask(f"{base}t0-2.m4s", method="HEAD")
    await rig.ask(f"{base}t0-init0.mp4")
    await rig.ask(f"{base}t0-0.m4s", f"If-None-Match: {whole.headers['etag'].replace('-1.', '-0.')}")
    assert [(each[0], each[2], each[3]) for each in told] == [
        (("m", "a.mp4"), 4.0, len(whole.body)),
        (("m", "a.mp4"), 8.0, 10),
    ]
    assert all(isinstance(each[1], Presentation) for each in told)


async def testWhoIsNotToWatch(rig: Rig) -> None:
    """Gets nothing, also of what is in memory."""
    base = await rig.base()
    await rig.ask(f"{base}t0-0.m4s")
    rig.hls.check = refuseAll
    for path in ("index.m3u8", f"{base}t0-0.m4s"):
        with pytest.raises(Refusal):
            HLSResource(rig.context, ("m", "a.mp4"), tuple(path.split("/")), rig.hls).render_GET(DummyRequest([b""]))


def refuseAll(request: object, segments: tuple[str, ...]) -> None:
    raise Refusal(403, "No.")


class Texts:
    """Subtitles that say what they were asked for."""

    async def tracks(self, segments: tuple[str, ...], presentation: Presentation) -> Sequence[Subtitle]:
        return [Subtitle(0, "eng"), Subtitle(1, "ger", forced=True)]

    async def webVTT(
        self, segments: tuple[str, ...], presentation: Presentation, number: int, start: float, end: float
    ) -> bytes:
        if number > 1:
            raise Refusal(404, "None.")
        return f"WEBVTT {segments} {number} {start} {end}".encode()


async def testSubtitles(rig: Rig) -> None:
    """They have the same boundaries, and change without the film."""
    rig.hls.subtitles = Texts()
    index = (await rig.ask("index.m3u8")).body
    assert lint(index) == []
    first = re.findall(rb'TYPE=SUBTITLES.*NAME="([^"]+)".*URI="([^"]+)"', index)
    assert [name for name, _ in first] == [b"English", b"Deutsch"]
    playlist = await rig.ask(first[1][1].decode())
    assert lint(playlist.body) == []
    base = first[1][1].decode().rpartition("/")[0]
    pictures = (await rig.ask(f"{base}/t0.m3u8")).body
    assert re.findall(b"EXTINF.*", playlist.body) == re.findall(b"EXTINF.*", pictures)
    part = await rig.ask(f"{base}/s1-1.vtt")
    assert part.body == b"WEBVTT ('m', 'a.mp4') 1 4.0 8.0"
    assert part.headers["content-type"] == "text/vtt; charset=utf-8"
    assert part.headers["cache-control"] == "no-cache"
    assert (await rig.ask(f"{base}/s1-1.vtt", f"If-None-Match: {part.headers['etag']}")).code == 304
    assert (await rig.ask(f"{base}/s2-1.vtt")).code == 404
    assert (await rig.ask(f"{base}/s1-9.vtt")).code == 404


async def testAWholeFilm(rig: Rig) -> None:
    """As a player fetches it."""
    base = await rig.base()
    text = (await rig.ask(f"{base}t0.m3u8")).body.decode()
    names = re.findall('URI="([^"]+)"', text) + [line for line in text.splitlines() if not line.startswith("#")]
    data = b"".join([(await rig.ask(base + name)).body for name in names])
    assert len(played(data)) == 100
    await deferLater(reactor, 0)
