"""What a presentation has in it."""

from __future__ import annotations

from mediasrv.media.presentation import FilePresentation
from mediasrv.media.tracks import Fragment, Unit


def readAll(presentation: FilePresentation) -> list[Fragment]:
    return [presentation.read(number) for number in range(len(presentation.cuts))]


def joined(units: list[Unit]) -> bytes:
    return b"".join(unit.data for unit in units)
