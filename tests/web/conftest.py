"""The rig of the RTSP door, which is what runs inside of HTTP."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "rtsp"))

from rtsprig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()
