"""
Reading bit by bit what codecs write that way.
"""

from __future__ import annotations

from mediasrv.rtp.payloads.formats import PayloadError


class BitReader:
    """Bits from the most significant one of the first byte onwards."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        """
        The next C{count} bits as an unsigned number.

        @raise PayloadError: if there are not as many.
        """
        self._left -= count
        if self._left < 0:
            raise PayloadError(f"{-self._left} bits missing")
        return self._bits >> self._left & (1 << count) - 1

    def expGolomb(self) -> int:
        """
        An unsigned number in Exp-Golomb code: C{uvlc()} of AV1 (section 4.10.3), C{ue(v)} of H.264 and H.265.

        @raise PayloadError: if the bits end before, or the number is larger than 32 bits.
        """
        zeros = 0
        while not self.read(1):
            zeros += 1
            if zeros > 32:
                raise PayloadError("number of more than 32 bits")
        return (1 << zeros) - 1 + self.read(zeros)
