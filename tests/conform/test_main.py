"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from liar import Liar, Lie, Link
from lies import Codes
from oneshot import OneShot

from mediasrv.conform.__main__ import main
from mediasrv.rtsp.messages import Request, Response


@pytest.fixture
def lying(port: int) -> Iterator[Callable[[Lie], str]]:
    """Puts a liar in front of our own server; gives its URL."""
    liars: list[Liar] = []

    def make(lie: Lie) -> str:
        liars.append(Liar(port, lie))
        return liars[-1].url()

    yield make
    for liar in liars:
        liar.stop()


@pytest.fixture
def oneShot() -> Iterator[Callable[[bytes], str]]:
    """Makes a server that knows one answer; gives its URL."""
    servers: list[OneShot] = []

    def make(answer: bytes) -> str:
        servers.append(OneShot(answer))
        return f"rtsp://127.0.0.1:{servers[-1].port}/x"

    yield make
    for server in servers:
        server.stop()


def test_rightAnswers(port, capsys):
    assert main([f"rtsp://127.0.0.1:{port}/m/film.mp4", "--only", "OPT-1,cseqIsEchoed", "--transport", "tcp"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"rtsp://127.0.0.1:{port}/m/film.mp4 (video, audio; 12 s)"
    assert "Server: mediasrv/" in printed[1]
    assert (
        "  ✓ CON-1         must    The CSeq of the request comes back in the answer, whatever number it is." in printed
    )
    assert "  ✓ OPT-1         must    OPTIONS changes nothing: what plays goes on. (tcp)" in printed
    assert [line.split() for line in printed[-3:]] == [
        ["must", "3", "0", "0"],
        ["should", "1", "0", "0"],
        ["policy", "1", "0", "0"],
    ]


def test_wrongAnswers(lying, capsys):
    """What was sent, got and wanted of each failure; a MUST that fails decides the exit status."""
    url = lying(Codes({404: 418, 406: 200}))
    assert main([url, "--only", "DES", "--ascii"]) == 1
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "  x DES-1         must    What does not exist is 404.\n" in printed
    assert f"sent  DESCRIBE {url}-no-such-presentation\n" in printed
    assert " got  418 " in printed
    assert " wanted  404\n" in printed


def test_whatIsNoMust(lying):
    """Failures of lower grades are told, and are no reason for another exit status."""
    assert main([lying(Codes({406: 200})), "--only", "DES-2"]) == 0


def test_verboseHasTheDialogue(lying, capsys):
    url = lying(Codes({404: 418}))
    main([url, "--only", "notFound", "--verbose"])
    printed = capsys.readouterr().out
    assert "[RFC 2326 11]" in printed
    assert f"> DESCRIBE {url}-no-such-presentation\n" in printed
    assert "< 418 " in printed


def test_jsonHasAll(lying, tmp_path):
    file = tmp_path / "results.json"
    url = lying(Codes({404: 418}))
    main([url, "--only", "DES", "--json", str(file), "--transport", "tcp"])
    written = json.loads(file.read_text())
    assert (written["url"], written["tracks"], written["duration"], written["failed"]) == (
        url,
        ["video", "audio"],
        12.0,
        1,
    )
    (failed,) = [result for result in written["results"] if result["outcome"] == "failed"]
    assert failed["name"] == "notFound"
    assert failed["requirements"] == ["DES-1", "STATUS-404"]
    assert failed["grade"] == "must"
    assert failed["dialogue"][0].startswith(f"> DESCRIBE {url}-no")
    (left,) = [result for result in written["results"] if result["requirements"] == ["DES-5"]]
    assert (left["outcome"], left["remark"]) == ("not applicable", "needs such a file on the server")


def test_fileThatCannotBeWritten(port, tmp_path, capsys):
    url = f"rtsp://127.0.0.1:{port}/m/film.mp4"
    assert main([url, "--only", "OPT-2", "--json", str(tmp_path / "none" / "file")]) == 2
    said = capsys.readouterr()
    assert "No such file or directory" in said.err
    assert "✓ OPT-2" in said.out


def test_terminalsWithoutSigns(port):
    command = [sys.executable, "-m", "mediasrv.conform", f"rtsp://127.0.0.1:{port}/m/film.mp4", "--only", "OPT-2"]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert "+ OPT-2" in result.stdout


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"", "the connection was closed without one"),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", "no RTSP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "no RTSP"),
        (b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", "404 Not Found"),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\nhello", "no session description"),
    ],
    ids=["closes at once", "HTTP", "garbage", "404", "no SDP"],
)
def test_whatCannotBeAsked(oneShot, answer, complaint, capsys):
    """One line, and exit status 2."""
    url = oneShot(answer)
    assert main([url]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert url in said.err
    assert complaint in said.err


def test_silentServer(oneShot, capsys):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        assert main([f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x", "--timeout", "0.5"]) == 2
    assert "0.5 s of silence" in capsys.readouterr().err


def test_nobodyThere(capsys):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        number = listener.getsockname()[1]
    assert main([f"rtsp://127.0.0.1:{number}/x"]) == 2
    assert "refused" in capsys.readouterr().err


class Mortal(Lie):
    """Takes no more connections after a method that it does not know."""

    def __init__(self) -> None:
        self._isDead = False

    def connected(self, link: Link) -> bool:
        return not self._isDead

    def response(self, link: Link, request: Request, response: Response) -> bytes:
        self._isDead = self._isDead or request.method == "FLY"
        return b"" if self._isDead else response.toBytes()


def test_serverThatDies(lying, capsys):
    """It is told where; what comes after that is not held against the server."""
    assert main([lying(Mortal()), "--only", "cseqOfErrors,OPT-2,notFound", "--timeout", "0.5"]) == 2
    printed = capsys.readouterr()
    assert "the server stopped answering" in printed.err
    assert "✗ CON-1" in printed.out
    assert printed.out.count("the server is gone") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["http://127.0.0.1/x"],
        ["rtsp:///x"],
        ["rtsp://127.0.0.1/x", "--timeout", "0"],
        ["rtsp://127.0.0.1/x", "--timeout", "soon"],
        ["rtsp://127.0.0.1/x", "--jobs", "1000"],
        ["rtsp://127.0.0.1/x", "--transport", "pigeon"],
        [],
    ],
)
def test_badArguments(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m mediasrv.conform" in capsys.readouterr().err


def test_noSuchCheck(capsys):
    assert main(["rtsp://127.0.0.1/x", "--only", "XYZ-1"]) == 2
    assert capsys.readouterr().err == "no check is called XYZ-1\n"


def test_runsAsAModule():
    command = [sys.executable, "-m", "mediasrv.conform", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=Path(__file__).parent)
    assert "--transport" in result.stdout
    assert "Exit status" in result.stdout
