"""
Descriptions over RTSP: real clients get the clips to the last byte, in order, on one timeline, and the end by itself.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import essence
import peers
import pytest
import pytest_twisted
from rtspclient import Opener, RTSPClient, pass_
from serving import Server
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.threads import deferToThread
from twisted.web.server import Site

#: seconds beyond a presentation's duration after which a client counts as stuck
_PATIENCE = 25.0

#: seconds of sound that are in a packet at most
_PACKET = 0.1

_SMIL = '<smil xmlns="http://www.w3.org/ns/SMIL"><body>{}</body></smil>'

_SEQ = _SMIL.format('<video src="h264.mp4"/><video src="h264.ts"/>')
_PAR = 'par = ["silent-h264.mp4", { src = "mp3.mp3", language = "de" }]'
_SOUNDS = "#EXTM3U\n#EXTINF:3,One\nmp3.mp3\n#EXTINF:3,Two\nmp3.mp3\n"


@dataclass(frozen=True)
class Piece:
    """
    Units of a clip that have to come.

    @ivar begin: seconds in the file.
    @ivar end: seconds in the file.
    """

    stream: essence.Stream
    begin: float = -1.0
    end: float = 1e9

    @property
    def units(self) -> list[essence.Unit]:
        """In decoding order, without what belongs to pictures from before the beginning."""
        units = self.stream.units
        if self.stream.kind == "video":
            first = next(at for at, unit in enumerate(units) if unit.key and unit.pts >= self.begin - 1e-6)
            return [unit for unit in units[first:] if self.begin - 1e-6 <= unit.pts < self.end - 1e-6]
        return [unit for unit in units if self.begin - 1e-6 <= unit.pts < self.end - 1e-6]

    @property
    def essence(self) -> bytes:
        return essence.essenceOf(self.stream.codec, [unit.data for unit in self.units], self.stream.extradata)


def write(folder: Path, name: str, text: str) -> str:
    """A description beside the clips, where other processes may write the same."""
    unfinished = folder / f".{os.getpid()}.{name}"
    unfinished.write_text(text)
    unfinished.replace(folder / name)
    return name


def pieces(clip: Callable[[str], Path], *names: str) -> list[list[Piece]]:
    """Whole files, for each track one after the other."""
    files = [essence.readFile(clip(name)) for name in names]
    return [[Piece(stream) for stream in streams] for streams in zip(*files, strict=True)]


async def copied(server: Server, name: str, transport: str, wanted: list[list[Piece]], folder: Path) -> list[str]:
    """Has ffmpeg copy a presentation, and says what is wrong with the copy."""
    arguments = [peers.require("ffmpeg"), "-v", "error", "-rtsp_transport", transport, "-i", server.url(name)]
    for track in wanted:
        kind = track[0].stream.kind
        choose = ["-map", f"0:{kind[0]}:0", "-c", "copy", "-copyinkf", "-copypriorss", "1"]
        arguments += [*choose, "-f", "data", str(folder / f"{name}.{kind}")]
    outcome = await peers.run(arguments, 10 + _PATIENCE)
    found = [] if outcome.code == 0 else [f"ffmpeg ended with {outcome.code}: {outcome.errors}"]
    for track in wanted:
        stream = track[0].stream
        got = (folder / f"{name}.{stream.kind}").read_bytes()
        if stream.codec == "h264":
            got = essence.essenceOf(stream.codec, [got])
        wrong = essence.difference(got, b"".join(piece.essence for piece in track))
        if wrong:
            found.append(f"{stream.kind} {stream.codec}: {wrong}")
    return [f"{name}: {each}" for each in found]


@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_ffmpegCopiesTheClips(
    server: Server, clip: Callable[[str], Path], clipFolder: Path, tmp_path: Path, transport: str
) -> None:
    """In turn, together, a part; MP4 with lengths and a transport stream with start codes; SMIL, TOML and M3U."""
    both = pieces(clip, "h264.mp4", "h264.ts")
    [video], [sound] = pieces(clip, "silent-h264.mp4")[0], pieces(clip, "mp3.mp3")[0]
    seek = essence.readFile(clip("seek.mp4"))
    key = max(unit.pts for unit in seek[0].units if unit.key and unit.pts <= 7.3)
    part = [[Piece(stream, key, 9.1)] for stream in seek]
    wanted = {
        write(clipFolder, "turn.smil", _SEQ): both,
        write(clipFolder, "together.toml", _PAR): [[video], [sound]],
        write(clipFolder, "sounds.m3u", _SOUNDS): [[sound, sound]],
        write(clipFolder, "part.toml", 'src = "seek.mp4"\nbegin = 7.3\nend = "9.1s"'): part,
    }
    results = await peers.together(copied(server, name, transport, each, tmp_path) for name, each in wanted.items())
    wrong = [complaint for complaints in results for complaint in complaints]
    assert not wrong, "\n".join(wrong)


@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_gstreamerGetsTheClips(
    server: Server, clip: Callable[[str], Path], clipFolder: Path, tmp_path: Path, transport: str
) -> None:
    [[film, other]] = pieces(clip, "silent-h264.mp4", "silent-h264.ts")
    [[sound]] = pieces(clip, "mp3.mp3")
    pictures = write(clipFolder, "pictures.toml", 'seq = ["silent-h264.mp4", "silent-h264.ts"]')
    sounds = write(clipFolder, "sounds.m3u", _SOUNDS)

    async def take(name: str, depayloader: str) -> bytes:
        file = tmp_path / name
        pipeline = (
            f"rtspsrc location={server.url(name)} protocols={transport} ! {depayloader} ! "
            f"identity single-segment=true ! filesink location={file}"
        )
        await peers.run([peers.require("gst-launch-1.0"), "-q", *pipeline.split()], 10 + _PATIENCE)
        return file.read_bytes()

    h264 = "rtph264depay ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au"
    seen, heard = await peers.together([take(pictures, h264), take(sounds, "rtpmpadepay")])
    assert not essence.difference(essence.essenceOf("h264", [seen]), film.essence + other.essence)
    assert not essence.difference(heard, sound.essence * 2)


@pytest_twisted.async_yield_fixture
async def top(server: Server) -> AsyncIterator[str]:
    """The URL of the web pages of the clips."""
    site = Site(server.service.webResource())
    port: Any = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(site)
    yield f"http://127.0.0.1:{port.getHost().port}/clips/"
    await port.stopListening()


@pytest.mark.deadline(60)
async def test_ffmpegCopiesHLS(top: str, clip: Callable[[str], Path], clipFolder: Path, tmp_path: Path) -> None:
    """The same over HTTP, where every clip has its own parameters behind a discontinuity."""
    wanted = pieces(clip, "h264.mp4", "h264.ts")
    name = write(clipFolder, "turn.smil", _SEQ)
    await copyHLS(f"{top}{name}/index.m3u8", tmp_path)
    for track in wanted:
        stream = track[0].stream
        got = essence.essenceOf(stream.codec, [(tmp_path / stream.kind).read_bytes()], b"none")
        assert not essence.difference(got, b"".join(piece.essence for piece in track))


async def copyHLS(url: str, folder: Path) -> None:
    """Has ffmpeg write the units of pictures and sound into two files, which are called as their kinds."""
    arguments = [peers.require("ffmpeg"), "-v", "error", "-i", url]
    for kind, extra in (("video", ["-bsf:v", "h264_mp4toannexb"]), ("audio", [])):
        choose = ["-map", f"0:{kind[0]}:0", "-c", "copy", "-copyinkf", "-copypriorss", "1", *extra]
        arguments += [*choose, "-y", "-f", "data", str(folder / kind)]
    outcome = await peers.run(arguments, _PATIENCE)
    assert outcome.code == 0, outcome.errors


@pytest.mark.deadline(60)
async def test_choiceOverHLS(top: str, clip: Callable[[str], Path], clipFolder: Path, tmp_path: Path) -> None:
    """What was chosen for the first playlist stays chosen for all that it leads to, which has no query."""
    clip("silent-h264.mp4")
    sounds = {"en": "opus.opus", "de": "aac.m4a"}
    choice = ", ".join(f'{{ src = "{name}", language = "{language}" }}' for language, name in sounds.items())
    name = write(clipFolder, "choice.toml", f'par = ["silent-h264.mp4", {{ switch = [{choice}] }}]')
    for query, language in (("?lang=de-AT,en;q=0.5", "de"), ("?lang=fr,en", "en"), ("", "en")):
        [[sound]] = pieces(clip, sounds[language])
        await copyHLS(f"{top}{name}/index.m3u8{query}", tmp_path)
        got = essence.essenceOf(sound.stream.codec, [(tmp_path / "audio").read_bytes()], b"none")
        # silence may follow, as long as there are pictures
        assert sound.essence in got


async def test_choicesSideBySide(top: str, clip: Callable[[str], Path], clipFolder: Path) -> None:
    """What somebody else chooses meanwhile, or nobody, is not what a playlist leads to."""
    for each in ("aac.m4a", "opus.opus"):
        clip(each)
    choice = '{ src = "opus.opus", language = "en" }, { src = "aac.m4a", language = "de" }'
    url = f"{top}{write(clipFolder, 'sounds.toml', f'switch = [{choice}]')}/"

    def get(reference: str) -> str:
        with urlopen(url + reference, timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    german = await deferToThread(get, "index.m3u8?lang=de")
    assert 'CODECS="mp4a' in german
    assert 'CODECS="opus' in await deferToThread(get, "index.m3u8")
    media = next(line for line in german.splitlines() if line.startswith("hls/"))
    assert "#EXT-X-ENDLIST" in await deferToThread(get, media)


# To the tick, with a client of our own.


@pytest.fixture
def twoFilms(clip: Callable[[str], Path], clipFolder: Path) -> tuple[str, list[list[Piece]]]:
    """The last seconds of a film, then another one; and what has to come of each track."""
    first, second = essence.readFile(clip("seek.mp4")), essence.readFile(clip("h264.mp4"))
    name = write(clipFolder, "films.toml", 'seq = [{ src = "seek.mp4", begin = 17.5 }, "h264.mp4"]')
    key = max(unit.pts for unit in first[0].units if unit.key and unit.pts <= 17.5)
    return name, [[Piece(one, key), Piece(other)] for one, other in zip(first, second, strict=True)]


def checkUnits(client: RTSPClient, wanted: list[list[Piece]], lag: float = 0.0) -> list[int]:
    """
    Holds the units that have come against those of the clips: all of them once, each as much later than the one before
    as in the file, and the seam is at the same moment in all tracks.

    @param lag: seconds by which it may come later, as it was paused.
    @return: which of the wanted units came first, for each track.
    """
    firsts = []
    seams = []
    for track, clips in zip(client.tracks, wanted, strict=True):
        codec = clips[0].stream.codec
        expected = [
            (number, unit.pts, essence.essenceOf(codec, [unit.data], piece.stream.extradata))
            for number, piece in enumerate(clips)
            for unit in piece.units
        ]
        units = track.units()
        got = [essence.essenceOf(codec, [unit.data]) for unit in units]
        known = [data for _, _, data in expected]
        first = known.index(got[0])
        assert got == known[first : first + len(got)]
        assert first + len(got) == len(known)
        # for each clip the RTP time of its own 0
        zeros = [
            [
                unit.timestamp - pts * track.clockRate
                for unit, (number, pts, _) in zip(units, expected[first:], strict=True)
                if number == clip
            ]
            for clip in range(len(clips))
        ]
        if not lag:
            assert all(max(each) - min(each) <= 2 for each in zeros if each)
        times = sorted(unit.timestamp for unit in units)
        longest = max(later - sooner for sooner, later in pairwise(times))
        assert longest < (0.15 + lag) * track.clockRate
        assert len(set(times)) == len(times)
        seams.append(track.unix(round(zeros[-1][0])))
        firsts.append(first)
    assert max(seams) - min(seams) < 0.001
    return firsts


@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_oneTimeline(opened: Opener, twoFilms: tuple[str, list[list[Piece]]], transport: str) -> None:
    """From the beginning to the end, which comes by itself."""
    name, wanted = twoFilms
    client = await opened(name, transport)
    playing = await client.play()
    assert playing.start == 0.0
    await client.end()
    assert checkUnits(client, wanted) == [0, 0]


@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_seekIntoTheSecondClip(opened: Opener, twoFilms: tuple[str, list[list[Piece]]], transport: str) -> None:
    """It starts at a key frame of that clip, and the reply says which."""
    name, wanted = twoFilms
    client = await opened(name, transport)
    seam = 20.0 - wanted[0][0].begin + 1024 / 44100  # or a frame more
    playing = await client.play("npt=4.6-")
    key = max(unit.pts for unit in wanted[0][1].units if unit.key and unit.pts + seam <= 4.6)
    assert playing.start == pytest.approx(seam + key, abs=0.03)
    await client.end()
    picture, sound = checkUnits(client, wanted)
    assert picture == len(wanted[0][0].units) + round(key * 25)
    begun = [unit for piece in wanted[1] for unit in piece.units][sound]
    assert 0 <= begun.pts - key < _PACKET


@pytest.mark.deadline(60)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_pausesAroundTheSeam(opened: Opener, twoFilms: tuple[str, list[list[Piece]]], transport: str) -> None:
    """Nothing is lost and nothing comes twice, wherever it is paused."""
    name, wanted = twoFilms
    client = await opened(name, transport)
    await client.play("npt=1.8-")
    for _ in range(5):
        packets = len(client.tracks[0].packets)
        await client.until(lambda packets=packets: len(client.tracks[0].packets) > packets + 25)
        await client.pause()
        counts = [len(track.packets) for track in client.tracks]
        await pass_(0.1)
        assert [len(track.packets) for track in client.tracks] == counts
        await client.play()
    await client.end()
    _checkOrder(client, wanted)


def _checkOrder(client: RTSPClient, wanted: list[list[Piece]]) -> None:
    for track, clips in zip(client.tracks, wanted, strict=True):
        codec = clips[0].stream.codec
        known = [
            essence.essenceOf(codec, [unit.data], piece.stream.extradata) for piece in clips for unit in piece.units
        ]
        got = [essence.essenceOf(codec, [unit.data]) for unit in track.units()]
        assert got == known[known.index(got[0]) :]


@pytest.mark.deadline(60)
async def test_alternatives(server: Server, clip: Callable[[str], Path], clipFolder: Path, tmp_path: Path) -> None:
    """A choice is made once: the tracks that are set up afterwards are those that were described."""
    for name in ("silent-h264.mp4", "mp3.mp3", "aac.m4a"):
        clip(name)
    name = write(
        clipFolder,
        "choice.toml",
        'par = ["silent-h264.mp4", { switch = [{ src = "mp3.mp3", language = "en" },'
        ' { src = "aac.m4a", language = "de" }] }]',
    )
    [video], [sound] = pieces(clip, "silent-h264.mp4")[0], pieces(clip, "aac.m4a")[0]
    assert not await copied(server, f"{name}?lang=de-AT,en;q=0.5", "tcp", [[video], [sound]], tmp_path)
