"""
ffmpeg and GStreamer over multicast: to the last byte what is in the file, and each packet is sent once for all of them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import essence
import peers
import pytest
import test_ffmpeg
import test_gstreamer
import test_pyav
from serving import Server
from twisted.internet import reactor
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater

from mediasrv.rtp.packets import RTPPacket, parsePacket
from mediasrv.rtsp.session import RTSPSession

#: both tracks of two, and the rest of what RTP does with a codec: fragments, aggregates, quantization tables
_COPIED = ["h264.mp4", "h265.mkv", "mjpeg.mov", "opus.opus"]

_TAKEN = ["silent-h264.mp4", "silent-vp8.webm", "mp3.mp3"]

pytestmark = pytest.mark.requirement("SET-15")


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """For each report that listeners sent to a group, whose session it was taken to be about."""
    found: list[str] = []
    really = RTSPSession.controlHeard

    def heard(session: RTSPSession, track: int, data: bytes) -> None:
        found.append(session.path)
        really(session, track, data)

    monkeypatch.setattr(RTSPSession, "controlHeard", heard)
    return found


@pytest.mark.deadline(60)
async def test_ffmpegCopiesTheFile(
    multicaster: Server, clip: Callable[[str], Path], tmp_path: Path, reports: list[str]
) -> None:
    paths = {name: clip(name) for name in _COPIED}
    copies = await peers.together(test_ffmpeg.copy(multicaster, name, "udp_multicast", tmp_path) for name in _COPIED)
    wrong = [complaint for made in copies for complaint in test_ffmpeg.complaints(made, paths[made.name])]
    assert not wrong, "\n".join(wrong)
    assert len(multicaster.service.registry) == 0
    assert "clips/h264.mp4" in reports


@pytest.mark.deadline(60)
async def test_gstreamerTakesTheFile(
    multicaster: Server, clip: Callable[[str], Path], tmp_path: Path, reports: list[str]
) -> None:
    paths = [clip(name) for name in _TAKEN]
    streams = [essence.readFile(path)[0] for path in paths]
    taken = await peers.together(
        test_gstreamer.take(multicaster, path, stream, "protocols=udp-mcast", tmp_path)
        for path, stream in zip(paths, streams, strict=True)
    )
    wrong = [complaint for one in taken for complaint in test_gstreamer.complaints(one)]
    assert not wrong, "\n".join(wrong)
    assert "clips/silent-h264.mp4" in reports


@pytest.mark.deadline(60)
async def test_libavformatOfToday(multicaster: Server, clip: Callable[[str], Path], tmp_path: Path) -> None:
    """Bytes and times, and a seek of one who listens alone."""
    paths = [clip(name) for name in ("h264.mp4", "vp9.webm", "mpeg2.ts")]
    got = await peers.together(test_pyav.received(multicaster, path.name, "udp_multicast", tmp_path) for path in paths)
    wrong = [
        complaint for path, packets in zip(paths, got, strict=True) for complaint in test_pyav.complaints(path, packets)
    ]
    assert not wrong, "\n".join(wrong)
    await test_pyav.test_seek(multicaster, clip, tmp_path, "udp_multicast")


class Eavesdropper(DatagramProtocol):
    """
    Hears what is sent to the first group of all, as everybody can who joins it.

    @ivar packets: all that came, in order.
    """

    def __init__(self) -> None:
        self.packets: list[RTPPacket] = []

    def datagramReceived(self, data: bytes, address: tuple[str, int]) -> None:
        self.packets.append(parsePacket(data))


@pytest.fixture
def eavesdropper(ownNetwork: None) -> Iterator[Eavesdropper]:
    heard = Eavesdropper()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setblocking(False)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        ear.bind(("239.255.42.0", 5004))
        membership = socket.inet_aton("239.255.42.0") + socket.inet_aton("127.0.0.1")
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        port = reactor.adoptDatagramPort(ear.fileno(), socket.AF_INET, heard, 65536)
    yield heard
    port.stopListening()


@pytest.mark.deadline(60)
async def test_eachPacketIsSentOnce(
    multicaster: Server, eavesdropper: Eavesdropper, clip: Callable[[str], Path], tmp_path: Path
) -> None:
    """Two of them, the second one a second later: it gets the same as the first one from then on."""
    path = clip("silent-h264.mp4")
    stream = essence.readFile(path)[0]
    folders = [tmp_path / "first", tmp_path / "second"]
    sent: list[int] = []
    multicaster.service.registry.subscribe(
        lambda event: sent.append(event.session.packetsSent) if event.kind == "removed" else None
    )

    async def copied(folder: Path, delay: float) -> bytes:
        folder.mkdir()
        await deferLater(reactor, delay)
        outcome = await peers.run(_copying(multicaster.url(path.name), folder / "copy"), 30.0)
        assert outcome.code == 0, outcome.errors
        return essence.essenceOf(stream.codec, [(folder / "copy").read_bytes()])

    whole, rest = await peers.together(copied(folder, float(at)) for at, folder in enumerate(folders))
    assert not essence.difference(whole, stream.essence())
    assert len(whole) // 4 < len(rest) < len(whole)
    assert whole.endswith(rest)
    sequences = [packet.sequence for packet in eavesdropper.packets]
    assert sequences == [sequences[0] + at & 0xFFFF for at in range(len(sequences))]
    assert len({packet.ssrc for packet in eavesdropper.packets}) == 1
    assert sent == [len(sequences)] * 2, "both show the packets of the sender that they share"


def _copying(url: str, path: Path) -> list[str]:
    chosen = ["-map", "0:v:0", "-c", "copy", "-copyinkf", "-copypriorss", "1", "-f", "data", str(path)]
    return [peers.require("ffmpeg"), "-v", "error", "-rtsp_transport", "udp_multicast", "-i", url, *chosen]
