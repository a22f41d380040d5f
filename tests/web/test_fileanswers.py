"""What is answered for files (RFC 9110), over a real connection."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from email.parser import BytesParser
from pathlib import Path

import pytest
import pytest_twisted
from fileserving import Answer, FileServer

from mediasrv.web.conditions import formatTime
from tests.media.films import Film

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
MODIFIED = 1_000_000_000


@pytest_twisted.async_yield_fixture
async def server(tmp_path: Path, cleanReactor: None) -> AsyncIterator[FileServer]:
    path = tmp_path / "film.mp4"
    path.write_bytes(CONTENT)
    os.utime(path, (MODIFIED, MODIFIED))
    server = await FileServer(tmp_path).start()
    yield server
    await server.stop()


async def testTheWhole(server: FileServer) -> None:
    answer = await server.ask("film.mp4")
    assert answer.code == 200
    assert answer.body == CONTENT
    headers = answer.headers
    assert headers["content-type"] == "video/mp4"
    assert headers["content-length"] == str(SIZE)
    assert headers["accept-ranges"] == "bytes"
    assert headers["last-modified"] == formatTime(MODIFIED)
    assert headers["etag"].startswith('"')
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["access-control-allow-origin"] == "*"
    assert "Content-Range" in headers["access-control-expose-headers"]
    assert "content-security-policy" not in headers
    assert "transfer-encoding" not in headers


@pytest.mark.parametrize("isOpen", [False, True])
async def testHead(server: FileServer, isOpen: bool) -> None:
    """The same without a body, also of a range, which means nothing to it."""
    whole = await server.ask("film.mp4")
    if not isOpen:
        server.downloads._files.closeIdle(float("inf"))
    for lines in ((), ("Range: bytes=5-6",)):
        head = await server.ask("film.mp4", *lines, method="HEAD")
        assert head.code == 200
        assert {**head.headers, "date": ""} == {**whole.headers, "date": ""}


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("5-6", 5, 7),
        (f"{SIZE - 1}-", SIZE - 1, SIZE),
        ("-300", SIZE - 300, SIZE),
        ("0-", 0, SIZE),
        ("0-99999", 0, SIZE),
    ],
)
async def testOneRange(server: FileServer, text: str, start: int, stop: int) -> None:
    answer = await server.ask("film.mp4", f"Range: bytes={text}")
    assert answer.code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.body == CONTENT[start:stop]


def parts(answer: Answer) -> list[tuple[str, str, bytes]]:
    """Type, range and bytes of each part, as the library of Python for mail reads it."""
    assert answer.code == 206
    assert "content-range" not in answer.headers
    message = BytesParser().parsebytes(
        b"Content-Type: " + answer.headers["content-type"].encode() + b"\r\n\r\n" + answer.body
    )
    assert message.get_content_type() == "multipart/byteranges"
    return [
        (part["Content-Type"], part["Content-Range"], part.get_payload(decode=True)) for part in message.get_payload()
    ]


async def testSeveralRanges(server: FileServer) -> None:
    answer = await server.ask("film.mp4", "Range: bytes=100-199, 0-9, -3")
    expected = [(100, 200), (0, 10), (SIZE - 3, SIZE)]
    assert len(answer.body) == int(answer.headers["content-length"])
    assert parts(answer) == [
        ("video/mp4", f"bytes {start}-{stop - 1}/{SIZE}", CONTENT[start:stop]) for start, stop in expected
    ]


async def testRangesThatAreOne(server: FileServer) -> None:
    answer = await server.ask("film.mp4", "Range: bytes=0-99,50-149,150-151")
    assert answer.headers["content-range"] == f"bytes 0-151/{SIZE}"
    assert answer.body == CONTENT[:152]


@pytest.mark.requirement("SEC-25")
@pytest.mark.parametrize("value", ["lines=1-2", "bytes=5-4", "bytes=x", "bytes=" + "0-0," * 3000])
async def testARangeThatIsIgnored(server: FileServer, value: str) -> None:
    answer = await server.ask("film.mp4", f"Range: {value}")
    assert answer.code == 200
    assert answer.body == CONTENT


async def testNoSuchBytes(server: FileServer) -> None:
    answer = await server.ask("film.mp4", f"Range: bytes={SIZE}-")
    assert answer.code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert "etag" not in answer.headers
    assert answer.headers["access-control-allow-origin"] == "*"


async def testIfRange(server: FileServer) -> None:
    first = await server.ask("film.mp4", "Range: bytes=0-0")
    for value in (first.headers["etag"], first.headers["last-modified"]):
        answer = await server.ask("film.mp4", "Range: bytes=5-6", f"If-Range: {value}")
        assert answer.code == 206
    for value in ('"other"', formatTime(MODIFIED - 1), "W/" + first.headers["etag"]):
        answer = await server.ask("film.mp4", "Range: bytes=5-6", f"If-Range: {value}")
        assert answer.code == 200
        assert answer.body == CONTENT


async def testNotModified(server: FileServer) -> None:
    first = await server.ask("film.mp4")
    for line in (f"If-None-Match: {first.headers['etag']}", f"If-Modified-Since: {first.headers['last-modified']}"):
        answer = await server.ask("film.mp4", line, "Range: bytes=0-5")
        assert answer.code == 304
        assert answer.headers["etag"] == first.headers["etag"]
        assert "content-length" not in answer.headers


async def testAnotherOneWasMeant(server: FileServer) -> None:
    answer = await server.ask("film.mp4", 'If-Match: "other"')
    assert answer.code == 412
    assert "etag" not in answer.headers


async def testAChangedFileIsAnother(server: FileServer) -> None:
    """Also within the moment for which the path is remembered; a tag tells them apart, and a time does not yet."""
    first = await server.ask("film.mp4")
    (server.folder / "film.mp4").write_bytes(CONTENT[::-1])
    second = await server.ask("film.mp4", f"If-None-Match: {first.headers['etag']}")
    assert second.code == 200
    assert second.body == CONTENT[::-1]
    assert second.headers["etag"] != first.headers["etag"]
    assert "last-modified" not in second.headers


async def testTheTimeComesLater(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the second is over in which the file was changed; it stays open meanwhile."""
    path = server.folder / "film.mp4"
    now = path.stat().st_mtime
    monkeypatch.setattr("mediasrv.web.files.time.time", lambda: now)
    first = await server.ask("film.mp4")
    assert "last-modified" not in first.headers
    now += 1
    second = await server.ask("film.mp4")
    assert second.headers["last-modified"] == formatTime(MODIFIED)
    assert second.headers["etag"] == first.headers["etag"]


async def testAnEmptyFile(server: FileServer) -> None:
    (server.folder / "empty.mp4").touch()
    answer = await server.ask("empty.mp4")
    assert answer.code == 200
    assert answer.headers["content-length"] == "0"
    assert (await server.ask("empty.mp4", "Range: bytes=0-")).code == 416


async def testNothingThere(server: FileServer) -> None:
    assert (await server.ask("other.mp4")).code == 404
    await server.ask("film.mp4")
    (server.folder / "film.mp4").unlink()
    assert (await server.ask("film.mp4")).code == 404


async def testTypeByContent(server: FileServer) -> None:
    (server.folder / "sound").write_bytes(b"fLaC" + bytes(100))
    assert (await server.ask("sound")).headers["content-type"] == "audio/flac"


@pytest.mark.requirement("SEC-25")
@pytest.mark.parametrize("name", ["page.html", "picture.svg", "list.xspf", "page", "script.js", "unknown.bin"])
async def testNoPages(server: FileServer, name: str) -> None:
    """What somebody put into the library can do nothing in a browser, whatever it is."""
    (server.folder / name).write_text("<html><script>alert(1)</script></html>")
    answer = await server.ask(name)
    assert answer.code == 200
    assert "html" not in answer.headers["content-type"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def testToSave(server: FileServer) -> None:
    answer = await server.ask("film.mp4?download")
    assert answer.headers["content-disposition"] == 'attachment; filename="film.mp4"'
    answer = await server.ask("film.mp4?download=der%20f%C3%BCnfte%0d%0aX:y.mp4", "Range: bytes=1-2")
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"der f_nfteX:y.mp4\"; filename*=UTF-8''der%20f%C3%BCnfteX%3Ay.mp4"
    )
    assert answer.body == CONTENT[1:3]


async def testPreflight(server: FileServer) -> None:
    answer = await server.ask(
        "film.mp4",
        "Origin: https://elsewhere.example",
        "Access-Control-Request-Method: GET",
        "Access-Control-Request-Headers: range",
        method="OPTIONS",
    )
    assert answer.code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert "Range" in answer.headers["access-control-allow-headers"]
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND"])
async def testOtherMethods(server: FileServer, method: str) -> None:
    answer = await server.ask("film.mp4", method=method)
    assert answer.code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def testManyOnOneConnection(server: FileServer) -> None:
    """All sent at once, answered in order, with and without a body."""
    client = await server.connect()
    for number in range(100):
        client.ask("film.mp4", f"Range: bytes={number}-{2 * number}")
        client.ask("film.mp4", "If-None-Match: *")
        client.ask("other.mp4", method="HEAD")
    for number in range(100):
        assert (await client.answer()).body == CONTENT[number : 2 * number + 1]
        assert (await client.answer()).code == 304
        assert (await client.answer(isHead=True)).code == 404
    assert not client.isClosed


async def testOneAndNoMore(server: FileServer) -> None:
    client = await server.connect()
    client.ask("film.mp4", "Connection: close")
    answer = await client.answer()
    assert answer.body == CONTENT
    assert answer.headers["connection"] == "close"
    await client.until(lambda: client.isClosed)


async def testFastStart(server: FileServer) -> None:
    """The index comes first, ranges are of that, and it is not taken for the file as it is."""
    Film("late.mp4", seconds=1.0).make(server.folder)
    plain = await server.ask("late.mp4")
    fast = await server.ask("late.mp4?faststart")
    assert len(fast.body) == len(plain.body)
    assert fast.body.index(b"moov") < fast.body.index(b"mdat")
    assert fast.headers["etag"] != plain.headers["etag"]
    place = fast.body.index(b"mdat")
    for start, stop in ((0, 10), (place - 50, place + 50), (place + 100, len(fast.body)), (20, 30)):
        answer = await server.ask("late.mp4?faststart", f"Range: bytes={start}-{stop - 1}")
        assert answer.body == fast.body[start:stop]
    answer = await server.ask("late.mp4?faststart", f"Range: bytes={place - 9}-{place},5-6")
    assert [part[2] for part in parts(answer)] == [fast.body[place - 9 : place + 1], fast.body[5:7]]
    assert (await server.ask("late.mp4?faststart", f"If-None-Match: {plain.headers['etag']}")).code == 200
    assert server.downloads._indexes.misses == 1


async def testFastStartOfAnythingElse(server: FileServer) -> None:
    """Is the file as it is."""
    plain = await server.ask("film.mp4")
    answer = await server.ask("film.mp4?faststart")
    assert answer.body == CONTENT
    assert answer.headers["etag"] == plain.headers["etag"]
