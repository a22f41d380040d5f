"""Boxes of a file, found without reading what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediasrv.media.fileboxes import FileBox, FileBoxError, fileBoxes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "boxes"


def found(path: Path, content: bytes, start: int = 0, most: int = 10) -> Iterator[FileBox]:
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield from fileBoxes(descriptor, start, len(content), most)
    finally:
        os.close(descriptor)


def testSizes(path: Path) -> None:
    """In four bytes, in eight, and up to the end."""
    content = b"\0\0\0\x0cabcd1234" + b"\0\0\0\1efgh" + (18).to_bytes(8, "big") + b"12" + b"\0\0\0\0ijkl123"
    boxes = list(found(path, content))
    assert boxes == [FileBox(b"abcd", 0, 8, 12), FileBox(b"efgh", 12, 16, 18), FileBox(b"ijkl", 30, 8, 11)]
    assert [(each.body, each.end) for each in boxes] == [(8, 12), (28, 30), (38, 41)]
    assert list(found(path, content, start=12)) == boxes[1:]
    assert list(found(path, content, start=len(content))) == []
    assert list(found(path, content, most=3)) == boxes


@pytest.mark.parametrize(
    "content", [b"\0\0\0\x07abcd", b"\0\0\0\x09abcd", b"\0\0\0", b"\0\0\0\1abcd" + bytes(8), b"\0\0\0\x08abcd" * 11]
)
def testNoBoxes(path: Path, content: bytes) -> None:
    """Smaller than its header, larger than the file, a header that is cut off, too many."""
    with pytest.raises(FileBoxError):
        list(found(path, content))
