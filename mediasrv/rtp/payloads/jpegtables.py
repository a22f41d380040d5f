"""
The tables of JPEG's baseline that everybody has: Annex K of ITU-T T.81, as RFC 2435 appendices A and B quote them.
"""

from __future__ import annotations

from functools import lru_cache

STANDARD_HUFFMAN = {
    0x00: bytes.fromhex("00010501010101010100000000000000000102030405060708090a0b"),
    0x10: bytes.fromhex(
        "0002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f024336272"
        "82090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a73747576777879"
        "7a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8"
        "d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
    ),
    0x01: bytes.fromhex("00030101010101010101010000000000000102030405060708090a0b"),
    0x11: bytes.fromhex(
        "00020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0156272d1"
        "0a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778"
        "797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6"
        "d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
    ),
}
"""
Tables K.3, K.5, K.4 and K.6 by C{class << 4 | destination} (class 1: AC; destination 1: chrominance), as a DHT segment
holds them: the numbers of codes of 1 to 16 bits, then the symbols.
"""

_LUMINANCE = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768"
    "673e4d71797064785c656763"
)
_CHROMINANCE = bytes.fromhex(
    "1112121815182f1a1a2f634238426363636363636363636363636363636363636363636363636363636363636363636363636363"
    "636363636363636363636363"
)


@lru_cache(maxsize=99)
def quantizationTables(quality: int) -> bytes:
    """
    The luminance and the chrominance table, 64 bytes each in zig-zag order, of a Q from 1 to 99 (RFC 2435 section 4.2).
    """
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return bytes(min(max((value * scale + 50) // 100, 1), 255) for value in _LUMINANCE + _CHROMINANCE)
