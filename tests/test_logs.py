"""The log observer for twistd."""

from __future__ import annotations

import io
import re
import sys

from twisted.logger import Logger

from mediasrv.logs import text


def test_textLeavesDebuggingOut(capsys):
    log = Logger(namespace="here", observer=text())
    log.debug("a packet")
    log.info("{number} sessions", number=3)
    log.error("a mistake")
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"^\S+ ", "", line) for line in lines] == ["[here#info] 3 sessions", "[here#error] a mistake"]


def test_namesThatTheEncodingDoesNotHave(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    Logger(namespace="here", observer=text()).info("{path!r}", path="日本é")
    assert written.getvalue().endswith(b"'\\u65e5\\u672c\xe9'\n")
