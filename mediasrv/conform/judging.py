"""
Sentences that checks share: this code, any refusal, still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mediasrv.conform.connection import Connection, Reply
from mediasrv.conform.grading import Failed

#: a refusal is one of these
_REFUSALS = range(400, 600)


def expect(reply: Reply, *codes: int, wanted: str = "") -> Reply:
    """
    @raise Failed: if the reply has none of these codes.
    """
    if reply.code not in codes:
        raise Failed(wanted or " or ".join(str(code) for code in codes))
    return reply


def refused(reply: Reply, wanted: str = "a refusal (4xx or 5xx)") -> Reply:
    """
    @raise Failed: if the reply is none.
    """
    if reply.code not in _REFUSALS:
        raise Failed(wanted)
    return reply


def require(isSo: bool, wanted: str, got: str | None = None, sent: str | None = None) -> None:
    """
    @raise Failed: if something is not so.
    """
    if not isSo:
        raise Failed(wanted, got, sent)


def usable(connection: Connection, url: str) -> None:
    """
    @raise Failed: if the connection does not answer an OPTIONS.
    """
    try:
        reply = connection.ask("OPTIONS", url)
    except Failed as failure:
        raise Failed("the connection goes on", f"afterwards: {failure.got}") from None
    if reply.code != 200:
        raise Failed("200 for the OPTIONS that follows")


def allOf(problems: Mapping[str, str], wanted: str) -> None:
    """
    @param problems: what went wrong, by what was sent.
    @raise Failed: if anything did; names all of it.
    """
    if problems:
        raise Failed(wanted, "; ".join(problems.values()), "; ".join(problems))


def tokens(value: str | None) -> list[str]:
    """The elements of a comma list."""
    return [part.strip() for part in (value or "").split(",") if part.strip()]


def span(values: Iterable[float]) -> str:
    """For people: the least and the most of some seconds."""
    listed = list(values)
    return f"{min(listed):.3f} to {max(listed):.3f} s" if listed else "none"
