"""
Base64 as it arrives (RFC 4648 section 4), however it is cut.

A client of an HTTP tunnel encodes each of its writes by itself, so that padding stands in the middle of the stream, and
breaks lines where it likes (TUN-3). After padding a new group begins.
"""

from __future__ import annotations

import binascii
import re

_BLANKS = bytes((0x20, 0x09, 0x0D, 0x0A))
_UNFINISHED = re.compile(rb"[A-Za-z0-9+/]{0,3}|[A-Za-z0-9+/]{2}=")
_PIECE = re.compile(rb"[^=]+={0,2}|=+")


class Base64Error(ValueError):
    """
    What is no Base64. Nobody knows what comes after it.
    """


class Base64Decoder:
    """
    Decodes one stream. Holds three characters at most.
    """

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> bytes:
        """
        The bytes that are complete with this data.

        @raise Base64Error: for another character, or for padding where none can be.
        """
        text = self._left + data.translate(None, _BLANKS)
        whole = len(text) & ~3
        groups, self._left = text[:whole], text[whole:]
        # of several encodings one after the other, each by itself: padding ends what can be decoded at once
        pieces = [groups] if b"=" not in groups else _PIECE.findall(groups)
        if not _UNFINISHED.fullmatch(self._left) or any(len(piece) & 3 for piece in pieces):
            raise Base64Error("not Base64")
        try:
            return b"".join(binascii.a2b_base64(piece, strict_mode=True) for piece in pieces)
        except binascii.Error as error:
            raise Base64Error(str(error)) from None
