"""Metrics: what Prometheus understands, and figures that are right and never go back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from apirig import APIRig
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parseOpenMetrics
from prometheus_client.parser import text_string_to_metric_families as parseText
from sessiondouble import FakeSession
from twisted.internet.defer import succeed

from mediasrv import __version__

METRICS = "/-/metrics"


@pytest.fixture
def rig() -> APIRig:
    return APIRig()


def add(rig: APIRig, id: str, **values: object) -> FakeSession:
    session = FakeSession(rig.registry, id, **values)  # type: ignore[arg-type]
    rig.registry.add(session)
    return session


def figures(rig: APIRig) -> dict[tuple[str, ...], float]:
    """By name and values of labels."""
    answer = rig.ask(METRICS)
    assert answer.code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parseText(answer.body.decode())
        for sample in family.samples
    }


def test_sessions(rig: APIRig) -> None:
    before = figures(rig)
    assert before["mediasrv_sessions", "rtsp", "playing"] == before["mediasrv_sessions_started_total", "hls"] == 0
    add(rig, "a", state="playing", packetsSent=10, octetsSent=1000)
    add(rig, "b", state="playing", packetsSent=1, octetsSent=100)
    last = add(rig, "c", state="paused", door="hls", packetsSent=2, octetsSent=20)
    now = figures(rig)
    assert now["mediasrv_sessions", "rtsp", "playing"] == 2
    assert now["mediasrv_sessions", "hls", "paused"] == 1
    assert now["mediasrv_sessions_started_total", "rtsp"] == 2
    assert (now["mediasrv_sent_packets_total", "rtsp"], now["mediasrv_sent_bytes_total", "rtsp"]) == (11, 1100)
    assert (now["mediasrv_sent_packets_total", "hls"], now["mediasrv_sent_bytes_total", "hls"]) == (2, 20)
    assert now["mediasrv_sent_bytes_total", "http"] == 0
    last.octetsSent = 50
    rig.registry.remove(last)
    now = figures(rig)
    assert now["mediasrv_sessions", "hls", "paused"] == 0
    assert now["mediasrv_sessions_started_total", "hls"] == 1
    assert now["mediasrv_sent_bytes_total", "hls"] == 50


def test_theyNeverGoBack(rig: APIRig) -> None:
    """A session that drops a track has sent less than before."""
    session = add(rig, "a", octetsSent=1000)
    assert figures(rig)["mediasrv_sent_bytes_total", "rtsp"] == 1000
    session.octetsSent = 400
    assert figures(rig)["mediasrv_sent_bytes_total", "rtsp"] == 1000
    session.octetsSent = 600
    assert figures(rig)["mediasrv_sent_bytes_total", "rtsp"] == 1200
    session.octetsSent = 650
    rig.registry.remove(session)
    assert figures(rig)["mediasrv_sent_bytes_total", "rtsp"] == 1250


def test_sessionsFromBefore() -> None:
    """An application may have had them in the registry already."""
    rig = APIRig()
    add(rig, "a", octetsSent=5, door="own")
    rig.oversight = type(rig.oversight)(rig.registry, rig.clock, ["127.0.0.1"], {}, rig.oversight.search)
    rig.site = type(rig.site)(type(rig.site.resource)(rig.context, rig.oversight), reactor=rig.clock)
    now = figures(rig)
    assert now["mediasrv_sent_bytes_total", "own"] == 5
    assert now["mediasrv_sessions_started_total", "own"] == 1


def test_many(rig: APIRig) -> None:
    """They are counted a piece in each turn."""
    for number in range(1000):
        add(rig, str(number), octetsSent=2)
    wire = rig.open(METRICS)
    assert wire.value() == b""
    rig.clock.advance(0)
    assert b'mediasrv_sent_bytes_total{door="rtsp"} 2000.0' in wire.value()


def test_caches(rig: APIRig) -> None:
    class Value:
        size = 1000

    rig.cache.get("a", lambda: succeed(Value()))
    rig.cache.get("a", lambda: succeed(Value()))
    rig.cache.get("a", lambda: succeed(Value()))
    rig.oversight.figures.caches["hls"] = type(rig.cache)(7)
    now = figures(rig)
    assert now["mediasrv_cache_size_bytes", "fragments"] == 1000
    assert now["mediasrv_cache_limit_bytes", "fragments"] == 1 << 20
    assert (now["mediasrv_cache_hits_total", "fragments"], now["mediasrv_cache_misses_total", "fragments"]) == (2, 1)
    assert now["mediasrv_cache_limit_bytes", "hls"] == 7


def test_service(rig: APIRig) -> None:
    rig.clock.advance(12.5)
    now = figures(rig)
    assert now["mediasrv_uptime_seconds",] == 12.5
    assert now["mediasrv_build_info", __version__] == 1
    assert now["mediasrv_draining",] == 0
    assert now["process_cpu_seconds_total",] > 0
    assert ("python_gc_collections_total", "0") in now
    rig.registry.drain()
    assert figures(rig)["mediasrv_draining",] == 1


def test_listeners(rig: APIRig) -> None:
    wires = [rig.open("/-/api/sessions/events") for _ in range(3)]
    assert figures(rig)["mediasrv_event_listeners",] == 3
    wires[0].lose()
    assert figures(rig)["mediasrv_event_listeners",] == 2


def test_documented(rig: APIRig) -> None:
    """docs/api.rst lists each of ours."""
    text = (Path(__file__).parents[2] / "docs" / "api.rst").read_text()
    listed = set(re.findall(r"^``(mediasrv_[a-z_]+)``", text, re.M))
    families = {family.name for family in parseText(rig.ask(METRICS).body.decode())}
    assert {each.removesuffix("_info") for each in families if each.startswith("mediasrv_")} == listed


def test_openMetrics(rig: APIRig) -> None:
    """Prometheus itself prefers it."""
    add(rig, "a", octetsSent=5)
    answer = rig.ask(METRICS, Accept="application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in parseOpenMetrics(answer.body.decode())}
    assert families["mediasrv_sent_bytes"].samples[-1].value == 5


def test_names(rig: APIRig) -> None:
    """Prometheus' conventions: a prefix, base units, _total for what is counted, help for all."""
    families = list(parseText(rig.ask(METRICS).body.decode()))
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert family.documentation
        assert family.name.startswith(("mediasrv_", "process_", "python_"))
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)


def test_twoServices() -> None:
    """Of one process, each with its own figures."""
    one, two = APIRig(), APIRig()
    add(one, "a")
    assert figures(one)["mediasrv_sessions_started_total", "rtsp"] == 1
    assert figures(two)["mediasrv_sessions_started_total", "rtsp"] == 0


def test_whoMayRead(rig: APIRig) -> None:
    assert rig.ask(METRICS, peer="192.0.2.1").code == 403
    assert rig.ask(METRICS, Host="evil.example").code == 403
    assert rig.ask(METRICS, "POST").code == 405
    answer = rig.ask(METRICS, "HEAD")
    assert (answer.code, answer.body) == (200, b"")
    assert answer.headers["content-type"].startswith("text/plain")
