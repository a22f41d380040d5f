"""curl and files: a thousand ranges at random, files of more than four gigabytes, what goes on and what breaks off."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from fileserving import FileServer, settled
from peers import Outcome, require, run

RANGES = 1000
SIZE = 5_000_011
BEYOND = 4 << 30

WAYS = pytest.mark.parametrize("isSecure", [False, True], ids=["plain", "tls"])


@pytest_twisted.async_yield_fixture
async def server(tmp_path: Path, cleanReactor: None, isSecure: bool) -> AsyncIterator[FileServer]:
    folder = tmp_path / "files"
    folder.mkdir()
    server = await FileServer(folder).start(tmp_path / "pem" if isSecure else None)
    yield server
    await server.stop()


@pytest.fixture
def isSecure() -> bool:
    return False


def url(server: FileServer, isSecure: bool, name: str) -> str:
    return f"http{'s' * isSecure}://127.0.0.1:{server.port}/{name}"


async def curl(*arguments: str, seconds: float = 60) -> Outcome:
    return await run([require("curl"), "--silent", "--show-error", "--insecure", *arguments], seconds)


def chosen(count: int, choose: random.Random) -> list[tuple[str, int, int]]:
    """Ranges of all three kinds: what is asked for, and the bytes that are to come."""
    found = []
    for _ in range(count):
        start = choose.randrange(SIZE)
        stop = min(SIZE, start + choose.choice([1, 10, 1000, 100_000, 600_000]))
        kind = choose.randrange(4)
        if kind == 0 and SIZE - start < 600_000:
            found.append((f"{start}-", start, SIZE))
        elif kind == 1:
            found.append((f"-{stop - start}", SIZE - (stop - start), SIZE))
        else:
            found.append((f"{start}-{stop - 1}", start, stop))
    return found


@WAYS
@pytest.mark.deadline(100)
async def testAThousandRanges(server: FileServer, isSecure: bool, tmp_path: Path) -> None:
    """In one go, over a few connections at once: each has its bytes."""
    data = random.Random(1).randbytes(SIZE)
    (server.folder / "a.bin").write_bytes(data)
    ranges = chosen(RANGES, random.Random(2))
    results = tmp_path / "results"
    results.mkdir()
    blocks = [
        f'url = "{url(server, isSecure, "a.bin")}"\nrange = "{text}"\noutput = "{results / str(number)}"\n'
        "silent\nshow-error\nfail\ninsecure\n"
        for number, (text, _, _) in enumerate(ranges)
    ]
    config = tmp_path / "curl.txt"
    config.write_text("parallel\nparallel-max = 10\n" + "next\n".join(blocks))
    outcome = await run([require("curl"), "--config", str(config)], 90)
    assert outcome.code == 0, outcome.errors
    for number, (text, start, stop) in enumerate(ranges):
        assert (results / str(number)).read_bytes() == data[start:stop], text


@WAYS
async def testBeyondFourGigabytes(server: FileServer, isSecure: bool) -> None:
    with open(server.folder / "a.mkv", "wb") as file:
        file.seek(BEYOND)
        file.write(b"abcdefghij")
    name = url(server, isSecure, "a.mkv")
    head = await curl("--head", name)
    assert f"Content-Length: {BEYOND + 10}\r\n".encode() in head.output
    for text, expected in (
        (f"{BEYOND}-", b"abcdefghij"),
        (f"{BEYOND + 3}-{BEYOND + 4}", b"de"),
        (f"{BEYOND - 2}-{BEYOND}", b"\0\0a"),
        ("-4", b"ghij"),
    ):
        outcome = await curl("--include", "--range", text, name)
        assert f"/{BEYOND + 10}\r\n".encode() in outcome.output
        assert outcome.output.partition(b"\r\n\r\n")[2] == expected


@WAYS
async def testGoingOn(server: FileServer, isSecure: bool, tmp_path: Path) -> None:
    """A download that was broken off is completed; of another version curl gets all."""
    data = random.Random(1).randbytes(SIZE)
    (server.folder / "a.bin").write_bytes(data)
    result = tmp_path / "result"
    result.write_bytes(data[:1_000_000])
    name = url(server, isSecure, "a.bin")
    outcome = await curl("--continue-at", "-", "--output", str(result), name)
    assert outcome.code == 0, outcome.errors
    assert result.read_bytes() == data


@WAYS
async def testTheFileIsCutOff(server: FileServer, isSecure: bool, tmp_path: Path) -> None:
    """curl says so: 18 is a partial file, 56 a connection that broke."""
    path = server.folder / "a.bin"
    with open(path, "wb") as file:
        file.truncate(100 << 20)
    result = tmp_path / "result"
    downloading = run(
        [
            require("curl"),
            "--silent",
            "--insecure",
            "--limit-rate",
            "20M",
            "--output",
            str(result),
            url(server, isSecure, "a.bin"),
        ],
        20,
    )
    await settled(lambda: any(each.sent > 1 << 20 for each in server.downloads._active))
    os.truncate(path, 50 << 20)
    outcome = await downloading
    assert outcome.code in (18, 56)
    assert result.stat().st_size <= 50 << 20


async def testTags(server: FileServer, isSecure: bool, tmp_path: Path) -> None:
    """What curl has already it does not get again."""
    (server.folder / "a.bin").write_bytes(b"content")
    tag, name = tmp_path / "tag", url(server, isSecure, "a.bin")
    first = await curl("--etag-save", str(tag), name)
    assert first.output == b"content"
    second = await curl("--etag-compare", str(tag), "--write-out", "%{http_code}", name)
    assert second.output == b"304"
    (server.folder / "a.bin").write_bytes(b"new content")
    third = await curl("--etag-compare", str(tag), name)
    assert third.output == b"new content"


async def testUnderItsName(server: FileServer, isSecure: bool, tmp_path: Path) -> None:
    (server.folder / "a.bin").write_bytes(b"content")
    outcome = await curl(
        "--remote-name",
        "--remote-header-name",
        "--output-dir",
        str(tmp_path),
        url(server, isSecure, "a.bin?download=other.bin"),
    )
    assert outcome.code == 0, outcome.errors
    assert (tmp_path / "other.bin").read_bytes() == b"content"
