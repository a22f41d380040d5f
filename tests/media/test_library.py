"""From paths to presentations: no way out of the folder, each file opened once, not too many at a time."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, DeferredList, ensureDeferred
from twisted.internet.threads import deferToThread, deferToThreadPool
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.python.threadpool import ThreadPool

from mediasrv.media import library as module
from mediasrv.media.files import NotMedia
from mediasrv.media.library import Library, NotFound, resolve
from mediasrv.media.presentation import FilePresentation, PresentationChanged
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import Film

FILM = Film("a.mp4", seconds=0.5)


@pytest.fixture
def folder(tmp_path) -> str:
    """A folder with a film, and one beside it that nobody may see."""
    inside = tmp_path / "inside"
    outside = tmp_path / "outside"
    for each in (inside, inside / "sub", outside):
        each.mkdir()
    film = FILM.make(inside)
    shutil.copy(film, outside / "secret.mp4")
    shutil.copy(film, inside / "sub" / "b.mp4")
    shutil.copy(film, inside / ".hidden.mp4")
    (inside / "out.mp4").symlink_to(outside / "secret.mp4")
    (inside / "outFolder").symlink_to(outside)
    (inside / "relative.mp4").symlink_to("../outside/secret.mp4")
    (inside / "dangling.mp4").symlink_to("nothing.mp4")
    (inside / "loop.mp4").symlink_to("loop.mp4")
    (inside / "in.mp4").symlink_to("sub/b.mp4")
    (inside / "null.mp4").symlink_to("/dev/null")
    os.mkfifo(inside / "fifo.mp4")
    return str(inside)


@pytest.mark.requirement("SYN-7", "SEC-6")
@pytest.mark.parametrize("segments", [[], ["sub"], ["a.mp4"], ["sub", "b.mp4"], ["in.mp4"]])
def test_resolve(segments, folder):
    assert os.path.samefile(resolve(folder, segments), os.path.join(folder, *segments))


@pytest.mark.requirement("SEC-6")
@pytest.mark.parametrize(
    "segments",
    [
        [""],
        ["."],
        [".."],
        ["..", "outside", "secret.mp4"],
        ["sub", "..", "..", "outside", "secret.mp4"],
        ["../outside/secret.mp4"],
        ["/etc/passwd"],
        ["", "etc", "passwd"],
        ["a.mp4\0"],
        ["\0"],
        ["a.mp4", ""],
        ["a.mp4", "x"],
        [".hidden.mp4"],
        ["out.mp4"],
        ["outFolder", "secret.mp4"],
        ["relative.mp4"],
        ["dangling.mp4"],
        ["loop.mp4"],
        ["null.mp4"],
        ["fifo.mp4"],
        ["x" * 300],
        ["x"] * 3000,
        ["\ud800"],
        ["A.mp4"],
    ],
    ids=lambda segments: repr(segments)[:40],
)
def test_notFound(segments, folder):
    with pytest.raises(NotFound):
        resolve(folder, segments)


@pytest.mark.requirement("SEC-6")
def test_similarFolder(tmp_path):
    """A folder whose name begins like ours is another one."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media2").mkdir()
    FILM.make(tmp_path / "media2")
    (tmp_path / "media" / "a.mp4").symlink_to(tmp_path / "media2" / "a.mp4")
    with pytest.raises(NotFound):
        resolve(str(tmp_path / "media"), ["a.mp4"])


def test_hiddenFilesIfWanted(folder):
    assert resolve(folder, [".hidden.mp4"], hidden=True).endswith(".hidden.mp4")
    with pytest.raises(NotFound):
        resolve(folder, [".."], hidden=True)


def test_folderBehindALink(folder, tmp_path):
    """The folder itself may be mounted by a link."""
    (tmp_path / "link").symlink_to(folder)
    assert resolve(str(tmp_path / "link"), ["a.mp4"]) == os.path.join(os.path.realpath(folder), "a.mp4")


@pytest.fixture
def pool():
    threads = ThreadPool(0, 4)
    threads.start()
    yield threads
    threads.stop()


@pytest.fixture
def library(folder, pool):
    made = Library({"films": folder}, carriesTrack, pool, reactor, openFiles=3)
    yield made
    made.close()


async def test_sameWhileUnchanged(library, folder):
    first = await library.presentation(["films", "a.mp4"])
    assert await library.presentation(["films", "a.mp4"]) is first
    os.utime(os.path.join(folder, "a.mp4"), (1, 1))
    second = await library.presentation(["films", "a.mp4"])
    assert second is not first
    assert await library.presentation(["films", "a.mp4"]) is second


@pytest.mark.requirement("SDP-4")
async def test_replaced(library, folder):
    first = await library.presentation(["films", "a.mp4"])
    path = os.path.join(folder, "a.mp4")
    shutil.copy(path, path + "~")
    os.replace(path + "~", path)
    second = await library.presentation(["films", "a.mp4"])
    assert second.read(0).units
    with pytest.raises(PresentationChanged):
        first.read(0)


async def test_linkAndFileAreOne(library):
    assert await library.presentation(["films", "in.mp4"]) is await library.presentation(["films", "sub", "b.mp4"])


@pytest.mark.parametrize(
    "segments", [[], ["films"], ["films", "sub"], ["else", "a.mp4"], ["films", "none.mp4"], ["films", "out.mp4"]]
)
async def test_nothingThere(library, segments):
    with pytest.raises(NotFound):
        await library.presentation(segments)


async def test_locate(library, folder):
    """Files and folders, media or not."""
    found = await library.locate(["films", "in.mp4"])
    assert (found.path, found.isFolder) == (os.path.join(os.path.realpath(folder), "sub", "b.mp4"), False)
    assert found.version.size == os.path.getsize(found.path)
    assert (await library.locate(["films"])).isFolder
    assert (await library.locate(["films", "sub"])).isFolder


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("films/sub/b.mp4", 3),
        ("films/sub/b.mp4/index.m3u8", 3),
        ("films/a.mp4/x/y/z", 2),
        ("films/sub/none", 2),
        ("films/a.mp4.m3u", 1),
        ("films/outFolder/secret.mp4", 1),
        ("films.m3u", 0),
        ("", 0),
    ],
)
async def test_reach(library, path, length):
    segments = path.split("/")
    located, found = await library.reach(segments)
    assert found == length
    assert located == (await library.locate(segments[:length]) if length else None)


@pytest.mark.requirement("SEC-6")
async def test_listing(library, folder):
    """What can be asked for and nothing else, in the order that people expect."""
    for name in ("part 10.mp4", "Part 2.txt", "9.mp4", "10 a.mp4", "line\nfeed.mp4", "latin \udce9.mp4"):
        shutil.copy(os.path.join(folder, "a.mp4"), os.path.join(folder, name))
    entries = await library.listing(["films"])
    assert [entry.name for entry in entries] == [
        "sub",
        *("9.mp4", "10 a.mp4", "a.mp4", "in.mp4", "Part 2.txt", "part 10.mp4"),
    ]
    size = os.path.getsize(os.path.join(folder, "a.mp4"))
    assert [(entry.isFolder, entry.size) for entry in entries[:2]] == [(True, 0), (False, size)]
    assert [(entry.name, entry.isFolder) for entry in await library.listing([])] == [("films", True)]


@pytest.mark.parametrize("segments", [["else"], ["films", "a.mp4"], ["films", "outFolder"], ["films", ".."]])
async def test_nothingToList(library, segments):
    with pytest.raises(NotFound):
        await library.listing(segments)


async def test_viewsAreApart(folder, pool):
    """What browsers decode is not what RTP carries: a file is opened for each, and each is kept."""
    library = Library({"films": folder}, carriesTrack, pool, reactor, webCarries=lambda track, unit: True)
    first = await library.presentation(["films", "a.mp4"])
    web = await library.presentation(["films", "a.mp4"], "web")
    assert (first.view, web.view) == ("rtp", "web")
    assert await library.presentation(["films", "a.mp4"]) is first
    assert await library.presentation(["films", "a.mp4"], "web") is web
    library.close()


async def test_noMedia(library, folder):
    with open(os.path.join(folder, "text.mp4"), "w") as file:
        file.write("text " * 100)
    for _ in range(2):
        with pytest.raises(NotMedia):
            await library.presentation(["films", "text.mp4"])


@pytest.mark.parametrize("name", ["text.mp4", "nothing.m3u"])
async def test_whoAsksAgainFillsNoLog(library, folder, name):
    with open(os.path.join(folder, name), "w") as file:
        file.write("nothing.mp4\n" * 100)
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        if "is not played" in formatEvent(event):
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    for _ in range(3):
        with pytest.raises(NotMedia):
            await library.presentation(["films", name])
    globalLogPublisher.removeObserver(observe)
    assert len(lines) == 1
    assert lines[0].startswith(f"{os.path.realpath(os.path.join(folder, name))!r} is not played: ")


async def test_notReadable(library, folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError):
        await library.presentation(["films", "a.mp4"])


async def test_removedMeanwhile(library, folder, monkeypatch):
    """Between finding and opening."""

    def removed(*arguments: object) -> FilePresentation:
        os.unlink(os.path.join(folder, "a.mp4"))
        return FilePresentation(*arguments)

    monkeypatch.setattr(module, "FilePresentation", removed)
    with pytest.raises(NotFound):
        await library.presentation(["films", "a.mp4"])


class Gate:
    """Opens presentations when it is told to, and counts them."""

    def __init__(self, monkeypatch) -> None:
        self.open = threading.Event()
        self.opened = 0
        monkeypatch.setattr(module, "FilePresentation", self)

    def __call__(self, *arguments: object) -> FilePresentation:
        self.opened += 1
        self.open.wait()
        return FilePresentation(*arguments)


async def _untilWaiting(library: Library, number: int) -> None:
    """Until so many wait for a file to be opened."""
    while sum(map(len, library._opening.values())) < number:
        await deferToThread(lambda: None)


@pytest.mark.requirement("DES-4")
async def test_openedOnce(library, monkeypatch):
    gate = Gate(monkeypatch)
    waiting = [library.presentation(["films", "a.mp4"]) for _ in range(50)]
    await _untilWaiting(library, 50)
    gate.open.set()
    results = await DeferredList(waiting)
    assert all(succeeded for succeeded, _ in results)
    assert len({id(presentation) for _, presentation in results}) == 1
    assert gate.opened == 1


async def test_failureForAll(library, folder, monkeypatch):
    gate = Gate(monkeypatch)
    with open(os.path.join(folder, "text.mp4"), "w") as file:
        file.write("text " * 100)
    waiting = [library.presentation(["films", "text.mp4"]) for _ in range(20)]
    await _untilWaiting(library, 20)
    gate.open.set()
    results = await DeferredList(waiting, consumeErrors=True)
    assert all(not succeeded and failure.check(NotMedia) for succeeded, failure in results)
    assert gate.opened == 1
    assert not library._opening


async def test_oneStopsWaiting(library, monkeypatch):
    gate = Gate(monkeypatch)
    first, second = (library.presentation(["films", "a.mp4"]) for _ in range(2))
    await _untilWaiting(library, 2)
    first.cancel()
    with pytest.raises(CancelledError):
        await first
    gate.open.set()
    assert (await second).tracks


def openFilms(folder: str) -> int:
    """How many descriptors of this process lead into a folder."""
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{descriptor}").startswith(os.path.realpath(folder))
        except OSError:
            continue  # that of the listing itself
    return count


async def _settled(pool: ThreadPool) -> None:
    """Until all that the pool was given before is done."""
    barrier = threading.Barrier(pool.max)
    await DeferredList([deferToThreadPool(reactor, pool, barrier.wait) for _ in range(pool.max)])


needsProc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")


@pytest.mark.requirement("SEC-18")
@needsProc
async def test_openFiles(library, folder, pool):
    presentations = []
    for number in range(8):
        name = f"{number}.mp4"
        shutil.copy(os.path.join(folder, "a.mp4"), os.path.join(folder, name))
        presentations.append(await library.presentation(["films", name]))
    await _settled(pool)
    assert openFilms(folder) == 3
    for presentation in presentations * 2:
        library.used(presentation)
        fragment = await deferToThreadPool(reactor, pool, presentation.read, 0)
        assert fragment.units[0]
        await _settled(pool)
        assert openFilms(folder) <= 3
    assert [each.isOpen for each in presentations] == [False] * 5 + [True] * 3
    library.close()
    assert openFilms(folder) == 0


@needsProc
async def test_olderVersionsCount(library, folder, pool):
    """A file that grows is opened anew for everybody who comes; those who watch it keep their version."""
    path = os.path.join(folder, "a.ts")
    Film("a.ts", video=("mpeg2video",), seconds=0.5, rate=25).make(folder)
    versions = []
    for _ in range(6):
        versions.append(await library.presentation(["films", "a.ts"]))
        with open(path, "ab") as file:
            file.write(b"\x47\x1f\xff\x10" + b"\xff" * 184)
    assert len(set(map(id, versions))) == 6
    await _settled(pool)
    assert openFilms(folder) == 3
    for version in versions:
        library.used(version)
        assert (await deferToThreadPool(reactor, pool, version.read, 0)).units[0]
    await _settled(pool)
    assert openFilms(folder) == 3


async def test_names(library, folder):
    names = ["Fleur d'été – тест 100% #1; 時間.mp4", "a b.mp4", "?.mp4", "concat:x.mp4", "\udcff.mp4", "a\nb.mp4"]
    for name in names:
        shutil.copy(os.path.join(folder, "a.mp4"), os.path.join(folder, name))
        assert (await library.presentation(["films", name])).tracks


async def test_closed(library):
    presentation = await library.presentation(["films", "a.mp4"])
    library.close()
    assert not presentation.isOpen


async def test_forgotten(library, folder, monkeypatch):
    """Only so many are remembered."""
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    for name in ("1.mp4", "2.mp4", "3.mp4"):
        shutil.copy(os.path.join(folder, "a.mp4"), os.path.join(folder, name))
    first = await library.presentation(["films", "1.mp4"])
    for name in ("2.mp4", "3.mp4"):
        await library.presentation(["films", name])
    assert await library.presentation(["films", "1.mp4"]) is not first


async def test_asCoroutine(library):
    async def ask() -> str:
        return (await library.presentation(["films", "a.mp4"])).title

    asked: Deferred[str] = ensureDeferred(ask())
    assert await asked == "a"


@pytest.mark.requirement("SET-4")
async def test_transportStreams(library, folder):
    """Of the same path, remembered beside what is described; other files are none, which is no news for the log."""
    Film("a.ts", video=("mpeg2video",), audio=("mp2",), seconds=1.0).make(folder)
    described = await ensureDeferred(library.presentation(["films", "a.ts"]))
    stream = await ensureDeferred(library.transportStream(["films", "a.ts"]))
    assert [len(described.tracks), len(stream.tracks)] == [2, 1]
    assert await ensureDeferred(library.presentation(["films", "a.ts"])) is described
    assert await ensureDeferred(library.transportStream(["films", "a.ts"])) is stream
    library.used(stream)
    library.used(described)
    os.utime(os.path.join(folder, "a.ts"), (5, 5))
    assert await ensureDeferred(library.transportStream(["films", "a.ts"])) is not stream
    with pytest.raises(NotMedia, match="no transport stream"):
        await ensureDeferred(library.transportStream(["films", "a.mp4"]))
    with pytest.raises(NotFound):
        await ensureDeferred(library.transportStream(["films", "b.ts"]))
    assert not library._opening
