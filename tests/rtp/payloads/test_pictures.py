"""Pictures put together from payloads, whatever the codec: losses, forgotten markers, endless pictures."""

import pytest

from mediasrv.rtp.payloads import pictures
from mediasrv.rtp.payloads.formats import PayloadError
from mediasrv.rtp.payloads.pictures import PictureUnpacker, cut


class LetterUnpacker(PictureUnpacker):
    """A format whose pictures begin with a capital and hold no exclamation mark; key if they begin with K."""

    def _split(self, payload: bytes) -> tuple[bool, bytes]:
        if b"!" in payload:
            raise PayloadError("an exclamation")
        return payload[:1].isupper(), payload

    def _assemble(self, data: bytes) -> tuple[bool, bytes]:
        return data[:1] == b"K", data


def receive(*packets: tuple[int, int, bool, bytes]) -> list[bytes]:
    unpacker = LetterUnpacker()
    return [unit.data for packet in packets for unit in unpacker.push(*packet)]


def test_cutFillsAllButTheLast() -> None:
    assert cut(b"abcdefgh", b"12", b"3", 4) == [b"12ab", b"3cde", b"3fgh"]
    assert cut(b"ab", b"12", b"3", 4) == [b"12ab"]
    assert cut(b"abc", b"12", b"3", 4) == [b"12ab", b"3c"]


def test_markerEndsPicture() -> None:
    unpacker = LetterUnpacker()
    assert unpacker.push(0xFFFF, 9, False, b"Kab") == []
    (unit,) = unpacker.push(0, 9, True, b"cd")
    assert (unit.timestamp, unit.key, unit.data) == (9, True, b"Kabcd")
    (unit,) = unpacker.push(1, 10, True, b"P")
    assert (unit.timestamp, unit.key, unit.data) == (10, False, b"P")


def test_nextTimestampEndsPicture() -> None:
    unpacker = LetterUnpacker()
    unpacker.push(1, 9, False, b"Ka")
    (unit,) = unpacker.push(2, 10, False, b"P")
    assert (unit.timestamp, unit.data) == (9, b"Ka")


def test_twoPicturesOfOneTime() -> None:
    assert receive((1, 9, True, b"Ka"), (2, 9, True, b"Pb")) == [b"Ka", b"Pb"]


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        (0, [b"Bcd", b"Ef"]),
        (1, [b"Bcd", b"Ef"]),
        (2, [b"Kabc", b"Ef"]),
        (3, [b"Kabc", b"Ef"]),
        (4, [b"Kabc", b"Bcd"]),
    ],
)
def test_lossDropsOnlyItsPicture(lost: int, expected: list[bytes]) -> None:
    packets = [
        (65_534, 1, False, b"Kab"),
        (65_535, 1, True, b"c"),
        (0, 2, False, b"Bc"),
        (1, 2, True, b"d"),
        (2, 3, True, b"Ef"),
    ]
    del packets[lost]
    assert receive(*packets) == expected


def test_restOfSpoiltPictureStartsNone() -> None:
    # The second "K" could start a picture, were it not of the one that lost a packet.
    assert receive((1, 1, False, b"Ka"), (3, 1, False, b"Kb"), (4, 1, True, b"c"), (5, 2, True, b"D")) == [b"D"]


def test_badPayloadDropsItsPictureAndIsTold() -> None:
    unpacker = LetterUnpacker()
    unpacker.push(1, 1, False, b"Ka")
    with pytest.raises(PayloadError):
        unpacker.push(2, 1, False, b"!")
    assert unpacker.push(3, 1, True, b"Kc") == []
    assert [unit.data for unit in unpacker.push(4, 2, True, b"D")] == [b"D"]


def test_badPayloadDoesNotTakeThePictureBefore() -> None:
    unpacker = LetterUnpacker()
    unpacker.push(1, 1, False, b"Ka")
    assert [unit.data for unit in unpacker.push(2, 2, False, b"!")] == [b"Ka"]


def test_endlessPictureIsGivenUp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAXIMUM_PICTURE", 10)
    unpacker = LetterUnpacker()
    unpacker.push(1, 1, False, b"Kabcd")
    unpacker.push(2, 1, False, b"efghi")
    with pytest.raises(PayloadError):
        unpacker.push(3, 1, False, b"j")
    assert unpacker.push(4, 1, True, b"k") == []
    assert [unit.data for unit in unpacker.push(5, 2, True, b"Kabcdefghi")] == [b"Kabcdefghi"]
