"""
The media server as one Twisted service: everything is made and put together here, and nowhere else.
"""

from __future__ import annotations

import os
import socket
import time
from ipaddress import IPv4Network
from typing import Any, cast

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredLock, gatherResults
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.web.resource import IResource

from mediasrv.interfaces import IMediaLocator
from mediasrv.locating import RedirectTable
from mediasrv.media.cache import Cache
from mediasrv.media.library import Library
from mediasrv.media.stillcache import StillCache
from mediasrv.media.stillmaker import StillMaker
from mediasrv.media.subtitlereader import SubtitleReader
from mediasrv.readers import Readers
from mediasrv.registry import Registry
from mediasrv.rtp.bursts import BurstPlan, PacketFragment
from mediasrv.rtp.datagrams import DatagramPair
from mediasrv.rtp.multicast import GroupPool, Multicast
from mediasrv.rtp.portpairs import PortsTaken
from mediasrv.rtsp.front import RTSPFactory
from mediasrv.rtsp.orders import PlayRules, Queueing
from mediasrv.rtsp.origins import Origins
from mediasrv.rtsp.parser import Limits
from mediasrv.rtsp.site import RTSPSite
from mediasrv.rtsp.tunnel import Tunnels
from mediasrv.sessionlog import SessionLog
from mediasrv.settings import Settings
from mediasrv.streaming.broadcasts import Broadcasts
from mediasrv.streaming.fmp4.registry import packages
from mediasrv.streaming.loader import FragmentLoader
from mediasrv.streaming.ondemand import OnDemand, carriesTrack, continuesTrack
from mediasrv.streaming.pacer import Pacer
from mediasrv.web.addresses import Addresses, RTSPPort, settledPort
from mediasrv.web.context import WebContext
from mediasrv.web.door import WebDoor
from mediasrv.web.front import WebFactory, WebSite
from mediasrv.web.root import Root
from mediasrv.web.websocket import WebSocketResource

#: threads that make pictures of films; those who play need the others meanwhile
_PAINTERS = 2


class MediaService(MultiService):
    """
    A media server. It listens on UDP by itself; what it serves over TCP are factories for endpoints of your own.

    @ivar settings: as given.
    @ivar registry: all sessions.
    @ivar library: the folders.
    @ivar publishedPort: the port of RTSP that web clients are told, where the settings do not know it: the system chose
        it, or something in front of it has another. For who listens to set.
    """

    _log = Logger()

    def __init__(self, settings: Settings, reactor: Any = None, locator: IMediaLocator | None = None) -> None:
        """
        @param reactor: the running one if left out.
        @param locator: the application's own, asked before C{redirects} of the settings.
        """
        super().__init__()
        if reactor is None:
            from twisted.internet import reactor
        self._reactor = reactor
        self.settings = settings
        self.registry = Registry(settings.maxSessions, settings.maxSessionsPerPeer, reactor)
        SessionLog(self.registry)
        self.publishedPort: RTSPPort | None = None
        self._readers = Readers(0, settings.readers, name="mediasrv readers")
        self._openers = Readers(0, settings.readers, name="mediasrv openers")
        self.library = Library(
            settings.media,
            carriesTrack,
            self._readers,
            reactor,
            settings.fragmentDuration,
            settings.openFiles,
            settings.hiddenFiles,
            self._openers,
            lambda track, unit: packages(track.codec),
            continuesTrack,
        )
        self._cache: Cache[PacketFragment] = Cache(settings.cacheSize)
        self._pacer = Pacer(reactor, settings.tick, time.monotonic)
        loader = FragmentLoader(self.library, self._cache, self._readers, reactor)
        plan = BurstPlan(settings.payloadSize, settings.burst, settings.tick)
        self._onDemand = OnDemand(self.library, loader, self._pacer, plan)
        self._pairs: dict[bool, DatagramPair | None] = {}
        self._multicast: Multicast | None = None
        self._site = RTSPSite(
            self._onDemand,
            self.registry,
            self._pairFor,
            reactor,
            settings.serverName,
            settings.sessionTimeout,
            settings.idleTimeout,
            settings.maxConnectionsPerPeer,
            Limits(requestLine=settings.maxHeaderSize, head=settings.maxHeaderSize, body=settings.maxBodySize),
            PlayRules(
                settings.maxScale,
                settings.maxSpeed,
                cast(Queueing, settings.queueing),
                settings.maxQueuedPlays,
            ),
            settings.handshakeTimeout,
            locators=_locators(locator, settings),
        )
        self._origins = Origins(settings.allowedOrigins)
        self._tunnels = Tunnels(self._site, self._origins)
        self._door = self._makeDoor()
        self._stopping = DeferredLock()

    @property
    def rtpPort(self) -> int:
        """The first of the UDP ports, once the service runs."""
        pair = self._pairs.get(False)
        return pair.port if pair is not None else 0

    def rtspFactory(self) -> RTSPFactory:
        """A factory for an endpoint that takes RTSP, also in HTTP."""
        return RTSPFactory(self._site, self._tunnels)

    def webFactory(self) -> WebFactory:
        """A factory for an endpoint that takes HTTP: L{webResource}, and RTSP in HTTP."""
        pages = WebSite(self.webResource(), timeout=self.settings.idleTimeout, reactor=self._reactor)
        return WebFactory(pages, self._site, self._tunnels)

    def webResource(self) -> IResource:
        """
        A resource for a site of your own. It has RTSP over WebSocket; not RTSP in HTTP, whose requests do not end, for
        which L{webFactory} is.
        """
        return Root(self._door, WebSocketResource(self._site, self._origins))

    def _makeDoor(self) -> WebDoor:
        settings = self.settings
        self._painters = Readers(0, _PAINTERS, name="mediasrv painters")
        stills = StillCache(os.path.join(settings.cacheFolder, "stills"), settings.stillsSize)
        context = WebContext(
            self._reactor,
            settings,
            self.library,
            self.registry,
            self._readers,
            Addresses.of(settings, lambda: self.publishedPort or settledPort(settings)),
            self._onDemand.describe,
            StillMaker(stills, self._painters, self._readers, self._reactor, _PAINTERS),
            SubtitleReader(self.library, self._readers, self._painters, self._reactor),
        )
        return WebDoor(context, {"media": self._cache}, self._openers)

    def privilegedStartService(self) -> None:
        """Binds the UDP ports, which may need rights that the process gives up afterwards."""
        self._bind()
        super().privilegedStartService()

    def startService(self) -> None:
        """
        @raise PortsTaken: if the UDP ports are in use.
        """
        self._bind()
        self.registry.resume()  # it may have been emptied when it was stopped
        self._readers.start()
        self._openers.start()
        self._painters.start()
        self._door.start()
        self._site.start()
        super().startService()

    def _bind(self) -> None:
        if False not in self._pairs:
            pair = self._open(socket.AF_INET, self.settings.rtpPort)
            if self.settings.multicast:
                self._openMulticast(pair)

    def _open(self, family: socket.AddressFamily, port: int) -> DatagramPair:
        pair = DatagramPair(self._reactor, family, port)
        self._pairs[family == socket.AF_INET6] = pair
        self._pacer.shared.append(pair)
        return pair

    def _openMulticast(self, pair: DatagramPair) -> None:
        settings = self.settings
        pool = GroupPool(IPv4Network(settings.multicast), settings.multicastPort, settings.multicastTTL)
        try:
            self._multicast = Multicast(self._reactor, pair, pool, settings.multicastInterface)
        except OSError as error:
            self._log.warn(
                "no multicast through {interface}: {reason}", interface=settings.multicastInterface, reason=error
            )
            return
        self._site.broadcasts = Broadcasts(self._onDemand, self._multicast)

    def _pairFor(self, version6: bool) -> DatagramPair | None:
        """The UDP ports of an address family. Those for IPv6 are opened for the first client that comes over it."""
        if version6 not in self._pairs:
            try:
                self._open(socket.AF_INET6, self.rtpPort)
            except (PortsTaken, OSError) as error:
                self._log.warn("no RTP over UDP for clients on IPv6: {reason}", reason=error)
                self._pairs[True] = None
        return self._pairs.get(version6)

    def stopService(self) -> Deferred[Any]:
        """
        Ends all sessions and gives ports, threads and files back: at once, or when the sessions have had C{drainTime}
        of the settings to end by themselves.
        """
        # first of all nobody new is let in: what listens are children of this service
        listening = super().stopService()
        # by turns: an application may stop it, and have it among what stops with the reactor
        return gatherResults([listening, self._stopping.run(lambda: Deferred.fromCoroutine(self._stop()))])

    async def _stop(self) -> None:
        if self.settings.drainTime and len(self.registry):
            await self.registry.drain(self.settings.drainLocation or None, self.settings.drainTime)
        await self._stopNow()

    def _stopNow(self) -> Deferred[Any]:
        self._site.stop()
        self._door.stop()
        self._pacer.stop()
        closing = [pair.close() for pair in self._pairs.values() if pair is not None]
        self._pairs.clear()
        self._pacer.shared.clear()
        if self._multicast is not None:
            closing.append(self._multicast.close())
            self._multicast = self._site.broadcasts = None
        return gatherResults([*closing, Deferred.fromCoroutine(self._stopReaders())])

    async def _stopReaders(self) -> None:
        """Waits for the reads under way, without holding the reactor."""
        for pool in (self._painters, self._openers, self._readers):
            if pool.started:
                await deferToThread(pool.stop)
        self.library.close()
        self._cache.clear()


def _locators(own: IMediaLocator | None, settings: Settings) -> list[IMediaLocator]:
    """Who is asked where a presentation is, in this order."""
    found = [] if own is None else [own]
    return [*found, RedirectTable(settings.redirects)] if settings.redirects else found
