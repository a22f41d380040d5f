"""What README.rst and docs/ say can be done as it is written there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from certificatemaker import makeCertificate
from sessiondouble import FakeSession
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mediasrv.interfaces import Elsewhere, IMediaLocator
from mediasrv.locating import locationOf
from mediasrv.rtsp.replies import PUBLIC
from mediasrv.tap import Options

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.rst", ROOT / "CHANGELOG.rst", *sorted((ROOT / "docs").glob("*.rst"))]
NAMES = [page.name for page in PAGES]

_CODE = re.compile(r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)", re.M)
_LITERAL = re.compile(r"^::\n\n((?:    .*\n|\n)+)|::\n\n((?:    .*\n|\n)+)", re.M)


def page(name: str) -> str:
    return next(page for page in PAGES if page.name == name).read_text()


def dedented(block: str) -> str:
    return "".join(line.removeprefix("    ") for line in block.splitlines(keepends=True))


def commands() -> list[str]:
    """The lines of all blocks that are no Python, and what stands in a row of running.rst's table of ports."""
    lines = [
        line.strip()
        for name in NAMES
        for found in _LITERAL.finditer(page(name))
        for line in (found[1] or found[2]).splitlines()
    ]
    return [line for line in lines if line]


BLOCKS = {
    f"{name}-{number}": dedented(found) for name in NAMES for number, found in enumerate(_CODE.findall(page(name)))
}


def test_thereIsCode():
    assert len([name for name in BLOCKS if name.startswith("mounting")]) >= 5
    assert "README.rst-0" in BLOCKS


@pytest.mark.parametrize("name", BLOCKS)
def test_codeRuns(name, tmp_path):
    """In an interpreter of its own, with folders that are there and ports that are free; the reactor stops at once."""
    (tmp_path / "mediasrv.toml").write_text("burst = 8\n")
    (tmp_path / "cache").mkdir()
    block = BLOCKS[name]
    for written, here in {
        "/srv/movies": tmp_path,
        "/etc/mediasrv.toml": tmp_path / "mediasrv.toml",
        "/var/cache/cinema": tmp_path / "cache",
    }.items():
        block = block.replace(written, str(here))
    block = re.sub(r"tcp:8554\b", "tcp:0", block)
    start = (
        "from unittest.mock import create_autospec\n"
        "from twisted.internet import reactor\n"
        "from mediasrv.media import demo\n"
        "reactor.callWhenRunning(reactor.stop)\n"
        "demo.make = create_autospec(demo.make)\n"  # takes its time, and has tests of its own
    )
    result = subprocess.run(
        [sys.executable, "-c", start + block], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_observersAreToldAsTheCodeSays(tmp_path, capsys):
    """The observer of mounting.rst reads nothing that an event does not have."""
    (block,) = [block for block in BLOCKS.values() if "registry.subscribe" in block]
    names: dict[str, object] = {}
    exec(block.replace("/srv/movies", str(tmp_path)), names)  # our own documentation
    registry = names["media"].registry  # type: ignore[attr-defined]
    ended = []

    class Viewer:
        id, door, peer, path, state = "abc", "rtsp", "192.0.2.1", "movies/a.mp4", "ready"
        packetsSent = octetsSent = 0

        def position(self) -> float:
            return 12.5

        def end(self, reason: str) -> None:
            ended.append(reason)
            registry.remove(self)

    registry.add(Viewer())
    assert capsys.readouterr().out == "added abc 192.0.2.1 movies/a.mp4 ready 12.5\n"
    names["endAllOf"]("movies/a.mp4")  # type: ignore[operator]
    assert ended == ["no longer shown"]
    assert capsys.readouterr().out == "removed abc 192.0.2.1 movies/a.mp4 ready 12.5\n"


def test_locatorsAnswerAsTheCodeSays(tmp_path):
    (block,) = [block for block in BLOCKS.values() if "IMediaLocator" in block]
    names: dict[str, object] = {}
    exec(block.replace("/srv/movies", str(tmp_path)), names)  # our own documentation
    locator = names["Shards"]({"a": "alpha.example:8554"})  # type: ignore[operator]
    assert verifyObject(IMediaLocator, locator)
    found = locationOf(locator.locate("movies/a b.mp4", "192.0.2.1"))
    assert found == Elsewhere("rtsp://alpha.example:8554/movies/a%20b.mp4")
    assert locator.locate("movies/b.mp4", "192.0.2.1") is locator.locate("a", "192.0.2.1") is None


def test_serversAreEmptiedAsTheCodeSays(tmp_path, capsys):
    (block,) = [block for block in BLOCKS.values() if "registry.drain" in block]
    names: dict[str, object] = {}
    exec(block.replace("/srv/movies", str(tmp_path)), names)  # our own documentation
    registry = names["media"].registry  # type: ignore[attr-defined]
    session = FakeSession(registry, "abc")
    registry.add(session)
    upgraded = Deferred.fromCoroutine(names["upgrade"]())  # type: ignore[operator]
    assert session.locations == ["rtsp://other.example:8554/movies/a.mp4"]
    names["stay"]()  # type: ignore[operator]
    assert upgraded.called
    assert capsys.readouterr().out == ""
    upgraded = Deferred.fromCoroutine(names["upgrade"]())  # type: ignore[operator]
    registry.remove(session)
    assert capsys.readouterr().out == "nobody is here any more\n"


def ours(command: str) -> list[str] | None:
    """What a command gives to C{mediasrv}, if it runs that."""
    words = shlex.split(command.replace("~/", "/"))
    starts = [index for index, word in enumerate(words) if word.rpartition("/")[2] == "twistd"]
    if not starts or "mediasrv" not in words[starts[-1] :]:
        return None
    # the last one: it may also be a user
    return words[len(words) - words[::-1].index("mediasrv") :]


def test_commandsAreUnderstood(tmp_path):
    """Every C{twistd mediasrv …} of the documentation, and every endpoint, with folders that are there."""
    given = [arguments for command in commands() if (arguments := ours(command)) is not None]
    given += [shlex.split(port) for port in re.findall(r"``(--port \S+?)``", page("running.rst") + page("README.rst"))]
    assert len(given) >= 8
    (tmp_path / "mediasrv.toml").write_text("")
    makeCertificate(tmp_path / "one.pem", 1)
    for arguments in given:
        if any(each.startswith("systemd:") for each in arguments):
            continue  # wants a socket that only systemd can give
        here = [re.sub(r"^(\w+=)?/.*(?<!toml)$", rf"\g<1>{tmp_path}", each) for each in arguments]
        here = [str(tmp_path / "mediasrv.toml") if each.endswith(".toml") else each for each in here]
        here = [each.replace("/etc/certs", str(tmp_path)) for each in here]
        try:
            Options().parseOptions(here)
        except Exception as error:
            pytest.fail(f"{arguments}: {error}")


def test_unitRunsWhatThereIs():
    """The command of the systemd unit is understood; what it names besides is ours."""
    (command,) = re.findall(r"^ExecStart=(.*)$", (ROOT / "etc" / "mediasrv.service").read_text(), re.M)
    words = shlex.split(command)
    assert "mediasrv" in words
    assert words[words.index("mediasrv") + 1 :] == ["--config", "/etc/mediasrv.toml"]
    assert "--logger mediasrv.logs.text" in command


@pytest.mark.parametrize("name", NAMES)
def test_linksLeadSomewhere(name):
    folder = next(page for page in PAGES if page.name == name).parent
    for target in re.findall(r"<([^>\s]+)>`_", page(name)):
        assert target.startswith("https://") or (folder / target).is_file(), target


def test_readmeNamesEveryPage():
    linked = set(re.findall(r"<(docs/[^>]+)>`_", page("README.rst")))
    assert linked == {f"docs/{path.name}" for path in (ROOT / "docs").iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_markupIsSound(name):
    """Tables that do not line up, titles too short, and the like."""
    core = pytest.importorskip("docutils.core")
    complaints = []
    core.publish_doctree(
        page(name),
        settings_overrides={"report_level": 2, "halt_level": 5, "warning_stream": _Collected(complaints)},
    )
    assert complaints == []


class _Collected:
    """A stream that keeps what is written to it."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, text: str) -> None:
        self._lines.append(text)


def test_methodsAreDescribed():
    """rtsp.rst explains each method that OPTIONS names."""
    explained = re.findall(r"^``([A-Z_]+)``$", page("rtsp.rst"), re.M)
    assert explained == PUBLIC.split(", ")


def test_statusCodesAreDescribed():
    """rtsp.rst lists each status with which the server says no."""
    listed = {int(code) for code in re.findall(r"^([1-5][0-9][0-9])  \S", page("rtsp.rst"), re.M)}
    said = set()
    for path in (ROOT / "mediasrv" / "rtsp").glob("*.py"):
        text = path.read_text()
        said |= {int(code) for code in re.findall(r"\b(?:Refused|Response|MessageError)\(([1-5][0-9][0-9])\b", text)}
        said |= {int(code) for code in re.findall(r"HeaderError\([^()]*, ([1-5][0-9][0-9])\)", text)}
    assert listed == said - {200}
