"""
What a load run is to do.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """
    @ivar urls: what is watched; viewers are dealt out to them in turn.
    @ivar transport: C{udp} or C{tcp} (interleaved).
    @ivar seconds: of the measurement.
    @ivar rate: viewers started per second.
    @ivar settle: seconds between the last viewer's first packet and the measurement.
    @ivar baseline: so many viewers are started first; memory per viewer counts from there.
    @ivar pid: the server's process, or 0: then only what arrives is measured.
    @ivar pin: the cores of the processes of viewers; empty for any.
    @ivar processes: of viewers.
    @ivar spread: where viewers start: each at the beginning (empty), each at another place so that nobody comes to the
        end before the measurement does (C{fit}, if the clip is long enough), or anywhere (C{whole}). At the end a
        viewer starts again.
    @ivar seek: seconds between two seeks of a viewer; 0.0 for none.
    @ivar idle: whether viewers only SETUP.
    @ivar sockets: C{shared} UDP ports for all viewers, C{own} ones for each, or C{auto}: shared where SETUP replies
        name the SSRC by which packets are told apart.
    @ivar headers: what a PLAY says besides, as names and values.
    """

    urls: tuple[str, ...]
    viewers: int = 1
    transport: str = "udp"
    seconds: float = 20.0
    rate: float = 50.0
    settle: float = 2.0
    baseline: int = 100
    pid: int = 0
    pin: tuple[int, ...] = ()
    processes: int = 1
    spread: str = ""
    seek: float = 0.0
    idle: bool = False
    sockets: str = "auto"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def isBackwards(self) -> bool:
        """Whether viewers ask for a negative Scale."""
        return any(name.lower() == "scale" and value.strip().startswith("-") for name, value in self.headers)
