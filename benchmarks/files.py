#!/usr/bin/env python3
"""
Compares what it costs to send files over HTTP with what nginx takes for the same, on the same core, in turn.

    python benchmarks/files.py
    python benchmarks/files.py ranges --repeat 9 --seconds 1 --json files.json

C{whole} fetches 400 MB over one connection, C{ranges} 500 KB at random places over 50. What counts are bytes per CPU
second of the server. The file is in memory: that is about servers, not about disks. Needs Linux, mediasrv installed for
this Python, nginx, and two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
from dataclasses import asdict, replace
from typing import Any

import nginx
from fetching import Fetched, FetchError, Fetching, runFetching
from observing import usageOf
from report import table
from server import Server, ServerError, freePort, running

_NAME = "fetch-400MB.bin"
_SIZE = 400_000_000
_BLOCK = 1_000_000
#: the least part of nginx's bytes per CPU second
_LEAST = 0.8

SCENARIOS = {
    "whole": Fetching("", _SIZE),
    "ranges": Fetching("", _SIZE, connections=50, range=500_000),
}
_HEADING = ("scenario", "server", "MB/s", "GB/CPU-s", "CPU µs/answer", "CPU %")


def makeFile(folder: str, name: str = _NAME, size: int = _SIZE) -> str:
    """The file to fetch; made if it is not there, and read so that it is in memory."""
    path = os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(path) or os.path.getsize(path) != size:
        with open(path, "wb") as file:
            for start in range(0, size, _BLOCK):
                file.write(os.urandom(min(_BLOCK, size - start)))
    with open(path, "rb") as file:
        while file.read(_BLOCK):
            pass
    return path


def measure(fetching: Fetching, server: Server) -> dict[str, float]:
    """
    Fetches from a server.

    @raise FetchError: if something else comes of it.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    client = context.Process(target=runFetching, args=(fetching, theirs), daemon=True)
    before = usageOf(server.pid).cpu
    client.start()
    try:
        found = ours.recv()
        cpu = usageOf(server.pid).cpu - before
    finally:
        client.terminate()
        client.join()
    if not isinstance(found, Fetched):
        raise FetchError(found)
    return {**asdict(found), "cpu": cpu, "octetsPerCPUSecond": found.octets / cpu}


def compare(fetching: Fetching, servers: dict[str, Server], repeat: int) -> dict[str, list[dict[str, float]]]:
    """
    Measures servers in turn, after a short run that warms each up.

    @param servers: by name; their URLs are those of folders that have the file.
    """
    results: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    for number in range(-1, repeat):
        for name, server in servers.items():
            this = replace(fetching, url=f"{server.url}/{_NAME}")
            if number < 0:
                measure(replace(this, seconds=min(0.3, this.seconds)), server)
            else:
                results[name].append(measure(this, server))
    return results


def line(scenario: str, name: str, runs: list[dict[str, float]]) -> tuple[str, ...]:
    """A server's row of the table: medians."""
    speed = statistics.median(run["octets"] / run["seconds"] for run in runs)
    efficiency = statistics.median(run["octetsPerCPUSecond"] for run in runs)
    perAnswer = statistics.median(run["cpu"] / max(1.0, run["answers"]) for run in runs)
    percent = statistics.median(100 * run["cpu"] / run["seconds"] for run in runs)
    return (
        scenario,
        name,
        f"{speed / 1e6:.0f}",
        f"{efficiency / 1e9:.2f}",
        f"{perAnswer * 1e6:.0f}",
        f"{percent:.0f}",
    )


def partOf(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> float:
    """The median of our part of their bytes per CPU second, run by run: what disturbs one disturbs its neighbour."""
    return statistics.median(
        mine["octetsPerCPUSecond"] / their["octetsPerCPUSecond"] for mine, their in zip(ours, theirs, strict=True)
    )


def _parser() -> argparse.ArgumentParser:
    cores = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description="Compares sending files over HTTP with nginx.")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; all without any")
    parser.add_argument("--repeat", type=int, default=7, help="measure each so often in turn [%(default)s]")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measurement [%(default)s]")
    parser.add_argument("--server-core", type=int, default=cores[0] if len(cores) > 1 else None)
    parser.add_argument("--client-core", type=int, default=cores[1] if len(cores) > 1 else None)
    parser.add_argument("--media", default=_defaultFolder(), help="where the file is made and kept [%(default)s]")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured there")
    return parser


def _defaultFolder() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "mediasrv", "benchmarks")


def run(given: argparse.Namespace, names: list[str]) -> dict[str, Any]:
    """
    All that was asked for.

    @raise ServerError: if a server does not start.
    @raise FetchError: if one does not answer as it should.
    """
    port = freePort()
    settings = f'http = "tcp:{port}:interface=127.0.0.1:backlog=1024"\n'
    with (
        running(given.media, given.server_core, settings) as ours,
        nginx.running(given.media, given.server_core) as theirs,
    ):
        servers = {"mediasrv": Server(f"http://127.0.0.1:{port}/load", ours.pid), "nginx": theirs}
        return {
            name: compare(
                replace(SCENARIOS[name], seconds=given.seconds, core=given.client_core), servers, given.repeat
            )
            for name in names
        }


def main(arguments: list[str]) -> int:
    """
    @return: 0; 1 if we have less than we should of nginx's bytes per CPU second, or nothing could be measured.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    names = given.scenarios or list(SCENARIOS)
    if unknown := set(names) - set(SCENARIOS):
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    makeFile(given.media)
    try:
        found = run(given, names)
    except (ServerError, FetchError, OSError) as error:
        print(f"files: {error}", file=sys.stderr)
        return 1
    print(
        table(
            [line(name, server, runs) for name, results in found.items() for server, runs in results.items()], _HEADING
        )
    )
    parts = {name: partOf(results["mediasrv"], results["nginx"]) for name, results in found.items()}
    for name, part in parts.items():
        verdict = "yes" if part >= _LEAST else "NO"
        print(f"{name}: {part:.2f} of nginx's bytes per CPU second; at least {_LEAST}: {verdict}")
    if given.json:
        with open(given.json, "w") as file:
            json.dump({"parts": parts, "measured": found}, file, indent=2)
    return int(any(part < _LEAST for part in parts.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
