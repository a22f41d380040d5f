"""Every check is seen to fail, and only where it should: a server breaks one rule, and that is what is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from cases import LIES, Case
from liar import Liar

import mediasrv.conform.checks  # noqa: F401  registers them
from mediasrv.conform.__main__ import main
from mediasrv.conform.grading import CHECKS


@pytest.fixture
def liar(port: int) -> Iterator[Callable[[Case], Liar]]:
    """Makes liars in front of our own server."""
    made: list[Liar] = []

    def make(case: Case) -> Liar:
        made.append(Liar(port, case.lie()))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.mark.parametrize("case", LIES, ids=lambda case: case.name.replace(" ", "-"))
def test_lieIsFound(case, liar, tmp_path):
    noticed, unharmed = set(case.noticed.split()), set(case.unharmed.split())
    file = tmp_path / "results.json"
    asked = ",".join(noticed | unharmed)
    options = ["--transport", case.transport, "--only", asked, "--jobs", "8", "--json", str(file), *case.options]
    main([liar(case).url(case.film), *options])
    results = {result["name"]: result for result in json.loads(file.read_text())["results"]}
    assert {name for name, result in results.items() if result["outcome"] == "failed"} == noticed
    assert {name for name, result in results.items() if result["outcome"] == "passed"} == unharmed
    for name in noticed:
        result = results[name]
        assert result["sent"]
        assert result["got"]
        assert result["wanted"]
    assert case.got in " ".join(results[name]["got"] for name in noticed)


def test_everyCheckIsSeenToFail():
    named = {name for case in LIES for name in case.noticed.split()}
    assert named == {check.name for check in CHECKS if check.source}
