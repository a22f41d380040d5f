"""TLS endpoints: who connects gets the certificates that are in the files then (requirement TLS-1)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certificatemaker import Trusting, makeCertificate
from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, serverFromString, wrapClientTLS
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure

from mediasrv.certificates import FreshCertificates, serverEndpoint


class Caller(Protocol):
    """Waits for the end of the handshake, and hangs up."""

    def __init__(self) -> None:
        self.serial: Deferred[int] = Deferred()
        self.lost: Deferred[None] = Deferred()
        self.version = ""

    def dataReceived(self, data: bytes) -> None:
        # the server speaks first, when it is sure of the handshake
        self.version = self.transport.getHandle().get_protocol_version_name()
        self.serial.callback(self.transport.getPeerCertificate().get_serial_number())

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.serial.called:
            self.serial.errback(reason)
        self.lost.callback(None)


class Greeter(Protocol):
    def connectionMade(self) -> None:
        self.transport.write(b"hello")


async def serialAt(port: int, name: str = "") -> int:
    """The serial number of the certificate that a server shows."""
    caller = Caller()
    endpoint = wrapClientTLS(Trusting(name), TCP4ClientEndpoint(reactor, "127.0.0.1", port))
    await connectProtocol(endpoint, caller)
    serial = await caller.serial
    assert caller.version in ("TLSv1.2", "TLSv1.3")
    caller.transport.abortConnection()  # type: ignore[attr-defined]  # TLS has it
    await caller.lost
    return serial


DESCRIPTIONS: list[Callable[[Path], str]] = [
    lambda folder: f"tls:{folder}:port=0:interface=127.0.0.1",
    lambda folder: f"ssl:0:privateKey={folder}/one.pem:interface=127.0.0.1",
]


@pytest.mark.requirement("TLS-1")
@pytest.mark.parametrize("describe", DESCRIPTIONS, ids=["tls", "ssl"])
async def test_aRenewedCertificateIsUsedAtOnce(
    tmp_path: Path, describe: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FreshCertificates.__init__, "__defaults__", (0.0,))
    makeCertificate(tmp_path / "one.pem", 1001)
    port: Any = await serverEndpoint(reactor, describe(tmp_path)).listen(Factory.forProtocol(Greeter))
    number = port.getHost().port
    assert await serialAt(number, "localhost") == 1001
    makeCertificate(tmp_path / "one.pem", 1002)
    assert await serialAt(number, "localhost") == 1002
    assert await serialAt(number) == 1002
    # what is no certificate does no harm
    (tmp_path / "one.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    assert await serialAt(number, "localhost") == 1002
    makeCertificate(tmp_path / "one.pem", 1003)
    assert await serialAt(number, "localhost") == 1003
    await port.stopListening()


async def test_moreNamesInTheFolder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name has its certificate; one that nobody knows gets another one, and not an error."""
    monkeypatch.setattr(FreshCertificates.__init__, "__defaults__", (0.0,))
    makeCertificate(tmp_path / "one.pem", 1, "one.example")
    description = f"tls:{tmp_path}:port=0:interface=127.0.0.1"
    port: Any = await serverEndpoint(reactor, description).listen(Factory.forProtocol(Greeter))
    number = port.getHost().port
    assert await serialAt(number, "one.example") == 1
    makeCertificate(tmp_path / "two.pem", 2, "two.example")
    assert await serialAt(number, "two.example") == 2
    assert await serialAt(number, "one.example") == 1
    assert await serialAt(number, "three.example") in (1, 2)
    await port.stopListening()


def test_otherEndpointsAreTwistedsOwn() -> None:
    endpoint = serverEndpoint(reactor, "tcp:8554:interface=127.0.0.1")
    assert vars(endpoint) == vars(serverFromString(reactor, "tcp:8554:interface=127.0.0.1"))


class Connections:
    """What Twisted's endpoints have, in so far as it is asked."""

    def __init__(self, path: Path) -> None:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_certificate_file(str(path))
        context.use_privatekey_file(str(path))
        self._context = context

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)


def test_filesAreReadOnlyWhenTheyChange(tmp_path: Path) -> None:
    """And looked at once a second; a mistake is one line in the log, once."""
    path = tmp_path / "one.pem"
    makeCertificate(path, 1)
    reads = []

    def read() -> Connections:
        reads.append(path.read_bytes())
        return Connections(path)

    lines: list[LogEvent] = []
    globalLogPublisher.addObserver(lines.append)
    clock = Clock()
    fresh = FreshCertificates(read, Connections(path), [str(path)], clock.seconds)

    def serial() -> int:
        certificate = fresh.serverConnectionForTLS(None).get_certificate()
        assert certificate is not None
        return certificate.get_serial_number()

    for _ in range(3):
        clock.advance(1)
        assert serial() == 1
    assert reads == []
    makeCertificate(path, 2)
    assert serial() == 1
    clock.advance(1)
    assert serial() == 2
    path.write_text("no certificate")
    for _ in range(3):
        clock.advance(1)
        assert serial() == 2
    os.unlink(path)
    clock.advance(1)
    assert serial() == 2
    globalLogPublisher.removeObserver(lines.append)
    assert len(reads) == 2
    assert [str(line["log_level"].name) for line in lines] == ["info", "error", "error"]
