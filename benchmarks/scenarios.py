"""
What is measured of mediasrv, and what is expected of it.

Each scenario is a function that takes a L{Bench} and returns findings: a figure, and its limit where it has one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import audience
from load import measure
from observing import usageOf
from options import LoadOptions
from server import Server, pinTo, running

LARGE = "load-720p.mp4"
SMALL = "load-320p.mp4"
_COPIES = 100
_RATES: dict[str, tuple[tuple[str, str], ...]] = {
    "1": (),
    "2": (("Scale", "2"),),
    "-1": (("Scale", "-1"),),
    "-1, whole groups": (("Scale", "-1"), ("Frames", "all")),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """
    @ivar what: the figure's name, with its unit.
    @ivar limit: the most that it should be; None if nothing is expected.
    """

    what: str
    value: float
    limit: float | None = None


@dataclass(slots=True)
class Bench:
    """
    Where and how things are measured.

    @ivar folder: where the clips are.
    @ivar scale: part of the viewers to use, up to 1.0.
    @ivar seconds: of each measurement.
    @ivar minutes: of the long one.
    @ivar serverCore: None for anywhere.
    @ivar clientCores: empty for anywhere.
    @ivar processes: of viewers.
    @ivar peers: URLs of the clip at another server, and the processes of these.
    @ivar raw: everything that was measured, for the JSON.
    """

    folder: str
    scale: float = 1.0
    seconds: float = 20.0
    minutes: float = 2.0
    serverCore: int | None = None
    clientCores: tuple[int, ...] = ()
    processes: int = 1
    peers: tuple[tuple[str, int], ...] = ()
    raw: list[dict[str, Any]] = field(default_factory=list)

    @contextmanager
    def server(self, settings: str = "") -> Iterator[Server]:
        """A fresh server of ours."""
        with running(self.folder, self.serverCore, settings) as server:
            yield server

    def load(self, pid: int, *urls: str, viewers: int, **options: Any) -> dict[str, Any]:
        """Measures; see L{measure}."""
        given = {"seconds": self.seconds, "rate": 100.0, **options}
        count = max(1, round(viewers * self.scale))
        found = measure(
            LoadOptions(urls, viewers=count, pid=pid, pin=self.clientCores, processes=self.processes, **given)
        )
        self.raw.append(found)
        return found

    def fill(self, server: Server, *urls: str) -> None:
        """Has a clip read from one end to the other, so that it is in the server's cache."""
        options = LoadOptions(urls, 60, seconds=3, rate=60, settle=1, spread="whole", pin=self.clientCores)
        measure(options)

    def copies(self) -> list[str]:
        """As many files as a scenario may want, all the same: paths below the folder."""
        os.makedirs(os.path.join(self.folder, "copies"), exist_ok=True)
        names = [f"copies/{number:03}.mp4" for number in range(_COPIES)]
        for name in names:
            if not os.path.exists(os.path.join(self.folder, name)):
                os.link(os.path.join(self.folder, LARGE), os.path.join(self.folder, name))
        return names


def floor(bench: Bench) -> list[Finding]:
    """What the kernel takes, with no server."""
    ways = {1: "one at a time", 20: "offload of 20"}
    found = _floors(bench)
    return [Finding(f"{ways[each['burst']]}, CPU-s/GB", each["cpuSecondsPerGB"]) for each in found.values()]


def _floors(bench: Bench) -> dict[int, dict[str, Any]]:
    """By datagrams per call what the kernel takes for each."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "floor.py")
    text = subprocess.check_output([sys.executable, script, "--json"], preexec_fn=lambda: pinTo(bench.serverCore))
    found = json.loads(text)
    bench.raw.append({"floor": found})
    return {each["burst"]: each for each in found if each["burst"] in (1, 20)}


def udp(bench: Bench) -> list[Finding]:
    """1,000 viewers over UDP, each at another place."""
    lowest = min(each["cpuSecondsPerGB"] for each in _floors(bench).values())
    with bench.server() as server:
        url = f"{server.url}/{LARGE}"
        bench.fill(server, url)
        found = bench.load(server.pid, url, viewers=1000, spread="fit")
    cost = found["server"]["cpuSecondsPerGB"]
    return [
        *_quality(found),
        Finding("server CPU-s/GB", cost, 1.6),
        Finding("server CPU / kernel's floor", cost / lowest, 2.0),
        *_furtherMemory(found),
    ]


def tcp(bench: Bench) -> list[Finding]:
    """700 viewers, interleaved in TCP."""
    with bench.server() as server:
        found = bench.load(server.pid, f"{server.url}/{LARGE}", viewers=700, spread="fit", transport="tcp")
    return [*_quality(found), Finding("server CPU-s/GB", found["server"]["cpuSecondsPerGB"], 2.0)]


def small(bench: Bench) -> list[Finding]:
    """400 viewers of 0.3 Mbit/s: few bytes, many packets."""
    lowest = _floors(bench)[1]["microsecondsPerDatagram"]
    with bench.server() as server:
        found = bench.load(server.pid, f"{server.url}/{SMALL}", viewers=400, spread="fit")
    cost = found["server"]["microsecondsPerPacket"]
    return [
        *_quality(found),
        Finding("server CPU µs/packet", cost, 10),
        Finding("server CPU / kernel's floor", cost / lowest, 2.0),
    ]


def places(bench: Bench) -> list[Finding]:
    """200 viewers of 200 places in 20 files, and a cache that cannot hold them."""
    with bench.server('cache-size = "64M"\n') as server:
        urls = [f"{server.url}/{name}" for name in bench.copies()[:20]]
        found = bench.load(server.pid, *urls, viewers=200, spread="fit", rate=20.0)
    return [*_quality(found), Finding("server CPU-s/GB", found["server"]["cpuSecondsPerGB"], 4.0)]


def first(bench: Bench) -> list[Finding]:
    """From PLAY to the first packet, from the cache and from files never opened."""
    findings = []
    with bench.server() as server:
        url = f"{server.url}/{LARGE}"
        bench.load(server.pid, url, viewers=1, seconds=1.0)
        for transport in ("udp", "tcp"):
            found = bench.load(server.pid, url, viewers=100, seconds=1.0, rate=25.0, transport=transport)
            findings += _took(found, "first", f"cached, {transport}", 1.0)
    with bench.server() as server:
        urls = [f"{server.url}/{name}" for name in bench.copies()]
        found = bench.load(server.pid, *urls, viewers=_COPIES, seconds=1.0, rate=10.0, spread="fit")
    return findings + _took(found, "first", "not cached", 60.0)


def seek(bench: Bench) -> list[Finding]:
    """From the PLAY of a seek to the first packet, in the cache and beyond it."""
    with bench.server() as server:
        url = f"{server.url}/{LARGE}"
        bench.fill(server, url)
        cached = bench.load(server.pid, url, viewers=20, seek=1.0)
    with bench.server('cache-size = "1M"\n') as server:
        urls = [f"{server.url}/{name}" for name in bench.copies()[:20]]
        beyond = bench.load(server.pid, *urls, viewers=20, seek=1.0)
    return [*_took(cached, "seek", "cached", 1.0), *_took(beyond, "seek", "not cached", 60.0)]


def rates(bench: Bench) -> list[Finding]:
    """300 viewers at twice the rate, and backwards, against as many at the ordinary one."""
    perGB: dict[str, float] = {}
    perViewer: dict[str, float] = {}
    for name, headers in _RATES.items():
        with bench.server() as server:
            url = f"{server.url}/{LARGE}"
            bench.fill(server, url)
            found = bench.load(server.pid, url, viewers=300, spread="whole", headers=headers)
        perGB[name] = found["server"]["cpuSecondsPerGB"]
        perViewer[name] = found["server"]["percentOfCore"] / found["viewers"]["playing"]
    usual, viewer = perGB.pop("1"), perViewer.pop("1")
    findings = [Finding("Scale 1, CPU-s/GB", usual)]
    for name in perGB:
        # key frames alone are so few bytes that what each viewer costs at least decides
        limit = None if name == "-1" else 1.5
        findings.append(Finding(f"Scale {name}, CPU per GB / that of Scale 1", perGB[name] / usual, limit))
        findings.append(Finding(f"Scale {name}, CPU per viewer / that of Scale 1", perViewer[name] / viewer, 3.0))
    return findings


def multicast(bench: Bench) -> list[Finding]:
    """What 100 listeners to one multicast cost, against one."""
    used, lost = [], 0
    with bench.server(audience.SETTINGS) as server:
        url = f"{server.url}/{LARGE}"
        bench.fill(server, url)
        for count in (1, 100):
            listeners = [audience.Listener(url) for _ in range(count)]
            ear = audience.Ear(listeners[0].group)
            for each in listeners:
                each.play()
            ear.count(1.0)
            before, began = usageOf(server.pid).cpu, time.monotonic()
            ear.count(min(10.0, bench.seconds))
            used.append(100 * (usageOf(server.pid).cpu - before) / (time.monotonic() - began))
            lost += ear.lost
            bench.raw.append({"listeners": count, "packets": ear.packets, "octets": ear.octets, "percent": used[-1]})
            ear.close()
            for each in listeners:
                each.close()
    return [
        Finding("1 listener, % of a core", used[0]),
        Finding("100 listeners, % of a core", used[1]),
        Finding("100 listeners in those of one", used[1] / used[0], 1.2),
        Finding("packets lost", lost, 0),
    ]


def memory(bench: Bench) -> list[Finding]:
    """A long run of 1,000 viewers: does memory grow?"""
    with bench.server() as server:
        url = f"{server.url}/{LARGE}"
        bench.fill(server, url)
        found = bench.load(server.pid, url, viewers=1000, spread="whole", seconds=60 * bench.minutes)
    used = found["server"]
    return [
        *_quality(found),
        Finding("memory at the end, MB", used["megabytes"]["end"]),
        Finding(f"grown in {bench.minutes:g} minutes, MB", used["megabytesGrown"], 0.02 * used["megabytes"]["begin"]),
    ]


def idle(bench: Bench) -> list[Finding]:
    """What a server costs that sends nothing: without viewers, and with 1,000 that are set up and wait."""
    with bench.server() as server:
        time.sleep(2)
        before, began = usageOf(server.pid), time.monotonic()
        time.sleep(min(10.0, bench.seconds))
        alone = 100 * (usageOf(server.pid).cpu - before.cpu) / (time.monotonic() - began)
        found = bench.load(server.pid, f"{server.url}/{LARGE}", viewers=1000, idle=True, seconds=bench.seconds)
    return [
        Finding("alone, % of a core", alone),
        Finding("with waiting viewers, % of a core", found["server"]["percentOfCore"]),
        *_furtherMemory(found),
    ]


def peer(bench: Bench) -> list[Finding]:
    """100 viewers of another server, and of this one right after it."""
    findings = []
    for url, pid in bench.peers:
        for transport in ("udp", "tcp"):
            theirs = bench.load(pid, url, viewers=100, transport=transport, rate=20.0)
            with bench.server() as server:
                ours = bench.load(server.pid, f"{server.url}/{LARGE}", viewers=100, transport=transport, rate=20.0)
            costs = [each["server"]["cpuSecondsPerGB"] for each in (theirs, ours) if "server" in each]
            findings += [Finding(f"{transport}: theirs, {each.what}", each.value) for each in _quality(theirs)]
            if len(costs) == 2:
                findings.append(Finding(f"{transport}: theirs, CPU-s/GB", costs[0]))
                findings.append(Finding(f"{transport}: ours, CPU-s/GB", costs[1]))
                findings.append(Finding(f"{transport}: our part of theirs", costs[1] / costs[0], 1 / 8))
    return findings


#: in the order in which they run
SCENARIOS: dict[str, Callable[[Bench], list[Finding]]] = {
    each.__name__: each for each in (floor, udp, tcp, multicast, small, places, first, seek, rates, memory, idle, peer)
}


def _quality(found: dict[str, Any]) -> list[Finding]:
    """What every viewer may expect: nothing lost, in real time, no long silence."""
    viewers = found["viewers"]
    return [
        Finding("failed viewers", viewers["failed"], 0),
        Finding("packets lost", found["lost"] - found["droppedByUs"], 0),
        Finding("viewers behind real time", viewers["slow"] + viewers["silent"], 0),
        Finding("longest silence, 99 % of viewers, ms", found["stallMilliseconds"]["p99"], 60),
    ]


def _furtherMemory(found: dict[str, Any]) -> list[Finding]:
    """What a viewer beyond the first hundred costs, if there are so many."""
    kilobytes = found["server"]["kilobytesPerFurtherViewer"]
    return [] if kilobytes is None else [Finding("memory per further viewer, KB", kilobytes, 60)]


def _took(found: dict[str, Any], name: str, where: str, limit: float) -> list[Finding]:
    times = found["milliseconds"][name]
    return [
        Finding(f"{where}: median, ms", times["p50"], limit),
        Finding(f"{where}: 99 %, ms", times["p99"]),
    ]


def asJSON(finding: Finding) -> dict[str, Any]:
    """A finding as it is written."""
    return asdict(finding)
