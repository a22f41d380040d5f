from __future__ import annotations

import pytest

from mediasrv.rtp.payloads.assembly import UnitAssembler
from mediasrv.rtp.payloads.formats import PayloadError


class Letters(UnitAssembler):
    """Joins payloads; a unit has its start if it begins with an upper case letter."""

    def _clear(self) -> None:
        self.text = b""

    def _add(self, payload: bytes) -> None:
        if payload == b"?":
            raise PayloadError("no letter")
        self.text += payload

    def _finish(self, sure: bool) -> tuple[bool, bytes] | None:
        return (False, self.text) if self.text and (sure or self.text[:1].isupper()) else None


def units(packets: str, letters: Letters | None = None) -> str:
    """
    Sends packets, each a letter with the timestamp after it and perhaps "!" for the marker; "-" is a lost one.
    """
    letters = letters or Letters()
    received = []
    for sequence, packet in enumerate(packets.split(), 65534):
        if packet != "-":
            payload = packet[0].replace("_", "").encode()
            ready = letters.push(sequence & 0xFFFF, int(packet[1]), packet.endswith("!"), payload)
            received += [f"{unit.data.decode()}{unit.timestamp}" for unit in ready]
    return " ".join(received)


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        ("A1 b1 c1! D2! E3 f3!", "Abc1 D2 Ef3"),  # markers
        ("A1 b1 C2 D3 e3", "Ab1 C2"),  # timestamps alone
        ("a1 b1! C2!", "C2"),  # joined in the middle
        ("A1 - c1! D2!", "D2"),  # the middle is lost
        ("A1! - b2! C3!", "A1 C3"),  # the start is lost
        ("A1! b2 - c3! D4!", "A1 c3 D4"),  # the end is lost: nobody else is touched
        ("A1! b2 - - c3! D4!", "A1 D4"),  # perhaps the start of the next as well
        ("A1 B2 - c3 D4 e5", "A1 D4"),  # the same if this sender never marks
        ("A1! - B3! C4!", "A1 B3 C4"),  # a unit of one packet is lost
        ("A1 _1 b1! _1 C2!", "Ab1 C2"),  # padding only
    ],
)
def test_units(packets: str, expected: str) -> None:
    assert units(packets) == expected


def test_duplicate_is_ignored() -> None:
    letters = Letters()
    assert letters.push(1, 0, False, b"A") == []
    assert letters.push(1, 0, False, b"A") == []
    assert [unit.data for unit in letters.push(2, 0, True, b"b")] == [b"Ab"]


def test_refused_payload_drops_its_unit_only() -> None:
    letters = Letters()
    assert letters.push(1, 0, False, b"A") == []
    with pytest.raises(PayloadError):
        letters.push(2, 1, False, b"?")
    # What the refused packet completed comes late, but it comes.
    assert [unit.data for unit in letters.push(3, 1, True, b"b")] == [b"A"]
    assert [unit.data for unit in letters.push(4, 2, True, b"c")] == [b"c"]


def test_endless_unit() -> None:
    letters = Letters()
    letters.largest = 1000
    for sequence in range(10):
        letters.push(sequence, 0, False, b"A" * 100)
    with pytest.raises(PayloadError):
        letters.push(10, 0, False, b"b")
    assert letters.text == b""
    assert letters.push(11, 0, False, b"c" * 100) == []
    assert letters.push(12, 0, True, b"d") == []
    assert [unit.data for unit in letters.push(13, 1, True, b"e")] == [b"e"]
