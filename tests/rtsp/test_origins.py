"""Which web pages may stream (requirements TUN-11, WS-1)."""

from __future__ import annotations

import pytest

from mediasrv.rtsp.origins import Origins

pytestmark = pytest.mark.requirement("TUN-11", "WS-1")


@pytest.mark.parametrize(
    ("origin", "host", "isAllowed"),
    [
        (None, "media.example", True),
        (None, None, True),
        ("http://media.example", "media.example", True),
        ("https://media.example:8443", "media.example:554", True),
        ("HTTP://MEDIA.example", "media.EXAMPLE:8080", True),
        ("http://[2001:db8::1]:80", "[2001:db8::1]:8080", True),
        ("http://other.example", "media.example", False),
        ("http://media.example.evil", "media.example", False),
        ("http://evil/media.example", "media.example", False),
        ("http://evil@media.example", "media.example", False),
        ("http://evil#media.example", "media.example", False),
        ("null", "null", False),
        ("file://", "", False),
        ("", "", False),
        ("http://media.example", None, False),
        ("http://one.example", "a, b", False),
        ("http://friend.example", "media.example", True),
        ("http://friend.example:81", "media.example", False),
    ],
)
def testAllows(origin: str | None, host: str | None, isAllowed: bool) -> None:
    assert Origins(["http://Friend.example"]).allows(origin, host) is isAllowed


def testAll() -> None:
    assert Origins(["*"]).allows("null", None)
