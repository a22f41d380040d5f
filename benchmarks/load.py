#!/usr/bin/env python3
"""
Loads an RTSP server with viewers and measures what they get and what it costs: any server, over UDP or interleaved.

    python benchmarks/load.py --viewers 100 --seconds 20 --pid SERVER_PID --pin 1 rtsp://127.0.0.1:8554/movies/film.mp4

Every RTP packet is counted. With C{--pid} the server's CPU time, memory, threads and descriptors are measured too,
which needs it to run on this machine, best on a core of its own (C{taskset -c 0 twistd …}). Linux only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

from crowd import runCrowd
from observing import Usage, machineBusy, usageOf
from options import LoadOptions
from report import figures, rows, serverFigures, table


class LoadError(Exception):
    """A run that came to nothing."""


def measure(options: LoadOptions) -> dict[str, Any]:
    """
    Runs the load, which takes C{viewers / rate + 2 * settle + seconds} and a little.

    @return: see L{figures}; under C{server}, L{serverFigures}.
    @raise LoadError: if the viewers' processes end, or nobody plays.
    @raise ProcessLookupError: if there is no process C{pid}.
    """
    context = multiprocessing.get_context("fork")
    pipes: list[Connection] = []
    processes = []
    for number in range(options.processes):
        ours, theirs = context.Pipe()
        pipes.append(ours)
        processes.append(context.Process(target=runCrowd, args=(options, number, theirs), daemon=True))
        processes[-1].start()
        theirs.close()
    try:
        return _measure(options, pipes)
    except (EOFError, BrokenPipeError):
        raise LoadError("a process of viewers ended") from None
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _measure(options: LoadOptions, pipes: list[Connection]) -> dict[str, Any]:
    stages = [_usage(options)]
    baseline = min(options.baseline, options.viewers)
    for count in (baseline, options.viewers - baseline):
        if count:
            _start(pipes, count)
            time.sleep(options.settle)
        stages.append(_usage(options))
    busy = machineBusy()
    stages[-1] = _usage(options)
    _sendAll(pipes, "mark")
    samples = _watchMemory(options)
    stages.append(_usage(options))
    busy = machineBusy() - busy
    _sendAll(pipes, "finish")
    found = figures(options, [pipe.recv() for pipe in pipes])
    if not found["viewers"]["playing"] and not found["viewers"]["idle"]:
        raise LoadError(f"nobody plays: {'; '.join(found['viewers']['errors'])}")
    if options.pid:
        found["server"] = serverFigures(options, found, stages, samples, busy)
    return found


def _start(pipes: list[Connection], count: int) -> None:
    """Returns when they play."""
    shares = [len(range(number, count, len(pipes))) for number in range(len(pipes))]
    for pipe, share in zip(pipes, shares, strict=True):
        pipe.send(("start", share))
    for pipe in pipes:
        pipe.recv()


def _sendAll(pipes: list[Connection], command: str) -> None:
    for pipe in pipes:
        pipe.send((command,))


def _usage(options: LoadOptions) -> Usage:
    return usageOf(options.pid) if options.pid else Usage()


def _watchMemory(options: LoadOptions) -> list[int]:
    samples = []
    end = time.monotonic() + options.seconds
    while (left := end - time.monotonic()) > 0:
        if options.pid:
            samples.append(usageOf(options.pid).memory)
        time.sleep(min(1.0, left))
    return samples


def _parser() -> argparse.ArgumentParser:
    default = LoadOptions(urls=())
    parser = argparse.ArgumentParser(description="Loads an RTSP server with viewers and counts what they get.")
    parser.add_argument("urls", nargs="+", metavar="URL", help="rtsp://…; several are dealt out to the viewers in turn")
    parser.add_argument("--viewers", type=int, default=default.viewers)
    parser.add_argument("--transport", choices=("udp", "tcp"), default=default.transport)
    parser.add_argument("--seconds", type=float, default=default.seconds, help="how long to measure")
    parser.add_argument("--rate", type=float, default=default.rate, help="viewers started per second")
    parser.add_argument("--settle", type=float, default=default.settle, help="seconds to wait before measuring")
    parser.add_argument(
        "--baseline", type=int, default=default.baseline, help="memory per viewer counts beyond so many"
    )
    parser.add_argument("--pid", type=int, default=0, help="the server's process, to measure what it uses")
    parser.add_argument("--pin", type=_cores, default=(), metavar="CPU[,CPU]", help="cores for the viewers' processes")
    parser.add_argument("--processes", type=int, default=1, help="processes of viewers, if one cannot keep up")
    spread = parser.add_mutually_exclusive_group()
    spread.add_argument(
        "--spread",
        action="store_const",
        const="fit",
        default="",
        help="start each viewer at another place, such that nobody comes to the end if the clip is long enough",
    )
    spread.add_argument(
        "--spread-whole",
        action="store_const",
        const="whole",
        dest="spread",
        default="",
        help="start each viewer anywhere in the clip; at its end a viewer starts again",
    )
    parser.add_argument("--seek", type=float, default=0.0, metavar="SECONDS", help="each viewer seeks so often")
    parser.add_argument("--idle", action="store_true", help="only set up, never play")
    parser.add_argument(
        "--header",
        action="append",
        type=_header,
        default=[],
        metavar="NAME:VALUE",
        help="say this in PLAY, such as Scale:2; may be repeated",
    )
    parser.add_argument("--sockets", choices=("auto", "shared", "own"), default="auto", help="UDP ports of the viewers")
    parser.add_argument(
        "--json", metavar="FILE", help="write the figures there; - for standard output, without a table"
    )
    return parser


def _cores(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no header")
    return name.strip(), value.strip()


def main(arguments: list[str]) -> int:
    """
    @return: 0; 1 if nothing could be measured; 3 if some viewers failed.
    """
    given = vars(_parser().parse_args(arguments))
    output = given.pop("json")
    given["headers"] = tuple(given.pop("header"))
    try:
        found = measure(LoadOptions(**{**given, "urls": tuple(given["urls"])}))
    except (LoadError, OSError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    if output == "-":
        print(json.dumps(found, indent=2))
    else:
        print(table(rows({name: value for name, value in found.items() if name != "options"})))
        if output:
            with open(output, "w") as file:
                json.dump(found, file, indent=2)
    if found["client"]["busiestPercentOfCore"] > 90:
        print("load: the viewers themselves used up a core: give --processes and more cores", file=sys.stderr)
    return 3 if found["viewers"]["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
