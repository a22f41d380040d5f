"""
Endpoints whose certificates are read again when their files change, so that a renewed one needs no restart.

Twisted's C{ssl:} reads its files once. Its C{tls:} reads its folder again for a name that it does not know, but keeps
what it has for a name that it does. Here whoever connects gets what is in the files: they are looked at before a
handshake, at most once a second, and read if they are others than before.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from OpenSSL.SSL import Connection
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IStreamServerEndpoint
from twisted.logger import Logger
from zope.interface import implementer

#: seconds between two looks at the files
_LOOK = 1.0

_PIECE = re.compile(r"(?:\\.|[^:\\])+", re.S)
_KEY = re.compile(r"\w+=")


def serverEndpoint(reactor: Any, description: str) -> IStreamServerEndpoint:
    """
    The endpoint of a description, as C{serverFromString} gives it, except that TLS is never out of date.

    @raise Exception: what that function raises.
    """
    endpoint: Any = serverFromString(reactor, description)
    # The names are all that Twisted's two kinds of endpoints differ by. The second is private: tests hold it.
    for name in ("connectionCreator", "_sslContextFactory"):
        if hasattr(endpoint, name):

            def read(name: str = name) -> Any:
                return getattr(serverFromString(reactor, description), name)

            first = getattr(endpoint, name)
            setattr(endpoint, name, FreshCertificates(read, first, list(_pathsIn(description)), reactor.seconds))
    return endpoint  # type: ignore[no-any-return]  # what serverFromString returned


def lacksCertificate(endpoint: IStreamServerEndpoint) -> bool:
    """
    Whether an endpoint of L{serverEndpoint} has TLS and nothing to show, so that nobody could connect. Twisted's
    C{tls:} takes a folder without certificates, and one that is not there; its C{ssl:} does not.
    """
    creator = getattr(endpoint, "connectionCreator", None)
    return isinstance(creator, FreshCertificates) and not creator.hasCertificate()


def _pathsIn(description: str) -> Iterator[str]:
    """The files and folders that the description of an endpoint names."""
    for piece in _PIECE.findall(description):
        text = re.sub(r"\\(.)", r"\1", piece, flags=re.S)
        for path in (text, _KEY.sub("", text, count=1)):
            if os.path.exists(path):
                yield path
                break


@implementer(IOpenSSLServerConnectionCreator)
class FreshCertificates:
    """
    Begins the TLS connections of one endpoint.
    """

    _log = Logger()

    def __init__(
        self, read: Callable[[], Any], first: Any, paths: list[str], seconds: Callable[[], float], look: float = _LOOK
    ) -> None:
        """
        @param read: reads the files anew, and returns what Twisted makes of them: something that begins connections.
        @param first: what it returned already.
        @param paths: the files, and folders of them.
        @param seconds: the time.
        @param look: seconds between two looks.
        """
        self._read = read
        self._current = first
        self._paths = paths
        self._seconds = seconds
        self._look = look
        self._lookedAt = seconds()
        self._known = self._state()

    def serverConnectionForTLS(self, protocol: Any) -> Connection:
        """A connection with the certificates that are in the files."""
        now = self._seconds()
        if now - self._lookedAt >= self._look:
            self._lookedAt = now
            self._renew(protocol)
        connection: Connection = self._current.serverConnectionForTLS(protocol)
        return connection

    def hasCertificate(self) -> bool:
        """Whether there is a certificate with its key."""
        return _certificateOf(self._current, None) is not None

    def _renew(self, protocol: Any) -> None:
        state = self._state()
        if state == self._known:
            return
        self._known = state
        try:
            renewed = self._read()
            if _certificateOf(renewed, protocol) is None:
                raise ValueError("no certificate with its key")
        except Exception as error:  # of files, of OpenSSL, of what parses: a mistake in a file is not to end the server
            self._log.error(
                "keeping the certificates that there were, for those in {paths} are no good: {reason}",
                paths=", ".join(self._paths),
                reason=error,
            )
        else:
            self._current = renewed
            self._log.info("read the certificates in {paths}", paths=", ".join(self._paths))

    def _state(self) -> list[tuple[str, int, int, int]]:
        """What changes when a file does. Links are followed, as certbot and Kubernetes replace those."""
        found = []
        for path in self._files():
            try:
                status = os.stat(path)
            except OSError:
                continue  # gone in between
            found.append((path, status.st_ino, status.st_mtime_ns, status.st_size))
        return sorted(found)

    def _files(self) -> Iterator[str]:
        for path in self._paths:
            if not os.path.isdir(path):
                yield path
            for folder, _, names in os.walk(path):
                yield from (os.path.join(folder, name) for name in names if name.endswith(".pem"))


def _certificateOf(creator: Any, protocol: Any) -> Any:
    return creator.serverConnectionForTLS(protocol).get_certificate()
