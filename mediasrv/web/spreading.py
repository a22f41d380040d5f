"""
Long lists, a piece in each turn of the reactor: what plays meanwhile is sent in time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

Item = TypeVar("Item")

#: as many sessions as can be looked at and written down in some 2 ms
_PIECE = 100


async def inTurns(reactor: IReactorTime, items: Sequence[Item]) -> AsyncIterator[Sequence[Item]]:
    """The items in pieces; after each but the last one, others have their turn."""
    for start in range(0, len(items), _PIECE):
        if start:
            await deferLater(reactor, 0)
        yield items[start : start + _PIECE]
