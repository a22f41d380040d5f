"""What the log says of media files: each thing once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from mediasrv.media.files import FileVersion
from mediasrv.media.remarks import Remarks


@pytest.fixture
def lines() -> Iterator[list[str]]:
    found: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace") == "mediasrv.media.remarks.Remarks":
            found.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield found
    globalLogPublisher.removeObserver(observe)


def version(tmp_path, name: str, text: str) -> FileVersion:
    file = tmp_path / name
    file.write_text(text)
    return FileVersion.of(str(file))


def test_onceAsLongAsTheFileIsTheSame(tmp_path, lines):
    remarks = Remarks()
    first, second = version(tmp_path, "a.mp4", "x"), version(tmp_path, "b.mp4", "much more")
    for _ in range(3):
        remarks.notPlayed("/a.mp4", first, "no sense in it")
        remarks.notPlayed("/a.mp4", first, "nothing for browsers")
        remarks.omitted("/a.mp4", first, "a track")
    remarks.notPlayed("/a.mp4", second, "no sense in it")
    assert lines == [
        "'/a.mp4' is not played: no sense in it",
        "'/a.mp4' is not played: nothing for browsers",
        "'/a.mp4': a track",
        "'/a.mp4' is not played: no sense in it",
    ]


def test_namesAreQuoted(tmp_path, lines):
    Remarks().notPlayed("/a\x1b[31m\n2026 all is well\u202e\x85.mp4", version(tmp_path, "a.mp4", "x"), "empty")
    assert lines == [r"'/a\x1b[31m\n2026 all is well\u202e\x85.mp4' is not played: empty"]


def test_whatIsRememberedHasABound(tmp_path, lines):
    remarks, ours = Remarks(remembered=2), version(tmp_path, "a.mp4", "x")
    for path in ("/a", "/b", "/a", "/c", "/a", "/b"):
        remarks.notPlayed(path, ours, "empty")
    assert [line[1:3] for line in lines] == ["/a", "/b", "/c", "/b"]
