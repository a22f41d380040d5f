"""Descriptions that want more than they are entitled to: each has the right answer and one line in the log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from attack import TCP, Target, makeWave
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

_BOMB = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))

#: name, what is in it, status, what the log says
_ATTACKS = [
    ("bomb.smil", f'<!DOCTYPE smil [<!ENTITY a0 "x">{_BOMB}]><smil>&a9;</smil>', 415, "may declare nothing here"),
    (
        "outer.smil",
        '<!DOCTYPE smil [<!ENTITY a SYSTEM "file:///etc/passwd">]><smil><body><ref src="&a;"/></body></smil>',
        415,
        "may declare nothing here",
    ),
    ("skipped.smil", '<!DOCTYPE smil SYSTEM "a.dtd"><smil><body>&a;</body></smil>', 415, "entities are not read"),
    ("parent.smil", '<smil><body><ref src="../../secret.wav"/></body></smil>', 415, "is not in the library"),
    ("parent.toml", 'src = "../../secret.wav"', 415, "is not in the library"),
    ("parent.m3u", "%2e%2e/../secret.wav", 415, "is not there"),
    ("absolute.m3u", "/etc/passwd", 415, "is not there"),
    ("scheme.m3u", "http://127.0.0.1/x.mp3", 415, "is not in the library"),
    ("scheme.smil", '<smil><body><ref src="rtsp://127.0.0.1/x"/></body></smil>', 415, "is not in the library"),
    ("link.toml", 'src = "link.wav"', 415, "is not there"),
    ("itself.toml", 'src = "itself.toml"', 415, "is a description itself"),
    ("one.toml", 'src = "other.toml"', 415, "is a description itself"),
    ("other.toml", 'src = "one.toml"', 415, "is a description itself"),
    ("many.m3u", "quiet.wav\n" * 1_000_000, 415, "262144 bytes at most"),
    ("short.m3u", "a\n" * 100_000, 415, "more than 1000 clips"),
    ("deep.smil", "<smil><body>" + "<seq>" * 10_000, 415, "nested more than 16 deep"),
    ("deep.toml", "seq = " + "[" * 100_000, 415, "nested too deep"),
    ("keys.toml", "a." * 100_000 + "a = 1", 415, "too many parts"),
    ("missing.toml", 'src = "missing.wav"', 415, "is not there"),
    ("broken.toml", 'src = "broken.wav"', 415, "broken.wav"),
    ("empty.smil", "", 415, "no XML"),
    ("hls.m3u8", "#EXTM3U\n#EXT-X-VERSION:3\nhttp://a/b.ts", 415, "a playlist of HLS"),
    ("lines.toml", 'src = "a\\r\\nX: y"', 415, "a??X: y"),
    ("some.toml", 'seq = ["missing.wav", "quiet.wav"]', 200, "missing.wav: is not there"),
]


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    makeWave(folder / "quiet.wav", seconds=2)
    makeWave(tmp_path / "secret.wav", seconds=2)
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    (folder / "broken.wav").write_bytes(b"RIFF" * 100)
    for name, text, *_ in _ATTACKS:
        (folder / name).write_text(text)
    return folder


@pytest.mark.requirement("SEC-27", "SEC-6", "SEC-7")
@pytest.mark.deadline(60)
async def testEachIsAnswered(shelf: Path, serve: Callable[..., Target]) -> None:
    """The same twice in a row, and a description that is good is played all the same."""
    target = serve(shelf)
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        if "/m/" in (line := formatEvent(event)):
            lines.append(line)

    globalLogPublisher.addObserver(observe)
    wrong = []
    try:
        peer = await target.connect()
        for name, _, status, said in _ATTACKS:
            lines.clear()
            code = (await peer.ask("DESCRIBE", target.url(name))).code
            if code != status or len(lines) != 1 or said not in lines[0] or len(lines[0]) > 600:
                wrong.append((name, code, lines[:3]))
        assert not wrong
        assert (await peer.ask("SETUP", target.url("some.toml/trackID=0"), Transport=TCP)).code == 200
    finally:
        globalLogPublisher.removeObserver(observe)
