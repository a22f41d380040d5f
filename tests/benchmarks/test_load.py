"""The load script against a real server: every packet counted, over each transport."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import media
import pytest
from observing import usageOf
from report import quantiles, table
from server import Server, ServerError, running

LOAD = Path(__file__).parents[2] / "benchmarks" / "load.py"
CLIP = media.Clip("clip.mp4", 320, 180, 300_000, 64_000, 12)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("media")
    media.make(str(folder), CLIP, duration=4)
    with running(str(folder), None) as server:
        yield server


def load(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(LOAD), *arguments], capture_output=True, text=True, timeout=60)


def figures(server: Server, *arguments: str) -> dict[str, Any]:
    options = ["--viewers", "3", "--seconds", "1", "--settle", "0.2", "--pid", str(server.pid), "--json", "-"]
    result = load(*options, *arguments, f"{server.url}/{CLIP.name}")
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize(
    ("arguments", "sockets"),
    [
        ((), "shared"),
        (("--sockets", "own", "--processes", "2"), "own"),
        (("--transport", "tcp", "--spread-whole"), "tcp"),
    ],
)
def test_viewersPlayAndAreCounted(server: Server, arguments: tuple[str, ...], sockets: str) -> None:
    found = figures(server, *arguments)
    assert found["sockets"] == sockets
    assert found["viewers"]["playing"] == 3
    assert (found["viewers"]["failed"], found["viewers"]["errors"]) == (0, {})
    assert (found["lost"], found["unknown"], found["duplicates"]) == (0, 0, 0)
    assert found["packets"] > 3
    assert found["bytes"] > 1000
    assert set(found["milliseconds"]) >= {"connect", "describe", "setup", "play", "first"}
    assert found["server"]["cpuSeconds"] > 0
    assert found["server"]["megabytes"]["begin"] > 1
    assert found["server"]["descriptors"]["end"] >= found["server"]["descriptors"]["before"] + 3


def test_viewersSeek(server: Server) -> None:
    found = figures(server, "--seek", "0.5")
    assert found["viewers"]["failed"] == 0
    assert found["milliseconds"]["seek"]["p50"] > 0
    assert found["lost"] == 0


def test_aClipThatEndsStartsAgain(server: Server) -> None:
    found = figures(server, "--seconds", "5")
    assert found["milliseconds"]["again"]["p50"] >= 0
    assert (found["viewers"]["playing"], found["lost"]) == (3, 0)


def test_viewersThatWait(server: Server) -> None:
    found = figures(server, "--idle")
    assert (found["viewers"]["idle"], found["packets"]) == (3, 0)


def test_theTableNamesEveryFigure(server: Server) -> None:
    result = load("--seconds", "0.5", "--settle", "0.1", f"{server.url}/{CLIP.name}")
    assert result.returncode == 0, result.stderr
    assert {"packets", "lost", "pace", "milliseconds.first"} <= {line.split()[0] for line in result.stdout.splitlines()}


@pytest.mark.parametrize(
    ("path", "message"), [("/none.mp4", "nobody plays: beginning: RTSP/1.0 404 Not Found"), ("", "nobody plays")]
)
def test_whatCannotBeWatchedIsSaid(server: Server, path: str, message: str) -> None:
    result = load("--seconds", "0.5", server.url + path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"load: {message}")
    assert "Traceback" not in result.stderr


def test_aServerThatDoesNotStartIsSaid(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no-such-setting"), running(str(tmp_path), None, "no-such-setting = 1\n"):
        pass


def test_whatTheProcessUsesIncludesItsChildren() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 30 & echo $!; wait"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert usageOf(process.pid).threads == 2
        os.kill(child, signal.SIGTERM)
    with pytest.raises(ProcessLookupError):
        usageOf(process.pid)


def test_quantiles() -> None:
    assert quantiles(range(101)) == {"p50": 50, "p99": 99, "max": 100}
    assert quantiles([0.002], 1e3) == {"p50": 2, "p99": 2, "max": 2}
    assert quantiles([]) == {}


def test_columns() -> None:
    assert table([("a", "22"), ("bbb", "1")], ("x", "y")) == "x    y\n---  --\na    22\nbbb  1"
