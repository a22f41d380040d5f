"""A pair of UDP ports, and a client of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from udprig import Client

from mediasrv.rtp.datagrams import DatagramPair


@pytest_twisted.async_yield_fixture
async def pair() -> Any:
    made = DatagramPair(reactor)
    yield made
    await made.close()


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()
