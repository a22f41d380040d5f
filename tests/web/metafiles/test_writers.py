"""Meta files to the byte, and that no title breaks one (requirements section 9, SEC-26)."""

from __future__ import annotations

import configparser
import re
from collections.abc import Sequence
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediasrv.locating import below
from mediasrv.web.metafiles.descriptions import absolute
from mediasrv.web.metafiles.entries import Entry, oneLine, wholeSeconds
from mediasrv.web.metafiles.formats import FORMATS

FILM = Entry("rtsp://h:8554/m/a%20b.mp4?x&y", 'R&B [2] "live" <Über>, ]]>', 123.456, "video")
SONG = Entry("http://h/m/b.mp3", "Song", 0.2, "audio")
LIVE = Entry("rtsp://h/live", "", None, None)
ENTRIES = [FILM, SONG, LIVE]

M3U = """#EXTM3U
#EXTINF:123,R&B [2] "live" <Über>, ]]>
rtsp://h:8554/m/a%20b.mp4?x&y
#EXTINF:1,Song
http://h/m/b.mp3
#EXTINF:-1,
rtsp://h/live
"""

PLS = """[playlist]
File1=rtsp://h:8554/m/a%20b.mp4?x&y
Title1=R&B [2] "live" <Über>, ]]>
Length1=123
File2=http://h/m/b.mp3
Title2=Song
Length2=1
File3=rtsp://h/live
Title3=
Length3=-1
NumberOfEntries=3
Version=2
"""

URLS = """rtsp://h:8554/m/a%20b.mp4?x&y
http://h/m/b.mp3
rtsp://h/live
"""

ASX = """<asx version="3.0">
  <title>All &amp; more</title>
  <param name="encoding" value="utf-8" />
  <entry>
    <title>R&amp;B [2] "live" &lt;Über&gt;, ]]&gt;</title>
    <duration value="00:02:03.46" />
    <ref href="rtsp://h:8554/m/a%20b.mp4?x&amp;y" />
  </entry>
  <entry>
    <title>Song</title>
    <duration value="00:00:00.20" />
    <ref href="http://h/m/b.mp3" />
  </entry>
  <entry>
    <title />
    <ref href="rtsp://h/live" />
  </entry>
</asx>
"""

SMIL = """<?xml version="1.0" encoding="UTF-8"?>
<smil>
  <head>
    <meta name="title" content="All &amp; more" />
  </head>
  <body>
    <video src="rtsp://h:8554/m/a%20b.mp4?x&amp;y" title="R&amp;B [2] &quot;live&quot; &lt;Über&gt;, ]]&gt;" />
    <audio src="http://h/m/b.mp3" title="Song" />
    <ref src="rtsp://h/live" title="" />
  </body>
</smil>
"""

XSPF = """<?xml version="1.0" encoding="UTF-8"?>
<playlist version="1" xmlns="http://xspf.org/ns/0/">
  <title>All &amp; more</title>
  <trackList>
    <track>
      <location>rtsp://h:8554/m/a%20b.mp4?x&amp;y</location>
      <title>R&amp;B [2] "live" &lt;Über&gt;, ]]&gt;</title>
      <duration>123456</duration>
    </track>
    <track>
      <location>http://h/m/b.mp3</location>
      <title>Song</title>
      <duration>200</duration>
    </track>
    <track>
      <location>rtsp://h/live</location>
      <title />
    </track>
  </trackList>
</playlist>
"""

QTL = """<?xml version="1.0"?>
<?quicktime type="application/x-quicktime-media-link"?>
<embed src="rtsp://h:8554/m/a%20b.mp4?x&amp;y" autoplay="true" \
moviename="R&amp;B [2] &quot;live&quot; &lt;Über&gt;, ]]&gt;" \
qtnext1="&lt;http://h/m/b.mp3&gt; T&lt;myself&gt;" qtnext2="&lt;rtsp://h/live&gt; T&lt;myself&gt;" />
"""

GOLDEN = {
    "m3u": M3U,
    "m3u8": M3U,
    "pls": PLS,
    "asx": ASX,
    "wvx": ASX,
    "wax": ASX,
    "ram": URLS,
    "rpm": URLS,
    "smil": SMIL,
    "smi": SMIL,
    "xspf": XSPF,
    "qtl": QTL,
    "strm": URLS,
}

TYPES = {
    "m3u": "audio/x-mpegurl",
    "m3u8": "audio/x-mpegurl",
    "pls": "audio/x-scpls",
    "asx": "video/x-ms-asf",
    "wvx": "video/x-ms-wvx",
    "wax": "audio/x-ms-wax",
    "ram": "audio/x-pn-realaudio",
    "rpm": "audio/x-pn-realaudio-plugin",
    "smil": "application/smil+xml",
    "smi": "application/smil+xml",
    "xspf": "application/xspf+xml",
    "qtl": "application/x-quicktimeplayer",
    "strm": "text/plain; charset=utf-8",
    "sdp": "application/sdp",
}


def written(extension: str, title: str, entries: Sequence[Entry]) -> bytes:
    write = FORMATS[extension].write
    assert write is not None
    return write(title, entries)


@pytest.mark.parametrize("extension", GOLDEN)
def test_golden(extension: str) -> None:
    assert written(extension, "All & more", ENTRIES).decode() == GOLDEN[extension]


def test_types() -> None:
    """All formats are there, and have the types of requirements section 9."""
    assert {extension: each.type for extension, each in FORMATS.items()} == TYPES
    assert {extension for extension, each in FORMATS.items() if each.write is not None} == set(GOLDEN)


@pytest.mark.parametrize(
    ("duration", "seconds"), [(None, -1), (0.01, 1), (1.4, 1), (1.6, 2), (59.5, 60), (7200.2, 7200)]
)
def test_wholeSeconds(duration: float | None, seconds: int) -> None:
    assert wholeSeconds(duration) == seconds


@pytest.mark.parametrize(
    ("duration", "clock"),
    [
        (0.001, "00:00:00.01"),
        (1.0, "00:00:01.00"),
        (3.2, "00:00:03.20"),
        (59.999, "00:01:00.00"),
        (36000.5, "10:00:00.50"),
    ],
)
def test_clock(duration: float, clock: str) -> None:
    """Windows Media stops where it is over: not before the end."""
    assert f'<duration value="{clock}" />' in written("asx", "", [Entry("http://h/a", "a", duration)]).decode()


@pytest.mark.requirement("SEC-26")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\tc\0", "a b c"),
        ("a\x85b\u2028c\u2029d", "a b c d"),
        ("\u202egpj.exe\u202c", "gpj.exe"),
        ("\ufeffa\u2066b\u2069", "ab"),
        ("a\udc80b\uffff", "a\ufffdb\ufffd"),
        ("  a  ", "a"),
        ("שלום\u200f!", "שלום\u200f!"),
        ("x" * 300, "x" * 255),
        ("\N{FAMILY} \U0001f469\u200d\U0001f4bb", "\N{FAMILY} \U0001f469\u200d\U0001f4bb"),
    ],
)
def test_oneLine(text: str, expected: str) -> None:
    assert oneLine(text) == expected


_PIECES = [
    *("\n", "\r", "\0", "\x0b", "\x1b[2J", "\x85", "\u2028", "\u202e", "\ud800", "\ufffe"),
    *("<", ">", "]]>", "-->", "&", "&amp;", '"', "'", ",", "=", "[x]", "#EXTM3U", "File1=", "a=b", "%s"),
]
_NASTY = st.text(max_size=20) | st.lists(st.sampled_from(_PIECES), max_size=8).map("".join)
_ENTRIES = st.lists(
    st.builds(
        Entry,
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10), min_size=1, max_size=3
        ).map(lambda segments: below("rtsp://[2001:db8::1]:8554", segments)),
        _NASTY.map(oneLine),
        st.none() | st.floats(0.001, 1e6),
        st.sampled_from(["video", "audio", None]),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.requirement("SEC-26")
@given(_NASTY.map(oneLine), _ENTRIES)
def test_whateverTheTitles(title: str, entries: list[Entry]) -> None:
    """Each format read back by a parser of its kind: the entries, in order, and nothing else."""
    urls, titles = [entry.url for entry in entries], [entry.title for entry in entries]
    for extension in GOLDEN:
        data = written(extension, title, entries)
        text = data.decode()
        assert not text.startswith("\ufeff")
        assert data.endswith(b"\n")
    assert written("ram", title, entries).decode().splitlines() == urls
    lines = written("m3u", title, entries).decode().splitlines()
    assert lines[0] == "#EXTM3U"
    assert [line.partition(",")[2] for line in lines[1::2]] == titles
    assert lines[2::2] == urls
    _checkPLS(written("pls", title, entries).decode(), urls, titles)
    _checkXML(title, entries, urls, titles)


def _checkPLS(text: str, urls: list[str], titles: list[str]) -> None:
    parser = configparser.RawConfigParser(delimiters="=", comment_prefixes=(), strict=True)
    parser.read_string(text)
    assert parser.sections() == ["playlist"]
    section = parser["playlist"]
    assert section["numberofentries"] == str(len(urls))
    assert [section[f"file{number}"] for number in range(1, len(urls) + 1)] == urls
    assert [section[f"title{number}"] for number in range(1, len(urls) + 1)] == titles
    assert len(section) == 3 * len(urls) + 2


def _checkXML(title: str, entries: list[Entry], urls: list[str], titles: list[str]) -> None:
    asx = ElementTree.fromstring(written("asx", title, entries))
    assert [each.get("href") for each in asx.iter("ref")] == urls
    assert [each.findtext("title") for each in asx.iter("entry")] == titles
    assert (asx.findtext("title"), len(asx)) == (title, len(entries) + 2)
    smil = ElementTree.fromstring(written("smil", title, entries))
    assert [(each.tag, each.get("src"), each.get("title")) for each in smil[1]] == [
        (entry.kind or "ref", entry.url, entry.title) for entry in entries
    ]
    namespace = "{http://xspf.org/ns/0/}"
    xspf = ElementTree.fromstring(written("xspf", title, entries))
    assert xspf.tag == f"{namespace}playlist"
    tracks = xspf.findall(f"{namespace}trackList/{namespace}track")
    assert [each.findtext(f"{namespace}location") for each in tracks] == urls
    assert [each.findtext(f"{namespace}title") for each in tracks] == titles
    qtl = ElementTree.fromstring(written("qtl", title, entries))
    following = [qtl.get(f"qtnext{number}") for number in range(1, len(urls))]
    assert [qtl.get("src"), *following] == [urls[0], *(f"<{url}> T<myself>" for url in urls[1:])]
    assert qtl.get("moviename") == titles[0]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_urlsAreWhole(segments: list[str]) -> None:
    """Nothing in a name ends a line, an attribute or a path."""
    url = below("http://h", segments)
    assert re.fullmatch(r"[!-~]+", url)
    assert not set(url) & set('"<>\\^`{|}#?')
    assert [unquote(each) for each in url.removeprefix("http://h/").split("/")] == segments


def test_descriptions() -> None:
    text = (
        "v=0\r\ns=a=control:*\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
        "a=control:trackID=0\r\na=x\r\na=control:trackID=1\r\n"
    )
    expected = (
        "v=0\r\ns=a=control:*\r\na=control:rtsp://h/a\r\nm=video 0 RTP/AVP 96\r\n"
        "a=control:rtsp://h/a/trackID=0\r\na=x\r\na=control:rtsp://h/a/trackID=1\r\n"
    )
    assert absolute(text, "rtsp://h/a").decode() == expected
    assert absolute(expected, "rtsp://other/b").decode() == expected
