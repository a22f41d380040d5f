"""The API, without sockets."""

from __future__ import annotations

import pytest
from apirig import APIRig


@pytest.fixture
def rig() -> APIRig:
    return APIRig()
