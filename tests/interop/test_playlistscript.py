"""The play page's own parser of HLS playlists, run by Node.js."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from browsers import SCRIPTS
from peers import require, run

MULTIVARIANT = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English, low",LANGUAGE="en",DEFAULT=YES,URI="t1.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Deutsch",LANGUAGE="de",URI="../b/t2.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",URI="s0.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.64001F,mp4a.40.2",RESOLUTION=320x180,AUDIO="aac"
low.m3u8

#EXT-X-STREAM-INF:BANDWIDTH=2000,CODECS="avc1.640020,mp4a.40.2",RESOLUTION=640x360,AUDIO="aac"\r
high.m3u8?a=b\r
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=75,CODECS="avc1.64001F",URI="key.m3u8"
"""

MEDIA = """#EXTM3U
#EXT-X-TARGETDURATION:6
#EXT-X-MAP:URI="init0.mp4"
#EXTINF:5.5,
0.m4s
#EXTINF:2,with a title
1.m4s
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="all.mp4",BYTERANGE="100@0"
#EXT-X-BYTERANGE:50@100
#EXTINF:1.25,
all.mp4
#EXT-X-BYTERANGE:70
#EXTINF:1.25,
all.mp4
#EXT-X-ENDLIST
"""


async def parsed(folder: Path, *texts: tuple[str, str]) -> list[Any]:
    """What the parser makes of texts, each of a kind."""
    given = folder / "texts.json"
    given.write_text(json.dumps(texts))
    outcome = await run([require("node"), str(SCRIPTS / "playlists.mjs"), str(given)], 20)
    assert outcome.code == 0, outcome.errors
    results: list[Any] = json.loads(outcome.output)
    return results


async def test_multivariant(tmp_path: Path) -> None:
    [found] = await parsed(tmp_path, ("multivariant", MULTIVARIANT))
    assert [each["url"] for each in found["variants"]] == [
        "http://media.example/a/high.m3u8?a=b",
        "http://media.example/a/low.m3u8",
    ]
    best = found["variants"][0]
    assert (best["codecs"], best["sounds"]) == (["avc1.640020", "mp4a.40.2"], "aac")
    assert [(each["label"], each["language"], each["isDefault"], each["url"]) for each in found["sounds"]["aac"]] == [
        ("English, low", "en", True, "http://media.example/a/t1.m3u8"),
        ("Deutsch", "de", False, "http://media.example/b/t2.m3u8"),
    ]


async def test_media(tmp_path: Path) -> None:
    """Segments count from where the last one ended; each has its init segment; byte ranges follow each other."""
    [found] = await parsed(tmp_path, ("media", MEDIA))
    assert found["duration"] == 10.0
    segments = found["segments"]
    assert [(each["start"], each["duration"]) for each in segments] == [(0, 5.5), (5.5, 2), (7.5, 1.25), (8.75, 1.25)]
    assert [each["init"]["url"][-9:] for each in segments] == ["init0.mp4", "init0.mp4", "a/all.mp4", "a/all.mp4"]
    assert segments[2]["init"]["range"] == {"start": 0, "end": 99}
    assert [each["range"] for each in segments] == [None, None, {"start": 100, "end": 149}, {"start": 150, "end": 219}]


async def test_garbage(tmp_path: Path) -> None:
    """What is no playlist is an error that says so; what is damaged comes to something, or to an error."""
    chance = random.Random(1)
    texts = [("media", ""), ("multivariant", "<html>"), ("media", "#EXTM3U8")]
    for _ in range(300):
        kind, text = chance.choice([("media", MEDIA), ("multivariant", MULTIVARIANT)])
        place = chance.randrange(8, len(text))
        texts.append(
            (
                kind,
                text[:place]
                + chance.choice(["", "\n", '"', ",", "\0", "#EXTINF:x\n"])
                + text[place + chance.randrange(9) :],
            )
        )
    found = await parsed(tmp_path, *texts)
    assert all("is no playlist" in each["error"] for each in found[:3])
    assert all("error" not in each or each["error"].startswith("TypeError: Invalid URL") for each in found[3:])
