"""Control's end of the link: snapshots to every gateway, usage and events from them.

A gateway that connects gets the newest snapshot at once; one that reads slowly skips those
that have become old meanwhile. `settled` is what makes stopping a worker safe: once every
gateway has applied the snapshot without it, nobody sends it anything new.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from typing import TYPE_CHECKING, Any

from parkade.apps import link, linkcalls, snapshots
from parkade.apps.control.monitor.collector import Report

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from parkade.apps.control.targets import TargetDesk

#: Seconds after which `settled` returns though a gateway has not answered.
SETTLE_LIMIT = 1.0

logger = logging.getLogger(__name__)


class _Peer:
    """One connected gateway."""

    def __init__(self, name: str, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self.writer = writer
        self.applied = 0
        self.news = asyncio.Event()


class LinkServer:
    """Serves the link on a listening unix socket, to any number of gateways."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        on_usage: Callable[[str, link.UsageReport], None],
        on_gone: Callable[[str], None],
        on_event: Callable[[link.Happening], None],
        on_report: Callable[[Report], None] = lambda _: None,
        on_joined: Callable[[str, str], None] = lambda *_: None,
        on_wanted: Callable[[str], None] = lambda _: None,
        targets: TargetDesk | None = None,
    ) -> None:
        """Hand usage to `on_usage` with the name of the connected gateway, until `on_gone`.

        `on_joined` hears which gateway has that name, by the id that it keeps for its life, and
        `on_report` gets usage with all that is said about it. `on_wanted` hears of an endpoint that
        is asleep and called. What is said about target models goes to `targets`.
        """
        self._sock = sock
        self._on_usage = on_usage
        self._on_gone = on_gone
        self._on_event = on_event
        self._on_report = on_report
        self._on_joined = on_joined
        self._on_wanted = on_wanted
        self._targets = targets
        self._names = (f"gateway-{number}" for number in itertools.count(1))
        self._newest = b""
        self._version = 0
        self._peers: set[_Peer] = set()
        self._moved = asyncio.Condition()
        #: Whether any gateway has been heard of; those of a killed predecessor come back soon.
        self._met = False
        self._server: asyncio.Server | None = None

    @property
    def connected(self) -> bool:
        """Tell whether a gateway is connected that serves by a snapshot of ours."""
        return any(peer.applied for peer in self._peers)

    async def start(self) -> None:
        """Begin to accept gateways."""
        # From Python 3.13 on a server would remove the socket's path, which is not ours.
        keep: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
        self._server = await asyncio.start_unix_server(self._serve, sock=self._sock, **keep)

    async def close(self) -> None:
        """Hang up on every gateway; they go on with what they have."""
        if self._server is not None:
            self._server.close()
        for peer in self._peers:
            peer.writer.close()
        async with self._moved:
            await self._moved.wait_for(lambda: not self._peers)

    def push(self, snapshot: link.Snapshot) -> None:
        """Send the snapshot to every gateway, now and when one connects later."""
        values = snapshots.to_json(snapshot)
        self._newest = link.frame({"kind": "snapshot", "snapshot": values})
        self._version = snapshot.version
        for peer in self._peers:
            peer.news.set()

    def send(self, gateway: str, message: dict[str, Any]) -> None:
        """Send a message to the gateway of this name, behind all that was sent before."""
        for peer in self._peers:
            if peer.name == gateway:
                peer.writer.write(link.frame(message))

    async def settled(self) -> None:
        """Return when every gateway has applied the newest snapshot, or after a second."""
        try:
            async with asyncio.timeout(SETTLE_LIMIT), self._moved:
                await self._moved.wait_for(self._all_applied)
        except TimeoutError:
            logger.warning("a gateway has not applied snapshot %d in time", self._version)

    def _all_applied(self) -> bool:
        return self._met and all(peer.applied == self._version for peer in self._peers)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _Peer(next(self._names), writer)
        self._peers.add(peer)
        if self._targets is not None:
            self._targets.joined(peer.name)
        if self._newest:
            peer.news.set()
        sender = asyncio.create_task(self._send(peer))
        try:
            while True:
                await self._heard(peer, await link.read(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            logger.info("a gateway has left the link")
        finally:
            sender.cancel()
            writer.close()
            self._peers.discard(peer)
            self._on_gone(peer.name)
            if self._targets is not None:
                self._targets.left(peer.name)
            async with self._moved:
                self._moved.notify_all()

    async def _send(self, peer: _Peer) -> None:
        while True:
            await peer.news.wait()
            peer.news.clear()
            peer.writer.write(self._newest)
            try:
                await peer.writer.drain()
            except ConnectionError:
                return  # the reading side of this peer sees it, too, and tidies up

    async def _heard(self, peer: _Peer, message: dict[str, Any]) -> None:
        match message["kind"]:
            case "applied":
                self._on_joined(peer.name, message["gateway"])
                peer.applied = message["version"]
                self._met = True
                async with self._moved:
                    self._moved.notify_all()
            case "usage":
                usage = link.usage_from_json(message["usage"])
                self._on_usage(peer.name, usage)
                self._on_report(
                    Report(
                        peer=peer.name,
                        gateway=message["gateway"],
                        usage=usage,
                        silence=message["silence"],
                        last=message["last"],
                        calls=linkcalls.from_json(message.get("calls", ())),
                    )
                )
                for happening in message["events"]:
                    self._on_event(link.Happening(**happening))
                if self._targets is not None:
                    self._targets.used(peer.name, message.get("targets", ()))
                peer.writer.write(link.frame({"kind": "counted", "number": message["number"]}))
            case "wake":
                self._on_wanted(message["endpoint"])
            case kind if self._targets is None or not self._targets.heard(peer.name, message):
                logger.error("a gateway sent an unknown message %r", kind)
