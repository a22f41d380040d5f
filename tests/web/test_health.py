"""Health: what a load balancer asks, by whatever name and address it has."""

from __future__ import annotations

from apirig import APIRig
from sessiondouble import FakeSession

from mediasrv import __version__


def test_ok() -> None:
    rig = APIRig()
    rig.clock.advance(3.25)
    answer = rig.ask("/-/health", peer="192.0.2.1", Host="anything.example", Via="1.1 balancer")
    assert (answer.code, answer.json()) == (200, {"status": "ok", "version": __version__, "uptime": 3.25})
    assert rig.ask("/-/health", "HEAD").code == 200
    assert rig.ask("/-/health", "POST").code == 405


def test_draining() -> None:
    """Who is here goes on; nobody is to be sent here any more."""
    rig = APIRig()
    rig.registry.add(FakeSession(rig.registry, "a"))
    rig.registry.drain()
    answer = rig.ask("/-/health")
    assert (answer.code, answer.json()["status"]) == (503, "draining")
    assert rig.ask("/-/health", "HEAD").code == 503
    rig.registry.resume()
    assert rig.ask("/-/health").json()["status"] == "ok"
