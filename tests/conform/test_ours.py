"""
The checker against our own server: what it demands can be done, and is done.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from mediasrv.conform.__main__ import main


def ask(url: str, tmp_path, *options: str) -> tuple[int, list[dict]]:
    """The exit status, and the results."""
    file = tmp_path / "results.json"
    status = main([url, "--jobs", "8", "--json", str(file), *options])
    return status, json.loads(file.read_text())["results"]


@pytest.mark.parametrize(("name", "transport"), [("film", "tcp"), ("film", "udp"), ("silent", "tcp")])
def test_weDoWhatIsDemanded(port, tmp_path, capsys, name, transport):
    """Every MUST. What is left out has a reason; with sound and pictures little is."""
    status, results = ask(f"rtsp://127.0.0.1:{port}/m/{name}.mp4", tmp_path, "--transport", transport)
    failed = [result for result in results if result["outcome"] == "failed"]
    assert [result for result in failed if result["grade"] == "must"] == []
    assert [result["remark"] for result in results if result["outcome"] == "error"] == []
    assert status == 0, capsys.readouterr().err
    outcomes = Counter(result["outcome"] for result in results)
    assert outcomes["passed"] > 180 if name == "film" else outcomes["passed"] > 150
    assert all(result["remark"] for result in results if result["outcome"] == "not applicable")
    assert "failed" in capsys.readouterr().out
