"""What descriptions say, in each of the three languages; and that nothing else comes of any bytes but our own error."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mediasrv.media.descriptions.reading import ENDINGS, LARGEST, isDescription, parse
from mediasrv.media.descriptions.smil import parseSMIL
from mediasrv.media.descriptions.tomlfile import parseTOML
from mediasrv.media.descriptions.tree import (
    MOST_CLIPS,
    Alternative,
    Clip,
    Description,
    DescriptionError,
    Node,
    Par,
    Seq,
    Switch,
    clipsOf,
)

FOLDER = ("films", "talks")


def described(text: str, ending: str) -> Description:
    return parse(text.encode(), ending, FOLDER)


def smil(body: str, head: str = "") -> Description:
    return described(f"<smil><head>{head}</head><body>{body}</body></smil>", "smil")


def simple(node: Node) -> object:
    """A tree without places, to be compared."""
    if isinstance(node, Clip):
        found: list[object] = ["/".join(node.paths[0]), node.begin, node.end]
        extra = [each for each in (node.only, node.language, node.title) if each]
        return tuple(found + extra) if extra or node.begin or node.end else found[0]
    if isinstance(node, Switch):
        return ("switch", *((simple(each.node), each.languages, each.bitRate) for each in node.alternatives))
    return ("seq" if isinstance(node, Seq) else "par", *map(simple, node.items))


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        ('<video src="a.mp4"/>', ("seq", "films/talks/a.mp4")),
        ('<seq><ref src="a%20b.mp4"/></seq>', ("seq", ("seq", "films/talks/a b.mp4"))),
        ('<video src="/music/a.mp3"/>', ("seq", "music/a.mp3")),
        ('<video src="../a.mp4"/>', ("seq", "films/a.mp4")),
        ('<video src="./x/../a.mp4"/>', ("seq", "films/talks/a.mp4")),
        (
            '<par><video src="a.mp4"/><audio src="b.mp3" xml:lang="de"/></par>',
            ("seq", ("par", "films/talks/a.mp4", ("films/talks/b.mp3", 0.0, None, "audio", "de"))),
        ),
        (
            '<video src="a.mp4" clipBegin="5s" clip-end="npt=1:02" title="A"/>',
            ("seq", ("films/talks/a.mp4", 5.0, 62.0, "A")),
        ),
        (
            '<switch><audio src="a" systemLanguage="de, en" systemBitrate="9"/><audio src="b"/></switch>',
            (
                "seq",
                (
                    "switch",
                    (("films/talks/a", 0.0, None, "audio", "de"), ("de", "en"), 9),
                    (("films/talks/b", 0.0, None, "audio"), (), 0),
                ),
            ),
        ),
        (
            '<switch><seq system-language="de" system-bitrate="5"><ref src="a"/></seq></switch>',
            ("seq", ("switch", (("seq", "films/talks/a"), ("de",), 5))),
        ),
        ('<a href="x"><video src="a" begin="0s"><area/><param/></video></a>', ("seq", "films/talks/a")),
        ('<seq/><par><seq/></par><video src="a"/>', ("seq", "films/talks/a")),
    ],
)
def test_smil(body, tree):
    assert simple(smil(body).root) == tree


def test_smilIsTitled():
    assert (
        smil('<ref src="a"/>', '<meta name="title" content="The talk"/><layout><region/></layout>').title == "The talk"
    )
    assert described('<smil><body title="B"><ref src="a"/></body></smil>', "smi").title == "B"
    first = described(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        '<!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 1.0//EN" "http://www.w3.org/TR/REC-smil/SMIL10.dtd">\n'
        '<s:smil xmlns:s="x"><s:body><s:ref src="a"/></s:body></s:smil>',
        "smil",
    )
    assert simple(first.root) == ("seq", "films/talks/a")


def test_whatSMILHasNoTimeForIsLeftOut():
    found = smil('<img src="a.png"/>\n<par><text src="b"/><ref src="c"/></par>')
    assert found.omitted == ("line 1: <img> is not played", "line 2: <text> is not played")
    assert simple(found.root) == ("seq", ("par", "films/talks/c"))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "it names no clips"),
        ("<img/>", "it names no clips; line 1: <img> is not played"),
        ('<ref src="a"/></x>', "line 1: no XML: mismatched tag"),
        ("<ref/>", "line 1: it names no file"),
        ('\n<ref src="http://a/b.mp4"/>', "line 2: http://a/b.mp4 is not in the library"),
        ('<ref src="//a/b.mp4"/>', "line 1: //a/b.mp4 is not in the library"),
        ('<ref src="file:///etc/passwd"/>', "line 1: file:///etc/passwd is not in the library"),
        ('<ref src="../../../etc/passwd"/>', "line 1: ../../../etc/passwd is not in the library"),
        ('<ref src="%2e%2e/%2e%2e/../a"/>', "line 1: %2e%2e/%2e%2e/../a is not in the library"),
        ('<ref src="a%2fb"/>', "line 1: a%2fb is not in the library"),
        ('<ref src="a%00b"/>', "line 1: a%00b is not in the library"),
        ('<ref src="a%zz"/>', "line 1: a%zz has a % that begins no escape"),
        ('<ref src="a%ff"/>', "line 1: a%ff is no UTF-8 once it is decoded"),
        ('<ref src="a?b"/>', "line 1: a?b has a query or a fragment; a file has none"),
        ('<ref src="."/>', "line 1: . names no file" if not FOLDER else None),
        ('<ref src="../.."/>', "line 1: ../.. names no file"),
        ('<ref src="a" clipBegin="x"/>', "line 1: clipBegin: x is no time"),
        ('<ref src="a" clipBegin="5s" clipEnd="5s"/>', "line 1: it ends before it begins"),
        ('<ref src="a" begin="2s"/>', "line 1: begin is not supported; clipBegin and clipEnd are"),
        ('<seq repeatCount="indefinite"/>', "line 1: repeatCount is not supported; clipBegin and clipEnd are"),
        ("<seq>" * 20, "it is nested more than 16 deep"),
        ("<a>" * 100, "it is nested more than 16 deep"),
        ("<x>" * 100, "it is nested more than 16 deep"),
        ("&a;", "line 1: no XML: undefined entity"),
    ],
)
def test_smilIsRefused(body, error):
    if error is None:
        assert simple(smil(body).root) == ("seq", "films/talks")  # which is a folder
        return
    with pytest.raises(DescriptionError) as caught:
        smil(body)
    assert str(caught.value) == error


@pytest.mark.requirement("SEC-27")
@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE smil [<!ENTITY a "b">]>',
        '<!DOCTYPE smil [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE smil [<!ENTITY % a SYSTEM "http://127.0.0.1/x"> %a;]>',
        '<!DOCTYPE smil SYSTEM "x.dtd" []>',
    ],
)
def test_noEntities(prologue):
    with pytest.raises(DescriptionError, match="may declare nothing"):
        described(f'{prologue}<smil><body><ref src="a"/></body></smil>', "smil")
    billion = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    with pytest.raises(DescriptionError, match="may declare nothing"):
        described(f'<!DOCTYPE smil [<!ENTITY a0 "x">{billion}]><smil>&a12;</smil>', "smil")
    with pytest.raises(DescriptionError, match="entities are not read"):
        described('<!DOCTYPE smil SYSTEM "x.dtd"><smil><body>&a;</body></smil>', "smil")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('src = "a.mp4"', "films/talks/a.mp4"),
        ('seq = ["a", "b%20 #?.mp4"]', ("seq", "films/talks/a", "films/talks/b%20 #?.mp4")),
        ('par = ["a", { src = "/music/b", language = "de", title = "B", only = "audio" }]', None),
        ('seq = [{ src = "a", begin = 1, end = 2.5 }, { src = "a", begin = "1:00", end = "2min" }]', None),
        ('[[seq]]\nsrc = "a"\n[[seq]]\npar = ["b", "c"]', None),
        (
            'switch = [{ src = "a", language = ["de", "at"], bitrate = 5 }, "b", { seq = ["c"], language = "en" }]',
            (
                "switch",
                (("films/talks/a", 0.0, None, "de"), ("de", "at"), 5),
                ("films/talks/b", (), 0),
                (("seq", "films/talks/c"), ("en",), 0),
            ),
        ),
    ],
)
def test_toml(text, tree):
    expected = {
        2: ("par", "films/talks/a", ("music/b", 0.0, None, "audio", "de", "B")),
        3: ("seq", ("films/talks/a", 1.0, 2.5), ("films/talks/a", 60.0, 120.0)),
        4: ("seq", "films/talks/a", ("par", "films/talks/b", "films/talks/c")),
    }
    found = simple(described(text, "toml").root)
    assert found == tree if tree is not None else found in expected.values()


def test_tomlIsTitled():
    assert described('title = "T"\nsrc = "a"', "toml").title == "T"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "the file: src, seq, par or switch is wanted, and there is nothing"),
        ('src = "a"\nseq = ["b"]', "the file: src, seq, par or switch is wanted, and there is src and seq"),
        ("src = 5", "the file: src is a text"),
        ("seq = []", "the file: seq wants a list of things"),
        ('seq = "a"', "the file: seq wants a list of things"),
        ("seq = [5]", "seq 1: neither a path nor a table"),
        ('seq = ["a", { par = ["b", { src = "../../../c" }] }]', "seq 2, par 2: ../../../c is not in the library"),
        ('seq = ["a", "rtsp://b/c"]', "seq 2: rtsp://b/c is not in the library"),
        ('seq = ["C:\\\\a"]', "seq 1: C:\\a is not in the library"),
        ('src = "a"\nloop = true', "the file: loop means nothing here"),
        ('src = "a"\nbegin = "soon"', 'the file: begin is a number of seconds, or a text such as "1:02:03.5"'),
        ('src = "a"\nbegin = -1', "the file: begin is a number of seconds"),
        ('src = "a"\nend = nan', "the file: end is a number of seconds"),
        ('src = "a"\nonly = "smell"', 'the file: only is "video" or "audio"'),
        ('switch = [{ src = "a", bitrate = "5" }]', "switch 1: bitrate is a number of bits per second"),
        ('switch = [{ src = "a", language = [5] }]', "switch 1: language is a text, or a list of texts"),
        ("seq = [" + "{seq=[" * 20 + '"a"' + "]}" * 20 + "]", "it is nested more than 16 deep"),
        ("a = " + "[" * 5000, "it is nested too deep"),
    ],
)
def test_tomlIsRefused(text, error):
    with pytest.raises(DescriptionError) as caught:
        described(text, "toml")
    assert str(caught.value) == error


def test_m3u():
    found = described(
        "\ufeff#EXTM3U\r\n#PLAYLIST:Mine\r\n#EXTINF:123,A, the song\r\na%20b.mp3\r\n\r\n"
        "# no\r\n../100%.mp3\n#EXTINF:1\nc #1.mp3",
        "m3u8",
    )
    assert found.title == "Mine"
    first, second, third = clipsOf(found.root)
    assert first.paths == (("films", "talks", "a%20b.mp3"), ("films", "talks", "a b.mp3"))
    assert (first.title, first.place) == ("A, the song", "line 4")
    assert second.paths == (("films", "100%.mp3"),)
    assert third.paths == (("films", "talks", "c #1.mp3"),)
    assert third.title == ""


def test_m3uInLatin1():
    (clip,) = clipsOf(parse("été.mp3".encode("latin-1"), "m3u", FOLDER).root)
    assert clip.paths == (("films", "talks", "été.mp3"),)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("#EXTM3U\n", "it names no clips"),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts", "line 2: a playlist of HLS, which describes no files"),
        ("http://a/b.mp3", "line 1: http://a/b.mp3 is not in the library"),
        ("a\n/../b.mp3", "line 2: /../b.mp3 is not in the library"),
        ("a\0b", "no text"),
        ("a\n" * (MOST_CLIPS + 1), f"it has more than {MOST_CLIPS} clips"),
    ],
)
def test_m3uIsRefused(text, error):
    with pytest.raises(DescriptionError) as caught:
        described(text, "m3u")
    assert str(caught.value) == error


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_large(ending):
    with pytest.raises(DescriptionError, match=f"has {LARGEST} bytes at most"):
        parse(b"a\n" * (LARGEST // 2 + 1), ending, FOLDER)


def test_mostClips():
    assert len(list(clipsOf(smil('<ref src="a"/>' * MOST_CLIPS).root))) == MOST_CLIPS
    for text, ending in (
        ("<smil><body>" + '<ref src="a"/>' * (MOST_CLIPS + 1) + "</body></smil>", "smil"),
        ("seq = [" + '"a",' * (MOST_CLIPS + 1) + "]", "toml"),
    ):
        with pytest.raises(DescriptionError, match="more than 1000 clips"):
            described(text, ending)


def test_messagesAreShort():
    with pytest.raises(DescriptionError) as caught:
        described("http://\x1b[2J" + "x" * 3000, "m3u")
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("name", "isOne"),
    [("a.smil", True), ("a.SMI", True), ("a.toml", True), ("a.m3u8", True), ("a.mp4", False), ("toml", False)],
)
def test_names(name, isOne):
    assert isDescription(name) == isOne


_PIECES = st.sampled_from(
    [
        *("<smil>", "</smil>", "<body>", "</body>", "<seq>", "</seq>", "<par>", "</par>", "<switch>", "</switch>"),
        *(
            '<ref src="a"/>',
            '<audio src="a%41" clipBegin="1:00"/>',
            "<head>",
            "</head>",
            "<meta/>",
            "<a>",
            "</a>",
            "<img>",
        ),
        *("src", "seq", "par", "switch", "begin", "=", "[", "]", "{", "}", '"a"', '"', ",", "1", "[[seq]]", "title"),
        *("\n", "#EXTINF:", "#EXT-X-", "a.mp3", "%", "%2e", "/", "..", "\0", "é", "\ud7ff"),
    ]
)


@settings(deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join), st.sampled_from(sorted(ENDINGS)))
@example("a = 1e" + "9" * 5000, "toml")
@example("a = " + "9" * 5000, "toml")
@example('src = "\\ud800"', "toml")
def test_piecesMakeNothingElse(text, ending):
    check(text.encode("utf-8", "replace"), ending)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(sorted(ENDINGS)))
@example(b'<?xml version="1.0" encoding="utf-7"?><smil/>', "smil")
@example(b'<?xml version="1.0" encoding="rot13"?><smil/>', "smil")
@example(b'<?xml version="1.0" encoding="x"?><smil/>', "smil")
def test_bytesMakeNothingElse(data, ending):
    check(data, ending)


def check(data: bytes, ending: str) -> None:
    try:
        found = parse(data, ending, FOLDER)
    except DescriptionError:
        return
    clips = list(clipsOf(found.root))
    assert clips
    for clip in clips:
        for path in clip.paths:
            assert path
            assert not {"", ".", ".."} & set(path)
            assert not any("/" in segment or "\0" in segment for segment in path)
    for node in found.root.items if isinstance(found.root, Par | Seq) else ():
        assert isinstance(node, Clip | Seq | Par | Switch | Alternative)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * LARGEST,
        b"a." * (LARGEST // 2 - 2) + b"a=1",
        b"[a]\n" * (LARGEST // 4),
        b'"a" . ' * (LARGEST // 6 - 2) + b"a=1",
        b"[" + b"'a'." * (LARGEST // 4 - 2) + b"a]",
        b"x" * LARGEST,
        b"a=[" + b"[]," * (LARGEST // 3 - 5),
        b'"' + b"\\" * (LARGEST - 5),
    ],
)
def test_tomlIsNoTrap(data):
    """What is made to keep a parser busy is over soon; the time is a hundred times what it takes."""
    start = time.process_time()
    with pytest.raises(DescriptionError):
        parseTOML(data[:LARGEST], FOLDER)
    assert time.process_time() - start < 60


def test_smilIsNoTrap():
    with pytest.raises(DescriptionError):
        parseSMIL((b"<smil" + b' a="b"' * 40000)[:LARGEST], FOLDER)
