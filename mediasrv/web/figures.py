"""
Figures for Prometheus, by its conventions of names and units (https://prometheus.io/docs/practices/naming/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sized
from typing import Protocol

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from twisted.internet.interfaces import IReactorTime

from mediasrv import __version__
from mediasrv.registry import Registry
from mediasrv.web.spreading import inTurns
from mediasrv.web.totals import Totals

#: doors that have figures before anybody came through them: a rate begins with the first one
_DOORS = ("rtsp", "hls", "http")


class CacheFigures(Protocol):
    """As L{mediasrv.media.cache.Cache} has them: bytes, and how often."""

    limit: int
    size: int
    hits: int
    misses: int


class Figures(Collector):
    """
    The figures of one service, and of the process that it is in.

    @ivar caches: by the names that they have there; those of more doors may be put in.
    """

    def __init__(
        self,
        registry: Registry,
        reactor: IReactorTime,
        caches: Mapping[str, CacheFigures],
        listeners: Sized = (),
    ) -> None:
        """
        @param listeners: those who follow the sessions.
        """
        self._listeners = listeners
        self.caches = dict(caches)
        self._registry = registry
        self._reactor = reactor
        self._startedAt = reactor.seconds()
        self._totals = Totals(registry)
        #: sessions by door and state; zero for what was once
        self._states: Counter[tuple[str, str]] = Counter({(door, "playing"): 0 for door in _DOORS})
        # not the one that all of a process share: an application may have several services, and figures of its own
        self._collectors = CollectorRegistry()
        self._collectors.register(self)
        ProcessCollector(registry=self._collectors)
        PlatformCollector(registry=self._collectors)
        GCCollector(registry=self._collectors)

    @property
    def uptime(self) -> float:
        """Seconds since it was made."""
        return max(0.0, self._reactor.seconds() - self._startedAt)

    async def written(self, accept: str) -> tuple[bytes, str]:
        """
        All figures of now.

        @param accept: the Accept header of who asks.
        @return: the text, and its Content-Type.
        """
        states: Counter[tuple[str, str]] = Counter(dict.fromkeys(self._states, 0))
        async for piece in inTurns(self._reactor, list(self._registry)):
            for session in piece:
                states[session.door, session.state] += 1
                self._totals.look(session)
        self._states = states
        encode, contentType = choose_encoder(accept)
        return encode(self._collectors), contentType

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client."""
        yield InfoMetricFamily("mediasrv_build", "The version of the server.", {"version": __version__})
        yield _gauge("mediasrv_uptime_seconds", "Since the service was made.", self.uptime)
        yield _gauge("mediasrv_draining", "1 while the server is being emptied, else 0.", self._registry.isDraining)
        yield _gauge("mediasrv_event_listeners", "Who follows the sessions.", len(self._listeners))
        yield _gauge("mediasrv_sessions_limit", "Most sessions at a time; 0 is no limit.", self._registry.limit)
        yield from self._collectSessions()
        yield from self._collectCaches()

    def _collectSessions(self) -> Iterator[Metric]:
        sessions = GaugeMetricFamily("mediasrv_sessions", "Sessions that there are.", labels=("door", "state"))
        for labels, count in sorted(self._states.items()):
            sessions.add_metric(labels, count)
        yield sessions
        totals = self._totals
        for name, meaning, counts in (
            ("mediasrv_sessions_started", "Sessions that ever began.", totals.sessions),
            ("mediasrv_sent_packets", "RTP packets sent, or requests for media answered.", totals.packets),
            ("mediasrv_sent_bytes", "Bytes of media sent.", totals.octets),
        ):
            yield _counter(name, meaning, "door", {**dict.fromkeys(_DOORS, 0), **counts})

    def _collectCaches(self) -> Iterator[Metric]:
        caches = self.caches
        for name, meaning, sizes in (
            ("mediasrv_cache_size_bytes", "Memory that a cache takes.", {key: caches[key].size for key in caches}),
            ("mediasrv_cache_limit_bytes", "Memory that it may take.", {key: caches[key].limit for key in caches}),
        ):
            gauge = GaugeMetricFamily(name, meaning, labels=("cache",))
            for key, size in sizes.items():
                gauge.add_metric((key,), size)
            yield gauge
        hits, misses = {key: caches[key].hits for key in caches}, {key: caches[key].misses for key in caches}
        yield _counter("mediasrv_cache_hits", "How often a cache had what was wanted.", "cache", hits)
        yield _counter("mediasrv_cache_misses", "How often it had to be made.", "cache", misses)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _counter(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, meaning, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value,), count)
    return family
