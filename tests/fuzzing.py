"""
Feeds every parser what no client should send, for as long as is wanted, one parser after the other.

    python tests/fuzzing.py --minutes 5

With C{atheris}, which C{pip install atheris} brings for some versions of Python, coverage guides what is tried next.
Without it real messages are mutated at random. What is found is printed with the input as Python writes bytes; nothing
found is status 0.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).parent
sys.path += [str(TESTS), *(str(TESTS / folder) for folder in ("rtsp", "rtp/payloads"))]

#: seconds that one input may take
SLOW = 2.0

#: bytes of an input
_LONGEST = 20_000

#: what protocols are made of
_WORDS = [
    b"\r\n",
    b"\r\n\r\n",
    b"$",
    b"\0",
    b"\xff",
    b";",
    b",",
    b"=",
    b'"',
    b"-",
    b"..",
    b"%",
    b"%00",
    b"9" * 30,
    b": ",
]


@dataclass
class Findings:
    """
    @ivar runs: how often a target was run.
    @ivar found: by what was raised and where, an input that does it.
    """

    runs: int = 0
    found: dict[str, bytes] = field(default_factory=dict)

    def run(self, target: Callable[[bytes], object], data: bytes) -> None:
        """Runs a target once."""
        self.runs += 1
        began = time.monotonic()
        try:
            target(data)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._note(f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}", data)
        if time.monotonic() - began > SLOW:
            self._note("slow", data)

    def _note(self, what: str, data: bytes) -> None:
        known = self.found.get(what)
        if known is None or len(data) < len(known):
            self.found[what] = data


def mutated(seeds: list[bytes], chance: random.Random) -> bytes:
    """One of the seeds, or two, with some of it changed."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randint(0, len(data))
        end = min(len(data), at + chance.choice((1, 1, 2, 4, 16, 200)))
        match chance.randrange(7):
            case 0 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at:end] = chance.randbytes(end - at)
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = data[at:end] * chance.choice((1, 2, 50))
            case 4:
                data[at:end] = chance.choice(_WORDS)
            case 5:
                other = chance.choice(seeds)
                start = chance.randint(0, len(other))
                data[at:end] = other[start : start + chance.choice((1, 8, 100, 1000))]
            case 6:
                del data[at:]
    return bytes(data[:_LONGEST])


def atRandom(name: str, seconds: float, seed: int) -> Findings:
    """Mutates for some seconds."""
    from fuzztargets import targets  # late, as where coverage guides

    target, findings, chance = targets()[name], Findings(), random.Random(f"{name} {seed}")
    end = time.monotonic() + seconds
    for data in target.seeds:
        findings.run(target.run, data)
    while time.monotonic() < end:
        findings.run(target.run, mutated(target.seeds, chance))
    return findings


def byCoverage(name: str, seconds: float, seed: int, notes: Path) -> None:
    """
    Has atheris look for inputs that reach new code. It ends the process itself, so that what is found is written to a
    file at once.
    """
    import atheris  # optional

    with atheris.instrument_imports(include=["mediasrv"]):
        from fuzztargets import targets  # only what is imported here is instrumented
    target, findings = targets()[name], Findings()

    def one(data: bytes) -> None:
        known = len(findings.found)
        findings.run(target.run, data)
        if len(findings.found) != known:
            notes.write_text(json.dumps({what: found.decode("latin-1") for what, found in findings.found.items()}))

    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(target.seeds):
            (Path(corpus) / str(number)).write_bytes(data)
        options = [f"-max_total_time={max(1, round(seconds))}", f"-seed={seed + 1}", f"-max_len={_LONGEST}", corpus]
        atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", f"-artifact_prefix={corpus}/"], one)
        atheris.Fuzz()


def guided(name: str, seconds: float, seed: int) -> Findings:
    """The same in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "found"
        command = [sys.executable, __file__, "--child", str(notes), "--only", name, "--seed", str(seed)]
        command += ["--minutes", str(seconds / 60)]
        process = subprocess.run(command, capture_output=True, timeout=seconds * 3 + 120, check=False)
        said = process.stderr.decode(errors="replace") + process.stdout.decode(errors="replace")
        runs = re.search(r"stat::number_of_executed_units:\s*([0-9]+)", said)
        findings = Findings(int(runs[1]) if runs else 0)
        if notes.exists():
            findings.found = {what: data.encode("latin-1") for what, data in json.loads(notes.read_text()).items()}
        if runs is None:
            findings.found[f"it ended with status {process.returncode}: {said[-2000:]}"] = b""
        return findings


def report(name: str, findings: Findings) -> Iterator[str]:
    """What to print of a target."""
    yield f"{name:20} {findings.runs:>10,} runs, {len(findings.found)} found"
    for what, data in findings.found.items():
        yield f"    {what}"
        yield f"    {data!r}"


def main() -> int:
    """
    @return: 1 if anything was found.
    """
    parser = argparse.ArgumentParser(description="Feeds every parser what no client should send.")
    parser.add_argument("--minutes", type=float, default=5.0, help="for all targets together")
    parser.add_argument("--only", action="append", help="a target; repeatable")
    parser.add_argument("--seed", type=int, default=0, help="another one tries something else")
    parser.add_argument("--plain", action="store_true", help="at random, even if there is atheris")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        byCoverage(options.only[0], options.minutes * 60, options.seed, options.child)
    from fuzztargets import targets

    known = list(targets())
    names = options.only or known
    if not set(names) <= set(known):
        parser.error(f"the targets are: {', '.join(known)}")
    seconds = options.minutes * 60 / len(names)
    isPlain = options.plain or importlib.util.find_spec("atheris") is None
    print(
        f"{'at random' if isPlain else 'guided by coverage'}: {len(names)} targets, {seconds:.1f} s for each",
        flush=True,
    )
    total, found = 0, 0
    for name in names:
        findings = (atRandom if isPlain else guided)(name, seconds, options.seed)
        total, found = total + findings.runs, found + len(findings.found)
        print("\n".join(report(name, findings)), flush=True)
    print(f"{total:,} runs, {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
