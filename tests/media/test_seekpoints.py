"""Where files are cut, and where they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediasrv.media.presentation import FilePresentation
from mediasrv.streaming.ondemand import carriesTrack
from tests.media.films import FILMS, Film
from tests.media.reading import joined, readAll

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:av")


CUTS = {
    "two key frames a second": [0, 2, 4],
    "all key frames": [0, 2, 4],
    "B-frames": [0, 2, 4],
    "key frames far apart": [0, 10, 20, 30],
    "one key frame": [0, 10, 20],
    "sound goes on": [0, 2, 12, 22, 32],
    "varying rate": [0, 2.6, 4.9],
}


@pytest.mark.parametrize("kind", CUTS)
def test_cuts(kind, tmp_path):
    presentation = FilePresentation(FILMS[kind].make(tmp_path), carriesTrack, 2.0)
    assert [cut.pts for cut in presentation.cuts] == pytest.approx(CUTS[kind], abs=0.001)
    presentation.close()


def test_nothingTimed(tmp_path):
    """A raw stream of H.264 says of no picture when it is shown: they follow each other."""
    presentation = FilePresentation(
        Film("a.h264", video=("libx264",), audio=(), rate=25).make(tmp_path), carriesTrack, 2.0
    )
    assert [cut.pts for cut in presentation.cuts] == pytest.approx([0, 2, 4])
    assert presentation.duration == pytest.approx(6)
    inOrder = [joined(fragment.units[0]) for fragment in readAll(presentation)]
    assert [joined(presentation.read(number).units[0]) for number in (2, 0, 1)] == [inOrder[2], *inOrder[:2]]
    presentation.close()


def test_cutOffMatroska(tmp_path):
    """Its cues were to come at the end: what FFmpeg came across at the beginning is not all that there is."""
    path = Path(FILMS["mkv"].but(seconds=20).make(tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    presentation = FilePresentation(str(path), carriesTrack, 2.0)
    assert presentation.duration == pytest.approx(15, abs=1)
    assert [cut.pts for cut in presentation.cuts] == pytest.approx([0, 2, 4, 6, 8, 10, 12, 14], abs=0.3)
    presentation.close()
