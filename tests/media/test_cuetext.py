"""The text of cues: what is kept, and that nothing breaks out of a cue."""

from __future__ import annotations

import re
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.media.cuetext import fromASS, fromTagged, fromTX3G


def assertWellFormed(text: str) -> None:
    """No empty lines, no arrow, and tags that are closed in the order in which they were opened."""
    assert "-->" not in text
    assert "\n\n" not in text
    assert "\r" not in text
    opened: list[str] = []
    for slash, name in re.findall(r"<(/?)([^<>]*)>", text):
        if slash:
            assert opened.pop() == name
        else:
            assert name in ("b", "i", "u")
            opened.append(name)
    assert not opened
    assert not re.search(r"<(?!/?[biu]>)", text)
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello", "Hello"),
        ("Tom & Jerry", "Tom &amp; Jerry"),
        ("Tom &amp; Jerry &lt;3", "Tom &amp; Jerry &lt;3"),
        ("1 < 2 > 0", "1 &lt; 2 &gt; 0"),
        ("a --> b", "a --&gt; b"),
        ("<i>a</i> <B>b</B> <u>c</u>", "<i>a</i> <b>b</b> <u>c</u>"),
        ('<font color="#ff0000">red</font>', "red"),
        ("<i>open", "<i>open</i>"),
        ("closed</i>", "closed"),
        ("<b><i>across</b> them</i>", "<b><i>across</i></b><i> them</i>"),
        ("<i><i>twice</i></i>", "<i>twice</i>"),
        ("<v Roger>Hi</v> <c.loud>there</c> <00:01.000>now", "Hi there now"),
        ("{\\an8}above", "above"),
        ("{\\i1}slanted{\\i0} upright", "<i>slanted</i> upright"),
        ("{stays}", "{stays}"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("one\r\n\r\n  \r\ntwo\n\n", "one\ntwo"),
        ("<i> </i>", ""),
        ("", ""),
        ("\x00bell\x07", "bell"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<img src=x onerror=y>", ""),
        ("&lt;b&gt;no tag&lt;/b&gt;", "&lt;b&gt;no tag&lt;/b&gt;"),
    ],
)
def test_tagged(source: str, expected: str) -> None:
    assert fromTagged(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0,0,Default,,0,0,0,,Hello, you", "Hello, you"),
        ("0,0,Default,,0,0,0,,{\\i1}one{\\i0}\\Ntwo\\hthree", "<i>one</i>\ntwo three"),
        ("0,0,Default,,0,0,0,,{\\pos(1,2)\\b700}fat{\\b0} thin", "<b>fat</b> thin"),
        ("0,0,Default,,0,0,0,,{\\p1}m 0 0 l 100 0{\\p0}text", "text"),
        ("0,0,Default,,0,0,0,,{\\p1}m 0 0 l 100 0", ""),
        ("0,0,Default,,0,0,0,,{\\be1\\bord2\\iclip(1)}plain", "plain"),
        ("0,0,Default,,0,0,0,,{a remark}a < b & c", "a &lt; b &amp; c"),
        ("too,few,fields", ""),
        ("", ""),
    ],
)
def test_ASS(source: str, expected: str) -> None:
    assert fromASS(source) == expected


def sample(text: bytes, *styles: tuple[int, int, int], before: bytes = b"") -> bytes:
    records = b"".join(struct.pack(">HHHBB4s", start, end, 1, face, 16, b"\xff" * 4) for start, end, face in styles)
    box = struct.pack(">I4sH", 10 + len(records), b"styl", len(styles)) + records if styles else b""
    return struct.pack(">H", len(text)) + text + before + box


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (sample(b""), ""),
        (b"", ""),
        (b"\x00", ""),
        (sample(b"a & <b>"), "a &amp; &lt;b&gt;"),
        (sample("é\n漢".encode()), "é\n漢"),
        (sample("\ufeffzwölf".encode("utf-16-be")), "zwölf"),
        (sample("\ufeffzwölf".encode("utf-16-le")), "zwölf"),
        (
            sample(b"one two three", (0, 3, 1), (4, 7, 2), (8, 13, 7)),
            "<b>one</b> <i>two</i> <b><i><u>three</u></i></b>",
        ),
        (sample(b"one two", (0, 3, 2), before=b"\0\0\0\x0chlit\0\0\0\0"), "<i>one</i> two"),
        (sample(b"short", (0, 60000, 1)), "<b>short</b>"),
        (b"\xff\xffcut", "cut"),
        (sample(b"x") + b"\0\0\0\0styl\xff\xff", "x"),
        (sample(b"x") + b"\0\0\0\0abcd\xff\xff", "x"),
        (sample(b"\xff\xfe\xff"), "\ufffd"),
    ],
)
def test_TX3G(data: bytes, expected: str) -> None:
    assert fromTX3G(data) == expected


_SCRAPS = st.sampled_from(
    [
        "<i>",
        "</i>",
        "<b>",
        "</b>",
        "<",
        ">",
        "&",
        "&lt;",
        "-->",
        "\n",
        "\r\n",
        "{\\i1}",
        "{\\i0}",
        "{\\p1}",
        "{",
        "}",
        "a",
    ]
)


@given(st.lists(_SCRAPS | st.text(max_size=5)).map("".join))
def test_anyText(text: str) -> None:
    assertWellFormed(fromTagged(text))
    assertWellFormed(fromASS("0,0,Default,,0,0,0,," + text))
    assertWellFormed(fromASS(text))


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: sample(b"some text", (0, 3, 5)) + tail))
def test_anySample(data: bytes) -> None:
    assertWellFormed(fromTX3G(data))


def test_bounded() -> None:
    for text in ("<i>" * 100_000, "{\\i1" * 100_000, "<a " * 100_000, "&" * 1_000_000, "x" * 1_000_000):
        assert len(fromTagged(text)) < 30_000
        assert len(fromASS("0,0,Default,,0,0,0,," + text)) < 30_000
