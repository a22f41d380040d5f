#!/usr/bin/env python3
"""
Measures mediasrv on this machine: all scenarios, or those named, each with a fresh server.

    python benchmarks/run.py                       everything, some 15 minutes
    python benchmarks/run.py udp tcp --repeat 3    medians of three
    python benchmarks/run.py --scale 0.05 --seconds 5
    python benchmarks/run.py peer --peer rtsp://127.0.0.1:8555/clip --peer-pid PID

Needs Linux, mediasrv installed for this Python, and two quiet cores: one for the server, one for the viewers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from typing import Any

import media
from load import LoadError
from report import table
from scenarios import SCENARIOS, Bench, Finding, asJSON
from server import ServerError

#: other processes' part of the machine, in per cent of a core, beyond which figures say little
_NOISE = 15.0
#: milliseconds between two looks of the viewers' process beyond which measured silences are its own
_AWAY = 30.0
#: seconds
_LATE = 0.5
_HEADING = ("scenario", "figure", "measured", "at most", "")


def _parser() -> argparse.ArgumentParser:
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description="Measures mediasrv on this machine.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; all without any")
    parser.add_argument("--repeat", type=int, default=1, help="run each so often and take the medians")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the viewers to use, such as 0.1")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--minutes", type=float, default=2.0, help="of the memory scenario")
    parser.add_argument("--server-core", type=int, default=cores[0] if len(cores) > 1 else None)
    parser.add_argument("--client-cores", type=_cores, default=tuple(cores[1:2]), metavar="CPU[,CPU]")
    parser.add_argument("--processes", type=int, default=1, help="processes of viewers, if one cannot keep up")
    parser.add_argument("--peer", metavar="URL", help="the clip load-720p.mp4 at another server, to compare with")
    parser.add_argument("--peer-pid", type=int, default=0, help="the other server's process, on the same machine")
    parser.add_argument("--media", default=_defaultFolder(), help="where the clips are made and kept [%(default)s]")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured there")
    return parser


def _cores(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def _defaultFolder() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "mediasrv", "benchmarks")


def measured(name: str, bench: Bench, repeat: int) -> list[Finding]:
    """The medians of a scenario's findings over several runs."""
    runs = [SCENARIOS[name](bench) for _ in range(repeat)]
    return [
        Finding(same[0].what, statistics.median(each.value for each in same), same[0].limit)
        for same in zip(*runs, strict=True)
    ]


def verdict(finding: Finding, scale: float) -> str:
    """Whether it is within its limit; with fewer viewers that says nothing."""
    if finding.limit is None or scale < 1:
        return ""
    return "yes" if finding.value <= finding.limit else "NO"


def line(name: str, finding: Finding, scale: float) -> tuple[str, ...]:
    """A finding's row of the table."""
    limit = "" if finding.limit is None else f"{finding.limit:.4g}"
    return name, finding.what, f"{finding.value:.4g}", limit, verdict(finding, scale)


def warn(bench: Bench, begin: int) -> None:
    """Says what makes the figures of a scenario doubtful."""
    for found in bench.raw[begin:]:
        others = found.get("server", {}).get("othersPercentOfMachine", 0.0)
        client = found.get("client", {}).get("busiestPercentOfCore", 0.0)
        if others > _NOISE:
            print(f"  other processes took {others:.0f} % of a core meanwhile", file=sys.stderr)
        if (late := found.get("wall", 0.0) - found.get("options", {}).get("seconds", 0.0)) > _LATE:
            print(f"  the machine stood still: the measurement ended {late:.1f} s late", file=sys.stderr)
        if (away := found.get("client", {}).get("longestAwayMilliseconds", 0.0)) > _AWAY:
            print(f"  the viewers were kept from looking for {away:.0f} ms, which counts as silence", file=sys.stderr)
        if client > 90:
            print(f"  the viewers took {client:.0f} % of a core: give --processes and cores", file=sys.stderr)
        if found.get("droppedByUs"):
            print(f"  the viewers dropped {found['droppedByUs']} packets themselves", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """
    @return: 0; 1 if a limit was passed or a scenario could not run.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if "peer" in given.scenarios and not given.peer:
        parser.error("the scenario peer needs --peer URL")
    unknown = set(given.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    if given.server_core is None:
        print("one core only: server and viewers share it, and the figures say little", file=sys.stderr)
    for clip in media.CLIPS:
        print(f"clip: {media.make(given.media, clip)}", file=sys.stderr)
    bench = Bench(
        given.media,
        given.scale,
        given.seconds,
        given.minutes,
        given.server_core,
        given.client_cores,
        given.processes,
        ((given.peer, given.peer_pid),) if given.peer else (),
    )
    lines: list[tuple[str, ...]] = []
    report: dict[str, Any] = {"machine": platform.platform(), "python": platform.python_version(), "scenarios": {}}
    failed = False
    for name in given.scenarios or [each for each in SCENARIOS if each != "peer" or given.peer]:
        begin = len(bench.raw)
        print(f"{name}: {(SCENARIOS[name].__doc__ or '').splitlines()[0]}", file=sys.stderr)
        try:
            findings = measured(name, bench, given.repeat)
        except (LoadError, ServerError, OSError) as error:
            print(f"  {error}", file=sys.stderr)
            failed = True
            continue
        warn(bench, begin)
        lines += [line(name, finding, given.scale) for finding in findings]
        report["scenarios"][name] = {"findings": [*map(asJSON, findings)], "measured": bench.raw[begin:]}
        failed = failed or any(verdict(finding, given.scale) == "NO" for finding in findings)
    if lines:
        print(table(lines, _HEADING))
    if given.json:
        with open(given.json, "w") as file:
            json.dump(report, file, indent=2)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
