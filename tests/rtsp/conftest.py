"""The rig for all tests of the RTSP door."""

from __future__ import annotations

import pytest
from rtsprig import Client, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def client(rig: Rig) -> Client:
    return rig.connect()
