"""
Descriptions of endpoints on the command line: whether one can be listened to, and with which backlog.
"""

from __future__ import annotations

from typing import Any

from OpenSSL import SSL, crypto
from twisted.internet.endpoints import serverFromString

from mediasrv.certificates import lacksCertificate, serverEndpoint

#: connections that may wait to be accepted; Twisted's 50 are too few when a thousand viewers come at once
_BACKLOG = 1024


class EndpointError(ValueError):
    """A description of which no endpoint can be made. The text says why."""


def checkEndpoint(description: str, reactor: Any) -> None:
    """
    Makes the endpoint, and does not listen.

    @raise EndpointError: if it cannot be made, or has TLS and no certificate that it could show.
    """
    try:
        isLacking = lacksCertificate(serverEndpoint(reactor, description))
    except LookupError:  # systemd:
        raise EndpointError(f"{description}: there is no socket of that name or number") from None
    except OSError as error:
        raise EndpointError(f"{description}: {error.filename}: {error.strerror}") from None
    except (SSL.Error, crypto.Error):  # whose texts help nobody, and are others with each OpenSSL
        raise EndpointError(f"{description}: a file there that should have a certificate or a key is damaged") from None
    except Exception as error:  # an endpoint's parser may be anybody's; Twisted's own raise half a dozen classes
        reason = f"{type(error).__name__}: {error}"
        raise EndpointError(
            f"{description} is not an endpoint, such as 8554 or tcp:8554:interface=127.0.0.1 ({reason})"
        ) from None
    if isLacking:
        raise EndpointError(f"{description}: no certificate with its key is there, in a file that ends with .pem")


def withBacklog(description: str, reactor: Any) -> str:
    """The description with our backlog, where it can have one and gives none."""
    if ":backlog=" in description:
        return description
    longer = f"{description}:backlog={_BACKLOG}"
    try:
        serverFromString(reactor, longer)
    except (TypeError, ValueError):
        return description  # systemd: takes none, and tcp:8554:50 gives one
    return longer
