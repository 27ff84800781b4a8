"""The gateway process: holds the parts together, starts to serve, and ends in order.

It begins to accept once it has a snapshot: until then callers wait in the backlog, and nobody is
told that an endpoint does not exist only because nobody has said so yet.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import signal
import socket
import ssl
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from parkade.adapters.folder.objects import FolderObjects
from parkade.apps import hangups
from parkade.apps.gateway.admission import Admission
from parkade.apps.gateway.calls import CallBook
from parkade.apps.gateway.client import Client
from parkade.apps.gateway.counters import Ledger
from parkade.apps.gateway.deadlines import Deadlines
from parkade.apps.gateway.doors import Doors
from parkade.apps.gateway.fleet import Fleet
from parkade.apps.gateway.link import Link
from parkade.apps.gateway.news import News
from parkade.apps.gateway.scribe import Rules, Scribe
from parkade.apps.gateway.taps import Means, Taps
from parkade.apps.gateway.targets import Targets
from parkade.apps.gateway.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parkade.apps import link

#: Connections that may wait to be accepted; the supervisor's own number.
BACKLOG = 1024
#: Seconds for a TLS handshake.
HANDSHAKE = 30.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the supervisor hands over; descriptors are of listening sockets, but for the lifeline."""

    public: int
    inside: int
    control_socket: str
    link_socket: str
    key: bytes
    lifeline: int
    #: The folder that plays S3, and the one that captured calls wait in.
    objects: Path
    spools: Path
    tls_cert: Path | None = None
    tls_key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How many seconds the gateway waits for whom."""

    #: For the first snapshot, before it answers that it knows nothing yet.
    snapshot: float = 10
    #: For a request's headers, from their first byte, or from the connection's beginning.
    head: float = 30
    #: For the next piece of a request's body.
    body: float = 60
    #: For the next request on a connection.
    idle: float = 75
    #: For a caller to read on.
    stall: float = 60
    #: For a caller to end its side of a connection that is to be closed.
    linger: float = 30
    #: For requests under way when it is to end.
    drain: float = 30
    #: For control to take its last counts. A machine that is busy takes its time over that, and
    #: without them nobody knows since when endpoints are idle.
    last: float = 3


class Gateway:
    """What all connections share."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: Options,
        patience: Patience,
        wall: Callable[[], float],
    ) -> None:
        """Read real time from `wall`, in seconds of the epoch."""
        self.control_socket = options.control_socket
        self.clients: set[Client] = set()
        #: Whether connections are closed after the answers under way.
        self.draining = False
        self.ledger = Ledger()
        self.targets = Targets(self._say)
        self.news = News(loop)
        self.scribe = Scribe(
            options.spools,
            room=options.objects,
            # Made anew each time: the folder may have been taken away meanwhile.
            objects=lambda: FolderObjects(options.objects),
            tell=self.news.tell_from_thread,
        )
        means = Means(loop=loop, wall=wall, ledger=self.ledger, scribe=self.scribe, news=self.news)
        self.wishes = Wishes(loop, self._ask)
        self.fleet = Fleet(loop, self.ledger, wall, self.targets, Taps(means), self.wishes)
        self.calls = CallBook()
        self.doors = Doors(self.fleet, self.calls, secure=options.tls_cert is not None)
        self.admission = Admission(options.key, wall)
        self.link = Link(
            options.link_socket,
            apply=self.apply,
            ledger=self.ledger,
            news=self.news,
            calls=self.calls,
            targets=self.targets,
            wishes=self.wishes,
        )
        self.away = self.link.away
        self.head_limit = Deadlines(loop, patience.head, Client.late)
        self.body_limit = Deadlines(loop, patience.body, Client.late)
        self.idle_limit = Deadlines(loop, patience.idle, Client.late)
        self.linger_limit = Deadlines(loop, patience.linger, Client.late)
        self.stalls = Deadlines(loop, patience.stall, Client.stalled)
        #: Returns a number for a request; numbers rise.
        self.next_number = itertools.count(1).__next__
        self._loop = loop
        self._options = options
        self._patience = patience
        self._wall = wall
        self._second = -1
        self._date = b""
        # With the number behind it this has the form of a UUID, as request ids have at AWS.
        text = secrets.token_hex(10)
        self._id = "-".join(
            (text[:8], text[8:12], "4" + text[12:15], "8" + text[15:18], "")
        ).encode()
        self._tls = _tls(options)
        #: Set while there is no connection.
        self._empty = asyncio.Event()

    def apply(self, snapshot: link.Snapshot) -> None:
        """Make the snapshot what is served by, at once and as a whole."""
        self.scribe.rules = Rules(
            seconds=snapshot.limits.capture_seconds,
            disk_percent=snapshot.limits.capture_disk_percent,
        )
        self.admission.apply(snapshot)
        self.fleet.apply(snapshot)
        self.doors.apply(snapshot)
        logger.info(
            "serving by snapshot %d: %d endpoints, %d routes",
            snapshot.version,
            len(snapshot.endpoints),
            len(snapshot.routes),
        )

    def _say(self, message: dict[str, Any]) -> None:
        self.link.send(message)

    def _ask(self, message: dict[str, Any]) -> None:
        self.link.ask(message)

    def stamp(self, number: int) -> bytes:
        """Return the header lines that every answer of the gateway's own has."""
        second = int(self._loop.time())
        if second != self._second:
            self._second = second
            self._date = b"\r\nDate: %b\r\n" % formatdate(self._wall(), usegmt=True).encode()
        return b"x-amzn-RequestId: %b%012x%b" % (self._id, number, self._date)

    def left(self, client: Client) -> None:
        """Forget a connection that is closed."""
        self.clients.discard(client)
        if not self.clients:
            self._empty.set()

    async def run(self) -> None:
        """Serve until SIGTERM, or until the supervisor is gone."""
        loop = self._loop
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        hangups.heed(loop, self._reload)
        loop.add_reader(self._options.lifeline, stop.set)
        self.scribe.start()
        stopping = loop.create_task(stop.wait())
        # The link is kept up for ever: where this ends, it is by a fault that must be heard of.
        talking = loop.create_task(self.link.run())
        first = loop.create_task(self.link.first.wait())
        over = {stopping, talking}
        await asyncio.wait(
            {first, *over}, timeout=self._patience.snapshot, return_when=asyncio.FIRST_COMPLETED
        )
        first.cancel()
        if not any(task.done() for task in over):
            servers = await self._listen()
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
            for server in servers:
                server.close()
        loop.remove_reader(self._options.lifeline)
        await self._drain()
        await asyncio.to_thread(self.scribe.close)
        if talking.done():
            talking.result()
        await self.link.report_last(self._patience.last)

    async def _listen(self) -> list[asyncio.Server]:
        options, loop = self._options, self._loop
        servers = [
            await _serve(loop, options.public, lambda: Client(self, inside=False), self._tls),
            await _serve(loop, options.inside, lambda: Client(self, inside=True), None),
        ]
        logger.info("the gateway accepts requests")
        return servers

    async def _drain(self) -> None:
        self.draining = True
        self.fleet.holding.end()
        clients = tuple(self.clients)
        # What was accepted with the last look is a client after the loop's next turn, and has its
        # last moment.
        await asyncio.sleep(0)
        for client in clients:
            client.drain()
        if not self.clients:
            return
        self._empty.clear()
        try:
            await asyncio.wait_for(self._empty.wait(), self._patience.drain)
        except TimeoutError:
            logger.warning("hanging up on %d callers", len(self.clients))
            for client in tuple(self.clients):
                client.abandon()

    def _reload(self) -> None:
        """Take up a renewed certificate; connections from now on get it."""
        if self._tls is None:
            return
        try:
            _load_certificate(self._tls, self._options)
        except (OSError, ssl.SSLError):
            logger.exception("the certificate cannot be read; the former one stays in use")
        else:
            logger.info("the certificate was read again")


async def _serve(
    loop: asyncio.AbstractEventLoop,
    descriptor: int,
    factory: Callable[[], Client],
    tls: ssl.SSLContext | None,
) -> asyncio.Server:
    listener = socket.socket(fileno=descriptor)
    if listener.family is socket.AF_UNIX:
        # The path is the supervisor's; from Python 3.13 on it would be removed with the server.
        keep: dict[str, Any] = {"cleanup_socket": False}
        return await loop.create_unix_server(factory, sock=listener, backlog=BACKLOG, **keep)
    return await loop.create_server(
        factory,
        sock=listener,
        backlog=BACKLOG,
        ssl=tls,
        ssl_handshake_timeout=HANDSHAKE if tls is not None else None,
    )


def _tls(options: Options) -> ssl.SSLContext | None:
    if options.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    _load_certificate(context, options)
    return context


def _load_certificate(context: ssl.SSLContext, options: Options) -> None:
    assert options.tls_cert is not None  # noqa: S101  there is a context because there is one
    context.load_cert_chain(options.tls_cert, options.tls_key)
