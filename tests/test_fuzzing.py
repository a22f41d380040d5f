"""The fuzzing script: it tries what it should, sees what is wrong, and finds nothing in its first moments."""

from __future__ import annotations

import random
import subprocess
import sys

import fuzzing  # it also says where the modules are that its targets need
import pytest
from fuzzing import Findings, mutated, report
from fuzztargets import Target, targets

TARGETS = targets()


@pytest.mark.requirement("SEC-5", "SEC-13", "SEC-14")
@pytest.mark.parametrize("name", TARGETS)
def test_nothingIsFoundInAMoment(name):
    target, findings, chance = TARGETS[name], Findings(), random.Random(name)
    for data in target.seeds:
        findings.run(target.run, data)
    for _ in range(10 if name == "dialogue" else 100):
        findings.run(target.run, mutated(target.seeds, chance))
    assert findings.found == {}
    assert findings.runs > 10


def picky(data: bytes) -> None:
    if data[:1] == b"x" and len(data) != 3:
        raise IndexError(data)


def test_whatIsWrongIsFound():
    """Once for each place, with the shortest input that shows it."""
    findings, chance = Findings(), random.Random(1)
    for _ in range(2000):
        findings.run(picky, mutated([b"xyz"], chance))
    ((what, data),) = findings.found.items()
    assert what.startswith("IndexError at test_fuzzing.py:")
    assert data[:1] == b"x"
    assert len(data) < 3
    assert next(iter(report("picky", findings))).endswith("2,000 runs, 1 found")


def test_whatIsSlowIsFound(monkeypatch):
    monkeypatch.setattr(fuzzing, "SLOW", -1.0)
    findings = Findings()
    findings.run(picky, b"abc")
    assert findings.found == {"slow": b"abc"}


def test_theSameSeedTriesTheSame():
    target = Target(picky, [b"abc" * 50, b"\0" * 9])
    one, other = ([mutated(target.seeds, chance) for _ in range(50)] for chance in (random.Random(3), random.Random(3)))
    assert one == other
    assert len(set(one)) > 40


@pytest.mark.parametrize("arguments", [["--plain"], []])
def test_asAScript(arguments):
    """With and, where there is one, without guidance by coverage."""
    command = [sys.executable, fuzzing.__file__, "--minutes", "0.02", "--only", "rtcp", "--only", "url", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first, *rest = done.stdout.splitlines()
    assert "2 targets" in first
    assert [line.split()[0] for line in rest[:2]] == ["rtcp", "url"]
    assert rest[2].endswith("runs, 0 found")
    assert int(rest[2].split()[0].replace(",", "")) > 10


def test_aTargetThatIsNone():
    command = [sys.executable, fuzzing.__file__, "--only", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2
    assert "the targets are: messages" in done.stderr
