"""
The command line: C{python -m mediasrv.conform rtsp://HOST:PORT/PATH}.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import mediasrv.conform.checks  # noqa: F401  registers them
from mediasrv.conform import report
from mediasrv.conform.grading import CHECKS, Check, Outcome, Result
from mediasrv.conform.probing import Subject, Unreachable, examine, splitURL
from mediasrv.conform.running import Round

_TRANSPORTS = {"udp": ("udp",), "tcp": ("tcp",), "both": ("udp", "tcp")}


def _url(text: str) -> str:
    try:
        splitURL(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.5 <= seconds <= 60:
        raise argparse.ArgumentTypeError("0.5 to 60 seconds")
    return seconds


def _jobs(text: str) -> int:
    jobs = int(text)
    if not 1 <= jobs <= 16:
        raise argparse.ArgumentTypeError("1 to 16")
    return jobs


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m mediasrv.conform",
        description="Asks an RTSP server whether it does what RFC 2326 demands, and what players need.",
        epilog="Exit status: 0 if nothing failed that a server must do, 1 if something did, 2 if it could not tell.",
    )
    parser.add_argument("url", type=_url, help="a presentation, best on demand, of 10 s or more, with two tracks")
    parser.add_argument("--transport", choices=_TRANSPORTS, default="both", help="of media [both]")
    parser.add_argument("--only", metavar="ID,…", help="requirements, sections or checks: PLY-2,RTP,pauseStops")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write everything there as well")
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=5.0, help="of silence that fail [5]")
    parser.add_argument("--jobs", metavar="N", type=_jobs, default=1, help="checks that are asked at once [1]")
    parser.add_argument("--verbose", action="store_true", help="sources, and the dialogues of what failed")
    parser.add_argument("--ascii", action="store_true", help="no signs beyond ASCII")
    return parser.parse_args(arguments)


def _chosen(only: str | None) -> list[Check]:
    if only is None:
        return CHECKS
    names = {name.strip() for name in only.split(",") if name.strip()}
    return [check for check in CHECKS if check.isNamed(names)]


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Runs the checks and prints what they say.

    @return: the exit status.
    """
    options = _arguments(arguments)
    checks = _chosen(options.only)
    if not checks:
        print(f"no check is called {options.only}", file=sys.stderr)
        return 2
    transports = _TRANSPORTS[options.transport]
    try:
        subject = examine(options.url, options.timeout, transports[-1])
    except Unreachable as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    asked = Round(subject, transports, options.timeout)
    results = _progress(asked.run(checks, options.jobs))
    seconds = time.monotonic() - began
    for line in _header(subject, transports, seconds):
        print(line)
    for line in report.table(results, ascii=options.ascii or not _says("✓ ✗ – …"), verbose=options.verbose):
        print(line)
    print()
    for line in report.summary(results):
        print(line)
    if options.json is not None:
        try:
            options.json.write_text(json.dumps(_everything(subject, results, seconds), indent=1) + "\n")
        except OSError as error:
            print(f"{options.json}: {error.strerror}", file=sys.stderr)
            return 2
    if asked.gone.is_set():
        print("the server stopped answering, and what came after that was not asked", file=sys.stderr)
        return 2
    return report.status(results)


def _says(text: str) -> bool:
    """Whether standard output can say this."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _progress(results: Iterable[Result]) -> list[Result]:
    """Shows on a terminal what is being waited for."""
    collected = []
    for result in results:
        collected.append(result)
        if sys.stderr.isatty():
            print(f"\r{len(collected):4} {result.check.requirements[0]:<16}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r" + " " * 24 + "\r", end="", file=sys.stderr)
    return collected


def _header(subject: Subject, transports: Sequence[str], seconds: float) -> list[str]:
    kinds = ", ".join(track.section.kind for track in subject.tracks)
    length = "live, or of unknown length" if subject.duration is None else f"{subject.duration:g} s"
    return [
        f"{subject.url} ({kinds}; {length})",
        f"Server: {subject.server or '(does not say)'}; media over {' and '.join(transports)}; took {seconds:.0f} s",
    ]


def _everything(subject: Subject, results: Sequence[Result], seconds: float) -> dict[str, object]:
    return {
        "url": subject.url,
        "server": subject.server,
        "duration": subject.duration,
        "tracks": [track.section.kind for track in subject.tracks],
        "seconds": round(seconds, 3),
        "passed": sum(result.outcome is Outcome.PASSED for result in results),
        "failed": sum(result.outcome is Outcome.FAILED for result in results),
        "results": [result.asDictionary() for result in results],
    }


if __name__ == "__main__":
    sys.exit(main())
